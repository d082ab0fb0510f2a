"""Fair public-key cryptosystems (Micali 1992): the scheme and the certification of users' keys."""

from escrow.schemes.fair_keys.scheme import SCHEME

__all__ = ["SCHEME"]

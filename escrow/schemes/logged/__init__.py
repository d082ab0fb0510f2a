"""Accountable access (after Ryan 2017): the scheme, its log of warrants, and the monitor."""

from escrow.schemes.logged.scheme import SCHEME

__all__ = ["SCHEME"]

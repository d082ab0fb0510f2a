"""The Escrowed Encryption Standard (Clipper): the LEAF, the chip, how chips are programmed, and both ends of a call."""

from escrow.schemes.clipper.scheme import SCHEME

__all__ = ["SCHEME"]

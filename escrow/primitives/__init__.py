"""Primitives above the door: P-256, HPKE, a post-quantum KEM, Skipjack, hashing to the curve."""

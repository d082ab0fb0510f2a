"""A plaintext in pieces, (kind (1 byte) ‖ length (2) ‖ bytes) …; a reader takes the first text and ignores the rest."""

TEXT, IGNORED = 1, 0
HEAD = 3  # bytes before a piece: its kind and its length


def piece(kind: int, body: bytes) -> bytes:
    """Return one piece: 3 bytes more than its body."""
    return head(kind, len(body)) + body


def head(kind: int, length: int) -> bytes:
    """Return the 3 bytes before a piece of this kind and length."""
    return bytes([kind]) + length.to_bytes(2, "big")

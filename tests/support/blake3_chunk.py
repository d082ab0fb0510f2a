"""BLAKE3 of at most 1024 bytes: one chunk, hashed block by block. For published vectors only.

Source: O'Connor, Aumasson, Neves and Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere", 2020, section 2.
"""

from __future__ import annotations

import struct

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
LINES = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
START, END, ROOT = 1, 2, 8
BLOCK, CHUNK = 64, 1024


def _turned(word: int, by: int) -> int:
    return (word >> by | word << 32 - by) & 0xFFFFFFFF


def _mixed(state: list[int], a: int, b: int, c: int, d: int, words: tuple[int, int]) -> None:
    for word, one, two in ((words[0], 16, 12), (words[1], 8, 7)):
        state[a] = (state[a] + state[b] + word) & 0xFFFFFFFF
        state[d] = _turned(state[d] ^ state[a], one)
        state[c] = (state[c] + state[d]) & 0xFFFFFFFF
        state[b] = _turned(state[b] ^ state[c], two)


def _compressed(chain: list[int], block: bytes, flags: int) -> list[int]:
    words = list(struct.unpack("<16I", block.ljust(BLOCK, b"\0")))
    state = [*chain, *IV[:4], 0, 0, len(block), flags]
    for _ in range(7):
        for at, places in enumerate((*LINES, *DIAGONALS)):
            _mixed(state, *places, (words[2 * at], words[2 * at + 1]))
        words = [words[at] for at in ORDER]
    return [low ^ high for low, high in zip(state[:8], state[8:], strict=True)]


def blake3(data: bytes) -> bytes:
    """Return the hash (32 bytes) of at most 1024 bytes."""
    if len(data) > CHUNK:
        raise ValueError("more than one chunk")
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)] or [b""]
    chain = list(IV)
    for at, block in enumerate(blocks):
        flags = (START if at == 0 else 0) | (END | ROOT if at == len(blocks) - 1 else 0)
        chain = _compressed(chain, block, flags)
    return struct.pack("<8I", *chain)

"""The safety number: 60 digits that two users compare to see that no keys were replaced on the way.

  K      = 0x05 ‖ u for each of the user's identity keys, sorted, concatenated
  h_1    = SHA-512(0x0000 ‖ K ‖ user ‖ K);   h_i = SHA-512(h_{i-1} ‖ K),  i = 2 … 5200
  half   = the first 30 bytes of h_5200 in six groups of five bytes, each modulo 100,000
  number = the two users' halves, the smaller first

Source: libsignal, `NumericFingerprintGenerator` and `rust/protocol/src/fingerprint.rs` (one key a user, version 0);
several devices as WhatsApp has it: all keys of a user sorted, so a device added in silence changes the number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from escrow.errors import Malformed

ROUNDS = 5200
_VERSION = b"\x00\x00"
_DJB = b"\x05"  # libsignal's type byte of a Curve25519 key


def safety_number(mine: str, my_keys: Iterable[bytes], theirs: str, their_keys: Iterable[bytes]) -> str:
    """Return the safety number: 60 digits, the same from either side.

    Args:
        mine: name of one user.
        my_keys: X25519 identity keys of that user's devices, 32 bytes each, in any order; each key counts once.
        theirs: name of the other user.
        their_keys: X25519 identity keys of the other user's devices, 32 bytes each, in any order.

    Raises:
        Malformed: a key is not 32 bytes.
    """
    return "".join(sorted((_half(mine, tuple(sorted(set(my_keys)))), _half(theirs, tuple(sorted(set(their_keys)))))))


@lru_cache(maxsize=4096)
def _half(user: str, keys: tuple[bytes, ...]) -> str:
    if any(len(key) != 32 for key in keys):
        raise Malformed("an identity key in a safety number is not 32 bytes")
    typed = b"".join(_DJB + key for key in keys)
    digest = _VERSION + typed + user.encode()
    for _ in range(ROUNDS):
        digest = hashlib.sha512(digest + typed).digest()
    groups = (int.from_bytes(digest[at : at + 5], "big") % 100_000 for at in range(0, 30, 5))
    return "".join(f"{group:05d}" for group in groups)

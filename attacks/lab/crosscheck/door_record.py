"""What the door did in a play: every operation, with what went in and what came out, in order.

  call       inputs → outputs                        also where the run kept the result of an earlier call
  seal       key, nonce, associated, text → sealed   and back, with the same three, also where nobody opened it
  agreement  own private half, other's public → shared           x25519, p256-exchange
  multiple   point, scalar → point                                p256-multiply
  key        private half → public half          x25519-key, ed25519-key, p256-key, p256-base, ml-kem-key, montgomery
  KEM        public, m → ciphertext, secret          and private, ciphertext → secret (ml-kem-decapsulate)
  mixing     xor, p256-combine with public factors: each operand follows from the result and the others
  drawn      random → bytes: from no inputs, so nothing leads there; draw: secret, counter → bytes (`drawing_from`)

It is a list of bytes that knows no scheme and no type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from escrow.run import Call


class Sealed(NamedTuple):
    """One sealing: key (16 or 32 bytes), nonce (12), associated data, plaintext, ciphertext and tag; by whom; the call.

    In the call no party is named.
    """

    key: bytes
    nonce: bytes
    associated: bytes
    plaintext: bytes
    ciphertext: bytes
    party: str
    call: Call


class DoorRecord:
    """An observer for `play` that keeps every operation in order; those that failed have no outputs."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> None:
        """Keep one operation."""
        self.calls.append(call)

    @property
    def sealed(self) -> Iterator[Sealed]:
        """What was sealed, in order."""
        for call in self.calls:
            if call.operation == "seal":
                key, nonce, associated, plaintext = call.inputs
                alone = call._replace(party="")
                yield Sealed(key, nonce, associated, plaintext, call.outputs[0], call.party, alone)

"""The ciphertext of a text to a group whose keys are a tree (MLS), as everybody reads its head.

  body   version 1 ‖ wire format 2 (2 bytes each) ‖ 16 ‖ group id (16 bytes) ‖ epoch (8 bytes) ‖ what members open

Who sent it is inside. A mail that carries one names its conversation outside, like a mail under a sender key.
Source: RFC 9420, sections 6 and 6.3.
"""

from __future__ import annotations

from escrow.codec import Fact, Public
from escrow.derivation import honest_only
from escrow.e2ee.provider import Mail

HEAD, ID = b"\x00\x01\x00\x02\x10", 16
_BEGINS = len(HEAD) + ID + 8  # bytes before what members open


class TreeMessage(Fact, frozen=True):
    """A private message of MLS: its group (16 bytes) and epoch, and the whole of it as it travels."""

    unchecked = {
        "body": "what does not open is not shown, as if a relay had kept it back",
    }

    group: Public
    epoch: int
    body: Public


@honest_only("reads public bytes")
def tree_message(mail: Mail) -> TreeMessage | None:
    """Return the message of MLS that a mail to a conversation carries, or None if its body is of another kind."""
    if not mail.group or len(mail.body) <= _BEGINS or not mail.body.startswith(HEAD):
        return None
    at = len(HEAD) + ID
    return TreeMessage(mail.body[len(HEAD) : at], int.from_bytes(mail.body[at:_BEGINS], "big"), mail.body)

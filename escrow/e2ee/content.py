"""The content inside the encryption: texts, and the sender keys of groups."""

from __future__ import annotations

from escrow import codec
from escrow.codec import Fact, Public, walk
from escrow.derivation import derivation, honest_only
from escrow.e2ee.ratchet import Plaintext
from escrow.e2ee.sender_keys import SenderChain
from escrow.errors import Forged, Malformed


class Text(Fact, frozen=True):
    """A text that a person typed, and the conversation it belongs to."""

    conversation: str
    body: bytes


class Distribution(Fact, frozen=True):
    """A sender's chain for a group, at its current message number, and the Ed25519 key that signs for it (32 bytes)."""

    group: str
    chain: SenderChain
    signer: Public


Content = Text | Distribution


@derivation()
def unpack(plaintext: Plaintext) -> tuple[Text | Distribution | SenderChain, ...]:
    """Return the content of a plaintext and every fact inside it. Raise Forged if the bytes encode no content."""
    try:
        return tuple(walk(read(plaintext), Fact))  # type: ignore[arg-type]  # contents hold no other facts
    except Malformed as error:
        raise Forged(str(error)) from None


@honest_only("unpack, with the error that a receiver reports")
def read(plaintext: Plaintext) -> Content:
    """Return the content of a plaintext. Raise Malformed if the bytes encode none."""
    return codec.decode(plaintext.body, Content)  # type: ignore[arg-type]  # a union stands for a type

"""The content inside the encryption: texts with their conversation, and the sender keys of groups."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from escrow import codec
from escrow.codec import Fact, Public, walk
from escrow.derivation import derivation, honest_only
from escrow.e2ee.ratchet import Plaintext
from escrow.e2ee.sender_keys import SenderChain
from escrow.errors import Forged, Malformed


class Direct(msgspec.Struct, frozen=True, tag=True, array_like=True, forbid_unknown_fields=True):
    """The conversation of two users, in the order of their names; `direct` makes it."""

    one: str
    other: str

    @property
    def group(self) -> str:
        """An empty string: the conversation is of no group."""
        return ""

    def __str__(self) -> str:
        """Return both names, joined by the only plus sign that is written as one."""
        return f"{_spelled(self.one)}+{_spelled(self.other)}"


class InGroup(msgspec.Struct, frozen=True, tag=True, array_like=True, forbid_unknown_fields=True):
    """The conversation of a group. Whatever its name imitates, it is no conversation of two users."""

    group: str

    def __str__(self) -> str:
        """Return the group's name, without a plus sign."""
        return _spelled(self.group)


Conversation = Direct | InGroup


def direct(*people: str) -> Direct:
    """Return the conversation between two users, the same on both sides."""
    one, other = sorted(people)
    return Direct(one, other)


def _spelled(name: str) -> str:
    """Return a name in which plus and percent signs, and characters that are not seen, are escaped as in a URL.

    Different names stay different; none turns the direction of what follows, or ends a line.
    """
    name = name.replace("%", "%25").replace("+", "%2B")
    if name.isprintable():
        return name
    return "".join(each if each.isprintable() else quote(each) for each in name)


class Text(Fact, frozen=True):
    """A text that a person typed, and the conversation it belongs to."""

    unchecked = {
        "body": "a sender's own words",
    }

    conversation: Conversation
    body: bytes


class Distribution(Fact, frozen=True):
    """A sender's chain for a group, at its current message number, and the Ed25519 key that signs for it (32 bytes)."""

    group: str
    chain: SenderChain
    signer: Public


Content = Text | Distribution


class InChat(Fact, frozen=True):
    """A pairwise content of clients that sign lists (escrow.e2ee.listing.device_lists): its bytes, and such lists.

    They are the two users' lists as the sender knows them: each by its day, and the SHA-256 (32 bytes) of its keys.
    """

    unchecked = {
        "content": "a sender's own words",
    }

    own_day: int
    own_keys: Public
    their_day: int
    their_keys: Public
    content: bytes


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
    found: Content | InChat = codec.decode(plaintext.body, Content | InChat)  # type: ignore[arg-type]  # a union stands for a type
    return codec.decode(found.content, Content) if isinstance(found, InChat) else found  # type: ignore[arg-type]  # as above


@honest_only("what stands beside the content that unpack returns")
def lists_in(plaintext: Plaintext) -> InChat | None:
    """Return the lists that a plaintext carries beside its content, or None. Raise Malformed if it encodes nothing."""
    found: Content | InChat = codec.decode(plaintext.body, Content | InChat)  # type: ignore[arg-type]  # a union stands for a type
    return found if isinstance(found, InChat) else None

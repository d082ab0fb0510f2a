"""The delivery service: it keeps the commits of each conversation in order, one an epoch, and hands them out.

  told    a device of the conversation tells a commit; it is taken if it continues the newest epoch, or founds anew
  asked   a device of the conversation asks for those since a number

It sees who is in each group, and reads nothing. Source: RFC 9420, section 14 (one commit for each epoch).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from escrow.codec import Packet, Public
from escrow.derivation import Checks
from escrow.e2ee.content import Conversation, Direct
from escrow.e2ee.provider import Provider
from escrow.mls import messages
from escrow.mls.conversations.facts import Handshake
from escrow.mls.framing import PublicMessage
from escrow.mls.welcome import GroupInfo
from escrow.principal import shared
from escrow.wire import Wire


class HandshakeTold(Packet, frozen=True):
    """A commit in a conversation."""

    unchecked = {
        "conversation": "a member's device says where it commits; the members of another conversation are not invited",
    }

    conversation: Conversation
    handshake: Handshake


class HandshakeTaken(Packet, frozen=True):
    """The number of commits that the conversation has now."""

    count: int


class HandshakesSince(Packet, frozen=True):
    """Ask for the commits in all conversations of the asking device's user: how many of each were read."""

    unchecked = {
        "read": "a question",
    }

    read: tuple[tuple[Conversation, int], ...]


class ProposalTold(Packet, frozen=True):
    """What somebody outside a conversation's group proposes, for its newest epoch."""

    conversation: Conversation
    message: Public


class Handshakes(Packet, frozen=True):
    """The commits that were asked for, by conversation, in order; and proposals from outside for the newest epochs."""

    unchecked = {
        "handshakes": "a relay may keep commits back; each is checked by the members",
    }

    handshakes: tuple[HandshakeTold, ...]
    proposals: tuple[ProposalTold, ...] = ()


def _whole(new: Handshake, newest: Handshake | None) -> Checks:
    """Yield whether what a commit's sender says of it is what is in it, as far as everybody can read it."""
    message, info = messages.from_bytes(new.message), messages.from_bytes(new.info)
    yield "a commit and its GroupInfo", isinstance(message, PublicMessage) and isinstance(info, GroupInfo)
    if isinstance(message, PublicMessage) and isinstance(info, GroupInfo):
        told, after = message.content, info.context
        yield "group and epoch of a commit", (told.group_id, told.epoch) == (new.group, new.epoch)
        yield "group and epoch of a GroupInfo", (after.group_id, after.epoch) == (new.group, new.epoch + 1)
    before = messages.from_bytes(newest.info) if newest is not None and new.epoch else None
    transcript = before.context.confirmed_transcript_hash if isinstance(before, GroupInfo) else b""
    yield "transcript before a commit", new.transcript == transcript


class TreeProvider(Provider):
    """Base of a provider that is the delivery service of conversations; a subclass has the field `commits`."""

    COMMITS: ClassVar[int] = 1_000  # of each device, in one conversation
    conversing: ClassVar[tuple[str, ...]] = ("commits",)

    if TYPE_CHECKING:  # a party has one base with fields, so that the subclass adds this one
        commits: dict[str, list[HandshakeTold]] = {}

    def people_of(self, conversation: Conversation) -> tuple[str, ...]:
        """Return the users of a conversation: nobody, if one of two is no user here, so that there are few."""
        if isinstance(conversation, Direct):
            people = (conversation.one, conversation.other)
            return people if people[0] <= people[1] and {*people} <= {*self.accounts.values()} else ()
        group = self.groups.get(conversation.group)
        return group.members if group is not None else ()

    @shared("every device of a conversation may commit in it")
    def on_handshake_told(self, sender: str, packet: HandshakeTold, wire: Wire) -> HandshakeTaken:
        """Keep a commit that continues the newest epoch of its conversation, or that founds a group anew."""
        inside = self.accounts.get(sender, "") in self.people_of(packet.conversation)
        self.insist(self.writes(sender) and inside, "a device of the conversation commits in it")
        name, new = str(packet.conversation), packet.handshake
        told = self.commits.get(name, [])
        newest = told[-1].handshake if told else None
        self.insist_all(_whole(new, newest))
        follows = newest is not None and (newest.group, newest.epoch + 1) == (new.group, new.epoch)
        anew = new.epoch == 0 and all(each.handshake.group != new.group for each in told)
        self.insist(follows or anew, "a commit continues the newest epoch")
        few = sum(each.handshake.by == sender for each in told) < self.COMMITS
        self.insist(few, f"{sender} commits too often in one conversation")
        self.commits[name] = [*told, replace(packet, handshake=replace(new, by=sender))]
        return HandshakeTaken(len(self.commits[name]))

    @shared("every device follows its user's conversations")
    def on_handshakes_since(self, sender: str, packet: HandshakesSince, wire: Wire) -> Handshakes:
        """Return the commits of the sender's conversations that it has not read."""
        self.insist(sender in self.accounts, "a user linked this device")
        user, read = self.accounts.get(sender, ""), {str(where): number for where, number in packet.read}
        kept = [(name, told) for name, told in sorted(self.commits.items()) if told]
        unread = (told[max(0, read.get(name, 0)) :] for name, told in kept)
        return Handshakes(
            tuple(each for new in unread if new and user in self.people_of(new[0].conversation) for each in new),
            tuple(
                ProposalTold(told[-1].conversation, each)
                for _, told in kept
                for each in self.proposed(told[-1])
                if user in self.people_of(told[-1].conversation)
            ),
        )

    def proposed(self, newest: HandshakeTold) -> tuple[Public, ...]:
        """Return what is proposed from outside for the epoch that a commit began: nothing, by an honest provider."""
        return ()

"""A device whose conversations, of two users or of a group, are groups of MLS.

  send     directory -> the devices of all -> follow the commits -> if others are in the group than should be, or the
           own leaf is old: commit -> one message for all -> relay
  receive  relay -> follow the commits -> the epoch's ratchet of the sender's leaf -> content -> screen

Who is not in the group, or cannot follow any more, founds it anew. Before a leaf is added, and before a commit that
adds one is followed, the authentication service must attest its key: see `leaf_holder`.

Sources: RFC 9420, sections 10 to 12; RFC 9750.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from msgspec.structs import replace

from escrow import codec
from escrow.crypto import random_bytes
from escrow.derivation import honest_only
from escrow.e2ee import contacts, content, membership, ratchet, sender_keys, x3dh
from escrow.e2ee.content import Content, Conversation, Direct, InGroup, Text, direct
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Listed, Mail
from escrow.e2ee.ratchet import Plaintext
from escrow.e2ee.transcript import ID, tree_message
from escrow.errors import EscrowError, Forged, Malformed
from escrow.mls import messages
from escrow.mls.conversations.delivery import (
    Handshakes,
    HandshakesSince,
    HandshakeTaken,
    HandshakeTold,
    ProposalTold,
)
from escrow.mls.conversations.facts import Handshake, proposed_package
from escrow.mls.conversations.leaf_holder import NEW_LEAF as NEW_LEAF  # these three names can be imported from here
from escrow.mls.conversations.leaf_holder import UNLISTED as UNLISTED
from escrow.mls.conversations.leaf_holder import LeafHolder
from escrow.mls.conversations.leaf_holder import Trees as Trees
from escrow.mls.conversations.outsiders import listing
from escrow.mls.conversations.tree_membership import (
    TreeMembership,
    group_in,
    membership_of,
    opened_text,
    sealed_text,
)
from escrow.mls.framing import AddMember, ApplicationData, Proposal, RemoveMember
from escrow.mls.group_state import GroupChange
from escrow.mls.joining import found_group, join_externally, join_welcomed
from escrow.mls.leaf_node import KeyPackage
from escrow.mls.mls_device import AUTHENTICATORS
from escrow.mls.participant import Participant
from escrow.mls.welcome import Welcome
from escrow.wire import Wire

MOST_COMMITS = 1 << 32  # of a conversation, as a device counts them


class TreeDevice(LeafHolder):
    """Base of a device in groups of MLS; a subclass has the field `trees`."""

    conversing: ClassVar[tuple[str, ...]] = ("trees",)
    replaces: ClassVar[tuple[str, ...]] = tuple(each.__name__ for each in (ratchet, sender_keys, x3dh))

    # --- sending ---

    def fan_out(self, wire: Wire, people: tuple[str, ...], said: Content) -> None:
        """Send a text to a conversation. Raise TypeError for another content: keys are told by commits."""
        if not isinstance(said, Text):
            raise TypeError("only texts are sent to a group of MLS")
        self.send_to_tree(wire, people, said)

    def send_by_chain(self, wire: Wire, people: tuple[str, ...], said: Text) -> None:
        """Send a text to a conversation: whatever the style of a group, it is a tree."""
        self.send_to_tree(wire, people, said)

    def send_to_tree(self, wire: Wire, people: tuple[str, ...], said: Text) -> None:
        """Send a text as one message to the group of its conversation."""
        to = self.recipients(wire, people)
        if not to:
            return
        own = self.ready(wire, said.conversation, people, to)
        there, own_key = set(own.roster.values()), self.identity.public
        unlisted = [each for each in own.roster.values() if each not in to and each.identity != own_key]
        names = [each.device for each in (*to, *unlisted) if each in there]
        body = sealed_text(own, self.identity, codec.encode(said))
        mail = Mail(self.name, tuple(names), str(said.conversation), None, body, b"")
        wire.tell(self.name, self.provider, mail)

    def ready(
        self, wire: Wire, conversation: Conversation, people: tuple[str, ...], to: list[Listed]
    ) -> TreeMembership:
        """Return the group of a conversation of these people with these devices in it, and no old own leaf.

        Whoever else is in it is removed, but for those of the people's devices that this client tolerates unlisted.
        """
        name = str(conversation)
        told = self.follow(wire)
        own = self.own.members.get(name)
        if own is None or own.stuck:
            return self.committed(wire, conversation, self.founded(), own, list(self.packages(wire, to)))
        wanted = {each.identity for each in to} | {self.identity.public}
        proposals: list[Proposal] = [
            RemoveMember(index)
            for index, leaf in own.roster.items()
            if leaf.identity not in wanted and not (leaf.user in people and self.tolerates(wire, leaf))
        ]
        here = {leaf.identity for leaf in own.roster.values()}
        missing = [each for each in to if each.identity not in here]
        added = list(self.packages(wire, missing)) if missing else []
        offered = [each.message for each in told if each.conversation == conversation]
        if not (proposals or added or offered or wire.day - own.renewed >= self.rotate_every):
            return own
        member = own.participant(self.identity)
        taken = tuple(each for each in offered if self.takes_proposal(wire, people, member, each))
        if not (proposals or added or taken or wire.day - own.renewed >= self.rotate_every):
            return own
        return self.committed(wire, conversation, member, own, added, proposals, taken)

    def founded(self) -> Participant:
        """Return the only member of a new group."""
        return found_group(self.client_of(self.prekeys[-1].key), random_bytes(ID), listing(self.own.outsider))

    def committed(
        self,
        wire: Wire,
        conversation: Conversation,
        member: Participant,
        before: TreeMembership | None,
        added: list[KeyPackage],
        proposals: Iterable[Proposal] = (),
        proposed: tuple[bytes, ...] = (),
    ) -> TreeMembership:
        """Make a commit, tell the delivery service, and return the membership of the epoch that it begins.

        `proposed` are the proposals from outside that the member has received.
        """
        context, name = member.state.context, str(conversation)
        adds: list[Proposal] = [AddMember(each) for each in added]
        sent = member.commit([*proposals, *adds])
        info = messages.to_bytes(member.group_info())
        packages = {each.reference: each for each in (*map(proposed_package, proposed), *added)}
        welcome = messages.from_bytes(sent.welcome) if sent.welcome else None
        newcomers = welcome.secrets if isinstance(welcome, Welcome) else ()
        invited = tuple(packages[each.new_member].init_key for each in newcomers)
        told = Handshake(
            context.group_id,
            context.epoch,
            context.confirmed_transcript_hash,
            sent.message,
            sent.welcome or b"",
            info,
            invited,
            proposed=proposed,
        )
        taken = wire.ask(self.name, self.provider, HandshakeTold(conversation, told), HandshakeTaken)
        self.insist(0 < taken.count <= MOST_COMMITS, "a conversation has so many commits")
        made = membership_of(member, info, before.epochs if before else (), wire.day, wire.day)
        self.own.members[name], self.own.read[name] = made, taken.count
        return made

    # --- following ---

    def follow(self, wire: Wire) -> tuple[ProposalTold, ...]:
        """Take the commits of all conversations that were told since the last time. One bad commit stops no other.

        Return what is proposed from outside for their newest epochs.
        """
        own = self.own
        asked = HandshakesSince(
            tuple((self.conversation_of(name), number) for name, number in sorted(own.read.items()))
        )
        answer = wire.ask(self.name, self.provider, asked, Handshakes)
        for told in answer.handshakes:
            name = str(told.conversation)
            own.read[name] = own.read.get(name, 0) + 1
            try:
                self.take_commit(wire, told.conversation, told.handshake)
            except EscrowError as error:
                wire.complain(told.handshake.by, error)
                if name in own.members:
                    own.members[name].stuck = True
        return answer.proposals

    def take_commit(self, wire: Wire, conversation: Conversation, told: Handshake) -> None:
        """Join by a commit's Welcome, or follow it into the next epoch. Raise the errors of escrow.errors."""
        own, name = self.own, str(conversation)
        before = own.members.get(name)

        def policy(change: GroupChange) -> None:
            self.policy(wire, conversation, change)

        held = (*self.one_time, *(old.key for old in self.prekeys))
        if (key := next((each for each in held if each.public in told.invited), None)) is not None:
            member, renewed = join_welcomed(self.client_of(key), told.welcome, policy), wire.day
            if not self.is_first(wire, key, member.state.context):
                return
        elif before is None or before.stuck or (before.keys.group, before.keys.epoch) != (told.group, told.epoch):
            return
        else:
            member, renewed = before.participant(self.identity), before.renewed
            member.policy = policy
            for proposal in told.proposed:
                member.receive(proposal)
            member.receive(told.message)
            if not member.active:
                before.stuck = True
                return
        own.members[name] = membership_of(member, told.info, before.epochs if before else (), wire.day, renewed)

    def differs(self, other: Device) -> str:
        """Return which check finds two users who meet in different groups, or epochs, of their conversation."""
        name, shown = str(direct(self.user, other.user)), list[bytes]()
        for device in (self, other):
            if isinstance(device, TreeDevice):
                own = device.own.members.get(name)
                shown += [own.keys.authenticator] if own is not None and not own.stuck else []
        unlike = len({*shown}) > 1 and self.keeps(AUTHENTICATORS.name)
        return AUTHENTICATORS.name if unlike else ""

    # --- receiving ---

    def collect(self, wire: Wire) -> None:
        """Follow all commits, then fetch the mail that waits and show the texts in it."""
        self.follow(wire)
        super().collect(wire)

    def receive(self, wire: Wire, mail: Mail) -> None:
        """Open one mail and show its text. Raise one of the errors of escrow.errors; no key is lost then."""
        message = tree_message(mail)
        if message is None:
            raise Malformed("a mail carries no message of MLS")
        author = contacts.author_of(self, wire, mail)
        conversation = self.conversation_of(mail.group)
        own = self.own.members.get(mail.group)
        if own is None or own.stuck or own.keys.epoch < message.epoch or own.keys.group != message.group:
            self.follow(wire)
            own = self.own.members.get(mail.group)
        if own is None:
            raise Forged("a message of a group that this device is not in")
        sender, opened = opened_text(own, message)
        self.insist(sender == author, "the leaf is of the device listed")
        if not isinstance(opened.content.content, ApplicationData):
            raise Malformed("a private message carries no text")
        said = content.read(Plaintext(opened.content.content.data))
        if not isinstance(said, Text):
            raise Malformed("a message to a group of MLS carries something else than a text")
        self.insist(said.conversation == conversation, "a text is of its group's conversation")
        membership.check(self, wire, replace(mail, group=""), author.user, said.conversation)
        self.read(wire, author.user, said.conversation, said.body)

    @staticmethod
    def conversation_of(name: str) -> Conversation:
        """Return the conversation of this name: of two users, if it has a plus sign."""
        one, plus, other = name.partition("+")
        return Direct(one, other) if plus else InGroup(name)


@honest_only("what a device does that joins a group by its own commit")
def joined_by_itself(device: TreeDevice, newest: HandshakeTold, day: int) -> HandshakeTold:
    """Return the external commit with which a device joins a conversation after its newest commit, and keep the group.

    Raise Forged or Malformed if the newest commit brings no GroupInfo that fits.
    """
    info = group_in(newest.handshake.info)
    member, message = join_externally(device.client_of(device.prekeys[-1].key), info)
    context = info.context
    after = messages.to_bytes(member.group_info())
    told = Handshake(context.group_id, context.epoch, context.confirmed_transcript_hash, message, b"", after, ())
    device.own.members[str(newest.conversation)] = membership_of(member, after, (), day, day)
    return replace(newest, handshake=told)

"""A device whose conversations, of two users or of a group, are groups of MLS.

  send     directory -> the devices of all -> follow the commits -> if others are in the group than should be, or the
           own leaf is old: commit -> one message for all -> relay
  receive  relay -> follow the commits -> the epoch's ratchet of the sender's leaf -> content -> screen

Who is not in the group, or cannot follow any more, founds it anew. Before a leaf is added, and before a commit that
adds one is followed, the authentication service must attest its key. Sources: RFC 9420, sections 10 to 12; RFC 9750.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

import msgspec
from msgspec.structs import replace

from escrow import codec
from escrow.codec import Public
from escrow.crypto import Private, random_bytes
from escrow.derivation import honest_only
from escrow.e2ee import contacts, content, membership, ratchet, sender_keys, x3dh
from escrow.e2ee.content import Content, Conversation, Direct, InGroup, Text
from escrow.e2ee.device import Device
from escrow.e2ee.listing.checks import CHECKS, ClientCheck
from escrow.e2ee.provider import Listed, Mail, Publish
from escrow.e2ee.ratchet import Plaintext
from escrow.e2ee.transcript import ID, tree_message
from escrow.e2ee.x3dh import sign_prekey
from escrow.errors import EscrowError, Forged, Malformed, Refused
from escrow.mls import messages
from escrow.mls.conversations.attesting import SERVICE, Attestation, AttestationOf, linked_keys
from escrow.mls.conversations.delivery import Handshakes, HandshakesSince, HandshakeTaken, HandshakeTold
from escrow.mls.conversations.facts import Handshake, leaf_key
from escrow.mls.conversations.tree_membership import (
    TreeMembership,
    group_in,
    leaf_name,
    listed_leaf,
    membership_of,
    opened_text,
    sealed_text,
)
from escrow.mls.framing import AddMember, ApplicationData, NewMemberCommit, Proposal, RemoveMember
from escrow.mls.group_state import GroupChange
from escrow.mls.joining import MlsClient, found_group, join_externally, join_welcomed
from escrow.mls.leaf_node import KeyPackage, new_leaf
from escrow.mls.mls_device import CREDENTIALS, LEAVES, OUTSIDE
from escrow.mls.participant import Participant
from escrow.mls.presentation import decode
from escrow.wire import Wire

NEW_LEAF = "a new leaf is shown"
UNLISTED = ClientCheck("leaves listed", "removes a leaf that no list of devices has, before it writes")


class Trees(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a device keeps of its groups.

    `owner` is the device's own signature key, `service` the authentication service's (32 bytes each). `members` are the
    groups, and `read` how many commits were read, by conversation; `attested` are the keys that the service has
    attested, by user, and `linked` those that were told it last. `tolerated` are leaves that this client writes to,
    though no list of devices has them.
    """

    owner: Public = b""
    service: Public = b""
    members: dict[str, TreeMembership] = {}
    read: dict[str, int] = {}
    attested: dict[str, list[Public]] = {}
    linked: list[Public] = []
    tolerated: list[Listed] = []


class TreeDevice(Device):
    """Base of a device in groups of MLS; a subclass has the field `trees`."""

    checks: ClassVar[tuple[ClientCheck, ...]] = (*CHECKS, CREDENTIALS, LEAVES, UNLISTED, OUTSIDE)

    conversing: ClassVar[tuple[str, ...]] = ("trees",)
    replaces: ClassVar[tuple[str, ...]] = tuple(each.__name__ for each in (ratchet, sender_keys, x3dh))

    if TYPE_CHECKING:  # a party has one base with fields, so that the subclass adds this one
        trees: Trees = Trees()

    @property
    def own(self) -> Trees:
        """What this device keeps: nothing of another key's."""
        if self.trees.owner != self.identity.public:
            self.trees = Trees(self.identity.public, self.trees.service)
        return self.trees

    # --- keys ---

    def client_of(self, key: Private) -> MlsClient:
        """Return the client whose key package has this init key."""
        encryption = leaf_key(key)
        leaf = new_leaf(leaf_name(self.user, self.name), self.identity, encryption)
        package = KeyPackage(init_key=key.public, leaf_node=leaf).signed(self.identity)
        return MlsClient(package, self.identity, key, encryption)

    def publication(self, fresh: int) -> Publish:
        """Return what is published: key packages in place of prekeys."""
        classical = super().publication(fresh)
        made = self.one_time[len(self.one_time) - fresh :]
        last = self.client_of(self.prekeys[-1].key).package.encoded()
        packages = tuple(self.client_of(key).package.encoded() for key in made)
        return replace(classical, prekey=last, signature=sign_prekey(self.identity, last), one_time=packages)

    def package(self, wire: Wire, to: Listed) -> KeyPackage:
        """Return a key package of a device, from the directory. Raise Refused if it is not that device's."""
        bundle = self.bundle(wire, to)
        self.insist(bundle.identity == to.identity, "the bundle is of the device listed")
        package = decode(bundle.one_time or bundle.prekey, KeyPackage)
        package.check()
        self.insist(listed_leaf(package.leaf_node) == to, "a key package is of the device listed")
        return package

    def each_day(self, wire: Wire) -> None:
        """Rotate keys; tell the service of newly linked ones."""
        super().each_day(wire)
        self.vouch(wire)

    def vouch(self, wire: Wire) -> None:
        """Tell the service which keys the user has linked, if they are others than before."""
        own = self.own
        if own.linked and own.linked != self.linked:
            try:
                told = linked_keys(self.identity, self.user, tuple(self.linked))
                wire.ask(self.name, SERVICE, told, type(None))
            except EscrowError as error:
                wire.complain(self.name, error)
        own.linked = list(self.linked)

    # --- credentials ---

    def look_up(self, wire: Wire, user: str) -> list[Listed]:
        """Return the devices of a user as listed today, and ask the service whose their keys are."""
        listed = super().look_up(wire, user)
        for each in listed:
            if not self.is_attested(wire, each):
                wire.complain(each.device, Refused(self.name, f"nobody attests the key of {each.device}"))
        return listed

    def is_attested(self, wire: Wire, listed: Listed) -> bool:
        """Return whether the service attests a device's key to its user: asked once, if it does."""
        known = self.own.attested.setdefault(listed.user, [])
        if listed.identity not in known:
            try:
                told = wire.ask(self.name, SERVICE, AttestationOf(listed.user, listed.identity), Attestation)
            except EscrowError:
                return False
            if (told.user, told.key) == (listed.user, listed.identity) and told.holds(self.own.service):
                known.append(listed.identity)
        return listed.identity in known

    def vouches(self, listed: Listed, day: int) -> bool:
        """Return whether another user's device may be added: one whose key is attested."""
        known = listed.identity in self.own.attested.get(listed.user, [])
        return super().vouches(listed, day) and (known or not self.keeps(CREDENTIALS.name))

    def policy(self, wire: Wire, conversation: Conversation, change: GroupChange) -> None:
        """Look at a change before it takes effect. Raise Refused if a leaf is not attested, or joins by itself."""
        after = change.after
        if after is None:
            return
        leaves = [listed_leaf(after.tree.leaf(index)) for index in change.added]
        if isinstance(change.sender, NewMemberCommit):
            self.insist(all(self.keeps_quiet(wire, each) for each in leaves), OUTSIDE.name)
        for each in leaves:
            self.admit_leaf(wire, each)

    def admit_leaf(self, wire: Wire, leaf: Listed) -> None:
        """Look at a new leaf: raise Refused if it is not attested, and tell the user if no list has it."""
        if leaf.identity == self.identity.public:
            return
        if leaf not in self.contacts.get(leaf.user, []):
            self.look_up(wire, leaf.user)
        self.insist(self.is_attested(wire, leaf), CREDENTIALS.name)
        unlisted = leaf not in self.contacts.get(leaf.user, [])
        if unlisted and not self.keeps_quiet(wire, leaf) and self.keeps(LEAVES.name):
            wire.alarm(self.name, NEW_LEAF)

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
        self.follow(wire)
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
        if proposals or added or wire.day - own.renewed >= self.rotate_every:
            return self.committed(wire, conversation, own.participant(self.identity), own, added, proposals)
        return own

    def tolerates(self, wire: Wire, leaf: Listed) -> bool:
        """Return whether a leaf may stay that no list of devices has: one that the client hides."""
        if leaf in self.contacts.get(leaf.user, []):
            return False
        if not self.keeps_quiet(wire, leaf):
            if self.keeps(UNLISTED.name):
                return False
            self.own.tolerated = list(dict.fromkeys((*self.own.tolerated, leaf)))
        return True

    def in_number(self, user: str) -> list[Listed]:
        """Return the devices whose keys the safety number covers, with unlisted leaves that this client writes to."""
        return [*super().in_number(user), *(each for each in self.own.tolerated if each.user == user)]

    def packages(self, wire: Wire, to: Iterable[Listed]) -> Iterator[KeyPackage]:
        """Yield the key packages of these devices; complain of those that give none that can be used."""
        for each in to:
            try:
                yield self.package(wire, each)
            except EscrowError as error:
                wire.complain(each.device, error)

    def founded(self) -> Participant:
        """Return the only member of a new group."""
        return found_group(self.client_of(self.prekeys[-1].key), random_bytes(ID))

    def committed(
        self,
        wire: Wire,
        conversation: Conversation,
        member: Participant,
        before: TreeMembership | None,
        added: list[KeyPackage],
        proposals: Iterable[Proposal] = (),
    ) -> TreeMembership:
        """Make a commit, tell the delivery service, and return the membership of the epoch that it begins."""
        context, name = member.state.context, str(conversation)
        adds: list[Proposal] = [AddMember(each) for each in added]
        sent = member.commit([*proposals, *adds])
        info, invited = messages.to_bytes(member.group_info()), tuple(each.init_key for each in added)
        told = Handshake(
            context.group_id,
            context.epoch,
            context.confirmed_transcript_hash,
            sent.message,
            sent.welcome or b"",
            info,
            invited,
        )
        taken = wire.ask(self.name, self.provider, HandshakeTold(conversation, told), HandshakeTaken)
        made = membership_of(member, info, before.epochs if before else (), wire.day, wire.day)
        self.own.members[name], self.own.read[name] = made, taken.count
        return made

    # --- following ---

    def follow(self, wire: Wire) -> None:
        """Take the commits of all conversations that were told since the last time. One bad commit stops no other."""
        own = self.own
        asked = HandshakesSince(
            tuple((self.conversation_of(name), number) for name, number in sorted(own.read.items()))
        )
        for told in wire.ask(self.name, self.provider, asked, Handshakes).handshakes:
            name = str(told.conversation)
            own.read[name] = own.read.get(name, 0) + 1
            try:
                self.take_commit(wire, told.conversation, told.handshake)
            except EscrowError as error:
                wire.complain(told.handshake.by, error)
                if name in own.members:
                    own.members[name].stuck = True

    def take_commit(self, wire: Wire, conversation: Conversation, told: Handshake) -> None:
        """Join by a commit's Welcome, or follow it into the next epoch. Raise the errors of escrow.errors."""
        own, name = self.own, str(conversation)
        before = own.members.get(name)

        def policy(change: GroupChange) -> None:
            self.policy(wire, conversation, change)

        held = (*self.one_time, *(old.key for old in self.prekeys))
        if (key := next((each for each in held if each.public in told.invited), None)) is not None:
            member = join_welcomed(self.client_of(key), told.welcome, policy)
            self.one_time = [each for each in self.one_time if each.public != key.public]
            renewed = wire.day
        elif before is None or before.stuck or (before.keys.group, before.keys.epoch) != (told.group, told.epoch):
            return
        else:
            member, renewed = before.participant(self.identity), before.renewed
            member.policy = policy
            member.receive(told.message)
            if not member.active:
                before.stuck = True
                return
        own.members[name] = membership_of(member, told.info, before.epochs if before else (), wire.day, renewed)

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

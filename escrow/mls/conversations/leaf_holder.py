"""The leaves of a device in groups of MLS: its own, which its key packages bring there, and which others it admits.

  own      key packages in place of prekeys; the authentication service is told which keys the user has linked
  others   refused if the service does not attest the key; if no list of devices has the leaf, the user is told of it,
           and it is removed before the device writes, unless the client hides it

Sources: RFC 9420, sections 5.3.1 and 10; RFC 9750, section 5.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

import msgspec
from msgspec.structs import replace

from escrow.codec import Public
from escrow.crypto import Private
from escrow.e2ee.content import Conversation
from escrow.e2ee.device import Device
from escrow.e2ee.listing.checks import CHECKS, ClientCheck
from escrow.e2ee.provider import Listed, Publish
from escrow.e2ee.x3dh import sign_prekey
from escrow.errors import EscrowError, Refused
from escrow.mls.conversations.attesting import SERVICE, Attestation, AttestationOf, linked_keys
from escrow.mls.conversations.facts import leaf_key, proposed_package
from escrow.mls.conversations.outsiders import PROPOSED, SHOWN, from_outside
from escrow.mls.conversations.tree_membership import TreeMembership, leaf_name, listed_leaf
from escrow.mls.framing import NewMemberCommit
from escrow.mls.group_state import GroupChange
from escrow.mls.joining import MlsClient
from escrow.mls.key_schedule import GroupContext
from escrow.mls.leaf_node import KeyPackage, new_leaf
from escrow.mls.mls_device import AUTHENTICATORS, CREDENTIALS, LEAVES, OUTSIDE
from escrow.mls.participant import Participant
from escrow.mls.presentation import decode
from escrow.wire import Wire

NEW_LEAF = "a new leaf is shown"
UNLISTED = ClientCheck("leaves listed", "removes a leaf that no list of devices has, before it writes")


class Trees(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a device keeps of its groups.

    `owner` is the device's own signature key, `service` the authentication service's, and `outsider` the key of who may
    propose members of its groups (32 bytes each), or none. `members` are the groups, and `read` how many commits were
    read, by conversation; `attested` are the keys that the service has attested, by user, and `linked` those that were
    told it last. `tolerated` are leaves that this client writes to, though no list of devices has them. `welcomed` are
    the epochs that the device was welcomed to (init key, group, epoch), as long as it has the init key.
    """

    owner: Public = b""
    service: Public = b""
    members: dict[str, TreeMembership] = {}
    read: dict[str, int] = {}
    attested: dict[str, list[Public]] = {}
    linked: list[Public] = []
    tolerated: list[Listed] = []
    outsider: Public = b""
    welcomed: list[tuple[Public, Public, int]] = []


class LeafHolder(Device):
    """Base of a device that has leaves in groups and admits those of others; a subclass has the field `trees`."""

    checks: ClassVar[tuple[ClientCheck, ...]] = (
        *CHECKS,
        CREDENTIALS,
        LEAVES,
        UNLISTED,
        OUTSIDE,
        PROPOSED,
        AUTHENTICATORS,
    )

    if TYPE_CHECKING:  # a party has one base with fields, so that the subclass adds this one
        trees: Trees = Trees()

    @property
    def own(self) -> Trees:
        """What this device keeps: nothing of another key's."""
        if self.trees.owner != self.identity.public:
            self.trees = Trees(self.identity.public, self.trees.service, outsider=self.trees.outsider)
        return self.trees

    # --- own leaves ---

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

    def each_day(self, wire: Wire) -> None:
        """Rotate keys; tell the service of newly linked ones."""
        super().each_day(wire)
        self.vouch(wire)

    def vouch(self, wire: Wire) -> None:
        """Sign for linked devices, where clients ask for it; tell the service which keys the user has newly linked."""
        super().vouch(wire)
        own = self.own
        if own.linked and own.linked != self.linked:
            try:
                told = linked_keys(self.identity, self.user, tuple(self.linked), wire.day)
                wire.ask(self.name, SERVICE, told, type(None))
            except EscrowError as error:
                wire.complain(self.name, error)
        own.linked = list(self.linked)

    def is_first(self, wire: Wire, key: Private, context: GroupContext) -> bool:
        """Spend the key of a Welcome. Return whether it leads into its epoch for the first time; complain if not.

        A last key serves several times, so that its Welcomes would open again, and bring an earlier epoch back.
        """
        self.one_time = [each for each in self.one_time if each.public != key.public]
        epoch, lasting = (key.public, context.group_id, context.epoch), {old.key.public for old in self.prekeys}
        before = [each for each in self.own.welcomed if each[0] in lasting]
        self.own.welcomed = list(dict.fromkeys([*before, epoch] if key.public in lasting else before))
        if epoch in before:
            wire.complain(self.provider, Refused(self.name, "a Welcome is read once"))
        return epoch not in before

    # --- leaves of others ---

    def package(self, wire: Wire, to: Listed) -> KeyPackage:
        """Return a key package of a device, from the directory. Raise Refused if it is not that device's."""
        bundle = self.bundle(wire, to)
        self.insist(bundle.identity == to.identity, "the bundle is of the device listed")
        package = decode(bundle.one_time or bundle.prekey, KeyPackage)
        package.check()
        self.insist(listed_leaf(package.leaf_node) == to, "a key package is of the device listed")
        return package

    def packages(self, wire: Wire, to: Iterable[Listed]) -> Iterator[KeyPackage]:
        """Yield the key packages of these devices; complain of those that give none that can be used."""
        for each in to:
            try:
                yield self.package(wire, each)
            except EscrowError as error:
                wire.complain(each.device, error)

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
        for proposed in from_outside(change):
            self.show_proposal(wire, proposed)
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

    def show_proposal(self, wire: Wire, leaf: Listed | None) -> None:
        """Tell the user of a proposal from outside, unless it adds a leaf that this client hides."""
        if not (leaf and self.keeps_quiet(wire, leaf)) and self.keeps(PROPOSED.name):
            wire.alarm(self.name, SHOWN)

    def takes_proposal(self, wire: Wire, people: tuple[str, ...], member: Participant, message: bytes) -> bool:
        """Return whether a commit is to carry a proposal from outside, which its member then has received.

        A leaf that is listed this client adds by itself.
        """
        try:
            leaf = listed_leaf(proposed_package(message).leaf_node)
            member.copy().receive(message)
            self.insist(leaf.user in people, "who is proposed is a user of the conversation")
            if leaf in self.contacts.get(leaf.user, []):
                return False
            self.show_proposal(wire, leaf)
            self.insist(self.is_attested(wire, leaf), CREDENTIALS.name)
            self.insist(self.tolerates(wire, leaf), UNLISTED.name)
        except EscrowError as error:
            wire.complain(self.provider, error)
            return False
        member.receive(message)
        return True

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

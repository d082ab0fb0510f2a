"""One group of MLS in play: the devices of a scenario's group, the delivery service, and a ghost.

  morning   a member commits new keys, in turn; on the attack day the ghost comes first
  day       the texts that the scenario plans for the group, each to all other members
  evening   each device searches its user's keys in the key directory, which has one log here: split views are played
            in `key-transparency`; on the last evening the target compares with everybody

The delivery service keeps the GroupInfo of the last committer, and carries every message to all. A device that refuses
a commit stays behind in its epoch: what is sent later does not open there. The group's first user is the target.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from attacks.lab.simulation.scenario import PlannedText, Scenario, default
from escrow.crypto import SigningKey, new_signing_key, random_bytes
from escrow.e2ee.listing.checks import ClientCheck
from escrow.errors import EscrowError
from escrow.mls.applying import external_senders_extension
from escrow.mls.framing import AddMember, MemberSender, PublicMessage, SenderKey
from escrow.mls.group_state import GroupState
from escrow.mls.joining import MlsClient, found_group, join_welcomed, new_client
from escrow.mls.leaf_node import BasicCredential
from escrow.mls.messages import from_bytes
from escrow.mls.mls_device import MlsDevice, attested
from escrow.mls.participant import CommitSent, Participant
from escrow.transparency.directory import KeyDirectory, check_head, value_in

Side = Literal["target", "others"]
Lie = tuple[ClientCheck, Side]
STRANGER = "stranger"
BODY, KEY = 16, 32  # bytes of a text, of a signature key
EPOCH = 60_000  # milliseconds between two epochs of the key directory


@dataclass
class AttestingService:
    """The authentication service, and the key of an outsider whom the group may list."""

    key: SigningKey = field(default_factory=new_signing_key)
    outsider: SigningKey = field(default_factory=new_signing_key)
    directory: KeyDirectory = field(default_factory=KeyDirectory)
    published: dict[str, frozenset[bytes]] = field(default_factory=dict)
    proved: dict[tuple[bytes, str], frozenset[bytes]] = field(default_factory=dict)

    def publish(self, keys: Mapping[str, frozenset[bytes]]) -> None:
        """Let the key directory show these keys of users from now on, in a new epoch."""
        self.published |= keys
        values = {user.encode(): b"".join(sorted(each)) for user, each in keys.items()}
        self.directory.publish(values, EPOCH * len(self.directory.trees))

    def shown(self, user: str) -> frozenset[bytes]:
        """Return the keys of a user that the directory's head and proof show; each proof is checked once."""
        head = self.directory.head()
        if (head.root, user) not in self.proved:
            check_head(self.directory.key, head)
            label = user.encode()
            found = value_in(head, self.directory.vrf, label, self.directory.answer(label))
            value = b"" if found is None else found[1]
            keys = frozenset(value[at : at + KEY] for at in range(0, len(value), KEY))
            self.proved[head.root, user] = keys
        return self.proved[head.root, user]

    def ghost(self, user: str, published: bool = False) -> MlsClient:
        """Return a ghost's client, which the service attests to be a user's, and may let the directory show."""
        signing = new_signing_key()
        if published:
            self.publish({user: self.published.get(user, frozenset()) | {signing.public}})
        return new_client(user.encode(), signing, (attested(self.key, user, signing.public),))


class LyingDevice(MlsDevice):
    """A device that leaves out some checks, and notes which ones failed."""

    def __init__(self, name: str, user: str, service: SigningKey, expected: frozenset[str], side: Side) -> None:
        """Make the device, which is honest so far."""
        super().__init__(name, user, service, expected)
        self.side, self.off, self.failed = side, frozenset[Lie](), set[Lie]()

    def keeps(self, check: ClientCheck) -> bool:
        """Note that a check failed, and return whether the device makes it."""
        lie: Lie = (check, self.side)
        self.failed.add(lie)
        return lie not in self.off


@dataclass
class MlsListener:
    """Who listens: as a member, from some day on, and what he read."""

    members: list[Participant] = field(default_factory=list)
    read: set[int] = field(default_factory=set)


class MlsPlay:
    """A play of one group; a way in is a function that is called on its day, and returns messages for all."""

    name = "honest"
    outside = False  # whether the group lists an external sender
    attack_day: int | None = default().attack_day  # None: at creation
    epochs, leaves, marks, groups = 0, 1, 0, 1  # beyond the honest play's, by the RFC; and how many groups there are
    corrupted: tuple[str, ...] = ()

    def __init__(self, scenario: Scenario, off: frozenset[Lie] = frozenset()) -> None:
        """Make the devices, which leave out the checks of `off`."""
        self.scenario, self.group = scenario, scenario.groups[0]
        owners = [user for user in scenario.users if user.name in self.group.members]
        self.target, self.service, self.ghost = owners[0].name, AttestingService(), MlsListener()
        expected = frozenset(self.group.members)
        self.devices: dict[str, LyingDevice] = {}
        for user in owners:
            side: Side = "target" if user.name == self.target else "others"
            own = [LyingDevice(name, user.name, self.service.key, expected, side) for name in user.devices]
            linked = {each.client.signing.public for each in own}
            for each in own:
                each.linked, each.off, each.shown = linked, off, self.service.shown
            self.devices |= {each.name: each for each in own}
        self.service.publish({each.user: frozenset(each.linked) for each in self.devices.values()})
        self.texts: dict[int, tuple[PlannedText, bytes]] = {}
        self.undelivered = 0
        self.carried: list[tuple[bytes, PlannedText | None]] = []  # every message, with its text if it has one

    # --- the way in: what a ghost of each kind changes ---

    def packages(self) -> list[MlsClient]:
        """Return the clients whose key packages the creator gets, after his own."""
        return [each.client for each in list(self.devices.values())[1:]]

    def come(self) -> None:
        """Let the ghost in, on the attack day."""

    def evening(self, day: int) -> None:
        """Look at the parties at the end of a day."""

    # --- the play ---

    @property
    def founder(self) -> MlsDevice:
        """The device that creates the group: the first one of the target."""
        return next(iter(self.devices.values()))

    def members(self) -> Iterator[Participant]:
        """Yield all who are in the group, the ghost too."""
        yield from (each.member for each in self.devices.values() if each.member is not None)
        yield from self.ghost.members

    def create(self) -> None:
        """Found the group, and add all whose key packages are there."""
        extensions = []
        if self.outside:
            listed = SenderKey(self.service.outsider.public, BasicCredential(b"authority"))
            extensions.append(external_senders_extension([listed]))
        founder, added = self.founder, self.packages()
        first = found_group(founder.client, random_bytes(16), extensions, founder.policy)
        founder.member, self.info = first, first.group_info()
        sent = first.commit([AddMember(each.package) for each in added])
        self._committed(first, sent, added)

    def _committed(self, by: Participant, sent: CommitSent, added: list[MlsClient]) -> None:
        """Carry a commit to all others, and the Welcome to those whom it adds."""
        self.info = by.group_info()
        self.tell(sent.message, by)
        for client in added:
            owner = next((each for each in self.devices.values() if each.client is client), None)
            welcome = sent.welcome or b""
            if owner is None:
                self.ghost.members.append(join_welcomed(client, welcome))
                continue
            try:
                owner.member = join_welcomed(client, welcome, owner.policy)
            except EscrowError:
                self.undelivered += 1

    def tell(self, message: bytes, sender: Participant | None) -> None:
        """Carry a handshake to all members but its sender."""
        self.carried.append((message, None))
        for each in self.peers(sender):
            self._received(each, message)

    def peers(self, sender: Participant | None) -> list[Participant]:
        """Return all to whom the provider carries what a member sends, or somebody from outside (None)."""
        return [each for each in self.members() if each is not sender]

    def _received(self, member: Participant, message: bytes) -> bytes | None:
        try:
            return member.receive(message).data
        except EscrowError:
            self.undelivered += 1
            return None

    def run(self) -> MlsPlay:
        """Play all days, and return the play."""
        self.create()
        planned = [each for each in self.scenario.texts() if each.group == self.group.name]
        for day in range(self.scenario.days):
            if day == self.attack_day:
                self.come()
            self._commit(self._in_turn(day))
            for text in planned:
                if text.day == day:
                    self._send(text)
            for device in self.devices.values():
                device.look_up_own()
            self.evening(day)
        people = [user for user in self.scenario.users if user.name in self.group.members]
        target, *others = (self.devices[user.devices[0]] for user in people)
        for other in others:
            target.compare(other)
        return self

    def _in_turn(self, day: int) -> MlsDevice:
        """Return whose turn it is to commit, among the devices that are in the group."""
        devices = list(self.devices.values())
        there = (each for each in devices[day % len(devices) :] + devices if each.member and each.member.active)
        return next(there)

    def _commit(self, device: MlsDevice) -> None:
        """Let a device commit: new keys, and what was proposed."""
        if device.member is not None:
            self._commit_of(device.member)

    def _commit_of(self, member: Participant) -> None:
        waiting = self.invited() if member.proposals else []
        self._committed(member, member.commit(), waiting)

    def invited(self) -> list[MlsClient]:
        """Return the ghost's clients that a proposal of others adds."""
        return []

    def _send(self, text: PlannedText) -> None:
        member, body = self.devices[text.device].member, random_bytes(BODY)
        if member is None or not member.active:
            self.undelivered += 1
            return
        self.texts[text.id] = text, body
        message = member.send(body)
        self.carried.append((message, text))
        for each in self.peers(member):
            if self._received(each, message) == body and each in self.ghost.members:
                self.ghost.read.add(text.id)

    # --- what is left ---

    def alarms(self) -> tuple[str, ...]:
        """Return who was told of what, as "device: check", each once."""
        return tuple(sorted({f"{each.name}: {check.name}" for each in self.devices.values() for check in each.told}))

    def failed(self) -> frozenset[Lie]:
        """Return the checks that failed, each with the side on which."""
        return frozenset(lie for each in self.devices.values() for lie in each.failed)

    def active(self) -> Iterator[Participant]:
        """Yield all who are still in the group."""
        return (each for each in self.members() if each.active)

    def state(self) -> GroupState:
        """Return the group as its first member sees it."""
        return next(self.active()).state

    def names(self) -> list[str]:
        """Return the name at each leaf."""
        return [leaf.name for _, leaf in self.state().tree.members()]

    def ghost_leaves(self, state: GroupState) -> frozenset[int]:
        """Return the leaf indices at which a ghost stands in a tree."""
        keys = {each.signing.public for each in self.ghost.members}
        return frozenset(index for index, leaf in state.tree.members() if leaf.signature_key in keys)

    @property
    def handshakes(self) -> list[bytes]:
        """Every proposal and commit, as it travelled."""
        return [message for message, text in self.carried if text is None]

    def marks_left(self) -> Counter[str]:
        """Return how many handshakes are by each kind of sender who is no member."""
        bodies = map(from_bytes, self.handshakes)
        senders = [each.content.sender for each in bodies if isinstance(each, PublicMessage)]
        return Counter(type(each).__name__ for each in senders if not isinstance(each, MemberSender))

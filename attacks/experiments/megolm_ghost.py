"""A ghost on Megolm, played over the sessions of another library, vodozemac: a device that the server lists reads on.

  session   each device ratchets one group session forward, and sends its key to every listed device over Olm
  listing   on the attack day the server lists a device more of the target: each sender's client hands it the session
            key at the index that the session has reached; a message key cannot be computed backwards
  forward   the target's own devices send what keys they have to a new device of their user that asks

The ghost gets every ciphertext, those before it, too. Clients that send keys only to devices which their owner signed
give it none. When it is no longer listed, it reads on until the senders begin new sessions.
Source: Matrix specification, version 1, "Megolm group ratchet" and "End-to-End Encryption"; Albrecht and others,
"Practically-exploitable Cryptographic Vulnerabilities in Matrix", 2023, for a server that lists devices. The library
draws its own randomness, so keys differ from run to run, and figures do not. Needs the extra `peers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.scenario import PlannedText, Scenario, default
from escrow.scheme import Source

GHOST = "ghost"
DELISTED = 3  # days after the listing


@dataclass(frozen=True)
class MatrixClient:
    """What clients do: forward keys to own devices that ask; send keys to signed devices only; begin anew in time."""

    forwards: bool = False
    signed_only: bool = False
    rotates: bool = True


class MatrixDevice:
    """An account of the library, a group session of its own, and the sessions of others."""

    def __init__(self, package: Any, name: str, user: str, policy: MatrixClient) -> None:
        """Make an account and a group session, of which the device keeps the beginning."""
        self.package, self.name, self.user, self.policy = package, name, user, policy
        self.account, self.signature = package.Account(), None
        self.inbound: dict[str, Any] = {}  # of all group sessions, by session id
        self.to_device = 0
        self.begin()

    def begin(self) -> None:
        """Begin a group session, which nobody has yet."""
        self.outbound, self.shared = self.package.GroupSession(), set[str]()
        self.inbound[self.outbound.session_id] = self.package.InboundGroupSession(self.outbound.session_key)

    @property
    def identity(self) -> bytes:
        """What its owner signs: user, name and identity key."""
        return f"{self.user} {self.name} {self.account.curve25519_key.to_base64()}".encode()

    def is_signed(self, owner: MatrixDevice) -> bool:
        """Return whether the owner's first device signed this one."""
        if self.signature is None:
            return False
        try:
            owner.account.ed25519_key.verify_signature(self.identity, self.signature)
        except self.package.SignatureException:
            return False
        return True

    def hand(self, text: str, to: MatrixDevice) -> str:
        """Send a text to a device over a new Olm session, and return what arrives."""
        to.account.generate_one_time_keys(1)
        (key,) = to.account.one_time_keys.values()
        to.account.mark_keys_as_published()
        sent = self.account.create_outbound_session(to.account.curve25519_key, key).encrypt(text.encode())
        first = self.package.AnyOlmMessage.from_parts(*sent.to_parts()).to_pre_key()
        self.to_device += 1
        return str(to.account.create_inbound_session(self.account.curve25519_key, first)[1].decode())

    def share(self, to: MatrixDevice) -> None:
        """Hand the group session's key at its present index to a device."""
        arrived = self.hand(self.outbound.session_key.to_base64(), to)
        to.keep(self.package.InboundGroupSession(self.package.SessionKey(arrived)))
        self.shared.add(to.name)

    def keep(self, session: Any) -> None:
        """Keep a session, unless the one that is there begins earlier."""
        known = self.inbound.get(session.session_id)
        if known is None or session.first_known_index < known.first_known_index:
            self.inbound[session.session_id] = session

    def forward(self, to: MatrixDevice) -> None:
        """Hand all sessions to a device, each exported at the first index that is known."""
        for session in self.inbound.values():
            arrived = self.hand(session.export_at(session.first_known_index).to_base64(), to)
            to.keep(self.package.InboundGroupSession.import_session(self.package.ExportedSessionKey(arrived)))

    def opens(self, session_id: str, ciphertext: str) -> bytes | None:
        """Return the plaintext, or None without a key of its index."""
        if session_id not in self.inbound:
            return None
        try:
            message = self.package.MegolmMessage.from_base64(ciphertext)
            return bytes(self.inbound[session_id].decrypt(message).plaintext)
        except self.package.MegolmDecryptionException:
            return None


@dataclass
class Ciphertext:
    """A text as the server has it."""

    text: PlannedText
    session_id: str
    ciphertext: str
    body: bytes


@dataclass
class MegolmPlay:
    """A play of one group; from `listed` to `delisted` the server lists a device more of the first user."""

    package: Any
    scenario: Scenario
    policy: MatrixClient = field(default_factory=MatrixClient)
    listed: int | None = None
    delisted: int | None = None

    def run(self) -> MegolmPlay:
        """Play all days, and return the play."""
        group = self.scenario.groups[0]
        people = [user for user in self.scenario.users if user.name in group.members]
        self.devices = [
            MatrixDevice(self.package, name, user.name, self.policy) for user in people for name in user.devices
        ]
        self.first = {user.name: next(each for each in self.devices if each.user == user.name) for user in people}
        for each in self.devices:
            each.signature = self.first[each.user].account.sign(each.identity)
        self.ghost = MatrixDevice(self.package, GHOST, people[0].name, self.policy)
        self.sent: list[Ciphertext] = []
        self.unread = 0
        for text in self.scenario.texts():
            if text.group == group.name:
                self._send(text)
        if self.policy.forwards:
            for own in self.devices:
                if own.user == self.ghost.user and self._admits(own, self.ghost):
                    own.forward(self.ghost)
        return self

    def _there(self, day: int) -> list[MatrixDevice]:
        """Return the devices that the server lists on a day."""
        there = self.listed is not None and self.listed <= day and (self.delisted is None or day < self.delisted)
        return [*self.devices, self.ghost] if there else self.devices

    def _admits(self, sender: MatrixDevice, device: MatrixDevice) -> bool:
        return not sender.policy.signed_only or device.is_signed(self.first[device.user])

    def _send(self, text: PlannedText) -> None:
        sender = next(each for each in self.devices if each.name == text.device)
        there = [each for each in self._there(text.day) if each is not sender and self._admits(sender, each)]
        if sender.policy.rotates and sender.shared - {each.name for each in there}:
            sender.begin()
        for each in there:
            if each.name not in sender.shared:
                sender.share(each)
        body = f"text {text.id}".encode()
        message = sender.outbound.encrypt(body).to_base64()
        self.sent.append(Ciphertext(text, sender.outbound.session_id, message, body))
        for each in self.devices:
            self.unread += each is not sender and each.opens(sender.outbound.session_id, message) != body

    @property
    def read(self) -> list[int]:
        """The numbers of the texts that the ghost opens, of all ciphertexts that the server has."""
        return [each.text.id for each in self.sent if self.ghost.opens(each.session_id, each.ciphertext) == each.body]

    @property
    def to_device(self) -> int:
        """How many keys were sent to devices."""
        return sum(each.to_device for each in self.devices)


def _figures(package: Any, scenario: Scenario) -> Iterator[Figure]:
    day = scenario.attack_day
    honest = MegolmPlay(package, scenario).run()
    texts = [each.text for each in honest.sent]
    until = day + DELISTED
    later = [text.id for text in texts if text.day >= day]
    yield Figure(
        quantity="no ghost: texts that a device of the group does not open",
        measured=honest.unread,
        expected=0,
        formula="every device has every session from its beginning",
        note=f"{len(texts)} texts, {len(honest.devices)} devices, {honest.to_device} session keys handed over Olm.",
    )
    late = MegolmPlay(package, scenario, listed=day).run()
    senders = {each.text.device for each in late.sent if each.text.id in set(late.read)}
    for name, found, expected, formula in (
        ("late key", late, len(later), "all texts from the listing on"),
        (
            "late key, own devices forward theirs",
            MegolmPlay(package, scenario, MatrixClient(forwards=True), listed=day).run(),
            len(texts),
            "all texts, since the target's devices have every session from its beginning",
        ),
        (
            "keys to signed devices only",
            MegolmPlay(package, scenario, MatrixClient(forwards=True, signed_only=True), listed=day).run(),
            0,
            "none",
        ),
        (
            "listed for some days, new sessions after them",
            MegolmPlay(package, scenario, listed=day, delisted=until).run(),
            sum(day <= text.day < until for text in texts),
            "all texts of these days",
        ),
        (
            "listed for some days, sessions go on",
            MegolmPlay(package, scenario, MatrixClient(rotates=False), day, until).run(),
            sum(text.day >= day and text.device in _handed(texts, day, until) for text in texts),
            "all later texts, too, of those who sent one in these days",
        ),
    ):
        yield Figure(quantity=f"{name}: texts read", measured=len(found.read), expected=expected, formula=formula)
    yield Figure(
        quantity="late key: index at which it was handed, all senders together",
        measured=sum(
            session.first_known_index
            for name, session in late.ghost.inbound.items()
            if name != late.ghost.outbound.session_id
        ),
        expected=sum(text.day < day and text.device in senders for text in texts),
        formula="the texts that these senders sent before",
    )
    yield Figure(
        quantity="late key: keys to devices, beyond those without a ghost",
        measured=late.to_device - honest.to_device,
        expected=len(senders),
        formula="one for each device that sends from then on; no ciphertext is longer",
    )
    yield from _exported(late)


def _handed(texts: list[PlannedText], day: int, until: int) -> set[str]:
    return {text.device for text in texts if day <= text.day < until}


def _exported(play: MegolmPlay) -> Iterator[Figure]:
    """Yield how many texts of one sender open with a key that a member exports at each index."""
    package = play.package
    one = play.sent[0]
    sent = [each for each in play.sent if each.session_id == one.session_id]
    member = next(each for each in play.devices if each.name != one.text.device)
    opened = 0
    for index in range(len(sent)):
        stranger = MatrixDevice(package, GHOST, GHOST, play.policy)
        key = member.hand(member.inbound[one.session_id].export_at(index).to_base64(), stranger)
        stranger.keep(package.InboundGroupSession.import_session(package.ExportedSessionKey(key)))
        opened += sum(stranger.opens(each.session_id, each.ciphertext) == each.body for each in sent)
    yield Figure(
        quantity="key exported by a member at each index in turn: texts that open",
        measured=opened,
        expected=len(sent) * (len(sent) + 1) // 2,
        formula="n(n + 1)/2: at index i the n − i texts from i on",
        note=f"The session of {one.text.device}, n = {len(sent)}.",
    )


class MegolmGhost(Experiment):
    """List a ghost's device to clients of Matrix, whose sessions are those of vodozemac."""

    name = "megolm-ghost"
    title = "A ghost on Megolm: what a device reads that the server listed, by what clients do"
    source = Source("Matrix.org Foundation", "Megolm group ratchet", 2022, "Partial Forward Secrecy", "ghost")
    package: ClassVar[str] = "vodozemac"
    extra: ClassVar[str] = "peers"

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield what the ghost reads with a late key, with all keys, against signatures, and after it is gone."""
        progress(0, 1, "megolm-ghost")
        yield from _figures(import_module(self.package), default())


EXPERIMENT = MegolmGhost()

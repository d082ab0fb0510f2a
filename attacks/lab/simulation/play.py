"""One run of one scheme under one attack. Real bytes go over the wire; what comes out is a record.

Morning: parties keep house, warrants of the day are signed and served. Day: texts are sent, some devices collect.
Evening: all devices collect, users who meet compare safety numbers, the authority runs the lawful access, and the
state of every principal is taken. This module knows the truth; no attack may import it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.quantum import Keys, broken
from attacks.lab.simulation.scenario import PlannedText, Scenario, WarrantSpec
from escrow import codec, crypto
from escrow.crypto import Observer, Run, sha256
from escrow.e2ee.device import Device, ceremony, direct
from escrow.e2ee.provider import Delivery, Group, Mail
from escrow.e2ee.transcript import Transcript
from escrow.errors import EscrowError, Malformed
from escrow.principal import Principal, revive
from escrow.scheme import Intercept, Scheme
from escrow.warrant import Authority, Court, CourtKey, Order, Serve, Warrant
from escrow.wire import Alarm, Heard, Shown, Wire

TEXT = 32  # bytes of a text: fresh and random, so that equality is proof


class Sent(msgspec.Struct, frozen=True):
    """One text as it was sent: to whom, in which conversation, and to which devices it should come."""

    id: int
    day: int
    device: str
    conversation: str
    people: tuple[str, ...]
    intended: tuple[str, ...]
    body: bytes


class Lawful(msgspec.Struct, frozen=True):
    """A text that the lawful access yielded, on which evening and under which of the scenario's warrants."""

    day: int
    warrant: int
    body: bytes


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that happened. `states[name][evening]` and the class it is of; `corrupted` are the principals
    that misbehaved; `spoken[i]` is the text being sent when packet i was heard, or -1. Where the attack has a quantum
    computer, "quantum" has a state on the last evening, and empty bytes before.
    """

    scheme: str
    attack: str
    scenario: Scenario
    cast: Cast
    kinds: dict[str, tuple[type[Principal], ...]]
    heard: tuple[Heard, ...]
    spoken: tuple[int, ...]
    states: dict[str, tuple[bytes, ...]]
    corrupted: tuple[Turn, ...]
    sent: tuple[Sent, ...]
    lost: frozenset[tuple[int, str]]
    shown: tuple[Shown, ...]
    lawful: tuple[Lawful, ...]
    warrants: tuple[Warrant, ...]
    alarms: tuple[Alarm, ...]
    refusals: tuple[tuple[int, str, str], ...]

    def party(self, name: str, evening: int) -> Principal:
        """A principal as its state of that evening has it."""
        return revive(self.states[name][evening], self.kinds[name][evening])


def run_secret(seed: int) -> bytes:
    """The secret (32 bytes) from which a run draws everything random; it never leaves the lab's process."""
    return hashlib.sha256(b"escrow-lab run %d" % seed).digest()


def play(
    scheme: Scheme,
    scenario: Scenario,
    attack: Attack | None = None,
    *,
    secret: bytes | None = None,
    observer: Observer | None = None,
    forgetful: bool = False,
) -> Record:
    """Play the scenario. `forgetful` replaces every party by its own decoded state after each action."""
    keys = Keys(observer) if attack is not None and attack.quantum else None
    with crypto.running(Run(secret or run_secret(scenario.seed), keys or observer)):
        return _Stage(scheme, scenario, attack, forgetful, keys).run()


def cast_of(scheme: Scheme, scenario: Scenario) -> Cast:
    """Who would play."""
    with crypto.running(Run(run_secret(scenario.seed))):
        return _Stage(scheme, scenario, None, False, None).cast


class _Stage:
    def __init__(
        self, scheme: Scheme, scenario: Scenario, attack: Attack | None, forgetful: bool, keys: Keys | None
    ) -> None:
        self.scheme, self.scenario, self.attack, self.forgetful = scheme, scenario, attack, forgetful
        self.keys = keys
        with crypto.acting("court"):
            court = Court("court", key=crypto.new_signing_key(CourtKey))
        self.link = _Link(scenario)
        parties = [court, *scheme.cast(scenario.users, court.key.public)]
        self.wire = Wire(parties, self.link)
        if len(self.wire.parties) < len(parties):
            names = sorted(party.name for party in parties)
            twice = next(name for name, following in pairwise(names) if name == following)
            raise Malformed(f"a device of the scenario and a party of {scheme.name} are both called {twice}")
        devices = tuple(name for name, party in self.wire.parties.items() if isinstance(party, Device))
        self.cast = Cast(devices, tuple(name for name in self.wire.parties if name not in devices))
        self.turns = tuple(
            each for each in (attack.corruptions(self.cast, scenario) if attack else ()) if isinstance(each, Turn)
        )
        self.states: dict[str, list[bytes]] = {name: [] for name in self.wire.parties}
        self.kinds: dict[str, list[type[Principal]]] = {name: [] for name in self.wire.parties}
        self.sent: list[Sent] = []
        self.spoken: list[int] = []
        self.lawful: list[Lawful] = []
        self.warrants: list[Warrant] = []
        self.intercepts = Intercepts()
        self.dice = random.Random(scenario.seed + 1)  # noqa: S311 (who is online is no secret)

    def run(self) -> Record:
        self._turn(0)  # who is corrupt from the beginning is so while keys are dealt
        self._set_up()
        texts = list(self.scenario.texts())
        for day in range(self.scenario.days):
            self.wire.day = day
            self._morning(day)
            for said in texts:
                if said.day == day:
                    self._say(said)
            self._evening(day)
        return self._record()

    def device(self, name: str) -> Device:
        party = self.wire.parties[name]
        assert isinstance(party, Device)  # noqa: S101 (the cast says so)
        return party

    def _authority(self) -> Authority:
        party = self.wire.parties["authority"]
        assert isinstance(party, Authority)  # noqa: S101 (the cast says so)
        return party

    # --- set-up and morning ---

    def _set_up(self) -> None:
        for name in self.cast.devices:
            device = self.device(name)
            device.stock = 0 if name in self.scenario.without_one_time else self.scenario.stock
            device.rotate_every, device.keep_prekeys = self.scenario.rotate_every, self.scenario.keep_prekeys
        self.scheme.setup(self.wire)

    def _turn(self, day: int) -> None:
        for turn in self.turns:
            if turn.day == day and self.attack is not None:
                with crypto.acting(f"{turn.principal}, turned"):
                    party = self.attack.corrupt(
                        self.wire.parties[turn.principal], self.scheme, self.cast, self.scenario
                    )
                self.wire.parties[turn.principal] = party

    def _morning(self, day: int) -> None:
        if day:
            self._turn(day)
        for name in self.cast.devices:
            with crypto.acting(name):
                self.device(name).each_day(self.wire)
        self._announce_groups(day)
        self.scheme.each_day(self.wire, day)
        for spec in self.scenario.warrants:
            if spec.issued == day:
                self._issue(spec)
        self._settle()

    def _announce_groups(self, day: int) -> None:
        for group in self.scenario.groups:
            if day in (0, group.removal_day):
                members = self.scenario.members(group, day)
                speaker = next(user.devices[0] for user in self.scenario.users if user.name == members[0])
                told = Group(group.name, members, group.sender_keys)
                with crypto.acting(speaker):
                    self.wire.ask(speaker, self.device(speaker).provider, told, type(None))

    def _issue(self, spec: WarrantSpec) -> None:
        number = len(self.warrants)
        court, authority = self.wire.parties["court"], self._authority()
        assert isinstance(court, Court)  # noqa: S101 (made above)
        order = Order(
            id=f"warrant-{number + 1}",
            authority=authority.key.public,
            target=spec.target,
            first=spec.first,
            last=spec.last,
            scope="content",
            case=sha256(b"case", number.to_bytes(4, "big")),
            issued=spec.issued,
            expires=spec.expires,
            nonce=sha256(b"nonce", number.to_bytes(4, "big"))[:16],
        )
        with crypto.acting("court"):
            warrant = court.issue(order)
            self.wire.tell("court", "authority", Serve(warrant))
        self.warrants.append(warrant)
        with crypto.acting("authority"):
            self.scheme.serve(self._authority(), self.wire, warrant)

    # --- day ---

    def _say(self, said: PlannedText) -> None:
        device = self.device(said.device)
        people = self.scenario.people(said)
        body = self._body(said.id)
        self.link.speaking = said.id
        self.spoken += [-1] * (len(self.wire.heard) - len(self.spoken))
        with crypto.acting(said.device):
            try:
                if said.group:
                    device.send_to_group(self.wire, said.group, body)
                else:
                    device.send(self.wire, said.peer, body)
            except EscrowError as error:
                self.wire.complain(said.device, error)
        self.spoken += [said.id] * (len(self.wire.heard) - len(self.spoken))
        owned = [name for user in self.scenario.users if user.name in people for name in user.devices]
        self.sent.append(
            Sent(
                said.id,
                said.day,
                said.device,
                said.group or direct(*people),
                people,
                tuple(name for name in owned if name != said.device),
                body,
            )
        )
        self._collect([name for name in self.cast.devices if self.dice.random() < 0.4])
        self._settle()

    def _body(self, number: int) -> bytes:
        with crypto.acting(f"text {number}"):
            return crypto.random_bytes(TEXT)

    def _collect(self, names: Iterable[str]) -> None:
        for name in names:
            with crypto.acting(name):
                self.device(name).collect(self.wire)

    # --- evening ---

    def _evening(self, day: int) -> None:
        if day == self.scenario.days - 1:
            for packet in self.link.flush():
                self.wire.deliver(packet)
        self._collect(self.cast.devices)
        for met in self.scenario.ceremonies:
            if met.day == day:
                ceremony(self.wire, self.device(met.one), self.device(met.other))
        self.intercepts.hear(self.wire.heard)
        self._access()
        self._act()
        for name, party in self.wire.parties.items():
            self.states[name].append(party.state())
            self.kinds[name].append(type(party))
        self._settle(always=True)

    def _access(self) -> None:
        for number, warrant in enumerate(self.warrants):
            order = warrant.order
            if not order.issued <= self.wire.day <= order.expires:
                continue
            fresh = self.intercepts.fresh(number)
            with crypto.acting("authority"):
                for body in self.scheme.access(self._authority(), self.wire, warrant, fresh):
                    self.lawful.append(Lawful(self.wire.day, number, body))

    def _act(self) -> None:
        for turn in self.turns:
            if turn.day <= self.wire.day and self.attack is not None:
                with crypto.acting(f"{turn.principal}, turned"):
                    party = self.wire.parties[turn.principal]
                    self.attack.each_evening(party, self.scheme, self.wire, self.intercepts.all)

    def _settle(self, always: bool = False) -> None:
        """Law: a party is its fields. Whoever comes back from its own bytes goes on as if nothing had happened."""
        if not (always or self.forgetful):
            return
        for name, party in self.wire.parties.items():
            self.wire.parties[name] = revive(party.state(), type(party))

    def _compute(self, keys: Keys) -> None:
        """After the last day a quantum computer is built; on earlier evenings there is none to be seized."""
        computer = broken(keys, self.wire.heard, self.wire.parties.values())
        self.states[computer.name] = [b""] * (self.scenario.days - 1) + [computer.state()]
        self.kinds[computer.name] = [type(computer)] * self.scenario.days

    def _record(self) -> Record:
        if self.keys is not None:
            self._compute(self.keys)
        wire = self.wire
        return Record(
            scheme=self.scheme.name,
            attack=self.attack.name if self.attack else "",
            scenario=self.scenario,
            cast=self.cast,
            kinds={name: tuple(kinds) for name, kinds in self.kinds.items()},
            heard=tuple(wire.heard),
            spoken=tuple(self.spoken) + (-1,) * (len(wire.heard) - len(self.spoken)),
            states={name: tuple(states) for name, states in self.states.items()},
            corrupted=self.turns,
            sent=tuple(self.sent),
            lost=frozenset(self.link.lost),
            shown=tuple(wire.shown),
            lawful=tuple(self.lawful),
            warrants=tuple(self.warrants),
            alarms=tuple(wire.alarms),
            refusals=tuple(wire.refusals),
        )


class _Link:
    """Last miles: mail of some devices is lost, and any mail may be overtaken by a few later ones.

    The dice of a mail depend on its text and recipients alone, so that what a scheme adds moves nothing else.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.speaking = -1
        self.lost: set[tuple[int, str]] = set()
        self.late: list[tuple[int, Heard]] = []

    def __call__(self, packet: Heard) -> Sequence[Heard]:
        due = [held for wait, held in self.late if wait <= self.speaking]
        self.late = [(wait, held) for wait, held in self.late if wait > self.speaking]
        recipients = [name for mail in mails_in(packet) for name in mail.recipients]
        if packet.src not in self.scenario.devices or not recipients:
            return (*due, packet)
        known = [name for name in recipients if name in self.scenario.devices] or recipients
        seed = f"{self.scenario.seed} {self.speaking} {packet.src} {' '.join(known)}"
        dice = random.Random(seed)  # noqa: S311 (weather)
        if packet.src in self.scenario.lossy and dice.randrange(100) < self.scenario.loss_percent:
            self.lost |= {(self.speaking, name) for name in recipients}
            return due
        if dice.randrange(100) < self.scenario.late_percent:
            self.late.append((self.speaking + dice.randrange(1, 6), packet))
            return due
        return (*due, packet)

    def flush(self) -> list[Heard]:
        held = [packet for _, packet in self.late]
        self.late = []
        return held


class Intercepts:
    """What the network's archive holds for the lawful access: every mail once, and what each warrant has seen."""

    def __init__(self) -> None:
        self.all: list[Intercept] = []
        self._transcript = Transcript()
        self._read = 0
        self._seen: dict[int, int] = {}

    def hear(self, heard: Sequence[Heard]) -> None:
        for packet in heard[self._read :]:
            for mail in mails_in(packet):
                if list(self._transcript.facts(mail)):
                    self.all.append(Intercept(packet.day, mail, self._transcript.ciphertexts(mail)))
        self._read = len(heard)

    def fresh(self, warrant: int) -> list[Intercept]:
        begin, self._seen[warrant] = self._seen.get(warrant, 0), len(self.all)
        return self.all[begin:]


def mails_in(packet: Heard) -> tuple[Mail, ...]:
    """The mails that a packet carries: one, those of a delivery, or none."""
    try:
        found = codec.decode_any(packet.data, frozenset({Mail, Delivery}))
    except Malformed:
        return ()
    return found.mails if isinstance(found, Delivery) else (found,)

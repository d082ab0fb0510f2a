"""One run of one scheme under one attack. Real bytes go over the wire; what comes out is a record.

Morning: parties keep house, warrants of the day are signed and served. Day: texts are sent, some devices collect.
Evening: all devices collect, users who meet compare safety numbers, the authority runs the lawful access, and the
state of every principal is taken. This module knows the truth; no attack may import it.
"""

from __future__ import annotations

import hashlib
import importlib
import random
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

from attacks.lab.simulation.attack import Apparatus, Attack, Cast, Keep
from attacks.lab.simulation.network import LossyLink
from attacks.lab.simulation.record import TEXT, Lawful, Record, Sent
from attacks.lab.simulation.scenario import PlannedText, Scenario, WarrantSpec
from attacks.lab.simulation.takeover import Takeover, done_by
from attacks.lab.simulation.trail import Trail
from attacks.lab.simulation.watched.seat import WatchedWire, occupant
from escrow import crypto, vocabulary
from escrow.codec import Fact, Packet
from escrow.crypto import Observer, Run, sha256
from escrow.e2ee.contacts import compare_safety_numbers
from escrow.e2ee.content import InGroup, direct
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Group
from escrow.errors import EscrowError
from escrow.principal import Principal
from escrow.run import begin_day
from escrow.scheme import Scheme
from escrow.testing.world import World
from escrow.warrant import Order, Warrant
from escrow.wire import Link, Wire

R = TypeVar("R")


def run_secret(seed: int) -> bytes:
    """Return the secret (32 bytes) from which a run draws everything random; it never leaves the lab's process."""
    return hashlib.sha256(b"escrow-lab run %d" % seed).digest()


def text_of(seed: int, number: int) -> bytes:
    """Return the text (32 bytes) of that number in every play of a scenario with this seed, whatever the scheme."""
    with crypto.running(Run(run_secret(seed))):
        return fresh_text(number)


def fresh_text(number: int) -> bytes:
    """Draw the text (32 bytes) of that number from the run."""
    with crypto.acting(f"text {number}"):
        return crypto.random_bytes(TEXT)


def play(
    scheme: Scheme,
    scenario: Scenario,
    attack: Attack | None = None,
    *,
    secret: bytes | None = None,
    observer: Observer | None = None,
    forgetful: bool = False,
    trail: Trail | None = None,
) -> Record:
    """Play the scenario and return its record: under an attack that lists strategies, by the narrowest.

    `forgetful` replaces every party by its own state after each action. `trail` is noted by an honest play; a play of
    the same scheme, scenario and secret under an attack goes on from it.
    """
    make = None if attack is None else attack.apparatus
    apparatus = None if make is None else make(observer)
    with crypto.running(Run(secret or run_secret(scenario.seed), apparatus or observer, traced=False)):
        cast = None if attack is None else cast_of(scheme, scenario)
        if attack is not None and cast is not None:
            from attacks.lab.simulation.strategies import narrowest  # an honest play does without

            attack = narrowest(attack, cast, scenario)
        playing = Play(scheme, scenario, attack, forgetful, apparatus, cast)
        return playing.run(trail if apparatus is observer is None else None)


def cast_of(scheme: Scheme, scenario: Scenario) -> Cast:
    """Return the names of the parties that would play, and their roles."""
    try:
        return _cast(scheme, scenario)
    except TypeError:  # a parameter that cannot be a key
        return _cast.__wrapped__(scheme, scenario)


@lru_cache(maxsize=64)
def _cast(scheme: Scheme, scenario: Scenario) -> Cast:
    from attacks.lab.simulation.roles import with_roles  # an honest play does without

    with crypto.running(Run(run_secret(scenario.seed), traced=False)):
        trial = Play(scheme, scenario, _Onlooker())
        parties = trial.set_up().parties()
    words = vocabulary.collected(importlib.import_module(type(scheme).__module__), (Fact, Packet, Principal))
    return with_roles(trial.cast, parties, words)


class _Onlooker(Attack):
    """Watches everybody."""

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Keep]:
        return [Keep(name) for name in (*cast.officials, *cast.devices)]


class Play(World):
    """A world that goes through the days of a scenario, and keeps what happens. It runs once."""

    def __init__(
        self,
        scheme: Scheme,
        scenario: Scenario,
        attack: Attack | None = None,
        forgetful: bool = False,
        apparatus: Apparatus | None = None,
        cast: Cast | None = None,
    ) -> None:
        """Make the parties. `apparatus` is the attack's, if it has one; it observes the play.

        `cast` has the parties' roles; without it there are only their names.
        """
        self.link = LossyLink(scenario)
        super().__init__(scheme, scenario.users, self.link)
        self.scenario, self.attack, self.forgetful, self.apparatus = scenario, attack, forgetful, apparatus
        devices = tuple(name for name, party in self.wire.parties.items() if isinstance(party, Device))
        self.cast = cast or Cast(devices, tuple(name for name in self.wire.parties if name not in devices))
        self.takeover = Takeover(self.wire, scheme, attack, self.cast, scenario)
        self.states: dict[str, list[bytes]] = {name: [] for name in self.wire.parties}
        self.kinds: dict[str, list[type[Principal]]] = {name: [] for name in self.wire.parties}
        self.sent: list[Sent] = []
        self.spoken: list[int] = []
        self.lawful: list[Lawful] = []
        self.warrants: list[Warrant] = []
        self.dice = random.Random(scenario.seed + 1)  # noqa: S311 (who is online is no secret)

    def run(self, trail: Trail | None = None) -> Record:
        """Play every day of the scenario, those apart that the honest play's trail has, and return the record."""
        begins = 0 if trail is None or self.attack is None else self.takeover.begins
        texts = [(said, fresh_text(said.id)) for said in self.scenario.texts()]  # drawn on no day: see `text_of`
        if trail is not None and begins:
            trail.put(self, begins)
        else:
            self._begin()
        for day in range(begins, self.scenario.days):
            self.wire.day = day
            if day:
                begin_day(day)
            self._morning(day)
            for said, body in texts:
                if said.day == day:
                    self._say(said, body)
            self._evening(day)
            if trail is not None and self.attack is None:
                trail.note(self)
        record = recorded(self)
        if trail is not None and self.attack is None:
            trail.record = record
        return record

    def _begin(self) -> None:
        self.takeover.morning(0)  # who is corrupt from the beginning is so while keys are dealt
        self.takeover.during_set_up()
        self._set_up()
        self.takeover.during_set_up()

    def set_up(self) -> Takeover:
        """Play no more than the set-up and the first morning. Return who is watched."""
        self.takeover.morning(0)
        self._set_up()
        self._morning(0)
        return self.takeover

    # --- set-up and morning ---

    def _set_up(self) -> None:
        for name in self.cast.devices:
            device = self.device(name)
            device.stock = 0 if name in self.scenario.without_one_time else self.scenario.stock
            device.rotate_every, device.keep_prekeys = self.scenario.rotate_every, self.scenario.keep_prekeys
        self.scheme.setup(self.wire)

    def wired(self, parties: Iterable[Principal], link: Link) -> Wire:
        """Return a wire on which a watched party is not watched while others read what it sends."""
        return WatchedWire(parties, link)

    def restart(self) -> None:
        """Replace every party by what its own state decodes to; a corrupted one stays in its place."""
        self.takeover.restart()

    def _morning(self, day: int) -> None:
        if day:
            self.takeover.morning(day)
        self.renew(self.cast.devices)
        for group in [each for each in self.scenario.groups if day in (0, each.removal_day)]:
            members = self.scenario.members(group, day)
            speaker = next(user.devices[0] for user in self.scenario.users if user.name == members[0])
            self.announce(speaker, Group(group.name, members, group.sender_keys))
        self.scheme.each_day(self.wire, day)
        for spec in self.scenario.warrants:
            if spec.issued == day:
                self._issue(spec)
        self._action_is_over()

    def _issue(self, spec: WarrantSpec) -> None:
        """Have the court sign a warrant, and serve it."""
        number = len(self.warrants)
        order = Order(
            id=f"warrant-{number + 1}",
            authority=self.authority.key.public,
            target=spec.target,
            first=spec.first,
            last=spec.last,
            scope=spec.scope,
            case=sha256(b"case", number.to_bytes(4, "big")),
            issued=spec.issued,
            expires=spec.expires,
            nonce=sha256(b"nonce", number.to_bytes(4, "big"))[:16],
        )
        with crypto.acting("court"):
            self.warrants.append(self.court.issue(order))
        self.serve(self.warrants[-1])

    # --- day ---

    def _say(self, said: PlannedText, body: bytes) -> None:
        people = self.scenario.people(said)
        self.link.speaking = said.id
        self.spoken += [-1] * (len(self.wire.heard) - len(self.spoken))
        try:
            self.send(said.device, said.group or said.peer, body, group=bool(said.group))
        except EscrowError as error:
            self.wire.complain(said.device, error)
        self.spoken += [said.id] * (len(self.wire.heard) - len(self.spoken))
        owned = [name for user in self.scenario.users if user.name in people for name in user.devices]
        self.sent.append(
            Sent(
                said.id,
                said.day,
                said.device,
                str(InGroup(said.group) if said.group else direct(*people)),
                people,
                tuple(name for name in owned if name != said.device),
                body,
            )
        )
        self.collect([name for name in self.cast.devices if self.dice.random() < 0.4])
        self._action_is_over()

    def _action_is_over(self) -> None:
        if self.forgetful:
            self.restart()

    # --- evening ---

    def _evening(self, day: int) -> None:
        if day == self.scenario.days - 1:
            for packet in self.link.flush():
                self.wire.deliver(packet)
        self.collect(self.cast.devices)
        for met in self.scenario.ceremonies:
            if met.day == day:
                compare_safety_numbers(self.wire, self.device(met.one), self.device(met.other))
        self.intercepts.hear(self.wire.heard)
        self._access()
        self.takeover.evening(self.intercepts.all)
        for name, state, kind in self.takeover.states():
            self.states[name].append(state)
            self.kinds[name].append(kind)
        self.restart()

    def _access(self) -> None:
        """Run the lawful access under every warrant in force, on what was intercepted since it was run last."""
        for number, warrant in enumerate(self.warrants):
            if warrant.order.issued <= self.wire.day <= warrant.order.expires:
                found = self.yielded(warrant, self.intercepts.fresh(number))
                kept = {said.body: str(said.conversation) for said in self.authority.archive} if found else {}
                self.lawful += [Lawful(self.wire.day, number, body, kept.get(body, "")) for body in found]

    def by_authority(self, work: Callable[..., R], *arguments: Any) -> R:
        """Return what the authority's part of the scheme's recipe returns: if it is corrupted, its own code."""
        with crypto.acting("authority"):
            return done_by(self.authority, work, self.wire, *arguments)


# --- the record ---


def recorded(play: Play) -> Record:
    """Return the record of a play whose last day is over."""
    if play.apparatus is not None:
        _finish(play, play.apparatus)
    wire, takeover = play.wire, play.takeover
    stolen = takeover.used(play.states, play.kinds)
    return Record(
        scheme=play.scheme.name,
        attack=play.attack.name if play.attack else "",
        scenario=play.scenario,
        cast=play.cast,
        kinds={name: tuple(kinds) for name, kinds in play.kinds.items()},
        heard=tuple(wire.heard),
        spoken=tuple(play.spoken) + (-1,) * (len(wire.heard) - len(play.spoken)),
        states={name: tuple(states) for name, states in play.states.items()},
        set_up={name: tuple(taken) for name, taken in takeover.set_up.items()},
        set_up_kinds={name: kind for name, taken in takeover.set_up.items() for kind in taken.values()},
        corrupted=takeover.turns,
        untested=takeover.untested(),
        encrypted=play.attack is not None and play.attack.encrypts,
        stolen=stolen,
        sent=tuple(play.sent),
        lost=frozenset(play.link.lost),
        shown=tuple(wire.shown),
        lawful=tuple(play.lawful),
        warrants=tuple(play.warrants),
        alarms=tuple(wire.alarms),
        refusals=tuple(wire.refusals),
    )


def _finish(play: Play, apparatus: Apparatus) -> None:
    """Let the apparatus become a principal after the last day; on earlier evenings there is none to be seized."""
    made = apparatus.finished(play.wire.heard, map(occupant, play.wire.parties.values()))
    play.states[made.name] = [b""] * (play.scenario.days - 1) + [made.state()]
    play.kinds[made.name] = [type(made)] * play.scenario.days

"""An attack is who is corrupted, when, and how they misbehave. What is then readable is computed, never said here."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, ClassVar, Literal, TypeVar

import msgspec

from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.silenced import LeftOutChecks
from escrow import crypto
from escrow.crypto import Call, Observer
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Entry, Provider
from escrow.e2ee.x3dh import IdentityKey
from escrow.principal import Principal, corrupted
from escrow.scheme import SET_UP, Finding, Intercept, Scheme, Source
from escrow.wire import Heard, Wire

T = TypeVar("T")


class Seize(msgspec.Struct, frozen=True):
    """State compromise: the state of a principal is taken once, at the end of a day. Its behaviour stays honest.

    Evening -1 (`escrow.scheme.SET_UP`) is set-up, before the first day: all that an official holds from its birth on
    until keys are dealt. Devices have no state then.
    """

    principal: str
    evening: int


class Turn(msgspec.Struct, frozen=True):
    """Active corruption: a principal's behaviour is taken over on the morning of a day, its state from then on."""

    principal: str
    day: int


class Keep(msgspec.Struct, frozen=True):
    """Honest but curious: from the morning of a day on a principal erases nothing; its behaviour stays honest.

    On the first day this is from its birth on, so that it keeps what it deals and what it makes in the set-up. All that
    it had lies in its state of the last evening, on which it is taken.
    """

    principal: str
    day: int = 0


class Use(msgspec.Struct, frozen=True):
    """Seize, then use: a state is taken at the end of a day, and the thief plays with a copy from the next morning on.

    It speaks as that principal, whose own behaviour stays honest; the copy hears all packets and is sent none.
    """

    principal: str
    evening: int


Corruption = Seize | Turn | Keep | Use


def evenings_of(corruption: Corruption, days: int) -> tuple[int, ...]:
    """Return the evenings of a play of so many days on which a corruption takes its principal's state."""
    if isinstance(corruption, Seize | Use):
        return (corruption.evening,)
    if isinstance(corruption, Keep):
        return (days - 1,)
    return tuple(range(corruption.day, days))


def misfit(corruptions: Iterable[object], principals: Container[str], days: int) -> str:
    """Return why these corruptions are none of a play of so many days with these principals; "" if they are.

    An attack that names somebody of another cast would corrupt nobody, and its cell would say that nothing was opened.
    """
    for each in corruptions:
        if not isinstance(each, Seize | Turn | Keep | Use):
            return f"{each!r} is no Seize, Turn, Keep or Use"
        if each.principal not in principals:
            return f"nobody is called {each.principal!r}: `applies` says which schemes it is for, `cast` who is there"
        day = each.evening if isinstance(each, Seize | Use) else each.day
        if not (SET_UP if isinstance(each, Seize) else 0) <= day < days:
            return f"day {day} of {each.principal} is not in the scenario, whose days are 0 to {days - 1}"
    return ""


class KeyHolders(msgspec.Struct, frozen=True):
    """Officials that hold parts of one secret, in the order of their indexes; `t` are needed (0: it is not known)."""

    names: tuple[str, ...]
    t: int = 0


class Cast(msgspec.Struct, frozen=True):
    """Who plays: the names of the users' devices, and of everybody else; and, told by facts, who does what.

    `holders` are the groups of officials that hold parts of one secret, the largest first, and `dealers` the parties
    that make such parts. Attacks choose their victims by these roles: names are the scheme's own affair. `built_in`:
    the clients have public keys of officials, by which they make access fields.
    """

    devices: tuple[str, ...]
    officials: tuple[str, ...]
    holders: tuple[KeyHolders, ...] = ()
    dealers: tuple[str, ...] = ()
    built_in: bool = False


class Apparatus:
    """What stands beside a play: it observes what the door does, and becomes a principal after the last day."""

    def __init__(self, then: Observer | None = None) -> None:
        """Make it before the play. `then` is another observer, which it tells of each event."""
        self._then = then

    def __call__(self, call: Call) -> None:
        """Observe one operation of the door."""
        if self._then is not None:
            self._then(call)

    def finished(self, packets: Iterable[Heard], parties: Iterable[Principal]) -> Principal:
        """Return the principal, whose state can be seized on the last evening."""
        raise NotImplementedError(f"{type(self).__name__} becomes nothing")


class Column(msgspec.Struct, frozen=True):
    """A figure that README's table has of every scheme, declared by the attack, or several, whose cells give it.

    `figure` is a field of a cell ("exposed.total"); the largest of the attacks that apply is shown. If `least` names
    another field, the smallest of it that is not 0 stands before the largest. `by_whom` tells the coalition below the
    table. `of` says which texts are counted: any that are "sent", or those that warrants cover ("entitled"). `meaning`
    says in a few words what happens to them.
    """

    place: int
    title: str
    figure: str
    by_whom: bool = False
    least: str = ""
    of: Literal["sent", "entitled"] = "sent"
    meaning: str = ""


# of the attacks in which users' clients cheat
MISSED = Column(
    2,
    "missed, clients cheat",
    "unkept",
    least="unkept_least",
    of="entitled",
    meaning="promised to the law, delivered, and not read by it, if one client cheats, or all",
)
PROVIDER = (  # of the attacks in which the provider alone is corrupted
    Column(6, "provider, unnoticed", "unnoticed.reads", meaning="the provider reads them, and nobody notices"),
    Column(7, "provider, at all", "exposed.total", meaning="the provider reads them, whoever notices"),
)

Plays = Literal["ends", "all", "narrowest"]  # which strategies of an attack: see attacks.lab.simulation.strategies


class Attack:
    """Base of every attack. `derivations` are what an attacker computes and no honest party does.

    `served`: honest officials answer whatever passes their checks, so that stolen keys can be put to them as requests.
    `apparatus` stands beside its play; it is the lab's, since it sees every key (attacks.lab.simulation.quantum).
    `specimen` names the module of attacks.specimens on which the attack must succeed, and on whose twin it must fail.
    `encrypts`: its clients encrypt texts by themselves before they send them; what the law opens are ciphertexts.
    `strategy` says which of several strategies this is; "" where there is one only. `plays` says which of
    them are played.
    `in_pages`: README shows the attack's `column`s and `findings`; none of it is inherited.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[Source]
    specimen: ClassVar[str]
    derivations: ClassVar[tuple[Callable[..., Any], ...]] = ()
    served: ClassVar[bool] = False
    apparatus: ClassVar[type[Apparatus] | None] = None
    stops_mail: bool = False
    encrypts: ClassVar[bool] = False
    in_pages: ClassVar[bool] = False
    column: ClassVar[Column | tuple[Column, ...] | None] = None
    findings: ClassVar[tuple[Finding, ...]] = ()
    strategy: str = ""
    plays: Plays = "ends"

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return the ways to carry the attack out, from narrow to wide: this one alone, unless there are several.

        Each is an attack of the same name, and its `strategy` says in a few words what it does.
        """
        return (self,)

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Corruption]:
        """Return who is corrupted, and when. Seizures are tried in every combination; the base corrupts no party."""
        return ()

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return "", or the reason why this attack does not apply to the scheme."""
        return ""

    def in_plain(self) -> Attack | None:
        """Return the attack of which a cell says what it opens in plain, where this one does not apply to plain."""
        return None

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Return the party that takes this one's place: the same fields, another behaviour."""
        return corrupted(party)

    def silenced(self, user: str, scheme: Scheme, scenario: Scenario) -> LeftOutChecks | None:
        """Return what the clients of a user leave out from the attack day on, by an update of their vendor: nothing.

        Their states are nobody's, and are in no coalition.
        """
        return None

    def each_evening(self, party: Principal, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        """Do what the corrupted party does by itself each evening; `intercepted` is the network's archive."""

    def receive(self, party: Principal, stolen: Sequence[Principal], scheme: Scheme) -> None:
        """Give a party that was turned the copies of states that were stolen before (`Use`)."""

    def trials(self, party: Principal) -> int:
        """Return the number of trials that a corrupted party has made, by its state, if the attack is a search."""
        return 0


def specimen_module(attack: Attack) -> str:
    """Return the full name of the module with the attack's specimen: in attacks.specimens, or elsewhere."""
    named = "." in attack.specimen or attack.specimen in sys.modules
    return attack.specimen if named else f"attacks.specimens.{attack.specimen}"


def attacker_device(name: str, user: str, kind: type[Device] = Device, committing: bool = False) -> Device:
    """Return a device of the attacker's under a user's name: a fresh identity key and signed prekeys of one day.

    `kind` and `committing` are the scheme's, so that it agrees on keys, and seals, as the scheme's devices do.
    """
    identity = crypto.new_signing_key(IdentityKey)
    device = kind(name, user, identity, [identity.public], committing=committing)
    device.renew(0)
    return device


def entry_of(device: Device, kind: type[Provider] = Provider) -> Entry:
    """Return the entry under which a directory of this kind lists an attacker's device: without one-time prekeys."""
    return kind.filed(device.publication(0), None)


def drawn(scenario: Scenario, choices: Sequence[T]) -> T:
    """Return one of the choices, drawn by the scenario's seed alone, so that every scheme has the same victim."""
    return random.Random(f"victims {scenario.seed}").choice(choices)  # noqa: S311 (who is a victim is no secret)


def first_target(scenario: Scenario) -> list[str]:
    """Return the first device of the first warrant's target; none without a warrant."""
    return list(scenario.devices_of(scenario.targets[:1])[:1])

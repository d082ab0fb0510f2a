"""An attack is who is corrupted, when, and how they misbehave. What is then readable is computed, never said here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeVar

import msgspec

from attacks.lab.simulation.scenario import Scenario
from escrow import crypto
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Entry, Provider
from escrow.e2ee.x3dh import IdentityKey
from escrow.principal import Principal
from escrow.scheme import Intercept, Scheme, Source
from escrow.wire import Wire

P = TypeVar("P", bound=Principal)
QUANTUM = "quantum"  # stands where a principal's name does


class Seize(msgspec.Struct, frozen=True):
    """Passive, once: the state of a principal is taken at the end of a day."""

    principal: str
    evening: int


class Turn(msgspec.Struct, frozen=True):
    """Active: a principal's behaviour is taken over on the morning of a day, its state from that evening on."""

    principal: str
    day: int


class Cast(msgspec.Struct, frozen=True):
    """Who plays: the names of the users' devices, and of everybody else."""

    devices: tuple[str, ...]
    officials: tuple[str, ...]


class Attack:
    """Base of every attack. `derivations` are what an attacker computes and no honest party does.

    `served`: honest officials answer whatever passes their checks, so that stolen keys can be put to them as requests.
    `quantum`: beside its play stands a computer that can be seized as "quantum" (attacks.lab.simulation.quantum).
    `specimen` names the module of attacks.specimens on which the attack must succeed, and on whose twin it must fail.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[Source]
    specimen: ClassVar[str]
    derivations: ClassVar[tuple[Callable[..., Any], ...]] = ()
    served: ClassVar[bool] = False
    quantum: ClassVar[bool] = False
    stops_mail: ClassVar[bool] = False

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize | Turn]:
        """Who is corrupted, and when. Seizures are tried in every combination; an eavesdropper corrupts nobody."""
        return ()

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Empty, or the reason why this attack has nothing to work on here."""
        return ""

    def meddle(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """The party that takes the turned one's place: its fields, other behaviour."""
        return turned(party)

    def act(self, party: Principal, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        """What the turned party does of its own accord, every evening; `intercepted` is the network's archive."""


def specimen_module(attack: Attack) -> str:
    """The full name of the module with the attack's specimen: of attacks.specimens, or another's, or its own."""
    named = "." in attack.specimen or attack.specimen in sys.modules
    return attack.specimen if named else f"attacks.specimens.{attack.specimen}"


def turned(party: P, fields: dict[str, Any] | None = None, **methods: Callable[..., Any]) -> P:
    """The same data with promises off, some methods replaced, and `fields` (name -> list type) added.

    The added fields begin as empty lists and hold what an attacker makes: they are state, as everything is.
    """

    def insist(self: Principal, condition: bool, reason: str) -> None:
        """A corrupted party shrugs."""

    made = msgspec.defstruct(
        type(party).__name__,
        [(name, kind, msgspec.field(default_factory=list)) for name, kind in (fields or {}).items()],
        bases=(type(party),),
        namespace={"insist": insist, **methods},
        module=type(party).__module__,
        tag=type(party).__name__,
    )
    values = {field: getattr(party, field) for field in party.__struct_fields__}
    return made(**values)  # type: ignore[return-value]  # a subclass of the party's class, made here


def impostor(name: str, user: str, kind: type[Device] = Device) -> Device:
    """A device of the attacker's own under a user's name: a fresh identity key and signed prekeys of one day.

    `kind` is the scheme's, so that it agrees on keys as the scheme's devices do.
    """
    identity = crypto.new_signing_key(IdentityKey)
    device = kind(name, user, identity, [identity.public])  # type: ignore[arg-type]  # the kind asked for
    device.renew(0)
    return device


def entry_of(device: Device, kind: type[Provider] = Provider) -> Entry:
    """An impostor as a directory of that kind lists it, without one-time prekeys."""
    return kind.filed(device.publication(0), None)

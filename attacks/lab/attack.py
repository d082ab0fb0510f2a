"""An attack is who is corrupted, when, and how they misbehave. What is then readable is computed, never said here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import msgspec

from attacks.lab.scenario import Scenario
from escrow.principal import Principal, corrupted
from escrow.scheme import Source


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
    """Base of every attack. `derivations` are what an attacker computes and no honest party does."""

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[Source]
    derivations: ClassVar[tuple[Callable[..., Any], ...]] = ()
    stops_mail: ClassVar[bool] = False

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize | Turn]:
        """Who is corrupted, and when. None at all with `applies` true is the eavesdropper."""
        return ()

    def applies(self, cast: Cast, scenario: Scenario) -> str:
        """Empty, or the reason why this attack has nobody to corrupt here."""
        return ""

    def meddle(self, party: Principal, cast: Cast, scenario: Scenario) -> Principal:
        """The turned party: the same fields, other behaviour. Without more to say, its promises are off."""
        return corrupted(party)

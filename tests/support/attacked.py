"""Plays under attack, each played once."""

from __future__ import annotations

from functools import cache

import pytest

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.attack import Attack, Turn
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.verdict.analysis import Analysis
from attacks.registry import attacks as found
from escrow import crypto
from escrow.scheme import Scheme
from escrow.schemes import envelope, ghost, plain

ATTACKS = found()
SCHEMES = (plain.SCHEME, envelope.SCHEME, ghost.SCHEME)


# Sender Keys, several devices, losses, late mail, somebody removed from a group: all that happens in the tables.
FULL = default(users=4, groups=2, days=10, messages=90)


def general(attack: Attack) -> bool:
    """Whether an attack corrupts somebody actively where a scheme is no more than an envelope."""
    cast = cast_of(envelope.SCHEME, FULL)
    if attack.applies(envelope.SCHEME, cast):
        return False
    return any(isinstance(each, Turn) for each in attack.corruptions(cast, FULL))


ACTIVE = [name for name, attack in ATTACKS.items() if general(attack)]
by_scheme = pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)


RESULTS = crypto.Results()  # of the door: analyses compute much that plays did


@cache
def played(scheme: Scheme, attack: str = "", scenario: Scenario = FULL) -> Record:
    with crypto.running(crypto.Run(None, results=RESULTS)):
        return play(scheme, scenario, ATTACKS[attack] if attack else None)


@cache
def analysed(scheme: Scheme, attack: str, scenario: Scenario = FULL) -> Analysis:
    with crypto.running(crypto.Run(None, results=RESULTS)):
        return Analysis(scheme, played(scheme, attack, scenario), tuple(ATTACKS.values()))


def opened(scheme: Scheme, attack: str, scenario: Scenario = FULL) -> frozenset[int]:
    """The texts that whoever the attack corrupted can read, from that day to the end."""
    turns = played(scheme, attack, scenario).corrupted
    days = [Seizure(turn.principal, (day,)) for turn in turns for day in range(turn.day, scenario.days)]
    return analysed(scheme, attack, scenario).opened_by(days)

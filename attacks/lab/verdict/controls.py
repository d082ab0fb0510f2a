"""Two-sided controls: an attack must break its specimen and fail on the sound twin, or its verdicts mean nothing.

They are judged by quantities, without plain, concessions or model beside them: the specimen is broken if anything is
opened beyond its claim, over-collected, missed, fabricated, misattributed, framed, or done to the mail; its twin is not
if all of these are 0.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

from attacks.lab.simulation.attack import Attack, specimen_module
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.judging.procedure import UNJUDGED, broken
from escrow.scheme import Scheme


class Control(NamedTuple):
    """A scheme broken on purpose, its sound twin, and the scenario that shows the difference."""

    specimen: Scheme
    twin: Scheme
    scenario: Scenario


def control_of(attack: Attack) -> Control:
    """Return the attack's control. A third party's attack names a module by its full name, which may be its own."""
    module: ModuleType = importlib.import_module(specimen_module(attack))
    scenario = getattr(module, "SCENARIO", None) or importlib.import_module("attacks.specimens").control_scenario()
    return Control(module.SPECIMEN, module.TWIN, scenario)


class Controlled(NamedTuple):
    """The reason why the attack's verdicts mean nothing, or ""; and the rules that fired in its control plays."""

    failure: str
    fired: frozenset[str]


def controlled(attack: Attack, every: Sequence[Attack], *, isolated: bool = False) -> Controlled:
    """Run both controls of an attack, with the rules of `every` attack."""
    control = control_of(attack)
    every = every if attack in every else (*every, attack)
    fired, failure = set[str](), ""
    for scheme, breaks in ((control.specimen, True), (control.twin, False)):
        evaluation = Evaluation(scheme, every, control.scenario, isolated=isolated)
        cell = evaluation.cell(attack)[0]
        fired |= evaluation.fired
        judged = cell.verdict not in UNJUDGED and not cell.grounds.untested
        if not failure and (not judged or broken(cell) != breaks):
            did = "did not break" if breaks else "broke the sound twin"
            failure = f"it {did} {scheme.name} ({cell.verdict}: {cell.reason})"
    return Controlled(failure, frozenset(fired))

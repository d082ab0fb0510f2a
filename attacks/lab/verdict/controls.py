"""Two-sided controls: an attack must break its specimen and fail on the sound twin, or its verdicts mean nothing."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

from attacks.lab.simulation.attack import Attack, specimen_module
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.evaluation import Evaluation
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
    schemes = control.specimen, control.twin
    evaluations = [Evaluation(scheme, every, control.scenario, isolated=isolated) for scheme in schemes]
    specimen, twin = (evaluation.cell(attack)[0] for evaluation in evaluations)
    failure = ""
    if specimen.verdict != "BREACH":
        failure = f"it did not break {specimen.scheme} ({specimen.verdict}: {specimen.reason})"
    elif twin.verdict not in {"HELD", "AS CLAIMED"}:
        failure = f"it broke the sound twin {twin.scheme} ({twin.verdict}: {twin.reason})"
    return Controlled(failure, frozenset[str]().union(*(evaluation.fired for evaluation in evaluations)))

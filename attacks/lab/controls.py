"""Two-sided controls: an attack must break its specimen and fail on the sound twin, or its verdicts mean nothing."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

from attacks.lab.attack import Attack
from attacks.lab.matrix import run_cell
from attacks.lab.results import Cell
from attacks.lab.scenario import Scenario
from escrow.scheme import Scheme


class Control(NamedTuple):
    """A scheme broken on purpose, its sound twin, and the scenario that shows the difference."""

    specimen: Scheme
    twin: Scheme
    scenario: Scenario


def control_of(attack: Attack) -> Control:
    """The attack's control. A third party's attack names a module of its own by its full name."""
    name = attack.specimen if "." in attack.specimen else f"attacks.specimens.{attack.specimen}"
    module: ModuleType = importlib.import_module(name)
    scenario = getattr(module, "SCENARIO", None) or importlib.import_module("attacks.specimens").control_scenario()
    return Control(module.SPECIMEN, module.TWIN, scenario)


def outcomes(attack: Attack, every: Sequence[Attack]) -> tuple[Cell, Cell]:
    """The cells of the specimen and of its twin."""
    control = control_of(attack)
    every = every if attack in every else (*every, attack)
    specimen, twin = (run_cell(scheme, attack, control.scenario, every) for scheme in (control.specimen, control.twin))
    return specimen, twin


def failure(attack: Attack, every: Sequence[Attack]) -> str:
    """Empty where both controls hold, or what went wrong."""
    specimen, twin = outcomes(attack, every)
    if specimen.verdict != "BREACH":
        return f"it did not break {specimen.scheme} ({specimen.verdict}: {specimen.reason})"
    if twin.verdict not in {"HELD", "AS CLAIMED"}:
        return f"it broke the sound twin {twin.scheme} ({twin.verdict}: {twin.reason})"
    return ""

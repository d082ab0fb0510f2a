"""The commands that show a cell again: its options, where its scenario or its scheme's parameters are not the usual."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import msgspec

from attacks.lab.results.types import Cell, Manifest
from attacks.lab.simulation.scenario import Scenario, default
from escrow.errors import Malformed
from escrow.registry import APPARATUS, parameters
from escrow.scheme import Scheme

FILE = "scenario.json"


def commands(cell: Cell, manifest: Manifest, known: dict[str, Scheme]) -> tuple[str, ...]:
    """Return the commands that play a cell, explain one text of it, and write and verify its evidence."""
    more = [*scenario_options(manifest.scenario), *settings(cell.scheme, manifest, known)]
    more += ["--plugin", "FILE.py"] if {cell.scheme, cell.attack} & set(manifest.unverified) else []
    chosen = [] if manifest.strategies == "ends" else ["--strategies", manifest.strategies]
    found = [["run", cell.attack, "--scheme", cell.scheme, *more, *chosen]]
    if _explains(cell):
        found.append(["explain", cell.scheme, "--coalition", ",".join(cell.coalition), *_text(cell), *more])
    if cell.exposed.total:
        found.append(["evidence", cell.scheme, cell.attack, *more, "-o", "evidence"])
        found.append(["verify", "evidence", "--replay"])
    return tuple(shlex.join(["escrow-lab", *words]) for words in found)


def _explains(cell: Cell) -> bool:
    """Return whether `explain` knows the coalition's play: it plays without active corruptions."""
    taken = cell.taken or ()
    return bool(cell.coalition and taken) and all(each.how == "stolen" and each.who not in APPARATUS for each in taken)


def _text(cell: Cell) -> list[str]:
    return [] if cell.derivation is msgspec.UNSET else ["--message", str(cell.derivation.text)]


def scenario_options(scenario: Scenario) -> list[str]:
    """Return the options that give a scenario; a file, where no others do."""
    sizes = {
        "users": len(scenario.users),
        "groups": len(scenario.groups),
        "days": scenario.days,
        "messages": scenario.messages,
    }
    usual = default()
    try:
        same = msgspec.structs.replace(default(**sizes, seed=scenario.seed), work=scenario.work) == scenario
    except Malformed:
        same = False
    chosen = {"seed": scenario.seed, "work": scenario.work} if same else {}
    before = {"users": len(usual.users), "groups": len(usual.groups), "days": usual.days, "messages": usual.messages}
    before |= {"seed": usual.seed, "work": usual.work}
    if not same:
        return ["--scenario", FILE]
    given = {name: value for name, value in (sizes | chosen).items() if value != before[name]}
    return [word for name, value in given.items() for word in (f"--{name}", str(value))]


def needs_file(scenario: Scenario) -> bool:
    """Return whether the commands read the scenario from a file."""
    return FILE in scenario_options(scenario)


def settings(name: str, manifest: Manifest, known: dict[str, Scheme]) -> Iterator[str]:
    """Yield the options for those parameters of a scheme that are not its defaults."""
    if name not in known:
        return
    usual = parameters(known[name])
    for parameter, value in manifest.parameters.get(name, {}).items():
        if usual.get(parameter) != value:  # an option that a scheme may have is named only where it is not its default
            yield "--set"
            yield f"{name}.{parameter}={str(value).lower() if isinstance(value, bool) else value}"

"""Runs made by hand, to be compared."""

import json
from pathlib import Path
from typing import Any

from attacks.lab.comparison.files import Comparison
from attacks.lab.results.types import Alarms, Anatomy, ByDay, Cell, Manifest, Matrix, Minimal
from attacks.lab.simulation.scenario import default

MATHEMATICS = "mathematics"
ALARM = Alarms(who="alice-phone", check="safety number", times=2, first_day=6, packets=900)


def manifest(**others: Any) -> Manifest:
    given = {"schemes": ("plain", "split-key"), "attacks": ("theft",), "scenario": default(), "parameters": {}}
    return Manifest(version="0", inventory="", **given | others)


def matrix(**counts: Any) -> Matrix:
    """Two cells: one as it is given here, and one that stays as it is."""
    cell = Cell(scheme="plain", attack="theft", **{"verdict": "AS CLAIMED", "sent": 9} | counts)
    return Matrix(manifest=manifest(), cells=(cell, Cell(scheme="split-key", attack="theft", verdict="BREACH")))


def found(comparison: Comparison) -> list[tuple[object, ...]]:
    return [(each.severity, each.row, each.what, each.old, each.new) for each in comparison.differences]


def coalition(*members: str, opens: int = 9, **others: Any) -> Minimal:
    fields = {"mode": "passive", "label_pass": MATHEMATICS, "by_day": {"3": ByDay(earlier=opens, later=0)}} | others
    return Minimal(members=members, opens=opens, officials_only=True, **fields)


def anatomy(*coalitions: Minimal, scheme: str = "split-key", **others: Any) -> Anatomy:
    return Anatomy(scheme=scheme, sent=9, minimal_coalitions=coalitions, manifest=manifest(**others))


def recorded(path: Path, **info: Any) -> Path:
    """The file that pytest-benchmark 5 writes, short of what nobody reads."""
    one = {
        "group": "one-way, session",
        "name": "test_job[envelope-one-way-session]",
        "fullname": "benchmarks/test_messages.py::test_job[envelope-one-way-session]",
        "params": {"scheme": "envelope"},
        "extra_info": {"texts": 60, "microseconds_a_text": 90.0, "over_plain": 9.8, "over_floor": 11.0} | info,
        "options": {"timer": "thread_time"},
        "stats": {"median": 0.005, "rounds": 20, "data": [0.005]},
    }
    head = {"machine_info": {"node": "here", "cpu": {"count": 2}}, "commit_info": {}, "datetime": "", "version": "5"}
    path.write_text(json.dumps({**head, "benchmarks": [one]}))
    return path

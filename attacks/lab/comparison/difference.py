"""The differences between two runs, and which of them count against the later one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import msgspec

from attacks.lab.results.bounds import Result
from attacks.lab.results.details import Ids
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.rows import Row, Value
from attacks.lab.results.types import Manifest
from attacks.lab.simulation.scenario import Scenario

Severity = Literal["regression", "improvement", "new", "changed", "advisory"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


class Difference(Result, frozen=True, kw_only=True):
    """One difference: its row, its column, and both values. None stands for a value that one of the two lacks.

    Where both runs list the texts that a count counts, `more` are those in the later one alone and `fewer` those in the
    earlier one alone, as ranges (attacks.lab.results.details). `who` names whom an attack corrupts, where a row is one
    of an attack, or the seizures of a coalition.
    """

    severity: Severity
    row: tuple[str, ...]
    what: str
    old: int | float | str | None
    new: int | float | str | None
    more: Ids = ""
    fewer: Ids = ""
    who: str = ""


class Comparison(Result, frozen=True, kw_only=True):
    """The differences of two runs, the worst first. `rows` are those compared; `tolerance` is for times, in percent."""

    schema: Literal["escrow-lab/comparison/2"] = "escrow-lab/comparison/2"
    of: str
    rows: int
    tolerance: float
    differences: tuple[Difference, ...]

    @property
    def regressions(self) -> int:
        """The number of differences that count against the later run."""
        return sum(each.severity == "regression" for each in self.differences)


class Change(NamedTuple):
    """A changed column of a row that both runs have; `more` and `fewer` are texts, where they are listed."""

    severity: Severity
    what: str
    old: Value
    new: Value
    more: str = ""
    fewer: str = ""


Rows = Mapping[tuple[str, ...], Row]


def differences(row: Sequence[str], changes: Iterator[Change], who: str = "") -> Iterator[Difference]:
    """Yield the changes of one row as differences; `who` names whom an attack corrupts."""
    for severity, what, old, new, more, fewer in changes:
        old, new = said(old), said(new)
        yield Difference(
            severity=severity, row=tuple(row), what=what, old=old, new=new, more=more, fewer=fewer, who=who
        )


def gone_or_new(old: Rows, new: Rows, what: str) -> Iterator[Difference]:
    """Yield the rows that one run lacks, each shown by this column. A row that is gone counts as worse."""
    for row in old.keys() - new.keys():
        yield Difference(severity="regression", row=row, what=what, old=said(old[row][what]), new=None)
    for row in new.keys() - old.keys():
        yield Difference(severity="new", row=row, what=what, old=None, new=said(new[row][what]))


def said(value: Value) -> int | float | str | None:
    """Return a value in one word."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def count(what: str, old: Value, new: Value, worse: Literal["more", "fewer"] = "more") -> Iterator[Change]:
    """Yield a change of a count, of which more, or fewer, is worse; an absent count is 0."""
    before, after = old or 0, new or 0
    if isinstance(before, int) and isinstance(after, int) and before != after:
        yield Change("regression" if (after > before) == (worse == "more") else "improvement", what, before, after)


def ratio(what: str, old: Value, new: Value, tolerance: float, severity: Severity | None = None) -> Iterator[Change]:
    """Yield a change of a measured number by more than the tolerance, in percent.

    More is worse, unless `severity` is given.
    """
    if not (isinstance(old, int | float) and isinstance(new, int | float)):
        return
    allowed = 1 + tolerance / 100
    if new > old * allowed:
        yield Change(severity or "regression", what, old, new)
    elif old > new * allowed:
        yield Change(severity or "improvement", what, old, new)


def sorted_by_severity(found: Iterator[Difference]) -> tuple[Difference, ...]:
    """Return the differences, the worst first, verdicts before counts; then by row."""
    return tuple(
        sorted(found, key=lambda each: (SEVERITIES.index(each.severity), each.what != "verdict", each.row, each.what))
    )


# --- what must be the same ---


def same_play(old: Manifest, new: Manifest) -> None:
    """Raise NotComparable if the scenario or a scheme's parameters differ; the message says which."""
    same_scenario(old.scenario, new.scenario)
    same_parameters(old.parameters, new.parameters, {*old.schemes} & {*new.schemes})


def same_scenario(old: Scenario, new: Scenario) -> None:
    """Raise NotComparable, naming the fields in which the scenarios differ."""
    before, after = msgspec.structs.asdict(old), msgspec.structs.asdict(new)
    differing = [name for name in before if before[name] != after[name]]
    if differing:
        numbers = [f"{name} {before[name]} and {after[name]}" for name in differing if isinstance(before[name], int)]
        others = [name for name in differing if not isinstance(before[name], int)]
        raise NotComparable(f"the scenarios differ: {', '.join([*numbers, *others])}")


Parameters = Mapping[str, Mapping[str, object]]


def same_parameters(old: Parameters, new: Parameters, schemes: set[str]) -> None:
    """Raise NotComparable, naming the scheme whose parameters differ."""
    for scheme in sorted(schemes):
        before, after = old.get(scheme, {}), new.get(scheme, {})
        if before != after:
            raise NotComparable(f"the parameters of {scheme} differ: {_listed(before)} and {_listed(after)}")


def _listed(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(parameters.items())) or "none"

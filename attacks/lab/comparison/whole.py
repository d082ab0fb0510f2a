"""Says what a result that was read from a file lacks: each scheme has a row of each kind, or it cannot be drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from attacks.lab.comparison.files import Run
from attacks.lab.costs.measure import Overhead
from attacks.lab.results.types import Matrix
from attacks.lab.runs.seeds import Sensitivity


def lacking(run: Run) -> str:
    """Return which row of a result is missing, or is of nothing that the result lists; "" if none is."""
    return next(_lacking(run), "")


def _lacking(run: Run) -> Iterator[str]:
    if isinstance(run, Matrix | Sensitivity):
        listed = product(run.manifest.schemes, run.manifest.attacks)
        yield from _odd("cell", listed, ((cell.scheme, cell.attack) for cell in run.cells))
    elif isinstance(run, Overhead):
        if not run.exact:
            yield "there are no counts"
        jobs = dict.fromkeys(each.job for each in run.exact)
        yield from _odd("count", product(run.schemes, jobs), ((each.scheme, each.job) for each in run.exact))
        timed = [(each.scheme, each.job, each.level) for each in run.timing.rows]
        kinds = dict.fromkeys((job, level) for _, job, level in timed)
        yield from _odd("time", ((scheme, *kind) for scheme in run.schemes for kind in kinds), timed)
        floor = {job for job, level in kinds if level == "session"}
        yield from _odd("floor", ((job,) for job in floor), ((job,) for job in floor & run.timing.floor.keys()))


def _odd(what: str, listed: Iterable[tuple[str, ...]], there: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for each in sorted({*listed} ^ {*there}):
        yield f"the {what} of {', '.join(each)} is missing, or of nothing that is listed"

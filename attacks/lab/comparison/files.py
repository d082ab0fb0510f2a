"""Reads the files of runs, and compares two of one kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from attacks.lab.comparison import anatomies, benches, matrices, silent
from attacks.lab.comparison.benches import Recorded
from attacks.lab.comparison.difference import Comparison, Difference, sorted_by_severity
from attacks.lab.costs.measure import Overhead
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.silences import Silences
from attacks.lab.results.types import Anatomy, Matrix
from attacks.lab.runs.experiment import Reproduction
from attacks.lab.runs.seeds import Sensitivity
from attacks.lab.simulation import handed_in
from escrow.errors import Malformed

Run = Matrix | Anatomy | Overhead | Sensitivity | Reproduction | Silences | Recorded

TOLERANCE = 25.0  # percent by which a ratio of times may grow: above the noise of a shared machine

KINDS: dict[str, type[Run]] = {
    "escrow-lab/matrix/2": Matrix,
    "escrow-lab/matrix/1": Matrix,
    "escrow-lab/anatomy/2": Anatomy,
    "escrow-lab/anatomy/1": Anatomy,
    "escrow-lab/bench/1": Overhead,
    "escrow-lab/sensitivity/1": Sensitivity,
    "escrow-lab/reproduction/1": Reproduction,
    "escrow-lab/silence/1": Silences,
}
RECORDED = "pytest-benchmark"


class _Head(msgspec.Struct, frozen=True):
    """The fields that tell the kind of a file."""

    schema: str = ""
    machine_info: dict[str, msgspec.Raw] | None = None


def read(path: Path) -> Run:
    """Return a run from a file: of `--format json`, of `matrix --resume`, or of pytest-benchmark.

    A cell that was not run yet is read as an ERROR.

    Raises:
        Malformed: the file is not such a result; the message says why.
    """
    data = handed_in.content(path)
    try:
        return _read(data, str(path))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{path} is no result: {error}") from None


def _read(data: bytes, file: str) -> Run:
    from attacks.lab.runs import journal, merge  # which raise this package's NotComparable

    first, _, rest = data.partition(b"\n")
    header = _head_of(first)
    if header is not None and header.schema in (journal.SCHEMA, journal.FIRST):
        contents = journal.parse(data, file)
        return merge.judged(contents.header, contents.lines)
    if header is not None and rest.strip():
        raise Malformed(f"{file} holds rows without the scenario; write it with --format json")
    header = msgspec.json.decode(data, type=_Head)
    kind = KINDS.get(header.schema) or (Recorded if header.machine_info is not None else None)
    if kind is None:
        wanted = ", ".join((*KINDS, journal.SCHEMA, RECORDED))
        raise Malformed(f"{file} is no result of a run: it is {header.schema or 'unnamed'}, not {wanted}")
    run = handed_in.decoded(data, kind)
    if isinstance(run, Matrix | Anatomy | Sensitivity | Silences):
        try:
            run.manifest.scenario.check()
        except Malformed as error:
            raise Malformed(f"{file} is no result: {error}") from None
    return run


def _head_of(line: bytes) -> _Head | None:
    """Return the fields that tell a file's kind from one of its lines, or None."""
    try:
        return msgspec.json.decode(line, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def name(run: Run) -> str:
    """Return the name of a run's kind."""
    return RECORDED if isinstance(run, Recorded) else run.schema


def compare(old: Run, new: Run, tolerance: float = TOLERANCE) -> Comparison:
    """Return the differences of two runs of one kind.

    Args:
        old: the earlier run.
        new: the later run.
        tolerance: by how much a ratio of times may grow, in percent.

    Raises:
        NotComparable: the runs are of two kinds, or differ in what was run.
    """
    found = sorted_by_severity(_differences(old, new, tolerance))
    return Comparison(of=name(old), rows=_rows(new), tolerance=tolerance, differences=found)


def _differences(old: Run, new: Run, tolerance: float) -> Iterator[Difference]:
    if isinstance(old, Matrix) and isinstance(new, Matrix):
        return matrices.compare(old, new)
    if isinstance(old, Anatomy) and isinstance(new, Anatomy):
        return anatomies.compare(old, new)
    if isinstance(old, Overhead) and isinstance(new, Overhead):
        return benches.compare(old, new, tolerance)
    if isinstance(old, Recorded) and isinstance(new, Recorded):
        return benches.compare_recorded(old, new, tolerance)
    if isinstance(old, Sensitivity) and isinstance(new, Sensitivity):
        raise NotComparable("counts over several seeds are not compared; compare two matrices of one seed")
    if isinstance(old, Reproduction) and isinstance(new, Reproduction):
        raise NotComparable("reproduced figures are compared with the published ones, by `escrow-lab reproduce`")
    if isinstance(old, Silences) and isinstance(new, Silences):
        return silent.compare(old, new)
    raise NotComparable(f"they are of two kinds: {name(old)} and {name(new)}")


def _rows(run: Run) -> int:
    if isinstance(run, Matrix):
        return len(run.cells)
    if isinstance(run, Anatomy):
        return len(run.minimal_coalitions)
    if isinstance(run, Sensitivity):
        return len(run.cells)
    if isinstance(run, Reproduction):
        return len(run.experiments)
    if isinstance(run, Silences):
        return len(run.ways)
    return len(run.benchmarks) if isinstance(run, Recorded) else len(run.exact) + len(run.timing.rows)


__all__ = ["TOLERANCE", "Comparison", "Difference", "NotComparable", "Run", "compare", "name", "read"]

"""Each form of `envelope`: the bytes of its access field, and the milliseconds of a text and of its access.

  python -m benchmarks.envelope_forms      prints them as a table of Markdown

A text goes from device to device, so that the relay's checks are in it, as are the recipient's. The times are the best
of some turns, in processor time, and hold for the machine on which they are printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from attacks.lab.costs import counts
from attacks.lab.costs.timer import elapsed
from attacks.lab.costs.workload import Workload
from escrow.registry import with_parameters
from escrow.schemes.envelope import SCHEME

FORMS = (
    "",
    "policing=relay",
    "policing=recipient",
    "policing=publicly",
    "policing=publicly n=3 t=2",
    "policing=publicly n=5 t=3",
    "n=3",
    "n=3 t=2",
    "n=10",
    "per=epoch days=7",
    "kem=xwing",
    "kem=xwing n=3",
)
TURNS, TEXTS = 5, 30


class FormCost(NamedTuple):
    """One form, by its parameters: bytes of a field, milliseconds of a text and of the access to one."""

    words: str
    field: int
    text: float
    access: float


def measured(forms: tuple[str, ...] = FORMS, turns: int = TURNS) -> Iterator[FormCost]:
    """Yield the cost of each form."""
    for words in forms:
        scheme = with_parameters(SCHEME, [f"{SCHEME.name}.{each}" for each in words.split()])
        (field,) = (row.field for row in counts.exact(scheme) if row.job == "one-way")
        work = Workload(scheme)
        spent = {}
        for name in ("one-way", "access"):
            jobs = (work.job(name, "device", TEXTS) for _ in range(turns))
            spent[name] = 1e3 * min(elapsed(job.run) / job.texts for job in jobs)
        yield FormCost(words, field, spent["one-way"], spent["access"])


def main() -> None:
    """Print the table."""
    print("| form | field, B | text, ms | access, ms |\n| --- | ---: | ---: | ---: |")
    for each in measured():
        words = f"`{each.words}`" if each.words else "default"
        print(f"| {words} | {each.field:,} | {each.text:.2f} | {each.access:.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""Writes docs/mutants.md, and compares what nothing notices with the reasons that are given for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from pathlib import Path

from tools.mutants.annotations import ROOT
from tools.mutants.operators import OPERATORS, Mutant
from tools.mutants.trial import Found

PAGE = ROOT / "docs" / "mutants.md"
REASONS = Path(__file__).with_name("reasons.json")
KINDS = ("equivalent: ", "not caught: ", "since noticed: ")  # how a reason begins; the last: by a later test

Results = Sequence[tuple[Mutant, Found]]

HEAD = """# Faults that are made on purpose

Operators make faults in the library, one at a time, and this page counts which of them are noticed: by a *test* of at
most 2 seconds, in the rooms that try protocols, or else by a *property* of `escrow-lab check`, or else by the *lab*,
where a verdict or a count of a cell or an anatomy changes. A step notices a fault if it fails with the fault, and
passes without it. What notices a fault first is counted: tests are tried first since they are the quickest. `python
-m tools.mutants --write` writes this page; other options try one module, one operator, or a sample. The operators:

"""


def reasons(path: Path = REASONS) -> dict[str, str]:
    """Return the reasons for faults that nothing notices, by the fault's key."""
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def faults(results: Results, whole: Iterable[Mutant], given: dict[str, str] | None = None) -> Iterator[str]:
    """Yield what must be mended: a fault that is not noticed and has no reason, and reasons that do not hold any more.

    `whole` are all faults that the operators make, tried or not.
    """
    given = reasons() if given is None else given
    for mutant, found in results:
        if not found.by and mutant.key not in given:
            yield f"nothing notices it, and there is no reason: {mutant.key}"
        if found.by and mutant.key in given:
            yield f"a reason is given, and it is noticed ({found.by}): {mutant.key}"
    known = {each.key for each in whole}
    yield from (f"a reason is given for what is no fault: {key}" for key in given if key not in known)
    yield from (
        f"a reason begins with one of {KINDS}: {key}" for key, why in given.items() if not why.startswith(KINDS)
    )


def _counts(results: Results) -> str:
    by = Counter(found.by or "nothing" for _, found in results)
    return " | ".join(str(each) for each in (len(results), by["test"], by["property"], by["lab"], by["nothing"]))


def summary(results: Results) -> list[str]:
    """Return the counts in a sentence."""
    caught = sum(bool(found.by) for _, found in results)
    given = reasons()
    same = sum(not found.by and given.get(each.key, "").startswith(KINDS[0]) for each, found in results)
    made, other = len(results), len(results) - same
    shares = [f"{100 * caught / of:.1f} %" if of else "none" for of in (made, other)]
    return [
        f"{made} faults were made, and {caught} are noticed: {shares[0]}.",
        f"Of {other} that change what the program does it is {shares[1]}.",
    ]


def interval(caught: int, made: int) -> str:
    """Return the 95 % interval of a share that a random sample shows, in per cent, by Wilson's formula (1927)."""
    z, share = 1.96, caught / made
    middle, half = share + z * z / (2 * made), z * sqrt(share * (1 - share) / made + (z / (2 * made)) ** 2)
    low, high = (100 * each / (1 + z * z / made) for each in (middle - half, middle + half))
    return f"{low:.1f} % to {high:.1f} %"


Counts = Sequence[tuple[str, int]]  # the commits that were counted, oldest first, and how many faults at each


def said(counts: Counts) -> list[str]:
    """Return which commits were counted, in sentences."""
    (first, _), *later = counts
    lines = [f"This is a count of the sources of commit {first}."]
    if later:
        lines.append(
            "What nothing noticed there and has no reason was tried again later, with the tests of that time, and so"
        )
        lines.append("were faults that were not tried before, or whose function had changed. What was noticed was not.")
        lines += [f"At commit {name} that was {again} faults." for name, again in later if again]
    return lines


def drawn(results: Results, whole: int, counts: Counts, seed: int) -> str:
    """Return the page.

    `whole` is the number of all faults that the operators make in the sources of the last commit of `counts`; `seed`
    chose the sample.
    """
    results = sorted(results, key=lambda each: each[0].key)
    lines = [f"- *{each.name}*: {each.about}" for each in OPERATORS.values()]
    lines += ["", *said(counts), *summary(results)]
    if len(results) < whole:
        within = interval(sum(bool(found.by) for _, found in results), len(results))
        lines.append(f"That is a random sample, chosen by seed {seed}: the operators make {whole} faults in all.")
        if any(again for _, again in counts[1:]):  # then it is no random sample of what the later tests notice
            lines.append("Tests were written for what nothing noticed in it: of the other faults fewer may be noticed.")
        else:
            lines.append(f"Of all faults {within} are noticed, with a confidence of 95 %.")
    else:
        lines.append("These are all faults that the operators make.")
    head = [
        "",
        "| operator | made | by a test | by a property | by the lab | by nothing |",
        "| --- " + "| ---: " * 5 + "|",
    ]
    lines += head
    for name in OPERATORS:
        lines.append(f"| {name} | {_counts([each for each in results if each[0].operator == name])} |")
    lines += [
        "",
        "## By module",
        "",
        head[1].replace("| operator", "| module | operator"),
        "| --- " * 2 + "| ---: " * 5 + "|",
    ]
    for module in sorted({mutant.module for mutant, _ in results}):
        for name in OPERATORS:
            if own := [each for each in results if (each[0].module, each[0].operator) == (module, name)]:
                lines.append(f"| `{module}` | {name} | {_counts(own)} |")
    lines += ["", "## What nothing notices", ""]
    given = reasons()
    for mutant, found in results:
        if not found.by:
            place = f"`{mutant.module}`, {mutant.function or 'the module'}, {mutant.operator}: `` {mutant.text} ``"
            lines.append(f"- {place}. {given.get(mutant.key, 'No reason is given.')}")
    return HEAD + "\n".join(lines).replace("<", "&lt;") + "\n"

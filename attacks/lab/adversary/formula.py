"""An access structure as a formula over the names of principals, whatever the evenings, and back.

  formula   := together "; " together "; " …            any of these opens it
  together  := member ", " member ", " …                all of these are needed
  member    := name | "any 2 of {" name "; " name "}"   `agent-1..9` within the braces stands for all nine

`2 of 3` stands there only if the minimal coalitions are exactly that; else they are listed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import reduce
from math import comb
from typing import NamedTuple

from attacks.lab.adversary.coalitions import Coalition, natural
from attacks.lab.adversary.labelling.labels import BYTES, MATHEMATICS, SERVED, WITHOUT

EVENINGS = re.compile(r"@(?:set-up|\d)[\d,-]*")
OUTSIDE = r"(?![^{]*\})"  # not within braces
THRESHOLD = re.compile(r"any (\d+) of \{([^}]*)\}")
NUMBERED = re.compile(r"(.*\D)(0|[1-9]\d{0,5})")
BASIS = {SERVED: MATHEMATICS, BYTES: MATHEMATICS}
LONG = 4  # names with consecutive numbers, from so many on, are written as a range


class NameThreshold(NamedTuple):
    """Any `t` of these names."""

    t: int
    of: frozenset[str]


class Together(NamedTuple):
    """Names that are needed together, and thresholds beside them."""

    names: frozenset[str] = frozenset()
    thresholds: frozenset[NameThreshold] = frozenset()


def together(coalition: Coalition) -> Together:
    """Return a coalition without its evenings."""
    wide = (NameThreshold(each.t, frozenset(EVENINGS.sub("", one) for one in each.of)) for each in coalition.thresholds)
    return Together(frozenset(each.principal for each in coalition.members), frozenset(wide))


def formula(found: Iterable[Together]) -> str:
    """Return coalitions as a formula: complete sets of t among names that differ in a number become thresholds."""
    terms = frozenset(found)
    stems = sorted({_stem(name) for term in terms for name in term.names})
    parts = [_written(term) for term in _one_of(reduce(_joined, stems, terms))]
    return "; ".join(sorted(parts, key=lambda part: (part.count(", "), natural(part))))


def read(text: str) -> frozenset[Together]:
    """Return the parts of a formula. Raise ValueError for a text that is not a formula."""
    return frozenset(_read(part) for part in re.split(rf";\s*{OUTSIDE}", text.strip()) if part)


def first_of_each(text: str) -> str:
    """Return a coalition as text, the first t names in the place of each threshold."""
    return THRESHOLD.sub(lambda found: ", ".join(_names(found[2])[: int(found[1])]), text)


def every_name(part: Together) -> frozenset[str]:
    """Return all names in a part of a formula."""
    return part.names.union(*(each.of for each in part.thresholds))


# --- from coalitions to thresholds ---


def _joined(terms: frozenset[Together], stem: str) -> frozenset[Together]:
    """Replace terms that differ only in which t of some names with this stem they have, if all such terms are there."""
    alike: dict[tuple[Together, int], set[frozenset[str]]] = defaultdict(set)
    for names, thresholds in terms:
        part = frozenset(name for name in names if _stem(name) == stem)
        alike[Together(names - part, thresholds), len(part)].add(part)
    joined = set[Together]()
    for (rest, t), parts in alike.items():
        every = frozenset[str]().union(*parts)
        alone = t == 1 and rest == Together()  # "a; b" is shorter than any 1 of them
        if 0 < t < len(every) and len(parts) == comb(len(every), t) and not alone:
            joined.add(rest._replace(thresholds=rest.thresholds | {NameThreshold(t, every)}))
        else:
            joined |= {rest._replace(names=rest.names | part) for part in parts}
    return frozenset(joined)


def _one_of(terms: frozenset[Together]) -> frozenset[Together]:
    """Replace three terms or more that differ in one name each by one with any 1 of these names, the most first."""
    beside: dict[Together, set[str]] = defaultdict(set)
    for names, thresholds in terms:
        for name in names if len(names) > 1 or thresholds else ():
            beside[Together(names - {name}, thresholds)].add(name)
    most = max(beside, key=lambda rest: (len(beside[rest]), _written(rest)), default=Together())
    if len(singles := frozenset(beside.get(most, ()))) < 3:
        return terms
    joined = most._replace(thresholds=most.thresholds | {NameThreshold(1, singles)})
    return _one_of(terms - {most._replace(names=most.names | {name}) for name in singles}) | {joined}


def _stem(name: str) -> str:
    """Return a name without the number at its end; the whole name if it ends with none."""
    found = NUMBERED.fullmatch(name)
    return found[1] if found else name


# --- as text ---


def _written(term: Together) -> str:
    wide = [f"any {each.t} of {{{'; '.join(_in_ranges(each.of))}}}" for each in term.thresholds]
    return ", ".join([*sorted(term.names, key=natural), *sorted(wide, key=natural)]) or "nobody"


def _in_ranges(names: Iterable[str]) -> Iterator[str]:
    """Yield names in order, four or more with consecutive numbers as one range."""
    run: list[str] = []
    for name in (*sorted(names, key=natural), ""):
        if run and _after(run[-1]) != name:
            yield from [f"{run[0]}..{NUMBERED.fullmatch(run[-1])[2]}"] if len(run) >= LONG else run  # type: ignore[index]  # names in a run of two or more have a number
            run = []
        run.append(name)


def _after(name: str) -> str | None:
    """Return the same name with the next number, or None if it has no number."""
    found = NUMBERED.fullmatch(name)
    return f"{found[1]}{int(found[2]) + 1}" if found else None


# --- from text ---


def _read(part: str) -> Together:
    names, thresholds = set[str](), set[NameThreshold]()
    for member in re.split(rf",\s*{OUTSIDE}", part.strip()):
        if wide := THRESHOLD.fullmatch(member):
            thresholds.add(NameThreshold(int(wide[1]), frozenset(_names(wide[2]))))
        elif not member or set(member) & set("{};"):
            raise ValueError(f"{member!r} is no name and no threshold")
        elif member != "nobody":
            names.add(member)
    return Together(frozenset(names), frozenset(thresholds))


def _names(within: str) -> list[str]:
    """Return the names between braces, with ranges written out."""
    found: list[str] = []
    for each in re.split(r";\s*", within.strip()):
        first, dots, last = each.partition("..")
        begin = NUMBERED.fullmatch(first) if dots else None
        if dots and (begin is None or not last.isdecimal() or not int(begin[2]) <= int(last) < int(begin[2]) + 10_000):
            raise ValueError(f"{each!r} is no range of names")
        found += [f"{begin[1]}{number}" for number in range(int(begin[2]), int(last) + 1)] if begin else [each]
    return found


# --- what a structure adds to another ---


def basis(label_pass: str) -> str:
    """Return the pass to which another one adds; a pass without a check adds to SERVED, and MATHEMATICS to none."""
    return SERVED if label_pass.startswith(WITHOUT) else BASIS.get(label_pass, "")

"""Compares the silence sets of two files, way by way.

Fewer checks to leave out, or fewer people to corrupt, is worse: a set of the later file that is a proper part of every
set of the earlier one, or a way in that is silent at last, is a regression; the reverse is an improvement. Other
sets are a change. Texts of which the same is to be said stand in one row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from attacks.lab.comparison.difference import Difference, Severity
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.silences import Silences, SilentWay

SILENCE, NOTICED = "silence", "noticed whatever is left out"
Sets = frozenset[frozenset[tuple[str, str]]]
Key = tuple[str, tuple[str, ...], str]


def compare(old: Silences, new: Silences) -> Iterator[Difference]:
    """Yield what differs for each way in and kind of texts; the schemes and their parameters may be others.

    Raise NotComparable if the scenarios differ.
    """
    if old.manifest.scenario != new.manifest.scenario:
        raise NotComparable("their silence sets are of different scenarios")
    return _differences(old, new)


def _differences(old: Silences, new: Silences) -> Iterator[Difference]:
    before, after = _sets(old), _sets(new)
    alike = defaultdict[tuple[str, str, Sets | None, Sets | None], list[str]](list)
    for adds, by, texts in dict.fromkeys((*before, *after)):
        was, now = before.get((adds, by, texts)), after.get((adds, by, texts))
        if was != now:
            alike[adds, " and ".join(by), was, now].append(texts)
    for (adds, whom, was, now), kinds in alike.items():
        severity: Severity = "changed" if was is None or now is None else _severity(was, now)
        row = adds, whom, "; ".join(kinds)
        yield Difference(severity=severity, row=row, what=SILENCE, old=_said(was), new=_said(now))


def _sets(silences: Silences) -> dict[Key, Sets]:
    def sets(way: SilentWay) -> Sets:
        return frozenset(frozenset((each.check, each.on) for each in one.off) for one in way.sets)

    return {(way.adds, way.by, texts): sets(way) for way in silences.ways for texts in way.texts}


def _severity(was: Sets, now: Sets) -> Severity:
    if not was or _weaker(now, was):
        return "regression"
    if not now or _weaker(was, now):
        return "improvement"
    return "changed"


def _weaker(some: Sets, others: Sets) -> bool:
    """Return whether each set of the others has a part in `some`."""
    return bool(some) and all(any(part <= whole for part in some) for whole in others)


def _said(sets: Sets | None) -> str | None:
    """Return sets in words, the smallest first; None for a way in or texts that a file does not have."""
    if sets is None:
        return None
    if not sets:
        return NOTICED
    named = sorted((sorted(f"{check} ({on})" for check, on in one) for one in sets), key=lambda each: (len(each), each))
    return "; or ".join(", ".join(one) or "nothing" for one in named)

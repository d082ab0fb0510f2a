"""Compares two access structures of one scheme: who can open what.

A row of an anatomy stands for the minimal coalitions of the same principals, in one pass; an active one for an attack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import UNSET

from attacks.lab.adversary.labelling.labels import MATHEMATICS
from attacks.lab.comparison.difference import Change, Difference, Rows, count, differences, gone_or_new, same_play
from attacks.lab.comparison.matrices import alarms
from attacks.lab.comparison.texts import apart
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.rows import row
from attacks.lab.results.types import Anatomy, Minimal

Coalitions = dict[tuple[str, ...], Minimal]


def compare(old: Anatomy, new: Anatomy) -> Iterator[Difference]:
    """Yield every difference. Raise NotComparable for another scheme, other parameters or another scenario."""
    if old.scheme != new.scheme:
        raise NotComparable(f"they are of two schemes: {old.scheme} and {new.scheme}")
    same_play(old.manifest, new.manifest)
    before, after = _active(old), _active(new)
    yield from gone_or_new(_rows(before), _rows(after), "opens")
    yield from _in_both(before, after)
    before, after = _passive(old), _passive(new)
    yield from _gone_or_new(before, after)
    yield from _in_both(before, after)


def _active(anatomy: Anatomy) -> Coalitions:
    return {each.row: each for each in anatomy.minimal_coalitions if each.mode == "active"}


def _passive(anatomy: Anatomy) -> Coalitions:
    return {each.row: each for each in anatomy.minimal_coalitions if each.mode == "passive"}


def _rows(coalitions: Coalitions) -> Rows:
    return {key: row(each) for key, each in coalitions.items()}


def _gone_or_new(old: Coalitions, new: Coalitions) -> Iterator[Difference]:
    """Yield the minimal coalitions that stand in only one of the two, with no part of them in the other."""
    passes = {key[0] for key in old}
    for key in new.keys() - old.keys():
        # every later pass opens what mathematics opens, so a pass without a row was not run
        unknown = passes and key[0] not in passes and key[0] != MATHEMATICS
        severity: Literal["new", "regression"] = "new" if unknown else "regression"
        yield Difference(severity=severity, row=key, what="opens", old=None, new=new[key].opens, who=_who(new[key]))
    for key in old.keys() - new.keys():
        # a part of the coalition may be enough now
        smaller = any(other[0] == key[0] and set(other[1:]) < set(key[1:]) for other in new.keys() - old.keys())
        yield Difference(
            severity="changed" if smaller else "improvement",
            row=key,
            what="opens",
            old=old[key].opens,
            new=None,
            who=_who(old[key]),
        )


def _in_both(old: Coalitions, new: Coalitions) -> Iterator[Difference]:
    for key in old.keys() & new.keys():
        yield from differences(key, _changes(old[key], new[key]), _who(new[key]))


def _who(row: Minimal) -> str:
    """Return whom an attack corrupts; or a row's seizures with their evenings, as they can be typed."""
    if row.mode == "active":
        return ", ".join(dict.fromkeys(member.partition("@")[0] for member in row.members))
    wide = [f"any {row.threshold.t} of {{{'; '.join(row.threshold.of)}}}"] if row.threshold else []
    return ", ".join([*row.members, *wide])


def _changes(old: Minimal, new: Minimal) -> Iterator[Change]:
    before, after = row(old), row(new)
    for name in before.keys() | after.keys():
        if name == "opens" or name.startswith("by_day."):
            more, fewer = _texts(old, new) if name == "opens" else ("", "")
            changes = count(name, before.get(name), after.get(name))
            yield from (each._replace(more=more, fewer=fewer) for each in changes)
        elif name == "services" and before[name] != after[name]:
            yield Change("changed", name, before[name], after[name])
    yield from alarms(old.alarms, new.alarms)


def _texts(old: Minimal, new: Minimal) -> tuple[str, str]:
    """Return the texts that the row opens in the later run alone, and in the earlier alone; none if one lists none."""
    if old.texts is UNSET or new.texts is UNSET:
        return "", ""
    return apart(old.texts.opened, new.texts.opened)

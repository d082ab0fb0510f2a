"""How what is against a claim stands: outside the source's model, conceded by it, as in plain, or a breach.

A text is counted by the worst of the coalitions that open it and that no grant covers: what nothing excuses, before
what plain excuses, before what the source concedes, before what its model excludes. In plain it must be the same
thieves: whoever holds the scheme's coalition must hold one that opens the same text there. A text that the lawful
access yields outside every warrant does not count if a corrupted device sent or received it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.results.types import Against, Alarms
from attacks.lab.simulation.attack import Corruption, Turn, Use
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.judging.reach import Reach

AUTHORITY = Coalition((Seizure("authority"),))


class InPlain(NamedTuple):
    """What an attack opens in the scheme that cells are compared with: by text, the coalitions; and who noticed.

    `itself`: the cell is of that very scheme, which nothing is compared with.
    """

    opened: Mapping[int, tuple[Coalition, ...]] = {}
    alarms: tuple[Alarms, ...] = ()
    itself: bool = False


NOTHING = InPlain()


class Standing(NamedTuple):
    """The counts of what is against the claim, and the sentences that excuse any of it.

    `left_by` is the coalition by which most texts are opened that nothing excuses; none if there are none.
    """

    against: Against
    outside_model: bool
    model: tuple[str, ...]
    concessions: tuple[str, ...]
    left_by: Coalition | None = None


class _Stand(IntEnum):
    """How a text stands with one coalition; the least excused is the greatest."""

    OUTSIDE = 0
    CONCEDED = 1
    PLAIN = 2
    LEFT = 3


def in_plain(found: Reach, alarms: tuple[Alarms, ...]) -> InPlain:
    """Return what an attack opens, for cells of other schemes."""
    opened = {text: tuple(found.coalitions[mask] for mask in masks) for text, masks in found.masks.items()}
    return InPlain(opened, alarms)


def weigh(
    judge: Judge, found: Reach, messaging: Messaging, corruptions: Sequence[Corruption], plain: InPlain
) -> Standing:
    """Return how everything that no grant covers stands.

    Args:
        judge: the judge of the record and the claim.
        found: what the attack's corruptions open.
        messaging: the effect of the attack's play.
        corruptions: the attack's corruptions.
        plain: what the attack opens in plain.
    """
    whole = _outside(judge, corruptions)
    noticed = not plain.itself and not complaints(plain.alarms) - complaints(messaging.alarms)
    always = frozenset(each.principal for each in found.corrupted)
    stands: dict[int, _Stand] = {}
    model, concessions = dict.fromkeys(whole), dict[str, None]()

    def stand(coalition: Coalition, text: int) -> _Stand:
        if whole or (why := judge.outside(coalition)):
            model.setdefault(*whole[:1] or (why,))
            return _Stand.OUTSIDE
        if where := judge.conceded(coalition, text):
            concessions.setdefault(where)
            return _Stand.CONCEDED
        same = noticed and any(_covers(coalition, each, always) for each in plain.opened.get(text, ()))
        return _Stand.PLAIN if same else _Stand.LEFT

    left = Counter[Coalition]()
    for text, masks in found.excluded.items():
        several = {found.coalitions[mask]: stand(found.coalitions[mask], text) for mask in masks}
        stands[text] = max(several.values())
        left.update(coalition for coalition, stood in several.items() if stood is _Stand.LEFT)
    over = {text for text in messaging.overreached - found.own if not judge.granted(AUTHORITY, text)}
    for text in over:
        stands[text] = max(stands.get(text, _Stand.OUTSIDE), _Stand.OUTSIDE if whole else stand(AUTHORITY, text))
    counts = Counter(stands.values())
    against = Against(
        texts=len(stands),
        overcollected=len(over),
        outside=counts[_Stand.OUTSIDE],
        conceded=counts[_Stand.CONCEDED],
        as_plain=counts[_Stand.PLAIN],
    )
    most = min(left, key=lambda each: (-left[each], len(each.members), str(each)), default=None)
    return Standing(against, bool(whole), tuple(model), tuple(concessions), most)


def _outside(judge: Judge, corruptions: Sequence[Corruption]) -> tuple[str, ...]:
    """Return the assumptions that exclude every way in which the attack may go; none if one way is inside the model.

    A party that misbehaves, or a state that is used, is part of every way.
    """
    said = {each: judge.outside(Coalition((Seizure(each.principal),))) for each in dict.fromkeys(corruptions)}
    needed = [said[each] for each in said if isinstance(each, Turn | Use)]
    if any(needed):
        return tuple(dict.fromkeys(filter(None, needed)))
    return tuple(dict.fromkeys(said.values())) if said and all(said.values()) else ()


def _covers(coalition: Coalition, other: Coalition, always: frozenset[str]) -> bool:
    """Return whether everybody who could be `coalition` could be `other`; `always` are held on every evening."""
    return not other.thresholds and all(
        any(
            mine.principal == theirs.principal
            and (mine.principal in always or not theirs.evenings or set(mine.evenings or (None,)) <= {*theirs.evenings})
            for mine in coalition.members
        )
        for theirs in other.members
    )


def complaints(alarms: Iterable[Alarms]) -> Counter[tuple[str, str]]:
    """Return how often each party complained for each reason."""
    return Counter({(each.who, each.check): each.times for each in alarms})

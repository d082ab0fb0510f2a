"""What a cell says beside its counts: the texts that they count, and when the coalition's states are taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from attacks.lab.adversary.timing.evenings import as_text, first_day, in_words
from attacks.lab.results.details import CellTexts, StateTaken, WhyMissed, packed
from attacks.lab.simulation.attack import Corruption, Keep, Turn, Use, evenings_of
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.judging.reach import Reach
from escrow.scheme import Scheme


def texts_listed(
    found: Reach,
    mask: int,
    scheme: Scheme,
    messaging: Messaging,
    honest: Messaging,
    unkept: frozenset[int],
    in_plain: Iterable[int],
) -> CellTexts:
    """Return the texts of a cell, by number.

    Args:
        found: what the attack's corruptions open.
        mask: what the cell's coalition holds.
        scheme: the scheme.
        messaging: the effect of the attack's play.
        honest: that of the honest play.
        unkept: the texts that the claim promises to the lawful access, and that evade it.
        in_plain: the texts that the attack opens in plain.
    """
    return CellTexts(
        opened=packed(found.opened(mask)),
        reached=packed(found.masks),
        excluded=packed(found.excluded),
        over_plain=packed(found.masks.keys() - set(in_plain)),
        beyond=packed(found.beyond),
        lawful={in_words(evening): packed(ids) for evening, ids in _first_returned(messaging).items()},
        overreached=packed(messaging.overreached),
        missed=_missed(messaging, honest),
        unkept=packed(unkept),
        misattributed=packed(messaging.misattributed),
        framed=packed(messaging.framed(scheme)),
        fabricated={in_words(evening): count for evening, count in messaging.fabricated_by_evening.items()},
    )


def _first_returned(messaging: Messaging) -> dict[int, set[int]]:
    """Return the texts that the lawful access returned, by the evening on which it first did."""
    found: dict[int, set[int]] = defaultdict(set)
    known = set[int]()
    for said in messaging.record.lawful:
        text = messaging.ids.get(said.body)
        if text is not None and text not in known:
            found[said.day].add(text)
            known.add(text)
    return found


def _missed(messaging: Messaging, honest: Messaging) -> dict[WhyMissed, str]:
    by: dict[WhyMissed, set[int]] = defaultdict(set)
    for text in sorted(messaging.evaded):
        by[_why(text, messaging, honest)].add(text)
    return {why: packed(ids) for why, ids in by.items()}


def _why(text: int, messaging: Messaging, honest: Messaging) -> WhyMissed:
    """Return why a text is missed: what the attack did to it or, if that is not it, what happens without the attack."""
    record, sent = messaging.record, messaging.by_id[text]
    if text in honest.lawful:
        corrupted = {each.principal for each in record.corrupted}
        return "corrupted sender" if sent.device in corrupted else "other corrupted party" if corrupted else "unknown"
    if not honest.lawful:
        return "missed without the attack"
    if any(lost == text for lost, _ in record.lost):
        return "packet lost"
    if text in messaging.retrospective:
        return "sent before the warrant"
    return "missed without the attack"


def states_taken(found: Reach, corruptions: Sequence[Corruption], scenario: Scenario) -> tuple[StateTaken, ...]:
    """Return when the states of the cell's coalition are taken, and who of it misbehaves from when on.

    Where several evenings would do, it is the scenario's attack day or else the first of them.
    """
    kept = {each.principal: each for each in corruptions if isinstance(each, Keep)}
    on: dict[str, set[int]] = defaultdict(set)
    for each in corruptions:
        on[each.principal].update(evenings_of(each, scenario.days))
    taken = [_began(each) for each in corruptions if isinstance(each, Turn | Use)]
    members = () if found.corrupted else found.structure.example(found.best[1]).members
    for member in members:
        if member.principal in kept:
            taken.append(_began(kept[member.principal]))
            continue
        able = sorted(on[member.principal].intersection(member.evenings or on[member.principal]))
        day = scenario.attack_day if scenario.attack_day in able else first_day(able)
        others = as_text(tuple(each for each in able if each != day))
        taken.append(StateTaken(who=member.principal, how="stolen", day=day, time="evening", or_on=others))
    return tuple(taken)


def _began(each: Turn | Use | Keep) -> StateTaken:
    """Return from when on a party misbehaves, keeps what it should erase, or is played with."""
    if isinstance(each, Use):
        return StateTaken(who=each.principal, how="used", day=each.evening, time="evening")
    how: Literal["turned", "kept"] = "turned" if isinstance(each, Turn) else "kept"
    return StateTaken(who=each.principal, how=how, day=each.day, time="morning")

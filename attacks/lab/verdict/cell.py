"""The verdict of a cell: what an attack's corruptions open, and what else the play did, against the claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from attacks.lab.adversary.coalitions import Coalition
from attacks.lab.adversary.timing.evenings import first_day
from attacks.lab.adversary.work import in_words
from attacks.lab.results.types import Added, Cell, Cost, Exposed, Exposure, Grounds
from attacks.lab.simulation.attack import Attack, Corruption, Turn
from attacks.lab.simulation.record import Record, Sent
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.frontier import StrategyResult
from attacks.lab.verdict.judging.procedure import decided, texts
from attacks.lab.verdict.judging.reach import Reach, as_seized, reach
from attacks.lab.verdict.judging.refusals import final, unexplained
from attacks.lab.verdict.judging.standing import InPlain, Standing, weigh
from attacks.lab.verdict.listing import states_taken, texts_listed
from attacks.lab.verdict.named import by_network


def judge_cell(tried: StrategyResult, honest: Messaging, in_plain: InPlain) -> Cell:
    """Return the cell of one scheme under one strategy of an attack, as it was tried.

    `in_plain` is what the attack opens in the scheme that cells are compared with.
    """
    analysis, attack, corruptions, judge = tried.analysis, tried.attack, tried.corruptions, tried.judge
    record, messaging, found = analysis.record, tried.messaging, tried.found
    coalition, mask = found.best
    opened = found.opened(mask)
    seized = as_seized(coalition, corruptions, record.scenario.days)
    turns = [each.day for each in corruptions if isinstance(each, Turn)]
    day = min(turns) - 1 if turns else _when(seized, record.scenario.attack_day)
    promise, delay = judge.claim.access, judge.claim.delay
    unkept = messaging.unkept(promise, delay)
    missing = judge.missed(unkept, _changed(analysis, attack))
    standing = weigh(judge, found, messaging, corruptions, in_plain)
    notes = (
        *_guessing(found, opened, record.scenario.work),
        *_left(standing, coalition, corruptions, record),
        *_updates(analysis, attack),
        *_final(analysis, judge, attack, corruptions),
    )
    return decided(
        msgspec.structs.replace(
            _played(analysis, attack, messaging, honest, day),
            coalition=tuple(map(str, (*seized.members, *seized.thresholds))),
            exposed=_exposed(opened, day, messaging),
            excluded=len(found.excluded),
            unkept=len(unkept),
            unkept_conceded=len(missing),
            access=messaging.access(promise, delay),
            against=msgspec.structs.replace(standing.against, by_coalition=len(found.excluded.keys() & opened)),
            grounds=Grounds(
                outside_model=standing.outside_model,
                model=standing.model,
                concessions=tuple(dict.fromkeys((*standing.concessions, *missing.values()))),
                untested=record.untested,
                doubts=_doubts(analysis, attack, corruptions),
                basis=_basis(analysis),
                notes=notes,
            ),
            beyond=len(found.beyond),
            added_over_plain=len(found.masks.keys() - in_plain.opened.keys()),
            cost=Cost(
                seizures=len(coalition.members) + sum(each.t for each in coalition.thresholds),
                trials=_trials(record, attack),
            ),
            texts=texts_listed(found, mask, analysis.scheme, messaging, honest, unkept, in_plain.opened),
            taken=states_taken(found, corruptions, record.scenario),
        )
    )


def _played(analysis: Analysis, attack: Attack, messaging: Messaging, honest: Messaging, day: int) -> Cell:
    """Return a cell with what the play did, whoever opens what; texts up to `day` are past."""
    return Cell(
        scheme=analysis.scheme.name,
        attack=attack.name,
        verdict="HELD",
        sent=len(analysis.record.sent),
        lawful=len(messaging.lawful),
        entitled=len(messaging.entitled),
        overreached=len(messaging.overreached),
        overcollected=_exposed(messaging.overreached, day, messaging),
        outside=messaging.outside,
        evaded=len(messaging.evaded),
        missed=_exposed(messaging.evaded, day, messaging),
        fabricated=messaging.fabricated,
        unreadable=len(messaging.unreadable),
        misattributed=len(messaging.misattributed),
        named=len(by_network(analysis)),
        lost=len(messaging.lost),
        forged=messaging.forged,
        duplicated=messaging.duplicated,
        framed=len(messaging.framed(analysis.scheme)),
        added=Added(
            lost=0 if attack.stops_mail else len(messaging.lost - honest.lost),
            duplicated=max(0, messaging.duplicated - honest.duplicated),
        ),
        services=_relied_on(analysis, attack),
        alarms=messaging.alarms,
    )


def _doubts(analysis: Analysis, attack: Attack, corruptions: Sequence[Corruption]) -> tuple[str, ...]:
    """Return in words which refusal nothing explains, if the attack puts requests to officials."""
    if not attack.served:
        return ()
    return tuple(filter(None, [unexplained(analysis, {each.principal for each in corruptions})]))


def _final(analysis: Analysis, judge: Judge, attack: Attack, corruptions: Sequence[Corruption]) -> Iterator[str]:
    """Yield in words which refusals the count rests on, if the attack puts requests to officials."""
    if attack.served:
        without = partial(reach, analysis, judge, attack, corruptions)
        yield from final(analysis, lambda name: len(without(name).masks))


def _left(standing: Standing, coalition: Coalition, corruptions: Sequence[Corruption], record: Record) -> Iterator[str]:
    """Yield in words which coalition opens texts that nothing excuses, if it is not the cell's coalition."""
    by, left = standing.left_by, standing.against.left
    if by is not None and by != coalition and left < standing.against.texts:
        who = as_seized(by, corruptions, record.scenario.days)
        yield f"nothing excuses {texts(left)}, which {who} can open"


def _updates(analysis: Analysis, attack: Attack) -> Iterator[str]:
    """Yield in words how many users' clients the vendor updates in this attack, if it updates any."""
    scenario = analysis.record.scenario
    updated = sum(attack.silenced(user.name, analysis.scheme, scenario) is not None for user in scenario.users)
    if updated:
        every = len(scenario.users)
        yield f"the vendor updates the clients of {updated} of {every} users, and takes no state of theirs"


def _changed(analysis: Analysis, attack: Attack) -> Iterator[str]:
    """Yield the devices whose clients the vendor updates so that they make other fields."""
    for user in analysis.record.scenario.users:
        left_out = attack.silenced(user.name, analysis.scheme, analysis.record.scenario)
        if left_out is not None and left_out.other_keys:
            yield from left_out.of(user.devices)


def _trials(record: Record, attack: Attack) -> int:
    """Return the trials of all corrupted parties, by their last states."""
    last = record.scenario.days - 1
    return sum(attack.trials(record.party(name, last)) for name in {each.principal for each in record.corrupted})


def _basis(analysis: Analysis) -> str:
    fired = sum(1 for times in analysis.adversary.fired.values() if times)
    return f"{len(analysis.rules)} rules, {fired} of which fired here"


def _guessing(found: Reach, opened: frozenset[int], limit: int) -> Iterator[str]:
    """Yield in words what guesses the opened texts take, and which texts take too many."""
    if bits := [found.work[text] for text in opened if text in found.work]:
        yield f"each takes up to {in_words(max(bits))}"
    if found.beyond:
        yield f"{texts(len(found.beyond))} beyond 2^{limit}, from {in_words(min(found.beyond.values()))} on"


def _exposed(opened: frozenset[int], day: int, messaging: Messaging) -> Exposed:
    """Count texts by whether a warrant targets them and whether they were sent up to `day`."""
    targets = {warrant.order.target for warrant in messaging.record.warrants}
    counts: Counter[tuple[bool, bool]] = Counter(
        (bool(targets & set(sent.people)), sent.day <= day) for sent in map(messaging.by_id.__getitem__, opened)
    )
    return Exposed(
        target=Exposure(past=counts[True, True], future=counts[True, False]),
        bystander=Exposure(past=counts[False, True], future=counts[False, False]),
    )


def _when(coalition: Coalition, attack_day: int) -> int:
    """Return the evening of the last seizure: on the attack day if possible, else on its first day or at set-up."""
    days = [
        attack_day if attack_day in member.evenings else first_day(member.evenings, default=attack_day)
        for member in coalition.members
    ]
    return max(days, default=attack_day)


def _relied_on(analysis: Analysis, attack: Attack) -> tuple[str, ...]:
    """Return the officials on whose honesty this cell counts, if the attack puts requests to them."""
    return analysis.adversary.officials if attack.served else ()


__all__ = ["Messaging", "Reach", "Sent", "judge_cell", "reach"]

"""The anatomy of a scheme: every minimal coalition, what it opens by evening, in each pass; and what active ones open.

*Passive* rows are the labels of the honest play with its lawful warrants. *Active* rows are one play for each attack
that corrupts a principal. Minimal coalitions of the same principals stand in one row, whatever their evenings:
`members` gives all evenings that occur, `by_day` what a seizure on that evening opens that no part of the coalition
opens. `structure` is it by names alone, with what each coalition opens if every member is seized on every
evening. Who sent what, where a scheme's fields say it, is measured apart (`identities`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.adversary.formula import Together, basis, every_name, formula, together
from attacks.lab.adversary.timing.evenings import in_words
from attacks.lab.results.details import MinimalTexts, packed, texts_of
from attacks.lab.results.formulas import AccessFormula, NamedCoalition, NameThresholdRow
from attacks.lab.results.types import Anatomy, ByDay, MemberThreshold, Minimal
from attacks.lab.simulation.attack import Attack, Turn, Use, evenings_of
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.access.guesses import guessed
from attacks.lab.verdict.access.identities import identities
from attacks.lab.verdict.analysis import BYTES, MATHEMATICS, Analysis
from attacks.lab.verdict.evaluation import Evaluation, manifest
from attacks.lab.verdict.frontier import most
from attacks.lab.verdict.judging.refusals import sentences
from attacks.lab.verdict.named import named
from escrow import crypto
from escrow.scheme import SET_UP, Scheme

Progress = Callable[[int, int, str], None]
Group = dict[int, list[Coalition]]  # text -> the minimal coalitions of one kind that open it


def anatomy(
    scheme: Scheme,
    attacks: Sequence[Attack],
    scenario: Scenario,
    progress: Progress | None = None,
    *,
    isolated: bool = False,
    by_bytes: bool = False,
) -> Anatomy:
    """Return the measured access structure of a scheme in a scenario.

    Args:
        scheme: the scheme to play.
        attacks: they give rules, and each active one gives a row.
        scenario: the scenario to play.
        progress: called with (steps done, steps in all, name of the step).
        isolated: whether each adversary has its own process.
        by_bytes: whether there is a pass `bytes` too: mathematics, and what follows by bytes alone.
    """
    with crypto.running(crypto.Run(None, results=crypto.Results())):
        evaluation = Evaluation(scheme, attacks, scenario, isolated=isolated, by_bytes=by_bytes)
        cast = evaluation.record.cast
        active = [each for each in attacks if not each.applies(scheme, cast) and _turns(each, evaluation)]
        rows: list[Minimal] = []
        for done, name in enumerate(("passive", *(each.name for each in active))):
            if progress is not None:
                progress(done, len(active) + 1, name)
            rows += _passive(evaluation.analysis) if not done else _active(evaluation, active[done - 1])
        return Anatomy(
            scheme=scheme.name,
            sent=len(evaluation.record.sent),
            structure=tuple(by_names(evaluation.analysis)),
            guesses=tuple(guessed(evaluation.analysis)),
            minimal_coalitions=tuple(rows),
            identities=identities(evaluation),
            named=named(evaluation.analysis),
            access=evaluation.honest.access(scheme.claim.access, scheme.claim.delay),
            refusals=sentences(evaluation.analysis.adversary.refusals),
            texts=texts_of(scenario),
            manifest=manifest([scheme], attacks, scenario, attacks),
        )


# --- by names alone ---


def by_names(analysis: Analysis) -> Iterator[AccessFormula]:
    """Yield, pass by pass, the coalitions that its basis does not have with the same count: officials first."""
    officials = set(analysis.record.cast.officials)
    found = {name: _opened(analysis, name) for name in analysis.passes}
    for name, opened in found.items():
        known = found.get(basis(name), {})
        rows: dict[tuple[bool, int], list[Together]] = defaultdict(list)
        for term, texts in opened.items():
            if len(known.get(term, ())) != len(texts):
                rows[every_name(term) <= officials, len(texts)].append(term)
        for ours, opens in sorted(rows, reverse=True):
            terms = rows[ours, opens]
            listed = tuple(sorted((_named(term, opened[term]) for term in terms), key=msgspec.structs.astuple))
            yield AccessFormula(
                label_pass=name, officials_only=ours, opens=opens, formula=formula(terms), coalitions=listed
            )


def _named(term: Together, texts: frozenset[int]) -> NamedCoalition:
    """Return a coalition by names as data, with the texts that it opens."""
    wide = sorted((each.t, tuple(sorted(each.of))) for each in term.thresholds)
    return NamedCoalition(
        names=tuple(sorted(term.names)),
        thresholds=tuple(NameThresholdRow(t=t, of=of) for t, of in wide),
        texts=packed(texts),
    )


def _opened(analysis: Analysis, name: str) -> dict[Together, frozenset[int]]:
    """Return the minimal sets of principals of all texts, with the texts that each opens."""
    structure = analysis.structure(name)
    examples: dict[Together, list[Seizure]] = {}
    minimal = set[Together]()
    for masks in {frozenset(analysis.masks(text, name)) for text in analysis.texts_in(name)}:
        terms = {mask: together(structure.coalition(mask)) for mask in masks}
        for mask, term in terms.items():
            examples.setdefault(term, [Seizure(each.principal) for each in structure.example(mask).members])
        minimal |= {term for term in terms.values() if not any(_inside(other, term) for other in terms.values())}
    return {term: analysis.opened_by(examples[term], name) for term in minimal}


def _inside(part: Together, whole: Together) -> bool:
    """Return whether one set of principals is a proper part of another."""
    return part != whole and part.names <= whole.names and part.thresholds <= whole.thresholds


# --- passive ---


def _passive(analysis: Analysis) -> Iterator[Minimal]:
    for name in analysis.passes:
        groups = _groups(analysis, name)
        for kind in sorted(groups, key=lambda kind: (len(kind), kind)):
            yield _row(analysis, name, groups[kind])


def _groups(analysis: Analysis, name: str) -> dict[tuple[str, ...], Group]:
    """Return the minimal coalitions of every text, by their principals (or thresholds)."""
    structure = analysis.structure(name)
    known: dict[int, Coalition] = {}
    groups: dict[tuple[str, ...], Group] = defaultdict(lambda: defaultdict(list))
    for text in analysis.texts_in(name):
        for mask in analysis.masks(text, name):
            coalition = known.setdefault(mask, structure.coalition(mask))
            kind = (*(each.principal for each in coalition.members), *map(str, coalition.thresholds))
            groups[kind][text].append(coalition)
    return groups


def _row(analysis: Analysis, name: str, group: Group) -> Minimal:
    first = next(iter(group.values()))[0]
    evenings = _evenings(group)
    members = tuple(
        Seizure(each.principal, tuple(sorted(on))) for each, on in zip(first.members, evenings, strict=True)
    )
    days = {sent.id: sent.day for sent in analysis.record.sent}
    by_day = {evening: opened for evening, opened in _by_evening(analysis, group) if opened}
    most = max(map(len, by_day.values()), default=0)
    officials = set(analysis.record.cast.officials)
    wide = first.thresholds[0] if first.thresholds else None
    return Minimal(
        mode="passive",
        label_pass=name,
        members=tuple(map(str, members)),
        periods=_periods(group),
        threshold=MemberThreshold(t=wide.t, of=wide.of) if wide else None,
        officials_only=all(each.principal in officials for each in members),
        opens=most or _most(group),
        by_day={in_words(evening): _split(opened, days, evening) for evening, opened in by_day.items()},
        services=_services(analysis, name),
        texts=_listed(group, by_day),
    )


def _evenings(group: Group) -> list[set[int]]:
    """Return for each member of the row all evenings that occur."""
    found: list[set[int]] = []
    for coalitions in group.values():
        for coalition in coalitions:
            found = found or [set() for _ in coalition.members]
            for evenings, member in zip(found, coalition.members, strict=True):
                evenings.update(member.evenings)
    return found


def _periods(group: Group) -> tuple[str, ...]:
    """Return the stretches of evenings, if each coalition of several takes all its members within one of several."""
    coalitions = {coalition for coalitions in group.values() for coalition in coalitions}
    stretches = {tuple({member.evenings for member in each.members}) for each in coalitions}
    if len(stretches) < 2 or any(len(each) > 1 for each in stretches) or len(next(iter(coalitions)).members) < 2:
        return ()
    return tuple(str(Seizure("", evenings))[1:] for evenings in sorted(each[0] for each in stretches))


def _by_evening(analysis: Analysis, group: Group) -> Iterator[tuple[int, set[int]]]:
    """Yield what the row opens if its last seizure is on an evening, the others on the best earlier ones."""
    days = range(SET_UP, analysis.record.scenario.days)
    names = [each.principal for each in next(iter(group.values()))[0].members]
    if len(names) == len(set(names)):
        for evening in days:
            yield evening, {text for text, found in group.items() if any(_meets(each, (evening,)) for each in found)}
    elif len(names) == 2:
        for evening in days:
            pairs = ((earlier, evening) for earlier in range(SET_UP, evening))
            opened = ({t for t, found in group.items() if any(_meets(e, pair) for e in found)} for pair in pairs)
            yield evening, max(opened, key=len, default=set())


def _meets(coalition: Coalition, evenings: tuple[int, ...]) -> bool:
    """Return whether seizing each member on one of these evenings (if several, in order) gives the coalition."""
    if len(evenings) == 1:
        return all(evenings[0] in member.evenings for member in coalition.members)
    return all(day in member.evenings for day, member in zip(evenings, coalition.members, strict=True)) or all(
        day in member.evenings for day, member in zip(evenings[::-1], coalition.members, strict=True)
    )


def _most(group: Group) -> int:
    """Return the largest number of texts that one coalition of the row opens."""
    counts: dict[Coalition, int] = defaultdict(int)
    for coalitions in group.values():
        for coalition in coalitions:
            counts[coalition] += 1
    return max(counts.values())


def _split(opened: set[int], days: dict[int, int], evening: int) -> ByDay:
    earlier = sum(days[text] <= evening for text in opened)
    return ByDay(earlier=earlier, later=len(opened) - earlier)


def _listed(texts: Iterable[int], by_day: Mapping[int, Iterable[int]]) -> MinimalTexts:
    return MinimalTexts(
        opened=packed(texts), by_day={in_words(evening): packed(opened) for evening, opened in by_day.items()}
    )


def _services(analysis: Analysis, name: str) -> tuple[str, ...]:
    """Return the officials on whose honesty this pass counts."""
    if name in (MATHEMATICS, BYTES):
        return ()
    return analysis.adversary.officials


# --- active ---


def _turns(attack: Attack, evaluation: Evaluation) -> list[Turn | Use]:
    """Return whose behaviour an attack takes over, and whose states it plays with."""
    found = list(attack.corruptions(evaluation.cast, evaluation.scenario))
    return [each for each in found if isinstance(each, Turn | Use)]


def _active(evaluation: Evaluation, attack: Attack) -> Iterator[Minimal]:
    """Yield what the corrupted principals open by the strategy that reads most, and who complained."""
    chosen = most(evaluation.tried(attack))
    analysis, turns = chosen.analysis, _turns(chosen.attack, evaluation)
    seizures = [Seizure(each.principal, evenings_of(each, evaluation.scenario.days)) for each in turns]
    opened = analysis.opened_by([Seizure(each.principal, (evening,)) for each in seizures for evening in each.evenings])
    day = min(each.day if isinstance(each, Turn) else each.evening + 1 for each in turns)
    untested = analysis.record.untested
    days = {sent.id: sent.day for sent in analysis.record.sent}
    earlier = sum(days[text] < day for text in opened)
    yield Minimal(
        mode="active",
        label_pass=MATHEMATICS,
        members=tuple(map(str, seizures)),
        officials_only=all(each.principal in analysis.record.cast.officials for each in seizures),
        opens=len(opened),
        by_day={str(day): ByDay(earlier=earlier, later=len(opened) - earlier)} if opened else {},
        meddle=f"{attack.name} (INCONCLUSIVE: {untested})" if untested else attack.name,
        strategy=chosen.attack.strategy,
        alarms=chosen.messaging.alarms,
        texts=_listed(opened, {day: opened} if opened else {}),
    )

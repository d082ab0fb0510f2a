"""The verdict of a cell: what an attack's corruptions open, and what else the play did, against the claim."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from attacks.lab.adversary.coalitions import AccessStructure, Coalition, Seizure
from attacks.lab.adversary.timing.evenings import first_day
from attacks.lab.adversary.work import in_words
from attacks.lab.results.types import Cell, Cost, Exposed, Exposure, Verdict
from attacks.lab.simulation.attack import Attack, Corruption, Turn, Use, evenings_of
from attacks.lab.simulation.record import Record, Sent
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.named import by_network
from attacks.lab.verdict.refusals import final, unexplained


@dataclass(frozen=True)
class Reach:
    """The texts that an attack's corruptions open: for each the minimal masks within them.

    `work` has the bits of work of texts that take guesses, `beyond` those of texts that take too many.
    """

    structure: AccessStructure
    masks: dict[int, tuple[int, ...]]
    excluded: dict[int, tuple[int, ...]]  # those of them that no grant covers
    corrupted: tuple[Seizure, ...]
    work: dict[int, float]
    beyond: dict[int, float]

    def best(self) -> tuple[Coalition, int]:
        """Return the smallest coalition that opens the most excluded texts, or else the most texts; and its mask.

        All corrupted principals are one coalition from the day of corruption on.
        """
        if self.corrupted and self.masks:
            evenings = [Seizure(each.principal, (day,)) for each in self.corrupted for day in each.evenings]
            return Coalition(self.corrupted), self.structure.mask(evenings)
        for masks in (self.excluded, self.masks):
            counts = Counter(mask for each in masks.values() for mask in each)
            if counts:
                chosen = min(counts, key=lambda mask: self._rank(mask, masks))
                return self.structure.coalition(chosen), chosen
        return Coalition(()), 0

    def _rank(self, mask: int, masks: dict[int, tuple[int, ...]]) -> tuple[int, int, tuple[Seizure, ...], str]:
        coalition = self.structure.coalition(mask)
        return -len(self.opened(mask, masks)), len(coalition.members), coalition.members, str(coalition)

    def opened(self, mask: int, masks: dict[int, tuple[int, ...]] | None = None) -> frozenset[int]:
        """Return the texts that a mask opens, of those in `masks`."""
        inside = self.structure.labels.satisfied(mask)
        of_texts = (self.masks if masks is None else masks).items()
        return frozenset(text for text, found in of_texts if any(each & inside == each for each in found))

    def taken(self) -> tuple[tuple[Seizure, ...], frozenset[int]]:
        """Return the best coalition as it could be seized, each on one possible evening, and the texts that it opens.

        A corrupted principal is taken on every evening from then on.
        """
        coalition, mask = self.best()
        members = coalition.members if self.corrupted else self.structure.example(mask).members
        evenings = None if self.corrupted else 1
        single = [Seizure(each.principal, (day,)) for each in members for day in each.evenings[:evenings]]
        return (*(each for each in members if not each.evenings), *single), self.opened(mask)


def reach(analysis: Analysis, judge: Judge, attack: Attack, corruptions: Sequence[Corruption], name: str = "") -> Reach:
    """Return every text that the corruptions open together or in part, its minimal coalitions, and the excluded ones.

    `name` is the pass: by default the one that the attack is judged in. Texts that a corrupted device sent or received
    itself do not count: an attacker that runs a device reads its texts.
    """
    days = analysis.record.scenario.days
    corrupted = tuple(
        Seizure(each.principal, tuple(range(each.day, days))) for each in corruptions if isinstance(each, Turn)
    )
    misused = {each.principal for each in corrupted}
    used = tuple(Seizure(each.principal, (each.evening,)) for each in corruptions if isinstance(each, Use))
    corrupted += used
    own = {sent.id for sent in analysis.record.sent if misused & {sent.device, *sent.intended}}
    name = name or (SERVED if attack.served else MATHEMATICS)
    structure = analysis.structure(name)
    pool = structure.labels.satisfied(structure.mask(_seizures(corruptions, days)))
    masks: dict[int, tuple[int, ...]] = {}
    excluded: dict[int, tuple[int, ...]] = {}
    granted: dict[int, Coalition] = {}
    work: dict[int, float] = {}
    beyond: dict[int, float] = {}
    guessing = structure.labels.work.guesses
    for text in sorted(analysis.texts.keys() - own):
        inside = tuple(mask for mask in analysis.masks(text, name) if mask & ~pool == 0)
        if guessing and (bits := analysis.work(text, pool, name)):
            (work if inside else beyond)[text] = bits
        if not inside:
            continue
        masks[text] = inside
        for mask in inside:
            granted.setdefault(mask, _with(structure.coalition(mask), used))
        if outside := tuple(mask for mask in inside if not judge.granted(granted[mask], text)):
            excluded[text] = outside
    return Reach(structure, masks, excluded, corrupted, work, beyond)


def _with(coalition: Coalition, used: tuple[Seizure, ...]) -> Coalition:
    """Return the coalition with the states that were stolen and used: what others did with them follows from these."""
    if not used:
        return coalition
    return Coalition(tuple(dict.fromkeys((*coalition.members, *used))), coalition.thresholds)


def _seizures(corruptions: Iterable[Corruption], days: int) -> list[Seizure]:
    """Return one seizure for each evening on which a principal's state is taken."""
    evenings: dict[str, set[int]] = defaultdict(set)
    for each in corruptions:
        evenings[each.principal].update(evenings_of(each, days))
    return [Seizure(name, (evening,)) for name, on in sorted(evenings.items()) for evening in sorted(on)]


def judge_cell(
    analysis: Analysis,
    attack: Attack,
    corruptions: Sequence[Corruption],
    judge: Judge,
    found: Reach,
    honest: Messaging,
    opened_in_plain: frozenset[int],
) -> Cell:
    """Return the cell of one scheme under one attack, whose corruptions open what `found` says."""
    record = analysis.record
    messaging = Messaging(record)
    framed = len(messaging.framed(analysis.scheme))
    coalition, mask = found.best()
    opened = found.opened(mask)
    turns = [each.day for each in corruptions if isinstance(each, Turn)]
    day = min(turns) - 1 if turns else _when(coalition, record.scenario.attack_day)
    wrong = _wrong(found, coalition, opened, messaging, framed, honest, judge, attack)
    verdict: Verdict = "BREACH" if wrong else "AS CLAIMED" if found.masks else "HELD"
    said = [*wrong] or [_extent(found, coalition, len(opened), analysis)]
    reason = "; ".join([*said, *_guessing(found, opened, record.scenario.work)])
    if attack.served:
        if not wrong and (unknown := unexplained(analysis, {each.principal for each in corruptions})):
            verdict, reason = "INCONCLUSIVE", unknown
        without = partial(reach, analysis, judge, attack, corruptions)
        reason = "; ".join((reason, *final(analysis, lambda name: len(without(name).masks))))
    if record.untested:
        verdict, reason = "INCONCLUSIVE", f"{record.untested}; else: {reason}"
    return Cell(
        scheme=analysis.scheme.name,
        attack=attack.name,
        verdict=verdict,
        reason=reason,
        coalition=tuple(map(str, (*coalition.members, *coalition.thresholds))),
        sent=len(record.sent),
        exposed=_exposed(opened, day, messaging),
        excluded=len(found.excluded),
        lawful=len(messaging.lawful),
        entitled=len(messaging.entitled),
        overreached=len(messaging.overreached),
        overcollected=_exposed(messaging.overreached, day, messaging),
        outside=messaging.outside,
        evaded=len(messaging.evaded),
        missed=_exposed(messaging.evaded, day, messaging),
        fabricated=messaging.fabricated,
        misattributed=len(messaging.misattributed),
        named=len(by_network(analysis)),
        lost=len(messaging.lost),
        forged=messaging.forged,
        duplicated=messaging.duplicated,
        framed=framed,
        beyond=len(found.beyond),
        added_over_plain=len(found.masks.keys() - opened_in_plain),
        services=_relied_on(analysis, attack),
        alarms=messaging.alarms,
        cost=Cost(
            seizures=len(coalition.members) + sum(each.t for each in coalition.thresholds),
            trials=_trials(record, attack),
        ),
    )


def _wrong(
    found: Reach,
    coalition: Coalition,
    opened: frozenset[int],
    messaging: Messaging,
    framed: int,
    honest: Messaging,
    judge: Judge,
    attack: Attack,
) -> list[str]:
    """Return in words everything in the outcome that the claim excludes."""
    wrong = []
    if found.excluded:
        alone, all_told = len(found.excluded.keys() & opened), len(found.excluded)
        more = "" if alone == all_told else f" ({all_told} with other coalitions)"
        wrong.append(f"{_opens(coalition)} {texts(alone)} that the claim excludes{more}")
    if judge.claim.access != "none" and judge.claim.bounds_access and messaging.overreached:
        wrong.append(f"the lawful access yields {texts(len(messaging.overreached))} outside every warrant")
    promised = {"none": frozenset[int](), "in scope": messaging.entitled, "from service": messaging.promised}
    if missed := (promised[judge.claim.access] & messaging.delivered) - messaging.lawful:
        wrong.append(f"{texts(len(missed))} that a warrant covers, delivered, evaded the lawful access")
    if messaging.fabricated:
        wrong.append(f"the lawful access yields {texts(messaging.fabricated)} that nobody sent")
    if misattributed := messaging.misattributed:
        wrong.append(f"the lawful access has {texts(len(misattributed))} in another conversation")
    if messaging.forged:
        wrong.append(f"{texts(messaging.forged)} shown that nobody sent")
    if messaging.duplicated > honest.duplicated:
        wrong.append(f"{texts(messaging.duplicated - honest.duplicated)} shown again")
    if framed:
        wrong.append(f"{texts(framed)} attributed to somebody who did not send them")
    if not attack.stops_mail and (more_lost := messaging.lost - honest.lost):
        wrong.append(f"deliveries lost that come through without the attack: {len(more_lost)}")
    return wrong


def _trials(record: Record, attack: Attack) -> int:
    """Return the trials of all corrupted parties, by their last states."""
    last = record.scenario.days - 1
    return sum(attack.trials(record.party(name, last)) for name in {each.principal for each in record.corrupted})


def texts(count: int) -> str:
    """Return a number of texts in words."""
    return "1 text" if count == 1 else f"{count} texts"


def _opens(coalition: Coalition) -> str:
    """Return the coalition as the subject of a sentence."""
    several = len(coalition.members) + len(coalition.thresholds) > 1 or bool(coalition.thresholds)
    return f"{coalition} open" if several else f"{coalition} opens"


def _extent(found: Reach, coalition: Coalition, opened: int, analysis: Analysis) -> str:
    if found.masks:
        return f"{_opens(coalition)} {opened} of {len(analysis.record.sent)} texts, as the claim grants"
    fired = sum(1 for times in analysis.adversary.fired.values() if times)
    return f"nothing opened by {len(analysis.rules)} rules, {fired} of which fired here"


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

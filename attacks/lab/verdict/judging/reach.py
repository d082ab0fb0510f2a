"""What an attack's corruptions open, and the smallest coalitions by which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from attacks.lab.adversary.coalitions import AccessStructure, Coalition, CoalitionThreshold, Seizure, parse
from attacks.lab.adversary.timing.evenings import COMMA_BETWEEN_MEMBERS
from attacks.lab.simulation.attack import Attack, Corruption, Turn, Use, evenings_of
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis
from attacks.lab.verdict.claims import Judge


@dataclass(frozen=True)
class Reach:
    """The texts that an attack's corruptions open: for each the minimal masks within them.

    `work` has the bits of work of texts that take guesses, `beyond` those of texts that take too many. `own` are the
    texts that a corrupted device sent or received: whoever runs it reads them, and may give them to anybody.
    """

    structure: AccessStructure
    masks: dict[int, tuple[int, ...]]
    excluded: dict[int, tuple[int, ...]]  # those of them that no grant covers
    coalitions: dict[int, Coalition]  # of each mask, with the states that were stolen and used
    corrupted: tuple[Seizure, ...]
    work: dict[int, float]
    beyond: dict[int, float]
    own: frozenset[int] = frozenset()

    @cached_property
    def best(self) -> tuple[Coalition, int]:
        """The smallest coalition that opens the most excluded texts, or else the most texts; and its mask.

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
        held = self.structure.labels.satisfied(mask)
        inside = {each for each in self.coalitions if each & held == each}
        of_texts = (self.masks if masks is None else masks).items()
        return frozenset(text for text, found in of_texts if not inside.isdisjoint(found))

    def taken(self) -> tuple[tuple[Seizure, ...], frozenset[int]]:
        """Return the best coalition as it could be seized, each on one possible evening, and the texts that it opens.

        A corrupted principal is taken on every evening from then on.
        """
        coalition, mask = self.best
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
    own = frozenset(sent.id for sent in analysis.record.sent if misused & {sent.device, *sent.intended})
    name = name or (SERVED if attack.served else MATHEMATICS)
    structure = analysis.structure(name)
    pool = structure.labels.satisfied(structure.mask(_seizures(corruptions, days)))
    masks: dict[int, tuple[int, ...]] = {}
    excluded: dict[int, tuple[int, ...]] = {}
    coalitions: dict[int, Coalition] = {}
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
            if mask not in coalitions:
                coalitions[mask] = _with(structure.coalition(mask), used)
        if outside := tuple(mask for mask in inside if not judge.granted(coalitions[mask], text)):
            excluded[text] = outside
    return Reach(structure, masks, excluded, coalitions, corrupted, work, beyond, own)


def as_seized(coalition: Coalition, corruptions: Iterable[Corruption], days: int) -> Coalition:
    """Return a coalition with those evenings alone on which the attack takes its members' states.

    A fact of an agent that holds it on evenings 0 to 9 stands as `agent@0-9`; if the attack takes it on 0 and 3, the
    cell says `agent@0,3`. Every one of them gives the same.
    """
    on = {each.principal: each.evenings for each in _by_principal(corruptions, days)}

    def narrowed(members: Iterable[Seizure]) -> tuple[Seizure, ...]:
        found = ((each, tuple(set(each.evenings) & set(on.get(each.principal, ())))) for each in members)
        return tuple(Seizure(each.principal, tuple(sorted(days))) if days else each for each, days in found)

    def way(text: str) -> str:
        names = [part.partition("@")[0] for part in COMMA_BETWEEN_MEMBERS.split(text)]
        return text if "{" in text else str(Coalition(narrowed(parse(text, names).members)))

    thresholds = [
        CoalitionThreshold(each.t, tuple(" or ".join(map(way, member.split(" or "))) for member in each.of))
        for each in coalition.thresholds
    ]
    return Coalition(narrowed(coalition.members), tuple(thresholds))


def _with(coalition: Coalition, used: tuple[Seizure, ...]) -> Coalition:
    """Return the coalition with the states that were stolen and used: what others did with them follows from these."""
    if not used:
        return coalition
    return Coalition(tuple(dict.fromkeys((*coalition.members, *used))), coalition.thresholds)


def _by_principal(corruptions: Iterable[Corruption], days: int) -> list[Seizure]:
    """Return each principal with all evenings on which its state is taken."""
    evenings: dict[str, set[int]] = defaultdict(set)
    for each in corruptions:
        evenings[each.principal].update(evenings_of(each, days))
    return [Seizure(name, tuple(sorted(on))) for name, on in sorted(evenings.items())]


def _seizures(corruptions: Iterable[Corruption], days: int) -> list[Seizure]:
    """Return one seizure for each evening on which a principal's state is taken."""
    taken = _by_principal(corruptions, days)
    return [Seizure(each.principal, (evening,)) for each in taken for evening in each.evenings]

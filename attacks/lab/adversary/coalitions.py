"""The measured access structure: which minimal coalitions open which facts, read from labels.

A coalition is a set of seizures. `alice-phone@3-4` is alice's phone taken once, on whichever of these evenings; where
no single evening serves, one principal stands there twice. A threshold too wide to be multiplied out stands as
"any 67 of". What is printed can be typed: `parse` reads it back.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import combinations, islice
from math import inf
from typing import NamedTuple

import msgspec

from attacks.lab.adversary.labelling.antichains import Atoms, Symbol
from attacks.lab.adversary.labelling.labels import MATHEMATICS, Labels
from attacks.lab.adversary.timing import evenings
from attacks.lab.adversary.timing.evenings import WHENEVER
from escrow.registry import unknown

Price = Callable[[str], float]


class Seizure(msgspec.Struct, frozen=True, order=True):
    """A principal's state, taken on one of `evenings`, whichever; on every evening, where none is named.

    Evening -1 is set-up (`escrow.scheme.SET_UP`).
    """

    principal: str
    evenings: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.principal}@{evenings.as_text(self.evenings)}" if self.evenings else self.principal


class CoalitionThreshold(msgspec.Struct, frozen=True, order=True):
    """Any `t` of these members, each written as a coalition, or as several with "or" between them."""

    t: int
    of: tuple[str, ...]

    def __str__(self) -> str:
        return f"any {self.t} of {{{'; '.join(self.of)}}}"


class Coalition(msgspec.Struct, frozen=True, order=True):
    """Seizures, and thresholds that stand for many coalitions at once."""

    members: tuple[Seizure, ...]
    thresholds: tuple[CoalitionThreshold, ...] = ()

    def __str__(self) -> str:
        return ", ".join(map(str, (*self.members, *self.thresholds))) or "nobody"


class MinimalCoalition(NamedTuple):
    """A minimal coalition, its mask, and the targets that it opens."""

    coalition: Coalition
    mask: int
    opens: frozenset[int]


class CoalitionCost(NamedTuple):
    """The price of a coalition; where `exact` is False, it costs at least this."""

    value: float
    exact: bool


NO_WAY = CoalitionCost(inf, True)


def parse(text: str, principals: Iterable[str]) -> Coalition:
    """Read `NAME[@EVENINGS],…`, where NAME may be a pattern (`agent-*`) and alone means every evening.

    EVENINGS is a day, `set-up`, or as printed (`set-up,0-3,5`): on one of these, whichever. `network` is implied.
    ValueError for a name that fits no principal, with the names there are.
    """
    names, members = sorted(set(principals)), []
    for part in filter(None, evenings.COMMA_BETWEEN_MEMBERS.split(text.strip())):
        name, at, on = part.partition("@")
        fitting = [each for each in names if fnmatchcase(each, name)]
        if not fitting and name != "network":
            raise ValueError(str(unknown(names, name, "principal")))
        try:
            members += [Seizure(each, evenings.from_text(on) if at else ()) for each in fitting]
        except ValueError as error:
            raise ValueError(f"{part!r}: {error}") from None
    return _together(members)


def mask_of(atoms: Atoms, seizures: Iterable[Seizure]) -> int:
    """Return the mask of what these seizures hold; what the network hears is implied."""
    mask = atoms.always("network")
    for each in seizures:
        on = evenings.bits(each.evenings)
        mask |= atoms.mask(each.principal, on) if on else atoms.always(each.principal)
    return mask


class AccessStructure:
    """Who opens which of some target facts, in one pass of the labels."""

    def __init__(self, labels: Labels, targets: Iterable[int], name: str = MATHEMATICS) -> None:
        self.labels, self.atoms = labels, labels.atoms
        of_label: dict[int, list[int]] = defaultdict(list)
        numbers = labels.label(name)
        for target in targets:
            of_label[numbers[target]].append(target)
        self._opened: dict[int, list[list[int]]] = defaultdict(list)  # mask -> the targets of each label that has it
        self._of_label = [labels.antichains.sets[label] for label in of_label]
        for masks, opened in zip(self._of_label, of_label.values(), strict=True):
            for mask in masks:
                self._opened[mask].append(opened)
        self._known: dict[tuple[int, int], Coalition] = {}  # by mask, and the thresholds above it
        self._by_top: dict[int, list[int]] = defaultdict(list)  # masks by their highest bit: who lacks it lacks them
        for mask in self._opened:
            self._by_top[mask.bit_length()].append(mask)

    # --- queries ---

    def opens(self, coalition: Coalition) -> frozenset[int]:
        """Return the targets that these seizures open together."""
        return self.opened(self.mask(coalition.members))

    def opened(self, mask: int) -> frozenset[int]:
        """Return the targets under a mask: those with a minimal mask inside it."""
        mask = self.labels.satisfied(mask)
        tops = [0] + [at + 1 for at in range(mask.bit_length()) if mask >> at & 1]
        inside = (each for top in tops for each in self._by_top.get(top, ()) if each & mask == each)
        return frozenset(target for each in inside for targets in self._opened[each] for target in targets)

    def mask(self, seizures: Iterable[Seizure]) -> int:
        """Return the mask of what these seizures hold; what the network hears is implied."""
        return mask_of(self.atoms, seizures)

    def table(self, officials: Iterable[str] | None = None) -> Iterator[MinimalCoalition]:
        """Yield every minimal coalition with what it opens, small ones first.

        Those of officials only, if these are given.
        """
        within = WHENEVER if officials is None else self.labels.satisfied(self.mask(map(Seizure, officials)))
        rows = {mask: coalition for mask, coalition in self._minimal().items() if mask & ~within == 0}
        for mask in sorted(rows, key=lambda each: (len(rows[each].members), rows[each])):
            yield MinimalCoalition(rows[mask], mask, self.opened(mask))

    def _minimal(self) -> dict[int, Coalition]:
        """Return for each target the least of its coalitions, by mask."""
        found: dict[int, Coalition] = {}
        whole: dict[int, int] = {}
        for mask in sorted(self._opened):
            coalition, (plain, _) = self.coalition(mask), self._split(mask)
            whole[mask] = self.mask(coalition.members) | mask & ~plain
            found.setdefault(whole[mask], coalition)
        least: set[int] = set()
        for masks in self._of_label:
            wholes = {whole[mask] for mask in masks}
            least |= {each for each in wholes if not any(other != each and other & ~each == 0 for other in wholes)}
        return {mask: coalition for mask, coalition in found.items() if mask in least}

    def cost(self, mask: int, price: Price = lambda _: 1.0) -> CoalitionCost:
        """Return the price of the seizures in a mask; of a threshold, that of its t cheapest members.

        A principal that serves several members is paid once: its price is shared out among them, and the sum is a lower
        bound only.
        """
        return self._cost(mask, price, 0)

    def _cost(self, mask: int, price: Price, above: int) -> CoalitionCost:
        plain, symbols = self._split(mask)
        if not symbols:
            return CoalitionCost(sum(price(each.principal) for each in self.coalition(plain).members), True)
        above |= mask & ~plain
        parts = [(1, [[plain]])]
        parts += [(symbol.t, [self._sets(member, above) for member in symbol.members]) for symbol in symbols]
        serves = Counter(name for _, members in parts for one in members for name in self._principals(one, above))
        total, exact = 0.0, max(serves.values()) == 1
        for t, members in parts:
            costs = [
                min((self._cost(each, lambda name: price(name) / serves[name], above) for each in one), default=NO_WAY)
                for one in members
            ]
            for cheap in sorted(costs)[:t]:
                total, exact = total + cheap.value, exact and cheap.exact
        return CoalitionCost(total, exact)

    # --- masks as coalitions ---

    def coalition(self, mask: int) -> Coalition:
        """Return a mask as the fewest seizures that make it, and its thresholds."""
        return self._coalition(mask, 0)

    def _coalition(self, mask: int, above: int) -> Coalition:
        if (mask, above) not in self._known:
            self._known[mask, above] = self._found(mask, above)
        return self._known[mask, above]

    def _found(self, mask: int, above: int) -> Coalition:
        plain, symbols = self._split(mask)
        held: dict[str, list[int]] = defaultdict(list)
        for atom in self.atoms.within(plain):
            if isinstance(atom, tuple) and atom[0] != "network":
                held[atom[0]].append(atom[1])
        members = [
            Seizure(name, evenings.numbers(on)) for name, sets in held.items() for on in _fewest(_smallest(sets))
        ]
        return _together(members, (self._threshold(symbol, above | mask & ~plain) for symbol in symbols))

    def example(self, mask: int) -> Coalition:
        """Return one coalition without thresholds that a mask stands for: of each threshold its first t members."""
        return _together(self._example(mask, 0) or ())

    def _example(self, mask: int, above: int) -> set[Seizure] | None:
        """Return one such coalition, or None if the mask rests on a threshold above it."""
        plain, symbols = self._split(mask)
        members, above = set(self.coalition(plain).members), above | mask & ~plain
        for symbol in symbols:
            ways = ((self._example(each, above) for each in self._sets(member, above)) for member in symbol.members)
            found = (next((way for way in each if way is not None), None) for each in ways)
            chosen = list(islice((way for way in found if way is not None), symbol.t))
            if len(chosen) < symbol.t:
                return None
            members = members.union(*chosen)
        return members

    def _threshold(self, symbol: Symbol, above: int) -> CoalitionThreshold:
        members = (self._sets(member, above) for member in symbol.members)
        printed = (" or ".join(str(self._coalition(mask, above)) for mask in member) for member in members)
        return CoalitionThreshold(symbol.t, tuple(sorted(filter(None, printed), key=natural)))

    def _sets(self, label: int, above: int) -> list[int]:
        """Return the masks of a label, without those that rest on a threshold which they are to meet."""
        return [mask for mask in self.labels.antichains.sets[label] if not mask & above]

    def _split(self, mask: int) -> tuple[int, list[Symbol]]:
        symbols = [atom for atom in self.atoms.within(mask) if isinstance(atom, Symbol)]
        return mask & ~sum(self.atoms.bit[symbol] for symbol in symbols), symbols

    def _principals(self, masks: Iterable[int], above: int) -> set[str]:
        found: set[str] = set()
        for mask in masks:
            plain, symbols = self._split(mask)
            found |= {atom[0] for atom in self.atoms.within(plain) if isinstance(atom, tuple)}
            for symbol in symbols:
                for member in symbol.members:
                    found |= self._principals(self._sets(member, above | mask & ~plain), above | mask & ~plain)
        return found


# --- order, and evenings as bits ---


def _together(members: Iterable[Seizure], thresholds: Iterable[CoalitionThreshold] = ()) -> Coalition:
    return Coalition(tuple(sorted(set(members), key=natural)), tuple(sorted(thresholds)))


def natural(thing: object) -> list[tuple[str, int]]:
    """Return a sort key that orders numbers in names as numbers: agent-2 before agent-10."""
    return [(word, int(number or 0)) for word, number in re.findall(r"(\D*)(\d*)", str(thing))]


def _smallest(sets: list[int]) -> list[int]:
    """Return the sets of evenings without those that contain another one of them."""
    return [each for each in sets if not any(other != each and other & ~each == 0 for other in sets)]


def _fewest(sets: list[int]) -> list[int]:
    """Return the fewest seizures that meet all these sets of evenings, each as the evenings on which it may be."""
    if WHENEVER in sets:
        return [WHENEVER]
    days = sorted({evening for each in sets for evening in evenings.numbers(each)})
    for size in range(1, len(sets) + 1):
        for chosen in combinations(days, size):
            met = [next((evening for evening in chosen if each & evenings.bit(evening)), None) for each in sets]
            if None not in met:
                return [_meet(each for each, at in zip(sets, met, strict=True) if at == evening) for evening in chosen]
    raise AssertionError("an evening out of every set meets them all")


def _meet(sets: Iterable[int]) -> int:
    common = WHENEVER
    for each in sets:
        common &= each
    return common

"""Sets of assumptions as bits: antichains of them, which are labels, and what each bit stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from math import comb
from operator import or_

from attacks.lab.adversary.facts import Atom

NEVER, ALWAYS = 0, 1  # the labels of no set, and of the empty set
EXACT = 20_000  # a threshold of more combinations than this becomes one symbolic atom
COMPARED = 2_000  # likewise where members share assumptions, so that combinations must be compared with each other


class Antichains:
    """Sets of minimal masks under numbers, with products and unions memoised."""

    def __init__(self) -> None:
        self.sets: list[tuple[int, ...]] = [(), (0,)]
        self._numbers = {(): NEVER, (0,): ALWAYS}
        self._products: dict[tuple[int, int], int] = {}
        self._unions: dict[tuple[int, int], int] = {}

    def intern(self, masks: Iterable[int]) -> int:
        """Return the number of the minimal ones among `masks`."""
        return self.number(minimal(masks))

    def number(self, masks: Iterable[int]) -> int:
        """Return the number of a set of masks none of which lies within another."""
        key = tuple(sorted(masks, key=_by_size))
        if (number := self._numbers.setdefault(key, len(self.sets))) == len(self.sets):
            self.sets.append(key)
        return number

    def product(self, a: int, b: int) -> int:
        """Return the number of the minimal masks that hold one mask of each of two sets: both are needed."""
        if a > b:
            a, b = b, a
        if a in (NEVER, b):
            return a
        if a == ALWAYS:
            return b
        if (number := self._products.get((a, b))) is None:
            number = self._products[a, b] = self.intern(self._both(a, b))
        return number

    def _both(self, a: int, b: int) -> set[int]:
        """Return the masks that hold one mask of each of two sets; few of them are not minimal.

        A mask that holds one of the other set already needs no other: of {a, bc} and {ab, c} these are ab and bc, and
        nothing is left to be joined.
        """
        one, other = self.sets[a], self.sets[b]
        mine, theirs = _holding(one, other), _holding(other, one)
        rest = [mask for mask in one if mask not in mine], [mask for mask in other if mask not in theirs]
        return mine | theirs | {x | y for x in rest[0] for y in rest[1]}

    def union(self, a: int, b: int) -> int:
        """Return the number of the minimal masks of two sets together: either is enough."""
        if a > b:
            a, b = b, a
        if a in (NEVER, b):
            return b
        if a == ALWAYS:
            return ALWAYS
        if (number := self._unions.get((a, b))) is None:
            number = self._unions[a, b] = self.number(self._joined(a, b))
        return number

    def _joined(self, a: int, b: int) -> set[int]:
        """Return the minimal masks of two sets, neither of which has a mask within another of its own.

        Masks in both are compared with none, and one with a bit that the other set has nowhere lies within none there.
        """
        one, other = set(self.sets[a]), set(self.sets[b])
        one, other = one - other, other - one
        mine, theirs = reduce(or_, one, 0), reduce(or_, other, 0)
        inner = [mask for mask in one if not mask & ~theirs]
        lost = {mask for mask in other if any(each & mask == each for each in inner)} if inner else set[int]()
        inner = [mask for mask in other if not mask & ~mine]
        lost |= {mask for mask in one if any(each & mask == each for each in inner)} if inner else set[int]()
        return {*self.sets[a], *self.sets[b]} - lost

    def at_least(self, t: int, members: tuple[int, ...]) -> int | None:
        """Return the label of at least t members, multiplied out; None if that takes more than EXACT allows.

        For the members seen so far it keeps "at least k of them", for each k that can still become t. Example: 2 of
        {a}, {b}, {ac}. enough[1] is {a}, then {a, b}. enough[2] is {ab} after the second member; the third one
        joins a to ac and b to abc, and ab lies within abc: {ab, ac}.
        """
        sets, n = [self.sets[member] for member in members], len(members)
        if n < t:  # too few members can be derived at all
            return NEVER
        if comb(n, t) * max(map(len, sets)) > EXACT:  # not worth a beginning
            return None
        apart = _apart(sets)
        enough: list[list[int]] = [[0], *([] for _ in range(t))]
        for seen, member in enumerate(sets, 1):
            for k in range(min(t, seen), max(0, t - n + seen - 1), -1):  # downwards: each member is taken once
                if len(enough[k - 1]) * len(member) > (EXACT if apart else COMPARED):
                    return None
                found = enough[k] + [one | other for one in enough[k - 1] for other in member]
                enough[k] = found if apart else minimal(found)
        return self.number(enough[t])


def _holding(masks: Iterable[int], others: Sequence[int]) -> set[int]:
    """Return the masks within which one of the others lies."""
    return {mask for mask in masks if any(each & mask == each for each in others)}


def minimal(masks: Iterable[int]) -> list[int]:
    """Return the masks within which no other one lies, those of few bits first."""
    kept: list[int] = []
    size = fewer = 0  # how many of `kept` have fewer bits: only those can lie within the next mask
    for mask in sorted(set(masks), key=_by_size):
        if mask.bit_count() > size:
            size, fewer = mask.bit_count(), len(kept)
        outside = ~mask
        if all(each & outside for each in islice(kept, fewer)):
            kept.append(mask)
    return kept


def _by_size(mask: int) -> tuple[int, int]:
    return mask.bit_count(), mask


def _apart(sets: Iterable[Iterable[int]]) -> bool:
    """Return whether no two of these sets of masks, none of them free, have a bit in common."""
    seen = 0
    for masks in sets:
        bits = 0
        for mask in masks:
            bits |= mask
        if not bits or bits & seen:
            return False
        seen |= bits
    return True


@dataclass(slots=True, eq=False)
class Symbol:
    """A threshold too wide to be multiplied out: `t` of the members that have these labels.

    Where shares follow from shares, a member's label may name the symbol itself.
    """

    t: int
    members: tuple[int, ...]


class Atoms:
    """Which assumption each bit is: first the principals' atoms, sorted, then thresholds as they turn up."""

    def __init__(self, atoms: Iterable[Atom]) -> None:
        self.named = list[Atom | Symbol](sorted(set(atoms)))
        self.symbols: list[Symbol] = []
        self.bit: dict[Atom | Symbol, int] = {atom: 1 << at for at, atom in enumerate(self.named)}
        self._of: dict[str, list[tuple[int, int]]] = {}  # principal -> (evenings, bit)
        for at, (principal, evenings) in enumerate(sorted(set(atoms))):
            self._of.setdefault(principal, []).append((evenings, 1 << at))

    def mask(self, principal: str, evenings: int) -> int:
        """Return the mask of a principal taken on one of these evenings: what it holds on all of them."""
        return sum(bit for held, bit in self._of.get(principal, ()) if evenings & ~held == 0)

    def always(self, principal: str) -> int:
        """Return the mask of a principal taken on every evening."""
        return sum(bit for _, bit in self._of.get(principal, ()))

    def principals(self) -> tuple[str, ...]:
        """Return the names of the principals."""
        return tuple(self._of)

    def add(self, symbol: Symbol) -> int:
        """Add a new symbol and return its bit."""
        self.bit[symbol] = 1 << len(self.named)
        self.named.append(symbol)
        self.symbols.append(symbol)
        return self.bit[symbol]

    def within(self, mask: int) -> Iterator[Atom | Symbol]:
        """Yield the atoms and symbols whose bits a mask holds."""
        while mask:
            low = mask & -mask
            yield self.named[low.bit_length() - 1]
            mask ^= low

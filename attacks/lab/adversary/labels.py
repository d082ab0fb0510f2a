"""Labels: for every fact the minimal sets of assumptions under which it can be derived (de Kleer 1986, ATMS).

An assumption is a bit, a set of them an integer, a label an antichain of such sets, interned. A least fixpoint over the
closure's edges, taken in the topological order of its strongly connected parts, gives all labels in one sweep. One
graph has several passes: `mathematics` leaves the officials' services out, `served` adds what honest officials answer
to requests that pass all checks, `without C` what they would answer if check C were left out.

An atom is a principal with the set of evenings on which its state held something: "taken on one of these evenings".
The mask of p@I holds the bits of every p@J with J ⊇ I, so one seizure in an intersection serves both. What everybody
hears, guards and witnesses cost nothing.

Example: a = agent-1@3, b = agent-2@3 and c = agent-3@3 hold shares of a key (2 of 3). The shares have the labels {a},
{b} and {c}; the key has {ab, ac, bc}; a text under the key that the provider p alone keeps has {abp, acp, bcp}; a text
that b could also read by itself has {b, acp}, because b lies within abp and bcp.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from math import comb
from operator import or_

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.condensation import Makers, order
from attacks.lab.adversary.edges import ServiceKind
from attacks.lab.adversary.facts import FREE, Atom
from attacks.lab.adversary.timing.cuts import Cuts, cut_atoms
from attacks.lab.adversary.timing.evenings import WHENEVER
from attacks.lab.adversary.work import LIMIT, Work

NEVER, ALWAYS = 0, 1  # the labels of no set, and of the empty set
EXACT = 20_000  # a threshold of more combinations than this becomes one symbolic atom
COMPARED = 2_000  # likewise where members share assumptions, so that combinations must be compared with each other

MATHEMATICS, SERVED, WITHOUT, BYTES = "mathematics", "served", "without ", "bytes"


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
            number = self.intern(x | y for x in self.sets[a] for y in self.sets[b])
            self._products[a, b] = number
        return number

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


def _serves(kind: ServiceKind, name: str) -> bool:
    """Return whether the answers of a kind of service belong to a pass."""
    if name in (MATHEMATICS, BYTES) or not kind.failed:
        return name not in (MATHEMATICS, BYTES)
    return name.startswith(WITHOUT) and kind.failed == {name.removeprefix(WITHOUT)}


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


class Labels:
    """The labels of all facts of a closure, by pass. `network`: what is heard counts as an assumption too.

    Guesses of up to 2^`limit` trials are anybody's.
    """

    def __init__(self, closure: Closure, network: bool = False, limit: float = LIMIT) -> None:
        self.closure, self.antichains = closure, Antichains()
        makers = Makers(closure)
        atoms = {atom for held in set(closure.held.values()) for atom in held} | cut_atoms(closure, makers)
        self.atoms = Atoms(atoms | {("network", WHENEVER)} if network else atoms)
        self.work = Work(self.atoms.named, self.antichains, limit)
        self.parts = order(closure, makers)
        self._cuts = Cuts(self.atoms, self.antichains)
        self._within: dict[str, list[int]] = {}
        self._passes: dict[str, list[int]] = {}
        self._thresholds: dict[tuple[int, tuple[int, ...]], int] = {}
        self._recursive: dict[tuple[str, int], Symbol] = {}  # of gates that feed themselves, by pass and edge
        self._known: dict[tuple[str, int], int] = {}  # and what they have given so far

    def passes(self) -> tuple[str, ...]:
        """Return the names that `label` takes.

        They are mathematics, served, and `without C` for every check C that some edge fails; `bytes`, if there are byte
        edges, is mathematics with these.
        """
        checks = {check for kind in self.closure.edges.services.kinds() for check in kind.failed}
        by_bytes = (BYTES,) if self.closure.edges.by_bytes else ()
        return (MATHEMATICS, *by_bytes, SERVED, *(WITHOUT + check for check in sorted(checks)))

    def label(self, name: str = MATHEMATICS) -> list[int]:
        """Return the label of each fact in one pass, as numbers of `antichains`, within the limit of work.

        Raise ValueError for an unknown pass.
        """
        priced = self.priced(name)
        if not self.work.guesses:
            return priced
        if name not in self._within:
            self._within[name] = [self.work.within(label) for label in priced]
        return self._within[name]

    def priced(self, name: str) -> list[int]:
        """Return the labels with the guesses that they take. Raise ValueError for an unknown pass."""
        if name not in self._passes:
            if name not in self.passes():
                raise ValueError(f"no pass {name!r}; there are {', '.join(self.passes())}")
            labels = self._given()
            for edges, looping in self.parts:
                while self._sweep(edges, labels, name, looping) and looping:
                    pass
            self._passes[name] = labels
        return self._passes[name]

    def masks(self, fact: int, name: str = MATHEMATICS) -> tuple[int, ...]:
        """Return the minimal masks under which one fact can be derived."""
        return self.antichains.sets[self.label(name)[fact]]

    def stands(self, edge: int, name: str) -> bool:
        """Return whether an edge belongs to a pass: a service only if the pass waives every check that it fails."""
        if edge >= self.closure.edges.rules_end:
            return name == BYTES
        return (kind := self.closure.edges.service_kind(edge)) is None or _serves(kind, name)

    def satisfied(self, mask: int) -> int:
        """Return `mask` with the bits of all thresholds that it meets."""
        given = any(mask & self.atoms.bit[symbol] for symbol in self.atoms.symbols)
        before, mask = -1, mask | self.work.cheap
        while mask != before:
            before, known = mask, dict[int, bool]()
            for symbol in self.atoms.symbols:
                bit = self.atoms.bit[symbol]
                if not mask & bit and self._meets(mask, symbol, given, known):
                    mask |= bit
        return mask

    def _meets(self, mask: int, symbol: Symbol, given: bool, known: dict[int, bool]) -> bool:
        """Return whether a mask opens enough members; `known` says which it opened, since thresholds share members.

        Where thresholds were `given` in it, not met, one of them may leave too few of the members out to fail.
        """
        known |= {member: self.opens(member, mask) for member in symbol.members if member not in known}
        met = [member for member in symbol.members if known[member]]
        if len(met) >= symbol.t or not given:
            return len(met) >= symbol.t
        missing = Counter(symbol.members) - Counter(met)
        inside = (each for each in self.atoms.symbols if mask & self.atoms.bit[each])
        sure = (each.t - len(each.members) + (Counter(each.members) & missing).total() for each in inside)
        return len(met) + max(0, *sure) >= symbol.t

    def opens(self, label: int, mask: int) -> bool:
        """Return whether a (satisfied) mask derives the facts with this label."""
        outside = ~mask
        return any(not each & outside for each in self.antichains.sets[label])

    # --- the fixpoint ---

    def _given(self) -> list[int]:
        """Return the labels before any derivation."""
        closure, everybody = self.closure, self.atoms.mask("network", WHENEVER)
        heard = self.antichains.intern([everybody])
        labels = [NEVER] * len(closure.facts)
        for fact, how in enumerate(closure.public):
            if how:
                labels[fact] = ALWAYS if how & FREE else heard
        seized = {
            held: self.antichains.intern(self.atoms.mask(*atom) for atom in held) for held in set(closure.held.values())
        }
        for fact, held in closure.held.items():
            labels[fact] = self.antichains.union(labels[fact], seized[held])
        return labels

    def _sweep(self, edges: Sequence[int], labels: list[int], name: str, looping: bool) -> bool:
        """Apply each edge once; return whether any label grew.

        This is the lab's hottest loop over edges: products and unions that need no work are not called.
        """
        product, union, all_edges = self.antichains.product, self.antichains.union, self.closure.edges
        kinds, firings = all_edges.services.kinds(), all_edges.firings
        serves = [_serves(kind, name) for kind in kinds]
        plain = all_edges.rules_end if any(kind.until is not None for kind in kinds) else firings + len(all_edges.gates)
        grew = False
        for edge, needs, conclusions in all_edges.walk(edges, serves, name == BYTES):
            joint = ALWAYS
            for fact in needs:
                label = labels[fact]
                joint = label if joint == ALWAYS else product(joint, label)
            if firings <= edge < plain:  # neither a firing nor what has only its premises
                joint = self._gated(edge, joint, labels, name, looping)
            if joint == NEVER:
                continue
            for conclusion in conclusions:
                old = labels[conclusion]
                if (new := joint if old == NEVER else union(old, joint)) != old:
                    labels[conclusion] = new
                    grew = True
        return grew

    def _gated(self, edge: int, joint: int, labels: list[int], name: str, looping: bool) -> int:
        """Return `joint` and, for a gate edge, enough of its members; for a service edge, `joint` as it was in time."""
        gate = self.closure.edges.gate(edge)
        if joint == NEVER:
            return joint
        if gate is None:
            kind = self.closure.edges.service_kind(edge)
            return joint if kind is None or kind.until is None else self._cuts.by(joint, kind.until)
        union = self.antichains.union
        members = [reduce(union, [labels[fact] for fact in same], NEVER) for same in gate.members.values()]
        enough = self._looping(gate.t, members, (name, edge)) if looping else self._threshold(gate.t, members)
        return self.antichains.product(joint, enough)

    def _threshold(self, t: int, members: Iterable[int]) -> int:
        """Return the label of at least `t` of the members: multiplied out, or a symbol."""
        key = t, tuple(sorted(member for member in members if member != NEVER))  # gates alike share one computation
        if key not in self._thresholds:
            exact = self.antichains.at_least(*key)
            self._thresholds[key] = self._symbolic(Symbol(*key)) if exact is None else exact
        return self._thresholds[key]

    def _symbolic(self, symbol: Symbol) -> int:
        """Return the label of a threshold that stands as one atom."""
        return self.antichains.intern([self.atoms.bit.get(symbol) or self.atoms.add(symbol)])

    def _looping(self, t: int, members: Iterable[int], gate: tuple[str, int]) -> int:
        """Return the label of a gate that feeds itself. Masks that have met it already are left out of its members.

        It has at most one symbol, whose members grow with the sweeps; symbols of gates that feed each other would never
        end. Example: 2 of the shares {a}, {b}, {c} give the key, and any 2 give the third back. First sweep: {ab, ac,
        bc}, so the share of c gets {c, ab}. Second sweep: ab has met the gate already, and is no new way to be a
        member; the members are {a}, {b}, {c} as before, nothing grows, and the part is done.
        """
        known = self._known.get(gate, NEVER)
        met = self.antichains.sets[known]
        beyond = tuple(
            self.antichains.intern(
                mask for mask in self.antichains.sets[member] if not any(each & mask == each for each in met)
            )
            for member in members
        )
        symbol = self._recursive.get(gate)
        # multiplied out as long as that is small; once it was not, the gate keeps its symbol, and its members grow
        if symbol is None and (exact := self.antichains.at_least(t, tuple(filter(None, beyond)))) is not None:
            enough = exact
        else:
            symbol = self._recursive.setdefault(gate, Symbol(t, ()))
            symbol.members = tuple(sorted(filter(None, beyond)))
            enough = self._symbolic(symbol)
        self._known[gate] = enough = self.antichains.union(known, enough)
        return enough

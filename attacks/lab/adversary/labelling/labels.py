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

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.edges import ServiceKind
from attacks.lab.adversary.facts import FREE
from attacks.lab.adversary.labelling.antichains import (
    ALWAYS,
    NEVER,
    Antichains,
    Atoms,
    Symbol,
)
from attacks.lab.adversary.labelling.condensation import Makers, order
from attacks.lab.adversary.timing.cuts import Cuts, cut_atoms
from attacks.lab.adversary.timing.evenings import WHENEVER
from attacks.lab.adversary.work import LIMIT, Work

MATHEMATICS, SERVED, WITHOUT, BYTES = "mathematics", "served", "without ", "bytes"


def _serves(kind: ServiceKind, name: str) -> bool:
    """Return whether the answers of a kind of service belong to a pass."""
    if name in (MATHEMATICS, BYTES) or not kind.failed:
        return name not in (MATHEMATICS, BYTES)
    return name.startswith(WITHOUT) and kind.failed == {name.removeprefix(WITHOUT)}


class Labels:
    """The labels of all facts of a closure, by pass. `network`: what is heard counts as an assumption too.

    Guesses of up to 2^`limit` trials are anybody's.
    """

    def __init__(self, closure: Closure, network: bool = False, limit: float = LIMIT) -> None:
        self.closure, self.antichains = closure, Antichains()
        self.makers = Makers(closure)
        atoms = {atom for held in set(closure.held.values()) for atom in held} | cut_atoms(closure, self.makers)
        self.atoms = Atoms(atoms | {("network", WHENEVER)} if network else atoms)
        self.work = Work(self.atoms.named, self.antichains, limit)
        self.parts = order(closure, self.makers)
        self._cuts = Cuts(self.atoms, self.antichains)
        self._within: dict[str, Sequence[int]] = {}
        self._passes: dict[str, Sequence[int]] = {}
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

    def label(self, name: str = MATHEMATICS) -> Sequence[int]:
        """Return the label of each fact in one pass, as numbers of `antichains`, within the limit of work.

        Raise ValueError for an unknown pass.
        """
        priced = self.priced(name)
        if not self.work.guesses:
            return priced
        if name not in self._within:
            self._within[name] = array("I", map(self.work.within, priced))
        return self._within[name]

    def priced(self, name: str) -> Sequence[int]:
        """Return the labels with the guesses that they take. Raise ValueError for an unknown pass."""
        if name not in self._passes:
            if name not in self.passes():
                raise ValueError(f"no pass {name!r}; there are {', '.join(self.passes())}")
            labels = self._given()
            for edges, looping in self.parts:
                while self._sweep(edges, labels, name, looping) and looping:
                    pass
            self._passes[name] = array("I", labels)
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

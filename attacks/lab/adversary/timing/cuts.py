"""Labels cut at an evening: what a thief must have taken by then.

An official that erases its secret on evening 4 answers no request that is made with a court's key taken later. So the
label of what is asked with is cut: each atom p@I becomes p@(the evenings of I up to 4), and a set in which nothing of
an atom is left drops out. What has no evening, such as a guess, stays. The atoms that come of it stand beside the
others before any label is computed, because the mask of p@I holds the bits of all p@J with J ⊇ I.

Example: until evening 4, the label {court@0-9, authority@2-6 + agent-1@7} becomes {court@0-4}.
"""

from __future__ import annotations

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.facts import Atom
from attacks.lab.adversary.labelling.antichains import Antichains, Atoms, Symbol
from attacks.lab.adversary.labelling.condensation import Makers
from attacks.lab.adversary.timing import evenings
from attacks.lab.adversary.timing.evenings import WHENEVER


def cut_atoms(closure: Closure, makers: Makers) -> set[Atom]:
    """Return the atoms that cuts can make."""
    ends = [evenings.until(kind.until) for kind in closure.edges.services.kinds() if kind.until is not None]
    waiting = [*closure.edges.services.premised()] if ends else []
    met, atoms = set(waiting), set[tuple[str, int]]()
    while waiting:
        fact = waiting.pop()
        if not closure.assumed(fact):
            atoms.update(closure.held.get(fact, ()))
            fresh = {each for edge in makers.of(fact) for each in closure.edges.needs(edge)} - met
            met |= fresh
            waiting += fresh
    timed = [(principal, held) for principal, held in atoms if held != WHENEVER]
    return {(principal, cut) for principal, held in timed for end in set(ends) if (cut := held & end)}


class Cuts:
    """Cuts labels, given as numbers of `antichains`."""

    def __init__(self, atoms: Atoms, antichains: Antichains) -> None:
        self._atoms, self._antichains = atoms, antichains
        self._labels: dict[tuple[int, int], int] = {}
        self._bits: dict[tuple[str, int, int], int] = {}
        self._symbols: dict[tuple[Symbol, int], Symbol] = {}
        self._open: set[Symbol] = set()  # thresholds being cut: their members may name them

    def by(self, label: int, until: int) -> int:
        """Return a label without what is taken after an evening."""
        if (found := self._labels.get((label, until))) is None:
            masks, symbols = self._antichains.sets[label], len(self._atoms.symbols)
            found = self._antichains.intern(cut for mask in masks if (cut := self._mask(mask, until)) is not None)
            if not symbols or all(mask.bit_length() <= len(self._atoms.named) - symbols for mask in masks):
                self._labels[label, until] = found  # the members of a threshold may still grow
        return found

    def _mask(self, mask: int, until: int) -> int | None:
        """Return a mask as it was on an evening; None if something in it was taken later."""
        cut = 0
        for atom in self._atoms.within(mask):
            bits = self._atom(atom, until) if isinstance(atom, tuple) else self._threshold(atom, until)
            if not bits:
                return None
            cut |= bits
        return cut

    def _atom(self, atom: Atom, until: int) -> int:
        principal, held = atom
        key = principal, held, until
        if key not in self._bits:
            left = held if held == WHENEVER else held & evenings.until(until)
            self._bits[key] = self._atoms.mask(principal, left) if left else 0
        return self._bits[key]

    def _threshold(self, symbol: Symbol, until: int) -> int:
        """Return the bit of the threshold of what is left of its members; 0 if they are too few."""
        if (cut := self._symbols.get((symbol, until))) is None:
            cut = self._symbols[symbol, until] = type(symbol)(symbol.t, ())
            self._atoms.add(cut)
        if cut not in self._open:
            self._open.add(cut)
            cut.members = tuple(sorted(filter(None, [self.by(member, until) for member in symbol.members])))
            self._open.discard(cut)
        return self._atoms.bit[cut] if len(cut.members) >= cut.t else 0

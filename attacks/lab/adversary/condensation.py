"""The order in which labels are computed: each edge after all that its premises come from (Tarjan 1972)."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from attacks.lab.adversary.closure import Closure

DONE = 0xFFFF_FFFF


def order(closure: Closure) -> list[tuple[Sequence[int], bool]]:
    """The edges in parts, each after all that its premises come from; whether the edges of a part feed each other.

    Tarjan 1972 over the derived facts; nearly all of them are met after what they come from, and need no stack.
    """
    return _Order(closure).parts


class _Order:
    def __init__(self, closure: Closure) -> None:
        self.needs = closure.needs
        self.first, self.more = _makers(closure)
        self.low = array("I", bytes(4 * len(closure.facts)))  # 0 before a fact is met, DONE once it is in a part
        self.placed = bytearray(closure.edge_count())
        self.straight = array("I")
        self.parts: list[tuple[Sequence[int], bool]] = []
        self.stack: list[int] = []
        self.met = 0
        for fact, made in enumerate(self.first):
            if made and not self.low[fact]:
                if sources := self._sources(fact):
                    self._visit(fact, sources)
                else:
                    self._place((fact,), False)
        self.parts.append((self.straight, False))

    def _sources(self, fact: int) -> list[int]:
        """The derived facts that it comes from and that are in no part yet."""
        low, first, needs = self.low, self.first, self.needs
        found = [each for each in needs(first[fact] - 1) if low[each] != DONE and first[each]]
        for edge in self.more.get(fact, ()):
            found += [each for each in needs(edge) if low[each] != DONE and first[each]]
        return found

    def _visit(self, root: int, sources: list[int]) -> None:
        """Place a fact after all that it comes from; `path` leads from it to the fact in hand."""
        low, stack, path = self.low, self.stack, [self._meet(root, sources)]
        while path:
            fact, number, loops, sources = path[-1]
            while sources:
                source = sources.pop()
                if not low[source]:
                    path.append(self._meet(source, self._sources(source)))
                    break
                if low[source] < low[fact]:
                    low[fact] = low[source]
            else:
                path.pop()
                if low[fact] < number:
                    low[path[-1][0]] = min(low[path[-1][0]], low[fact])
                elif stack[-1] == fact:
                    self._place((stack.pop(),), loops)
                else:
                    at = stack.index(fact, number - self.met - 1)
                    self._place(stack[at:][::-1], True)  # what was met last comes first
                    del stack[at:]

    def _meet(self, fact: int, sources: list[int]) -> tuple[int, int, bool, list[int]]:
        """(fact, its number in the order of meeting, whether it comes from itself, what is still to be met)."""
        self.met += 1
        self.low[fact] = self.met
        self.stack.append(fact)
        return fact, self.met, fact in sources, sources

    def _place(self, facts: Sequence[int], looping: bool) -> None:
        """These facts depend on each other, or are one: their edges come next."""
        if looping:
            self.parts.append((self.straight, False))
            self.straight = array("I")
        low, placed, straight = self.low, self.placed, self.straight
        for fact in facts:
            low[fact] = DONE
            for edge in (self.first[fact] - 1, *self.more.get(fact, ())):
                if not placed[edge]:
                    placed[edge] = True
                    straight.append(edge)
        if looping:
            self.parts.append((straight, True))
            self.straight = array("I")


def _makers(closure: Closure) -> tuple[array[int], dict[int, list[int]]]:
    """Of each fact the first edge that concludes it, plus one (0: there is none), and all others."""
    first, more = array("I", bytes(4 * len(closure.facts))), dict[int, list[int]]()
    arity, ends, cells = [len(rule.takes) for rule in closure.rules], closure.firing_start, closure.cells
    for edge in range(closure.edge_count()):
        if edge < len(closure.firing_rule):
            conclusions: Sequence[int] = cells[ends[edge] + arity[closure.firing_rule[edge]] : ends[edge + 1]]
        else:
            conclusions = closure.gives(edge)
        for fact in conclusions:
            if first[fact]:
                more.setdefault(fact, []).append(edge)
            else:
                first[fact] = edge + 1
    return first, more

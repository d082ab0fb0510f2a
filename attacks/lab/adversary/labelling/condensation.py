"""The order in which labels are computed: each edge after all that its premises come from (Tarjan 1972).

Facts that come from each other in a circle form one part, whose edges are applied again until no label grows. Example:
edge 0 makes b from a, edge 1 makes c from b, edge 2 makes b from c, edge 3 makes d from c. `a` is given. From b the
search goes to c (edge 2), and from c back to b, which is still on the stack: {b, c} is a part that loops, with the
edges 0, 1 and 2. d comes after it, in a part that does not loop: [], then [2, 0, 1] looping, then [3].
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from attacks.lab.adversary.closure import Closure

DONE = 0xFFFF_FFFF


class Makers:
    """The edges that conclude a fact: for each the first one, plus one (0: there is none), and the others in a chain.

    Where many answers give one fact the chains are long, so they are packed: `last` has the end of each fact's chain,
    and each link is an edge and the link before it, counted from one.
    """

    def __init__(self, closure: Closure) -> None:
        self.first = array("I", bytes(4 * len(closure.facts)))
        self.last, self._edges, self._before = array("I", bytes(4 * len(closure.facts))), array("I"), array("I")
        first, last = self.first, self.last
        for edge, _, conclusions in closure.edges.walk(range(len(closure.edges))):
            for fact in conclusions:
                if first[fact]:
                    self._edges.append(edge)
                    self._before.append(last[fact])
                    last[fact] = len(self._edges)
                else:
                    first[fact] = edge + 1

    def others(self, fact: int) -> list[int]:
        """Return the edges that conclude a fact, without the first: where `last` is 0 there are none."""
        found, at = [], self.last[fact]
        while at:
            found.append(self._edges[at - 1])
            at = self._before[at - 1]
        return found[::-1]

    def of(self, fact: int) -> Iterable[int]:
        """Return the edges that conclude a fact."""
        if self.last[fact]:
            return (self.first[fact] - 1, *self.others(fact))
        return (self.first[fact] - 1,) if self.first[fact] else ()


def order(closure: Closure, makers: Makers) -> list[tuple[Sequence[int], bool]]:
    """Return the edges in parts, each after all that its premises come from; and whether a part's edges form a circle.

    Tarjan's search over the derived facts. Nearly every fact is met after all that it comes from, and needs no stack.
    """
    return _Order(closure, makers).parts


class _Order:
    """The state of one search. `stack` holds the facts met that are in no part yet, in the order of meeting."""

    def __init__(self, closure: Closure, makers: Makers) -> None:
        self.needs = closure.edges.needs
        self.makers, self.first = makers, makers.first
        self.low = array("I", bytes(4 * len(closure.facts)))  # 0 before a fact is met, DONE once it is in a part
        self.placed = bytearray(len(closure.edges))
        self.straight = array("I")
        self.parts: list[tuple[Sequence[int], bool]] = []
        self.stack: list[int] = []
        self.met = 0
        for fact, made in enumerate(self.first):
            if made and not self.low[fact]:
                if sources := self._sources(fact):
                    self._visit(fact, sources)
                else:  # all that it comes from is placed: the usual case, since facts are numbered as they appear
                    self._place((fact,), False)
        self.parts.append((self.straight, False))

    def _sources(self, fact: int) -> list[int]:
        """Return the derived facts that a fact comes from and that are in no part yet."""
        low, first, needs = self.low, self.first, self.needs
        found = [each for each in needs(first[fact] - 1) if low[each] != DONE and first[each]]
        for edge in self.makers.others(fact) if self.makers.last[fact] else ():
            found += [each for each in needs(edge) if low[each] != DONE and first[each]]
        return found

    def _visit(self, root: int, sources: list[int]) -> None:
        """Place a fact after all that it comes from; `path` leads from it to the fact in hand."""
        low, stack, path = self.low, self.stack, [self._meet(root, sources)]
        while path:
            fact, number, loops, sources = path[-1]
            while sources:
                source = sources.pop()
                if not low[source]:  # not met before: go there first, and come back
                    path.append(self._meet(source, self._sources(source)))
                    break
                if low[source] < low[fact]:  # met and on the stack: the fact belongs to a circle that began there
                    low[fact] = low[source]
            else:
                path.pop()
                if low[fact] < number:  # the circle began earlier: leave the fact on the stack
                    low[path[-1][0]] = min(low[path[-1][0]], low[fact])
                elif stack[-1] == fact:  # nothing above it: a part of its own
                    self._place((stack.pop(),), loops)
                else:  # it began the circle of all that is above it
                    at = stack.index(fact, number - self.met - 1)
                    self._place(stack[at:][::-1], True)  # what was met last comes first
                    del stack[at:]

    def _meet(self, fact: int, sources: list[int]) -> tuple[int, int, bool, list[int]]:
        """Return (fact, its number in the order of meeting, whether it comes from itself, what is still to be met)."""
        self.met += 1
        self.low[fact] = self.met
        self.stack.append(fact)
        return fact, self.met, fact in sources, sources

    def _place(self, facts: Sequence[int], looping: bool) -> None:
        """Put the edges of these facts next: of one fact, or of several that come from each other."""
        if looping:
            self.parts.append((self.straight, False))
            self.straight = array("I")
        low, placed, straight = self.low, self.placed, self.straight
        for fact in facts:
            low[fact] = DONE
            for edge in self.makers.of(fact):
                if not placed[edge]:
                    placed[edge] = True
                    straight.append(edge)
        if looping:
            self.parts.append((straight, True))
            self.straight = array("I")

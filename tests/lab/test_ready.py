"""By when a request is ready: on random graphs, whatever was asked before, it is what applying every edge finds."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.lab.adversary.facts import FREE, NETWORK
from attacks.lab.adversary.timing import evenings
from attacks.lab.adversary.timing.service_time import ServiceTime
from escrow.scheme import SET_UP
from tests.lab.test_random_graphs import Graph, Node


class TimedGraph(Graph):
    """A random graph whose facts are heard on several days, with rules that give two facts at once."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        for _ in range(random.randint(0, 8)):
            both = random.sample(range(self.size // 3, self.size), 2)
            self.closure.edges.fire(1, self._before(min(both), 2), tuple(both))
        for number in random.sample(range(self.size), 2):
            self.closure.learn(Node(number), "network")

    def _name_facts(self) -> None:
        for number in range(self.size):
            day = number * len(self.days) // self.size + SET_UP
            if not number or day > self.closure.heard_on(number):
                self.closure.begin_day(day)
            self.closure.intern(Node(number))

    def given(self, number: int) -> int:
        """Return the evenings, as bits, from the first on which a fact was free, heard or held."""
        how = self.closure.assumed(number)
        first = [SET_UP] if how & FREE else [self.closure.heard_on(number)] if how & NETWORK else []
        first += [
            min(evenings.numbers(on & evenings.until(max(self.days)))) for _, on in self.closure.held.get(number, ())
        ]
        return evenings.since(min(first)) if first else 0

    def ready(self) -> list[int]:
        """Return the evenings, as bits, by which each fact is ready, by applying every edge until nothing is new."""
        edges, on = self.closure.edges, [self.given(number) for number in range(self.size)]
        before: list[int] = []
        while before != on:
            before = list(on)
            for firing in range(edges.firings):
                _, premises, conclusions = edges.firing(firing)
                for made in conclusions:
                    on[made] |= self._all(on[each] for each in premises)
            for gate in edges.gates:
                members = [evenings.union(on[each] for each in same) for same in gate.members.values()]
                met = evenings.bits(
                    day for day in self.days if sum(bool(each & evenings.bit(day)) for each in members) >= gate.t
                )
                for made in gate.conclusions:
                    on[made] |= met & self._all(on[each] for each in gate.guards)
            on = [each & evenings.until(max(self.days)) for each in on]
        return on

    @staticmethod
    def _all(sets) -> int:
        common = evenings.WHENEVER
        for each in sets:
            common &= each
        return common


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**48))
def test_facts_are_ready_when_all_that_they_are_made_of_is_whatever_was_asked_before(seed):
    random = Random(seed)
    graph = TimedGraph(random)
    by_hand = graph.ready()
    days = evenings.until(max(graph.days))
    time = ServiceTime(graph.closure, graph.closure.edges, len(graph.days) - 1, lambda *_: days, lambda *_: True)
    for _ in range(2 * graph.size):
        asked = tuple(random.choices(range(graph.size), k=random.choice([1, 1, 2, 3])))
        assert time.ready(asked) & days == graph._all(by_hand[each] for each in asked) & days, asked

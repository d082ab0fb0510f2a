"""Labels and rows of random and/or graphs, with thresholds and answers of officials, against a search by hand.

The graphs are drawn, not derived: their edges lead anywhere, also in circles, which no rules of ours would make. A
coalition's facts are found a second time by applying every edge until nothing is new.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from random import Random
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import AccessStructure, Coalition, Seizure
from attacks.lab.adversary.edges import GateEdge, ServiceEdge, ServiceKind
from attacks.lab.adversary.labelling import antichains
from attacks.lab.adversary.labelling.labels import MATHEMATICS, WITHOUT, Labels
from attacks.lab.adversary.timing.evenings import numbers
from escrow.codec import Fact
from escrow.derivation import derivation, threshold
from escrow.scheme import SET_UP

NAMES, CHECKS = ("p", "q", "r"), ("A", "B")


class Node(Fact, frozen=True):
    n: int


@derivation("any one")
def from_one(one: Node) -> Node:
    return one


@derivation("any one, any two")
def from_two(one: Node, two: Node) -> Node:
    return one or two


@derivation("any one, any two, any three")
def from_three(one: Node, two: Node, three: Node) -> Node:
    return one or two or three


@threshold(t="members.n", member="members.n", by="members.n", verify=lambda _: True)
def some_of(members: tuple[Node, ...]) -> Node:
    return members[0]


@threshold("any one, any members", t="members.n", member="members.n", by="members.n", verify=lambda *_: True)
def some_of_with(one: Node, members: tuple[Node, ...]) -> Node:
    return one or members[0]


RULES = [each.__rule__ for each in (from_one, from_two, from_three, some_of, some_of_with)]
GATE, GUARDED = 3, 4  # the rules of thresholds, by number


class Graph:
    """A random graph of facts 0, 1, …: who holds which on which evenings, and what follows from what."""

    def __init__(self, random: Random) -> None:
        self.random, self.closure = random, Closure(RULES)
        self.days = range(SET_UP, self.random.randint(0, 2))
        self.size, self.circles = random.randint(6, 24), random.random() < 0.6
        self.names = NAMES[: random.randint(2, 3)]
        self._name_facts()
        self._hold()
        for _ in range(random.randint(0, 22)):
            conclusion = random.randrange(self.size // 3, self.size)
            count = random.randint(1, 3)
            self.closure.edges.fire(count - 1, self._before(conclusion, count), (conclusion,))
        for _ in range(random.randint(0, 5)):
            self.closure.edges.gates.append(self._gate())
        for _ in range(random.randint(0, 3)) if self.closure.edges.firings else ():
            self.closure.edges.services.add(self._answer())

    def _name_facts(self) -> None:
        for number in range(self.size):
            self.closure.intern(Node(number))

    def _hold(self) -> None:
        for number in range(self.size // 3):
            draw = self.random.random()
            if draw < 0.16:
                self.closure.learn(Node(number), None if draw < 0.08 else "network")
                continue
            for name in self.random.choices(self.names, k=self.random.choice([1, 1, 2])):
                for day in self.random.sample(self.days, self.random.randint(1, len(self.days))):
                    self.closure.learn(Node(number), name, day)

    def _before(self, conclusion: int, count: int) -> tuple[int, ...]:
        """Draw premises: any facts where there may be circles, else earlier ones."""
        return tuple(self.random.randrange(self.size if self.circles else conclusion) for _ in range(count))

    def _gate(self) -> GateEdge:
        conclusion, count = self.random.randrange(self.size // 3, self.size), self.random.randint(1, 6)
        rule = self.random.choice([GATE, GUARDED])
        gate = GateEdge(rule, self._before(conclusion, rule - GATE), self.random.randint(1, count + 1))
        gate.members = {at: list(self._before(conclusion, self.random.choice([1, 1, 1, 2]))) for at in range(count)}
        gate.conclusions, gate.ran = (conclusion,), True
        return gate

    def _answer(self) -> ServiceEdge:
        edges = self.closure.edges
        firing = self.random.randrange(edges.firings)
        [conclusion] = edges.gives(firing)
        failed = self.random.sample(CHECKS, self.random.choice([0, 0, 1, 2]))
        kind = ServiceKind("answer", ("x",), frozenset(failed), self.random.choice([None, *self.days]))
        return ServiceEdge(kind, firing, self._before(conclusion, 2))

    def derived(self, taken: Iterable[Seizure], name: str) -> set[int]:
        """Return the facts that these seizures derive in a pass, by applying every edge until nothing is new.

        A principal taken on whichever of several evenings has for sure what it holds on all of them, and that by the
        last of them. One evening after another, all is found that follows until then.
        """
        have = {number for number in range(self.size) if self.closure.assumed(number)}
        for today in self.days:
            have |= {
                number
                for number, holding in self.closure.held.items()
                for holder, on in holding
                if any(
                    holder == each.principal and max(each.evenings) <= today and set(each.evenings) <= set(numbers(on))
                    for each in taken
                )
            }
            self._follow(have, name, today)
        return have

    def _follow(self, have: set[int], name: str, today: int) -> None:
        """Add all that follows from these facts, with those answers of officials that are still given today."""
        edges = self.closure.edges
        waived = {name.removeprefix(WITHOUT)} if name.startswith(WITHOUT) else set()
        before = -1
        while before != len(have):
            before = len(have)
            for number in range(edges.firings):
                _, premises, conclusions = edges.firing(number)
                have |= set(conclusions) if have.issuperset(premises) else set()
            for gate in edges.gates:
                met = sum(any(member in have for member in same) for same in gate.members.values())
                have |= set(gate.conclusions) if have.issuperset(gate.guards) and met >= gate.t else set()
            for answer in edges.services if name != MATHEMATICS else ():
                still = answer.kind.until is None or today <= answer.kind.until
                if still and answer.kind.failed <= waived and have.issuperset(answer.premises):
                    have |= set(edges.gives(answer.firing))


def coalitions(graph: Graph) -> list[tuple[Seizure, ...]]:
    """Return every coalition of seizures on one evening each, or where these are many, some."""
    one = [Seizure(name, (day,)) for name in graph.names for day in graph.days]
    every = [some for size in range(len(one) + 1) for some in itertools.combinations(one, size)]
    return every if len(every) <= 64 else [(), *((each,) for each in one), *graph.random.sample(every, 48)]


@pytest.mark.parametrize("symbolic", [False, True], ids=["multiplied out", "as symbols"])
@settings(deadline=None)
@given(st.integers(0, 2**48))
def test_labels_of_a_random_graph_open_what_applying_every_edge_derives(symbolic, seed):
    """Thresholds are tried in both forms: multiplied out, and as symbols that count their members."""
    graph = Graph(Random(seed))
    most = 0 if symbolic else antichains.EXACT
    with mock.patch.object(antichains, "EXACT", most), mock.patch.object(antichains, "COMPARED", most):
        labels = Labels(graph.closure)
        for name in labels.passes():
            structure = AccessStructure(labels, range(graph.size), name)
            for taken in coalitions(graph):
                assert structure.opens(Coalition(taken)) == graph.derived(taken, name), (name, taken)


@settings(deadline=None)
@given(st.integers(0, 2**48))
def test_each_row_of_a_random_graph_opens_what_it_says_and_is_minimal_for_one_of_its_targets(seed):
    graph = Graph(Random(seed))
    labels = Labels(graph.closure)
    for name in labels.passes():
        rows = [(row.coalition.members, row.opens) for row in AccessStructure(labels, range(graph.size), name).table()]
        for members, opens in rows:
            assert opens == graph.derived(members, name)
            for on in itertools.product(*(each.evenings for each in members)):
                chosen = [Seizure(each.principal, (day,)) for each, day in zip(members, on, strict=True)]
                assert opens <= graph.derived(chosen, name)
            fewer = (graph.derived(set(members) - {each}, name) for each in members)
            assert not members or opens - set[int]().union(*fewer)
        everybody = [Seizure(each, (day,)) for each in graph.names for day in graph.days]
        assert set[int]().union(*(opens for _, opens in rows)) == graph.derived(everybody, name)

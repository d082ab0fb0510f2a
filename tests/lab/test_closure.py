"""The closure finds what an adversary that tries everything finds, fires each rule once, and proves what it says."""

from __future__ import annotations

from collections import Counter

import pytest
import toy_rules as toy
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_adversary import edges, naive, rows, succeeds
from toy_rules import Field, Gem, Item, Order, Recipe, Registered, Trio, Warrant, plays, sealed

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.facts import FREE
from attacks.lab.adversary.joins import plan_of
from attacks.lab.adversary.labelling.labels import Labels
from attacks.lab.adversary.proof import Given, RuleStep, prove
from escrow.codec import Fact
from escrow.derivation import Gate, RuleError, derivation
from escrow.errors import Forged


def closed(*facts: Fact) -> Closure:
    closure = Closure(toy.RULES)
    for fact in facts:
        closure.learn(fact)
    closure.run()
    return closure


# --- against trying everything ---


@settings(deadline=None)
@given(plays())
def test_every_rule_fires_once_for_each_row_that_fits(play):
    closure = play.closure()
    world = set(closure.facts)
    for rule in toy.RULES:
        if not isinstance(rule, Gate):
            fits = Counter(succeeds(rule, row) for row in rows(rule, world, world))
            assert (closure.fired[rule.name], closure.forged[rule.name]) == (fits[True], fits[False])
    firings = [closure.edges.firing(number) for number in range(closure.edges.firings)]
    assert len({(rule.name, premises) for rule, premises, _ in firings}) == len(firings)


@settings(deadline=None)
@given(plays(), st.integers(0, 30))
def test_learning_in_two_parts_ends_where_learning_at_once_ends(play, cut):
    closure = Closure(toy.RULES)
    for part in (play.given[:cut], play.given[cut:]):
        for each in part:
            closure.learn(*each)
        toy.settle(closure)
    assert edges(closure) == edges(play.closure())


@settings(deadline=None)
@given(plays(), toy.coalitions, st.sampled_from(sorted(toy.PASSES)), st.data())
def test_a_proof_exists_exactly_for_what_the_coalition_derives_and_its_steps_execute(play, coalition, name, data):
    closure = play.closure()
    labels = Labels(closure)
    if name not in labels.passes():
        name = "mathematics"
    alone = naive(play.held_by(coalition), closure.facts, toy.PASSES[name])
    seizures = [Seizure(who, (day,)) for who, day in sorted(coalition)]
    fact = data.draw(st.sampled_from(closure.facts))
    proof = prove(labels, [closure.ids[fact]], seizures, name)
    assert bool(proof) == (fact in alone)
    if proof:
        replay(closure, play.given, coalition, proof)
        last = proof[-1]
        assert closure.facts[last.conclusion if isinstance(last, RuleStep) else last.fact] == fact


@settings(max_examples=300, deadline=None)
@given(toy.roads, st.sets(st.integers(0, 9), min_size=1, max_size=2), st.data())
def test_no_proof_rests_on_itself(roads, starts, data):
    closure = toy.travel(roads, starts)
    goal = data.draw(st.sampled_from([fact for fact in closure.facts if isinstance(fact, Item)]))
    proof = prove(Labels(closure), [closure.ids[goal]], [Seizure(f"principal-{start}") for start in starts])
    given = [(Item(start), f"principal-{start}", 0) for start in starts]
    assert proof
    replay(closure, given, {(who, 0) for _, who, _ in given}, proof)


def test_a_proof_takes_the_shorter_way_although_it_is_found_later():
    """1 → 4 → 6 → 0 forks to 2 and 3; 1 → 5 → 3 is shorter, and 5 comes up after the fork."""
    roads = [(0, 2, 3), (1, 4, 4), (1, 5, 5), (4, 6, 6), (6, 0, 0), (5, 3, 3)]
    closure = toy.travel(roads, [0, 1])
    proof = prove(Labels(closure), [closure.ids[Item(3)]], [Seizure("principal-1", (0,))])
    replay(closure, [(Item(1), "principal-1", 0)], {("principal-1", 0)}, proof)
    assert [closure.facts[step.conclusion] for step in proof if isinstance(step, RuleStep)] == [Item(5), Item(3)]


def replay(closure, given, coalition, proof):
    """Every step rests on earlier ones, needs nothing that is merely free, and gives its conclusion again."""
    listed, paid, held = set(), set(), set(given)
    for entry in proof:
        if isinstance(entry, Given):
            fact = closure.facts[entry.fact]
            assert (fact, entry.holder, entry.evening) in held or entry.holder is None
            assert entry.evening is None or (entry.holder, entry.evening) in coalition
            listed.add(entry.fact)
            if entry.holder is not None or closure.assumed(entry.fact) & FREE:
                paid.add(entry.fact)
            continue
        assert set(entry.premises) <= listed
        facts = [closure.facts[premise] for premise in entry.premises]
        if service := closure.edges.service(entry.edge):
            assert set(entry.premises) <= paid
            rule, premises, conclusions = closure.edges.firing(service.firing)
            facts = [closure.facts[premise] for premise in premises]
            assert entry.conclusion in conclusions
        else:
            rule = next(each for each in closure.rules if each.name == entry.rule)
            needed = [*rule.needed, *[True] * (len(facts) - len(rule.needed))]
            assert {each for each, needs in zip(entry.premises, needed, strict=False) if needs} <= paid
        if isinstance(rule, Gate):
            facts = [*facts[: len(rule.takes) - 1], tuple(facts[len(rule.takes) - 1 :])]
        result = rule.function(*facts)
        assert closure.facts[entry.conclusion] in (result if isinstance(result, tuple) else (result,))
        listed.add(entry.conclusion)
        paid.add(entry.conclusion)


# --- facts and rules ---


def test_a_fact_of_a_narrower_type_serves_where_its_base_does():
    closure = closed(Gem(1), Item(2), Recipe(1, 2, 3), Registered(3, sealed(3, 5)))
    assert {Item(1), Item(3), Item(5)} <= set(closure.facts)
    assert closure.fired["toy_rules.cut"] == 1


def test_a_fact_that_fits_two_arguments_meets_itself_once():
    closure = Closure([toy.mix.__rule__, toy.brew.__rule__])
    for fact in (Item(1), Recipe(1, 1, 2), Trio(1, 1, 1, 3)):
        closure.learn(fact)
    closure.run()
    assert (closure.fired["toy_rules.mix"], closure.fired["toy_rules.brew"]) == (1, 1)


@pytest.mark.parametrize("start", range(3))
def test_joins_use_the_equalities_that_follow_from_others(start):
    @derivation("a.id = b.id, b.id = recipe.a")
    def chain(a: Item, b: Gem, recipe: Recipe) -> Gem:
        return Gem(9)

    keyed = [step.mine for step in plan_of(chain.__rule__, start)]
    assert keyed == [("a",) if at == 2 else ("id",) for at in range(3) if at != start]


class Box(Fact, frozen=True):
    data: bytes

    @property
    def label(self) -> int:
        if not self.data:
            raise Forged("an empty box has no label")
        return self.data[0]


def test_a_property_that_is_forged_joins_nothing():
    @derivation("box.label = item.id")
    def unbox(box: Box, item: Item) -> Gem:
        return Gem(item.id)

    closure = Closure([unbox.__rule__])
    for fact in (Box(b""), Box(b"\1"), Item(1), Item(2)):
        closure.learn(fact)
    closure.run()
    assert set(closure.facts) == {Box(b""), Box(b"\1"), Item(1), Item(2), Gem(1)}


@pytest.mark.parametrize("error", [ValueError("a defect"), KeyError("a defect")])
def test_what_is_not_forged_is_a_defect_and_escapes(error):
    @derivation()
    def broken(item: Item) -> Gem:
        raise error

    closure = Closure([broken.__rule__])
    closure.learn(Item(1))
    with pytest.raises(type(error)):
        closure.run()


def test_a_rule_that_gives_no_fact_is_refused():
    @derivation()
    def broken(item: Item) -> Gem:
        return None

    closure = Closure([broken.__rule__])
    closure.learn(Item(1))
    with pytest.raises(TypeError, match="no fact"):
        closure.run()


def test_a_fact_that_holds_a_list_is_refused_by_its_name():
    with pytest.raises(TypeError, match="Item is no value: its fields may hold tuples, but no list, dict or set"):
        Closure([]).learn(Item([1]))


def test_a_rule_that_never_fires_is_counted_as_such():
    assert closed(Item(1)).fired["toy_rules.mix"] == 0


@pytest.mark.parametrize("on", ["recipe.a = recipe.b, any item", "recipe.nowhere = item.id"])
def test_an_equality_that_cannot_hold_between_two_arguments_is_refused_at_import(on):
    with pytest.raises(RuleError):

        @derivation(on)
        def broken(item: Item, recipe: Recipe) -> Item:
            return item


# --- thresholds ---


def test_a_threshold_runs_once_and_takes_late_members():
    closure = closed(toy.share(0, 2, 1), toy.share(0, 2, 1, copy=1), toy.Share(0, 2, 2, value=0))
    assert closure.fired["toy_rules.combine"] == 0  # one index only: a copy is no second member, a wrong value is none
    assert closure.forged["toy_rules.combine"] == 1
    for index in (2, 3):
        closure.learn(toy.share(0, 2, index))
        closure.run()
    assert closure.fired["toy_rules.combine"] == 1
    [gate] = closure.edges.gates
    assert {index: len(same) for index, same in gate.members.items()} == {1: 2, 2: 1, 3: 1, 9: 1}
    assert {Item(100), toy.share(0, 2, 9)} <= set(closure.facts)


def test_thresholds_are_kept_apart_by_group_and_by_what_they_open():
    field, other = Field("bob", toy.Capsule(0, 0)), Field("bob", toy.Capsule(1, 0))
    closure = closed(toy.share(0, 2, 1), toy.share(0, 3, 2), field, field.capsule, other, other.capsule)
    assert not any(gate.ran for gate in closure.edges.gates)
    closure.learn(toy.share(0, 2, 2))
    closure.run()
    assert sum(gate.ran for gate in closure.edges.gates) == 3
    assert {Item(100), Item(200), Item(201)} <= set(closure.facts)


# --- services ---


def office(*facts: tuple[Fact, str, int]) -> Closure:
    field = Field("bob", toy.Capsule(0, 0))
    given = [
        (field, "network", None),
        (field.capsule, "network", None),
        (toy.AuthorityKey("authority"), "authority", 0),
    ]
    closure = Closure(toy.RULES)
    for fact in (*given, (toy.share(0, 2, 1), "agent-1", 0), *facts):
        closure.learn(*fact)
    closure.run()
    return closure


def warrant(target: str, signed: bool) -> Warrant:
    order = Order(target, "authority")
    return toy.sign(toy.COURT, order) if signed else Warrant(order, b"unsigned")


def served(closure: Closure, *shown: Warrant) -> int:
    return closure.serve(toy.SERVICE, lambda request: shown, toy.requester)


def test_a_service_edge_names_the_official_and_the_checks_that_fail():
    lawful, wrong = warrant("bob", signed=True), warrant("carol", signed=False)
    closure = office((lawful, "authority", 0), (wrong, "network", None))
    assert served(closure, lawful, wrong) == 2
    assert {(each.kind.holders, each.kind.failed) for each in closure.edges.services} == {
        (("agent-1",), frozenset()),
        (("agent-1",), frozenset({"signature", "target"})),
    }
    requested = {closure.facts[premise] for premise in closure.edges.services[0].premises}
    assert requested == {Field("bob", toy.Capsule(0, 0)), lawful, toy.AuthorityKey("authority")}
    assert served(closure, lawful, wrong) == 0


def test_a_relabelled_field_is_a_request_of_its_own():
    lawful = warrant("carol", signed=True)
    closure = office((lawful, "authority", 0), (lawful.order, None, None))
    served(closure, lawful)
    assert sorted(sorted(each.kind.failed) for each in closure.edges.services) == [[], ["target"]]


def test_a_warrant_that_nobody_holds_cannot_be_shown():
    with pytest.raises(KeyError):
        served(office(), warrant("bob", signed=True))


def test_a_warrant_must_give_what_the_rule_takes_from_it():
    @derivation("any key, any order")
    def extract(key: toy.CourtKey, order: Order) -> Gem:
        return Gem(len(order.target))

    @toy.service(extract, holder="key", given="order = warrant.order")
    def checks(key: toy.CourtKey, warrant: Warrant):
        yield "signature", warrant.signature != b"unsigned"

    bob, carol = warrant("bob", signed=True), warrant("carol", signed=False)
    closure = Closure([extract.__rule__])
    for fact in (bob, carol, bob.order, carol.order, toy.COURT, toy.AuthorityKey("authority")):
        closure.learn(fact)
    closure.run()
    closure.serve(checks.__service__, lambda request: [bob, carol], toy.requester)
    answers = {
        closure.facts[closure.edges.gives(each.firing)[0]]: sorted(each.kind.failed) for each in closure.edges.services
    }
    assert answers == {Gem(3): [], Gem(5): ["signature"]}

"""Property: a rule that feeds itself is stopped and named, and one that is long but ends is not."""

import pytest

from attacks.lab.adversary import closure as closures
from attacks.lab.adversary.closure import GENERATIONS, MOST, Closure, EndlessRule
from escrow.codec import Fact
from escrow.derivation import Guard, derivation
from escrow.errors import Forged


class Link(Fact, frozen=True):
    """One of a chain."""

    n: int


class Other(Fact, frozen=True):
    """One of another kind."""

    n: int


class Place(Fact, frozen=True):
    """A place that a chain may reach."""

    n: int


@derivation()
def onward(link: Link) -> Link:
    return Link(link.n + 1)


@derivation()
def across(link: Link) -> Other:
    return Other(link.n)


@derivation()
def back(other: Other) -> Link:
    return Link(other.n + 1)


@derivation()
def both(link: Link) -> tuple[Link, Link]:
    return Link(2 * link.n), Link(2 * link.n + 1)


@derivation("any one, any other")
def pairs(one: Link, other: Link) -> Link:
    return Link(one.n * 1_000_003 + other.n + 7)


@derivation("link.n = place.n")
def guarded(link: Link, place: Guard[Place]) -> Link:
    return Link(link.n + 1)


@derivation()
def ends(link: Link) -> Link:
    if link.n >= 3 * GENERATIONS // 2:
        raise Forged("the last day")
    return Link(link.n + 1)


@derivation()
def soon(link: Link) -> Link:
    if link.n >= 100:
        raise Forged("the last day")
    return Link(link.n + 1)


def closure(*functions):
    made = Closure(function.__rule__ for function in functions)
    made.learn(Link(1))
    return made


@pytest.mark.parametrize(
    ("functions", "named", "generations"),
    [
        ((onward,), "onward", GENERATIONS),
        ((across, back), "across", GENERATIONS),
        ((across, back), "back", GENERATIONS),
        ((both,), "both", GENERATIONS),
        ((pairs,), "pairs", GENERATIONS // 10),  # each meets all others: 256,000 firings instead of 4,400,000
    ],
)
def test_a_rule_that_feeds_itself_is_stopped_and_named_with_its_line(functions, named, generations, monkeypatch):
    monkeypatch.setattr(closures, "GENERATIONS", generations)
    endless = closure(*functions, soon)
    with pytest.raises(
        EndlessRule, match=rf"{named} \(test_endless_rules\.py:\d+\).* feeds itself without end"
    ) as raised:
        endless.run()
    assert ".soon" not in str(raised.value).split(" feeds")[0]
    assert len(endless.facts) < 2 * MOST * generations


@pytest.mark.parametrize("places", [0, 5 * GENERATIONS])
def test_a_chain_that_guards_or_the_function_itself_bound_is_computed_whole(places):
    bounded = closure(guarded) if places else closure(ends)
    for n in range(places):
        bounded.learn(Place(n), "network")
    bounded.run()
    assert Link(places or 3 * GENERATIONS // 2) in bounded.ids

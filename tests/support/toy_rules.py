"""A small world for the closure: typed facts, rules of every kind, and plays that are drawn from them.

Items are secrets; recipes say which items make which, so that drawn recipes give any and/or graph, cycles included.
Letters are sealed bytes, shares and partials go through thresholds, and agents answer requests under a warrant.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256

from hypothesis import strategies as st

from attacks.lab.adversary.closure import Closure
from escrow.codec import Fact
from escrow.derivation import Checks, Guard, Rule, Service, Witness, derivation, service, threshold
from escrow.errors import Forged

PRIME = 65_537


class Item(Fact, frozen=True):
    id: int


class Gem(Item, frozen=True):
    """An item of a narrower type: it serves wherever an item does."""


class Recipe(Fact, frozen=True):
    a: int
    b: int
    makes: int


class Trio(Fact, frozen=True):
    a: int
    b: int
    c: int
    makes: int


class Letter(Fact, frozen=True):
    under: int
    sealed: bytes


class Registered(Letter, frozen=True):
    stamp: int = 0


class Share(Fact, frozen=True):
    group: int
    t: int
    index: int
    value: int
    copy: int = 0


class Delta(Fact, frozen=True):
    """What turns a share of one group into the share of another with the same index."""

    a: int
    b: int
    index: int
    difference: int


class Capsule(Fact, frozen=True):
    id: int
    group: int


class Field(Fact, frozen=True):
    target: str
    capsule: Capsule


class Partial(Fact, frozen=True):
    capsule: int
    group: int
    t: int
    index: int
    value: int


class Order(Fact, frozen=True):
    target: str
    authority: str


class CourtKey(Fact, frozen=True):
    value: bytes


class AuthorityKey(Fact, frozen=True):
    name: str


class Warrant(Fact, frozen=True):
    order: Order
    signature: bytes


# --- rules ---


@derivation("recipe.a = first.id, recipe.b = second.id")
def mix(first: Item, second: Item, recipe: Recipe) -> Item:
    """The recipe itself is needed."""
    return Item(recipe.makes)


@derivation("trio.a = a.id, trio.b = b.id, trio.c = c.id")
def brew(a: Item, b: Item, c: Item, trio: Guard[Trio] | None = None) -> tuple[Item, Gem]:
    """The trio only bounds the search."""
    assert trio is not None
    return Item(trio.makes), Gem(trio.makes + 1)


@derivation("recipe.a = item.id, recipe.b = item.id")
def twice(recipe: Recipe, item: Item) -> Gem:
    """One field equals two of another argument, whose equality follows."""
    return Gem(item.id)


@derivation()
def cut(gem: Gem) -> Item:
    return Item(gem.id)


@derivation("guess.id = item.id")
def polish(item: Item, guess: Guard[Gem]) -> Gem:
    """The guard names what is made: to know that a gem exists is not to have it."""
    return guess


def sealed(under: int, makes: int) -> bytes:
    body = bytes([makes])
    return body + hmac.digest(bytes([under]), body, "sha256")


@derivation("letter.under = item.id, witness.under = item.id")
def read(letter: Letter, item: Item, witness: Witness[Registered]) -> Item:
    """Any registered letter under the same item shows that the item is the right one."""
    for each in (letter, witness):
        if not hmac.compare_digest(hmac.digest(bytes([item.id]), each.sealed[:1], "sha256"), each.sealed[1:]):
            raise Forged("a letter's tag does not fit")
    return Item(letter.sealed[0])


def coefficient(group: int, power: int) -> int:
    return int.from_bytes(sha256(bytes([group, power])).digest()[:4], "big") % PRIME


def evaluate(group: int, t: int, x: int) -> int:
    return sum(coefficient(group, power) * pow(x, power, PRIME) for power in range(t)) % PRIME


def share(group: int, t: int, index: int, copy: int = 0) -> Share:
    return Share(group, t, index, evaluate(group, t, index), copy)


def interpolate(points: dict[int, int]) -> int:
    total = 0
    for x, y in points.items():
        top = bottom = 1
        for other in points:
            if other != x:
                top, bottom = top * other % PRIME, bottom * (other - x) % PRIME
        total += y * top * pow(bottom, -1, PRIME)
    return total % PRIME


@threshold(t="shares.t", member="shares.index", by="group", verify=lambda each: right(each))
def combine(shares: tuple[Share, ...]) -> tuple[Item, Share]:
    """The item of a group, and the share of index 9: shares follow from shares."""
    group, t = shares[0].group, shares[0].t
    if interpolate({each.index: each.value for each in shares}) != coefficient(group, 0):
        raise Forged("shares do not give their group's secret")
    return Item(100 + group), share(group, t, 9)


def right(each: Share) -> bool:
    return each.value == evaluate(each.group, each.t, each.index)


@derivation("delta.a = share.group, delta.index = share.index")
def refresh(share: Share, delta: Delta) -> Share:
    return Share(delta.b, share.t, share.index, (share.value + delta.difference) % PRIME)


@derivation("share.group = capsule.group")
def partial(share: Share, capsule: Capsule) -> Partial:
    return Partial(capsule.id, share.group, share.t, share.index, share.value * (capsule.id + 1) % PRIME)


def fits(field: Field, each: Partial) -> bool:
    return each.value == evaluate(each.group, each.t, each.index) * (field.capsule.id + 1) % PRIME


@threshold(
    "field.capsule.id = partials.capsule, field.capsule.group = partials.group",
    t="partials.t",
    member="partials.index",
    by="t",
    verify=fits,
)
def open_field(field: Field, partials: tuple[Partial, ...]) -> Item:
    """Fields of even capsules are bound to their target, so a relabelled one does not open."""
    whole = interpolate({each.index: each.value for each in partials})
    if whole != coefficient(field.capsule.group, 0) * (field.capsule.id + 1) % PRIME:
        raise Forged("partials do not fit the field")
    if field.capsule.id % 2 == 0 and field.target != "bob":
        raise Forged("the field was bound to another target")
    return Item(200 + field.capsule.id)


@derivation("any field, any order")
def relabel(field: Field, order: Guard[Order]) -> Field:
    return Field(order.target, field.capsule)


@derivation("any key, any order")
def sign(key: CourtKey, order: Guard[Order]) -> Warrant:
    return Warrant(order, hmac.digest(key.value, order.target.encode(), "sha256"))


COURT = CourtKey(b"court")


@service(partial, holder="share", given="capsule = field.capsule")
def agent_checks(share: Share, warrant: Warrant, field: Field) -> Checks:
    yield "signature", warrant == sign(COURT, warrant.order)
    yield "target", warrant.order.target == field.target
    yield "index", share.index != 3


MARKED = (mix, brew, twice, cut, polish, read, combine, refresh, partial, open_field, relabel, sign)
RULES: tuple[Rule, ...] = tuple(function.__rule__ for function in MARKED)  # type: ignore[attr-defined]
SERVICE: Service = agent_checks.__service__  # type: ignore[attr-defined]
PASSES = {
    "mathematics": None,
    "served": set(),
    **{f"without {check}": {check} for check in ("signature", "target", "index")},
}


# --- plays ---


@dataclass(frozen=True)
class Play:
    """What is known to whom: (fact, holder or None or "network", evening)."""

    given: tuple[tuple[Fact, str | None, int | None], ...]

    def held_by(self, coalition: Collection[tuple[str, int]]) -> set[Fact]:
        return {f for f, who, day in self.given if who in (None, "network") or (who, day) in coalition}

    def closure(self, holder: Callable[[str, int], tuple[str, int | None]] = lambda who, day: (who, day)) -> Closure:
        closure = Closure(RULES)
        for fact, who, day in self.given:
            closure.learn(fact, *(holder(who, day) if day is not None and who else (who, day)))
        settle(closure)
        return closure


def settle(closure: Closure) -> None:
    """Run and serve until there is nothing new."""
    closure.run()
    while closure.serve(SERVICE, lambda request: warrants(closure.facts), requester):
        closure.run()


def warrants(facts: Iterable[Fact]) -> list[Warrant]:
    return [fact for fact in facts if isinstance(fact, Warrant)]


def requester(warrant: Fact) -> Fact:
    assert isinstance(warrant, Warrant)
    return AuthorityKey(warrant.order.authority)


PRINCIPALS, EVENINGS = ("alice", "bob", "court", "agent-1", "agent-2"), 3
ids = st.integers(0, 3) | st.sampled_from([100, 200, 201])
small = st.integers(0, 3)
targets = st.sampled_from(["bob", "carol"])
secrets = st.builds(Item, small) | st.builds(Gem, small)
shares = st.builds(share, st.integers(0, 1), st.integers(2, 3), st.integers(1, 4), st.integers(0, 1))
public = st.one_of(
    st.builds(Recipe, ids, ids, small),
    st.builds(Trio, ids, ids, ids, small),
    st.builds(lambda under, makes: Registered(under, sealed(under, makes)), small, small),
    st.builds(lambda under, makes: Letter(under, sealed(under, makes)), small, small),
    st.builds(lambda under: Letter(under, bytes(33)), small),
)
deltas = st.builds(
    lambda a, index: Delta(a, 1 - a, index, evaluate(1 - a, 2, index) - evaluate(a, 2, index)),
    st.integers(0, 1),
    st.sampled_from([1, 2, 3, 9]),
)
papers = st.one_of(
    st.builds(Field, targets, st.builds(Capsule, st.integers(0, 1), st.integers(0, 1))),
    st.builds(Order, targets, st.just("authority")),
)
warranted = st.builds(lambda target: Warrant(Order(target, "authority"), b"unsigned"), targets) | st.just(COURT)
places = st.tuples(st.sampled_from(PRINCIPALS), st.integers(0, EVENINGS - 1))


def some(of: st.SearchStrategy[Fact], least: int, most: int) -> st.SearchStrategy[list[Fact]]:
    return st.lists(of, min_size=least, max_size=most, unique=True)


@st.composite
def plays(draw: st.DrawFn) -> Play:
    """Half of the plays turn on items and recipes, half on shares, fields and warrants; each has a little of both."""
    given: list[tuple[Fact, str | None, int | None]] = [(AuthorityKey("authority"), "authority", 0)]
    few, many = (0, 2), (4, 8)
    one, other = draw(st.sampled_from([(few, many), (many, few)]))
    held = draw(some(secrets, *one)) + draw(some(shares, *other)) + draw(some(warranted, 0, 2))
    for fact in held:
        given += [(fact, *place) for place in draw(st.sets(places, min_size=1, max_size=3))]
    laid_out = draw(some(public, *one)) + draw(some(papers, *((0, 2) if other == few else (3, 4))))
    for fact in laid_out + draw(some(deltas, 0, 3)):
        where = draw(st.sampled_from([(None, None), ("network", None), ("network", None), ("alice", 1)]))
        given.append((fact, *where))
        if isinstance(fact, Field):
            given.append((fact.capsule, *draw(st.sampled_from([where, ("network", None)]))))
    return Play(tuple(given))


coalitions = st.sets(places | st.just(("authority", 0)), max_size=4)


# --- travel: items as places ---


@derivation("road.a = item.id")
def follow(item: Item, road: Guard[Recipe]) -> tuple[Item, Item]:
    """Every road forks."""
    return Item(road.b), Item(road.makes)


roads = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=20, unique=True)


def travel(roads: Iterable[tuple[int, int, int]], starts: Iterable[int]) -> Closure:
    """Each start is held by a principal of its own."""
    closure = Closure([follow.__rule__])  # type: ignore[attr-defined]
    for road in roads:
        closure.learn(Recipe(*road))
    for start in starts:
        closure.learn(Item(start), f"principal-{start}", 0)
    closure.run()
    return closure


def reached(roads: Collection[tuple[int, int, int]], start: int) -> set[int]:
    found = {start}
    while more := {end for a, *ends in roads if a in found for end in ends} - found:
        found |= more
    return found

"""A corrupted party has all that it ever had, meets the others by packets only, and is tested only if its code ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from types import CellType, FunctionType, MethodType, TracebackType
from typing import Any

import msgspec
import pytest

from attacks import keeps_everything
from attacks.lab.simulation.attack import Attack, Cast, Keep, Turn
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.simulation.watched.keeping import Keeping
from attacks.lab.simulation.watched.seat import NoWayThere, Seat, blanked
from attacks.lab.verdict.evaluation import Evaluation
from attacks.specimens import erased_key
from escrow.codec import Fact, walk
from escrow.crypto import Call, Private, Run, new_private, random_bytes, running
from escrow.errors import EscrowError
from escrow.primitives.hpke import seal
from escrow.principal import Principal, corrupted
from escrow.scheme import Intercept, Scheme
from escrow.schemes.envelope import AgentKey, EnvelopeScheme
from escrow.schemes.plain import Plain
from escrow.schemes.split_key import Dealer, SplitKey
from escrow.sharing.elgamal import KeyShare
from escrow.warrant import Request, Warrant
from escrow.wire import Wire
from tests.support.untyped_clerk import NeverRuns, UntypedKey

SCENARIO = default(users=3, groups=0, days=3, messages=12)


def had(record: Any, name: str, evening: int) -> list[Fact]:
    """Every fact in a principal's state of an evening."""
    return list(walk(record.party(name, evening), Fact))


# --- it keeps everything ---


class KeepsOne(Attack):
    """One official is honest and erases nothing."""

    name = "keeps-one"

    def __init__(self, who: str) -> None:
        self.who = who

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Keep]:
        return [Keep(self.who)]


def test_who_keeps_everything_changes_nothing_of_the_play() -> None:
    for scheme in (SplitKey(), erased_key.SPECIMEN):
        honest = play(scheme, SCENARIO)
        kept = play(scheme, SCENARIO, keeps_everything.ATTACK)
        assert (kept.heard, kept.shown, kept.alarms) == (honest.heard, honest.shown, honest.alarms)


def test_a_dealer_that_keeps_what_it_dealt_has_every_share_and_one_that_erases_has_none() -> None:
    last = SCENARIO.days - 1
    kept, honest = play(SplitKey(), SCENARIO, KeepsOne("dealer")), play(SplitKey(), SCENARIO)
    assert {each.index for each in had(kept, "dealer", last) if isinstance(each, KeyShare)} == {1, 2, 3}
    assert not [each for each in had(honest, "dealer", last) if isinstance(each, KeyShare)]


def test_who_keeps_everything_has_nothing_of_those_that_it_only_talks_to() -> None:
    last = SCENARIO.days - 1
    for name in ("authority", "court", "provider"):
        record = play(EnvelopeScheme(), SCENARIO, KeepsOne(name))
        agent = next(each for each in had(record, "agent", last) if isinstance(each, AgentKey))
        assert agent not in had(record, name, last)
        assert agent.raw not in {each.raw for each in had(record, name, last) if isinstance(each, Private)}


def test_a_secret_that_was_never_typed_is_found_under_the_type_that_its_owner_has_for_it() -> None:
    """The clerk holds bytes alone; the agent's key is made of the same bytes."""
    evaluation = Evaluation(UntypedKey(), (keeps_everything.ATTACK,), SCENARIO)
    assert evaluation.cell(keeps_everything.ATTACK)[0].coalition == ("clerk@2",)
    sound = Evaluation(erased_key.TWIN, (keeps_everything.ATTACK,), SCENARIO)
    assert sound.cell(keeps_everything.ATTACK)[0].coalition == ("agent@2",)


# --- it meets the others by packets only ---


def reached(start: object, most: int = 20_000) -> Iterator[object]:
    """Everything that attributes, closures, bound methods, containers and tracebacks lead to."""
    waiting, seen = [start], dict[int, object]()
    while waiting and len(seen) < most:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type | str | bytes | int | float | None):
            continue
        seen[id(thing)] = thing
        yield thing
        waiting += _leads(thing)


def _leads(thing: Any) -> Iterator[object]:
    if isinstance(thing, dict):
        yield from (*thing.keys(), *thing.values())
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif isinstance(thing, FunctionType):
        yield from (thing.__closure__, thing.__defaults__, thing.__kwdefaults__, thing.__dict__)
    elif isinstance(thing, CellType):
        yield thing.cell_contents
    elif isinstance(thing, TracebackType):
        yield from (thing.tb_next, thing.tb_frame.f_locals)
    elif isinstance(thing, MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, BaseException):
        yield from (thing.__traceback__, thing.__context__, thing.__cause__, thing.args)
    for name in _names(type(thing)):
        with suppress(Exception):
            yield getattr(thing, name)


@cache
def _names(kind: type) -> list[str]:
    return [*(name for name in dir(kind) if not name.startswith("__")), "__wrapped__", "__dict__"]


class Crawler(Attack):
    """The provider, and an authority, look for whatever their code can reach."""

    name = "crawler"
    found: list[object]

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        return [Turn("authority", 0), Turn("dealer" if "dealer" in cast.officials else "provider", 0)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        self.found = []
        crawler = self

        def deal(self: Dealer, wire: Wire, agents: Sequence[Any], others: Iterable[str]) -> None:
            crawler.look(self, wire, list(agents), others)
            Dealer.deal(self, wire, agents, others)

        return corrupted(party, deal=deal) if isinstance(party, Dealer) else corrupted(party)

    def each_evening(self, party: Any, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        self.look(party, wire, intercepted)
        try:
            wire.ask(party.name, "agent", Request(Warrant(None, b""), b"", b""), type(None))  # type: ignore[arg-type]
        except Exception as error:
            self.look(party, error)
        try:
            wire.ask(party.name, "nobody", Request(Warrant(None, b""), b"", b""), type(None))  # type: ignore[arg-type]
        except EscrowError as error:
            self.look(party, error)

    def look(self, party: Principal, *things: object) -> None:
        for each in reached(things):
            if isinstance(each, Wire) or type(each) is Seat or (isinstance(each, Private) and any(each.raw)):
                self.found.append(each)
            elif isinstance(each, Principal) and each is not party and each.name != party.name:
                self.found += [fact for fact in walk(each, Private) if any(fact.raw)]


@pytest.mark.parametrize("scheme", [EnvelopeScheme(), SplitKey()], ids=str)
def test_no_object_that_a_corrupted_party_is_handed_leads_to_an_honest_party(scheme: Scheme) -> None:
    attack = Crawler()
    own = {fact for fact in had(play(scheme, SCENARIO, attack), "authority", 0) if isinstance(fact, Private)}
    assert [each for each in attack.found if each not in own] == []


def test_the_crawler_finds_an_honest_partys_key_where_there_is_a_way() -> None:
    """A wire that is handed over as it is, and a method of a façade that is none."""
    attack, key = Crawler(), Private(b"p" * 32, b"s" * 32)
    attack.found = []
    honest = Principal("agent", receiving_key=None)
    wire = Wire([honest])
    attack.look(Principal("thief"), wire.ask)
    assert wire in attack.found
    attack.found = []
    attack.look(Principal("thief"), lambda: key)
    assert attack.found == [key]


@pytest.mark.parametrize("asked", ["parties", "party", "alarms", "shown", "link", "deliver", "handed", "_wire"])
def test_the_wire_of_a_corrupted_party_has_no_way_to_objects(asked: str) -> None:
    class Asks(Attack):
        name = "asks"

        def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
            return [Turn("provider", 0)]

        def each_evening(self, party: Any, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
            getattr(wire, asked)

    with pytest.raises(NoWayThere, match=asked):
        play(Plain(), SCENARIO, Asks())


def test_a_corrupted_party_speaks_as_nobody_who_is_honest() -> None:
    class Speaks(Attack):
        name = "speaks"

        def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
            return [Turn("provider", 0)]

        def each_evening(self, party: Any, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
            wire.tell("court", "authority", Request(Warrant(None, b""), b"", b""))  # type: ignore[arg-type]

    with pytest.raises(ValueError, match="cannot speak as court"):
        play(Plain(), SCENARIO, Speaks())


def test_what_is_handed_over_of_another_party_is_public() -> None:
    key = Private(b"p" * 32, b"s" * 32)
    assert blanked([key, "name", 3, b"bytes"]) == [Private(b"p" * 32, bytes(32)), "name", 3, bytes(5)]


def test_of_a_tool_only_arguments_and_results_count_and_what_is_drawn_elsewhere_does() -> None:
    """HPKE draws a key inside, and forgets it: the door's functions in escrow.run are tools like those in crypto."""
    calls: list[Call] = []
    with running(Run(b"secret", calls.append)):
        public = new_private().public
        calls.clear()
        kept = Keeping(Principal(name="somebody"), frozenset(), alone=True)
        made = kept.during(lambda: (seal(public, b"plaintext"), random_bytes(32)))
    drawn = [each.outputs[0] for each in calls if each.operation == "random"]
    assert len(drawn) == 2 and drawn[1] == made[1]
    assert kept.values & {*drawn, *made, b"plaintext"} == {drawn[1], *made, b"plaintext"}


class Box(msgspec.Struct, frozen=True):
    """Holds facts, in a list to which more may come or in a tuple."""

    facts: list[Fact] | tuple[Fact, ...]


def test_what_comes_into_a_frozen_value_is_had_and_one_that_never_changes_is_looked_at_once() -> None:
    early, late = new_private(), new_private()
    several: list[Fact] = [early]
    growing, whole = Box(several), Box((early,))
    kept = Keeping(Principal(name="somebody"), frozenset(), alone=True)
    kept.during(lambda: (growing, whole))
    assert kept.facts((Private,)) == [early]
    kept.during(lambda: several.append(late))
    kept.during(lambda: growing)
    assert kept.facts((Private,)) == [early, late]
    assert id(whole) in kept._seen and id(growing) not in kept._seen


def checks(secret: Private) -> Iterator[bool]:
    """Yield two checks, as an official does that holds a secret."""
    yield bool(secret.raw)
    yield True


@pytest.mark.parametrize("ended", ["closed", "gone on with"])
def test_a_generator_that_another_party_began_is_not_the_partys_own_whoever_ends_it(ended: str) -> None:
    """An official whose check fails leaves its checks half done, and the collector closes them at any time."""
    honest, own = new_private(), new_private()
    begun = checks(honest)
    next(begun)
    kept = Keeping(Principal(name="somebody"), frozenset(), alone=True)
    kept.during(begun.close if ended == "closed" else lambda: list(begun))
    assert kept.facts((Private,)) == []
    mine: list[Iterator[bool]] = []
    kept.during(lambda: (mine.append(checks(own)), next(mine[0])))
    kept.during(lambda: list(mine[0]))
    assert kept.facts((Private,)) == [own]


# --- it is tested only if its code ran ---


def test_a_cell_whose_replaced_methods_never_ran_is_inconclusive_and_says_which() -> None:
    quiet = msgspec.structs.replace(SCENARIO, warrants=())
    cell = Evaluation(EnvelopeScheme(), (NeverRuns(),), quiet).cell(NeverRuns())[0]
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.reason.startswith("none of the replaced methods ran: on_request; else AS CLAIMED: ")
    assert Evaluation(EnvelopeScheme(), (NeverRuns(),), SCENARIO).cell(NeverRuns())[0].verdict == "AS CLAIMED"

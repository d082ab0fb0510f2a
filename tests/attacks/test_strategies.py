"""Strategies from narrow to wide: which are played, what of them a cell holds, and what each attack reaches by them."""

from __future__ import annotations

from functools import cache

import pytest

from attacks import court_and_phone, decoys, field_stripping, ghost_insertion, member_insertion, mislabelling
from attacks import prekey_substitution as middle
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.results.types import Cell
from attacks.lab.simulation.attack import Attack, Turn
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.simulation.strategies import named, narrowest, played, playing, strategies
from attacks.lab.verdict.analysis import SERVED, Analysis
from attacks.lab.verdict.controls import control_of, controlled
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.frontier import StrategyResult
from attacks.registry import attacks as found
from escrow.errors import Malformed
from escrow.scheme import Scheme
from escrow.schemes import envelope, plain
from escrow.schemes.clipper.scheme import SCHEME as CLIPPER

ATTACKS = found()
SMALL = default(users=4, groups=2, days=5, messages=24)
FULL = default()
CAST = cast_of(envelope.SCHEME, SMALL)
WIDE = [name for name, attack in ATTACKS.items() if type(attack).strategies is not Attack.strategies]


@cache
def tried(scheme: Scheme, attack: Attack, scenario: Scenario = SMALL) -> list[StrategyResult]:
    return Evaluation(scheme, (attack,), scenario).tried(attack)


@cache
def cell(scheme: Scheme, attack: Attack, scenario: Scenario = SMALL) -> Cell:
    return Evaluation(scheme, tuple(ATTACKS.values()), scenario).cell(attack)[0]


def fitting(attack: Attack) -> Scheme:
    """Return a scheme to which the attack applies: envelope, or the attack's own specimen."""
    return control_of(attack).specimen if attack.applies(envelope.SCHEME, CAST) else envelope.SCHEME


# --- which are played ---


def test_the_ends_are_played_and_one_between_only_where_it_may_tell_more():
    listed = [ghost_insertion.GhostInsertion(str(number)) for number in range(5)]
    assert played(listed, lambda each: each.strategy, lambda *ends: False) == ["0", "4"]
    assert played(listed, lambda each: each.strategy, lambda *ends: ends == ("0", "4")) == ["0", "2", "4"]
    assert played(listed[:2], lambda each: each.strategy, lambda *ends: True) == ["0", "1"]
    assert played(listed[:1], lambda each: each.strategy, lambda *ends: True) == ["0"]
    assert played(listed, lambda each: each.strategy, lambda *ends: False, plays="all") == list("01234")


@pytest.mark.parametrize("name", WIDE)
def test_strategies_are_named_differently_and_the_narrowest_is_what_an_attack_does_by_itself(name):
    attack = ATTACKS[name]
    cast = cast_of(fitting(attack), SMALL)
    listed = strategies(attack, cast, SMALL)
    assert len(listed) > 1
    assert all(each.strategy for each in listed)
    assert narrowest(attack, cast, SMALL).strategy == listed[0].strategy
    assert narrowest(listed[-1], cast, SMALL) is listed[-1]
    assert named(attack, listed[-1].strategy, cast, SMALL).strategy == listed[-1].strategy
    with pytest.raises(LookupError):
        named(attack, "no such strategy", cast, SMALL)


def test_strategies_of_another_attack_or_of_one_name_are_refused():
    class Twice(ghost_insertion.GhostInsertion):
        def strategies(self, cast, scenario):
            return [ghost_insertion.GhostInsertion("one"), ghost_insertion.GhostInsertion("one")]

    class Anothers(ghost_insertion.GhostInsertion):
        def strategies(self, cast, scenario):
            return [member_insertion.MemberInsertion("one")]

    for attack, why in (
        (Twice(), "two of its strategies are called 'one'"),
        (Anothers(), "strategies of member-insertion"),
    ):
        with pytest.raises(Malformed, match=f"^ghost-insertion: .*{why}"):
            strategies(attack, cast_of(plain.SCHEME, SMALL), SMALL)


def test_an_attack_that_lists_none_is_its_own_only_strategy():
    class Former(Attack):
        name, title, specimen = "former", "An attack of a third party", "trusting"
        source = ghost_insertion.ATTACK.source

        def corruptions(self, cast, scenario):
            return [Turn("provider", scenario.attack_day)]

    got = cell(plain.SCHEME, Former())
    assert (got.strategy, got.strategies, got.played) == ("", 1, 1)
    assert got.unnoticed is not None
    assert got.unnoticed.reads == got.exposed.total


def test_all_are_played_if_asked_for():
    asked = playing(field_stripping.ATTACK, "all")
    got = cell(envelope.SCHEME, asked)
    assert (got.played, got.strategies) == (3, 3)
    assert field_stripping.ATTACK.plays == "ends"


def test_the_narrowest_alone_is_played_if_asked_for():
    got = cell(envelope.SCHEME, playing(field_stripping.ATTACK, "narrowest"))
    listed = field_stripping.ATTACK.strategies(cast_of(envelope.SCHEME, SMALL), SMALL)
    assert (got.played, got.strategies, got.strategy) == (1, 3, listed[0].strategy)


def test_victims_are_drawn_by_the_seed_over_all_bystanders_and_all_pairs():
    drawn = {ghost_insertion.bystander(default(seed=seed)).name for seed in range(40)}
    assert drawn == {user.name for user in ghost_insertion.bystanders_of(FULL)}
    pairs = {tuple(user.name for user in middle.ATTACK.between(default(seed=seed))) for seed in range(200)}
    assert len(pairs) == 15


# --- what a cell holds ---


def test_the_cell_is_the_play_that_reads_most_and_beside_it_stands_the_most_that_nobody_notices():
    got, plays = cell(plain.SCHEME, middle.ATTACK), tried(plain.SCHEME, middle.ATTACK)
    most = max(plays, key=lambda each: each.reads)
    assert (got.strategy, got.exposed.total, got.alarms) == (most.attack.strategy, most.reads, most.messaging.alarms)
    quiet = [each for each in plays if not each.noticed]
    assert quiet
    assert got.unnoticed is not None
    assert got.unnoticed.reads == max(each.reads for each in quiet) < got.exposed.total


def test_no_play_stands_as_unnoticed_where_all_are_noticed():
    assert cell(plain.SCHEME, ghost_insertion.ATTACK).unnoticed is None
    assert all(each.noticed for each in tried(plain.SCHEME, ghost_insertion.ATTACK))


@pytest.mark.parametrize("name", WIDE)
def test_counts_that_are_printed_together_add_up(name):
    attack = ATTACKS[name]
    scheme = fitting(attack)
    got = cell(scheme, attack)
    assert got.verdict != "NOT_APPLICABLE"
    plays = {each.attack.strategy: each.messaging for each in tried(scheme, attack)}
    told = plays[got.strategy]
    assert (got.overcollected.total, got.missed.total) == (got.overreached, got.evaded)
    assert got.outside.people + got.outside.days + got.outside.scope == got.overreached
    assert len({each.body for each in told.record.lawful}) == got.lawful + got.fabricated
    assert got.lawful == got.overreached + len(told.lawful & told.entitled)
    assert got.misattributed <= got.lawful


@pytest.mark.parametrize("name", WIDE)
def test_no_strategy_breaks_the_twin(name):
    attack = playing(ATTACKS[name], "all")
    assert controlled(attack, [*ATTACKS.values(), attack]).failure == ""


# --- what they reach ---


def reads(attack: Attack, scheme: Scheme = plain.SCHEME) -> int:
    return tried(scheme, attack, FULL)[0].reads


def test_ghosts_for_everybody_read_more_than_one():
    assert reads(ghost_insertion.GhostInsertion("alice", ["alice"])) == 53
    everybody = ghost_insertion.GhostInsertion("all", [user.name for user in FULL.users])
    assert reads(everybody) == 175


def test_the_provider_in_the_middle_of_all_pairs_reads_everything():
    listed = {each.strategy: each for each in strategies(middle.ATTACK, cast_of(plain.SCHEME, FULL), FULL)}
    assert reads(middle.PrekeySubstitution("a pair", [("alice", "carol")])) == 48
    assert reads(listed["between all pairs"]) == 250
    one_way, both = listed["between one user and everybody, one way"], listed["between one user and everybody"]
    assert 0 < reads(one_way) < reads(both) < 250


def test_stripping_by_one_by_the_targets_and_by_all_hides_more_and_more():
    cast = cast_of(envelope.SCHEME, FULL)
    missed = []
    for each in strategies(field_stripping.ATTACK, cast, FULL):
        told = Evaluation(envelope.SCHEME, (each,), FULL).tried(each)[0].messaging
        missed.append(len(told.evaded))
    assert missed == [11, 35, 67]
    assert len(told.entitled) == 67


def test_a_stranger_in_groups_is_noticed_later_on_and_not_from_the_first_list_on():
    plays = {each.attack.strategy: each for each in tried(plain.SCHEME, playing(member_insertion.ATTACK, "all"), FULL)}
    late, early = plays["all groups, once they are known"], plays["all groups, from their first lists on"]
    assert (late.reads, late.noticed) == (52, True)
    assert early.reads > late.reads
    assert not early.noticed
    assert {alarm.check for alarm in late.messaging.alarms} == {"a new member of a group is shown"}


def test_the_law_opens_what_nobody_received():
    got = cell(envelope.SCHEME, decoys.ATTACK)
    assert (got.verdict, got.fabricated > 0, got.evaded > 0, got.alarms) == ("FAILS", True, True, ())
    beside = next(each for each in tried(envelope.SCHEME, decoys.ATTACK) if not each.attack.instead)
    assert beside.messaging.evaded == frozenset()
    assert beside.messaging.fabricated > 0
    shown = {each.text for each in beside.messaging.record.shown}
    false = {each.body for each in beside.messaging.record.lawful} - beside.messaging.ids.keys()
    assert false.isdisjoint(shown)


def test_clippers_court_needs_any_one_phone():
    got = cell(CLIPPER, court_and_phone.ATTACK)
    assert got.exposed.total == got.sent
    assert sorted(each.partition("@")[0].rpartition("-")[2] for each in got.coalition) == ["court", "phone"]
    analysis, _ = Evaluation(CLIPPER, (court_and_phone.ATTACK,), SMALL).under(court_and_phone.ATTACK)
    for name in analysis.record.cast.devices:
        opened = _by(analysis, "court", name)
        assert len(opened) == got.sent
    assert _by(analysis, "court") == frozenset()


def _by(analysis: Analysis, *names: str) -> frozenset[int]:
    return analysis.opened_by([Seizure(name) for name in names], SERVED)


def test_false_days_are_missed_and_false_people_are_collected():
    plays = {each.attack.strategy: each for each in tried(envelope.SCHEME, playing(mislabelling.ATTACK, "all"), FULL)}
    back, added = plays["all devices of the targets date back"], plays["all bystanders add a target's name"]
    assert back.messaging.evaded
    assert back.messaging.outside.people == 0 < back.messaging.outside.days
    assert added.messaging.outside.people > 0
    assert not added.noticed  # all who read such mail are in it
    one = plays["a bystander adds a target's name"]
    liars = {each.principal for each in one.messaging.record.corrupted}
    assert one.noticed
    assert {alarm.check.partition(":")[0] for alarm in one.messaging.alarms} == liars


def test_a_scenario_without_groups_has_nobody_to_add_a_stranger_to():
    alone = default(users=3, groups=0, days=4, messages=12)
    assert cell(plain.SCHEME, member_insertion.ATTACK, alone).verdict == "INCONCLUSIVE"
    assert play(plain.SCHEME, alone, member_insertion.ATTACK).untested


def test_each_new_specimen_and_its_twin_stand_in_one_file():
    for attack in (court_and_phone.ATTACK, decoys.ATTACK, member_insertion.ATTACK, mislabelling.ATTACK):
        control = control_of(attack)
        assert type(control.specimen).__module__ == type(control.twin).__module__


# --- the worst of their words ---


def test_the_verdict_is_the_worst_of_the_strategies_and_the_counts_are_of_the_one_that_reads_most():
    """By one device: a text that Lotus does not concede is missed. By all: each missed text has two cheating ends."""
    found = cell(envelope.SCHEME, field_stripping.ATTACK)
    assert (found.verdict, found.strategy, found.evaded) == ("FAILS", "by all clients", found.entitled)
    assert found.unkept == found.unkept_conceded == found.entitled
    assert found.worse.strategy == "by one device of one target"
    alone = cell(envelope.SCHEME, named(field_stripping.ATTACK, found.worse.strategy, CAST, SMALL))
    assert (alone.verdict, alone.reason, alone.worse) == ("FAILS", found.worse.reason, None)
    assert alone.unkept > alone.unkept_conceded


def test_what_a_rogue_itself_writes_or_reads_is_not_collected_against_the_claim():
    """A device that dates back gives the law its own texts; it could give them by hand."""
    narrow = named(mislabelling.ATTACK, "one device of a target dates back", cast_of(envelope.SCHEME, FULL), FULL)
    found = cell(envelope.SCHEME, narrow, FULL)
    assert found.overreached == 4 and found.against.overcollected == 0 and found.verdict == "FAILS"

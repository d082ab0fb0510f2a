"""Attacks find their victims by what these hold and do, whatever a third party calls them."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import msgspec
import pytest

from attacks.lab.simulation.attack import Cast, KeyHolders
from attacks.lab.simulation.play import cast_of
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.evaluation import Evaluation
from attacks.registry import attacks
from escrow import registry
from tests.support.odd_officials import SCHEME, WARDENS, Vault

SCENARIO = default(users=3, groups=0, days=3, messages=12)
ATTACKS = attacks()
WRONG = Vault(checks=False)  # the same scheme, whose wardens and authority take shares as they come


def cell(scheme: Vault, attack: str):
    return Evaluation(scheme, (ATTACKS[attack],), SCENARIO).cell(ATTACKS[attack])[0]


def test_roles_are_told_by_facts_and_not_by_names() -> None:
    cast = cast_of(SCHEME, SCENARIO)
    assert cast.holders == (KeyHolders(WARDENS, 2),)
    assert cast.dealers == ("notary",)


@pytest.mark.parametrize(
    ("scheme", "holders", "dealers"),
    [
        ("plain", (), ()),
        ("envelope", (), ()),
        ("clipper", (KeyHolders(("agent-1", "agent-2")),), ()),
        ("fair-keys", (KeyHolders(("trustee-1", "trustee-2", "trustee-3"), 2),), ()),
        ("split-key", (KeyHolders(("agent-1", "agent-2", "agent-3"), 2),), ("dealer",)),
        ("threshold", (KeyHolders(("agent-1", "agent-2", "agent-3"), 2),), ("agent-1", "agent-2", "agent-3")),
    ],
)
def test_who_holds_and_who_deals(scheme: str, holders: tuple[KeyHolders, ...], dealers: tuple[str, ...]) -> None:
    cast = cast_of(registry.schemes()[scheme], SCENARIO)
    assert (cast.holders, cast.dealers) == (holders, dealers)


def test_a_dealer_under_another_name_deals_wrong_shares_and_wardens_that_check_notice() -> None:
    noticed, fooled = cell(SCHEME, "rogue-dealer"), cell(WRONG, "rogue-dealer")
    assert {each.check for each in noticed.alarms} == {"notary: a wrong share"}
    assert not fooled.alarms
    assert fooled.verdict == noticed.verdict == "BREACH"
    assert fooled.lawful == noticed.lawful == 0


def test_a_dealer_under_another_name_that_keeps_what_it_dealt_reads_everything() -> None:
    found = cell(SCHEME, "keeps-everything")
    assert (found.verdict, found.coalition, found.exposed.total) == ("BREACH", ("notary@2",), SCENARIO.messages)


def test_a_holder_under_another_name_lies_and_only_who_checks_its_answers_still_reads() -> None:
    sound, fooled = cell(SCHEME, "lying-holder"), cell(WRONG, "lying-holder")
    assert sound.lawful == sound.entitled > 0
    assert {each.check for each in sound.alarms} == {"wrong share of north"}
    assert fooled.lawful == 0


def test_holders_under_other_names_are_robbed_one_an_evening() -> None:
    found = cell(SCHEME, "mobile-adversary")
    assert found.exposed.total == SCENARIO.messages
    assert {member.split("@")[0] for member in found.coalition} <= set(WARDENS)


def test_without_roles_no_attack_on_holders_or_dealers_applies() -> None:
    nobody = Cast(("alice-phone",), ("agent-1", "agent-2", "dealer"))
    for name in ("rogue-dealer", "lying-holder", "mobile-adversary"):
        assert ATTACKS[name].applies(SCHEME, nobody)


@pytest.mark.parametrize("name", ["prekey-substitution", "impersonation"])
def test_whom_the_middle_sits_between_is_drawn_over_all_pairs(name: str) -> None:
    """So the one who attends every meeting of the default scenario is a victim no more often than another."""
    drawn = Counter(ATTACKS[name].sits_between(msgspec.structs.replace(default(), seed=seed))[0] for seed in range(300))
    assert set(drawn) == set(combinations([user.name for user in default().users], 2))
    assert max(drawn.values()) < 3 * 300 / 15

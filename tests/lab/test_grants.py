"""Properties: a grant counts officials, each once, in every shape of coalition; its words are known or refused."""

import sys
from itertools import combinations
from pathlib import Path

import pytest

from attacks.lab.adversary.coalitions import Coalition, CoalitionThreshold, Seizure
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.members import fewest
from escrow import registry
from escrow.registry import PluginError
from escrow.scheme import Claim, Grant
from escrow.schemes.split_key import SplitKey
from escrow.testing import templates

AGENTS = frozenset(f"agent-{number}" for number in range(1, 101))


def coalition(*members: str, wide: tuple[CoalitionThreshold, ...] = ()) -> Coalition:
    return Coalition(tuple(Seizure(*_read(each)) for each in members), wide)


def _read(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, days = text.partition("@")
    return name, tuple(map(int, days.split(","))) if days else ()


def any_of(t: int, *of: str) -> tuple[CoalitionThreshold, ...]:
    return (CoalitionThreshold(t, of),)


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        (coalition("agent-1@0", "agent-1@3"), 1),
        (coalition("agent-1", "alice-phone", "provider"), 1),
        (coalition("agent-1@0", wide=any_of(2, "agent-1@1", "agent-1@2,3", "agent-2")), 1),
        (coalition(wide=any_of(2, "agent-1@0", "agent-1@1-2", "agent-2")), 1),
        (coalition(wide=any_of(2, "agent-1@0", "agent-2", "agent-3")), 2),
        (coalition(wide=any_of(2, "agent-1 or agent-3", "agent-3 or agent-2, agent-1", "agent-2")), 1),
        (coalition(wide=any_of(2, "agent-1, agent-2", "agent-3, agent-4")), 4),
        (coalition(wide=any_of(2, "agent-1, bob-phone@2,4-5", "bob-phone", "agent-2")), 1),
        (coalition(wide=any_of(1, "any 2 of {agent-1; agent-2}", "agent-3")), 0),
        (coalition(wide=(*any_of(1, "agent-1", "agent-2"), *any_of(1, "agent-1", "agent-3"))), 1),
        (coalition(wide=any_of(67, *sorted(AGENTS))), 67),
        (coalition(wide=any_of(67, *(f"{each}@{day}" for each in AGENTS for day in (0, 2)))), 34),
    ],
)
def test_a_threshold_counts_those_who_are_in_every_choice(shape, count):
    assert fewest(shape, AGENTS) == count


def test_the_count_is_that_of_all_choices():
    """Against brute force, over all shapes of four members out of three agents' evenings."""
    names = ["agent-1@0", "agent-1@1", "agent-2@0", "agent-3"]
    for t in (1, 2, 3):
        chosen = [{each.split("@")[0] for each in some} for some in combinations(names, t)]
        for beside in ([], ["agent-1"], ["agent-2@5", "bob-phone"]):
            sure = {each.split("@")[0] for each in beside} & AGENTS
            assert fewest(coalition(*beside, wide=any_of(t, *names)), AGENTS) == min(
                len(sure | each) for each in chosen
            )


@pytest.fixture(scope="module")
def record():
    return play(SplitKey(), small())


def granted(record, who, t, shape):
    claim = Claim(words="", section="", grants=(Grant(who, "everything", t),), access="none")
    return Judge(record, claim).granted(shape, record.sent[0].id)


def test_a_grant_counts_officials_only(record):
    """Phones that match the pattern of a grant filled its number."""
    device = record.cast.devices[0]
    assert granted(record, "*", 2, coalition("agent-1", "agent-2"))
    assert not granted(record, "*", 2, coalition("agent-1", device))
    assert not granted(record, device, 1, coalition(device))
    assert not granted(record, "*", 2, coalition(wide=any_of(2, "agent-1", device)))


def test_the_same_official_twice_is_one(record):
    assert not granted(record, "agent-*", 2, coalition("agent-1@0", "agent-1@1"))
    assert not granted(record, "agent-*", 2, coalition(wide=any_of(2, "agent-1@0", "agent-1@1", "agent-2")))
    assert granted(record, "agent-*", 2, coalition(wide=any_of(2, "agent-1", "agent-2@1", "agent-3")))


LINE = 'Grant("authority", "in scope")'


@pytest.mark.parametrize(
    ("found", "put", "field"),
    [
        (LINE, 'Grant("authority", "nothing")', r"grants\[2\]\.extent: 'nothing' is no extent"),
        (LINE, 'Grant("authority", "in-scope")', r"grants\[2\]\.extent: 'in-scope' is no extent"),
        (LINE, 'Grant("authority", "in scope", "2")', r"grants\[2\]\.t: "),
        (LINE, 'Grant("authority", "in scope", 0)', r"grants\[2\]: t must be 1 or more"),
        (LINE, 'Grant("", "in scope")', r"grants\[2\]\.who: who must name somebody"),
        (
            LINE,
            'Grant("autority", "in scope")',
            r"grants\[2\]\.who: nobody is called 'autority'; there are cust",
        ),
        (LINE, 'Grant("alice-phone", "in scope")', r"grants\[2\]\.who: nobody is called 'alice-phone'"),
        (LINE, 'Grant("authority", "own")', r"grants\[2\]\.extent: 'authority' is no device"),
        (LINE, 'Grant("custodian", "in scope", 2)', r"grants\[2\]\.t: 2 of 'custodian', and only custodian fit"),
        (LINE, 'Grant("*ity", "in scope", 2)', r"grants\[2\]\.t: 2 of '\*ity', and only authority fit"),
        ('access="in scope"', 'access="everything"', r"access: Invalid enum value 'everything'"),
    ],
)
def test_a_claim_in_unknown_words_does_not_load(tmp_path: Path, found, put, field):
    """`Grant("custodian", "nothing")` was judged as if it said everything."""
    path = tmp_path / "claiming.py"
    text = templates.scheme("claiming")
    assert found in text
    path.write_text(text.replace(found, put))
    with pytest.raises(PluginError, match=rf"claiming\.py.*its claim's {field}"):
        registry.schemes([path])
    del sys.modules["plugin_claiming"]


def test_the_judge_refuses_such_a_claim_too(record):
    with pytest.raises(TypeError, match=r"its claim's grants\[0\]\.extent"):
        Judge(record, Claim(words="", section="", grants=(Grant("agent-1", "all"),), access="none"))

"""Clients that are built with an intruder's key: who reads, what the law misses, and what it cannot apply to."""

import msgspec
import pytest

from attacks.key_in_build import ATTACK
from attacks.lab.simulation.builds.other_keys import exchanged
from attacks.lab.simulation.play import cast_of
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.evaluation import Evaluation
from escrow import registry
from escrow.crypto import Private
from escrow.sharing.elgamal import deal

SCENARIO = default(users=3, groups=1, days=4, messages=16)


@pytest.mark.parametrize("name", ["envelope", "split-key", "threshold", "jurisdictions"])
def test_whoever_changed_all_builds_reads_in_the_officials_place_and_nobody_notices(name: str) -> None:
    scheme = registry.schemes()[name]
    cell = Evaluation(scheme, [ATTACK], SCENARIO).cell(ATTACK)[0]
    since = SCENARIO.attack_day
    later = [said for said in SCENARIO.texts() if said.day >= since]
    assert cell.coalition == (f"intruder@{SCENARIO.days - 1}",)
    assert cell.exposed.total == cell.unnoticed.reads == len(later)
    assert cell.unkept > 0 == cell.complaints


def test_recipients_who_make_fields_again_refuse_what_one_changed_client_sends() -> None:
    scheme = msgspec.structs.replace(registry.schemes()["envelope"], policing="recipient")
    one, every = ATTACK.strategies(cast_of(scheme, SCENARIO), SCENARIO)
    noticed = [Evaluation(scheme, [each], SCENARIO).cell(each)[0].complaints for each in (one, every)]
    assert noticed[0] > 0 == noticed[1]


def test_it_says_why_where_no_client_has_such_a_key() -> None:
    for name in ("plain", "clipper", "ghost"):
        scheme = registry.schemes()[name]
        assert "no X25519 or P-256 key" in ATTACK.applies(scheme, cast_of(scheme, SCENARIO))


def test_exchanging_keys_and_back_leaves_what_was_there() -> None:
    group, _ = deal(2, 3)
    key, other = Private(bytes(32), b"\1" * 32), b"\2" * 32
    kept = {"a": (key, [group]), "b": group}
    new, _ = deal(2, 3)
    there = {key.public: other, group.key: new.key}
    changed = exchanged(kept, there)
    assert changed["a"][0] == Private(other, key.raw)
    assert changed["b"].key == new.key != group.key
    assert exchanged(changed, {other: key.public, new.key: group.key}) == kept

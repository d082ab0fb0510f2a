"""Clients that are built with an intruder's key: who reads, what the law misses, and what it cannot apply to."""

import msgspec
import pytest

from attacks.key_in_build import ATTACK
from attacks.lab.results.types import Cell
from attacks.lab.simulation.builds.other_keys import exchanged, other_key
from attacks.lab.simulation.play import cast_of
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.evaluation import Evaluation
from escrow import registry
from escrow.crypto import Private, Run, new_private, running
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Forged
from escrow.scheme import Scheme
from escrow.schemes.envelope import open_field
from escrow.sharing.elgamal import deal
from escrow.testing.leak import leaked

SCENARIO = default(users=3, groups=1, days=4, messages=16)


def scheme_of(words: str) -> Scheme:
    """Return a scheme by its name and parameters."""
    name, *values = words.split()
    return registry.with_parameters(registry.schemes()[name], [f"{name}.{value}" for value in values])


KINDS = ["envelope", "split-key", "threshold", "jurisdictions", "layered", "key-table", "warrant-key"]
FORMS = ["envelope kem=xwing n=3 t=2", "envelope per=epoch days=2", "key-table scope=pair", "warrant-key tag=epoch"]


@pytest.mark.parametrize("words", [*KINDS, *FORMS])
def test_whoever_changed_all_builds_reads_in_the_officials_place_and_nobody_notices(words: str) -> None:
    every = ATTACK.strategies(cast_of(scheme_of(words), SCENARIO), SCENARIO)[-1]
    cell = Evaluation(scheme_of(words), [every], SCENARIO).cell(every)[0]
    since = SCENARIO.attack_day
    later = [said for said in SCENARIO.texts() if said.day >= since]
    assert cell.coalition == (f"intruder@{SCENARIO.days - 1}",)
    assert cell.exposed.total == cell.unnoticed.reads == len(later)
    assert cell.unkept > 0 == cell.complaints


def test_a_relay_that_verifies_proofs_carries_no_field_that_is_for_another_key() -> None:
    scheme = scheme_of("envelope policing=publicly n=3 t=2")
    every = ATTACK.strategies(cast_of(scheme, SCENARIO), SCENARIO)[-1]
    cell = Evaluation(scheme, [every], SCENARIO).cell(every)[0]
    later = [said for said in SCENARIO.texts() if said.day >= SCENARIO.attack_day]
    assert (cell.unkept, cell.exposed.total) == (0, len(later))  # the network heard what the relay refused
    assert cell.lost > 0


def in_all_clients(words: str) -> Cell:
    """Return the cell of changed builds of all clients, compared with plain."""
    plain = registry.schemes()["plain"]
    every = ATTACK.strategies(cast_of(scheme_of(words), SCENARIO), SCENARIO)[-1]
    return Evaluation(scheme_of(words), [every], SCENARIO, plain=plain).cell(
        every, Evaluation(plain, [every], SCENARIO, plain=plain).opened
    )[0]


def test_what_a_changed_build_opens_opens_in_plain_too_so_that_the_laws_loss_decides() -> None:
    cell = in_all_clients("split-key")
    assert cell.excluded == cell.against.as_plain > 0 == cell.against.left
    assert (cell.verdict, cell.added_over_plain) == ("FAILS", 0) and cell.unkept > 0


def test_a_source_that_concedes_two_changed_ends_concedes_changed_builds_of_all() -> None:
    cell = in_all_clients("envelope")
    assert (cell.verdict, cell.unkept_conceded) == ("AS PLAIN", cell.unkept) and cell.unkept > 0


def test_a_client_without_fields_leaks_every_text_to_whoever_changed_its_build_and_no_other() -> None:
    plain = registry.schemes()["plain"]
    one, every = ATTACK.strategies(cast_of(plain, SCENARIO), SCENARIO)
    opened = [Evaluation(plain, [ATTACK], SCENARIO).opened(each) for each in (one, every)]
    theirs = [SCENARIO.attack_day <= said.day for said in SCENARIO.texts()]
    assert 0 < len(opened[0].opened) < len(opened[1].opened) == sum(theirs)
    assert opened[0].alarms == opened[1].alarms == ()


def test_a_leak_opens_for_its_own_key_only() -> None:
    with running(Run(bytes(32))):
        key, own, other = MessageKey(b"chain", 1, bytes(32)), new_private(), new_private()
        leak = leaked(key, FieldContext(("alice", "bob"), 0, b"header"), own.public)
        assert open_field(leak, own) == key
        with pytest.raises(Forged):
            open_field(msgspec.structs.replace(leak, n=2), own)
        with pytest.raises(Forged):
            open_field(leak, other)


@pytest.mark.parametrize("size", [0, 31, 48, 1184])
def test_a_public_key_of_no_known_kind_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="of no kind that is known here"), running(Run(bytes(32))):
        other_key(bytes(size))


def test_recipients_who_make_fields_again_refuse_what_one_changed_client_sends() -> None:
    scheme = msgspec.structs.replace(registry.schemes()["envelope"], policing="recipient")
    one, every = ATTACK.strategies(cast_of(scheme, SCENARIO), SCENARIO)
    noticed = [Evaluation(scheme, [each], SCENARIO).cell(each)[0].complaints for each in (one, every)]
    assert noticed[0] > 0 == noticed[1]


def test_it_says_why_where_no_client_has_such_a_key() -> None:
    for name in ("plain", "clipper", "ghost"):
        scheme = registry.schemes()[name]
        assert "no public key of an official" in ATTACK.applies(scheme, cast_of(scheme, SCENARIO))


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

"""The attacks on Clipper: what each does on the wire and what stops it; searches with and without numpy agree."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks import leaf_feedback, rogue_leaf, seed_retention, squeeze
from attacks.kernels import lanes as kernel
from attacks.kernels.lanes import NumpyLanes, PlainLanes
from attacks.kernels.leaf_search import first_valid, search
from attacks.lab.runs.matrix import run_cell
from attacks.lab.simulation.attack import Cast
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.delivery import Messaging
from attacks.registry import attacks
from escrow import codec
from escrow.crypto import Run, random_bytes, running
from escrow.primitives import skipjack
from escrow.schemes.clipper.chip import Chip, FamilyKey, UnitKey
from escrow.schemes.clipper.field import ClipperField, Identity
from escrow.schemes.clipper.leaf import Make
from escrow.schemes.clipper.scheme import SCHEME, Clipper
from escrow.schemes.envelope import SCHEME as ENVELOPE
from escrow.schemes.plain import SCHEME as PLAIN
from escrow.testing.world import mails_in

EVERY = tuple(attacks().values())
OURS = (rogue_leaf.ATTACK, leaf_feedback.ATTACK, seed_retention.ATTACK, squeeze.ATTACK)
SCENARIO = default(users=4, groups=2, days=6, messages=60)
TARGET = "bob"
KS = bytes(range(10))

with_numpy = pytest.mark.skipif(find_spec("numpy") is None, reason="numpy comes with the extra `fast`")


@cache
def played(scheme, attack=None):
    return play(scheme, SCENARIO, attack)


def fields(record, sender):
    """Every access field that a device sent."""
    mails = [mail for packet in record.heard for mail in mails_in(packet) if packet.src == sender == mail.sender]
    return [codec.decode(mail.field, ClipperField) for mail in mails if mail.field]


def chip_of(make):
    return Chip(FamilyKey(make, bytes(10)), UnitKey(b"unit", bytes(range(10))))


# --- controls ---


@pytest.mark.parametrize("attack", OURS, ids=lambda attack: attack.name)
def test_where_there_is_no_leaf_the_attack_does_not_apply_and_says_so(attack):
    for scheme in (PLAIN, ENVELOPE):
        assert attack.applies(scheme, Cast((), ("authority",)))
    assert not attack.applies(SCHEME, Cast((), ("programmer",)))


@pytest.mark.parametrize(
    ("attack", "verdict"),
    [
        ("rogue-leaf", "CONCEDED"),
        ("leaf-feedback", "CONCEDED"),
        ("squeeze", "FAILS"),
        ("seed-retention", "OUTSIDE MODEL"),
    ],
)
def test_the_cells_of_clipper(attack, verdict):
    assert run_cell(SCHEME, attacks()[attack], SCENARIO, EVERY).verdict == verdict


# --- the rogue LEAF ---


def test_honest_receivers_read_a_rogues_texts_and_the_lawful_access_does_not():
    record, honest = played(SCHEME, rogue_leaf.ATTACK), played(SCHEME)
    rogue, as_usual = Messaging(record), Messaging(honest)
    assert rogue.lost == as_usual.lost
    evaded = rogue.evaded - as_usual.evaded
    assert evaded and {record.sent[text].device for text in evaded} == {"bob-phone"}


def test_one_search_serves_every_message_and_its_leaf_names_no_unit():
    record = played(SCHEME, rogue_leaf.ATTACK)
    forged = record.party("bob-phone", 5).forged
    assert len(forged) == 1 and 1 < forged[0].trials < 1 << 20
    sent = fields(record, "bob-phone")
    assert len(sent) > 10
    assert {each.iv + each.leaf for each in sent} == {forged[0].field}
    known = {half.uid for half in record.party("agent-1", 0).halves}
    analysis = Analysis(SCHEME, record, EVERY)
    named = {fact.uid for fact in analysis.closure.facts if isinstance(fact, Identity) and fact.people[0] == TARGET}
    assert len(named - known) == 1  # the other is of bob's laptop, which is honest


@pytest.mark.parametrize(
    ("parameters", "trials"),
    [({"width": 32}, 1 << 12), ({"mode": "aead"}, 1 << 12), ({"most_bad": 50}, 49)],
    ids=["32 bits", "AEAD", "a chip that stops"],
)
def test_where_the_search_is_hopeless_it_is_given_up_and_nothing_is_evaded(parameters, trials):
    scheme = Clipper(**parameters)
    record = played(scheme, rogue_leaf.ATTACK)
    forged = record.party("bob-phone", 5).forged
    assert {(each.field, each.trials) for each in forged[:1]} == {(b"", trials)}
    assert Messaging(record).evaded == Messaging(played(scheme)).evaded


def test_in_the_naive_model_the_first_trial_is_valid():
    record = played(Clipper(mode="cbc", binds="iv ks"), rogue_leaf.ATTACK)
    assert [each.trials for each in record.party("bob-phone", 5).forged] == [1]


def test_the_trials_of_a_search_are_counted_from_the_rogues_state():
    for parameters in ({}, {"binds": "iv ks uid wk peer", "width": 6}, {"mode": "aead"}):
        scheme = Clipper(**parameters)
        forged = played(scheme, rogue_leaf.ATTACK).party("bob-phone", 5).forged
        cell = run_cell(scheme, rogue_leaf.ATTACK, SCENARIO)
        assert cell.cost.trials == sum(each.trials for each in forged) > 0
    assert run_cell(SCHEME, squeeze.ATTACK, SCENARIO).cost.trials == 0


# --- LEAF feedback ---


def test_two_rogues_talk_without_a_leaf_and_the_agents_are_asked_nothing_of_it():
    record, honest = played(SCHEME, leaf_feedback.ATTACK), played(SCHEME)
    rogues = {turn.principal for turn in record.corrupted}
    assert {name.split("-")[0] for name in rogues} == {"alice", "bob"}
    between = {sent.id for sent in record.sent if set(sent.people) == {"alice", "bob"}}
    spoken = [
        mail
        for packet, text in zip(record.heard, record.spoken, strict=True)
        for mail in mails_in(packet)
        if text in between and packet.src == mail.sender
    ]
    assert spoken and not any(mail.field for mail in spoken)
    assert between & Messaging(record).delivered == between & Messaging(honest).delivered
    assert not between & Messaging(record).lawful
    assert between & Messaging(honest).lawful


def test_a_chip_that_refuses_its_own_leafs_stops_two_rogues_and_nobody_else():
    scheme = Clipper(refuses_own=True)
    record = played(scheme, leaf_feedback.ATTACK)
    between = {sent.id for sent in record.sent if set(sent.people) == {"alice", "bob"}}
    shown = Messaging(record).delivered
    assert not between & shown
    assert shown == Messaging(played(scheme)).delivered - between
    assert any("refuses its own LEAF" in reason for _, _, reason in record.refusals)


# --- the squeeze ---


def test_the_framed_user_does_nothing_and_the_leaf_names_their_unit():
    record = played(SCHEME, squeeze.ATTACK)
    (recorded,) = record.party("bob-phone", 5).recorded
    assert recorded.user != TARGET
    assert [turn.principal for turn in record.corrupted] == ["bob-phone"]
    squeezed = [each for each in fields(record, "bob-phone") if each.iv + each.leaf == recorded.field]
    assert squeezed and not any(recorded.user in each.people for each in squeezed)
    units = {half.uid for half in record.party("agent-1", 0).halves if half.owner == recorded.user}
    analysis = Analysis(SCHEME, record, EVERY)
    named = {(fact.chain, fact.n): fact.uid for fact in analysis.closure.facts if isinstance(fact, Identity)}
    assert {named[each.chain, each.n] for each in squeezed} <= units
    assert Messaging(record).lost == Messaging(played(SCHEME)).lost  # every receiver's chip took them


def test_the_authority_complains_where_sender_and_unit_do_not_go_together():
    alarms = [alarm for alarm in played(SCHEME, squeeze.ATTACK).alarms if alarm.who == "authority"]
    assert alarms and all("mail of bob has a LEAF of" in alarm.check for alarm in alarms)
    assert not [alarm for alarm in played(SCHEME).alarms if alarm.who == "authority"]


def test_texts_that_the_lawful_access_attributes_to_another_are_counted():
    """Of what bob's phone sent under carol's LEAF: what the processor found while it had her unit key."""
    record = played(SCHEME, squeeze.ATTACK)
    framed = Messaging(record).framed(SCHEME)
    assert framed and {record.sent[text].device for text in framed} == {"bob-phone"}
    (recorded,) = record.party("bob-phone", 5).recorded
    findings = record.party("authority", 5).findings
    assert {each.attributed for each in findings} >= {"bob", recorded.user}
    cell = run_cell(SCHEME, squeeze.ATTACK, SCENARIO)
    assert cell.framed == len(framed)
    assert f"the lawful access attributes {len(framed)} texts to somebody who did not send them" in cell.reason
    assert not Messaging(played(SCHEME)).framed(SCHEME)
    bound = Clipper(binds="iv ks uid wk peer")
    assert not Messaging(played(bound, squeeze.ATTACK)).framed(bound)


@pytest.mark.parametrize("parameters", [{"binds": "iv ks uid wk peer"}, {"derives": True}], ids=str)
def test_a_bound_transcript_or_a_key_that_nobody_forces_stops_the_squeeze(parameters):
    scheme = Clipper(**parameters)
    record = played(scheme, squeeze.ATTACK)
    (recorded,) = record.party("bob-phone", 5).recorded
    assert not [each for each in fields(record, "bob-phone") if each.iv + each.leaf == recorded.field]
    assert Messaging(record).evaded == Messaging(played(scheme)).evaded


# --- the seeds ---


def test_kept_seeds_open_every_unit_and_no_agent_is_asked():
    kept, destroyed = (run_cell(Clipper(keeps_seeds=keeps), seed_retention.ATTACK, SCENARIO) for keeps in (True, False))
    assert kept.verdict == "OUTSIDE MODEL" and kept.exposed.total == kept.sent == 60
    assert all(member.startswith("programmer@") for member in kept.coalition)
    assert destroyed.verdict == "OUTSIDE MODEL" and destroyed.exposed.total == 0


# --- the kernels ---

keys, blocks = st.binary(min_size=10, max_size=10), st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=9)
BACKS = [PlainLanes, pytest.param(NumpyLanes, marks=with_numpy)]


def together(lanes, words):
    """The blocks that four words of lanes hold, one after the other."""
    if isinstance(lanes, PlainLanes):
        return [bytes(sum(zip(high, low, strict=True), ())) for high, low in words]
    return [word.astype(">u2").tobytes() for word in words]


@pytest.mark.parametrize("back", BACKS)
@settings(max_examples=25)
@given(key=keys, several=blocks)
def test_lanes_are_skipjack_block_by_block(back, key, several):
    lanes = back()
    for many, one in ((kernel.encrypt, skipjack.encrypt), (kernel.decrypt, skipjack.decrypt)):
        columns = together(lanes, many(lanes, key, lanes.load(b"".join(several), 0, 8)))
        expected = [one(key, each) for each in several]
        assert [b"".join(word[2 * i : 2 * i + 2] for word in columns) for i in range(len(several))] == expected


@pytest.mark.parametrize("back", BACKS)
@pytest.mark.parametrize(
    "make",
    [
        Make(width=5),
        Make(width=7, mode="cbc", binds=("iv", "ks")),
        Make(width=6, binds=("iv", "ks", "uid", "wk", "peer")),
        Make(width=4, binds=("wk",)),
        Make(width=3, mode="cbc", binds=("uid", "peer")),
    ],
    ids=str,
)
def test_the_search_finds_what_the_chip_accepts_first(back, make):
    """LEAF after LEAF through the chip's own check, and all at once."""
    numpy, chip = back is NumpyLanes, chip_of(make)
    with running(Run(b"kernels".ljust(32, b"\0"))):
        for _ in range(5):
            iv, drawn = random_bytes(8), random_bytes(100 * make.size)
            parts = [iv + drawn[at : at + make.size] for at in range(0, len(drawn), make.size)]
            valid = [at for at, each in enumerate(parts) if chip.load_iv(KS, each, b"the peer")]
            found = first_valid(chip, KS, iv, drawn, b"the peer", numpy=numpy)
            assert found == (valid[0] if valid else None)


@pytest.mark.parametrize("back", BACKS)
@pytest.mark.parametrize("width", [20, 32, 40])
def test_wide_checksums_are_compared_to_their_last_bit(back, width):
    """A genuine LEAF among random ones is found; with any bit of its checksum wrong it is not."""
    make, numpy = Make(width=width), back is NumpyLanes
    chip = chip_of(make)
    good = chip.generate_iv(KS)
    noise = bytes(range(make.size))
    assert first_valid(chip, KS, good[:8], noise + good[8:] + noise, numpy=numpy) == 1
    other = Chip(FamilyKey(Make(width=width - 1), bytes(10)), chip.unit)
    halved = sum(
        first_valid(chip, KS, each[:8], each[8:], numpy=numpy) == 0
        for each in (other.generate_iv(KS) for _ in range(40))
    )
    assert 0 < halved < 40  # the last bit is zero there, and right in about half


@with_numpy
def test_the_search_is_the_same_with_and_without_numpy():
    found = []
    for numpy in (True, False):
        with running(Run(b"a search".ljust(32, b"\0"))):
            found.append(search(chip_of(Make(width=11)), KS, 1 << 16, numpy=numpy, batch=512))
    assert found[0] == found[1] is not None
    assert chip_of(Make(width=11)).load_iv(KS, found[0].field)


def test_a_search_ends_at_its_limit():
    assert search(chip_of(Make(width=64)), KS, 100, numpy=False, batch=64) is None

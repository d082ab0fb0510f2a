"""What one seized device opens under plain encryption: the rule, measured, and each exception with its cause.

Each scenario is built for one of them; taking the cause away takes the exception away.
"""

from functools import cache

import pytest

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation import scenario
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import GroupSpec, PlannedText, Scenario
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.claims import Judge
from attacks.registry import attacks
from escrow.scheme import User
from escrow.schemes.plain import SCHEME

PEOPLE = ("alice", "bob", "carol")
ALICE, BOB, CAROL = (f"{name}-phone" for name in PEOPLE)


class Script(Scenario, frozen=True, kw_only=True):
    """A scenario whose texts are written down: on which day who writes to whom."""

    lines: tuple[tuple[int, str, str], ...]

    def texts(self):
        groups = {group.name for group in self.groups}
        for number, (day, author, to) in enumerate(self.lines):
            peer, group = ("", to) if to in groups else (to, "")
            yield PlannedText(number, day, f"{author}-phone", peer, group)


@cache
def analysed(script):
    """The measured structure of a play of plain encryption, with every attack's rules."""
    return Analysis(SCHEME, play(SCHEME, script), tuple(attacks().values()))


def scripted(*lines, days=8, late_percent=0, **fields):
    users = tuple(User(name, (f"{name}-phone",)) for name in PEOPLE)
    return Script(users=users, days=days, messages=len(lines), late_percent=late_percent, lines=lines, **fields)


def days_opened(script, *seizures):
    """The days of the texts that these (device, evening) open together."""
    analysis = analysed(script)
    opened = analysis.opened_by(Seizure(device, (evening,)) for device, evening in seizures)
    return {sent.day for sent in analysis.record.sent if sent.id in opened}


def ping_pong(one, other, days, per_day=2):
    """They take turns, a day each."""
    pairs = ((one, other), (other, one))
    return [(day, *pairs[at % 2]) for at, day in enumerate(days) for _ in range(per_day)]


# --- the rule ---


@pytest.mark.parametrize("evening", range(7))
def test_one_seizure_opens_nothing_older_and_one_round_trip_of_what_follows(evening):
    script = scripted(*ping_pong("alice", "bob", range(8)))
    spoke, heard = (ALICE, BOB) if evening % 2 == 0 else (BOB, ALICE)
    assert days_opened(script, (spoke, evening)) == {evening + 1}  # the answer to the key that it holds
    assert days_opened(script, (heard, evening)) == {evening + 1, evening + 2} & set(range(8))  # and first its own
    assert days_opened(script, (CAROL, evening)) == set()


def test_no_official_stands_in_any_minimal_coalition_and_the_claim_grants_every_single_seizure():
    analysis = analysed(scenario.default(messages=150))
    structure, judge = analysis.structure(), Judge(analysis.record, SCHEME.claim)
    sizes = set()
    for text in analysis.texts:
        for mask in analysis.masks(text):
            coalition = structure.coalition(mask)
            assert {member.principal for member in coalition.members} <= set(analysis.record.cast.devices)
            sizes.add(len(coalition.members))
            assert len(coalition.members) > 1 or judge.granted(coalition, text)
    assert {1, 2} <= sizes


# --- (a) a session begun without a one-time prekey ---

FIRST_FLIGHT = [(0, "alice", "carol"), (1, "alice", "carol"), *ping_pong("carol", "alice", range(2, 8))]


def without_one_time(**fields):
    return scripted(*FIRST_FLIGHT, without_one_time=(CAROL,), **fields)


@pytest.mark.parametrize(("keep", "last"), [(2, 4), (1, 3), (0, 2)])
def test_a_first_flight_is_open_until_the_signed_prekey_is_erased(keep, last):
    script = without_one_time(keep_prekeys=keep)
    opened = {evening for evening in range(8) if {0, 1} & days_opened(script, (CAROL, evening))}
    assert opened == set(range(last + 1))


def test_a_so_is_the_responders_own_first_reply_while_its_ratchet_key_is_the_newest():
    script = without_one_time()
    assert days_opened(script, (CAROL, 2)) == {0, 1, 2, 3}
    assert days_opened(script, (CAROL, 3)) == {0, 1, 4, 5}


def test_a_one_time_prekey_closes_the_first_flight():
    script = scripted(*FIRST_FLIGHT)
    for evening in range(8):
        assert not set(range(evening + 1)) & days_opened(script, (CAROL, evening))


def choir(*lines, removal_day=-1, sender_keys=True, **fields):
    removed = "carol" if removal_day >= 0 else ""
    return scripted(*lines, groups=(GroupSpec("choir", PEOPLE, sender_keys, removed, removal_day),), **fields)


SUNG = [(day, "alice", "choir") for day in range(6)]


def test_a_sender_key_in_the_first_flight_is_open_as_long():
    script = choir(*SUNG, without_one_time=(CAROL,))
    assert days_opened(script, (CAROL, 4)) == set(range(6))
    assert days_opened(script, (CAROL, 5)) == set()  # the prekey is erased, and what is to come is not here
    assert days_opened(choir(*SUNG), (CAROL, 4)) == {5}


# --- (b) texts on their way, and skipped keys ---

ONE_SIDED = [(day, "alice", "bob") for day in range(5) for _ in range(3)] + [(5, "bob", "alice"), (6, "alice", "bob")]


def test_b_texts_that_were_lost_leave_keys_that_open_them():
    script = scripted(*ONE_SIDED, lossy=(ALICE,), loss_percent=40)
    analysis, last = analysed(script), script.days - 1
    lost = {text for text, _ in analysis.record.lost}
    passed_over = {text for text in lost if any(other > text and other not in lost for other in range(15))}
    assert len(passed_over) > 2
    assert analysis.opened_by([Seizure(BOB, (last,))]) >= passed_over
    assert days_opened(scripted(*ONE_SIDED), (BOB, last)) == set()


def test_b_texts_on_their_way_are_open_to_a_seizure_of_the_recipient_and_no_others():
    analysis = analysed(scripted(*ONE_SIDED, late_percent=100))
    read = {shown.text: shown.day for shown in analysis.record.shown if shown.device == BOB}
    waited = set()
    for evening in range(5):
        opened = analysis.opened_by([Seizure(BOB, (evening,))])
        older = [sent for sent in analysis.record.sent[:15] if sent.day <= evening]
        under_way = {sent.id for sent in older if read[sent.body] > evening}
        assert {sent.id for sent in older} & opened == under_way
        waited |= under_way
    assert len(waited) > 2
    on_time = scripted(*ONE_SIDED)
    for evening in range(5):
        assert not set(range(evening + 1)) & days_opened(on_time, (BOB, evening))


# --- (c) Sender Keys ---

TALK = ping_pong("alice", "bob", range(8), per_day=1)


def test_c_a_sender_chain_is_open_from_the_seizure_to_a_rotation_over_healed_sessions():
    sung = [(day, "alice", "choir") for day in range(8)]
    lines = sorted(sung + TALK)
    chain = analysed(choir(*lines, removal_day=6))
    group = {sent.id for sent in chain.record.sent if sent.conversation == "choir"}

    def days(script):
        analysis = analysed(script)
        opened = analysis.opened_by([Seizure(BOB, (1,))]) & group
        return {sent.day for sent in analysis.record.sent if sent.id in opened}

    assert days(choir(*lines, removal_day=6)) == {2, 3, 4, 5}
    assert days(choir(*lines)) == {2, 3, 4, 5, 6, 7}  # nobody is removed: no rotation, no healing
    assert days(choir(*lines, sender_keys=False)) == {2, 3}  # fan-out heals with its sessions, by bob's next text
    quiet = [line if line[2] == "choir" else (line[0], "carol", "alice") for line in lines]
    assert days(choir(*quiet, removal_day=6)) == {2, 3, 4, 5, 6, 7}  # the new key travels over a session not healed


# --- (d) two seizures of one device ---

STRETCH = [(0, "alice", "bob"), (1, "bob", "alice"), *((day, "alice", "bob") for day in (2, 3, 4)), (5, "bob", "alice")]


def test_d_two_seizures_open_the_current_sending_chain_from_its_first_message_and_neither_does_alone():
    script = scripted(*STRETCH)
    assert days_opened(script, (ALICE, 0)) == {1}
    assert days_opened(script, (ALICE, 4)) == {5}
    assert days_opened(script, (ALICE, 0), (ALICE, 4)) == {1, 2, 3, 4, 5}
    answered = scripted(*STRETCH, (6, "alice", "bob"))
    assert days_opened(answered, (ALICE, 0), (ALICE, 5)) == {1, 6}  # its ratchet key is gone: the chain is closed


def test_d_is_not_what_the_claim_grants():
    analysis = analysed(scripted(*STRETCH))
    structure, judge = analysis.structure(), Judge(analysis.record, SCHEME.claim)
    pairs = {}
    for text in analysis.texts:
        for coalition in map(structure.coalition, analysis.masks(text)):
            if len(coalition.members) == 1:
                assert judge.granted(coalition, text)
            else:
                assert not judge.granted(coalition, text)
                pairs.setdefault(text, []).append(str(coalition))
    chain = ["alice-phone@0, alice-phone@1-4"]  # the older state has the root key, the newer the ratchet key
    assert pairs == {2: chain, 3: chain, 4: chain, 5: ["bob-phone@0-1, bob-phone@2-7"]}

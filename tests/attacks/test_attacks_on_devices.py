"""Ghost insertion, prekey substitution and field stripping."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from attacked import ATTACKS, FULL, by_scheme, opened, played

from attacks import field_stripping, ghost_insertion
from attacks.lab.simulation.play import play
from attacks.lab.simulation.record import Record
from attacks.lab.verdict.cell import Messaging
from attacks.lab.verdict.controls import control_of
from attacks.prekey_substitution import PrekeySubstitution
from escrow.e2ee.content import direct
from escrow.registry import with_parameters
from escrow.schemes import envelope, ghost, plain
from escrow.testing.world import mails_in

# --- ghost insertion ---


@by_scheme
def test_an_insiders_ghost_reads_one_bystander_from_its_insertion_on(scheme):
    record = played(scheme, "ghost-insertion")
    victim = ghost_insertion.bystander(FULL)
    assert victim.name not in {warrant.target for warrant in FULL.warrants}
    reach = {sent.id for sent in record.sent if victim.name in sent.people and sent.day >= FULL.attack_day}
    read = opened(scheme, "ghost-insertion")
    assert read <= reach
    own = {sent.id for sent in record.sent if sent.device in victim.devices}
    assert own & reach
    assert not own & read  # the bystander's devices know which of them were linked
    kept_back = {text for text, _ in record.lost}
    assert reach - own - kept_back <= read


@by_scheme
def test_an_insiders_ghost_is_noticed_by_everyone_who_looks(scheme):
    """Whoever asks for the victim's devices after the insertion sees a new one, once; no scheme hushes it."""
    honest, record = played(scheme), played(scheme, "ghost-insertion")
    victim = ghost_insertion.bystander(FULL)
    notices = Counter(alarm.who for alarm in record.alarms if alarm.check == "a new device or key is shown")
    writers = {sent.device for sent in record.sent if victim.name in sent.people and sent.day >= FULL.attack_day}
    assert writers <= set(notices)
    assert set(notices.values()) == {1}
    assert not any(alarm.check == "a new device or key is shown" for alarm in honest.alarms)
    assert min(alarm.day for alarm in record.alarms if alarm.who in writers) >= FULL.attack_day


# --- prekey substitution ---


def between(record: Record) -> tuple[str, str]:
    one, other = ATTACKS["prekey-substitution"].between(record.scenario)
    return one.name, other.name


@by_scheme
def test_the_man_in_the_middle_reads_two_users_and_their_groups(scheme):
    """All that either writes where the other is; of a text lost on the way nothing came to be read."""
    record = played(scheme, "prekey-substitution")
    pair = set(between(record))
    author = {device: user.name for user in FULL.users for device in user.devices}
    reach = {sent.id for sent in record.sent if author[sent.device] in pair and pair <= set(sent.people)}
    read = opened(scheme, "prekey-substitution")
    assert read <= reach
    assert reach - {text for text, _ in record.lost} <= read
    assert any(record.sent[text].conversation == str(direct(*pair)) for text in read)
    assert any(record.sent[text].conversation.startswith("group") for text in read)


@pytest.mark.parametrize("pair", [*combinations([user.name for user in FULL.users], 2)], ids="-".join)
def test_the_man_in_the_middle_is_noticed_exactly_when_the_two_meet(pair):
    honest, record = played(plain.SCHEME), play(plain.SCHEME, FULL, PrekeySubstitution("a pair", [pair]))
    owner = {device: user.name for user in FULL.users for device in user.devices}
    met = [each for each in FULL.ceremonies if {owner[each.one], owner[each.other]} == set(pair)]
    assert bool(met) == (pair[0] == FULL.users[0].name)
    known = Counter((alarm.day, alarm.who, alarm.check) for alarm in honest.alarms)
    raised = Counter((alarm.day, alarm.who, alarm.check) for alarm in record.alarms) - known
    assert raised == Counter((each.day, who, "safety number") for each in met for who in (each.one, each.other))


@pytest.mark.parametrize("setting", ["devices=signed", "devices=shared", "groups=admins"])
def test_where_devices_sign_the_puppets_do_and_only_users_who_meet_notice(setting):
    scheme = with_parameters(ghost.SCHEME, [f"ghost.{setting}"])
    read = opened(scheme, "prekey-substitution")
    assert read
    assert read == opened(ghost.SCHEME, "prekey-substitution")
    every = combinations([user.name for user in FULL.users], 2)
    honest, record = played(scheme), play(scheme, FULL, PrekeySubstitution("all pairs", every))
    known = Counter((alarm.day, alarm.who, alarm.check) for alarm in honest.alarms)
    met = Counter((each.day, who, "safety number") for each in FULL.ceremonies for who in (each.one, each.other))
    assert met - known
    assert Counter((alarm.day, alarm.who, alarm.check) for alarm in record.alarms) == known | met
    assert Messaging(record).lost == Messaging(honest).lost


def test_the_man_in_the_middle_leaves_the_lawful_access_alone():
    for scheme in (envelope.SCHEME, ghost.SCHEME):
        assert Messaging(played(scheme, "prekey-substitution")).lawful == Messaging(played(scheme)).lawful


def test_between_the_two_nobody_holds_the_others_true_key():
    record = played(plain.SCHEME, "prekey-substitution")
    one, other = between(record)
    true = {name: record.party(name, 0).identity.public for name in record.cast.devices}
    for name in record.cast.devices:
        device = record.party(name, FULL.days - 1)
        for listed in (each for user in device.contacts.values() for each in user):
            apart = {device.user, listed.user} == {one, other}
            assert (listed.identity == true[listed.device]) != apart


# --- field stripping ---


def test_field_stripping_has_nothing_to_evade_in_plain():
    cast = played(plain.SCHEME).cast
    assert field_stripping.ATTACK.applies(plain.SCHEME, cast)
    assert not field_stripping.ATTACK.applies(envelope.SCHEME, cast)


def test_a_rogue_sender_evades_the_envelope_and_nobody_else_does():
    record = played(envelope.SCHEME, "field-stripping")
    rogue = record.corrupted[0].principal
    assert any(rogue in user.devices and user.name == FULL.warrants[0].target for user in FULL.users)
    evaded = Messaging(record).evaded
    assert evaded
    assert {record.sent[text].device for text in evaded} == {rogue}
    for packet in record.heard:
        for mail in mails_in(packet):
            assert mail.sender != rogue or mail.field == b""


def test_a_rogue_sender_writes_to_no_ghost():
    honest, record = played(ghost.SCHEME), played(ghost.SCHEME, "field-stripping")
    rogue = record.corrupted[0].principal

    def ghosts_written_to(play: Record) -> set[str]:
        mails = (mail for packet in play.heard for mail in mails_in(packet) if mail.sender == rogue)
        return {name for mail in mails for name in mail.recipients} - set(play.cast.devices)

    assert ghosts_written_to(honest)
    assert ghosts_written_to(record) == set()
    more = Messaging(record).evaded - Messaging(honest).evaded
    assert more
    assert {record.sent[text].device for text in more} == {rogue}


def test_a_relay_that_polices_stops_the_rogues_mail_alone():
    control = control_of(ATTACKS["field-stripping"])
    attacked, honest = (Messaging(played(control.twin, each, control.scenario)) for each in ("field-stripping", ""))
    rogue = attacked.record.corrupted[0].principal
    stopped = {text for text, _ in attacked.lost - honest.lost}
    assert stopped
    assert {attacked.by_id[text].device for text in stopped} == {rogue}
    assert attacked.evaded == frozenset()
    reasons = {reason for _, party, reason in attacked.record.refusals if party == "provider"}
    assert reasons == {f"mail of {rogue} carries an access field"}

"""The attacks: each breaks its specimen and not the twin, opens what it should, and disturbs nothing else."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest

import attacks
from attacks import field_stripping, ghost_insertion, warrant_misuse
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.attack import Attack, Turn, attacker_device, entry_of
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.cell import Messaging
from attacks.lab.verdict.controls import control_of, controlled
from attacks.registry import attacks as found
from attacks.specimens import control_scenario
from escrow import codec
from escrow.confidential import Confidential
from escrow.confidential import opened as opened_by
from escrow.e2ee import x3dh
from escrow.e2ee.content import direct
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Provider
from escrow.errors import Forged, Malformed
from escrow.principal import corrupted, revive
from escrow.scheme import Scheme
from escrow.schemes import envelope, ghost, plain, split_key
from escrow.schemes.ghost import Haunting
from escrow.testing.world import mails_in
from escrow.warrant import Order, Request, Serve

ATTACKS = found()
SCHEMES = (plain.SCHEME, envelope.SCHEME, ghost.SCHEME)
# Sender Keys, several devices, losses, late mail, somebody removed from a group: all that happens in the tables.
FULL = default(users=4, groups=2, days=10, messages=90)


def general(attack: Attack) -> bool:
    """Whether an attack corrupts somebody actively where a scheme is no more than an envelope."""
    cast = cast_of(envelope.SCHEME, FULL)
    if attack.applies(envelope.SCHEME, cast):
        return False
    return any(isinstance(each, Turn) for each in attack.corruptions(cast, FULL))


ACTIVE = [name for name, attack in ATTACKS.items() if general(attack)]
by_scheme = pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
by_active = pytest.mark.parametrize("name", ACTIVE)


@cache
def played(scheme: Scheme, attack: str = "", scenario: Scenario = FULL) -> Record:
    return play(scheme, scenario, ATTACKS[attack] if attack else None)


@cache
def analysed(scheme: Scheme, attack: str, scenario: Scenario = FULL) -> Analysis:
    return Analysis(scheme, played(scheme, attack, scenario), tuple(ATTACKS.values()))


def opened(scheme: Scheme, attack: str, scenario: Scenario = FULL) -> frozenset[int]:
    """The texts that whoever the attack corrupted can read, from that day to the end."""
    turns = played(scheme, attack, scenario).corrupted
    days = [Seizure(turn.principal, (day,)) for turn in turns for day in range(turn.day, scenario.days)]
    return analysed(scheme, attack, scenario).opened_by(days)


def requests(record: Record) -> list[tuple[int, Request]]:
    """Every request to an official, with its day: the sealed ones as its addressee opens them."""
    read = []
    for packet in record.heard:
        try:
            sent = codec.decode_any(packet.data, frozenset({Request, Confidential}))
        except Malformed:
            continue
        if isinstance(sent, Confidential):
            sent = opened_by(sent.content, record.party(packet.dst, 0).receiving_key, Serve | Request)
        if isinstance(sent, Request):
            read.append((packet.day, sent))
    return read


# --- controls ---


def test_every_attack_says_what_it_is():
    """That one is taken out, the pages notice that list it."""
    for name, attack in ATTACKS.items():
        assert isinstance(attack, Attack)
        assert attack.name == name
        assert all((attack.title, attack.source.author, attack.source.section, attack.specimen))


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_breaks_its_specimen_and_fails_on_the_sound_twin(name):
    assert controlled(ATTACKS[name], tuple(ATTACKS.values())).failure == ""


@pytest.mark.parametrize("name", ATTACKS)
def test_specimen_and_twin_carry_the_same_mail_without_an_attack(name):
    """They differ in what the attack uses, not in whether they work."""
    control = control_of(ATTACKS[name])
    specimen, twin = (Messaging(played(each, "", control.scenario)) for each in (control.specimen, control.twin))
    assert specimen.lost == twin.lost
    assert specimen.lawful == twin.lawful
    assert specimen.forged == specimen.duplicated == twin.forged == twin.duplicated == 0


def test_the_twins_of_a_directory_attack_lose_no_mail():
    """A sound client does not merely stop: it goes on with the keys that its user was given in person."""
    for name in ("ghost-insertion", "prekey-substitution"):
        control = control_of(ATTACKS[name])
        attacked, honest = (played(control.twin, each, control.scenario) for each in (name, ""))
        assert Messaging(attacked).lost == Messaging(honest).lost
        assert attacked.alarms == ()


# --- what all of them leave alone ---


@by_scheme
@pytest.mark.parametrize("name", [name for name in ACTIVE if not ATTACKS[name].stops_mail] + ["field-stripping"])
def test_mail_comes_through_an_active_attack_as_without_it(scheme, name):
    """A relay that refuses what field stripping sends is none of these schemes'."""
    attacked, honest = Messaging(played(scheme, name)), Messaging(played(scheme))
    assert attacked.lost == honest.lost
    assert attacked.shown == honest.shown
    assert attacked.forged == attacked.duplicated == 0
    days = {attacked.by_id[text].day for text in attacked.delivered}
    assert days == {sent.day for sent in attacked.record.sent}


@by_scheme
@by_active
def test_a_turned_party_is_its_data(scheme, name):
    """It too may be replaced by its own decoded state after every step, and nobody notices."""
    scenario = control_scenario()
    one, other = played(scheme, name, scenario), play(scheme, scenario, ATTACKS[name], forgetful=True)
    assert one.heard == other.heard
    assert one.states == other.states


@by_active
def test_corrupted_parties_exist_and_are_turned_within_the_scenario(name):
    record = played(envelope.SCHEME, name)
    assert record.corrupted
    for turn in record.corrupted:
        assert turn.principal in record.cast.devices + record.cast.officials
        assert 0 <= turn.day < FULL.days


def test_passive_attacks_corrupt_nobody_or_take_states_only():
    cast = played(envelope.SCHEME).cast
    names = ("null-eavesdropper", "authority-theft", "device-compromise")
    taken = {name: list(ATTACKS[name].corruptions(cast, FULL)) for name in names}
    assert not {*names} & {*ACTIVE}
    assert taken["null-eavesdropper"] == []
    assert {seize.principal for seize in taken["authority-theft"]} == set(cast.officials)
    assert {seize.principal for seize in taken["device-compromise"]} == set(cast.devices)
    for seized in (taken["authority-theft"], taken["device-compromise"]):
        assert not any(isinstance(each, Turn) for each in seized)
        assert len(set(seized)) == len({seize.principal for seize in seized}) * FULL.days


@by_scheme
def test_whoever_only_listens_learns_nothing_of_any_play(scheme):
    for name in ("", *ACTIVE):
        assert analysed(scheme, name).opened_by(()) == frozenset()


def test_attacks_do_not_import_where_truth_lives():
    simulation = ("simulation.attack", "simulation.scenario", "simulation.quantum")
    lab = {f"attacks.lab.{module}" for module in (*simulation, "adversary.view")}
    files = [file for file in Path(attacks.__file__).parent.glob("*.py") if file.stem not in ("__init__", "registry")]
    assert len(files) == len(ATTACKS)
    beside = {f"attacks.{file.stem}" for file in files}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used = {
                name for name in names if name.split(".")[0] == "attacks" and not name.startswith("attacks.kernels.")
            }
            assert used <= lab | beside, file.name


def test_an_attack_that_knows_a_scheme_says_to_which_it_applies():
    for attack in ATTACKS.values():
        source = Path(sys.modules[type(attack).__module__].__file__).read_text()
        knows = any(line.startswith(("from escrow.schemes", "import escrow.schemes")) for line in source.splitlines())
        assert not knows or type(attack).applies is not Attack.applies, attack.name


# --- what an attacker makes is state ---


def test_a_turned_party_shrugs_and_its_added_fields_are_state():
    honest = Provider("provider", accounts={"a-phone": "a"})
    party = corrupted(honest, {"kept": list[Device]})
    party.insist(False, "anything")
    party.kept.append(attacker_device("a-tablet", "a"))
    again = revive(party.state(), type(party))
    assert again == party
    assert again.accounts == honest.accounts
    assert again.kept[0].identity.raw in party.state()
    assert corrupted(honest, {"kept": list[Device]}).kept == []


def test_an_attackers_device_is_listed_with_a_prekey_that_its_own_key_signed():
    device = attacker_device("a-tablet", "a")
    entry = entry_of(device)
    assert (entry.user, entry.identity, entry.one_time) == ("a", device.identity.public, [])
    assert x3dh.prekey_is_signed(x3dh.Bundle(entry.identity, entry.prekey, entry.signature))
    assert attacker_device("a-tablet", "a").identity != device.identity


# --- court key theft ---


@pytest.mark.parametrize("scheme", [envelope.SCHEME, split_key.SCHEME], ids=lambda scheme: scheme.name)
def test_the_courts_key_opens_every_escrowed_text(scheme):
    """Split key included: the thief's authority knows the agents' group, which was published."""
    scenario = default(users=3, groups=1, days=3, messages=12)
    record = played(scheme, "court-key-theft", scenario)
    assert opened(scheme, "court-key-theft", scenario) == {sent.id for sent in record.sent}


def test_the_thief_asks_about_each_message_once():
    record = played(envelope.SCHEME, "court-key-theft")
    asked = Counter(
        request.subject for _, request in requests(record) if request.warrant.order.id.startswith("stolen-")
    )
    assert asked
    assert set(asked.values()) == {1}


def test_the_courts_key_haunts_everybody_from_the_next_day_on():
    """A ghost reads what is sent once it is listed; what was on its way then may come to it as well."""
    record = played(ghost.SCHEME, "court-key-theft")
    read = {sent.day for sent in record.sent if sent.id in opened(ghost.SCHEME, "court-key-theft")}
    assert read == set(range(FULL.attack_day + 1, FULL.days))
    *_, court = (record.party("court", day) for day in range(FULL.days))
    haunted = [each for thief in court.authorities for each in thief.hauntings]
    assert all(isinstance(each, Haunting) for each in haunted)
    names = [each.ghost.name for each in haunted]
    assert len(set(names)) == len(FULL.users)


def test_the_courts_key_is_nothing_where_no_official_honours_it():
    assert opened(plain.SCHEME, "court-key-theft") == frozenset()


def test_stolen_warrants_name_the_thiefs_key_and_everybody():
    record = played(envelope.SCHEME, "court-key-theft")
    court = record.party("court", FULL.days - 1)
    assert [warrant.order.target for warrant in court.signed] == [user.name for user in FULL.users]
    real = record.party("authority", 0).key.public
    for warrant in court.signed:
        assert warrant.signed_by(court.key.public)
        assert warrant.order.authority == court.authorities[0].key.public != real
        assert warrant.order.covers((warrant.order.target,), 0)
        assert warrant.order.covers((warrant.order.target,), FULL.days - 1)


# --- warrant misuse ---


def test_misuse_asks_beyond_every_warrant_and_an_honest_agent_refuses_each_kind():
    record = played(envelope.SCHEME, "warrant-misuse")
    kinds = Counter[str]()
    for day, request in requests(record):
        order, field = request.warrant.order, codec.decode(request.subject, envelope.Envelope)
        kinds["replay"] += day > order.expires
        kinds["creep"] += order.target not in field.people
        kinds["backdate"] += order.target in field.people and field.day < order.first
        kinds["relabel"] += field.people == (order.target,)
    assert all(kinds[kind] for kind in ("replay", "creep", "backdate", "relabel"))
    reasons = {reason for _, party, reason in record.refusals if party == "agent"}
    assert {"warrant in force", "target", "window"} <= reasons
    assert any(reason.startswith("Forged") for reason in reasons)  # relabelled: the seal is bound to the labels


def test_misuse_opens_what_the_warrants_cover_and_no_more():
    for scheme in (envelope.SCHEME, ghost.SCHEME):
        record = played(scheme, "warrant-misuse")
        assert opened(scheme, "warrant-misuse") <= Messaging(record).entitled
        assert Messaging(record).lawful == Messaging(played(scheme)).lawful


def test_misuse_is_bounded():
    """Under one warrant a field is asked about once; twice if the authority was honest when it asked first."""
    for scenario, bound in ((FULL, 1), (msgspec.structs.replace(FULL, attack_day=6), 2)):
        record = played(envelope.SCHEME, "warrant-misuse", scenario)
        asked = Counter((request.warrant.order.id, request.subject) for _, request in requests(record))
        assert max(asked.values()) == bound


def test_an_authority_turned_late_makes_up_for_what_it_was_too_honest_to_ask():
    scenario = msgspec.structs.replace(FULL, attack_day=6)
    record = played(envelope.SCHEME, "warrant-misuse", scenario)
    assert any(warrant.order.issued < scenario.attack_day <= warrant.order.expires for warrant in record.warrants)
    early = [
        codec.decode(request.subject, envelope.Envelope)
        for day, request in requests(record)
        if day >= scenario.attack_day and request.warrant.order.issued < scenario.attack_day
    ]
    assert {field.day for field in early} >= set(range(scenario.attack_day))


def test_backdating_is_read_off_the_specimen_without_a_window():
    control = control_of(ATTACKS["warrant-misuse"])
    record = played(control.specimen, "warrant-misuse", control.scenario)
    targets = {warrant.order.target for warrant in record.warrants}
    beyond = opened(control.specimen, "warrant-misuse", control.scenario) - Messaging(record).entitled
    assert beyond
    assert all(targets & set(record.sent[text].people) for text in beyond)


def test_relabelling_keeps_the_secret_part_and_gains_something():
    field = envelope.Envelope(b"chain", 4, ("alice", "bob"), 7, b"agent", b"header", b"sealed")
    order = Order("w", b"", "carol", 2, 5, "content", b"", 2, 6, b"")
    made = warrant_misuse.relabel(field, order)
    assert type(made) is envelope.Envelope
    assert order.covers(made.people, made.day)
    assert (made.chain, made.n, made.agent, made.header, made.sealed) == (b"chain", 4, b"agent", b"header", b"sealed")
    for pointless in (made, msgspec.structs.replace(field, people=("carol", "bob"), day=3)):
        with pytest.raises(Forged):
            warrant_misuse.relabel(pointless, order)
    other = msgspec.structs.replace(order, target="dave")
    with pytest.raises(Forged):
        warrant_misuse.relabel(made, other)  # or fields would multiply without end


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
    return record.scenario.users[0].name, record.scenario.users[2].name


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


@by_scheme
def test_the_man_in_the_middle_is_noticed_exactly_when_the_two_meet(scheme):
    honest, record = played(scheme), played(scheme, "prekey-substitution")
    owner = {device: user.name for user in FULL.users for device in user.devices}
    met = [each for each in FULL.ceremonies if {owner[each.one], owner[each.other]} == set(between(record))]
    assert met
    known = Counter((alarm.day, alarm.who, alarm.check) for alarm in honest.alarms)
    raised = Counter((alarm.day, alarm.who, alarm.check) for alarm in record.alarms) - known
    assert raised == Counter((each.day, who, "safety number") for each in met for who in (each.one, each.other))


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

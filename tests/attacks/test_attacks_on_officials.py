"""Court key theft and warrant misuse."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from attacked import ATTACKS, FULL, opened, played

from attacks import warrant_misuse
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.cell import Messaging
from attacks.lab.verdict.controls import control_of
from escrow import codec
from escrow.confidential import Confidential
from escrow.confidential import opened as opened_by
from escrow.errors import Forged, Malformed
from escrow.schemes import envelope, ghost, plain, split_key
from escrow.schemes.ghost import Haunting
from escrow.warrant import Order, Request, Serve


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


def test_an_authority_corrupted_late_makes_up_for_what_it_was_too_honest_to_ask():
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

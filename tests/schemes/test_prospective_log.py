"""Prospective access (`logged`, reach=prospective): a warrant opens only what was sealed after its entry in the log."""

import msgspec
import pytest
from hypothesis import Phase, settings
from kit import PROPERTY

from attacks.forked_log import EACH, ONE, ForkedLog
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.evaluation import Evaluation
from escrow import codec
from escrow.errors import Refused
from escrow.principal import corrupted
from escrow.schemes.logged import prospective
from escrow.schemes.logged.log import (
    AGENT,
    LOG,
    MONITOR,
    AskWitness,
    EnterWarrant,
    EntryEvidence,
    LogEntry,
    SignedHead,
    commitment,
)
from escrow.schemes.logged.monitor import Monitor
from escrow.schemes.logged.prospective import (
    BEFORE,
    AskLogHead,
    AskStanding,
    DatedEnvelope,
    DatedLog,
    DatedMonitor,
    ProvenStanding,
    SeenHead,
    ToldHead,
)
from escrow.schemes.logged.scheme import Logged, LoggedAgent
from escrow.testing.harness import Step, playing
from escrow.testing.trying import QUICK


def trusting(device, wire):
    """Ask for a head, and take whatever comes."""
    device.head = wire.ask(device.name, LOG, AskLogHead(), ToldHead).signed.head


SCHEME = Logged(reach="prospective")
SCENARIO = small()


def said(harness):
    """Let bob write to alice, and return the text and its mail."""
    before = len(harness.intercepted())
    harness.play([Step("say", "bob-phone", "alice")])
    return harness.said[-1].body, harness.intercepted()[before:]


def test_a_warrant_opens_what_was_sealed_after_its_entry_and_nothing_before():
    with playing(SCHEME) as harness:
        warrant = harness.issued("alice")
        _, early = said(harness)
        harness.serve(warrant)
        late, after = said(harness)
        assert harness.access(warrant, [*early, *after]) == {late}
        assert harness.wire.refusals == harness.wire.alarms == []


def test_the_agent_says_that_no_proof_fits_a_text_that_was_sealed_before():
    with playing(SCHEME) as harness:
        warrant = harness.issued("alice")
        _, early = said(harness)
        harness.serve(warrant)
        _, after = said(harness)
        old, new = (codec.decode(mails[0].mail.field, DatedEnvelope) for mails in (early, after))
        asked = AskStanding(commitment(warrant), new.at.size)
        proof = harness.wire.ask("authority", LOG, asked, ProvenStanding).proof
        wrong = [
            (old, proof),
            (new, msgspec.structs.replace(proof, number=1)),
            (new, msgspec.structs.replace(proof, inclusion=(bytes(32),))),
            (new, msgspec.structs.replace(proof, entry=LogEntry(bytes(32), 5, "authority"))),
        ]
        for subject in wrong:
            with pytest.raises(Refused, match=BEFORE):
                harness.authority.ask(harness.wire, AGENT, warrant, subject)
        harness.authority.ask(harness.wire, AGENT, warrant, (new, proof))


def test_an_entry_that_the_log_dates_back_has_no_proof_and_is_seen():
    with playing(SCHEME) as harness:
        log = harness.wire.party(LOG, DatedLog)
        harness.wire.ask("authority", LOG, EnterWarrant(LogEntry(bytes(32), 5, "authority"), 0), EntryEvidence)
        _, early = said(harness)
        warrant = harness.issued("alice")
        entry = LogEntry(commitment(warrant), 5, "authority")
        harness.wire.party(MONITOR, Monitor).watch(harness.wire)
        log.entries = [entry]  # in the place of the one that was there
        found = harness.wire.ask("authority", LOG, AskStanding(entry.commitment, 1), ProvenStanding).proof
        harness.wire.party(AGENT, LoggedAgent).shown.append(entry.commitment)
        field = codec.decode(early[0].mail.field, DatedEnvelope)
        with pytest.raises(Refused, match=BEFORE):
            harness.authority.ask(harness.wire, AGENT, warrant, (field, found))
        head = harness.wire.ask("bob-phone", LOG, AskLogHead(), ToldHead).signed
        harness.wire.tell("bob-phone", MONITOR, SeenHead(head))
        assert "does not extend what it showed" in harness.wire.alarms[-1].check


def test_the_agent_refuses_a_warrant_for_others_and_for_other_days_whatever_the_log_proves():
    for days, target, why in ((1, "carol", "target"), (2, "alice", "window")):
        with playing(SCHEME) as harness:
            warrant = harness.served(target) if days == 1 else harness.served(target, days, days)
            _, mails = said(harness)
            field = codec.decode(mails[0].mail.field, DatedEnvelope)
            proof = next(prospective.proofs(harness.wire, harness.authority, warrant, [field]))
            with pytest.raises(Refused, match=why):
                harness.authority.ask(harness.wire, AGENT, warrant, (field, proof))


def test_an_agent_that_refuses_one_text_is_asked_about_the_next():
    with playing(SCHEME) as harness:
        warrant = harness.served("alice")
        said(harness)
        text, mails = said(harness)
        first = codec.decode(mails[0].mail.field, DatedEnvelope)
        broken = codec.encode(msgspec.structs.replace(first, sealed=bytes(len(first.sealed))))
        spoilt = msgspec.structs.replace(mails[0], mail=msgspec.structs.replace(mails[0].mail, field=broken))
        assert harness.access(warrant, [spoilt, *mails]) == {text}
        assert harness.wire.refusals


def newest(harness):
    return harness.wire.ask("bob-phone", LOG, AskLogHead(), ToldHead).signed


def test_the_monitor_takes_no_head_that_the_log_did_not_sign_and_witnesses_only_the_newest():
    with playing(Logged(reach="prospective", gossip="witness")) as harness:
        head = newest(harness)
        unsigned = msgspec.structs.replace(head, signature=bytes(64))
        with pytest.raises(Refused, match="the log signed the head"):
            harness.wire.party(MONITOR, DatedMonitor).on_seen("bob-phone", SeenHead(unsigned), harness.wire)
        assert harness.wire.ask("bob-phone", MONITOR, AskWitness(head), SignedHead).head == head.head
        harness.served("alice")
        assert newest(harness).head.size > head.head.size
        with pytest.raises(Refused, match="the head is the newest"):
            harness.wire.ask("bob-phone", MONITOR, AskWitness(head), SignedHead)


def test_a_client_binds_no_field_to_a_head_that_its_monitor_did_not_sign():
    with playing(Logged(reach="prospective", gossip="witness")) as harness:
        harness.served("alice")
        monitor = harness.wire.parties[MONITOR]
        unseen = {"on_witness": lambda self, sender, packet, wire: packet.signed}
        harness.wire.parties[MONITOR] = corrupted(monitor, **unseen)
        _, mails = said(harness)
        assert codec.decode(mails[0].mail.field, DatedEnvelope).at == prospective.NOTHING
        assert harness.wire.alarms[0].check == "nobody witnesses the head that was told"


@pytest.mark.parametrize(
    "prop", ["a disturbed step gives no weaker success", "whom a warrant is about is not overheard"]
)
def test_what_the_kit_holds_of_a_log_it_holds_of_one_with_a_witness(prop):
    """A monitor that signs nothing is not the log's fault, and the network reads what it answers, too."""
    assert not PROPERTY[prop].broken(Logged(reach="prospective", gossip="witness"), QUICK)


def test_a_client_binds_its_field_to_the_newest_head_which_the_monitor_signed():
    with playing(Logged(reach="prospective", gossip="witness")) as harness:
        harness.served("alice")
        _, mails = said(harness)
        assert codec.decode(mails[0].mail.field, DatedEnvelope).at == newest(harness).head
        assert harness.wire.alarms == []


def test_a_recipient_refuses_a_field_that_is_not_its_texts_whatever_head_it_names():
    with playing(Logged(reach="prospective", policing="recipient")) as harness:
        sender = harness.device("bob-phone")
        honest = type(sender).access_field
        lies = {
            "access_field": lambda self, key, told: honest(self, key, msgspec.structs.replace(told, day=told.day + 1))
        }
        harness.wire.parties["bob-phone"] = corrupted(sender, **lies)
        text, _ = said(harness)
        assert text not in {each.text for each in harness.wire.shown}
        assert harness.wire.alarms


@pytest.mark.parametrize("size", [-1, 2, 2**40])
def test_the_log_proves_nothing_of_a_size_that_it_never_had(size):
    with playing(SCHEME) as harness:
        harness.wire.ask("authority", LOG, EnterWarrant(LogEntry(bytes(32), 5, "authority"), 0), EntryEvidence)
        assert harness.wire.ask("authority", LOG, AskStanding(bytes(32), size), ProvenStanding).proof is None


def test_a_log_that_tells_no_head_stops_no_text():
    with playing(SCHEME) as harness:
        harness.wire.party(LOG, DatedLog).key = harness.wire.party(MONITOR, object).key  # it signs with another key
        text, mails = said(harness)
        assert codec.decode(mails[0].mail.field, DatedEnvelope).at == prospective.NOTHING
        assert "the log signed the head" in harness.wire.alarms[0].check
        assert text in {shown.text for shown in harness.wire.shown}


@pytest.mark.parametrize(
    ("gossip", "reads", "one"), [("daily", True, True), ("none", True, False), ("witness", False, True)]
)
def test_a_forked_log_opens_only_what_is_sealed_under_it_and_comparing_heads_tells(gossip, reads, one):
    attack, scheme = ForkedLog(), Logged(reach="prospective", gossip=gossip)
    found = {each.attack.strategy: each for each in Evaluation(scheme, (attack,), SCENARIO).tried(attack)}
    late = sum(text.day >= SCENARIO.attack_day for text in SCENARIO.texts())
    assert (0 < found[ONE].reads <= late) == reads
    assert found[ONE].noticed == one
    assert found[EACH].reads == 0


PLANTED = [
    ("a field is bound", "", (DatedEnvelope, "context", lambda field: codec.encode((field.chain, field.n)))),
    ("what is said is checked or listed", "another LogHead.size", (prospective.DatedDevice, "read_head", trusting)),
]


@pytest.mark.parametrize(("prop", "says", "line"), PLANTED)
def test_the_property_kit_catches_a_fault_that_is_planted(prop, says, line, monkeypatch):
    how = settings(settings(), phases=[Phase.generate])
    assert not PROPERTY[prop].broken(SCHEME, how)
    monkeypatch.setattr(*line)
    found = PROPERTY[prop].broken(SCHEME, how)
    assert found
    assert says in found


def test_the_property_kit_catches_that_nobody_compares_heads():
    how = settings(settings(), phases=[Phase.generate])
    found = PROPERTY["what is said is checked or listed"].broken(Logged(reach="prospective", gossip="none"), how)
    assert "log tells bob-phone another SignedHead.head" in found

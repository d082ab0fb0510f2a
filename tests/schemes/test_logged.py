"""Accountable access: no answer without an entry in the log, and a log that was taken back is seen by who compares."""

import msgspec
import pytest
from hypothesis import Phase, settings
from kit import PROPERTY, SAID

from attacks.forked_log import BACKDATED, EACH, ONE, ForkedLog
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.evaluation import Evaluation
from escrow import codec
from escrow.errors import EscrowError, Forged, Malformed, Refused
from escrow.principal import corrupted
from escrow.schemes.envelope import Envelope
from escrow.schemes.logged import scheme as logged
from escrow.schemes.logged.log import (
    AGENT,
    LOG,
    MONITOR,
    SEEN,
    AskGrowth,
    AskLastHead,
    AskWitness,
    EnterWarrant,
    EntryEvidence,
    Growth,
    LastHead,
    LogEntry,
    LogHead,
    SignedHead,
    Unsealed,
    WarrantLog,
    commitment,
    tree_of,
)
from escrow.schemes.logged.monitor import Monitor
from escrow.schemes.logged.scheme import SCHEME, Logged, LoggedAgent
from escrow.testing.harness import Step, playing
from escrow.transparency import merkle

AN_ENTRY, ANOTHER = (LogEntry(bytes([each]) * 32, 5, "authority") for each in (0, 1))
ALARM = "was not unsealed by day"


def entered(harness, entry, since=0):
    """What the log proves to somebody who enters an entry."""
    return harness.wire.ask("authority", LOG, EnterWarrant(entry, since), EntryEvidence)


def shown(harness, evidence):
    """Show the agent a proof."""
    harness.wire.ask("authority", AGENT, evidence, type(None))


def test_a_warrant_that_was_not_entered_opens_nothing():
    with playing(SCHEME) as harness:
        harness.play([Step("say", "bob-phone", "alice")])
        warrant = harness.issued("alice")
        assert harness.access(warrant, harness.intercepted()) == set()
        assert any(logged.IN_LOG in reason for _, _, reason in harness.wire.refusals)
        harness.serve(warrant)
        assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}


def damaged(good):
    """Proofs that are wrong in one part: a name, the proof, the error, and a part of its message."""
    change = msgspec.structs.replace
    signed, head = good.signed, good.signed.head
    yield "another entry", change(good, entry=AN_ENTRY), Forged, "inclusion"
    yield "another day of unsealing", change(good, entry=change(good.entry, unsealed=4)), Forged, "inclusion"
    yield "another number", change(good, number=0), Forged, "inclusion"
    yield "a number beyond the end", change(good, number=9), Malformed, "index"
    yield "a proof too short", change(good, inclusion=()), Malformed, "inclusion"
    yield "a proof too long", change(good, inclusion=(*good.inclusion, bytes(32))), Malformed, "inclusion"
    yield "a node cut off", change(good, inclusion=(good.inclusion[0][:31],)), Malformed, "32 bytes"
    yield (
        "another root",
        change(good, signed=change(signed, head=change(head, root=bytes(32)))),
        Refused,
        "the log signed the head",
    )
    yield (
        "another size",
        change(good, signed=change(signed, head=change(head, size=3))),
        Refused,
        "the log signed the head",
    )
    yield (
        "another signature",
        change(good, signed=change(signed, signature=bytes(64))),
        Refused,
        "the log signed the head",
    )
    yield "no proof of consistency", change(good, consistency=()), Malformed, "consistency"
    yield "another proof of consistency", change(good, consistency=(bytes(32),)), Forged, "consistency"
    yield "unsealed too late", None, Refused, "soon enough"


@pytest.mark.parametrize("at", range(13))
def test_a_damaged_proof_is_refused_and_the_error_says_which_check_failed(at):
    with playing(SCHEME) as harness:
        shown(harness, entered(harness, AN_ENTRY))
        good = entered(harness, ANOTHER, since=1)
        _, bad, error, says = list(damaged(good))[at]
        before = harness.wire.parties[AGENT].state()
        with pytest.raises(error, match=says):
            shown(harness, bad or entered(harness, LogEntry(bytes([2]) * 32, 99, "authority"), since=1))
        assert harness.wire.parties[AGENT].state() == before
        shown(harness, good)
        assert harness.wire.parties[AGENT].shown == [AN_ENTRY.commitment, ANOTHER.commitment]


@pytest.mark.parametrize(("holder", "refused"), [("hsm", True), ("promise", False)])
def test_only_a_device_that_keeps_the_last_head_refuses_a_log_that_was_rewritten(holder, refused):
    with playing(Logged(holder=holder)) as harness:
        log = harness.wire.party(LOG, WarrantLog)
        shown(harness, entered(harness, AN_ENTRY))
        log.entries = []
        rewritten = entered(harness, ANOTHER)
        if refused:
            with pytest.raises(EscrowError, match="two roots of one size"):
                shown(harness, rewritten)
        else:
            shown(harness, rewritten)


def test_the_monitor_sees_a_log_that_takes_an_entry_back_or_is_late_to_unseal_it():
    with playing(SCHEME) as harness:
        monitor, log = harness.wire.party(MONITOR, Monitor), harness.wire.party(LOG, WarrantLog)
        entered(harness, AN_ENTRY)
        monitor.watch(harness.wire)
        assert not harness.wire.alarms
        harness.wire.day = 6
        monitor.watch(harness.wire)
        monitor.watch(harness.wire)
        assert [alarm.check for alarm in harness.wire.alarms] == [f"entry 0 of authority {ALARM} 5"]
        log.entries = [ANOTHER, ANOTHER]
        monitor.watch(harness.wire)
        assert "does not extend" in harness.wire.alarms[-1].check


def test_a_log_and_its_monitor_hash_each_entry_once_and_a_rewritten_log_anew(monkeypatch):
    hashed = []
    with playing(SCHEME) as harness:
        monkeypatch.setattr(merkle, "leaf_hash", lambda entry, own=merkle.leaf_hash: hashed.append(entry) or own(entry))
        monitor, log = harness.wire.party(MONITOR, Monitor), harness.wire.party(LOG, WarrantLog)
        for number in range(50):
            entered(harness, LogEntry(number.to_bytes(32, "big"), 9, "authority"))
            monitor.watch(harness.wire)
        assert len(hashed) == 2 * 50 and not harness.wire.alarms
        for entries in (log.entries[:-1], log.entries[::-1], []):
            assert tree_of(entries, log).root() == tree_of(entries).root()


@pytest.mark.parametrize("number", [-1, 1, 2**62])
def test_a_warrant_is_unsealed_under_its_own_number_only(number):
    with playing(SCHEME) as harness:
        warrant = harness.served("alice")
        with pytest.raises(Refused, match="there is such an entry"):
            harness.wire.ask("authority", MONITOR, Unsealed(number, warrant), type(None))
        assert harness.wire.party(MONITOR, Monitor).unsealed == []


def test_a_head_that_the_monitor_did_not_sign_is_refused_where_it_must():
    with playing(Logged(gossip="witness")) as harness:
        shown_by_the_log, change = entered(harness, AN_ENTRY), msgspec.structs.replace
        signed = shown_by_the_log.signed
        agent, log = harness.wire.party(AGENT, LoggedAgent), harness.wire.party(LOG, WarrantLog)
        for witness in (b"", signed.signature, log.key.sign(signed.head.under(SEEN)), agent.witness):
            with pytest.raises(Refused, match="the monitor signed the head"):
                shown(harness, change(shown_by_the_log, signed=change(signed, witness=witness)))
        assert agent.shown == []
        witnessed = harness.wire.ask("authority", MONITOR, AskWitness(signed), SignedHead)
        shown(harness, change(shown_by_the_log, signed=witnessed))
        assert agent.shown == [AN_ENTRY.commitment]


def test_a_head_that_is_older_than_the_last_one_is_refused():
    with playing(SCHEME) as harness:
        older = entered(harness, AN_ENTRY)
        shown(harness, entered(harness, ANOTHER))
        with pytest.raises(Refused, match="the head is not older than the last one"):
            shown(harness, older)


def test_what_the_log_refuses_it_has_not_entered():
    """Else whoever it names would be blamed for what it does not know to stand there."""
    with playing(SCHEME) as harness:
        with pytest.raises(Refused, match="as many entries as that head"):
            entered(harness, AN_ENTRY, since=9)
        assert harness.wire.party(LOG, WarrantLog).entries == []


@pytest.mark.parametrize("size", [0, 31, 33])
def test_the_log_enters_commitments_of_32_bytes_only(size):
    with playing(SCHEME) as harness:
        with pytest.raises(Refused, match="a commitment is 32 bytes"):
            entered(harness, LogEntry(bytes(size), 5, "authority"))
        assert harness.wire.party(LOG, WarrantLog).entries == []


def test_the_log_is_asked_for_entries_from_a_number_that_it_has():
    with playing(SCHEME) as harness:
        entered(harness, AN_ENTRY)
        asked = {
            since: lambda since=since: harness.wire.ask(MONITOR, LOG, AskGrowth(since), Growth)
            for since in range(-1, 3)
        }
        assert [len(asked[since]().entries) for since in (0, 1)] == [1, 0]
        for since in (-1, 2):
            with pytest.raises(Refused, match="the log has so many entries"):
                asked[since]()


def test_whoever_enters_something_is_named_beside_it_and_cannot_fill_the_log(monkeypatch):
    with playing(SCHEME) as harness:
        for by in ("authority", "carol-laptop"):
            with pytest.raises(Refused, match="an entry says who entered it"):
                harness.wire.ask("carol-phone", LOG, EnterWarrant(LogEntry(bytes(32), 0, by), 0), EntryEvidence)
        monkeypatch.setattr(WarrantLog, "MOST", 2)
        asked = [EnterWarrant(LogEntry(bytes([each]) * 32, 0, "carol-phone"), 0) for each in range(3)]
        for each in (*asked[:2], asked[0]):  # what stands there takes no place
            harness.wire.ask("carol-phone", LOG, each, EntryEvidence)
        with pytest.raises(Refused, match="carol-phone has 2 entries"):
            harness.wire.ask("carol-phone", LOG, asked[2], EntryEvidence)
        entered(harness, AN_ENTRY)
        harness.wire.day = 1
        harness.wire.party(MONITOR, Monitor).watch(harness.wire)
        assert [alarm.check for alarm in harness.wire.alarms] == [f"entry {n} of carol-phone {ALARM} 0" for n in (0, 1)]


def test_an_agent_that_does_not_say_its_head_is_named_and_the_day_goes_on():
    def refusing(agent, sender, packet, wire):
        raise Refused(agent.name, "no")

    with playing(SCHEME) as harness:
        harness.wire.parties[AGENT] = corrupted(harness.wire.parties[AGENT], on_last_head=refusing)
        SCHEME.each_day(harness.wire, 1)
        assert [alarm.check for alarm in harness.wire.alarms] == [
            "the agent does not say which head it saw: agent refuses: no"
        ]


def test_an_entry_is_unsealed_by_its_own_warrant_only():
    with playing(SCHEME) as harness:
        monitor = harness.wire.party(MONITOR, Monitor)
        warrant, other = (harness.issued(name) for name in ("alice", "bob"))
        entered(harness, LogEntry(commitment(warrant), 5, "authority"))
        monitor.watch(harness.wire)
        with pytest.raises(Refused, match="the entry hides"):
            harness.wire.ask("authority", MONITOR, Unsealed(0, other), type(None))
        with pytest.raises(Refused, match="authority unseals"):
            harness.wire.ask("provider", MONITOR, Unsealed(0, warrant), type(None))
        harness.wire.ask("authority", MONITOR, Unsealed(0, warrant), type(None))
        assert monitor.unsealed == [0]


SCENARIO = small()


def tried(scheme):
    """By strategy: how many texts the thief reads, and whether somebody noticed."""
    attack = ForkedLog()
    found = Evaluation(scheme, (attack,), SCENARIO).tried(attack)
    return {each.attack.strategy: (each.reads, each.noticed) for each in found}


@pytest.mark.parametrize(
    ("holder", "gossip", "one", "each"),
    [
        ("hsm", "daily", True, True),
        ("hsm", "none", False, False),
        ("promise", "daily", True, False),  # in the morning the agent knows the true log again
        ("promise", "none", False, False),
    ],
)
def test_a_forked_log_is_noticed_exactly_when_heads_are_compared_and_the_device_keeps_them(holder, gossip, one, each):
    found = tried(Logged(holder=holder, gossip=gossip))
    assert {name: seen for name, (_, seen) in found.items()} == {ONE: one, EACH: each}
    assert found[ONE][0] == SCENARIO.messages


@pytest.mark.parametrize(("holder", "reads"), [("hsm", False), ("promise", True)])
def test_a_backdated_log_is_taken_by_who_keeps_no_head_alone(holder, reads):
    """After an entry that the agent has seen, nothing can be put before it: no proof of consistency leads there."""
    attack = ForkedLog(BACKDATED)
    cell = Evaluation(Logged(holder=holder), (attack,), SCENARIO).cell(attack)[0]
    assert bool(cell.exposed.total) is reads


def test_a_device_that_takes_only_heads_that_the_monitor_signed_gives_a_forked_log_nothing():
    assert {reads for reads, _ in tried(Logged(gossip="witness")).values()} == {0}


def trusting(monitor, wire):
    """Compare heads with an agent of which no refusal is expected."""
    wire.ask(monitor.name, AGENT, AskLastHead(), LastHead)


PLANTED = [
    ("no answer ends no day", "agent answers nothing on day 1", (Monitor, "compare", trusting)),
    (SAID, "EntryEvidence.number in EntryEvidence", (merkle, "check_inclusion", lambda *_: None)),
    ("no valid warrant no text", "under a forged signature", (LoggedAgent, "insist_all", lambda *_: None)),
    ("a field is bound", "with `people`", (Envelope, "context", lambda field: codec.encode((field.chain, field.n)))),
    (
        "whom a warrant is about is not overheard",
        "tells whom",
        (logged, "commitment", lambda warrant: warrant.order.target.encode().ljust(32)),
    ),
]


@pytest.mark.parametrize(("prop", "says", "line"), PLANTED)
def test_the_property_kit_catches_a_fault_that_is_planted(prop, says, line, monkeypatch):
    how = settings(settings(), phases=[Phase.generate])
    assert not PROPERTY[prop].broken(SCHEME, how)
    monkeypatch.setattr(*line)
    assert says in PROPERTY[prop].broken(SCHEME, how)


@pytest.mark.parametrize("gossip", ["none", "daily", "witness"])
@pytest.mark.parametrize("days", [1, 2])
def test_an_authority_that_unseals_in_time_is_not_blamed(gossip, days):
    scheme = Logged(gossip=gossip, days=days)
    with playing(scheme) as harness:
        harness.served("alice")
        mornings(scheme, harness, 4)
        assert (harness.wire.alarms, harness.wire.refusals) == ([], [])


def test_a_warrant_that_the_agent_refused_is_unsealed_all_the_same():
    with playing(SCHEME) as harness:
        agent = harness.wire.party(AGENT, LoggedAgent)
        agent.log, log = bytes(32), agent.log
        harness.served("alice")
        agent.log = log
        mornings(SCHEME, harness, 8)
        assert [reason for *_, reason in harness.wire.refusals] == ["the log signed the head"]
        assert harness.wire.alarms == []


def test_a_warrant_that_the_monitor_refused_is_shown_to_it_again():
    scheme = Logged(days=2)
    with playing(scheme) as harness:
        monitor = harness.wire.party(MONITOR, Monitor)
        harness.served("alice")
        monitor.log, log = bytes(32), monitor.log
        mornings(scheme, harness, 2)
        assert monitor.unsealed == []
        monitor.log = log
        mornings(scheme, harness, 2)
        assert monitor.unsealed == [0]
        assert not any(ALARM in alarm.check for alarm in harness.wire.alarms)


def test_one_warrant_that_the_monitor_refuses_does_not_keep_the_next_one_sealed():
    scheme = Logged(days=1)
    with playing(scheme) as harness:
        for name in ("alice", "bob"):
            harness.served(name)
        first = harness.authority.entered[0]
        harness.authority.entered[0] = msgspec.structs.replace(first, number=9)
        mornings(scheme, harness, 1)
        assert harness.wire.party(MONITOR, Monitor).unsealed == [1]
        assert (1, MONITOR, "there is such an entry") in harness.wire.refusals


@pytest.mark.parametrize("size", [-1, -2, 2**63])
def test_the_monitor_signs_no_head_of_an_impossible_size(size):
    with playing(Logged(gossip="witness")) as harness:
        shown_entries = [entered(harness, each).entry for each in (AN_ENTRY, ANOTHER)]
        root = tree_of(shown_entries[:size] if size < 0 else shown_entries).root()
        with pytest.raises(Refused, match="of the log that was read here"):
            harness.wire.ask("bob-phone", MONITOR, AskWitness(SignedHead(LogHead(size, root), b"")), SignedHead)


def mornings(scheme, harness, days):
    """Let some days begin."""
    for _ in range(days):
        harness.wire.day += 1
        scheme.each_day(harness.wire, harness.wire.day)

"""What `bench` says: counts are those of real conversations, times stand beside the same turn's plain and baseline."""

import re
from collections import Counter

import msgspec
import pytest

from attacks.lab.costs import baseline, counts, measure, workload
from attacks.lab.results.types import to_json
from benchmarks import gate, pinned
from escrow import codec, crypto, registry
from escrow.e2ee import ratchet
from escrow.errors import Malformed
from escrow.schemes.envelope import SCHEME as ENVELOPE
from escrow.schemes.plain import SCHEME as PLAIN
from tools import entries

SCHEMES = registry.schemes()


@pytest.fixture(scope="module")
def exact():
    return {scheme: {row.job: row for row in counts.exact(SCHEMES[scheme])} for scheme in SCHEMES}


# --- exact counts ---


def test_counts_are_the_same_each_time(exact):
    for scheme, rows in exact.items():
        assert tuple(rows.values()) == counts.exact(SCHEMES[scheme])


def test_every_job_does_its_work(exact):
    """A text is read in every job; the lawful access reads it under every scheme that promises any."""
    for scheme, rows in exact.items():
        assert list(rows) == ["set-up", "ping-pong", "one-way", "group", "access"]
        for job, row in rows.items():
            none = job == "access" and SCHEMES[scheme].claim.access == "none"
            assert row.texts == (0 if none else 1)


def test_plain_makes_the_operations_of_its_specifications(exact):
    """X3DH: four Diffie-Hellmans at each end. Ratchet: one at the sender who begins, two at a receiver who turns."""
    rows = exact["plain"]
    sent, opened = {"hmac": 2, "seal": 1}, {"hmac": 2, "open": 1}
    assert rows["one-way"].operations == {"alice-phone": opened, "bob-phone": sent}
    turned = {"hkdf": 2, "hmac": 2, "open": 1, "x25519": 2, "x25519-key": 1}
    assert rows["ping-pong"].operations == {"alice-phone": turned, "bob-phone": sent}
    begun = {"ed25519-verify": 1, "hkdf": 2, "hmac": 2, "seal": 1, "x25519": 4 + 1, "x25519-key": 2}
    answered = {"hkdf": 3, "hmac": 2, "open": 1, "x25519": 4 + 2, "x25519-key": 1}
    assert rows["set-up"].operations == {"alice-phone": begun, "bob-phone": answered}
    assert rows["access"].operations == {}


def test_a_scheme_adds_to_what_is_sealed_its_field_and_nothing_else(exact):
    for job, row in exact["envelope"].items():
        plain = exact["plain"][job]
        assert row.sealed == plain.sealed
        assert (row.field > 0) == (job != "access")
        assert row.mail - plain.mail >= row.field


def test_a_ghost_is_one_more_ciphertext_of_each_text(exact):
    for job in ("set-up", "ping-pong", "one-way"):
        ghost, plain = exact["ghost"][job], exact["plain"][job]
        assert (ghost.ciphertexts, ghost.sealed) == (2 * plain.ciphertexts, 2 * plain.sealed)


def test_a_message_between_sessions_is_at_most_54_bytes_longer_than_its_text():
    """G4 at session level, for counters below 2^21; a new one is 50 bytes longer."""
    with crypto.running(crypto.Run(b"overhead")):
        talk = counts.Conversation(PLAIN)
        talk.say(talk.alice, talk.bob, b"first")
        session = talk.alice.sessions["bob-phone"][0].session
        message, _ = ratchet.encrypt(session, bytes(100))
        assert len(ratchet.pack(message)) == 150
        session.previous = 2**21 - 1
        session.sending = msgspec.structs.replace(session.sending, n=2**21 - 1)
        message, _ = ratchet.encrypt(session, bytes(100))
        assert len(ratchet.pack(message)) == 154


def test_the_two_ends_of_a_session_keep_at_most_4_kib(exact):
    assert 0 < exact["plain"]["one-way"].sessions <= 4096


def test_the_bytes_mailed_are_those_of_the_packets():
    with crypto.running(crypto.Run(b"bytes")):
        talk = counts.Conversation(ENVELOPE)
        talk.say(talk.alice, talk.bob, bytes(counts.TEXT))
        [intercept] = talk.newly_intercepted()
        assert talk.newly_intercepted() == []
    row, mail = counts.exact(ENVELOPE)[0], intercept.mail
    assert (len(mail.body), len(mail.field), len(codec.encode(mail))) == (row.sealed, row.field, row.mail)


def test_numbers_of_every_length_are_packed_and_read_back():
    """Headers of 34 to 42 bytes: the quick path and the general one are one format."""
    edges = [0, 1, 127, 128, 2**11 - 1, 2**11, 2**14 - 1, 2**14, 2**21, 2**32 - 1]
    for pn in edges:
        for n in edges:
            message = ratchet.Message(bytes(32), n, pn, b"associated", bytes(16))
            packed = ratchet.pack(message)
            assert packed == bytes(32) + codec.varint(pn) + codec.varint(n) + bytes(16)
            assert ratchet.header(message) == packed[:-16]
            assert ratchet.unpack(packed, b"associated") == message
            with pytest.raises(Malformed):
                ratchet.unpack(packed[:-1], b"associated")


@pytest.mark.parametrize("numbers", ["800000", "008000", "800001", "ffffffff7f00"])
def test_a_number_longer_than_it_needs_to_be_is_malformed(numbers):
    with pytest.raises(Malformed):
        ratchet.unpack(bytes(32) + bytes.fromhex(numbers) + bytes(24), b"")


# --- times ---


@pytest.fixture(scope="module")
def result():
    said = []
    made = measure.bench([ENVELOPE], messages=6, repeats=2, progress=lambda *what: said.append(what))
    return made, said


def test_plain_is_measured_whether_asked_for_or_not(result):
    made, _ = result
    assert made.schemes == ("plain", "envelope")
    assert {(row.scheme, row.job) for row in made.exact} == {
        (scheme, job) for scheme in made.schemes for job in ("set-up", "ping-pong", "one-way", "group", "access")
    }


def test_every_job_of_every_scheme_is_timed_beside_plain_and_baseline(result):
    made, _ = result
    assert [(row.scheme, row.job, row.level) for row in made.timing.rows] == [
        (scheme, job, level) for scheme in made.schemes for job, level in workload.JOBS
    ]
    for row in made.timing.rows:
        assert row.microseconds > 0
        assert (row.over_plain is None) == (row.scheme == "plain" or row.job == "access")
        assert (row.over_floor is None) == (row.job == "access")
    assert set(made.timing.floor) == {"ping-pong", "one-way", "set-up", "fan-out", "sender-keys"}
    assert made.timing.peers == ()


def test_times_stand_apart_from_what_is_exact(result):
    """Two machines differ in `timing` alone."""
    made, _ = result
    again = measure.bench([ENVELOPE], messages=1, repeats=1)
    assert again != made
    assert msgspec.structs.replace(again, timing=made.timing) == made
    assert msgspec.json.decode(to_json(made), type=measure.Overhead) == made


def test_progress_counts_up_to_what_it_announces(result):
    _, said = result
    assert [(done, of) for done, of, _ in said] == [(done, 4) for done in range(4)]


@pytest.mark.parametrize("sizes", [{"messages": 0}, {"repeats": 0}])
def test_a_measurement_of_nothing_is_refused(sizes):
    with pytest.raises(ValueError, match="needs a message and a repeat"):
        measure.bench([PLAIN], **sizes)


def test_what_is_timed_between_sessions_makes_the_operations_that_were_counted(exact):
    """The loops below the devices leave nothing out."""
    heard: list[str] = []
    with crypto.running(crypto.Run(b"loops", lambda call: heard.extend(counts.units(call)))):
        for scheme in SCHEMES.values():
            ground = workload.Workload(scheme)
            for job, level in workload.jobs_of(scheme):
                if level == "session" and job in exact[scheme.name]:
                    ready = ground.job(job, level, 1)
                    heard.clear()
                    ready.run()
                    made = exact[scheme.name][job].operations.values()
                    counted = sum((Counter(events) for events in made), Counter())
                    assert not Counter(heard) - counted
                    if job != "set-up":  # where devices do more than to begin a session, in some schemes
                        assert Counter(heard) == counted


CALLS = {"HMAC": {"hmac"}, "AESGCM": {"seal", "open"}, "HKDF": {"hkdf"}, "_new_key": {"x25519-key"}}


@pytest.mark.parametrize("job", baseline.BASELINES)
def test_the_baseline_makes_the_library_calls_that_the_door_counts_under_plain(job, monkeypatch, exact):
    """One HMAC object, copied, serves both halves of a step. What the baseline seals it opens, or it would raise."""
    called = Counter()

    def counting(name, real):
        def call(*arguments):
            called[name] += 1
            return real(*arguments)

        return call

    for name in CALLS:
        monkeypatch.setattr(baseline, name, counting(name, getattr(baseline, name)))
    ready = baseline.BASELINES[job](1, b"text")
    called.clear()
    ready()
    plain = exact["plain"]
    one_sided = {
        "fan-out": plain["one-way"].operations["bob-phone"],
        "sender-keys": plain["group"].operations["alice-phone"],
    }
    made = [one_sided[job]] if job in one_sided else plain[job].operations.values()
    for name, events in CALLS.items():
        counted = sum(times for operations in made for event, times in operations.items() if event in events)
        assert called[name] == (counted // 2 if name == "HMAC" else counted)


# --- the gate ---


@pytest.fixture
def expected(monkeypatch, tmp_path):
    """What is expected is what is counted today."""
    monkeypatch.setattr(gate, "EXPECTED", tmp_path / "expected")
    assert gate.main(["--write"]) == 0


def test_the_gate_is_passed():
    assert gate.main([]) == 0


def test_an_extra_hkdf_in_the_message_path_fails_the_gate_and_is_named(expected, monkeypatch, capsys):
    step = ratchet.step

    def slower(chain, slot=None):
        crypto.hkdf(b"", chain.value, b"planted", 32)
        return step(chain, slot)

    monkeypatch.setattr(ratchet, "step", slower)
    assert gate.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    for scheme in (name for name, each in SCHEMES.items() if workload.jobs_of(each) == workload.JOBS):
        assert f"{scheme}, one-way: bob-phone hkdf none → {2 if scheme.startswith('ghost') else 1}" in lines
        assert f"{scheme}, one-way: alice-phone hkdf none → 1" in lines
    assert "plain, ping-pong: alice-phone hkdf 2 → 3" in lines
    assert not [line for line in lines if ", access:" in line and "ghost" not in line]
    assert lines[-2].startswith(f"{len(lines) - 2} differences from expected;")


def test_one_byte_more_on_the_wire_fails_the_gate_and_is_named(expected, monkeypatch, capsys):
    pack = ratchet.pack
    monkeypatch.setattr(ratchet, "pack", lambda message: pack(message) + b"!")
    assert gate.main([]) == 1
    out = capsys.readouterr().out
    before, after = re.findall(r"plain, one-way: sealed (\d+) → (\d+)", out)[0]
    assert int(after) == int(before) + 1
    assert "plain, one-way: texts 1 → 0" in out


def test_a_scheme_or_job_that_comes_or_goes_is_a_difference():
    old = {"plain": {"one-way": {"mail": 3, "operations": {"bob": {"hmac": 2}}}}}
    assert list(gate.differences(old, {})) == ["plain, one-way: mail 3 → none", "plain, one-way: bob hmac 2 → none"]
    assert list(gate.differences({}, old)) == ["plain, one-way: mail none → 3", "plain, one-way: bob hmac none → 2"]


def test_the_gate_writes_what_it_then_passes(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(gate, "EXPECTED", tmp_path / "expected")
    assert gate.main([]) == 2
    assert "--write" in capsys.readouterr().err
    assert gate.main(["--write"]) == 0
    assert gate.main([]) == 0
    (tmp_path / "expected" / "plain.json").write_text("{")
    assert gate.main([]) == 2
    assert gate.main(["--what"]) == 2


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Two schemes that cost nothing, of which the gate knows the counts."""
    monkeypatch.setattr(gate, "EXPECTED", tmp_path / "expected")
    monkeypatch.setattr(gate, "counted", lambda schemes: {each.name: {"one-way": {"mail": 3}} for each in schemes})
    monkeypatch.setattr(gate, "shipped", lambda: [PLAIN, ENVELOPE])
    assert gate.main(["--write"]) == 0
    return tmp_path / "expected"


def test_a_scheme_without_a_file_is_unpinned_and_named(small, capsys):
    assert gate.main([]) == 0
    assert capsys.readouterr().out == "2 schemes are expected; every scheme is pinned\n"
    (small / "envelope.json").unlink()
    assert gate.main([]) == 0
    said = "1 schemes are expected; unpinned: envelope (python -m benchmarks.gate --write)\n"
    assert capsys.readouterr().out == said


def test_a_committed_scheme_without_a_file_fails_where_that_is_asked(small, monkeypatch, capsys):
    (small / "envelope.json").unlink()
    monkeypatch.setattr(pinned, "committed", lambda schemes: [each.name for each in schemes])
    assert gate.main(["--committed"]) == 1
    assert capsys.readouterr().out.startswith("envelope: committed, and not in expected\n1 differences")
    monkeypatch.setattr(pinned, "committed", lambda schemes: [])
    assert gate.main(["--committed"]) == 0


def test_a_file_whose_scheme_is_gone_fails(small, monkeypatch, capsys):
    monkeypatch.setattr(gate, "shipped", lambda: [PLAIN])
    assert gate.main([]) == 1
    assert capsys.readouterr().out.startswith("envelope, one-way: mail 3 → none\n1 differences")
    assert gate.main(["--write"]) == 0
    assert [path.name for path in small.iterdir()] == ["plain.json"]


def test_a_scheme_is_committed_if_git_knows_its_module(monkeypatch):
    """A scheme in a package too; and where there is no repository, that is said."""
    known = {entries.file_of(SCHEMES[name]) for name in ("plain", "clipper")}
    monkeypatch.setattr(entries, "_files", lambda: known)
    assert pinned.committed(SCHEMES.values()) == ["plain", "clipper"]

    def absent():
        raise OSError("git ls-files: not a git repository")

    monkeypatch.setattr(entries, "_files", absent)
    with pytest.raises(pinned.CannotTell, match="git ls-files"):
        pinned.committed(SCHEMES.values())

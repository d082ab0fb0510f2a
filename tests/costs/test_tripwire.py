"""Property: a slow-down beyond the tolerance is an alarm that names it; what is not confirmed is none."""

import json

import pytest

from attacks.lab.costs.workload import Workload, jobs_of
from benchmarks import goals, pinned, tripwire
from escrow import crypto, registry
from escrow.e2ee import ratchet
from escrow.schemes.envelope import SCHEME as ENVELOPE
from escrow.schemes.plain import SCHEME as PLAIN


@pytest.fixture
def wire(monkeypatch):
    """With plain alone: the others take longer and show the same."""
    monkeypatch.setattr(tripwire, "shipped", lambda: [PLAIN])
    return tripwire.Tripwire()


def test_two_hkdfs_more_in_the_message_path_are_an_alarm(wire, monkeypatch):
    old = {"plain": {job: wire.ratio("plain", job) for job in ("one-way", "fan-out")}}
    step = ratchet.step

    def slower(chain, slot=None):
        for _ in range(2):
            crypto.hkdf(b"", chain.value, b"planted", 32)
        return step(chain, slot)

    monkeypatch.setattr(ratchet, "step", slower)
    new = {"plain": {job: wire.ratio("plain", job) for job in old["plain"]}}
    alarms = list(wire.alarms(old, new))
    assert [(alarm.scheme, alarm.job, alarm.old) for alarm in alarms] == [
        ("plain", job, ratio) for job, ratio in old["plain"].items()
    ]
    assert all(alarm.new > 1.5 * alarm.old for alarm in alarms)


def test_the_same_code_is_no_alarm(wire):
    old, new = wire.ratios(), wire.ratios()
    assert list(old["plain"]) == ["ping-pong", "one-way", "set-up", "fan-out", "sender-keys"]
    assert list(wire.alarms(old, new)) == []


@pytest.mark.parametrize(("later", "alarms"), [([9.0, 1.3], 1), ([1.2, 9.0], 0), ([9.0, 1.2], 0), ([1.2, 1.2], 0)])
def test_only_what_exceeds_each_time_is_an_alarm(wire, later, alarms, monkeypatch):
    """Of an expected ratio of 1.0 the tolerance ends at 1.25; what is reported is the last, of the most turns."""
    found = iter(later)
    monkeypatch.setattr(wire, "ratio", lambda scheme, job, times: next(found))
    raised = list(wire.alarms({"plain": {"one-way": 1.0}}, {"plain": {"one-way": 1.26}}))
    assert [str(alarm) for alarm in raised] == ["plain, one-way: 1.00 → 1.30 x baseline (+30%)"][:alarms]


def test_a_job_within_the_tolerance_or_faster_is_not_measured_again(wire, monkeypatch):
    monkeypatch.setattr(wire, "ratio", lambda *_: pytest.fail("measured again"))
    assert list(wire.alarms({"plain": {"one-way": 1.0}}, {"plain": {"one-way": 1.24}})) == []
    assert list(wire.alarms({"plain": {"one-way": 1.0}}, {"plain": {"one-way": 0.5}})) == []


def test_a_job_on_one_side_only_is_named():
    old = {"plain": {"one-way": 1.0, "gone": 1.0}, "lost": {"one-way": 1.0}}
    new = {"plain": {"one-way": 9.0, "more": 2.0}, "unpinned": {"one-way": 2.0}}
    assert list(tripwire.unlisted(old, new)) == [
        "plain, gone: only in ratios",
        "lost, one-way: only in ratios",
        "plain, more: not in ratios",
    ]


def test_it_writes_what_it_then_reads(monkeypatch, tmp_path, capsys):
    ratios = {"plain": {"one-way": 1.0}}
    monkeypatch.setattr(tripwire, "EXPECTED", tmp_path / "ratios")
    monkeypatch.setattr(tripwire, "shipped", lambda: [PLAIN])
    monkeypatch.setattr(tripwire.Tripwire, "ratios", lambda self: ratios)
    monkeypatch.setattr(tripwire.Tripwire, "ratio", lambda *_: 2.0)
    assert tripwire.main([]) == 2
    assert "--write" in capsys.readouterr().err
    assert tripwire.main(["--write"]) == 0
    assert json.loads((tmp_path / "ratios" / "plain.json").read_text()) == ratios["plain"]
    assert tripwire.main([]) == 0
    monkeypatch.setattr(tripwire.Tripwire, "ratios", lambda self: {"plain": {"one-way": 2.0}})
    assert tripwire.main([]) == 1
    assert "plain, one-way: 1.00 → 2.00 x baseline (+100%)" in capsys.readouterr().out
    (tmp_path / "ratios" / "plain.json").write_text("{")
    assert tripwire.main([]) == 2
    assert tripwire.main(["--what"]) == 2


def test_a_scheme_without_ratios_is_unpinned_and_fails_only_if_it_is_committed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(tripwire, "EXPECTED", tmp_path)
    monkeypatch.setattr(tripwire, "shipped", lambda: [ENVELOPE])
    monkeypatch.setattr(tripwire.Tripwire, "ratio", lambda *_: 1.0)
    (tmp_path / "plain.json").write_text(json.dumps(dict.fromkeys(tripwire.SESSIONS, 1.0)))
    assert tripwire.main([]) == 0
    said = "1 schemes are expected; unpinned: envelope (python -m benchmarks.tripwire --write)\n"
    assert capsys.readouterr().out == said
    monkeypatch.setattr(pinned, "committed", lambda schemes: [each.name for each in schemes])
    assert tripwire.main(["--committed"]) == 1
    assert "envelope: committed, and not in " in capsys.readouterr().out


def test_ratios_are_expected_of_every_job_between_sessions():
    expected = pinned.read(tripwire.EXPECTED)
    schemes = registry.schemes()
    for name, jobs in expected.items():
        assert tuple(jobs) == tuple(sorted(job for job, level in jobs_of(schemes[name]) if level == "session"))
    assert all(ratio > 0 for jobs in expected.values() for ratio in jobs.values())


# --- goals ---


@pytest.mark.parametrize(
    ("limit", "measured", "least", "verdict"),
    [(1.1, 1.1, False, "met"), (1.0, 1.1, False, "missed by 10.0%"), (2.0, 1.5, True, "missed by 25.0%")],
)
def test_a_goal_says_by_how_much_it_is_missed(limit, measured, least, verdict):
    assert goals.Row("G0", "what", limit, measured, "x", least).verdict == verdict


def test_sizes_are_computed_and_met(capsys):
    assert goals.main(["G4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("G4 ") and line.endswith(" met") and len(line) <= 80 for line in lines)
    assert goals.main(["G0"]) == 2


def test_a_goal_that_needs_a_missing_package_is_not_met(monkeypatch, capsys):
    def missing(name):
        raise goals.PeerMissing(f"{name} is not installed")

    monkeypatch.setattr(goals, "peer", missing)
    monkeypatch.setitem(goals.GOALS, "G4", lambda: iter([goals._faster("G4", "one-way", "vodozemac", 1.8, 1)]))
    assert goals.main(["G4"]) == 3
    assert capsys.readouterr().out.endswith("vodozemac is not installed\n")


def test_a_workload_goes_on_after_every_job():
    """Jobs leave the conversation as they found it: each can follow each."""
    workload = Workload(PLAIN)
    for _ in range(2):
        for job, level in tripwire.JOBS:
            workload.job(job, level, 6).run()
    before = len(workload.talk.wire.shown)
    assert workload.talk.say(workload.talk.alice, workload.talk.bob, b"still") == 1
    assert len(workload.talk.wire.shown) == before + 1

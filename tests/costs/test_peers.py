"""Other libraries do the same jobs in the same turns; of one that is not installed an error says what to install."""

import json

import pytest

from attacks.cli import main
from attacks.lab.costs import measure, peers
from attacks.lab.results.types import to_json
from escrow.schemes.plain import SCHEME as PLAIN

JOBS = {"ping-pong", "one-way", "set-up", "fan-out"}


def fake():
    """A library whose jobs are nothing."""
    return peers.Peer("fake", {"fake": "1"}, {job: lambda times, text: lambda: None for job in JOBS})


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_opens_what_it_sealed_in_every_job(name):
    """Each job raises where a ciphertext does not open; so this is a conversation, not a loop."""
    package = pytest.importorskip({"vodozemac": "vodozemac", "DoubleRatchet": "doubleratchet"}[name])
    assert package
    peer = peers.peer(name)
    assert set(peer.jobs) == JOBS
    for prepare in peer.jobs.values():
        prepare(3, b"text")()
    assert set(peer.versions) == set(peers.PEERS[name][1])


def test_peers_are_timed_beside_plain_and_baseline():
    made = measure.bench([], messages=2, repeats=2, peers=[fake()])
    assert {row.job for row in made.timing.peers} == JOBS
    for row in made.timing.peers:
        assert (row.peer, row.versions) == ("fake", {"fake": "1"})
        assert 0 < row.over_plain < 1  # it does nothing at all
        assert 0 < row.over_floor < 1
    assert json.loads(to_json(made))["timing"]["peers"][0]["peer"] == "fake"


def test_a_peer_takes_the_turns_that_the_schemes_take(monkeypatch):
    """Interleaved: everybody's job of one turn runs before anybody's of the next."""
    ran = []
    monkeypatch.setattr(measure, "microseconds", lambda job: ran.append(job) or 1.0)
    turns = measure.JobTurns([measure.Workload(PLAIN)], [fake()], 2)
    for _ in range(3):
        turns.take([("one-way", "session")])
    assert len(ran) == 9
    assert [len(turns.times.samples[who, "one-way", "session"]) for who in ("", "fake", "plain")] == [3, 3, 3]
    assert {job.texts for job in ran} == {2}


@pytest.mark.parametrize(("name", "extra"), [(name, entry[0]) for name, entry in peers.PEERS.items()])
def test_a_package_that_is_missing_is_named_with_its_extra(name, extra, monkeypatch):
    def missing(package):
        raise peers.PackageNotFoundError(package)

    monkeypatch.setattr(peers, "version", missing)
    with pytest.raises(peers.PeerMissing, match=rf"{name} is not installed .*escrow-lab\[{extra}\]"):
        peers.peer(name)


def test_bench_with_peers_refuses_to_leave_one_out(monkeypatch, capsys):
    def missing(package):
        raise peers.PackageNotFoundError(package)

    monkeypatch.setattr(peers, "version", missing)
    assert main(["bench", "--peers", "--only", "plain"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "vodozemac is not installed" in err and "escrow-lab[peers]" in err


def test_bench_prints_peers_within_80_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(peers, "peers", lambda: (fake(),))
    assert main(["bench", "--only", "plain", "--peers", "--messages", "2", "--repeats", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("fake  ")]
    assert max(map(len, lines)) <= 80

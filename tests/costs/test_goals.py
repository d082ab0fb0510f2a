"""Property: a goal's row measures what it names, so that a slow implementation planted there shows as missed."""

import hashlib
import sys
from time import thread_time

import pytest
from cryptography.hazmat import primitives

from attacks.lab.costs import timer
from benchmarks import directory_proofs, goals, multiples
from escrow import crypto
from escrow.primitives import group, hpke
from escrow.sharing import feldman, shamir
from escrow.transparency import merkle, prefix

QUICK = {
    "TURNS": 3,
    "SMALL": (5, 9),
    "LARGE": (6, 12),
    "LONG": 20,
    "LABELS": 1_000,
    "TRIALS": 1 << 13,
    "SEARCH": {True: 0.1, False: 0.2},
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name, value in QUICK.items():
        monkeypatch.setattr(goals, name, value)


def rows(name: str) -> dict[str, goals.Row]:
    return {row.what: row for row in goals.GOALS[name]()}


def spend(milliseconds: float) -> None:
    """Keep the processor busy for so long: what others do in the meantime does not count."""
    until = thread_time() + milliseconds / 1e3
    while thread_time() < until:
        hashlib.sha256(bytes(1000)).digest()


def slowed(function, milliseconds: float):
    def slow(*arguments, **named):
        spend(milliseconds)
        return function(*arguments, **named)

    return slow


PLANTED = {
    "G6": [(hpke.DEFAULT, "_towards", 1)],
    "G7": [(shamir, "split", 100), (shamir, "combine", 60)],
    "G8": [(feldman, "verify_share", 5), (feldman, "verify_shares", 500)],
    "G9": [(group, "commitment", 2)],
    "G10": [(goals, "first_valid", 150)],
    "G11": [(goals.Closure, "run", 200), (goals.Labels, "label", 200)],
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_slow_implementation_is_missed(name, monkeypatch):
    """Every row of the goal, each by the function that it times."""
    honest = rows(name)
    for place, function, milliseconds in PLANTED[name]:
        monkeypatch.setattr(place, function, slowed(getattr(place, function), milliseconds))
    planted = rows(name)
    assert list(planted) == list(honest)
    for what, row in planted.items():
        if row.measured is None:
            assert row.why == "numpy is not installed"
            continue
        worse = honest[what].measured / row.measured if row.least else row.measured / honest[what].measured
        assert worse > 2, what
        assert row.verdict.startswith("missed by"), what


def test_a_slow_start_is_missed(monkeypatch):
    """Of whatever is imported at start, the processor's time counts."""
    monkeypatch.setattr(goals, "HELP", ("for _ in range(9_000_000): pass",))
    (row,) = rows("G13").values()
    assert row.verdict.startswith("missed by")


def test_texts_that_take_more_memory_are_missed(monkeypatch):
    """61 KB a text, beside whatever the interpreter takes."""
    monkeypatch.setattr(goals, "PEAK", "import sys; print(50_000 + 61 * int(sys.argv[1]))")
    (row,) = rows("G14").values()
    assert row.measured == 61
    assert row.verdict.startswith("missed by")


@pytest.mark.parametrize(
    ("place", "function", "kind"),
    [
        (prefix, "search", "membership, made"),
        (prefix, "search", "non-membership, made"),
        (prefix, "committed", "membership, checked"),
        (merkle.Log, "consistency", "consistency, made"),
        (merkle, "check_consistency", "consistency, checked"),
    ],
)
def test_a_slow_proof_of_a_key_directory_is_missed(place, function, kind, monkeypatch):
    monkeypatch.setattr(directory_proofs, "SAMPLE", 20)
    honest = rows("G17")
    assert all(row.met for row in honest.values())
    monkeypatch.setattr(place, function, slowed(getattr(place, function), 8))
    assert rows("G17")[kind].verdict.startswith("missed by")


def test_a_long_proof_of_a_key_directory_is_missed(monkeypatch):
    monkeypatch.setattr(directory_proofs, "SAMPLE", 20)
    monkeypatch.setattr(directory_proofs, "most_bytes", lambda labels: 32)
    found = rows("G17")
    for kind in ("membership", "non-membership", "consistency"):
        assert found[kind].verdict.startswith("missed by")
    assert {row.verdict for what, row in found.items() if "lookup" in what or "VRF" in what} == {"no goal"}


def test_a_kind_of_envelope_that_the_library_has_not_is_not_measured(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.hpke", None)
    monkeypatch.delattr(primitives, "hpke", raising=False)  # it is there once somebody imported it
    (row,) = rows("G6").values()
    assert row.measured is None
    assert "hpke" in row.verdict
    assert not row.met


def test_one_ephemeral_serves_several_who_each_open():
    """What G6 times is the real thing: one `enc`, and every recipient's own key."""
    keys = [crypto.new_private() for _ in range(3)]
    own = crypto.new_private()
    sealed = goals._one_ephemeral([key.public for key in keys], b"a message key", b"info")
    assert len(set(sealed)) == len(keys)
    contexts = [hpke.DEFAULT.sender(key.public, b"info", own) for key in keys]
    assert {enc for enc, _ in contexts} == {own.public}
    for key, (enc, context) in zip(keys, contexts, strict=True):
        assert hpke.DEFAULT.receiver(key, enc, b"info").open(context.seal(b"a message key")) == b"a message key"


def test_times_are_scaled_by_the_machines_own_multiplication():
    """One multiplication is the unit, ten are ten; and a ratio is of the first to the second."""
    one = multiples.at_unit(lambda: multiples.POINT * multiples.SCALAR, 9, 10)
    ten = multiples.at_unit(lambda: [multiples.POINT * multiples.SCALAR for _ in range(10)], 9)
    assert one == pytest.approx(multiples.UNIT, rel=0.4)
    assert ten == pytest.approx(10 * multiples.UNIT, rel=0.4)
    assert timer.ratio(lambda: spend(5), lambda: spend(20), 5) == pytest.approx(0.25, rel=0.2)


def test_the_naive_forms_give_what_the_fast_ones_give():
    shares = multiples.naive_split(7, 3, 5)
    held = {i: shares[i - 1] for i in (1, 3, 5)}
    assert multiples.naive_combine(held) == shamir.combine(held) == 7
    dealt, commitments = feldman.deal(7, 3, 5)
    for share in (dealt[4], dealt[4] + 1):
        verdict = feldman.verify_share(commitments, 5, share)
        assert multiples.naive_verify(commitments, 5, share) == verdict == (share == dealt[4])


def test_every_goal_has_a_function_and_each_row_its_goals_name():
    assert list(goals.GOALS) == [f"G{number}" for number in (*range(1, 16), 17)]
    for name in ("G7", "G9"):
        found = rows(name)
        assert {row.goal for row in found.values()} == {name}
        assert all(len(row.line()) <= 80 for row in found.values())

"""Property: a slow-down of plays or closures is an alarm that names the scheme; what is not confirmed is none."""

import json

import pytest

from attacks.authority_theft import ATTACK as PASSIVE
from attacks.field_stripping import ATTACK as ACTIVE
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict import evaluation
from benchmarks import matrix_gate, pinned
from escrow.primitives import group
from escrow.schemes.envelope import SCHEME as ENVELOPE
from escrow.schemes.plain import SCHEME as PLAIN

SMALL = default(messages=12, days=3, users=4)


@pytest.fixture
def small(monkeypatch):
    """With two attacks on one scheme in a small scenario: the others take longer and show the same."""
    cost = matrix_gate.cost
    monkeypatch.setattr(matrix_gate, "cost", lambda scheme, against: cost(scheme, [PASSIVE, ACTIVE], SMALL))
    monkeypatch.setattr(matrix_gate, "shipped", lambda: [ENVELOPE])


def ten_times(function):
    def slower(*arguments, **named):
        for _ in range(9):
            function(*arguments, **named)
        return function(*arguments, **named)

    return slower


def test_plays_and_closures_that_run_ten_times_are_an_alarm_and_the_same_code_is_none(small, monkeypatch):
    expected = matrix_gate.cost(ENVELOPE, [])
    assert not matrix_gate.check(ENVELOPE, [], expected)[0]
    # what repeats recalls its results, so it is not ten times as slow
    for name in ("play", "Analysis"):
        monkeypatch.setattr(evaluation, name, ten_times(getattr(evaluation, name)))
    assert matrix_gate.cost(ENVELOPE, []) > 2 * expected
    slower, line = matrix_gate.check(ENVELOPE, [], expected)
    assert slower
    assert line.startswith("envelope: ") and line.endswith("slower than expected, 3 times running")


@pytest.mark.parametrize(
    ("measured", "alarm"), [([1.29], False), ([1.31, 9.0, 1.31], True), ([9.0, 1.2], False), ([9.0, 9.0, 0.5], False)]
)
def test_only_what_exceeds_each_time_is_an_alarm(measured, alarm, monkeypatch):
    """Of an expected 100 units the tolerance ends at 130; nothing is measured again that is within it."""
    found = iter(measured)
    monkeypatch.setattr(matrix_gate, "cost", lambda scheme, against: 100 * next(found))
    assert matrix_gate.check(PLAIN, [], 100.0)[0] is alarm
    assert list(found) == []


def test_it_writes_what_it_then_reads_for_the_arithmetic_that_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(matrix_gate, "EXPECTED", tmp_path / "matrix")
    monkeypatch.setattr(matrix_gate, "shipped", lambda: [PLAIN])
    monkeypatch.setattr(matrix_gate, "cost", lambda *_: 100.0)
    assert matrix_gate.main([]) == 2
    assert "--write" in capsys.readouterr().err
    assert matrix_gate.main(["--write"]) == 0
    runs = group.arithmetic.NAME
    file = tmp_path / "matrix" / "plain.json"
    assert json.loads(file.read_text()) == {runs: 100.0}
    assert matrix_gate.main([]) == 0
    file.write_text(json.dumps({runs: 100.0, "another": 7.0}))
    assert matrix_gate.main(["--write"]) == 0
    assert json.loads(file.read_text()) == {runs: 100.0, "another": 7.0}
    monkeypatch.setattr(matrix_gate, "cost", lambda *_: 200.0)
    assert matrix_gate.main([]) == 1
    assert "plain: 100 → 200 units a play (+100%)" in capsys.readouterr().out


def test_an_unpinned_scheme_is_named_and_fails_only_where_it_is_committed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(matrix_gate, "EXPECTED", tmp_path / "matrix")
    monkeypatch.setattr(matrix_gate, "cost", lambda *_: 100.0)
    monkeypatch.setattr(matrix_gate, "shipped", lambda: [PLAIN])
    matrix_gate.main(["--write"])
    monkeypatch.setattr(matrix_gate, "shipped", lambda: [PLAIN, ENVELOPE])
    monkeypatch.setattr(pinned, "committed", lambda schemes: [each.name for each in schemes])
    assert matrix_gate.main([]) == 0
    assert "unpinned: envelope" in capsys.readouterr().out
    assert matrix_gate.main(["--committed"]) == 1
    assert "envelope: committed, and not in matrix" in capsys.readouterr().out
    monkeypatch.setattr(matrix_gate, "shipped", lambda: [ENVELOPE])
    assert matrix_gate.main([]) == 1
    assert "plain: only in matrix" in capsys.readouterr().out

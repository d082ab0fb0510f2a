"""The verdict is a function of its cell: the first word that applies, and no doubt hides what was opened."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from once import once

from attacks import registry as attack_registry
from attacks.cli import main
from attacks.lab.results.types import Added, Against, Cell, Exposed, Exposure, Grounds, WorseWord, to_json
from attacks.lab.runs import matrix
from attacks.lab.runs.matrix import run_matrix
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.controls import control_of, controlled
from attacks.lab.verdict.judging.exercise import derivations_of
from attacks.lab.verdict.judging.procedure import briefly, broken, decided
from escrow import crypto, registry

pytestmark = pytest.mark.early

ASKED = ()  # the attacks of the whole matrix; none are all of them
README = Path(__file__).parents[2] / "README.md"
OPENED = Exposed(target=Exposure(past=5))


def cell(**fields):
    return decided(Cell(**{"scheme": "s", "attack": "a", "verdict": "HELD", "sent": 9} | fields))


BREACH = {"exposed": OPENED, "excluded": 5, "against": Against(texts=5, by_coalition=5)}
CELLS = {
    "nothing": ({}, "HELD"),
    "granted": ({"exposed": OPENED}, "AS CLAIMED"),
    "left": (BREACH, "BREACH"),
    "over-collected": ({"against": Against(texts=2, overcollected=2)}, "BREACH"),
    "one left": ({"against": Against(texts=5, outside=1, conceded=1, as_plain=2)}, "BREACH"),
    "as plain": ({"against": Against(texts=5, as_plain=5)}, "AS PLAIN"),
    "some as plain": ({"against": Against(texts=5, as_plain=1, conceded=4)}, "AS PLAIN"),
    "conceded": ({"against": Against(texts=5, conceded=5)}, "CONCEDED"),
    "outside": ({"against": Against(texts=5, conceded=4, outside=1)}, "OUTSIDE MODEL"),
    "outside, and fails": ({"against": Against(texts=5, outside=5), "unkept": 1}, "FAILS"),
    "no corruption inside": ({"grounds": Grounds(outside_model=True, model=("it is",)), "unkept": 3}, "OUTSIDE MODEL"),
    "conceded, and fails": ({"against": Against(texts=5, conceded=5), "framed": 1}, "FAILS"),
    **{what: ({what: 1}, "FAILS") for what in ("unkept", "fabricated", "misattributed", "framed", "forged")},
    **{what: ({"added": Added(**{what: 1})}, "FAILS") for what in ("lost", "duplicated")},
    "evaded, not promised": ({"evaded": 3}, "HELD"),
}


@pytest.mark.parametrize("what", CELLS)
def test_the_first_word_that_applies(what):
    fields, word = CELLS[what]
    assert cell(**fields).verdict == word


@pytest.mark.parametrize("what", CELLS)
def test_a_doubt_replaces_what_was_not_opened_and_nothing_else(what):
    fields, word = CELLS[what]
    found = decided(cell(**fields), doubts=("never exercised: a rule",))
    sure = word in {"BREACH", "FAILS", "OUTSIDE MODEL"}
    assert found.verdict == (word if sure else "INCONCLUSIVE")
    assert "never exercised: a rule" in found.reason and (sure or f"; else {word}: " in found.reason)
    assert decided(cell(**fields), untested="its control failed").verdict == "INCONCLUSIVE"


WORDS = ("BREACH", "FAILS", "INCONCLUSIVE", "OUTSIDE MODEL", "CONCEDED", "AS PLAIN", "AS CLAIMED", "HELD")


@pytest.mark.parametrize("what", CELLS)
@pytest.mark.parametrize("word", WORDS)
def test_the_word_of_another_strategy_counts_where_it_is_worse(what, word):
    fields, own = CELLS[what]
    worse = WorseWord(strategy="by one", verdict=word, reason="so it is")
    found = cell(**fields, strategy="by all", worse=worse)
    assert found.verdict == WORDS[min(WORDS.index(own), WORDS.index(word))]
    said = f"by one: so it is; by all, whose counts these are: {own}, "
    assert found.reason.startswith(said) == (WORDS.index(word) < WORDS.index(own))
    assert decided(found, untested="its control failed").verdict == "INCONCLUSIVE"
    blank = Cell(scheme="s", attack="a", verdict="TIMEOUT", worse=worse)
    assert decided(blank) == blank


def test_what_else_applies_stands_behind_the_word():
    found = cell(**BREACH, unkept=11, added=Added(lost=2))
    assert briefly(found) == "BREACH, misses 11, loses 2"
    assert "5 texts that the claim excludes" in found.reason and "11 texts that a warrant covers" in found.reason
    blank = Cell(scheme="s", attack="a", verdict="NOT_APPLICABLE", reason="why")
    assert decided(blank, untested="x") == blank and briefly(blank) == "NOT_APPLICABLE"


# --- controls, by quantities ---


@pytest.mark.parametrize("what", CELLS)
def test_a_control_is_broken_by_what_nothing_excuses_away(what):
    found = cell(**CELLS[what][0])
    assert broken(found) == bool(found.against.texts or found.verdict == "FAILS" or found.unkept)


@pytest.mark.parametrize("name", sorted(attack_registry.attacks()))
def test_an_attack_breaks_its_specimen_and_fails_on_the_sound_twin(name):
    """And what only it computes is used there."""
    attacks = attack_registry.attacks()
    found = control(attacks[name], tuple(attacks.values()), isolated=False)
    assert found.failure == "" and found.fired.issuperset(derivations_of(attacks[name]))


def test_every_attack_breaks_its_specimen_and_not_the_twin_by_quantities():
    """The matrix says of each cell whether the attack's control failed."""
    assert {each.grounds.untested for each in whole().cells} == {""}
    judged = {each.attack for each in whole().cells if each.verdict != "NOT_APPLICABLE"}
    assert len(judged) > len(attack_registry.attacks()) // 2


def test_a_twin_that_is_broken_in_any_quantity_is_a_failed_control(monkeypatch):
    attack = attack_registry.attacks()["device-compromise"]
    control = control_of(attack)
    monkeypatch.setattr("attacks.lab.verdict.controls.control_of", lambda _: control._replace(twin=control.specimen))
    assert "broke the sound twin" in controlled(attack, (attack,)).failure


# --- run and matrix ---


@cache
def control(attack, every, *, isolated=False):
    """Run the controls of an attack, once for the matrix and for the run of that attack."""
    return controlled(attack, every, isolated=isolated)


@cache
def whole():
    every = list(attack_registry.attacks().values())
    schemes, asked = registry.schemes(), [each for each in every if not ASKED or each.name in ASKED]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attacks.lab.runs.matrix.controlled", control)
        return run_matrix(list(schemes.values()), asked, small(), every=every, plain=schemes["plain"])


def test_no_cell_of_the_small_scenario_is_inconclusive_for_rules_that_others_use():
    assert [each for each in whole().cells if "never exercised" in each.reason] == []
    assert {each.verdict for each in whole().cells} & {"ERROR", "TIMEOUT"} == set()


@pytest.fixture(scope="module")
def shared():
    """Honest plays, controls and results of the door, which runs of single attacks have in common.

    The whole matrix, with which these are compared, makes its own plays and keeps its own results.
    """
    whole()
    results, clear = crypto.Results(), matrix._Shared.clear

    def cleared(own):
        clear(own)
        own.results = results

    with once(honest_only=True), pytest.MonkeyPatch.context() as patch:
        patch.setattr(matrix._Shared, "clear", cleared)
        patch.setattr("attacks.lab.runs.matrix.controlled", control)
        yield


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("name", sorted(attack_registry.attacks()))
def test_run_and_matrix_agree_on_every_cell_of_the_small_scenario(name):
    schemes, attacks = registry.schemes(), attack_registry.attacks()
    alone = run_matrix(
        list(schemes.values()), [attacks[name]], small(), every=list(attacks.values()), plain=schemes["plain"]
    )
    assert list(alone.cells) == [each for each in whole().cells if each.attack == name]


@pytest.mark.parametrize("scheme", ["plain", "threshold"])
def test_a_cell_by_itself_is_the_cell_of_the_matrix(scheme):
    schemes, attacks = registry.schemes(), attack_registry.attacks()
    for attack in ("ghost-insertion", "authority-theft"):
        asked = [schemes[scheme]], [attacks[attack]], small()
        alone = run_matrix(*asked, every=list(attacks.values()), plain=schemes["plain"])
        (same,) = (each for each in whole().cells if (each.scheme, each.attack) == (scheme, attack))
        assert to_json(alone.cells[0]) == to_json(same)


COMMANDS = sorted(set(re.findall(r"`(escrow-lab run [^`]+)`", README.read_text())))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_readme_are_conclusive(command, capsys):
    """In the small scenario, which its readers try first."""
    assert main([*shlex.split(command)[1:], "--smoke", "--no-progress"]) == 0
    assert "INCONCLUSIVE" not in capsys.readouterr().out

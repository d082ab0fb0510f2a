"""What a cell says of single texts is what its play did, and how it says that one is opened holds together."""

from functools import cache

import msgspec
import pytest
from msgspec import UNSET

from attacks.lab.results.details import Derivation, DerivationStep, packed, texts_of, unpacked
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.runs.matrix import run_matrix
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import Scenario, default, small
from attacks.lab.verdict.delivery import Messaging
from attacks.registry import attacks
from escrow.registry import schemes

SIZES = default(users=3, groups=2, days=3, messages=12)
ATTACKS = ("authority-theft", "device-compromise", "field-stripping", "keeps-everything", "prekey-substitution")


@cache
def played() -> Matrix:
    """Three schemes under these attacks."""
    chosen = [attacks()[name] for name in ATTACKS]
    return run_matrix(
        [schemes()[name] for name in ("plain", "envelope", "threshold")], chosen, SIZES, plain=schemes()["plain"]
    )


def cell(scheme: str, attack: str) -> Cell:
    return next(each for each in played().cells if (each.scheme, each.attack) == (scheme, attack))


def ended() -> Scenario:
    """A scenario whose first warrant expires before the last day that it covers; the other is for traffic data."""
    one, two = SIZES.warrants
    first = msgspec.structs.replace(one, first=0, last=2, issued=0, expires=1)
    return msgspec.structs.replace(SIZES, warrants=(first, msgspec.structs.replace(two, scope="traffic data")))


@pytest.mark.parametrize("scenario", [SIZES, small(), default(), ended()])
def test_the_texts_of_a_scenario_are_those_of_its_plays(scenario: Scenario) -> None:
    texts = texts_of(scenario)
    said = [unpacked(ids) for ids in texts.days]
    assert sorted(number for ids in said for number in ids) == list(range(scenario.messages))
    if scenario.messages > 30:
        return  # a play takes seconds
    record = play(schemes()["plain"], scenario)
    for sent in record.sent:
        assert sent.id in said[sent.day]
        assert sent.id in unpacked(texts.devices[sent.device])
        assert sent.id in unpacked(texts.conversations[sent.conversation])
    assert {each for ids in texts.covered for each in unpacked(ids)} == Messaging(record).entitled


def test_texts_are_told_apart_by_the_day_on_which_they_are_sent() -> None:
    assert texts_of(SIZES).days == ("0-3", "4-7", "8-11")
    assert texts_of(SIZES).by_day("2-4,9") == ("2-3", "4", "9")


def test_every_judged_cell_lists_texts_and_when_states_are_taken() -> None:
    assert played().texts == texts_of(SIZES)
    for each in played().cells:
        judged = each.verdict != "NOT_APPLICABLE"
        assert (each.texts is not UNSET, each.taken is not UNSET) == (judged, judged)
        assert (each.derivation is not UNSET) == (each.exposed.total > 0)
        if each.taken and each.coalition:
            assert {state.who for state in each.taken} == set(each.whose.split(", "))


def test_a_stripped_field_is_why_a_text_is_missed() -> None:
    stripped, honest = cell("envelope", "field-stripping"), cell("envelope", "device-compromise")
    assert stripped.texts is not UNSET and honest.texts is not UNSET
    assert stripped.texts.missed.keys() == {"corrupted sender"} and honest.texts.missed == {}
    lawful = {number for ids in honest.texts.lawful.values() for number in unpacked(ids)}
    assert unpacked(stripped.texts.missed["corrupted sender"]) <= lawful
    plain = cell("plain", "authority-theft").texts
    assert plain is not UNSET and plain.missed.keys() == {"missed without the attack"}


def test_states_are_stolen_on_the_attack_day_if_that_will_do() -> None:
    stolen = cell("envelope", "authority-theft").taken
    assert stolen is not UNSET
    (agent,) = stolen
    assert (agent.who, agent.how, agent.day, agent.time) == ("agent", "stolen", SIZES.attack_day, "evening")
    kept = cell("envelope", "keeps-everything").taken
    assert kept is not UNSET and {(each.how, each.day, each.time) for each in kept} == {("kept", 0, "morning")}
    turned = cell("plain", "prekey-substitution").taken
    assert turned is not UNSET
    assert [(each.who, each.how, each.time) for each in turned] == [("provider", "turned", "morning")]


def test_a_derivation_begins_with_the_text_and_ends_with_what_is_held_or_heard() -> None:
    shown = cell("threshold", "authority-theft").derivation
    assert shown is not UNSET and shown.left_out == 0
    assert shown.steps[0].fact.startswith("Text conversation ")
    leaves = [step for step in shown.steps if not step.premises]
    day = SIZES.attack_day
    assert {step.how for step in leaves} == {
        "heard by the network",
        f"agent-1, evening {day}",
        f"agent-2, evening {day}",
    }
    used = {premise for step in shown.steps for premise in step.premises}
    assert used == set(range(1, len(shown.steps)))


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "has 0 steps"),
        ([DerivationStep(how="h", fact="f")] * 41, "has 41 steps"),
        ([DerivationStep(how="h", fact="f", premises=(1,))], "comes from 1, which is no other step"),
        (
            [DerivationStep(how="h", fact="f", premises=(1,)), DerivationStep(how="h", fact="f", premises=(1,))],
            "step 1 of",
        ),
    ],
)
def test_a_derivation_that_does_not_hold_together_is_refused(steps: list[DerivationStep], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Derivation(text=0, steps=tuple(steps))


def test_a_count_that_differs_from_the_list_is_refused() -> None:
    right = cell("envelope", "authority-theft")
    assert right.texts is not UNSET
    fewer = msgspec.structs.replace(right.texts, opened=packed(sorted(unpacked(right.texts.opened))[1:]))
    with pytest.raises(ValueError, match="a cell counts opened 12, and lists 11"):
        msgspec.structs.replace(right, texts=fewer)

"""Who notices a ghost: as the closed forms say, and whoever compares nothing does not."""

import pytest
from msgspec.structs import replace

from attacks.experiments import detection
from attacks.experiments.detection import EXPERIMENT, NUMBER, compared, conversation, haunted, told_by_traffic, uploaded
from attacks.lab.simulation.play import play
from attacks.leaf_insertion import LeafInsertion
from escrow.crypto import Run, running
from escrow.schemes.ghost_mls import GhostMls


def test_the_figures_agree():
    with running(Run(bytes(32))):
        figures = list(EXPERIMENT.run(False, lambda *_: None))
    assert [figure.quantity for figure in figures if not figure.agrees] == []
    assert all("generous" in figure.note for figure in figures if "comparison" in figure.quantity)


def test_the_expected_figures_of_people_are_those_of_the_literature():
    """m = 2: 26 % and 96 %; m = 5: 53 % and 99.96 %; m = 10: 78 % and 100 %."""
    found = {(m, told): 1 - (1 - p) ** m for m in detection.PEOPLE for told, p in detection.COMPARE.items()}
    assert found[2, "unaided"] == pytest.approx(0.26, abs=0.005)
    assert found[2, "instructed"] == pytest.approx(0.96, abs=0.005)
    assert found[5, "unaided"] == pytest.approx(0.53, abs=0.005)
    assert found[5, "instructed"] == pytest.approx(0.9996, abs=5e-5)
    assert found[10, "unaided"] == pytest.approx(0.78, abs=0.005)
    assert found[10, "instructed"] == pytest.approx(1, abs=5e-5)


@pytest.mark.parametrize("people", detection.PEOPLE)
def test_a_ghost_is_noticed_if_anybody_compares_and_by_nobody_else(people):
    def noticed(*meetings):
        return any(alarm.check == NUMBER for alarm in haunted(conversation(people, meetings)).alarms)

    assert not noticed()
    assert noticed((1, 0))
    assert noticed((0, 1))
    honest = play(detection.GHOST, conversation(people, ((1, 0),)))
    assert honest.alarms == ()


def test_a_ghost_whose_number_is_hidden_is_noticed_by_no_comparison(monkeypatch):
    """The planted fault: were the alarms of something else counted, this would see them."""
    monkeypatch.setattr(detection, "GHOST", replace(detection.GHOST, number="hidden"))
    assert haunted(conversation(3, ((1, 0), (2, 0)))).alarms == ()


def test_each_text_is_uploaded_once_more():
    without, with_ghost = (
        uploaded(play(detection.GHOST, conversation(5, messages=8))),
        uploaded(haunted(conversation(5, messages=8))),
    )
    assert with_ghost[0] == without[0]
    assert with_ghost[1] == pytest.approx(without[1] * 5 / 4)


def test_nobody_compares_where_nobody_tries_and_everybody_where_all_do():
    with running(Run(bytes(32))):
        assert compared(4, 0.0) == ()
        assert compared(4, 1.0) == ((0, 1), (1, 0), (2, 0), (3, 0))


def test_what_traffic_tells_grows_with_texts_and_shrinks_with_people():
    assert told_by_traffic(1, 20) > told_by_traffic(4, 20) > told_by_traffic(9, 20) > detection.FALSE_ALARMS
    assert told_by_traffic(4, 5) < told_by_traffic(4, 20) < told_by_traffic(4, 80)


# --- the same in groups of MLS ---


def in_trees(people, meetings=(), messages=1):
    """The play of such a conversation as a group of MLS, with a listed and attested leaf of the first person."""
    scheme = GhostMls(hush="provider", number="shown")
    return play(scheme, conversation(people, meetings, messages), LeafInsertion("a leaf", ["person0"]))


@pytest.mark.parametrize("people", detection.PEOPLE)
def test_in_groups_of_mls_a_comparison_notices_a_ghost_and_nothing_else_does(people):
    """So the closed form of people is the same one: it counts whether anybody compares."""
    assert in_trees(people).alarms == ()
    assert {alarm.check for alarm in in_trees(people, ((1, 0),)).alarms} == {NUMBER}


def test_in_groups_of_mls_a_ghost_adds_no_byte_to_a_text():
    """One message is for all members: who counts bytes of texts sees nothing, and the closed form's ratio is 1."""
    seen = uploaded(in_trees(5, messages=8))
    assert seen[1] == seen[0]


def test_in_groups_of_mls_as_many_plays_notice_as_the_closed_form_says():
    with running(Run(bytes(32))):
        for p, expected in ((0.14, 0.53), (0.79, 0.9996)):
            plays = [in_trees(5, compared(5, p)) for _ in range(40)]
            seen = sum(any(alarm.check == NUMBER for alarm in each.alarms) for each in plays)
            low, high = detection.interval(seen, len(plays), z=3)
            assert low <= expected <= high

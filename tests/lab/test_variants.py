"""Other warrants and other meetings of one scenario: what each covers and who meets, by hand."""

from itertools import combinations

import msgspec
import pytest

from attacks.cli import main
from attacks.experiments.meetings import Meetings
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import WarrantSpec, default, small
from attacks.lab.simulation.shapes import with_meetings, with_warrants
from attacks.lab.verdict.delivery import Messaging
from escrow.errors import Malformed
from escrow.schemes.envelope import SCHEME as ENVELOPE

TWO = (WarrantSpec("bob", 1, 2, 1, 3), WarrantSpec("carol", 0, 3, 2, 3))


def test_warrants_of_one_kind():
    listed = msgspec.structs.replace(small(), warrants=TWO)
    assert with_warrants(listed, "prospective").warrants == (
        WarrantSpec("bob", 1, 2, 1, 3),
        WarrantSpec("carol", 0, 3, 0, 3),
    )
    assert with_warrants(listed, "retrospective").warrants == (
        WarrantSpec("bob", 1, 2, 3, 3),
        WarrantSpec("carol", 0, 2, 3, 3),
    )
    for kind, other in (("prospective", "retrospective"), ("retrospective", "prospective")):
        told = Messaging(play(ENVELOPE, with_warrants(listed, kind)))
        assert getattr(told, kind) == told.entitled == told.lawful != frozenset()
        assert getattr(told, other) == frozenset()


def test_a_scenario_of_one_day_has_no_day_after():
    short = default(users=2, groups=0, days=1, messages=2)
    assert with_warrants(short, "prospective").warrants[0].issued == 0
    with pytest.raises(Malformed, match="one day"):
        with_warrants(short, "retrospective")


def test_fewer_meetings_are_among_more():
    listed = default()
    whole = with_meetings(listed, "all").ceremonies
    phones = [user.devices[0] for user in listed.users]
    assert {frozenset((each.one, each.other)) for each in whole} == set(map(frozenset, combinations(phones, 2)))
    assert with_meetings(listed, "none").ceremonies == ()
    assert all(with_meetings(listed, str(n)).ceremonies == whole[:n] for n in range(len(whole) + 1))
    assert len({each.day for each in whole}) > 1
    late = with_meetings(listed, "4@9").ceremonies
    assert [(each.one, each.other) for each in late] == [(each.one, each.other) for each in whole[:4]]
    assert {each.day for each in late} == {9}
    assert with_meetings(msgspec.structs.replace(listed, seed=1), "all").ceremonies != whole


@pytest.mark.parametrize("meetings", ["16", "some", "3@10", "-1", "", "all@"])
def test_what_is_no_number_of_meetings_is_refused(meetings):
    with pytest.raises(Malformed):
        with_meetings(default(), meetings)


def test_the_commands_take_both(capsys):
    asked = ["run", "null-eavesdropper", "--scheme", "ghost", "--smoke", "--no-progress", "--quiet"]
    assert main([*asked, "--warrants", "retrospective", "--meetings", "none"]) == 0
    told = capsys.readouterr().out
    assert "warrants  0 of 11 texts that were sent before a warrant was" in told and "safety number" not in told
    assert main([*asked, "--meetings", "99"]) == 2
    assert "there are 6" in capsys.readouterr().err


# --- what alarms depend on ---


class Few(Meetings):
    """Three users are three pairs."""

    scenario = small()
    levels = ("none", "1", "2", "all")


def test_alarms_of_the_middle_are_those_of_meetings_and_reading_does_not_depend_on_them():
    """The widest strategy is noticed by both at each meeting, the narrowest at one of the three."""
    figures = list(Few().run(False, lambda *_: None))
    found = {each.quantity.replace("1 meeting:", "1 meetings:"): each.measured for each in figures}
    assert all(each.agrees for each in figures)
    wide, narrow = "all pairs, {} meetings: {}", "one pair, {} meetings: {}"
    assert [found[wide.format(met, "alarms")] for met in range(4)] == [0, 2, 4, 6]
    assert [found[narrow.format(met, "alarms")] for met in (0, 3)] == [0, 2]
    for case in (wide, narrow):
        read = {found[case.format(met, "texts read")] for met in range(4)}
        assert len(read) == 1 and read != {0}
        assert found[case.format(0, "read, no alarm")] in read and found[case.format(3, "read, no alarm")] == 0


def test_a_comparison_that_never_fails_does_not_agree(monkeypatch):
    monkeypatch.setattr("attacks.lab.simulation.play.compare_safety_numbers", lambda wire, one, other: True)
    planted = [each.quantity for each in Few().run(False, lambda *_: None) if not each.agrees]
    assert planted and all(each.endswith("alarms") for each in planted)

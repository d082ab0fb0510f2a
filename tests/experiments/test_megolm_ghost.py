"""A ghost on Megolm over another library's sessions; and what `reproduce` says where that library is missing."""

import pytest

from attacks.cli import main
from attacks.experiments.megolm_ghost import EXPERIMENT, MatrixClient, MegolmGhost, MegolmPlay
from attacks.lab.runs import experiment
from attacks.lab.runs.experiment import reproduce
from attacks.lab.simulation.scenario import default


@pytest.fixture
def package():
    return pytest.importorskip("vodozemac", reason="vodozemac is not installed (extra peers)")


def test_the_figures_agree(package):
    figures = list(EXPERIMENT.run(False, lambda *_: None))
    assert len(figures) == 9
    assert [each.quantity for each in figures if not each.agrees] == []


def test_a_late_key_opens_what_is_sent_from_then_on_and_nothing_before(package):
    scenario = default()
    played = MegolmPlay(package, scenario, listed=scenario.attack_day).run()
    day = {each.text.id: each.text.day for each in played.sent}
    assert {number for number in day if day[number] >= scenario.attack_day} == set(played.read)
    assert 0 < len(played.read) < len(day)
    assert played.unread == 0


def test_a_ghost_that_is_listed_from_the_first_day_reads_all_and_one_that_is_never_listed_nothing(package):
    assert len((played := MegolmPlay(package, default(), listed=0).run()).read) == len(played.sent)
    assert MegolmPlay(package, default()).run().read == []


def test_a_client_that_takes_any_signature_is_told_from_one_that_checks(package, monkeypatch):
    """A specimen, whose devices take everybody for signed, and its sound twin."""
    policy = MatrixClient(signed_only=True)
    assert MegolmPlay(package, default(), policy, listed=3).run().read == []
    monkeypatch.setattr("attacks.experiments.megolm_ghost.MatrixDevice.is_signed", lambda self, owner: True)
    assert MegolmPlay(package, default(), policy, listed=3).run().read != []


def test_a_signature_of_another_device_is_no_signature(package):
    played = MegolmPlay(package, default(), MatrixClient(signed_only=True), listed=3).run()
    owner = played.first[played.ghost.user]
    assert all(each.is_signed(played.first[each.user]) for each in played.devices)
    played.ghost.signature = played.devices[0].signature
    assert not played.ghost.is_signed(owner)


class Lacking(MegolmGhost):
    """An experiment whose package nobody has."""

    package = "no_such_package_here"


def test_what_is_missing_is_left_out_by_its_reason_and_refused_by_its_name(monkeypatch, capsys):
    found = reproduce([Lacking()], 1, False, lambda *_: None).experiments[0]
    assert found.figures == () and "escrow-lab[peers]" in found.left_out
    monkeypatch.setattr(experiment, "experiments", lambda plugins=(): {"megolm-ghost": Lacking()})
    assert main(["reproduce", "megolm-ghost"]) == 2
    assert "no_such_package_here, which is not installed" in capsys.readouterr().err
    assert main(["reproduce"]) == 0
    assert "left out: megolm-ghost needs" in " ".join(capsys.readouterr().out.split())

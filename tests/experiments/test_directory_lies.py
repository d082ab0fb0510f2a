"""How long lies about a key directory go unnoticed: as the closed form says, and for ever where nobody checks."""

import pytest
from msgspec.structs import replace

from attacks.experiments import directory_lies
from attacks.experiments.directory_lies import EXPERIMENT, LIES, first_alarm, quiet, unnoticed
from attacks.split_view import SplitViewAttack
from escrow.crypto import Run, running
from escrow.schemes.ghost_directory import GhostDirectory


def test_the_figures_agree():
    with running(Run(bytes(32))):
        figures = list(EXPERIMENT.run(False, lambda *_: None))
    assert [figure.quantity for figure in figures if not figure.agrees] == []


def test_each_lie_is_noticed_first_by_its_own_check():
    scenario = replace(quiet(9, 2019, 180), attack_day=2)
    for attack, scheme, check, day in LIES:
        assert first_alarm(scheme, scenario, attack) == (day, check)


def test_a_split_view_that_nobody_compares_is_noticed_by_nobody():
    blind = GhostDirectory(epoch=1, gossip=0, audits="nobody", pending="waits")
    assert first_alarm(blind, quiet(6, 7), SplitViewAttack()) is None
    assert first_alarm(replace(blind, gossip=100), quiet(6, 7), SplitViewAttack()) == (0, "heads compared")


def test_an_epoch_passes_unnoticed_only_if_no_client_compares_with_the_other_log():
    assert unnoticed(0, 6, 1) == 1
    assert unnoticed(1, 6, 1) == 0  # the one victim compares with one of five writers, certainly
    assert unnoticed(1, 4, 2) == pytest.approx((1 / 3) ** 4)
    assert directory_lies.EPOCHS > 1

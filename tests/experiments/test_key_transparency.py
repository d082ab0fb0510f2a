"""Who notices a key directory that lies: those who check what the lie is about, and nobody else."""

import pytest

from attacks.experiments.key_transparency import EXPERIMENT, LIES, SplitView, Watched
from escrow.errors import Forged
from escrow.transparency.directory import value_in


@pytest.mark.parametrize("name", LIES)
def test_each_lie_is_noticed_by_those_who_check_it_and_by_no_one_else(name):
    lie, expected = LIES[name]
    assert (watched := Watched()).noticed(*lie(watched)) == expected


def test_in_a_split_view_each_reader_has_a_proof_and_they_differ():
    view = SplitView()
    one, other = view.heads(3)
    told = [
        value_in(head, log.vrf, b"alice", log.answer(b"alice"))
        for head, log in ((one, view.directory), (other, view.second))
    ]
    assert told == [(0, b"a key of the owner"), (1, b"a key of a ghost")]
    assert view.noticed_alone() == 0
    with pytest.raises(Forged):
        view._follower(one).compare(other, ())


def test_the_figures_agree():
    assert all(figure.agrees for figure in EXPERIMENT.run(False, lambda *_: None))

"""A stolen state of a member of MLS opens what the key schedule says, and nothing else."""

from attacks.experiments.mls_states import EXPERIMENT, TheftPlay
from attacks.lab.simulation.scenario import default
from escrow.mls.trees.secret_tree import HashRatchet


def test_the_figures_agree():
    figures = list(EXPERIMENT.run(False, lambda *_: None))
    assert len(figures) == 10
    assert [each.quantity for each in figures if not each.agrees] == []
    assert {each.measured for each in figures} > {0}


def test_a_copy_goes_on_apart_from_the_member():
    played = TheftPlay(default())
    played.run()
    name = next(iter(played.stolen))
    before = played.opened([name], later=True)
    assert before == played.opened([name], later=True) != set()
    assert played.stolen[name].state.context.epoch < played.devices[name].member.state.context.epoch


def test_a_ratchet_that_keeps_used_keys_is_seen(monkeypatch):
    """A specimen: with keys that are kept, a stolen state opens texts of its epoch that were read before."""
    honest = HashRatchet.at

    def keeping(self, generation):
        made = honest(self, generation)
        self.skipped[generation] = made
        return made

    monkeypatch.setattr(HashRatchet, "at", keeping)
    figures = {each.quantity: each for each in EXPERIMENT.run(False, lambda *_: None)}
    assert not figures["states of all devices: texts from before the theft that open"].agrees

"""Partials are computed only where they may be of use: every text has the labels that it has if all are computed."""

import sys
from unittest import mock

import pytest

from attacks.lab.adversary.answers import pooled
from attacks.lab.adversary.answers.pooled import taker
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import MATHEMATICS, Analysis, rules_of
from escrow.derivation import RuleError, derivation
from escrow.registry import load_file
from escrow.schemes.threshold import SCHEME as THRESHOLD
from escrow.sharing import tdh2
from escrow.sharing.epochs import EpochShare, pool
from escrow.sharing.tdh2 import TdhCiphertext, TdhPartial
from escrow.vocabulary import vocabulary
from tests.support.uneven_agents import Uneven

SMALL = default(messages=14, days=5)
AGENTS = ("aaa", "aac", "ack", "ael", "lle", "fae", "ffk", "kkk", "lce", "fff")


def labelled(analysis):
    """Return, by pass and text, the minimal coalitions: sets of principals with their evenings as bits."""
    labels, found = analysis.labels, {}
    for name in analysis.passes:
        for text in analysis.texts:
            sets = [list(labels.atoms.within(mask)) for mask in analysis.masks(text, name)]
            found[name, text] = {frozenset(least(atoms)) for atoms in sets}
    return found


def least(atoms):
    """Return the atoms without those of the same principal on more evenings, which their masks always hold."""
    wider = {(who, on) for who, on in atoms for other, days in atoms if who == other and on & days == days != on}
    return set(atoms) - wider


def analysed(scheme, record, everywhere=False):
    with mock.patch.object(pooled, "taker", lambda *_: None) if everywhere else mock.MagicMock():
        return Analysis(scheme, record, ())


def partials(analysis):
    return sum(isinstance(fact, TdhPartial) for fact in analysis.closure.facts)


@pytest.mark.parametrize("kinds", AGENTS)
@pytest.mark.parametrize("every", [1, 2])
def test_labels_are_those_of_all_partials(kinds, every):
    scheme = Uneven(kinds=kinds, every=every)
    record = play(scheme, SMALL)
    few, every_one = analysed(scheme, record), analysed(scheme, record, everywhere=True)
    assert len(every_one.texts) == SMALL.messages
    assert every_one.passes == few.passes
    assert labelled(every_one) == labelled(few)
    assert partials(few) < partials(every_one)


def test_partials_that_were_answered_are_completed_by_a_stolen_share():
    """Two of five agents answer where three are needed: whoever robs the authority needs one share of that epoch."""
    scheme = Uneven(kinds="acacc", n=5, t=3)
    record = play(scheme, SMALL)
    few, every_one = analysed(scheme, record), analysed(scheme, record, everywhere=True)
    found = labelled(few)
    assert found == labelled(every_one)
    sets = {frozenset(who for who, _ in each) for key, sets in found.items() if key[0] == MATHEMATICS for each in sets}
    assert {"authority", "agent-2"} in sets


READER = """
from escrow.derivation import derivation
from escrow.e2ee.ratchet import MessageKey
from escrow.schemes.threshold import Threshold, ThresholdField
from escrow.sharing.tdh2 import TdhPartial
@derivation("field.ciphertext.u = part.u")
def read_alone(field: ThresholdField, part: TdhPartial) -> MessageKey:
    return MessageKey(field.chain, field.n, part.value[1:])
SCHEME = Threshold()
"""


def test_partials_are_computed_everywhere_if_another_rule_reads_one(tmp_path):
    path = tmp_path / "reader_of_partials.py"
    path.write_text(READER)
    try:
        theirs = vocabulary(load_file(path)).rules
    finally:
        sys.modules.pop("plugin_reader_of_partials", None)
    ours, rule = rules_of(THRESHOLD, ()), tdh2.partial.__rule__
    assert taker(rule, ours) == tdh2.combine.__rule__
    assert taker(rule, theirs) is None
    assert taker(rule, [each for each in ours if each.name != pool.__rule__.name]) is None


@pytest.mark.parametrize("wrong", [tdh2.unmask, len])
def test_a_pool_is_a_threshold_rule_over_the_first_argument(wrong):
    def part(share: EpochShare, ciphertext: TdhCiphertext) -> TdhPartial:
        raise NotImplementedError("it is refused before anybody calls it")

    with pytest.raises(RuleError, match="`pool` is a threshold rule"):
        derivation("share.key = ciphertext.key", pool=wrong, group="share.key")(part)

"""Labels against an adversary that tries everything, laws of antichains, and the access structure read from them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from toy_rules import PASSES, coalitions, naive, plays

from attacks.lab.access_structure import AccessStructure, Coalition, Seizure
from attacks.lab.labels import Labels


def seizures(coalition):
    return Coalition(tuple(Seizure(who, (day,)) for who, day in sorted(coalition)))


@settings(max_examples=200, deadline=None)
@given(plays(), st.lists(coalitions, min_size=1, max_size=4))
def test_labels_say_what_each_coalition_derives_by_itself(play, some):
    closure = play.closure()
    labels, everything = Labels(closure), set(closure.facts)
    assert everything == naive(play.held_by({(who, day) for _, who, day in play.given}))
    for name, waived in PASSES.items():
        if name in labels.passes():
            structure = AccessStructure(labels, range(len(closure.facts)), name)
            for coalition in some:
                alone = naive(play.held_by(coalition), everything, waived)
                assert {closure.facts[fact] for fact in structure.opens(seizures(coalition))} == alone

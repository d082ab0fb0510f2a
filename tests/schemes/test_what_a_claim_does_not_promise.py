"""Property: nothing blames a scheme for what its claim does not promise; with that promise, it is blamed."""

import pin_backup
import pytest
from claiming import Bounded, Promised, Unbounded
from kit import PROPERTY

from attacks.authority_theft import ATTACK
from attacks.lab.runs.conformance import small
from attacks.lab.verdict.evaluation import Evaluation

ASKED = ("access yields what is in scope", "no valid warrant no text", "a request is bound")
CASES = [
    ("a field is bound", pin_backup.SCHEME, Promised(), "a field as it was sent yields nothing"),
    (ASKED[0], pin_backup.SCHEME, Promised(), "promised texts are missing"),
    (ASKED[0], Unbounded(), Bounded(), "texts outside it are yielded"),
    (ASKED[1], Unbounded(), Bounded(), "texts are yielded under a forged signature"),
    (ASKED[2], Unbounded(), Bounded(), "texts are yielded if asked about"),
]


@pytest.mark.parametrize(("prop", "modest", "boastful", "why"), CASES)
def test_a_property_blames_for_what_is_promised_only(prop, modest, boastful, why):
    assert PROPERTY[prop].broken(modest) == ""
    assert why in PROPERTY[prop].broken(boastful)


def test_a_cell_counts_over_collection_only_against_a_claim_that_bounds_it():
    cells = [Evaluation(scheme, [ATTACK], small()).cell(ATTACK)[0] for scheme in (Unbounded(), Bounded())]
    assert [cell.verdict for cell in cells] == ["AS CLAIMED", "BREACH"]
    assert all(cell.overreached for cell in cells) and "outside every warrant" in cells[1].reason

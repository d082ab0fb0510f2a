"""Property: nothing blames a scheme for what its claim does not promise; with that promise, it is blamed."""

import pin_backup
import pytest
from claiming import Bounded, Promised, Unbounded
from kit import PROPERTY
from msgspec.structs import replace

from attacks.authority_theft import ATTACK
from attacks.lab.runs.conformance import small
from attacks.lab.verdict.evaluation import Evaluation
from escrow.grants import KeySlot
from escrow.schemes.warrant_key import WarrantKey


class Unslotted(WarrantKey, frozen=True, kw_only=True):
    """Warrants as keys, whose claim grants no whole slots."""

    @property
    def claim(self):
        claim = super().claim
        return replace(claim, grants=tuple(replace(each, slot=None) for each in claim.grants))


ASKED = ("access yields what is in scope", "no valid warrant no text", "a request is bound")
CASES = [
    ("a field is bound", pin_backup.SCHEME, Promised(), "a field as it was sent yields nothing"),
    (ASKED[0], pin_backup.SCHEME, Promised(), "promised texts are missing"),
    (ASKED[0], Unbounded(), Bounded(), "texts outside it are yielded"),
    (ASKED[1], Unbounded(), Bounded(), "texts are yielded under a forged signature"),
    (ASKED[2], Unbounded(), Bounded(), "texts are yielded if asked about"),
    (ASKED[1], WarrantKey(tag="user"), Unslotted(tag="user"), "4 texts are yielded under a warrant for other days"),
    (ASKED[2], WarrantKey(tag="user"), Unslotted(tag="user"), "under a warrant for other days, 4 texts are yielded"),
    (ASKED[1], WarrantKey(tag="epoch", days=2), Unslotted(tag="epoch", days=2), "about somebody else, nobody"),
    (ASKED[2], WarrantKey(tag="epoch", days=2), Unslotted(tag="epoch", days=2), "under another person's warrant"),
]


@pytest.mark.parametrize(("prop", "modest", "boastful", "why"), CASES)
def test_a_property_blames_for_what_is_promised_only(prop, modest, boastful, why):
    assert PROPERTY[prop].broken(modest) == ""
    assert why in PROPERTY[prop].broken(boastful)


def test_a_cell_counts_over_collection_only_against_a_claim_that_bounds_it():
    cells = [Evaluation(scheme, [ATTACK], small()).cell(ATTACK)[0] for scheme in (Unbounded(), Bounded())]
    assert [cell.verdict for cell in cells] == ["AS CLAIMED", "BREACH"]
    assert all(cell.overreached for cell in cells) and "outside every warrant" in cells[1].reason


def test_a_key_of_a_whole_slot_reaches_its_days_and_people_alone():
    everybody, target = KeySlot(2, "everybody"), KeySlot(0, "target")
    assert everybody.reaches("nobody", 3, 3, ("alice", "bob"), 2)
    assert not everybody.reaches("alice", 3, 3, ("alice", "bob"), 4)
    assert target.reaches("alice", 9, 9, ("alice", "bob"), 0)
    assert not target.reaches("alic", 9, 9, ("alice", "bob"), 0)

"""A row of the anatomy says where its members must be taken within one period; the periods are read off the labels."""

import pytest

from attacks.lab.adversary.labelling.labels import MATHEMATICS
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.access.anatomy import anatomy
from attacks.report.anatomy import draw_anatomy
from attacks.report.page import Page
from escrow.schemes.split_key import SplitKey
from escrow.schemes.threshold import Threshold

SMALL = default(users=2, groups=0, days=4, messages=8)


def rows(scheme):
    found = anatomy(scheme, (), SMALL).minimal_coalitions
    return [each for each in found if each.label_pass == MATHEMATICS and each.members[0].startswith("agent")]


@pytest.mark.parametrize(("every", "periods"), [(1, ("set-up,0", "1", "2", "3")), (2, ("set-up,0-1", "2-3")), (0, ())])
def test_agents_whose_shares_are_replaced_open_texts_only_together(every, periods):
    found = rows(Threshold(every=every))
    assert len(found) == 3
    assert {row.periods for row in found} == {periods}


def test_shares_that_stay_may_be_taken_whenever():
    assert {row.periods for row in rows(SplitKey())} == {()}


def test_the_page_says_so(capsys):
    class Stream(list):
        write = list.append

    stream = Stream()
    draw_anatomy(Page(stream), anatomy(Threshold(), (), SMALL), evenings=True)
    assert "all within one of these: evening set-up,0; 1; 2; 3" in "".join(stream)

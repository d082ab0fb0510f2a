"""Third parties' schemes whose weakness no type and no rule tells of are caught by bytes; their sound twins are not."""

from __future__ import annotations

from functools import cache

import pytest

from attacks import registry
from attacks.lab.runs.conformance import Trial
from attacks.registry import specimens
from escrow import registry as schemes
from tests.support import planted_deposits as deposits
from tests.support.deposits import SHAPES

ATTACKS = tuple(registry.attacks().values())
PROPERTY = "bytes open nothing beyond the rules"
ALTERNATING = (SHAPES[:3], (SHAPES[0], *SHAPES[3:]))  # of each kind the first scheme in three shapes, and the second


@cache
def trial(scheme):
    return Trial(scheme, ATTACKS)


def found(scheme):
    """What `check` says of the property, by its name."""
    return dict(trial(scheme).tests())[PROPERTY]()


PLANTED = [
    (kind, shape) for at, kind in enumerate((*deposits.PLANTED, *deposits.REUSED)) for shape in ALTERNATING[at % 2]
]


@pytest.mark.parametrize(("kind", "shape"), PLANTED, ids=lambda each: getattr(each, "name", each))
def test_a_weakness_that_no_type_tells_of_is_found_with_its_coalition_and_texts(kind, shape):
    said = found(kind(shape=shape))
    assert said.startswith(kind.who) and kind.by in said
    assert f"{kind.texts} texts" in said


@pytest.mark.parametrize("kind", deposits.SOUND, ids=lambda kind: kind.name)
def test_the_sound_twin_is_not_blamed(kind):
    for shape in ALTERNATING[deposits.SOUND.index(kind) % 2]:
        assert found(kind(shape=shape)) == "", shape


@pytest.mark.parametrize("name", schemes.schemes())
def test_the_librarys_schemes_pass(name):
    assert found(schemes.schemes()[name]) == ""


@pytest.mark.parametrize("name", sorted(specimens()))
def test_specimens_and_their_twins_pass(name):
    assert found(specimens()[name]) == ""

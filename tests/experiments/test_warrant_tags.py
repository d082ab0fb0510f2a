"""Signed tags: the figures follow from the planned texts, and a key that opens too little does not agree."""

import pytest

from attacks.experiments import warrant_tags
from attacks.experiments.warrant_tags import EXPERIMENT, FORMS, TagForm
from escrow.primitives import bls12_381


def figures(form):
    return list(EXPERIMENT.figures(form))


@pytest.mark.parametrize("form", FORMS[:2] + FORMS[3:4], ids=str)
def test_a_tag_opens_what_is_sealed_to_it_and_granularity_decides_over_collection(form):
    assert all(figure.agrees for figure in figures(form))


def test_coarser_tags_collect_more_and_a_tag_of_one_user_and_day_nothing_beyond():
    beyond = {form: figures(form)[0].measured for form in (FORMS[0], FORMS[1], FORMS[3], FORMS[4])}
    assert beyond[FORMS[0]] == 0 < beyond[FORMS[1]] < beyond[FORMS[4]]
    assert 0 < beyond[FORMS[3]] < beyond[FORMS[4]]


def test_a_tag_that_opens_nothing_does_not_agree(monkeypatch):
    monkeypatch.setattr(warrant_tags, "_opened", lambda field, key: False)
    assert [figure.agrees for figure in figures(TagForm("user and epoch", 1))] == [True, False]


def test_without_the_extra_it_says_why(monkeypatch):
    monkeypatch.setattr(bls12_381, "PACKAGE", "no_such_package")
    assert "extra `pairing`" in EXPERIMENT.missing

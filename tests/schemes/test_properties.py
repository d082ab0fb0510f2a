"""Every scheme has every property, and what stands beside the properties does as it says."""

import pytest
from hypothesis import settings
from kit import PLAIN, PROPERTY, SAID, SCHEMES, SPLIT, results

from escrow.schemes import split_key
from escrow.schemes.envelope import Envelope
from escrow.testing import alterations
from escrow.testing.harness import Step, playing


@pytest.mark.parametrize("prop", PROPERTY)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_has_every_property(scheme, prop):
    PROPERTY[prop].hold(SCHEMES[scheme], settings(), results(SCHEMES[scheme]))


# --- the harness itself ---


def test_the_harness_does_with_mail_what_it_is_told():
    say = Step("say", "bob-phone", "carol")
    for fate, shown, harmed in (("now", 1, 0), ("late", 1, 0), ("twice", 1, 0), ("lost", 0, 1), ("damaged", 0, 1)):
        with playing(PLAIN, [fate]) as harness:
            harness.take(say)
            assert len(harness.late) == (fate == "late")
            harness.play([])
            assert (harness.shown.total(), len(harness.harmed)) == (shown, harmed)
            assert harness.meant == {("carol-phone", "bob", "bob+carol", harness.said[0].body): 1}


def test_altered_values_differ_in_one_place_and_reach_every_field():
    field = Envelope(b"c", 3, ("a", "b"), 5, b"agent", b"h", b"sealed")
    found = list(alterations.altered(field))
    assert field not in found
    assert len(set(found)) == len(found)
    for name in field.__struct_fields__:
        assert any(getattr(other, name) != getattr(field, name) for other in found)
    for other in found:
        assert sum(getattr(other, name) != getattr(field, name) for name in field.__struct_fields__) == 1


@pytest.mark.parametrize("scheme", ["clipper", "fair-keys", "ghost", "plain", "threshold"])
def test_nothing_stands_in_the_list_without_need(scheme):
    """What a scheme's own types declare as unchecked makes a difference somewhere; long runs try all values."""
    assert PROPERTY[SAID].broken(SCHEMES[scheme], settings(settings(), max_examples=120)) == ""


def test_what_decides_who_reads_may_not_be_listed(monkeypatch):
    monkeypatch.setattr(split_key.SplitField, "unchecked", {"day": "no matter"}, raising=False)
    assert "SplitField.day is listed as unchecked, and decides who reads" in PROPERTY[SAID].broken(SPLIT)


def test_a_list_that_is_too_long_is_found(monkeypatch):
    monkeypatch.setattr(split_key.Dealt, "unchecked", {"sealed": "no matter"}, raising=False)
    broken = PROPERTY[SAID].broken(SPLIT, settings(settings(), max_examples=120))
    assert broken == "Dealt.sealed is listed as unchecked, and no other value of it goes unnoticed"

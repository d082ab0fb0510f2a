"""A claim that concedes everything to anybody cannot be violated, and `check` says so; a claim may name the court."""

import io
import sys
from pathlib import Path

import pytest

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.runs.conformance import Trial
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.access.concessions import conceded_to_one
from attacks.lab.verdict.claims import Judge
from attacks.report.cards import cards, draw_cards
from attacks.report.page import Page
from escrow import registry
from escrow.registry import PluginError
from tests.support.planted import planted

GRANTS = 'Grant("custodian", "everything"), Grant("authority", "in scope")),\n'
IMPORTED = "from escrow.principal import Principal\n"
QUOTED = 'Quotation("all bets are off", "Author, 2026", "p. 1")'


def conceding(tmp_path, who, extent, more=""):
    conceded = f"concessions=(Concession({who!r}, {extent!r}, {QUOTED}{more}),),\n"
    imports = f"from escrow.grants import Concession, Quotation\n{IMPORTED}"
    return planted(tmp_path, (IMPORTED, imports), (GRANTS, f"{GRANTS}            {conceded}"))


@pytest.mark.parametrize("more", ["", ", active=True"])
def test_what_is_conceded_to_one_alone_is_counted(tmp_path, more):
    wide = conceding(tmp_path, "provider or authority or custodian or court or device", "everything", more)
    said = Trial(wide, ()).counts_what_is_conceded()
    assert "to one alone: 24 of 24 texts to alice-laptop" in said and "opening these is no breach" in said


def test_what_is_conceded_to_several_only_or_to_nobody_is_not(tmp_path):
    assert Trial(conceding(tmp_path, "provider and custodian", "everything"), ()).counts_what_is_conceded() == ""
    assert Trial(planted(tmp_path), ()).counts_what_is_conceded() == ""


def test_the_card_says_the_same_and_a_list_of_names_plays_nothing(tmp_path, monkeypatch):
    wide = conceding(tmp_path, "court", "everything")
    said = conceded_to_one(wide)
    assert said == "24 of 24 texts to court" and said in Trial(wide, ()).counts_what_is_conceded()
    drawn = io.StringIO()
    shown = cards([wide], counted=True)
    draw_cards(Page(drawn, width=200), shown)
    assert f"conceded    in all to one principal alone: {said} (small scenario" in drawn.getvalue()
    monkeypatch.setattr("attacks.lab.verdict.access.concessions.play", None)
    assert cards([wide]).cards[0].conceded_to_one is None
    assert cards([planted(tmp_path)], counted=True).cards[0].conceded_to_one == ""


def test_the_property_is_tried_and_holds_all_the_same(tmp_path):
    tried = dict(Trial(conceding(tmp_path, "court", "everything"), ()).tests())
    assert "24 of 24 texts to court" in tried["what a claim concedes is counted"]()


def test_a_grant_may_name_the_court_and_covers_its_theft_alone(tmp_path):
    scheme = planted(tmp_path, (GRANTS, f'Grant("court", "everything"), {GRANTS}'))
    record = play(scheme, small())
    judge = Judge(record, scheme.claim)
    assert judge.granted(Coalition((Seizure("court", (1,)),)), 0)
    assert not judge.granted(Coalition((Seizure("provider", (1,)),)), 0)
    registry.schemes([Path(str(sys.modules[type(scheme).__module__].__file__))])
    unknown = planted(tmp_path, (GRANTS, f'Grant("courts", "everything"), {GRANTS}'))
    with pytest.raises(PluginError, match=r"nobody is called 'courts'; there are .*court"):
        registry.schemes([Path(str(sys.modules[type(unknown).__module__].__file__))])

"""docs/claims.md is what the claims of the schemes say, and every built-in claim is of the language and its cast."""

from functools import cache

import pytest

from escrow.e2ee.device import Device
from escrow.grants import Exclusion, check_cast, checked, read_who
from escrow.registry import APPARATUS, schemes
from escrow.run import Run, running
from escrow.scheme import User
from escrow.warrant import COURT
from tools import claims, entries


def test_the_page_is_what_the_claims_say(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(claims, "conceded_to_one", cache(claims.conceded_to_one))  # each scheme is played once
    assert claims.main(["--check"]) == 0, "run python -m tools.claims"
    stale = tmp_path / "claims.md"
    stale.write_text(claims.page().replace("promised", "given"))
    monkeypatch.setattr(claims, "PAGE", stale)
    assert claims.main(["--check"]) == 1 and "differs" in capsys.readouterr().out
    assert claims.main([]) == 0 and stale.read_text() == claims.page()


@pytest.mark.parametrize("scheme", schemes().values(), ids=schemes())
def test_every_claim_is_of_the_language_and_names_its_cast(scheme):
    with running(Run(bytes(32))):
        users = [User(name, (f"{name}-phone",)) for name in ("alice", "bob")]
        names = [each.name for each in scheme.cast(users, bytes(32)) if not isinstance(each, Device)]
    check_cast(checked(scheme.claim), [*names, COURT], APPARATUS)


@pytest.mark.parametrize("scheme", entries.listed(schemes().values()), ids=lambda each: each.name)
def test_every_claim_in_the_pages_has_sources_a_model_and_choices(scheme):
    claim = scheme.claim
    assert claim.sources and claim.model and claim.choices
    places = [*claim.sources, *(each.source for each in claim.concessions)]
    assert all(each.words and each.source and each.where for each in places)
    assert all(isinstance(each, Exclusion) and each.words and each.said for each in claim.model)
    assert {each.favours for each in claim.choices} == {True, False} or scheme.name == "split-key"
    for each in (*claim.concessions, *claim.model):
        read_who(each.who)

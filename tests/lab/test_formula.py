"""A formula stands for exactly the coalitions that it was made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.formula import (
    NameThreshold,
    Together,
    basis,
    first_of_each,
    formula,
    read,
)
from attacks.lab.evidence.provenance import coalition_of
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.access.anatomy import by_names
from attacks.lab.verdict.analysis import Analysis
from escrow import registry

NAMES = [*(f"agent-{n}" for n in range(1, 7)), *(f"trustee-{n}" for n in (0, 1, 3, 10)), "court", "alice-phone"]
COALITIONS = st.sets(st.frozensets(st.sampled_from(NAMES), max_size=4), max_size=12)


def of_names(coalitions: Iterable[Collection[str]]) -> str:
    """Return coalitions, each given by its names, as a formula."""
    return formula(Together(frozenset(each)) for each in coalitions)


def expanded(text: str) -> frozenset[frozenset[str]]:
    """Return the coalitions that a formula stands for, thresholds multiplied out."""
    return frozenset(frozenset(names) for term in read(text) for names in _ways(term))


def _ways(term: Together) -> Iterator[frozenset[str]]:
    chosen = (combinations(sorted(each.of), each.t) for each in term.thresholds)
    for ways in product(*chosen):
        yield term.names.union(*ways)


@st.composite
def with_thresholds(draw: st.DrawFn) -> frozenset[frozenset[str]]:
    """Draw coalitions among which all t of some names are, each beside the same others."""
    found = set(draw(COALITIONS))
    for _ in range(draw(st.integers(0, 2))):
        of = draw(st.lists(st.sampled_from(NAMES[:6]), min_size=2, unique=True))
        beside = draw(st.frozensets(st.sampled_from(NAMES[6:]), max_size=2))
        found |= {beside.union(ways) for ways in combinations(of, draw(st.integers(1, len(of))))}
    return frozenset(found)


@given(with_thresholds())
def test_expanding_a_formula_gives_the_coalitions_back(coalitions: frozenset[frozenset[str]]) -> None:
    assert expanded(of_names(coalitions)) == coalitions


@given(with_thresholds())
def test_a_formula_that_is_read_is_written_alike(coalitions: frozenset[frozenset[str]]) -> None:
    said = of_names(coalitions)
    assert formula(read(said)) == said


@pytest.mark.parametrize(
    ("coalitions", "said"),
    [
        (["a"], "a"),
        ([], ""),
        ([""], "nobody"),
        (["court", "agent"], "agent; court"),
        (["agent-1 agent-2", "agent-2 agent-3", "agent-1 agent-3"], "any 2 of {agent-1; agent-2; agent-3}"),
        (["agent-1 agent-2", "agent-2 agent-3"], "agent-1, agent-2; agent-2, agent-3"),
        (["agent-1", "agent-2"], "agent-1; agent-2"),
        (["court agent-1", "court agent-2", "dealer"], "dealer; court, any 1 of {agent-1; agent-2}"),
        (
            [f"agent-{a} trustee-{b}" for a in range(1, 6) for b in (1, 2)],
            "any 1 of {agent-1..5}, any 1 of {trustee-1; trustee-2}",
        ),
        (["agent-10", "agent-9"], "agent-9; agent-10"),
        (["court alice", "court bob", "court carol", "agent bob"], "agent, bob; court, any 1 of {alice; bob; carol}"),
    ],
)
def test_examples(coalitions: list[str], said: str) -> None:
    assert of_names([each.split() for each in coalitions]) == said


def test_a_threshold_too_wide_to_be_multiplied_out_is_written_and_read() -> None:
    wide = Together(
        frozenset({"court"}), frozenset({NameThreshold(67, frozenset(f"agent-{n}" for n in range(1, 101)))})
    )
    assert formula([wide]) == "court, any 67 of {agent-1..100}"
    assert read("court, any 67 of {agent-1..100}") == {wide}


def test_the_first_of_a_threshold_stand_for_it() -> None:
    assert first_of_each("court, any 2 of {agent-1..4}") == "court, agent-1, agent-2"
    assert first_of_each("agent-1@3, agent-2@3") == "agent-1@3, agent-2@3"


@pytest.mark.parametrize("text", ["any 2 of {a", "a,, b", "any 2 of {agent..3}", "any 2 of {agent-3..1}"])
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        read(text)


SCHEMES = registry.schemes()


@pytest.mark.parametrize("name", ["plain", "clipper", "threshold"])
def test_each_coalition_of_the_structure_opens_the_number_that_stands_before_it(name: str) -> None:
    analysis = Analysis(SCHEMES[name], play(SCHEMES[name], small()), ())
    rows = list(by_names(analysis))
    assert rows and {basis(row.label_pass) for row in rows} <= {"", *analysis.passes}
    for row in rows:
        for coalition in expanded(row.formula):
            assert len(analysis.opened_by([Seizure(each) for each in coalition], row.label_pass)) == row.opens
            for left in coalition:  # minimal for one text at least, so that nobody is in it for nothing
                assert analysis.opened_by([Seizure(each) for each in coalition - {left}], row.label_pass) < (
                    analysis.opened_by([Seizure(each) for each in coalition], row.label_pass)
                )
            typed = coalition_of(", ".join(coalition), analysis.record)
            assert {each.principal for each in typed.members} == coalition


def test_a_threshold_is_typed_as_it_is_printed() -> None:
    record = play(SCHEMES["threshold"], small())
    assert str(coalition_of("court, any 2 of {agent-1; agent-2; agent-3}", record)) == "agent-1, agent-2, court"

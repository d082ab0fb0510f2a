"""When a finding holds; in which group a scheme and an attack stand; that each finding's condition can be read."""

from typing import Any

import msgspec
import pytest
from pages import played
from runs import manifest

from attacks import registry as attack_registry
from attacks.lab.results.details import StateTaken
from attacks.lab.results.types import Cell, Matrix
from attacks.report.html.entries import CLIENTS, DEVICES, KEEPERS, LATER, NOBODY, PROVIDER, blocks_of, entries_of
from attacks.report.matrices import findings
from attacks.report.matrices.summary import count
from escrow.registry import schemes
from escrow.scheme import Finding


def cell(scheme: str, **fields: Any) -> Cell:
    return Cell(scheme=scheme, attack="theft", verdict="HELD", sent=9, **fields)


CELLS = {("one", "theft"): cell("one", lawful=5, entitled=6), ("two", "theft"): cell("two", lawful=4, entitled=6)}


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ((), True),
        (("one.lawful > two.lawful",), True),
        (("one.lawful < two.lawful",), False),
        (("one.lawful = 5", "two.lawful > 3"), True),
        (("one.lawful = 5", "two.lawful > 4"), False),
        (("one.exposed.total = 0",), True),
    ],
)
def test_a_finding_holds_if_all_of_its_conditions_do(conditions: tuple[str, ...], holds: bool) -> None:
    finding = Finding(1, "theft", "{one.lawful} and {two.lawful}", conditions)
    assert findings.holds(finding, CELLS) is holds
    assert findings.said(finding, CELLS) == "5 and 4"
    assert findings.command(finding) == "escrow-lab run theft --scheme one --scheme two"


def test_a_finding_whose_cells_are_not_there_does_not_hold() -> None:
    assert not findings.holds(Finding(1, "theft", "{three.lawful}"), CELLS)
    assert not findings.holds(Finding(1, "other", "{one.lawful}"), CELLS)


def test_every_declared_finding_has_conditions_on_counts_of_cells() -> None:
    known = [*schemes().values(), *attack_registry.attacks().values()]
    declared = findings.declared(known)
    assert len(declared) > 5
    for finding in declared:
        assert finding.holds, f"{finding.attack}: nothing says when its sentence is true"
        for condition in finding.holds:
            left, relation, right = condition.split()
            assert relation in findings.RELATIONS
            for term in (left, right):
                scheme, _, field = term.partition(".")
                assert term.isdigit() or (scheme in findings.schemes_of(finding) and count(field, cell(scheme)) == 0)


@pytest.mark.parametrize(
    ("marks", "coalition", "group"),
    [
        ((("court", "turned"), ("alice-phone", "stolen")), (), KEEPERS),
        ((("provider", "turned"), ("alice-phone", "used")), (), PROVIDER),
        ((("alice-phone", "stolen"),), (), DEVICES),
        ((("alice-phone", "turned"),), (), CLIENTS),
        ((("quantum", "stolen"),), (), LATER),
        ((), (), NOBODY),
        ((), ("agent@3",), KEEPERS),
    ],
)
def test_an_attack_stands_with_those_in_which_the_same_cheat(
    marks: tuple[tuple[str, str], ...], coalition: tuple[str, ...], group: str
) -> None:
    taken = tuple(
        StateTaken(who=who, how=how, day=3, time="morning" if how == "turned" else "evening")  # type: ignore[arg-type]  # words of a table
        for who, how in marks
    )
    made = Matrix(manifest=manifest(schemes=("mine",)), cells=(cell("mine", taken=taken, coalition=coalition),))
    (found,) = entries_of(made, ["theft"]).attacks
    assert found.title == group and [each.name for each in found.entries] == ["theft"]


def test_schemes_stand_by_family_and_unknown_ones_apart() -> None:
    names = ("envelope", "ghost", "mine", "plain", "plain-pq", "threshold")
    found = entries_of(
        msgspec.structs.replace(played(), manifest=manifest(schemes=names, unverified=("mine",))), []
    ).schemes
    assert [(group.title, [each.name for each in group.entries]) for group in found] == [
        ("No way in", ["plain", "plain-pq"]),
        ("Sealed envelope", ["envelope", "threshold"]),
        ("Silent participant", ["ghost"]),
        ("Others", ["mine"]),
    ]
    assert found[-1].entries[0].unverified and found[-1].entries[0].title == ""
    (block,) = blocks_of(found)
    assert (block.first, block.size, block.firsts) == (0, 6, {0, 2, 4, 5})

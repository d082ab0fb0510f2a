"""Property: pages show the entries that declare a place in them, and nothing that is gone."""

import io
import re

import msgspec
import pytest

from attacks import registry
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.runs.experiment import experiments
from attacks.lab.simulation.attack import Attack, Column
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.evaluation import manifest
from attacks.report.matrices import summary
from attacks.report.page import Page
from escrow.registry import schemes
from escrow.scheme import Finding
from escrow.schemes.plain import Plain
from tools import entries, pages, sensitivity

README = (pages.ROOT / "README.md").read_text()
REGION = {
    name: body for body, name in re.findall(r"(<!-- (?:table|findings) -->.*?<!-- end of (\w+) -->)", README, re.S)
}
SCHEMES, ATTACKS, EXPERIMENTS = schemes(), registry.attacks(), experiments()


class Heir(Plain, frozen=True):
    name = "heir"


def names(things):
    return [each.name for each in entries.with_place(things.values())]


def matrix(chosen=SCHEMES, attacks=ATTACKS):
    """A matrix whose cells say nothing but whose they are."""
    cells = tuple(Cell(scheme=scheme, attack=attack, verdict="HELD", sent=9) for scheme in chosen for attack in attacks)
    made = manifest(list(chosen.values()), list(attacks.values()), default(), ())
    return Matrix(manifest=made, cells=cells)


# --- who has a place ---


def test_a_place_is_declared_and_not_inherited():
    assert Heir.in_pages and Heir.findings
    assert entries.with_place([SCHEMES["plain"], Heir()]) == [SCHEMES["plain"]]
    assert entries.declared(Heir(), "findings") is None


def test_an_entry_that_git_does_not_know_has_no_place(monkeypatch):
    before = entries.with_place(ATTACKS.values())
    monkeypatch.setattr(entries, "_files", frozenset)
    assert before and entries.with_place(ATTACKS.values()) == []


def test_without_a_repository_every_entry_that_declares_a_place_has_it(monkeypatch, tmp_path):
    monkeypatch.setattr(entries, "ROOT", tmp_path)
    monkeypatch.setattr(entries, "_files", entries._files.__wrapped__)
    with pytest.raises(OSError, match="git ls-files"):
        entries.committed(SCHEMES.values())
    assert names(SCHEMES) == [name for name, each in SCHEMES.items() if vars(type(each)).get("in_pages")]


@pytest.mark.parametrize(("command", "things"), [("schemes", SCHEMES), ("attacks", ATTACKS)])
def test_a_command_of_a_page_shows_the_entries_that_git_knows(command, things, monkeypatch, capsys):
    def listed():
        assert entries.main([command, "--format", "json"]) == 0
        return [card["name"] for card in msgspec.json.decode(capsys.readouterr().out)["cards"]]

    known = [each.name for each in entries.listed(things.values())]
    assert listed() == known
    every = entries.listed
    monkeypatch.setattr(entries, "listed", lambda found: [e for e in every(found) if e.name != known[-1]])
    assert listed() == known[:-1]


# --- README's table and findings ---


def test_the_table_has_a_row_for_each_scheme_with_a_place_and_the_declared_columns():
    declared = [entries.declared(each, "column") or () for each in entries.with_place(ATTACKS.values())]
    given = {column for each in declared for column in ([each] if isinstance(each, Column) else each)}
    columns = sorted(given, key=lambda column: column.place)
    assert len({column.place for column in columns}) == len(columns)
    lines = [line.split("|")[1:-1] for line in REGION["table"].splitlines() if line.startswith("|")]
    figures, ranges = lines[: len(columns) + 2], lines[len(columns) + 2 :]
    there = sensitivity._there(list(sensitivity.table().values()))
    given = {title for title, _ in there}
    moved = [sensitivity._titled(column, given) for title, column in there if title == column.title]
    for (head, _, *rows), titles in ((figures, [column.title for column in columns]), (ranges, moved)):
        assert [name.strip() for name in head[1:]] == names(SCHEMES)
        assert [row[0].partition(", of ")[0].strip() for row in rows] == titles
        assert {len(row) for row in rows} == {len(head)}


def test_every_finding_is_of_a_scheme_and_an_attack_that_are_there():
    found = pages.findings()
    assert REGION["findings"].count("\n- ") == len(found) > 0
    for finding in found:
        assert finding.attack in names(ATTACKS)
        assert pages.schemes_of(finding) and set(pages.schemes_of(finding)) <= set(names(SCHEMES))
        command = (
            f"`escrow-lab run {finding.attack} {' '.join(f'--scheme {name}' for name in pages.schemes_of(finding))}`"
        )
        assert command in REGION["findings"]
    assert len({finding.place for finding in found}) == len(found)


def test_a_finding_or_a_row_whose_cells_are_gone_fails_by_its_name():
    less = {name: each for name, each in SCHEMES.items() if name != pages.schemes_of(pages.findings()[-1])[-1]}
    with pytest.raises(SystemExit, match=r"README names .* under .*, of which the matrix has no cell"):
        pages._findings(matrix(less))
    with pytest.raises(SystemExit, match="of which the matrix has no cell"):
        pages._table(matrix(less))
    with pytest.raises(SystemExit, match=f"under {pages.LISTENING}"):
        pages._table(matrix(SCHEMES, {name: each for name, each in ATTACKS.items() if name != pages.LISTENING}))


def test_the_table_and_the_findings_quote_the_cells(monkeypatch):
    class Mine(Attack):
        name = "mine"
        in_pages = True
        findings = (Finding(1, name, "**Mine**: {plain.sent} of `{heir.whose}`, {heir.complaints}."),)

    monkeypatch.setattr(registry, "attacks", lambda: {"mine": Mine()})
    monkeypatch.setattr(pages, "schemes", dict)
    monkeypatch.setattr(entries, "with_place", list)
    made = matrix({"plain": SCHEMES["plain"]}, {})
    cells = [
        Cell(scheme=name, attack="mine", verdict="HELD", sent=7, coalition=("a@1-2", "b")) for name in ("plain", "heir")
    ]
    said = pages._findings(Matrix(manifest=made.manifest, cells=tuple(cells)))
    assert said == "- **Mine**: 7 of `a, b`, 0.\n  `escrow-lab run mine --scheme plain --scheme heir`\n"


def test_a_matrix_ends_with_readmes_table():
    shown = entries.columns()
    made = matrix({"plain": SCHEMES["plain"]}, {})
    under = list(dict.fromkeys(name for _, names in shown for name in names))
    cells = tuple(
        Cell(scheme="plain", attack=name, verdict="HELD" if at else "NOT_APPLICABLE", sent=at, lawful=at)
        for at, name in enumerate(under)
    )
    manifest = msgspec.structs.replace(made.manifest, attacks=tuple(under))
    whole = Matrix(manifest=manifest, cells=cells)
    head, rule, *rows = drawn(whole).splitlines()
    assert head == "plain" and set(rule) == {"─"}
    found = [summary.title(column, cells) for column, _ in shown]
    assert [row[: -len(row.split()[-1])].strip() for row in rows] == found
    assert [row.split()[-1] for row in rows] == ["–", *("0" for _ in shown[1:])]
    partial = msgspec.structs.replace(manifest, attacks=tuple(under[1:]))
    assert shown[0][0].title not in drawn(Matrix(manifest=partial, cells=cells[1:]))


def drawn(whole):
    stream = io.StringIO()
    summary.draw_summary(Page(stream, 80), whole)
    return stream.getvalue().strip()


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        ((3, 5, 4), ("5", "3–5", "by b")),
        ((0, 0, 0), ("0", "0", "")),
        ((None, 2, None), ("2", "2", "by b")),
        ((None, 0, 2), ("2", "2", "by c")),
        ((None, None, None), ("–", "–", "")),
    ],
)
def test_a_column_shows_the_largest_figure_of_the_attacks_that_apply(figures, shown):
    column = Column(1, "any", "evaded", by_whom=True)
    with_least = Column(1, "any", "evaded", least="unkept_least")
    cells = [
        Cell(
            scheme="s",
            attack=who,
            verdict="HELD" if evaded is not None else "NOT_APPLICABLE",
            evaded=evaded or 0,
            unkept_least=evaded or 0,
            coalition=(f"{who}@3",),
        )
        for who, evaded in zip("abc", figures, strict=True)
    ]
    by = {("s", each.attack): each for each in cells}
    said = summary.whose([(column, "abc")], by, ["s"])
    assert said == [f"Smallest coalition, any: {shown[2].removeprefix('by ')} (s)."] * bool(shown[2])
    assert (str(summary.figure(column, cells)), str(summary.figure(with_least, cells))) == shown[:2]


def test_the_list_of_experiments_is_of_those_that_git_knows():
    page = (pages.ROOT / "docs" / "published.md").read_text()
    listing = page.split("$ escrow-lab reproduce --list\n")[1].split("```")[0]
    assert re.findall(r"^([a-z][\w-]*)", listing, re.M)[1:] == [
        each.name for each in entries.listed(EXPERIMENTS.values())
    ]

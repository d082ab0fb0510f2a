"""The matrix in numbers: what stands in the table for a cell, and that it fits."""

import io
from typing import Any

import pytest
from runs import manifest

from attacks import registry as attack_registry
from attacks.lab.results.types import Cell, Exposed, Exposure, Matrix, Verdict
from attacks.report.matrices import grid
from attacks.report.matrices.matrix import draw_matrix
from attacks.report.matrices.summary import columns
from attacks.report.page import NARROW, Page, folded
from escrow import registry

SCHEMES = ("plain", "fair-keys", *(f"a-thirteen-letter-{n}" for n in range(13)))  # more than one table has
ATTACKS = ("theft", "harvest-now-decrypt-later", "incomprehensibilities")


def cell(scheme: str, verdict: Verdict, opened: int = 0, attack: str = "theft", **counts: Any) -> Cell:
    exposed = Exposed(bystander=Exposure(future=opened))
    return Cell(scheme=scheme, attack=attack, verdict=verdict, sent=250, exposed=exposed, **counts)


def drawn(cells: tuple[Cell, ...], width: int, schemes: tuple[str, ...] = SCHEMES[:2]) -> str:
    stream = io.StringIO()
    made = Matrix(manifest=manifest(schemes=schemes, attacks=ATTACKS), cells=cells)
    grid.draw_numbers(Page(stream, width), made)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("plain", "other", "shown"),
    [
        (cell("plain", "HELD"), cell("fair-keys", "BREACH", 250), "0 +250!"),
        (cell("plain", "BREACH", 93), cell("fair-keys", "AS PLAIN", 93), "93! ="),
        (cell("plain", "BREACH", 93), cell("fair-keys", "HELD"), "93! −93"),
        (cell("plain", "NOT_APPLICABLE"), cell("fair-keys", "AS CLAIMED", 7), "· 7"),
        (cell("plain", "HELD"), cell("fair-keys", "FAILS", unkept=9, fabricated=2), "0 miss 9"),
        (cell("plain", "HELD"), cell("fair-keys", "FAILS", fabricated=2), "0 bad 2"),
        (cell("plain", "HELD"), cell("fair-keys", "FAILS", lost=2), "0 = lost"),
        (cell("plain", "ERROR"), cell("fair-keys", "INCONCLUSIVE"), "? ?"),
        (cell("plain", "INCONCLUSIVE", 3), cell("fair-keys", "INCONCLUSIVE", 4), "3? 4?"),
    ],
)
def test_a_cell_is_a_number_beside_plains(plain: Cell, other: Cell, shown: str) -> None:
    row = next(line for line in drawn((plain, other), 80).splitlines() if line.startswith("theft"))
    assert row.split() == ["theft", *shown.split()]


@pytest.mark.parametrize("width", [NARROW, 80, 200])
def test_every_scheme_stands_in_a_table_that_fits(width: int) -> None:
    cells = tuple(cell(scheme, "BREACH", 250, attack) for scheme in SCHEMES for attack in ATTACKS)
    lines = drawn(cells, width, SCHEMES).splitlines()
    assert max(map(len, lines)) <= width
    assert marked(lines) == len(cells)


def test_all_schemes_and_attacks_fit_one_screen() -> None:
    schemes, every = tuple(registry.schemes()), tuple(attack_registry.attacks())
    cells = tuple(cell(scheme, "BREACH", 250, attack) for scheme in schemes for attack in every)
    stream = io.StringIO()
    draw_matrix(Page(stream, 80), Matrix(manifest=manifest(schemes=schemes, attacks=every), cells=cells))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80 and marked(lines) == len(cells)
    asked = len(columns(attack_registry.attacks().values()))
    tables = -(-len(schemes) // 12)
    assert len(lines) <= 2 * len(every) + tables * (asked + 16) + 12  # no more lines than twice the attacks, and heads


def marked(lines: list[str]) -> int:
    """How many figures there are, each with its mark behind it or below it."""
    first = next(at for at, line in enumerate(lines) if line.startswith("─"))
    grid = lines[first : next(at for at, line in enumerate(lines) if line.startswith("Texts opened"))]
    figures = sum(line.count("250") + line.count("=") for line in grid)
    assert figures == sum(line.count("!") for line in grid)
    return figures


def test_twelve_schemes_stand_side_by_side_with_every_figure() -> None:
    names = ("plain", "fair-keys", "envelope", "threshold", *(f"scheme-{n}" for n in range(8)))
    cells = [cell(name, "BREACH", 250, attack) for name in names for attack in ATTACKS]
    lines = drawn(tuple(cells), 80, names).splitlines()
    assert max(map(len, lines)) == 80 and sum(line.startswith("─") for line in lines) == 1
    head = " ".join(lines[: lines.index("─" * 80)]).split()
    assert set(names) <= set(head) and marked(lines) == len(cells)
    ends = [next(line.index(name) + len(name) for line in lines if name in line.split()) for name in names]
    assert ends == [20 + 5 * (at + 1) for at in range(12)]  # a name ends where its column does


@pytest.mark.parametrize("width", [NARROW, 80])
def test_more_schemes_than_one_table_has_are_folded_into_several(width: int) -> None:
    """Schemes of plug-ins, each under all attacks, with figures of several digits and a range."""
    every = tuple(attack_registry.attacks())
    counts: dict[str, Any] = {"sent": 5000, "lawful": 2345, "entitled": 2345, "unkept": 2345, "unkept_least": 1234}
    cells = tuple(
        Cell(scheme=scheme, attack=name, verdict="FAILS", **counts) for scheme in SCHEMES[2:] for name in every
    )
    made = manifest(schemes=SCHEMES[2:], attacks=every, unverified=SCHEMES[2:])
    stream = io.StringIO()
    draw_matrix(Page(stream, width), Matrix(manifest=made, cells=cells))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.count("2345") for line in lines if line.startswith("lawful")) == len(SCHEMES[2:]) + sum(
        line.startswith("lawful") for line in lines
    )


def test_an_attack_that_applies_to_no_scheme_has_no_row_and_is_named() -> None:
    told = drawn((cell("plain", "NOT_APPLICABLE"), cell("fair-keys", "BREACH", 9, ATTACKS[2])), 80)
    assert f"To no scheme applies: theft, {ATTACKS[1]}." in " ".join(told.split()) and "\ntheft" not in told


def test_a_name_is_folded_at_hyphens_first() -> None:
    assert folded("harvest-now-decrypt-later", 17) == "harvest-now-\ndecrypt-later"
    assert folded("threshold", 6) == "thres-\nhold"
    assert folded("fair-keys *", 6) == "fair-\nkeys *"
    assert max(map(len, folded("a-thirteen-letter-1", 6).splitlines())) <= 6

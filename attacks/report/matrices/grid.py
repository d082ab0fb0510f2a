"""The matrix in numbers: attacks below each other, schemes side by side, each beside plain encryption."""

from __future__ import annotations

from collections.abc import Sequence

from attacks.lab.results.types import Cell, Matrix
from attacks.lab.verdict.judging.procedure import wrong
from attacks.report.page import ATTENTION, BOLD, DIM, Page
from attacks.report.page import Cell as Entry

PLAIN = "plain"
NAME = 20  # columns for the names of attacks, which are folded at hyphens
WIDE = 4  # columns for one scheme, at the least: twelve fit on 80
UNTESTED = frozenset({"INCONCLUSIVE", "TIMEOUT", "ERROR"})
MARKS = {"BREACH": "!"} | dict.fromkeys(UNTESTED, "?")
STYLES = {"BREACH": BOLD, "FAILS": BOLD} | dict.fromkeys(UNTESTED, ATTENTION)
KEY = (
    "Texts opened, the most of any strategy; beside plain, how many more or fewer (= as many). ! more than the claim "
    "allows and than plain gives away; miss: texts that the lawful access fails to give; bad: texts that somebody "
    "has wrong; lost: texts that do not arrive; · not applicable; ? not known."
)


def draw_numbers(page: Page, matrix: Matrix) -> None:
    """Draw one table, folded where the page is too narrow for all schemes, and the key to it."""
    schemes = matrix.manifest.schemes
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells}
    for block in dealt(schemes, max(1, (page.width - NAME) // (WIDE + 1))):
        page.gap()
        _draw_block(page, matrix, cells, block)
    foreign = [name for name in matrix.manifest.attacks if name not in applying(matrix)]
    page.line(KEY + f" To no scheme applies: {', '.join(foreign)}." * bool(foreign))


def applying(matrix: Matrix) -> list[str]:
    """Return the attacks that apply to a scheme of the matrix."""
    applying = {cell.attack for cell in matrix.cells if cell.verdict != "NOT_APPLICABLE"}
    return [name for name in matrix.manifest.attacks if name in applying]


def dealt(names: Sequence[str], fitting: int) -> list[Sequence[str]]:
    """Return the names in as few tables of at most `fitting` as they need, of nearly equal size."""
    tables = max(1, -(-len(names) // fitting))
    size = max(1, -(-len(names) // tables))
    return [names[at : at + size] for at in range(0, len(names), size)]


def _draw_block(page: Page, matrix: Matrix, cells: dict[tuple[str, str], Cell], schemes: Sequence[str]) -> None:
    unverified = matrix.manifest.unverified
    heads = [name + " *" * (name in unverified) for name in schemes]
    rows: list[list[Entry]] = []
    width = room(page, heads, applying(matrix))
    for attack in applying(matrix):
        plain = cells.get((PLAIN, attack))
        row = [_entry(cells.get((scheme, attack)), plain) for scheme in schemes]
        rows.append([page.fit(attack + " *" * (attack in unverified), width), *row])
    page.grid(heads, rows, width, WIDE)


def room(page: Page, schemes: Sequence[str], rows: Sequence[str]) -> int:
    """Return how wide the names of rows may be: whole where few schemes leave room beside their own whole names."""
    spare = page.width - sum(max(len(name), WIDE) + 3 for name in schemes)
    return min(max(NAME, spare), max(map(len, [*rows, " " * NAME])))


def _entry(cell: Cell | None, plain: Cell | None) -> Entry:
    """Return what stands in the table for a cell, beside the cell of plain under the same attack."""
    if cell is None:
        return ""
    if cell.verdict == "NOT_APPLICABLE":
        return ("·", DIM)
    if cell.verdict in UNTESTED and not cell.exposed.total:
        return ("?", ATTENTION)
    said = beside(cell, plain) + MARKS.get(cell.verdict, "")
    if failed(cell):
        lacks = [f"{what} {count}" for what, count in (("miss", cell.unkept), ("bad", false(cell))) if count]
        said = "\n".join([said] * (said not in {"0", "="}) + lacks)
    elif cell.verdict == "FAILS":
        said += " lost"
    return (said, STYLES[cell.verdict]) if cell.verdict in STYLES else said


def beside(cell: Cell, plain: Cell | None) -> str:
    """Return how many texts a cell opens, or how many more or fewer than plain under the same attack."""
    more = over(cell, plain)
    if more is None:
        return str(cell.exposed.total)
    return f"{more:+}".replace("-", "−") if more else "="


def over(cell: Cell, plain: Cell | None) -> int | None:
    """Return how many texts more than plain a cell opens; None where there is nothing to compare it with."""
    if plain is None or plain is cell or plain.verdict == "NOT_APPLICABLE" or plain.verdict in UNTESTED:
        return None
    return cell.exposed.total - plain.exposed.total


def failed(cell: Cell) -> int:
    """Return how many texts the lawful access should give and does not, and how many somebody gets wrong."""
    return cell.unkept + false(cell)


def false(cell: Cell) -> int:
    """Return how many texts somebody gets wrong."""
    return sum(count for count, _, _ in wrong(cell)) - cell.added.lost

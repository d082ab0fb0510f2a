"""A matrix on a page: its numbers, its verdicts, and what decided them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from attacks.lab.results.types import Alarms, Cell, Exposure, Matrix, Unnoticed
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.judging.procedure import briefly
from attacks.report.access import by_kind
from attacks.report.cards import Card, draw_card
from attacks.report.matrices import grid, scorecard
from attacks.report.matrices.summary import draw_summary
from attacks.report.page import DIM, Page, counted, join
from attacks.report.page import Cell as Entry

NOTEWORTHY = ("BREACH", "FAILS", "INCONCLUSIVE", "TIMEOUT", "ERROR")
INCOMPLETE = grid.UNTESTED
STYLES = grid.STYLES | {"NOT_APPLICABLE": DIM}
GAP = 3  # columns that the table puts between two of its own


def draw_matrix(page: Page, matrix: Matrix, verdicts: bool = False) -> None:
    """Draw the numbers of all cells on one screen, and why cells were not judged.

    With `verdicts`, and folded in Markdown, draw also the verdicts of all cells, what decided the noteworthy ones, and
    the scorecard.
    """
    page.line(described(matrix.manifest.scenario))
    grid.draw_numbers(page, matrix)
    draw_summary(page, matrix)
    page.gap()
    page.line(_counted(matrix.cells))
    if matrix.manifest.unverified:
        page.line("* from a plug-in or another package, unverified until `escrow-lab check` passes")
    if not (verdicts or page.folds):
        draw_reasons(page, [cell for cell in matrix.cells if cell.verdict in INCOMPLETE])
        page.line("Why: `--verdicts` for all cells, `escrow-lab run ATTACK --scheme SCHEME` for one.")
        return
    with page.folded("The verdicts, and why"):
        for block in _blocks(page.width, matrix):
            page.gap()
            _draw_block(page, matrix, block)
        draw_reasons(page, matrix.cells)
        page.gap()
        scorecard.draw(page, matrix)


def described(scenario: Scenario) -> str:
    """Return the scenario in one line."""
    sizes = (
        counted(len(scenario.users), "user"),
        counted(len(scenario.devices), "device"),
        counted(len(scenario.groups), "group"),
        counted(scenario.days, "day"),
        counted(scenario.messages, "text"),
        counted(len(scenario.warrants), "warrant"),
    )
    return f"Scenario: {', '.join(sizes)}, seed {scenario.seed}."


def _blocks(width: int, matrix: Matrix) -> list[Sequence[str]]:
    """Return the attacks in as few tables as fit the width, of nearly equal size."""
    attacks = list(matrix.manifest.attacks)
    fitting = max(1, (width - max(map(len, _names(matrix)))) // (_column(matrix) + GAP))
    return grid.dealt(attacks, fitting)


def _column(matrix: Matrix) -> int:
    """Return how wide a column must be for the longest verdict, or part of an attack's name, in it."""
    parts = [part for attack in matrix.manifest.attacks for part in _parts(attack)]
    return max(map(len, [*parts, *(cell.verdict for cell in matrix.cells)]), default=1)


def _draw_block(page: Page, matrix: Matrix, attacks: Sequence[str]) -> None:
    verdicts = {(cell.scheme, cell.attack): cell.verdict for cell in matrix.cells}
    rows: list[list[Entry]] = []
    for scheme, shown in zip(matrix.manifest.schemes, _names(matrix), strict=True):
        row = [verdicts.get((scheme, attack), "") for attack in attacks]
        rows.append([shown, *((verdict, STYLES.get(verdict, "")) for verdict in row)])
    page.table(["scheme", *(page.fit(attack, _column(matrix)) for attack in attacks)], rows)


def _names(matrix: Matrix) -> list[str]:
    return [name + (" *" if name in matrix.manifest.unverified else "") for name in matrix.manifest.schemes]


def _parts(attack: str) -> list[str]:
    return re.split(r"(?<=-)", attack)


def _counted(cells: Iterable[Cell]) -> str:
    counts = Counter(cell.verdict for cell in cells)
    by_verdict = join([f"{count} {verdict}" for verdict, count in counts.most_common()])
    return f"{counted(counts.total(), 'cell')}: {by_verdict}."


# --- the cells that need a word ---


def draw_reasons(page: Page, cells: Iterable[Cell]) -> None:
    """Draw one line for each cell that is a breach, or that could not be judged."""
    for verdict in NOTEWORTHY:
        found = [cell for cell in cells if cell.verdict == verdict]
        if found:
            page.gap()
            page.line(verdict, STYLES.get(verdict, ""))
        for cell in found:
            page.line(f"{cell.scheme}, {cell.attack}: {cell.reason or 'no reason given'}", indent=2)


def draw_run(page: Page, card: Card, matrix: Matrix) -> None:
    """Draw an attack's card, then what it did to each scheme."""
    draw_card(page, card)
    for cell in matrix.cells:
        page.gap()
        draw_cell(page, cell, len(matrix.manifest.scenario.ceremonies))


def draw_cell(page: Page, cell: Cell, comparisons: int = 0) -> None:
    """Draw one cell as a narrative: who was corrupted, what they read, what the lawful access read, who noticed.

    `comparisons` is how often users of the scenario compare safety numbers: some alarms depend on that.
    """
    page.line(f"{cell.scheme} under {cell.attack}: {briefly(cell)}", STYLES.get(cell.verdict, ""))
    if pairs := told(cell, comparisons):
        page.fields(pairs)


def told(cell: Cell, comparisons: int = 0) -> list[tuple[str, str]]:
    """Return what is to say of one cell, each thing under its name."""
    pairs = [("why", cell.reason)] if cell.reason else []
    if cell.sent:
        covered = cell.lawful - cell.overreached  # what no warrant covers stands beside it
        pairs += _strategies(cell)
        pairs += _read(cell)
        pairs += [
            ("lawful", f"{covered} of {cell.entitled}; {cell.overreached} overreached, {cell.evaded} evaded"),
            *([("warrants", said)] if (said := by_kind(cell.access)) else []),
            *_false(cell),
            ("mail", f"{cell.lost} lost, {cell.forged} forged, {cell.duplicated} shown twice"),
        ]
        pairs += (
            [("framed", f"{counted(cell.framed, 'text')} attributed to somebody who did not send them")]
            if cell.framed
            else []
        )
        pairs += [("search", counted(cell.cost.trials, "trial"))] if cell.cost.trials else []
        pairs += [("alarm", complaint) for complaint in by_check(cell.alarms)] or [("alarm", "none")]
        pairs += _depending(cell.alarms, comparisons)
        pairs += [("services", join(cell.services))] if cell.services else []
        pairs += [("evidence", cell.digest)] if cell.digest else []
    return pairs


def _false(cell: Cell) -> list[tuple[str, str]]:
    """Return what is wrong with what the lawful access yields, if anything is; nothing else is in these counts."""
    said = []
    if cell.overreached:
        by = cell.outside
        why = f"{by.people} by the people, {by.days} by the days, {by.scope} by the scope of warrants"
        said.append(("outside", f"{counted(cell.overreached, 'text')} overreached: {why}"))
    if cell.unreadable:
        said.append(("unreadable", f"{counted(cell.unreadable, 'text')} yielded as ciphertexts of the users' own"))
    if cell.fabricated or cell.misattributed:
        whole = cell.lawful + cell.fabricated
        false = f"{cell.fabricated} of {counted(whole, 'text')} yielded are fabricated"
        said.append(("false", f"{false}, {cell.misattributed} of the others misattributed"))
    return said


def _strategies(cell: Cell) -> list[tuple[str, str]]:
    """Return by which strategy the counts are, and the most that is reached without an alarm: two plays."""
    if cell.strategies < 2:
        return []
    quiet = cell.unnoticed
    if quiet is None:
        unnoticed = "none of those played"
    elif quiet.strategy == cell.strategy:
        unnoticed = "the same"
    else:
        unnoticed = f"{quiet.strategy}: {_reaches(quiet)}, in a play of its own"
    return [
        (
            "strategy",
            f"{cell.strategy}, of {cell.played} played ({cell.strategies} listed); the counts are of its play",
        ),
        ("unnoticed", unnoticed),
    ]


def _reaches(quiet: Unnoticed) -> str:
    """Return what a play that nobody notices reaches."""
    wrong = f"{counted(quiet.evaded, 'text')} missed, {quiet.fabricated} fabricated"
    return f"reads {counted(quiet.reads, 'text')}" if quiet.reads else wrong


def _read(cell: Cell) -> list[tuple[str, str]]:
    """Return the lines about a cell's coalition: how many texts it opens, whose, and when they were sent."""
    if not cell.exposed.total:
        return [("reads", f"none of {counted(cell.sent, 'text')}")]
    return [
        ("coalition", ", ".join(cell.coalition) or "nobody but the network"),
        ("reads", f"{cell.exposed.total} of {counted(cell.sent, 'text')}, {cell.excluded} of them against the claim"),
        ("targets", _when(cell.exposed.target)),
        ("others", _when(cell.exposed.bystander)),
        ("over plain", f"{counted(cell.added_over_plain, 'text')} that this attack does not open in plain"),
    ]


def _when(exposure: Exposure) -> str:
    return f"{counted(exposure.past, 'text')} from before the corruption, {exposure.future} from after it"


def by_check(alarms: Sequence[Alarms]) -> list[str]:
    """Return, for each honest check that complained, who complained, how often, and how soon the first one did."""
    checks: dict[str, list[Alarms]] = {}
    for each in alarms:
        checks.setdefault(each.check, []).append(each)
    return [f"{check}, {_complaints(found)}" for check, found in checks.items()]


def _depending(alarms: Sequence[Alarms], comparisons: int) -> list[tuple[str, str]]:
    """Return how many alarms there are only because users met to compare safety numbers."""
    met = sum(each.times for each in alarms if each.check == "safety number")
    if not met:
        return []
    said = f"{met} of {sum(each.times for each in alarms)} alarms depend on the {comparisons} meetings of the scenario"
    return [("meetings", said)]


def _complaints(alarms: Sequence[Alarms]) -> str:
    who = join([each.who + (f" {each.times} times" if each.times > 1 else "") for each in alarms])
    first = min(alarms, key=lambda each: each.packets)
    return f"by {who}; first on day {first.first_day}, after {first.packets} packets"

"""A first look at three schemes side by side: who reads what, who notices, how one text is read, what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from attacks.lab.results.types import Cell, Matrix
from attacks.report.page import BOLD, Page, counted

SCHEMES = ("plain", "envelope", "threshold")  # without a way in, with one key, with shares of a key
READ = {
    "null-eavesdropper": "somebody listens to everything",
    "authority-theft": "a thief takes officials' keys",
    "court-key-theft": "a thief takes the court's key",
    "prekey-substitution": "the provider hands out false keys",
}  # attack -> what happens; how many texts are then read
MISSED = {"field-stripping": "users' clients leave the field out: missed"}  # likewise; how many texts the law misses
UNJUDGED = ("TIMEOUT", "ERROR")
NARROW = 60  # columns below which schemes stand below each other
NEXT = (
    ("Every coalition that opens something:", "escrow-lab anatomy threshold --smoke"),
    ("All schemes under all attacks, in about a minute:", "escrow-lab matrix --smoke"),
    ("A scheme of your own:", "escrow-lab init scheme mine"),
)  # what it shows, and the command


def draw_tour(page: Page, matrix: Matrix, titles: Mapping[str, str], derivation: Iterable[str]) -> None:
    """Draw the tour.

    Args:
        page: where to draw.
        matrix: these schemes under these attacks.
        titles: the title of each scheme.
        derivation: the lines of one, no longer than the page is wide.
    """
    scenario = matrix.manifest.scenario
    page.heading("Who can read what, computed by running real cryptography")
    who = counted(len(scenario.users), "user")
    page.line(
        f"{counted(scenario.messages, 'text')} among {who} in {counted(scenario.days, 'day')}, "
        "played under three schemes, and again under each attack. Numbers count texts."
    )
    page.gap()
    page.fields([(name, titles[name]) for name in SCHEMES])
    page.gap()
    answers = {question: dict(found) for question, found in _answers(matrix)}
    if page.width < NARROW:
        for scheme in SCHEMES:
            page.line(scheme, BOLD)
            for question, found in answers.items():
                page.line(f"{question}: {found[scheme].replace(chr(10), ', ')}", indent=2)
    else:
        page.table(("", *SCHEMES), [(question, *found.values()) for question, found in answers.items()])
    page.gap()
    page.heading("How a thief reads one of them")
    for line in derivation:
        page.raw(line)
    page.gap()
    page.heading("Go on with")
    for what, command in NEXT:
        page.line(what, indent=2)
        page.raw(f"    {command}")


def _answers(matrix: Matrix) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """Yield each question, and what is to be said of each scheme: "?" if its cell was not judged."""
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells if cell.verdict not in UNJUDGED}

    def each(attack: str, said: Callable[[Cell], str]) -> Iterator[tuple[str, str]]:
        for scheme in SCHEMES:
            yield scheme, said(cells[scheme, attack]) if (scheme, attack) in cells else "?"

    yield (
        "the law reads, of what warrants cover",
        each(next(iter(READ)), lambda cell: f"{cell.lawful} of {cell.entitled}"),
    )
    for attack, question in READ.items():
        yield question, each(attack, _read)
    for attack, question in MISSED.items():
        yield question, each(attack, _missed)


def _read(cell: Cell) -> str:
    return f"{cell.exposed.total}: {cell.whose}\n{_noticed(cell)}" if cell.exposed.total else "0"


def _missed(cell: Cell) -> str:
    return "–" if cell.verdict == "NOT_APPLICABLE" else f"{cell.evaded} of {cell.entitled}\n{_noticed(cell)}"


def _noticed(cell: Cell) -> str:
    return counted(cell.complaints, "alarm") if cell.complaints else "no alarm"

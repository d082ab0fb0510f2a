"""Figures measured here beside those that a paper prints."""

from __future__ import annotations

from attacks.lab.runs.experiment import Figure, Reproduction
from attacks.report.page import ATTENTION, DIM, Page


def draw_reproduction(page: Page, result: Reproduction) -> None:
    """Draw one table for each experiment, and below it the notes of its figures."""
    for at, each in enumerate(result.experiments):
        if at:
            page.gap()
        page.heading(each.title)
        source = each.source
        page.line(f"{each.name}: {source.author}, {source.title}, {source.year}, {source.section}", DIM)
        rows = [(figure.quantity, _measured(figure), _published(figure)) for figure in each.figures]
        page.table(("", "measured", "published"), rows, numbers=(1, 2))
        for note in dict.fromkeys(figure.note for figure in each.figures if figure.note):
            page.line(note, indent=2)
        for quantity in each.disagree:
            page.line(f"does not agree: {quantity}", ATTENTION, indent=2)


def _measured(figure: Figure) -> str:
    spread = f" ± {_number(figure.error)}" if figure.error else ""
    return f"{_number(figure.measured)}{spread}{figure.unit and ' ' + figure.unit}"


def _published(figure: Figure) -> str:
    if figure.published is not None:
        return f"{_number(figure.published)}{figure.unit and ' ' + figure.unit}"
    return "" if figure.at_least is None else f"at least {_number(figure.at_least)}"


def _number(value: float) -> str:
    """Return whole numbers with separated thousands, others to four figures."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:.4g}"

"""Figures measured here beside those that a paper prints."""

from __future__ import annotations

from collections.abc import Iterator

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
        if each.left_out:
            page.line(f"left out: {each.left_out}", ATTENTION, indent=2)
            continue
        rows = [(figure.quantity, _measured(figure), *_beside(figure)) for figure in each.figures]
        page.table(("", "measured", "published", "expected"), rows, numbers=(1, 2, 3))
        for note in dict.fromkeys(note for figure in each.figures for note in _notes(figure)):
            page.line(note, indent=2)
        for quantity in each.disagree:
            page.line(f"does not agree: {quantity}", ATTENTION, indent=2)


def _measured(figure: Figure) -> str:
    spread = f" ± {_number(figure.error)}" if figure.error else ""
    return f"{_number(figure.measured)}{spread}{figure.unit and ' ' + figure.unit}"


def _beside(figure: Figure) -> tuple[str, str]:
    """Return (what the source prints, what we expect)."""
    unit = figure.unit and " " + figure.unit
    if figure.published is not None:
        return f"{_number(figure.published)}{unit}", ""
    if figure.expected is not None:
        return "", f"{_number(figure.expected)}{unit}"
    return "", "" if figure.at_least is None else f"at least {_number(figure.at_least)}"


def _notes(figure: Figure) -> Iterator[str]:
    if figure.where:
        yield f"Published: {figure.where}."
    if figure.formula:
        yield f"Expected: {figure.formula}."
    if figure.note:
        yield figure.note


def _number(value: float) -> str:
    """Return whole numbers with separated thousands, others to four figures."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:.4g}"

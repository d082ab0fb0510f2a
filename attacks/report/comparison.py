"""The differences of two runs as text: one line each, the worst first."""

from __future__ import annotations

from attacks.lab.comparison.files import Comparison, Difference
from attacks.report.page import ATTENTION, DIM, Page, counted, join

STYLES = {"regression": ATTENTION, "advisory": DIM}


def draw_comparison(page: Page, comparison: Comparison) -> None:
    """Draw every difference, and the number of each severity."""
    widest = max((len(each.severity) for each in comparison.differences), default=0)
    for each in comparison.differences:
        page.line(f"{each.severity:<{widest}}  {told(each)}", STYLES.get(each.severity, ""), hang=widest + 2)
    severities = [each.severity for each in comparison.differences]
    counts = [f"{each} {severities.count(each)}" for each in dict.fromkeys(severities)]
    page.line(f"{counted(comparison.rows, 'row')} of {comparison.of}: {join(counts, 'no difference')}.")


def told(difference: Difference) -> str:
    """Return a difference in words: where, what, and from what to what."""
    old, new = (_said(value) for value in (difference.old, difference.new))
    listed = {"now": difference.more, "no longer": difference.fewer}
    texts = [f"{when} {'text' if ids.isdecimal() else 'texts'} {ids}" for when, ids in listed.items() if ids]
    behind = f" ({'; '.join(texts)})" if texts else ""
    return f"{', '.join(difference.row)}: {difference.what} {old} → {new}{behind}"


def _said(value: int | float | str | None) -> str:
    if value is None:
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)

"""Draws the exchange: each sentence, the figures beside it, and what they do not show. No colour and no grade."""

from __future__ import annotations

from itertools import groupby

import msgspec

from attacks.report.debate.bearing import Bearing, Debate, Said, Value
from attacks.report.matrices.matrix import described
from attacks.report.page import Page

READ = {
    "publisher": "read in the publisher's file",
    "copy": "read in a copy or in the page's opening",
    "quoted": "as others quote it; the text itself was not read",
}
PARAPHRASE = "paraphrase; the wording was not read"


def draw_debate(page: Page, result: Debate) -> None:
    """Draw all sentences by the texts that they stand in."""
    if result.manifest is not None:
        page.line(described(result.manifest.scenario))
        page.line(f"{result.sent} texts; warrants cover {result.entitled} of them.")
    for _, sentences in groupby(result.sentences, lambda each: each.text):
        said = list(sentences)
        page.gap()
        page.heading(f"{said[0].author}: {said[0].title}, {said[0].date}")
        for each in said:
            page.gap()
            _draw(page, each)


def _draw(page: Page, said: Said) -> None:
    words = f'"{said.words}"' if said.verbatim else said.words
    origin = READ[said.read] if said.verbatim else PARAPHRASE
    page.line(f"{words} ({said.where}; {origin})" if said.where else f"{words} ({origin})", hang=0)
    for figure in said.figures:
        page.line(told(figure), indent=2)
    if said.silent:
        page.line(f"These figures do not show: {said.silent}", indent=2)
    if said.not_measured:
        page.line(f"Not measured: {said.not_measured}.", indent=2)


def told(figure: Bearing) -> str:
    """Return a figure in one line: what is counted, by which attacks, and the number of each scheme."""
    behind = ", ".join(figure.source)
    if figure.missing:
        return f"{figure.what} ({behind}): not in these results; run `{figure.missing}`"
    numbers = {(value.number, value.whose, value.excuse) for value in figure.values}
    if len(numbers) == 1 and len(figure.values) > 1:
        number = _value(msgspec.structs.replace(figure.values[0], scheme=""))
        return f"{figure.what} ({behind}): {number} under every scheme that it applies to"
    return f"{figure.what} ({behind}): {', '.join(map(_value, figure.values))}"


def _value(value: Value) -> str:
    beside = "; ".join(filter(None, (value.whose, value.excuse)))
    return f"{value.scheme} {_number(value)}{f' ({beside})' if beside else ''}".strip()


def _number(value: Value) -> str:
    return f"{value.number:,.0f}" if value.number == int(value.number) else f"{value.number:.4g}"

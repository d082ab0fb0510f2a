"""Draws the exchange: each sentence, the figures beside it, and what they do not show. No colour and no grade."""

from __future__ import annotations

from itertools import groupby

import msgspec

from attacks.report.debate.bearing import Bearing, Debate, DebatedSentence, Value
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


def _draw(page: Page, said: DebatedSentence) -> None:
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
    """Return a figure in one line: what is counted, the attacks, the number of each scheme, and what excuses it."""
    said = f"{figure.what} ({', '.join(figure.source)})"
    if figure.missing:
        return f"{said}: not in these results; run `{figure.missing}`"
    if len(figure.values) > 1 and len({(value.number, value.whose) for value in figure.values}) == 1:
        numbers = (
            f"{_value(msgspec.structs.replace(figure.values[0], scheme=''))} under every scheme that it applies to"
        )
    else:
        numbers = ", ".join(map(_value, figure.values))
    excused: dict[str, list[str]] = {}
    for value in figure.values:
        if value.excuse:
            excused.setdefault(value.excuse, []).append(value.scheme)
    return "; ".join([f"{said}: {numbers}", *(f"{excuse}: {', '.join(names)}" for excuse, names in excused.items())])


def _value(value: Value) -> str:
    number = f"{value.number:,.0f}" if value.number == int(value.number) else f"{value.number:.4g}"
    return f"{value.scheme} {number}{f' ({value.whose})' if value.whose else ''}".strip()

"""Writes docs/claims.md from the claims of the schemes that have a place in the pages.

python -m tools.claims            write it
python -m tools.claims --check    compare, write nothing; exit 1 if it differs
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from attacks.lab.verdict.access.concessions import conceded_to_one
from attacks.report.cards import PROMISED
from escrow.grants import EXTENTS, MISSED, Claim, Exclusion, Quotation
from escrow.registry import schemes
from escrow.scheme import Scheme
from tools import entries

PAGE = Path(__file__).resolve().parents[1] / "docs" / "claims.md"
HEAD = """# What each scheme claims

Written by `python -m tools.claims` from the claims in `escrow/schemes/`, which verdicts are computed from. A sentence
in quotation marks is the source's own; *paraphrase* says that the source could not be read. A corruption that is
*outside* the source's model makes a cell OUTSIDE MODEL; what the source *concedes*, CONCEDED. The counts stand.
*Choices* are this project's, where a source leaves something open: each says whether it favours the scheme or hurts it.

Who may open what is said in these words:

"""


def page() -> str:
    """Return the whole page."""
    words = "".join(f"- *{name}*: {said}\n" for name, said in (EXTENTS | MISSED).items())
    return HEAD + words + "".join(map(_scheme, entries.listed(schemes().values())))


def _scheme(scheme: Scheme) -> str:
    alone = conceded_to_one(scheme) or "no text"
    counted = f"To one principal alone it concedes {alone} (small scenario, states of the last evening)."
    return f"\n## {scheme.name}\n\n" + "\n".join(_lines(scheme.claim, counted)) + "\n"


def _lines(claim: Claim, counted: str) -> Iterator[str]:
    """Yield the lines about one claim. `counted` says what its concessions come to."""
    yield from textwrap.wrap(claim.words, 118, break_on_hyphens=False)
    yield f"({claim.section}.) The lawful access is promised {PROMISED[claim.access]}."
    groups = {
        "Sources": [_quoted(each) for each in claim.sources],
        "May open": [f"{each.said}: {each.covers}" for each in claim.grants],
        "Conceded": [
            *(words for each in claim.grants for words in each.concedes),
            *(f"{each.who}: {each.extent}. {_quoted(each.source)}" for each in claim.concessions),
            *([counted] if claim.concessions else []),
        ],
        "Model, and what is outside it": [_excluded(each) for each in claim.model],
        "Choices of this project": [f"{_effect(each.favours)}: {each.words}" for each in claim.choices],
    }
    for title, said in groups.items():
        if said:
            yield from ("", f"**{title}**", "")
        for each in said:
            yield from textwrap.wrap(
                f"- {each}", 118, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
            )


def _quoted(quotation: Quotation) -> str:
    return f"{quotation.quoted} {quotation.source}, {quotation.where}."


def _excluded(exclusion: Exclusion) -> str:
    """Return an assumption, with the corruption that it excludes."""
    how = "the state of " if exclusion.stolen else ""
    often = f", taken {exclusion.times} times" if exclusion.times > 1 else ""
    return f"{exclusion.words} ({exclusion.said}); outside: {how}{exclusion.who}{often}"


def _effect(favours: bool) -> str:
    return "favours" if favours else "hurts"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it. Return the exit code."""
    return entries.keep(PAGE, page(), "the claims", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

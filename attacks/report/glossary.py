"""The words of the project, from glossary.toml, for `show TERM` and for docs/glossary.md.

python -m attacks.report.glossary docs/glossary.md    write the page
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from attacks.lab.results.bounds import Result
from attacks.report.page import Page

WIDTH = 118
HEAD = """# Glossary

One word, one thing: code, command line and pages use these words, and no others for the same things. In this subject
*law* means the police or the statute; what every scheme must satisfy is a *property*. `escrow-lab show TERM` prints an
entry. Written from `attacks/report/glossary.toml` by `python -m attacks.report.glossary docs/glossary.md`.
"""


class GlossaryTerm(Result, frozen=True, kw_only=True):
    """A word, what it means, and the module or folder in which it is used."""

    word: str
    meaning: str
    where: str


class Chapter(Result, frozen=True, kw_only=True):
    """The words of one part of the project."""

    title: str
    terms: tuple[GlossaryTerm, ...]


class Glossary(Result, frozen=True, kw_only=True):
    """Words by chapters."""

    schema: Literal["escrow-lab/glossary/1"] = "escrow-lab/glossary/1"
    chapters: tuple[Chapter, ...]

    def terms(self) -> dict[str, GlossaryTerm]:
        """Return every term by its word, in lower case."""
        return {term.word.lower(): term for chapter in self.chapters for term in chapter.terms}

    def only(self, word: str) -> Glossary:
        """Return the term of this word alone. Raise KeyError if there is none."""
        term = self.terms()[word.lower()]
        return Glossary(chapters=tuple(Chapter(title=c.title, terms=(term,)) for c in self.chapters if term in c.terms))


def glossary() -> Glossary:
    """Return the glossary."""
    text = resources.files(__package__).joinpath("glossary.toml").read_bytes()
    return msgspec.toml.decode(text, type=Glossary)


def draw_terms(page: Page, words: Glossary) -> None:
    """Draw each term with its meaning."""
    for term in words.terms().values():
        page.heading(term.word)
        page.line(term.meaning, indent=2, hang=0)
        page.line(f"used in {term.where}", indent=2)


def written() -> str:
    """Return docs/glossary.md."""
    return HEAD + "".join(_lines(glossary()))


def _lines(words: Glossary) -> Iterator[str]:
    for chapter in words.chapters:
        yield f"\n## {chapter.title}\n\n"
        for term in chapter.terms:
            place = f"[{term.where}](../{term.where})"
            said = textwrap.wrap(
                f"- **{term.word}**: {term.meaning} {place}",
                WIDTH,
                subsequent_indent="  ",
                break_on_hyphens=False,
                break_long_words=False,
            )
            yield "".join(f"{line}\n" for line in said)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(written(), encoding="utf-8")

"""Results to be drawn as a page, and a reader of pages: which elements stand there, with which attributes and text."""

from functools import cache
from html.parser import HTMLParser

from attacks import registry
from attacks.lab.results.types import Matrix
from attacks.lab.runs.matrix import run_matrix
from attacks.lab.simulation.scenario import default
from attacks.report.html.document import Input, document
from escrow.registry import schemes

SCHEMES = ("plain", "plain-pq", "envelope", "ghost")
ATTACKS = ("authority-theft", "court-key-theft", "field-stripping", "ghost-insertion", "null-eavesdropper")


@cache
def played() -> Matrix:
    """Return a small matrix with texts, marks and derivations, and a cell that does not apply."""
    known, attacks = schemes(), registry.attacks()
    chosen = [attacks[name] for name in ATTACKS]
    return run_matrix(
        [known[name] for name in SCHEMES], chosen, default(users=4, days=5, messages=24), plain=known["plain"]
    )


class Reader(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """Return the text of the page, all white space as one."""
        return " ".join("".join(self.words).split())

    @property
    def lines(self) -> list[str]:
        """Return the lines of the text."""
        return "".join(self.words).splitlines()

    def all(self, name: str) -> list[str]:
        """Return every value of an attribute, in order."""
        return [attributes[name] or "" for _, attributes in self.elements if name in attributes]


def page(*results: object) -> str:
    """Return the page of results, as if each came from a file."""
    return document([Input(f"{at}.json", "0" * 64, each) for at, each in enumerate(results)], "escrow-lab report")  # type: ignore[arg-type]  # what is no result is tested, too

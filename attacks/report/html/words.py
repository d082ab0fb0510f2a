"""How a page writes numbers and lists: thin spaces between thousands, the true minus sign, a dash for a range."""

from __future__ import annotations

import re
from collections.abc import Sequence

THIN = "\u202f"
MINUS = "\u2212"


def number(value: int) -> str:
    """Return a number with a narrow space between thousands, and the minus sign."""
    return f"{value:,}".replace(",", THIN).replace("-", MINUS)


def spaced(text: str) -> str:
    """Return text with its numbers written so."""
    return re.sub(r"\d{4,}", lambda found: number(int(found[0])), text)


def ratio(value: float) -> str:
    """Return how many times as much."""
    return f"× {value:.2f}"


def texts(count: int) -> str:
    """Return a number of texts in words."""
    return f"{number(count)} text{'s' * (count != 1)}"


def listed(names: Sequence[str]) -> str:
    """Return names as the subject of a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

"""Writes docs/unauthenticated.md: every field that a sender may fill with another valid value, unnoticed, and why.

python -m tools.unchecked    write it

The types declare these fields (`unchecked`), and a property of `escrow-lab check` finds those that are missing.
"""

from __future__ import annotations

from pathlib import Path

from escrow.codec import Fact, Packet
from escrow.registry import schemes
from escrow.testing.alterations import types_of

PAGE = Path(__file__).resolve().parent.parent / "docs" / "unauthenticated.md"
HEAD = """# What is not authenticated

A sender may fill these fields with another valid value, and nobody refuses it or complains; the reason stands beside
each. Every other field of every packet is refused or complained of if its sender states another value: the property
*what is said is checked or listed* of `escrow-lab check` tries it. No field here decides for an official who reads,
when, or under which group, t, n, index or epoch. The list is declared by the types (`unchecked`) and written by
`python -m tools.unchecked`.

| field | why |
| --- | --- |
"""


def page() -> str:
    """Return the page's text."""
    kinds = {kind for scheme in schemes().values() for base in (Fact, Packet) for kind in types_of(scheme, base)}
    listed = ((kind.__name__, getattr(kind, "unchecked", {})) for kind in kinds)
    rows = {f"| `{kind}.{name}` | {why} |\n" for kind, fields in listed for name, why in fields.items()}
    return HEAD + "".join(sorted(rows))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

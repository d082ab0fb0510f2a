"""The templates of plug-ins that `escrow-lab init` writes."""

from __future__ import annotations

from importlib.resources import files


def scheme(name: str) -> str:
    """Return the source of a plug-in that defines a scheme; `name` is lower-case words with hyphens between them."""
    words = name.split("-")
    kind = "".join(word.capitalize() for word in words)
    text = (files(__package__) / "scheme.txt").read_text("utf-8")
    title = " ".join(words).capitalize()
    for word, meaning in (("CLASS", kind if kind[0].isalpha() else f"Scheme{kind}"), ("NAME", name), ("TITLE", title)):
        text = text.replace(word, meaning)
    return text

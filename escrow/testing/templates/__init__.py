"""The templates of files that `escrow-lab init` writes: plug-ins, and scenarios."""

from __future__ import annotations

from importlib.resources import files


def scheme(name: str) -> str:
    """Return the source of a plug-in that defines a scheme; `name` is lower-case words with hyphens between them."""
    return _filled("scheme", name)


def attack(name: str) -> str:
    """Return the source of a plug-in that defines an attack with this name, a specimen and its twin."""
    return _filled("attack", name)


def experiment(name: str) -> str:
    """Return the source of a plug-in that defines an experiment with this name."""
    return _filled("experiment", name)


def scenario(name: str) -> str:
    """Return a scenario as TOML; `name` gives its title."""
    return _filled("scenario", name)


def _filled(kind: str, name: str) -> str:
    """Return a template with the name, a title and the name of a class made from it."""
    words = name.split("-")
    made = "".join(word.capitalize() for word in words)
    title = " ".join(words).capitalize()
    text = (files(__package__) / f"{kind}.txt").read_text("utf-8")
    class_name = made if made[0].isalpha() else f"{kind.capitalize()}{made}"
    for word, meaning in (("CLASS", class_name), ("NAME", name), ("TITLE", title)):
        text = text.replace(word, meaning)
    return text

"""Derivations as nested lists: what is read on top, and below each fact what it comes from."""

from __future__ import annotations

from markupsafe import Markup

from attacks.lab.results.details import Derivation, DerivationStep
from attacks.report.page import counted
from attacks.report.svg.elements import element

DEEP = 8  # levels that are indented; deeper ones stand below each other
NETWORK = ("heard by the network", "anybody can make it")


def tree(derivation: Derivation) -> Markup:
    """Return how a text is opened; a fact that stands there twice is followed once."""
    more = (
        [element("li", f"and {counted(derivation.left_out, 'more step')}", class_="by")] if derivation.left_out else []
    )
    return element("ul", _step(derivation.steps, 0, set(), 1), *more, class_="tree")


def _step(steps: tuple[DerivationStep, ...], place: int, seen: set[int], level: int) -> Markup:
    step = steps[place]
    kind, _, fields = step.fact.partition(" ")
    said = [element("b", kind), " "] + ([element("code", fields), " "] if fields else [])
    if not step.premises:
        return element("li", *said, element("span", step.how, class_="b net" if step.how in NETWORK else "b st"))
    if place in seen:
        return element("li", *said, element("span", "as above", class_="by"))
    seen.add(place)
    answers = step.how.endswith(" answers")
    below = [_step(steps, each, seen, level + 1) for each in step.premises]
    inside = element("ul", *below, **({"class_": "deep"} if level > DEEP else {}))
    return element("li", *said, element("span", step.how if answers else f"by {step.how}", class_="by"), inside)

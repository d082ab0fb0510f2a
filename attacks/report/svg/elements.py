"""Elements of HTML and SVG, escaped as they are made: what is not an element is text, whatever it contains."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from attacks.report.page import plain

NAME = re.compile(r"[a-z][A-Za-z0-9-]*")


def element(name: str, *inside: str, **attributes: str | float) -> Markup:
    """Return an element: `inside` are elements, or strings, which become text; `class_` stands for class.

    An underscore in the name of an attribute stands for a hyphen: `aria_label`. Raise ValueError if a name is not one
    of HTML, so that no name can come from data.
    """
    written = [(key.rstrip("_").replace("_", "-"), _spelled(value)) for key, value in attributes.items()]
    for each in (name, *(key for key, _ in written)):
        if not NAME.fullmatch(each):
            raise ValueError(f"{each!r} is no name of an element or attribute")
    tag = "".join(f' {key}="{escape(plain(value))}"' for key, value in written)
    return Markup(f"<{name}{tag}>{together(*inside)}</{name}>")  # noqa: S704 (names are checked, the rest is escaped)


def together(*parts: str) -> Markup:
    """Return elements and texts one after another; no control or direction mark of a text's passes."""
    return Markup("").join(each if isinstance(each, Markup) else plain(each) for each in parts)


def picture(said: str, width: float, height: float, *inside: str, left: float = 0, class_: str) -> Markup:
    """Return an SVG picture of this size in pixels or less, which `said` tells in words."""
    return element(
        "svg",
        element("title", said),
        *inside,
        viewBox=f"{_spelled(left)} 0 {_spelled(width)} {_spelled(height)}",
        width=width,
        class_=class_,
        role="img",
        aria_label=said,
    )


def path(drawn: str, class_: str) -> Markup:
    """Return a path; nothing if nothing is drawn."""
    return element("path", d=drawn, class_=class_) if drawn else Markup("")


def use(name: str, class_: str) -> Markup:
    """Return what another element of the page defines, drawn here."""
    return element("use", href=f"#{name}", class_=class_)


def _spelled(value: str | float) -> str:
    """Return a string as it is, and a number with at most two digits after the point."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")

"""Elements of HTML and SVG, escaped as they are made: what is not an element is text, whatever it contains."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files

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


def alone(title: str, said: str, width: float, height: float, drawn: Iterable[str], *, scale: int = 1) -> str:
    """Return a picture as a file of its own, `scale` times as large, in light and dark; `said` tells it in words."""
    here = files("attacks.report.svg")
    style = "".join((here / name).read_text(encoding="utf-8") for name in ("palette.css", "drawings.css"))
    style = style.replace("\n", "")  # a line's end would be escaped, and end the style
    paper = element("rect", x=-8, width=width + 16, height=height + 8, class_="paper")
    inside = (element("title", title), element("desc", said), element("style", style), paper, *drawn)
    box = f"-8 0 {width + 16} {height + 8:.0f}"
    svg = "http://www.w3.org/2000/svg"
    return f"{element('svg', *inside, xmlns=svg, viewBox=box, width=scale * width, class_='graph alone')}\n"


def path(drawn: str, class_: str) -> Markup:
    """Return a path; nothing if nothing is drawn."""
    return element("path", d=drawn, class_=class_) if drawn else Markup("")


def use(name: str, class_: str) -> Markup:
    """Return what another element of the page defines, drawn here."""
    return element("use", href=f"#{name}", class_=class_)


def _spelled(value: str | float) -> str:
    """Return a string as it is, and a number with at most two digits after the point."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")

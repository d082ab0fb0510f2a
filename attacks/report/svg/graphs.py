"""An access structure as a drawing: names on the left, gates between, texts as bars on the right; or as DOT."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup

from attacks.lab.results.types import Anatomy
from attacks.report.page import plain
from attacks.report.svg.elements import alone, element, path, picture
from attacks.report.svg.structures import Honest, Junction, Needed, Way, ways

LEAF, BAR, WIDE = 134, 88, 400  # widths of a name, of all texts, and of the drawing
COLUMN, RAIL = 46, 258  # from one gate to the next, and where all ways meet
LINE = 23  # the height of a name
LETTERS = 19  # that fit in a name
NOBODY = "nobody opens any text"


def structure(anatomy: Anatomy) -> Markup:
    """Return the drawing of who can open texts; any of its lines suffices."""
    drawn, y = _drawn(anatomy)
    return picture(_said(anatomy), WIDE, y, *drawn, class_="graph")


def svg(anatomy: Anatomy) -> str:
    """Return the same as a file of its own, in light and in dark."""
    drawn, y = _drawn(anatomy)
    return alone(f"{anatomy.scheme}: who can open texts", _said(anatomy), WIDE, y, drawn, scale=2)


def dot(anatomy: Anatomy) -> str:
    """Return the same for Graphviz: a name is one node, wherever it is needed; officials who answer are dashed."""
    lines = [f"digraph {_quoted(anatomy.scheme)} {{", "  rankdir=LR; node [shape=box];"]
    lines.append(f"  texts [label={_quoted(f'{anatomy.sent} texts')}, peripheries=2];")
    names: dict[str | Honest, str] = {}
    gates = 0

    def node(who: Needed) -> str:
        nonlocal gates
        if not isinstance(who, Junction):
            if who not in names:
                names[who] = f"n{len(names)}"
                dashed = ", style=dashed" if isinstance(who, Honest) else ""
                lines.append(f"  {names[who]} [label={_quoted(str(who))}{dashed}];")
            return names[who]
        name, gates = f"g{gates}", gates + 1
        lines.append(f"  {name} [label={_quoted(who.label)}, shape=ellipse];")
        lines.extend(f"  {node(each)} -> {name};" for each in who.of)
        return name

    for way in ways(anatomy):
        note = f"{way.opens}{f' ({way.note})' if way.note else ''}"
        lines.append(f"  {node(way.who)} -> texts [label={_quoted(note)}];")
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = plain(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def _said(anatomy: Anatomy) -> str:
    said = "; ".join(way.said for way in ways(anatomy))
    return f"{anatomy.scheme}, of {anatomy.sent} texts: {said or NOBODY}."


def _drawn(anatomy: Anatomy) -> tuple[list[Markup], float]:
    """Return the shapes of a drawing, and its height."""
    parts = [element("text", f"of {anatomy.sent} texts", x=RAIL + 8, y=12, class_="note")]
    y = 4.0
    if not ways(anatomy):
        return [element("text", NOBODY, x=0, y=13, class_="note")], 20
    for heading, group in groupby(ways(anatomy), lambda way: way.heading):
        parts.append(element("text", heading, x=0, y=y + 9, class_="n"))
        y += 20
        first = last = 0.0
        for way in group:
            shapes, height, middle = _node(way.who, y)
            first, last = first or middle, middle
            parts += [*shapes, path(f"M{_right(way.who)} {middle}H{RAIL}", "e"), *_bar(way, anatomy.sent, middle)]
            y += height
            if way.note:
                parts.append(_text(way.note, 1, y + 8, 62, "note"))
                y += 14
            y += 5
        parts.append(path(f"M{RAIL} {first}V{last}", "rail") if first < last else Markup(""))
        y += 8
    return parts, y


def _node(who: Needed, y: float) -> tuple[list[Markup], float, float]:
    """Return a name or a gate with all that stands before it, how high it is, and where its middle is."""
    if not isinstance(who, Junction):
        kind = "leaf soft" if isinstance(who, Honest) else "leaf"
        box = element("rect", x=1, y=y, width=LEAF, height=LINE - 4, rx=3, class_=kind)
        short = f"{len(who.names)} officials answer" if isinstance(who, Honest) and len(who.names) > 1 else ""
        label = _text(str(who), 8, y + 13.5, LETTERS, "name", short)
        return [box, label], LINE, y + (LINE - 4) / 2
    drawn: list[Markup] = []
    middles, top = [], y
    for each in who.of:
        shapes, height, middle = _node(each, top)
        drawn += shapes
        middles.append((_right(each), middle))
        top += height
    middle = (middles[0][1] + middles[-1][1]) / 2
    left = _right(who) - 38
    bend = left - 22  # names lead on straight until here, beside gates that stand nearer to them
    drawn += [
        path(f"M{x} {at}H{max(x, bend)}C{left - 6} {at} {left - 16} {middle} {left} {middle}", "e") for x, at in middles
    ]
    drawn.append(element("rect", x=left, y=middle - 10, width=38, height=20, rx=10, class_="gate"))
    drawn.append(element("text", who.label, x=left + 19, y=middle + 4, class_="gt"))
    return drawn, top - y, middle


def _right(who: Needed) -> float:
    """Return where a name or gate ends, and what leads on from it begins."""
    return 1 + LEAF + (COLUMN + 14) * _levels(who)


def _levels(who: Needed) -> int:
    return 1 + max(map(_levels, who.of)) if isinstance(who, Junction) else 0


def _bar(way: Way, sent: int, middle: float) -> Iterator[Markup]:
    for wide, kind in ((BAR, "off"), (BAR * way.opens / max(sent, 1), "law" if way.lawful else "oth")):
        yield element("rect", x=RAIL + 8, y=middle - 6, width=wide, height=12, class_=kind)
    yield element("text", str(way.opens), x=RAIL + 14 + BAR, y=middle + 4.3, class_="n")


def _text(said: str, x: float, y: float, letters: int, kind: str, short: str = "") -> Markup:
    """Return a line of text; the title has what is too long for it, or said as `short`."""
    shown = short or said
    shown = shown if len(shown) <= letters else f"{shown[: letters - 1]}…"
    title = [element("title", said)] if shown != said else []
    return element("text", *title, shown, x=x, y=y, class_=kind)

"""Overhead as bars: of a text the bytes of sealed text, framing and access field, and what else it costs."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from attacks.lab.costs.measure import Overhead
from attacks.report.html.words import number, ratio
from attacks.report.svg.elements import element

TEXT, FIRST, ACCESS = "ping-pong", "set-up", "access"  # jobs: a text in a running conversation, the first, the access
NOTHING = "–"
PLAIN = "plain"


class SchemeCost(NamedTuple):
    """What a scheme costs: bytes of a text in a conversation, by part, of the first one and of an access, and time.

    What a file does not say is None; times are those of plain.
    """

    scheme: str
    sealed: int
    framing: int
    field: int
    over_plain: float | None
    first: int | None
    asked: int | None
    time: float | None

    @property
    def mail(self) -> int:
        """Return the bytes of a text."""
        return self.sealed + self.framing + self.field


def costs(bench: Overhead) -> tuple[SchemeCost, ...]:
    """Return the costs of every scheme whose texts were measured, in the file's order."""
    exact = {(each.scheme, each.job): each for each in bench.exact}
    timed = {each.scheme: each.over_plain for each in bench.timing.rows if (each.job, each.level) == (TEXT, "session")}
    plain = exact.get((PLAIN, TEXT))
    found = []
    for scheme in bench.schemes:
        if text := exact.get((scheme, TEXT)):
            first, access = exact.get((scheme, FIRST)), exact.get((scheme, ACCESS))
            found.append(
                SchemeCost(
                    scheme,
                    text.sealed,
                    text.mail - text.sealed - text.field,
                    text.field,
                    text.mail / plain.mail if plain and plain.mail else None,
                    first.mail if first else None,
                    access.asked if access and access.texts else None,
                    1.0 if scheme == PLAIN else timed.get(scheme),
                )
            )
    return tuple(found)


def overhead(bench: Overhead) -> Markup:
    """Return the table of costs, a bar for each scheme; on a narrow screen a card for each."""
    found = costs(bench)
    most = max((each.mail for each in found), default=0)
    said = (
        f"Bytes mailed for a text of {bench.text} bytes in a running conversation: sealed text, framing, access field. "
        "Bytes are exact and the same on every machine; times are ratios and are not."
    )
    titles = (
        "Scheme",
        "Bytes a text",
        "",
        "Over plain",
        "First text",
        "Bytes asked per lawful access",
        "Time, over plain",
    )
    head = element("thead", element("tr", *(element("th", title, scope="col") for title in titles)))
    rows = [
        element(
            "tr",
            element("th", each.scheme + " *" * (each.scheme in bench.unverified), scope="row"),
            element("td", bar(each, most), class_="barc"),
            _number("bytes a text", _whole(each.mail)),
            _number("over plain", _times(each.over_plain)),
            _number("first text", _whole(each.first)),
            _number("lawful access", _whole(each.asked)),
            _number("time, over plain", _times(each.time)),
        )
        for each in found
    ]
    return element("table", element("caption", said), head, element("tbody", *rows), class_="over")


def bar(cost: SchemeCost, most: int) -> Markup:
    """Return the bytes of a text as a bar, as wide as its share of `most`."""
    said = f"{cost.sealed} bytes sealed text, {cost.framing} bytes framing, {cost.field} bytes access field"
    parts, left = [element("title", said)], 0.0
    for kind, size in (("s1", cost.sealed), ("s2", cost.framing), ("s3", cost.field)):
        wide = 100 * size / max(most, 1)
        if size:
            parts.append(element("rect", x=f"{left:.2f}%", width=f"{wide:.2f}%", height=14, class_=kind))
        left += wide
    return element("svg", *parts, height=14, class_="bar", role="img", aria_label=said)


def _number(label: str, said: str) -> Markup:
    return element("td", said, data_l=label)


def _whole(count: int | None) -> str:
    return NOTHING if count is None else number(count)


def _times(value: float | None) -> str:
    return NOTHING if value is None else ratio(value)

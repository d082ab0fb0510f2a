"""Timelines of a cell: what its coalition reads above what the law reads, and what happens on which day."""

from __future__ import annotations

from markupsafe import Markup

from attacks.lab.adversary.timing.evenings import from_text
from attacks.report.html.pictures import Layout, Strip, Timeline
from attacks.report.page import counted
from attacks.report.svg.elements import element, path, together, use
from attacks.report.svg.squares import BLOCK, STEP, height
from attacks.report.svg.strips import halves, meaning, squares

LEFT, WIDE = -5, 119
LONGEST = 46  # characters of a caption that fit beside each other
KEYS = {
    "took": ("M6 2l5 8h-10z", "stolen that evening"),
    "could": ("M6 2l5 8h-10z", "or on one of these evenings"),
    "held": ("M0 6h12", "taken over"),
    "flag": ("M3 11V1h7l-2 2.5 2 2.5H3", "alarms of honest parties on that day"),
}
FIRST_DAYS = "first alarm of a check, and how often it complains from then on"  # where a file says no more


def timeline(layout: Layout, shown: Timeline, coalition: str) -> Markup:
    """Return the figure of a cell's timeline, with a key to its marks; `coalition` says who the coalition is."""
    marks = _marks(layout, shown)
    drawn = [_half(layout, shown, marks, coalition, *each) for each in halves(layout)]
    picture = element("div", *drawn, class_="tl", role="img", aria_label=in_words(layout, shown, coalition))
    covered = [_key("ring", "M1 1h10v10h-10z", "covered by a warrant")] if layout.covered else []
    known = KEYS | ({"flag": (KEYS["flag"][0], FIRST_DAYS)} if shown.first_days else {})
    keys = [_key(name, *known[name]) for name in known if any(name in each for each in marks.values())]
    return element("figure", picture, element("figcaption", f"{meaning(layout)} ", *keys, *covered))


def in_words(layout: Layout, shown: Timeline, coalition: str) -> str:
    """Return what a timeline shows."""
    parts = [
        f"Texts read by {who}: {_by_day(layout, each)}."
        for who, each in ((coalition, shown.coalition), ("the law", shown.law))
        if each is not None
    ]
    parts += [
        f"{each.who} {'taken over' if each.how in ('turned', 'kept') else 'stolen'} "
        f"{'at set-up' if each.day < 0 else f'on day {each.day}'}{f', or on {each.or_on}' if each.or_on else ''}."
        for each in shown.taken
    ]
    when = "First on day" if shown.first_days else "Day"
    parts += [f"{when} {day}: {counted(times, 'alarm')}." for day, times in shown.alarms.items()]
    return " ".join(parts)


def _by_day(layout: Layout, shown: Strip) -> str:
    counts = [(day, sum(text in shown.texts for text in of_day)) for day, of_day in enumerate(layout.days)]
    return ", ".join(f"day {day}: {count}" for day, count in counts if count) or "none"


def _marks(layout: Layout, shown: Timeline) -> dict[int, set[str]]:
    """Return the kinds of marks on each day; day -1 is the set-up."""
    marks: dict[int, set[str]] = {day: set() for day in range(-1, len(layout.days))}
    for each in shown.taken:
        day = each.day
        if each.how in ("stolen", "used"):
            marks.get(day, set()).add("took")
        if each.how != "stolen":
            for held in range(max(day, 0) + (each.how == "used"), len(layout.days)):
                marks[held].add("held")
    others = {day for each in shown.taken if each.or_on for day in from_text(each.or_on)}
    for day in others & marks.keys():
        if "took" not in marks[day]:
            marks[day].add("could")
    for day in shown.alarms.keys() & marks.keys():
        marks[day].add("flag")
    return marks


def _half(
    layout: Layout, shown: Timeline, marks: dict[int, set[str]], coalition: str, name: str, days: range
) -> Markup:
    """Return the days of one row, whose shared shapes have this name."""
    parts = [use(f"{name}-days", "ax")]
    y = 6.0
    if shown.coalition is not None:
        parts.append(_strip(layout, shown.coalition, f"read by {coalition}", y, name, days))
        y += 9 + height(layout)
    kinds = set[str]().union(*marks.values())
    if triangles := [kind for kind in ("took", "could") if kind in kinds]:
        nights = [-1, *days] if days[0] == 0 else days
        for kind in triangles:
            places = [night - days[0] for night in nights if kind in marks[night]]
            parts.append(path("".join(f"M{_short(place)} {y:.1f}l2.2 3.4h-4.4z" for place in places), kind))
        y += 4
    if "held" in kinds:
        runs = [place for place, day in enumerate(days) if "held" in marks[day]]
        parts.append(path("".join(f"M{place * STEP} {y + 1.2:.1f}h{BLOCK}" for place in runs), "held"))
        y += 3.4
    if shown.law is not None:
        parts.append(_strip(layout, shown.law, "read by the law", y, name, days))
        y += 9 + height(layout)
    if "flag" in kinds:
        parts += [_flag(place * STEP, y, shown.alarms[day]) for place, day in enumerate(days) if "flag" in marks[day]]
        y += 6
    box = f"{LEFT} 0 {WIDE} {y:.1f}"
    return element("svg", *parts, viewBox=box, width=3 * WIDE, class_="half", aria_hidden="true")


def _strip(layout: Layout, shown: Strip, caption: str, y: float, name: str, days: range) -> Markup:
    short = caption if len(caption) <= LONGEST else caption[: LONGEST - 1] + "…"
    return together(
        element("text", short, x=0, y=y + 6.4, class_="cap"),
        element("g", squares(layout, shown, name, days, outlined=True), transform=f"translate(0 {y + 8.5:.1f})"),
    )


def _short(place: int) -> str:
    """Return where the top of a triangle at the end of a day stands."""
    return f"{place * STEP + BLOCK - 2.2:.1f}"


def _flag(x: float, y: float, times: int) -> Markup:
    pole = path(f"M{x + 1:.1f} {y + 5.4:.1f}v-5h3.4l-1 1.2 1 1.2h-3.4", "flag")
    return together(pole, element("text", str(times), x=x + 6, y=y + 5.2, class_="cap"))


def _key(kind: str, drawn: str, meaning: str) -> Markup:
    """Return what a mark means, beside the mark."""
    mark = element("svg", path(drawn, kind), viewBox="0 0 12 12", class_="k", aria_hidden="true")
    return element("span", mark, meaning, class_="key")

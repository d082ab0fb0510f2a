"""Drawings of the report: what is drawn is what the result says, and no string of a result becomes an element."""

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from attacks.lab.results.details import AlarmDays, Derivation, DerivationStep, StateTaken, texts_of
from attacks.lab.results.types import Alarms
from attacks.lab.simulation.scenario import Scenario, WarrantSpec
from attacks.report.html.pictures import Layout, Strip, Timeline, alarms_by_day, layout
from attacks.report.svg.elements import element, together
from attacks.report.svg.strips import definitions, strip
from attacks.report.svg.timelines import timeline
from attacks.report.svg.trees import tree
from escrow.scheme import User

HOSTILE = "\"><img src=x onerror=alert(1)><!--'</svg></style><script>alert(1)</script>"
SCENARIO = Scenario(
    days=3,
    messages=36,
    users=(User("alice", ("alice-phone",)), User("bob", ("bob-phone",)), User("carol", ("carol-phone",))),
    warrants=(WarrantSpec("bob", 1, 1, 1, 2),),
)


def drawn(scenario: Scenario = SCENARIO) -> Layout:
    return layout(scenario, texts_of(scenario))


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(str(markup))  # noqa: S314 (what it reads, this project has written)


def step(how: str, fact: str, premises: tuple[int, ...] = ()) -> DerivationStep:
    return DerivationStep(how=how, fact=fact, premises=premises)


def names(markup: str) -> set[str]:
    found: set[str] = set()

    class Names(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            found.add(tag)

    Names().feed(str(markup))
    return found


def area(markup: str, kind: str) -> float:
    """Return the area of the rectangles of a class in a picture, in squares of a text."""
    root = parsed(markup)
    total = 0.0
    for path in root.iter("path"):
        if path.get("class") == kind:
            for rectangle in path.get("d", "").split("z")[:-1]:
                _, across, down = rectangle.replace("v", "h").split("h")[:3]
                total += float(across) * float(down)
    return total / 16


@pytest.mark.parametrize("texts", [set(), {0}, {3, 4, 5, 17, 35}, set(range(36)), set(range(0, 36, 2))])
def test_a_strip_fills_a_square_for_each_text_that_is_read(texts: set[int]) -> None:
    shown = strip(drawn(), Strip("other", frozenset(texts)))
    assert area(shown, "oth") == len(texts)
    assert parsed(shown).get("aria-label", "").startswith(f"{len(texts)} of 36 texts")


def test_the_strip_of_the_law_counts_covered_texts_and_others_apart() -> None:
    places = drawn()
    beyond = min(set(range(36)) - places.covered)
    said = parsed(strip(places, Strip("law", places.covered | {beyond}))).get("aria-label")
    assert (
        said
        == f"the law reads {len(places.covered)} of {len(places.covered)} covered texts, and 1 that no warrant covers"
    )


def test_days_with_more_than_forty_texts_are_bars_whose_area_is_the_share_that_is_read() -> None:
    crowded = msgspec.structs.replace(SCENARIO, messages=300)
    places = drawn(crowded)
    half = frozenset(text for day in places.days for text in day[: len(day) // 2])
    assert area(strip(places, Strip("other", half)), "oth") == pytest.approx(3 * 25 / 2, rel=0.02)


def test_what_drawings_use_is_defined_once() -> None:
    places = drawn()
    page = element("div", definitions(places), strip(places, Strip("law", places.covered)))
    root = parsed(page)
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    used = {each.get("href", "").removeprefix("#") for each in root.iter("use")}
    assert used and used <= set(ids) and len(set(ids)) == len(ids)


def taken(**what: object) -> StateTaken:
    return msgspec.convert({"who": "agent", "how": "stolen", "day": 1, "time": "evening"} | what, StateTaken)


@pytest.mark.parametrize(
    "given, marks",
    [
        ([taken()], {"took": 1}),
        ([taken(or_on="set-up,0,2")], {"took": 1, "could": 3}),
        ([taken(how="turned", time="morning")], {"held": 2}),
        ([taken(how="used")], {"took": 1, "held": 1}),
        ([taken(day=-1)], {"took": 1}),
        ([taken(day=99, or_on="98")], {}),
    ],
)
def test_a_timeline_marks_what_is_stolen_and_taken_over(given: list[StateTaken], marks: dict[str, int]) -> None:
    figure = timeline(drawn(), Timeline(Strip("other", frozenset({1})), None, tuple(given), {2: 7}), "agent")
    picture = parsed(figure).find("div")
    assert picture is not None
    drawn_as = {each.get("class"): each.get("d", "").count("M") for each in picture.iter("path")}
    assert {kind: count for kind, count in drawn_as.items() if kind in ("took", "could", "held")} == marks
    assert drawn_as["flag"] == 1 and "7" in [each.text for each in picture.iter("text")]
    assert "day 2: 7 alarms" in picture.get("aria-label", "").lower()


def alarm(times: dict[str, int] | UnsetType) -> Alarms:
    days = UNSET if times is UNSET else AlarmDays(times=times)
    return Alarms(who="bob", check="safety number", times=7, first_day=1, packets=9, days=days)


def test_alarms_stand_on_their_days_and_of_an_earlier_file_on_the_first() -> None:
    known, unknown = alarm({"1": 3, "2": 4}), alarm(UNSET)
    assert alarms_by_day([known]) == {1: 3, 2: 4} and alarms_by_day([unknown]) == {1: 7}
    assert alarms_by_day([known, unknown]) == {1: 10, 2: 4}
    for shown, said in ((False, "alarms of honest parties on that day"), (True, "from then on")):
        seen = Timeline(Strip("other", frozenset({1})), None, (), {1: 7}, shown)
        figure = parsed(timeline(drawn(), seen, "agent"))
        assert said in "".join(figure.itertext())


@pytest.mark.parametrize("times", [{"1": 3}, {"1": 3, "2": 5}, {"2": 7}, {"one": 7}])
def test_alarms_by_day_are_as_many_as_the_count_and_begin_on_its_day(times: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        alarm(times)


@pytest.mark.parametrize("evenings", ["0-9007199254740991", "5000", "one", "0,,1"])
def test_other_evenings_of_a_theft_are_evenings(evenings: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        taken(or_on=evenings)


def test_a_fact_that_is_used_twice_is_followed_once_and_a_circle_ends() -> None:
    steps = (("unpack", "Text a", (1, 2)), ("open", "Key", (2,)), ("derive", "Seed", (1,)))
    shown = str(tree(Derivation(text=0, steps=tuple(step(*each) for each in steps), left_out=2)))
    assert shown.count("as above") == 2 and "and 2 more steps" in shown


def test_strings_of_a_result_are_text_whatever_they_are() -> None:
    places, hostile = drawn(), taken(who=HOSTILE)
    shown = Timeline(Strip("other", frozenset({1})), Strip("law", frozenset({2})), (hostile,), {0: 1})
    derived = Derivation(text=0, steps=(step(HOSTILE, HOSTILE, (1,)), step(HOSTILE, HOSTILE)))
    page = together(timeline(places, shown, HOSTILE), tree(derived), element("p", HOSTILE, title=HOSTILE))
    assert names(page) <= {
        "figure",
        "figcaption",
        "div",
        "svg",
        "text",
        "g",
        "use",
        "path",
        "span",
        "ul",
        "li",
        "b",
        "code",
        "p",
    }


@pytest.mark.parametrize("name", ["img src=x", "", "a>", "x/"])
def test_no_name_of_an_element_comes_from_data(name: str) -> None:
    with pytest.raises(ValueError):
        element(name)
    with pytest.raises(ValueError):
        element("p", **{name: "x"})

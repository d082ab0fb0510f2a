"""Reports: what is measured is what is read, at any width, and nothing in them judges more than the result does."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import attacks.registry
from attacks.lab.results.formulas import AccessFormula
from attacks.lab.results.naming import Identities, Naming, Secrets
from attacks.lab.results.types import (
    Alarms,
    Anatomy,
    ByDay,
    Cell,
    Cost,
    Exposed,
    Exposure,
    Manifest,
    Matrix,
    MemberThreshold,
    Minimal,
    Verdict,
    to_json,
)
from attacks.lab.simulation.scenario import default
from attacks.report import anatomy, cards, schemas
from attacks.report.matrices import matrix, scorecard
from attacks.report.page import NARROW, Page, counted, plain
from escrow import registry
from escrow.schemes.split_key import SplitKey

SCHEMES = ("plain", "envelope", "split-key")
ATTACKS = ("authority-theft", "device-compromise", "field-stripping", "null-eavesdropper", "prekey-substitution")
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
NUMBER = Alarms(who="alice-phone", check="safety number", times=2, first_day=6, packets=900)
DEVICE = Alarms(who="bob-phone", check="a new device or key is shown", times=1, first_day=3, packets=300)


def drawn(draw: Callable[[Page], None], width: int = 80, colours: bool = False) -> str:
    stream = io.StringIO()
    draw(Page(stream, width, colours))
    return stream.getvalue()


def manifest(schemes: tuple[str, ...] = SCHEMES, unverified: tuple[str, ...] = ()) -> Manifest:
    return Manifest(
        version="0",
        scenario=default(),
        parameters={},
        schemes=schemes,
        attacks=ATTACKS,
        inventory="",
        unverified=unverified,
    )


def cell(scheme: str, attack: str, verdict: Verdict = "HELD", **counts: object) -> Cell:
    return Cell(scheme=scheme, attack=attack, verdict=verdict, sent=250, **counts)  # type: ignore[arg-type]


def of(*cells: Cell, unverified: tuple[str, ...] = ()) -> Matrix:
    known = {(each.scheme, each.attack): each for each in cells}
    every = tuple(known.get((s, a)) or cell(s, a) for s in SCHEMES for a in ATTACKS)
    return Matrix(manifest=manifest(unverified=unverified), cells=every)


# --- the page ---


@given(st.text())
def test_nothing_that_a_terminal_could_obey_is_written(text: str) -> None:
    shown = drawn(lambda page: (page.raw(text), page.table(("a",), [(text,), ((text, "bold"),)]))[0])
    assert not OBEYED.search(shown)


def test_ordinary_text_is_left_alone() -> None:
    assert plain("π = {x_i}G · „ja“ → 5") == "π = {x_i}G · „ja“ → 5"
    assert (counted(1, "text"), counted(0, "text"), counted(2, "text")) == ("1 text", "0 texts", "2 texts")


def test_colours_are_written_only_where_they_are_asked_for() -> None:
    breach = of(cell("plain", ATTACKS[0], "BREACH"), cell("plain", ATTACKS[1], "ERROR"))
    coloured = drawn(lambda page: matrix.draw_matrix(page, breach, verdicts=True), colours=True)
    bare = drawn(lambda page: matrix.draw_matrix(page, breach))
    assert "\x1b[1mBREACH" in coloured and "\x1b" not in bare
    assert not re.search(r"\x1b\[[0-9;]*(32|42|92|102)[;m]", coloured)  # no green: no verdict means that all is well


# --- the matrix ---


@pytest.mark.parametrize("width", [NARROW, 60, 80, 200])
def test_every_verdict_stands_in_the_row_of_its_scheme_and_the_column_of_its_attack(width: int) -> None:
    odd = of(cell("envelope", ATTACKS[3], "NOT_APPLICABLE"), cell("split-key", ATTACKS[1], "AS CLAIMED"))
    lines = drawn(lambda page: matrix.draw_matrix(page, odd, verdicts=True), width).splitlines()
    assert max(map(len, lines)) <= width
    row = [line for line in lines if line.startswith("envelope ")]
    assert sum(line.count("NOT_APPLICABLE") for line in row) == 1
    verdicts = " ".join(line.removeprefix("split-key") for line in lines if re.match("split-key  +[A-Z]", line))
    assert re.findall("AS CLAIMED|[A-Z_]+", verdicts) == ["HELD", "AS CLAIMED", "HELD", "HELD", "HELD"]


def test_a_wide_page_needs_one_table_and_a_narrow_one_several_of_like_size() -> None:
    heads = [
        drawn(lambda page: matrix.draw_matrix(page, of(), verdicts=True), width)
        .split("The lawful path")[0]
        .count("scheme ")
        for width in (200, 80, NARROW)
    ]
    assert heads == [1, 2, 3]


def test_each_cell_that_is_a_breach_or_was_not_judged_has_its_reason() -> None:
    verdicts: tuple[Verdict, ...] = ("BREACH", "INCONCLUSIVE", "TIMEOUT", "ERROR")
    tried = dict(zip(verdicts, ATTACKS, strict=False))
    cells = [cell("plain", attack, verdict, reason=f"because {verdict}") for verdict, attack in tried.items()]
    made = of(*cells, cell("plain", ATTACKS[4], reason="quiet"))
    told = drawn(lambda page: matrix.draw_matrix(page, made, verdicts=True))
    brief = drawn(lambda page: matrix.draw_matrix(page, made))
    for verdict, attack in tried.items():
        assert (f"because {verdict}" in brief) == (verdict in matrix.INCOMPLETE)
        assert f"\n{verdict}\n  plain, {attack}: because {verdict}\n" in told
    assert "quiet" not in told and "15 cells: 11 HELD, 1 BREACH" in told


def test_what_nobody_checked_is_marked() -> None:
    told = drawn(lambda page: matrix.draw_matrix(page, of(unverified=("envelope",)), verdicts=True))
    assert "\nenvelope *  " in told and "unverified until `escrow-lab check` passes" in told
    assert "unverified" not in drawn(lambda page: matrix.draw_matrix(page, of()))


def test_a_cell_is_told_with_who_read_what_and_who_noticed() -> None:
    exposed = Exposed(target=Exposure(past=30, future=20), bystander=Exposure(past=0, future=1))
    one = cell(
        "plain",
        "authority-theft",
        "BREACH",
        reason="too much",
        coalition=("agent-1@3", "agent-2@3"),
        exposed=exposed,
        excluded=7,
        alarms=(NUMBER, DEVICE),
        lawful=20,
        entitled=25,
        evaded=5,
    )
    told = drawn(lambda page: matrix.draw_cell(page, one), 200)
    for said in (
        "plain under authority-theft: BREACH",
        "agent-1@3, agent-2@3",
        "51 of 250 texts, 7 of them against the claim",
        "30 texts from before the corruption, 20 from after it",
        "20 of 25; 0 overreached, 5 evaded",
        "safety number, by alice-phone 2 times; first on day 6, after 900 packets",
        "a new device or key is shown, by bob-phone; first on day 3, after 300 packets",
    ):
        assert said in told


def test_framing_and_searches_are_told_where_there_are_any() -> None:
    one = cell("plain", "squeeze", "BREACH", framed=2, cost=Cost(trials=65536))
    told = drawn(lambda page: matrix.draw_cell(page, one))
    assert "framed  2 texts attributed to somebody who did not send them" in told and "search  65536 trials" in told
    quiet = drawn(lambda page: matrix.draw_cell(page, cell("plain", "squeeze")))
    assert "framed" not in quiet and "search" not in quiet


# --- the scorecard ---


def test_the_lawful_path_is_that_of_the_least_disturbed_play() -> None:
    usual = {"entitled": 30, "lawful": 25, "evaded": 5, "unkept": 2}
    cells = [cell("plain", attack, **usual) for attack in ATTACKS[:3]]
    cells += [cell("plain", ATTACKS[3], entitled=30, lawful=90, overreached=60, added_over_plain=9)]
    cells += [cell("plain", ATTACKS[4], entitled=30, lawful=10, evaded=20, added_over_plain=9)]
    row = scorecard.rows(of(*cells))[0]
    assert (row.entitled, row.lawful, row.overreached, row.evaded, row.unpromised) == (30, 25, 0, 5, 3)
    told = drawn(lambda page: scorecard.draw(page, of(*cells)))
    assert re.search(r"plain +30 +25 +0 +5 +3\b", told) and "of them not promised" in told
    assert row.most_overreached == (60, (ATTACKS[3],)) and row.most_evaded == (20, (ATTACKS[4],))
    assert row.added_over_plain == (9, ATTACKS[3:])
    assert row.most_framed == (0, ())


def test_framing_stands_in_the_scorecard_by_its_attack_where_there_is_any() -> None:
    told = drawn(lambda page: scorecard.draw(page, of(cell("plain", ATTACKS[1], framed=3))))
    assert f"framed      3 texts under {ATTACKS[1]}" in told and told.count("framed") == 1


def test_alarms_without_an_attack_stand_apart_from_those_that_it_raises() -> None:
    loud = msgspec.structs.replace(NUMBER, times=7)
    cells = [cell("plain", attack, alarms=(NUMBER,)) for attack in ATTACKS[:4]]
    row = scorecard.rows(of(*cells, cell("plain", ATTACKS[4], alarms=(loud, DEVICE))))[0]
    assert row.honest_alarms == {"safety number": 2}
    assert row.alarms == {"safety number": {ATTACKS[4]: 5}, "a new device or key is shown": {ATTACKS[4]: 1}}


def test_cells_that_were_not_judged_count_for_nothing() -> None:
    cells = [cell("plain", attack, "INCONCLUSIVE", added_over_plain=9) for attack in ATTACKS]
    assert [row.scheme for row in scorecard.rows(of(*cells))] == ["envelope", "split-key"]
    cells[0] = cell("plain", ATTACKS[0])
    assert scorecard.rows(of(*cells))[0].added_over_plain == (0, ())


# --- anatomy ---


def minimal(*members: str, name: str = "mathematics", opens: int = 250, **others: object) -> Minimal:
    official = not any("phone" in member for member in members)
    days = {"3": ByDay(earlier=100, later=opens - 100)} if opens > 100 else {"3": ByDay(earlier=0, later=opens)}
    fields = {"mode": "passive", "by_day": days, "officials_only": official} | others
    return Minimal(label_pass=name, members=members, opens=opens, **fields)  # type: ignore[arg-type]


def told_of(*found: Minimal, width: int = 80, identities: Identities | None = None) -> str:
    of_one = manifest(("split-key",))
    measured = Anatomy(scheme="split-key", sent=250, minimal_coalitions=found, identities=identities, manifest=of_one)
    return drawn(lambda page: anatomy.draw_anatomy(page, measured), width)


def test_the_last_line_says_what_is_not_counted() -> None:
    assert told_of().endswith("message history kept on a device's screen is not counted.\n")
    assert "no coalition opens any of the 250 texts" in told_of()


def test_the_structure_stands_first_as_formulas_and_evenings_only_where_they_are_asked_for() -> None:
    found = (minimal("agent-1@0-9", "agent-2@0-9", periods=("0-3", "4-9")), minimal("court@0-9", name="served"))
    rows = [("mathematics", True, 250, "any 2 of {agent-1; agent-2; agent-3}"), ("served", True, 250, "court")]
    rows += [("without window", True, 90, "authority"), ("without target", True, 70, "authority")]
    structure = tuple(AccessFormula(label_pass=n, officials_only=o, opens=count, formula=f) for n, o, count, f in rows)
    active = minimal("provider@3-9", mode="active", meddle="ghost-insertion", strategy="everybody", alarms=(NUMBER,))
    of_one = manifest(("split-key",))
    made = Anatomy(
        scheme="split-key", sent=250, structure=structure, minimal_coalitions=(*found, active), manifest=of_one
    )
    told = drawn(lambda page: anatomy.draw_anatomy(page, made))
    assert told.startswith("split-key: who opens how many of 250 texts\n")
    within = " (all taken within one of: evening\n       0-3; 4-9)\n"
    assert f"alone\n  250  any 2 of {{agent-1; agent-2; agent-3}}{within}" in told
    assert "\nWhile officials answer requests\n  250  court\n\n" in told
    assert "made\n   90  authority (left out: window)\n   70  authority (left out: target)\n" in told
    assert "\n  250  provider: ghost-insertion, everybody; 2 alarms\n" in told
    assert "passive" not in told
    assert "split-key, passive, served" in drawn(lambda page: anatomy.draw_anatomy(page, made, evenings=True))


def test_passes_are_sections_and_a_later_one_tells_what_it_adds() -> None:
    both = [minimal("agent-1@0-9", "agent-2@0-9", name=name) for name in ("mathematics", "served", "without window")]
    court = [minimal("court@0-9", name=name, services=("agent-1",)) for name in ("served", "without window")]
    narrow, wide = minimal("authority@0-9", name="served", opens=20), minimal("authority@0-9", name="without window")
    told = told_of(both[0], both[1], court[0], narrow, both[2], court[1], wide)
    mathematics, served, without = told.split("\nsplit-key, passive, ")[1:]
    assert "agent-1@0-9, agent-2@0-9: opens 250 of 250\n    evening 3: 100+150" in mathematics
    assert "1 coalition as under mathematics, and:\n  court@0-9: opens 250 of 250" in served
    assert "answered by agent-1" in served and "agent-2@0-9" not in served
    assert "2 coalitions as under served, and:\n  authority@0-9: opens 250 of 250" in without


def test_officials_come_first_and_many_devices_are_counted_not_listed() -> None:
    devices = [minimal(f"phone-{n}@{n % 10}", opens=60 - n) for n in range(anatomy.SHOWN + 5)]
    told = told_of(*devices, minimal("agent@0-9", opens=1))
    assert told.index("agent@0-9") < told.index("with users' devices:") < told.index("phone-0@0")
    assert told.count("phone-") == anatomy.SHOWN
    assert f"and 5 more, each opening at most {60 - anatomy.SHOWN} texts" in told
    assert "officials: no coalition of them opens anything" in told_of(*devices)


def test_a_threshold_is_told_short_and_an_active_one_with_its_attack_and_alarms() -> None:
    wide = MemberThreshold(t=67, of=tuple(f"agent-{n}@0-9" for n in range(1, 101)))
    assert "any 67 of 100 (agent-1@0-9, agent-2@0-9 … agent-100@0-9): opens 250" in told_of(minimal(threshold=wide))
    active = minimal("provider@3-9", mode="active", meddle="ghost-insertion", alarms=(NUMBER,))
    told = told_of(active)
    assert "split-key, active, by attack, mathematics\n" in told
    assert "provider@3-9 by ghost-insertion: opens 250 of 250" in told
    assert "alarm: safety number, by alice-phone 2 times; first on day 6, after 900" in told


def test_who_learns_senders_and_what_secrets_give_is_told_pass_by_pass() -> None:
    naming = [
        Naming(label_pass=name, members=(who,), officials_only=True, names=9, opens_nothing=nothing)
        for name in ("mathematics", "served")
        for who, nothing in (("agent@0-9", ()), ("office@0-9", (1, 2, 5)))
    ]
    half = {"least": 3, "most": 4, "opens": 7, "first_day": 1, "last_day": 8, "names": 9}
    none = {"least": 0, "most": 0, "opens": 0, "first_day": -1, "last_day": -1, "names": 9}
    secrets = [Secrets(kinds=("A", "B", "B"), sets=2, **half), Secrets(kinds=("A",), sets=1, **none)]
    found = Identities(fields=10, coalitions=tuple(naming), secrets=tuple(secrets))
    told = " ".join(told_of(minimal("agent@0-9"), minimal("agent@0-9", name="served"), identities=found).split())
    assert "who learns the sender of how many of 10 fields By mathematics alone 9 agent@0-9; office@0-9" in told
    assert "and no text: office@1-2,5" in told and told.count("9 agent@0-9") == 1
    assert "A + 2 B: 2 ways: opens 3 to 4 of 250, the first by day 1, the last on day 8 or later; together 7" in told
    assert "A: names the sender of 9 of 10 fields, opens no text" in told
    alone = told_of(identities=Identities(unmeasured="nobody looked"))
    assert "who names senders: not measured, since nobody looked" in alone
    assert "sender" not in told_of(minimal("agent@0-9"))


def test_equal_evenings_are_drawn_together() -> None:
    days = {str(day): ByDay(earlier=1, later=1) for day in (0, 1, 2, 4)} | {"10": ByDay(earlier=3, later=0)}
    assert anatomy.by_day(days) == "0-2: 1+1, 4: 1+1, 10: 3+0"


# --- cards ---


def test_every_scheme_and_attack_has_a_card_with_a_source_and_a_sentence() -> None:
    found = cards.cards([*registry.schemes().values(), *attacks.registry.attacks().values()]).cards
    assert len(found) >= 12
    for each in found:
        assert each.sentence and each.source.author and 1900 < each.source.year < 2100
        assert each.kind == "attack" or (each.protocol and each.weak and each.claim)
        told = drawn(lambda page, shown=each: cards.draw_card(page, shown), 60)  # type: ignore[misc]
        assert max(map(len, told.splitlines())) <= 60
        assert " ".join(each.sentence.split()) in " ".join(told.split())


def test_a_card_tells_the_parameters_in_force() -> None:
    card = cards.card(registry.with_parameters(SplitKey(), ["split-key.t=3", "split-key.n=5"]))
    options = {"committing": False, "policing": "none", "modes": "all", "failed": "stop"}
    assert card.parameters == {"t": 3, "n": 5, **options} and card.claim is not None and card.claim.grants[1].t == 3
    told = drawn(lambda page: cards.draw_card(page, card))
    assert "t=3, n=5" in told and "any 3 of agent-*: everything" in told


# --- files and words ---


def test_the_published_schemas_are_those_of_the_types() -> None:
    folder = Path(__file__).parents[2] / "docs" / "schemas"
    published = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    assert published == dict(schemas.schemas()), "python -m attacks.report.schemas docs/schemas"


def test_a_result_is_read_back_as_it_was_written() -> None:
    written = of(cell("plain", ATTACKS[0], "BREACH", alarms=(NUMBER,), coalition=("agent@3",)))
    assert msgspec.json.decode(to_json(written), type=Matrix) == written
    with pytest.raises(msgspec.ValidationError, match="unknown field `extra`"):
        msgspec.json.decode(to_json(written).replace(b'"manifest"', b'"extra": 1, "manifest"', 1), type=Matrix)


def test_no_report_says_secure_or_safe() -> None:
    """Nobody survives all attacks, only those that were tried."""
    root = Path(matrix.__file__).parent.parent
    for path in (*root.glob("report/*.py"), *root.glob("cli/*.py"), *root.glob("cli/*.txt")):
        assert not re.search(r"\b(in)?(secure|safe)\b", path.read_text("utf-8"), re.IGNORECASE), path

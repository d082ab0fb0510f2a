"""The HTML report: every cell with its numbers, links that land, strings that stay text, older files, and its size."""

import base64
import hashlib
import re
import shlex
import time
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from msgspec import UNSET
from pages import ATTACKS, SCHEMES, Reader, page, played

from attacks.cli.app import app
from attacks.lab.comparison import files
from attacks.lab.results.details import StateTaken
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.simulation.scenario import default
from attacks.report.html import heat, runs
from attacks.report.html.reproducing import commands, scenario_options
from attacks.report.html.words import MINUS, THIN
from attacks.report.matrices import grid
from attacks.report.matrices.matrix import told
from escrow.registry import schemes

SUPPORT = Path(__file__).parents[1] / "support"
HOSTILE = "\"><img src=x onerror=alert(1)><!--'</style></script><script>alert(1)</script>{{ 7 * 7 }}\u202e\x1b[2J"
replace = msgspec.structs.replace


def drawn(matrix: Matrix | None = None) -> Reader:
    return Reader(page(matrix or played()))


def sections(text: str) -> dict[str, str]:
    """The section of each run by its id, as markup."""
    found = re.findall(r'<details class="cell">.*?<h4 id="(c-\d+)".*?</details>', text, re.S)
    bodies = re.findall(r'(<details class="cell">.*?</details>)', text, re.S)
    return dict(zip(found, bodies, strict=True))


def every_cell(change: Any) -> Matrix:
    """The small matrix with every cell changed."""
    return replace(played(), cells=tuple(change(cell) for cell in played().cells))


# --- what stands there ---


def test_every_link_lands_and_no_id_stands_twice() -> None:
    found = drawn()
    ids = found.all("id")
    assert len(ids) == len(set(ids))
    links = found.all("href")
    assert len(links) > 50 and all(each.startswith("#") for each in links)
    assert {each[1:] for each in links} <= set(ids)


def test_every_cell_has_its_section_with_its_numbers() -> None:
    text = page(played())
    found = sections(text)
    judged, whole = [cell for cell in played().cells if cell.verdict != "NOT_APPLICABLE"], Reader(text).text
    assert len(found) == len(judged) < len(played().cells)
    for cell in played().cells:
        if cell.verdict == "NOT_APPLICABLE":
            assert f"{cell.scheme}, {cell.attack}: {cell.reason}" in whole
    meetings = len(played().manifest.scenario.ceremonies)
    by_cell = {(cell.scheme, cell.attack): f"c-{at}" for at, cell in enumerate(played().cells)}
    for cell in judged:
        said = Reader(found[by_cell[cell.scheme, cell.attack]]).text
        assert cell.scheme in said and cell.attack in said and cell.verdict in said
        assert (cell.digest or cell.key) in said and "seed 2019" in said
        assert f"escrow-lab run {cell.attack} --scheme {cell.scheme} --users 4 --days 5 --messages 24" in said
        for name, value in told(cell, meetings):
            assert f"{name}{' '.join(value.split())}" in said


def test_the_map_has_the_numbers_of_the_text() -> None:
    cells = {(cell.scheme, cell.attack): cell for cell in played().cells}
    text = page(played()).split('id="map"')[1]
    for at, ((_, attack), cell) in enumerate(cells.items()):
        if cell.verdict == "NOT_APPLICABLE":
            continue
        shown = heat.tally(cell, cells["plain", attack])
        same = "=" if cell.exposed.total else "0"
        assert shown.shown == grid.beside(cell, cells["plain", attack]).replace("=", same)
        assert (shown.mark, shown.missing) == (grid.MARKS.get(cell.verdict, ""), cell.unkept)
        assert shown.missing + shown.false == grid.failed(cell)
        (entry,) = re.findall(rf'<td class="[\w ]*"><a href="#c-{at}" title=.*?>(.*?)</a>', text, re.S)
        wanted = [f"{shown.mark}{shown.shown}"] * (shown.kind != "miss")
        wanted += [f"{what} {count}" for what, count in (("miss", shown.missing), ("bad", shown.false)) if count]
        assert " ".join(Reader(entry).text.split()).removesuffix(" lost") == " ".join(wanted)


def test_runs_stand_in_sections_worst_first() -> None:
    text = page(played())
    titles = re.findall(r"<h3>(.*?) <span", text)
    assert titles[0] == runs.MORE
    text = text.split('id="runs"')[1]
    envelope = text.index("escrow-lab run authority-theft --scheme envelope")
    ghost = text.index("escrow-lab run authority-theft --scheme ghost")
    plain = text.index("escrow-lab run ghost-insertion --scheme plain")
    assert envelope < ghost < plain


def test_a_finding_leads_to_its_runs_and_stands_only_where_it_holds() -> None:
    text = page(played())
    said = Reader(text).text
    assert "One key (envelope): a thief who takes what agent holds, once, opens 24 of 24 texts" in said
    assert "escrow-lab run authority-theft --scheme envelope --users 4 --days 5 --messages 24" in said
    number = next(at for at, c in enumerate(played().cells) if (c.scheme, c.attack) == ("envelope", "authority-theft"))
    listed = text.split('id="findings"')[1].split("</ol>")[0]
    assert f'<a href="#c-{number}">envelope</a>' in listed
    assert "Shares of a key" not in said  # mobile-adversary was not played
    tight = every_cell(lambda cell: replace(cell, excluded=9, texts=UNSET) if cell.scheme == "envelope" else cell)
    assert "Its authors say so" not in drawn(tight).text


def test_a_general_sentence_is_left_out_where_it_does_not_hold() -> None:
    said = drawn().text
    assert "Each of the 2 ways in can be used by somebody else." in said
    assert "The court’s key is a door of its own." in said and "Without a way in, texts can still be read." in said
    closed = every_cell(lambda cell: Cell(scheme=cell.scheme, attack=cell.attack, verdict="HELD", sent=24, entitled=11))
    quiet = drawn(closed).text
    for head in ("can be used by somebody else", "a door of its own", "not nothing to read", "all that it is promised"):
        assert head not in quiet


def test_a_matrix_without_the_attacks_of_the_summary_says_so() -> None:
    few = tuple(cell for cell in played().cells if cell.attack == "ghost-insertion")
    found = drawn(replace(played(), cells=few, manifest=replace(played().manifest, attacks=("ghost-insertion",))))
    assert "The attacks that the strips are about were not played" in found.text
    assert "The attacks that its questions are about were not played" in found.text
    assert {each[1:] for each in found.all("href")} <= set(found.all("id"))


# --- strings stay text ---


def hostile(cell: Cell) -> Cell:
    """A cell in which every string that may be any string is hostile."""
    cell = replace(
        cell, reason=HOSTILE, strategy=HOSTILE, strategies=2, coalition=(HOSTILE,), services=(HOSTILE,), key=HOSTILE
    )
    if cell.alarms:
        cell = replace(cell, alarms=tuple(replace(each, who=HOSTILE, check=HOSTILE) for each in cell.alarms))
    if cell.taken is not UNSET:
        cell = replace(cell, taken=tuple(replace(each, who=HOSTILE) for each in cell.taken))
    if cell.derivation is not UNSET:
        steps = tuple(replace(each, how=HOSTILE, fact=HOSTILE) for each in cell.derivation.steps)
        cell = replace(cell, derivation=replace(cell.derivation, steps=steps))
    return cell


def test_hostile_strings_give_no_element_and_no_attribute() -> None:
    sound = drawn()
    renamed = {name: f"{HOSTILE} {at}" for at, name in enumerate(("envelope", "field-stripping"))}
    cells = tuple(
        hostile(
            replace(cell, scheme=renamed.get(cell.scheme, cell.scheme), attack=renamed.get(cell.attack, cell.attack))
        )
        for cell in played().cells
    )
    manifest = replace(
        played().manifest,
        version=HOSTILE,
        inventory=HOSTILE,
        schemes=tuple(renamed.get(name, name) for name in SCHEMES),
        attacks=tuple(renamed.get(name, name) for name in ATTACKS),
        unverified=tuple(renamed.values()),
        parameters={HOSTILE: {HOSTILE: HOSTILE}},
    )
    text = page(replace(played(), manifest=manifest, cells=cells))
    found = Reader(text)
    assert {tag for tag, _ in found.elements} <= {tag for tag, _ in sound.elements}
    assert {name for _, each in found.elements for name in each} <= {
        name for _, each in sound.elements for name in each
    }
    assert sum(tag == "script" for tag, _ in found.elements) == 1
    assert "onerror=alert(1)" in found.text and "{{ 7 * 7 }}" in found.text  # it is there, as text
    assert "\u202e" not in text and "\x1b" not in text
    assert {each[1:] for each in found.all("href")} <= set(found.all("id"))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", each) for each in found.all("id"))


def test_the_page_asks_for_nothing_and_lets_only_its_own_script_run() -> None:
    found = drawn()
    (rules,) = [each["content"] or "" for tag, each in found.elements if tag == "meta" and "http-equiv" in each]
    script = page(played()).split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert len(script) < 1024
    assert not {"link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in found.elements}
    assert not found.all("src") and not [name for _, each in found.elements for name in each if name.startswith("on")]
    styles = page(played()).split("<style>")[1].split("</style>")[0]
    assert "url(" not in styles and "@import" not in styles


# --- older files, other results ---


def test_a_matrix_of_schema_1_is_drawn_with_what_it_has() -> None:
    old = files.read(SUPPORT / "schema_1" / "matrix-1.json")
    assert isinstance(old, Matrix)
    found = drawn(old)
    assert "Which texts are read when: not in this file; run escrow-lab matrix --format json." in found.text
    assert "How a text is opened: not in this file; run escrow-lab matrix --format json." in found.text
    assert len([each for each in found.all("id") if each.startswith("c-")]) == sum(
        cell.verdict != "NOT_APPLICABLE" for cell in old.cells
    )
    assert {each[1:] for each in found.all("href")} <= set(found.all("id"))


def test_an_anatomy_of_schema_1_alone_is_a_page() -> None:
    old = files.read(SUPPORT / "schema_1" / "anatomy-1.json")
    found = Reader(page(old))
    assert "The access structure as formulas: not in this file; run escrow-lab anatomy" in found.text
    assert {each[1:] for each in found.all("href")} <= set(found.all("id"))


@pytest.mark.parametrize(
    ("scenario", "options"),
    [
        (default(), []),
        (default(users=4, days=5, messages=24), ["--users", "4", "--days", "5", "--messages", "24"]),
        (default(seed=7), ["--seed", "7"]),
        (replace(default(), work=40), ["--work", "40"]),
        (replace(default(), stock=3), ["--scenario", "scenario.json"]),
    ],
)
def test_commands_name_the_scenario(scenario: Any, options: list[str]) -> None:
    assert scenario_options(scenario) == options


def test_every_command_of_a_page_parses() -> None:
    text = page(played())
    lines = [line for block in re.findall(r"<pre>(.*?)</pre>", text, re.S) for line in Reader(block).lines]
    assert {"run", "explain", "evidence", "verify"} <= {line.split()[1] for line in lines}
    for line in lines:
        words = shlex.split(line)
        command = app.get_command(click.Context(app), words[1])
        assert words[0] == "escrow-lab" and command is not None
        command.make_context(words[1], words[2:])


def test_a_thing_of_the_laboratory_is_no_coalition_of_explain() -> None:
    later = next(cell for cell in played().cells if (cell.scheme, cell.attack) == ("envelope", "authority-theft"))
    said = commands(later, played().manifest, schemes())
    assert any(" explain " in each for each in said)
    quantum = replace(
        later, taken=(StateTaken(who="quantum", how="stolen", day=4, time="evening"),), coalition=("quantum@4",)
    )
    assert not any(" explain " in each for each in commands(quantum, played().manifest, schemes()))


def test_a_scenario_that_no_options_give_is_in_the_page() -> None:
    odd = replace(played().manifest.scenario, stock=3)
    text = page(replace(played(), manifest=replace(played().manifest, scenario=odd)))
    saved = Reader(text.split('<pre id="scenario">')[1].split("</pre>")[0]).text
    assert msgspec.json.decode(saved, type=type(odd)) == odd
    assert "--scenario scenario.json" in Reader(text).text


def test_a_parameter_that_is_not_its_default_is_in_the_command() -> None:
    manifest = replace(played().manifest, parameters={"envelope": {"committing": True}})
    said = drawn(replace(played(), manifest=manifest)).text
    assert "--scheme envelope --users 4 --days 5 --messages 24 --set envelope.committing=true" in said


def test_a_listing_that_is_not_the_scenario_s_is_drawn_as_it_is() -> None:
    texts = played().texts
    assert texts is not UNSET
    odd = replace(texts, days=("0-9", "7-99"), covered=("98-99",))
    found = drawn(replace(played(), texts=odd))
    assert {each[1:] for each in found.all("href")} <= set(found.all("id"))


# --- size ---


def test_many_schemes_stand_in_several_tables() -> None:
    names = tuple(f"scheme-{at}" for at in range(9))
    (cell,) = (each for each in played().cells if (each.scheme, each.attack) == ("ghost", "court-key-theft"))
    cells = tuple(replace(cell, scheme=name) for name in names)
    found = drawn(
        replace(played(), cells=cells, manifest=replace(played().manifest, schemes=names, attacks=(cell.attack,)))
    )
    maps = [each for tag, each in found.elements if tag == "table" and each["class"] == "map heat"]
    assert [each["style"] for each in maps] == ["--n: 5", "--n: 4"]
    assert {each[1:] for each in found.all("href") if each.startswith("#c-")} == {f"c-{at}" for at in range(9)}


def test_a_full_matrix_is_small_and_quick() -> None:
    """As many cells as eight schemes under 26 attacks have, each of 250 texts, all with a timeline and a derivation."""
    scenario = default()
    whole = next(cell for cell in played().cells if cell.taken and cell.derivation and cell.lawful)
    assert whole.texts is not UNSET
    names, attacks = [f"scheme-{at}" for at in range(8)], [f"attack-{at}" for at in range(26)]
    cells = tuple(replace(whole, scheme=scheme, attack=attack) for scheme in names for attack in attacks)
    manifest = replace(played().manifest, scenario=scenario, schemes=tuple(names), attacks=tuple(attacks))
    start = time.process_time()
    text = page(replace(played(), manifest=manifest, cells=cells))
    assert time.process_time() - start < 3
    assert len(sections(text)) == 208 and len(text.encode()) < 2_000_000


def test_numbers_have_thin_spaces_and_the_minus_sign() -> None:
    many = every_cell(
        lambda cell: (
            replace(
                cell,
                sent=5000,
                exposed=replace(cell.exposed, target=replace(cell.exposed.target, past=4321)),
                texts=UNSET,
            )
            if cell.scheme == "plain" and cell.verdict != "NOT_APPLICABLE"
            else cell
        )
    )
    text = page(many)
    assert f"4{THIN}321" in text and f"{MINUS}4{THIN}" in text

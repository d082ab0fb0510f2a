"""Property: the table over seeds is what `matrix` counts, a killed run goes on, and a wrong line is found."""

import csv
import gc
import re
from pathlib import Path

import msgspec
import pytest

from attacks.cli import main
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.simulation.attack import MISSED
from attacks.report.matrices import summary
from escrow.registry import schemes
from tools import entries, sensitivity
from tools.sensitivity import Kept

COLUMNS = [column for column, _ in entries.columns()]
LAWFUL, LAST = COLUMNS[0].title, COLUMNS[-1].title
ASKED = [COLUMNS[0], MISSED, next(column for column in COLUMNS if column.figure == "exposed.total")]
SHOWN = [(column, names) for column, names in entries.columns() if column in ASKED]
CELL = re.compile(r"(?<=\|) *([^|]*?) *(?=\|)")


@pytest.fixture
def few(monkeypatch, tmp_path):
    """A table of two lines a scenario, whose plays are counted and answer at once."""
    made = []

    def play(place):
        made.append(place)
        return {
            name: None if name.startswith(f"plain {MISSED.title}") else len(name) + place[1] - 2019
            for name in sensitivity.head()
        }

    monkeypatch.setattr(sensitivity, "SEEDS", range(2019, 2021))
    monkeypatch.setattr(sensitivity, "play", play)
    (tmp_path / "page.md").write_text("# Title\n\n<!-- sensitivity -->\n<!-- end of sensitivity -->\n")
    monkeypatch.setattr(sensitivity, "TABLE", tmp_path / "table.csv")
    monkeypatch.setattr(sensitivity, "PAGE", tmp_path / "page.md")
    return made


def drawn(word):
    return sensitivity.drawn(word, sensitivity.lines())


def write(journal: Path, earlier=False) -> dict:
    found = sensitivity.played(journal, 1, earlier)
    sensitivity.TABLE.write_text(sensitivity.written(found))
    sensitivity.PAGE.write_text(sensitivity.page(found))
    return found


@pytest.mark.usefixtures("plays_once")
def test_a_line_has_the_figures_of_the_matrix(monkeypatch, tmp_path):
    chosen = [schemes()[name] for name in ("plain", "clipper")]
    attacks = [name for _, names in SHOWN for name in names]
    only = [word for name in ("plain", "clipper", *attacks) for word in ("--only", name)]
    out = tmp_path / "matrix.json"
    assert main(["matrix", "--scenario", "circle", "--seed", "2021", *only, "--format", "json", "-o", str(out)]) == 0
    cells = {(cell.scheme, cell.attack): cell for cell in msgspec.json.decode(out.read_bytes(), type=Matrix).cells}
    monkeypatch.setattr(sensitivity, "placed", lambda: chosen)
    monkeypatch.setattr(sensitivity, "columns", lambda: SHOWN)
    line = sensitivity.play(("circle", 2021))
    assert set(line) == set(sensitivity.head())
    assert line[f"plain {MISSED.title}"] is None and line[f"clipper {MISSED.title}"]
    for scheme in chosen:
        for column, names in SHOWN:
            most = line[f"{scheme.name} {column.title}"]
            least = line.get(f"{scheme.name} {column.title}{sensitivity.FEWEST}")
            shown = summary.figure(column, [cells[scheme.name, name] for name in names])
            assert shown == (least, most) and (least is None) == (not column.least or not most)
    first = cells["plain", attacks[0]]
    assert (line["texts"], line["covered"]) == (first.sent, first.entitled)


def test_a_cell_that_could_not_be_judged_gives_no_line(monkeypatch):
    def failing(self, attack):
        return Cell(scheme="plain", attack=attack.name, verdict="ERROR", reason="it broke"), None

    monkeypatch.setattr(sensitivity, "placed", lambda: [schemes()["plain"]])
    monkeypatch.setattr(sensitivity.Evaluation, "cell", failing)
    with pytest.raises(RuntimeError, match=r"plain under .*: it broke"):
        sensitivity.play(("circle", 2019))
    assert gc.isenabled()


# --- the journal ---


def test_a_killed_run_goes_on_and_ends_as_a_whole_one(few, tmp_path):
    whole = write(tmp_path / "whole")
    assert len(few) == len(whole) == 2 * len(sensitivity.committed())
    journal = tmp_path / "torn"
    kept = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(kept[:3]) + kept[3][:20])
    few.clear()
    assert write(journal) == whole and len(few) == len(whole) - 3
    few.clear()
    assert write(journal) == whole and few == []


def test_a_line_that_other_sources_made_is_played_again(few, tmp_path):
    journal = tmp_path / "journal"
    write(journal)
    kept = [msgspec.json.decode(line, type=Kept) for line in journal.read_bytes().splitlines()]
    kept[1] = msgspec.structs.replace(kept[1], key="other")
    journal.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in kept))
    few.clear()
    write(journal)
    assert few == [(kept[1].shape, kept[1].seed)]


def test_a_line_that_cannot_be_played_stops_no_other_and_no_table_is_written(few, tmp_path, monkeypatch, capsys):
    plays = sensitivity.play

    def failing(place):
        if place == ("groups", 2020):
            raise RuntimeError(f"{place}: it broke")
        return plays(place)

    monkeypatch.setattr(sensitivity, "play", failing)
    with pytest.raises(SystemExit, match="1 of 6 lines could not be played; nothing is written"):
        write(tmp_path / "journal")
    assert "it broke" in capsys.readouterr().out and not sensitivity.TABLE.exists()
    few.clear()
    monkeypatch.setattr(sensitivity, "play", plays)
    assert len(write(tmp_path / "journal")) == 6 and few == [("groups", 2020)]


def test_the_key_of_a_line_covers_its_scenario_and_the_sources(monkeypatch):
    keys = {sensitivity.key(place) for place in sensitivity.lines()}
    assert len(keys) == len(sensitivity.lines())
    before = sensitivity.key(("circle", 2019))
    monkeypatch.setattr(sensitivity, "_sources", lambda: "others")
    assert sensitivity.key(("circle", 2019)) != before


# --- the table and the page ---


def test_the_table_has_every_line_once_and_is_read_as_it_was_written(few, tmp_path):
    found = write(tmp_path / "journal")
    assert sensitivity.table() == found
    head, *rows = csv.reader(sensitivity.TABLE.read_text().splitlines())
    assert head[:5] == ["shape", "seed", "texts", "covered", f"plain {LAWFUL}"] and len(rows) == len(found)


def test_a_table_with_other_lines_or_columns_is_refused(few, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="not there"):
        sensitivity.table()
    write(tmp_path / "journal")
    text = sensitivity.TABLE.read_text()
    sensitivity.TABLE.write_text(text.rsplit("\n", 2)[0] + "\n")
    with pytest.raises(SystemExit, match="other lines"):
        sensitivity.table()
    sensitivity.TABLE.write_text(text.replace(f"plain {LAWFUL}", "plain given"))
    with pytest.raises(SystemExit, match="other columns"):
        sensitivity.table()


def test_the_page_has_the_median_and_the_range_of_each_column(few, tmp_path):
    found = write(tmp_path / "journal")
    said = sensitivity.PAGE.read_text()
    assert said.startswith("# Title")
    length = len(f"plain {LAWFUL}")
    head, _, *rows = [CELL.findall(line) for line in said.split("`circle`")[1].splitlines() if line.startswith("|")]
    by_title = {row[0]: row[1:] for row in rows[: len(sensitivity.figures())]}
    assert head[1:] == [scheme.name for scheme in sensitivity.placed()]
    assert list(by_title) == [title for title, _ in sensitivity.figures()]
    assert by_title[LAWFUL][0] == f"{length} ({length}–{length + 1})" and by_title[MISSED.title][0] == "–"
    for name in sensitivity.committed():
        assert f"`{name}`, 2 seeds, 5 (5–6) texts, of which warrants cover 7 (7–8):" in said
    assert said.count(f"\n| {LAWFUL} |") == 1 + len(sensitivity.committed()) and f"All {len(found)} plays" in said


def test_shares_are_of_what_is_covered_or_of_all_texts(monkeypatch):
    monkeypatch.setattr(sensitivity, "placed", lambda: [schemes()["plain"]])
    line = dict.fromkeys(sensitivity.head(), 3) | {"texts": 24, "covered": 4, f"plain {MISSED.title}": None}
    shares = sensitivity._shares(line)
    assert [shares[f"plain {title}"] for title in (LAWFUL, MISSED.title, LAST)] == [75, None, 12]
    assert sensitivity._shares(line | {f"plain {MISSED.title}": 1})[f"plain {MISSED.title}"] == 25
    assert sensitivity._shares(line | {"covered": 0})[f"plain {LAWFUL}"] is None


def test_a_scenario_that_was_dropped_in_changes_no_table(monkeypatch):
    before = sensitivity.lines()
    there = sensitivity.shapes()
    dropped = Path(next(iter(there.values())).parent, "mine.json")
    monkeypatch.setattr(sensitivity, "shapes", lambda: there | {"mine": dropped})
    monkeypatch.setattr(sensitivity.entries, "is_known", lambda path: path != dropped)
    assert sensitivity.lines() == before
    monkeypatch.setattr(sensitivity.entries, "is_known", lambda path: True)
    assert sensitivity.lines() == [*before, *(("mine", seed) for seed in sensitivity.SEEDS)]


def test_readme_says_how_far_each_figure_moves(few, tmp_path):
    assert sensitivity.ranges() == []
    found = write(tmp_path / "journal")
    for number, line in enumerate(found.values()):
        line |= {name: line["texts"] for name in line if name.endswith(LAST)}
        line |= {f"ghost {LAST}": number % 2 * line["texts"], f"plain {LAWFUL}": 0}
    sensitivity.TABLE.write_text(sensitivity.written(found))
    said = sensitivity.ranges()
    assert f"in [{len(found)} smaller plays" in " ".join(said)
    head, _, *rows = [CELL.findall(line) for line in said if line.startswith("|")]
    moved = {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}
    assert list(moved) == [column.title for column in COLUMNS]
    assert (moved[LAST]["ghost"], moved[LAST]["plain"], moved[LAWFUL]["plain"]) == ("0–100", "100", "0")
    assert moved[MISSED.title]["plain"] == "–"


def test_a_column_that_is_newer_than_the_table_has_no_range(few, tmp_path):
    found = write(tmp_path / "journal")
    older = {place: {name: each for name, each in line.items() if LAST not in name} for place, line in found.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sensitivity, "head", lambda: list(next(iter(older.values()))))
        sensitivity.TABLE.write_text(sensitivity.written(older))
    assert sensitivity.table() == older
    said = [CELL.findall(line)[0] for line in sensitivity.ranges() if line.startswith("|")][2:]
    assert said == [column.title for column in COLUMNS if column.title != LAST]
    assert f"| {LAST} |" not in sensitivity.page(older)
    assert f"(*{LAST}* were not played there):" in " ".join(sensitivity.ranges())
    assert sensitivity._titled(MISSED, {MISSED.title}) == f"{MISSED.title}, most"
    assert sensitivity._titled(MISSED, {MISSED.title, MISSED.title + sensitivity.FEWEST}) == MISSED.title


@pytest.fixture
def made_earlier(few, tmp_path):
    """A journal whose lines other sources made."""
    journal = tmp_path / "journal"
    write(journal)
    kept = [msgspec.json.decode(line, type=Kept) for line in journal.read_bytes().splitlines()]
    journal.write_bytes(b"".join(msgspec.json.encode(msgspec.structs.replace(each, key="")) + b"\n" for each in kept))
    few.clear()
    return journal


def test_lines_that_other_sources_made_are_kept_if_those_drawn_play_alike(few, made_earlier):
    found = write(made_earlier, earlier=True)
    assert few == drawn(sensitivity.commit() or "sensitivity") and list(found) == sensitivity.lines()


def test_lines_that_other_sources_made_are_dropped_if_one_drawn_plays_otherwise(made_earlier, monkeypatch):
    monkeypatch.setattr(sensitivity, "play", lambda place: dict.fromkeys(sensitivity.head(), 7))
    with pytest.raises(SystemExit, match="plays otherwise now"):
        write(made_earlier, earlier=True)
    assert {*write(made_earlier)["circle", 2019].values()} == {7}


def test_a_range_begins_at_the_fewest():
    column = msgspec.structs.replace(MISSED, title="missed", least="unkept_least")
    shares = [{"a missed": 90, "a missed, fewest": 40}, {"a missed": 70, "a missed, fewest": None}]
    assert sensitivity._moved(shares, "a", column) == "40–90"
    assert sensitivity._moved(shares[1:], "a", column) == "70"


# --- the check ---


def test_lines_are_drawn_by_a_word(monkeypatch):
    assert drawn("a") == drawn("a") != drawn("b")
    assert len(set(drawn("a"))) == sensitivity.DRAWN
    assert {place for number in range(400) for place in drawn(str(number))} > {
        (shape, 2019) for shape in sensitivity.committed()
    }


def test_a_check_plays_the_lines_that_the_commit_draws(few, tmp_path, capsys, monkeypatch):
    write(tmp_path / "journal")
    monkeypatch.setattr(sensitivity, "commit", lambda: "5eed")
    few.clear()
    assert sensitivity.check() == 0
    assert few == drawn("5eed") and "commit 5eed" in capsys.readouterr().out


def test_outside_a_clone_a_check_says_that_the_lines_are_always_the_same(few, tmp_path, capsys, monkeypatch):
    write(tmp_path / "journal")
    monkeypatch.setattr(sensitivity, "ROOT", tmp_path)
    assert sensitivity.check() == 0 and "a fixed word, since this is no clone" in capsys.readouterr().out


def test_a_check_finds_a_wrong_line_and_a_wrong_page(few, tmp_path, capsys, monkeypatch):
    found = write(tmp_path / "journal")
    monkeypatch.setattr(sensitivity, "commit", lambda: "5eed")
    shape, seed = drawn("5eed")[0]
    found[shape, seed][f"plain {LAST}"] += 1
    sensitivity.TABLE.write_text(sensitivity.written(found))
    assert sensitivity.check() == 1
    said = capsys.readouterr().out
    assert re.search(rf"{shape}, seed {seed}: plain {LAST}: (\d+), now (\d+)\n", said) and "page.md differs" in said
    sensitivity.PAGE.write_text(sensitivity.page(found))
    assert sensitivity.check() == 1 and "differs" not in capsys.readouterr().out

"""Each finding of README stands in a report, is one click from its cells, and its command plays them again."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pages import Reader, page

import attacks as lab
from attacks import registry as attack_registry
from attacks.cli import main
from attacks.lab.results.types import Matrix
from attacks.report.matrices import findings
from escrow import registry

pytestmark = pytest.mark.usefixtures("plays_once")

README = (Path(__file__).parents[2] / "README.md").read_text().split("<!-- findings -->")[1].split("<!--")[0]
FOUND = re.findall(r"^- (?P<sentence>.*?)\n  `(?P<command>escrow-lab run [^`]+)`$", README, re.M | re.S)
SMOKE = "--users 4 --days 5 --messages 24"


def pairs(command: str) -> tuple[list[str], str]:
    """The schemes and the attack of a command."""
    words = shlex.split(command)
    return [words[at + 1] for at, word in enumerate(words) if word == "--scheme"], words[2]


@cache
def measured() -> Matrix:
    """A matrix that has the cells of README's findings, and those alone."""
    runs = [lab.matrix(*pairs(command), smoke=True).data for _, command in FOUND]
    named = {name: tuple(dict.fromkeys(n for run in runs for n in getattr(run.manifest, name))) for name in NAMED}
    known: dict[str, Any] = {key: value for run in runs for key, value in run.manifest.parameters.items()}
    manifest = msgspec.structs.replace(runs[0].manifest, parameters=known, **named)
    cells = {(cell.scheme, cell.attack): cell for run in runs for cell in run.cells}
    return msgspec.structs.replace(runs[0], manifest=manifest, cells=tuple(cells.values()))


NAMED = ("schemes", "attacks")


def test_readme_has_every_finding_that_is_declared() -> None:
    declaring = [*registry.schemes().values(), *attack_registry.attacks().values()]
    shown = [findings.command(each) for each in findings.declared(declaring)]
    assert [command for _, command in FOUND] == [each for each in shown if each in README]
    assert len(FOUND) == README.count("\n- ") >= 8


@pytest.mark.parametrize(("sentence", "command"), FOUND)
def test_a_finding_is_one_click_from_its_cells_and_its_command_gives_them(
    sentence: str, command: str, tmp_path: Path
) -> None:
    text = page(measured())
    listed = re.findall(r"<li>.*?</li>", text.split('id="findings"')[1].split("</ol>")[0], re.S)
    (item,) = (each for each in listed if f"{command} {SMOKE}" in " ".join(Reader(each).text.split()))
    assert " ".join(re.split(r"\d", re.sub(r"[*`]", "", sentence))[0].split()) in " ".join(Reader(item).text.split())
    schemes, attack = pairs(command)
    links = dict(re.findall(r'<a href="#(c-\d+)">([^<]+)</a>', item))
    assert list(links.values()) == schemes
    for id_, scheme in links.items():
        (run,) = re.findall(rf'<h4 id="{id_}".*?</details>', text, re.S)
        assert f"escrow-lab run {attack} --scheme {scheme} {SMOKE}" in Reader(run).text
    again = tmp_path / "again.json"
    assert main([*shlex.split(f"{command} {SMOKE}")[1:], "--format", "json", "-o", str(again)]) == 0
    cells = {(cell.scheme, cell.attack): cell for cell in measured().cells}
    found = lab.load(again).data
    assert [cells[cell.scheme, cell.attack] for cell in found.cells] == list(found.cells)
    assert [cell.scheme for cell in found.cells] == schemes

"""Property: what rules a scheme brings depends on its own file alone, not on what else was imported before."""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import attacks.registry
from escrow import registry
from escrow.derivation import RuleError
from escrow.registry import PluginError, load_file
from escrow.testing import templates
from escrow.vocabulary import vocabulary

TEMPLATE = templates.scheme("mine")
FROM_SUBMODULES = TEMPLATE[TEMPLATE.index("from escrow") : TEMPLATE.index("\n\n# Values that")]
NAMED = [
    (str(line.module), alias.name)
    for line in ast.parse(FROM_SUBMODULES).body
    if isinstance(line, ast.ImportFrom)
    for alias in line.names
]
ELSEWHERE = [("escrow.derivation", "derivation"), ("escrow.e2ee", "device")]  # a module has the name of the first
FROM_ESCROW = "\n".join(f"from {home if (home, name) in ELSEWHERE else 'escrow'} import {name}" for home, name in NAMED)
ATTACK = """
import attacks
from escrow import Source

class Blow(attacks.Attack):
    name = "blow"
    title = "A blow"
    source = Source("Nobody", "Nothing", 2026, "all")
    specimen = "key_in_clear"

ATTACK = Blow()
"""
CHILD = """
import sys
from pathlib import Path

from escrow.registry import load_file, schemes
from escrow.vocabulary import vocabulary

path, when = Path(sys.argv[1]), sys.argv[2]
if when == "after":
    from attacks.registry import attacks, specimens

    schemes(), attacks(), specimens()
    import attacks.lab.runs.conformance
module = load_file(path)
try:
    words = vocabulary(module)
except TypeError as error:
    print(type(error).__name__)
    sys.exit()
import json

import msgspec

from attacks.authority_theft import ATTACK
from attacks.lab.adversary.view import words_of
from attacks.lab.runs.matrix import run_matrix
from attacks.lab.simulation.scenario import default
from escrow.codec import encode
from escrow.schemes.plain import SCHEME as plain

small = default(users=2, groups=0, days=2, messages=6)
known = {module.SCHEME.name: ()}  # what bytes say asks no rule more
cells = run_matrix([module.SCHEME], [ATTACK], small, plain=plain, every=[ATTACK], faults=known).cells
assert cells[0].exposed.total
bare = [msgspec.structs.replace(cell, key="", digest="") for cell in cells]
again = words_of(module.SCHEME)
print(json.dumps([
    sorted(rule.name for rule in words.rules),
    sorted(service.name for service in words.services),
    sorted(f"{kind.__module__}.{kind.__name__}" for kind in words.types),
    sorted(rule.name for rule in again.rules),
    encode(bare).hex(),
    [cell.key for cell in cells],
]))
"""


def written(folder: Path, imports: str, more: str = "") -> Path:
    path = folder / "mine.py"
    path.write_text(TEMPLATE.replace(FROM_SUBMODULES, imports) + more)
    return path


@cache
def told(imports: str, when: str) -> Any:
    """What a fresh process says of the plug-in with these lines, before or after all else was imported."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-c", CHILD, str(written(Path(folder), imports)), when]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(out) if out.startswith("[") else out.strip()


@pytest.mark.parametrize(
    ("imports", "further"),
    [
        (FROM_SUBMODULES, ""),
        (FROM_ESCROW, ""),
        (FROM_SUBMODULES + "\nfrom escrow import sharing\n", "escrow.sharing.tdh2.partial"),
        (FROM_SUBMODULES + "\nfrom escrow import *\n", "escrow.sharing.tdh2.partial"),
        (FROM_SUBMODULES + "\nimport escrow.schemes.envelope as e\n", "escrow.schemes.envelope.open_field"),
        (FROM_SUBMODULES + "\nfrom escrow.schemes import clipper\n", "escrow.schemes.clipper.chip.combine"),
    ],
    ids=[
        "names of submodules",
        "names of escrow",
        "sharing",
        "a star",
        "a module by another name",
        "a scheme's package",
    ],
)
def test_a_plug_in_brings_the_same_rules_before_and_after_everything_else(imports: str, further: str) -> None:
    before, after = told(imports, "before"), told(imports, "after")
    assert before == after
    rules = before[0]
    assert "plugin_mine.open_sealed_key" in rules
    assert before[3] == rules
    assert (further in rules) == bool(further), rules


def test_a_name_brings_the_same_rules_from_wherever_it_is_imported() -> None:
    one, other = (told(imports, "before") for imports in (FROM_SUBMODULES, FROM_ESCROW))
    assert one[:-1] == other[:-1]
    assert one[-1] != other[-1], "the keys of cells hash the sources"


REFUSED = {
    "import escrow": "escrow",
    "import escrow.codec": "escrow",
    "import attacks": "attacks",
    "import escrow as anything": "escrow",
    "from escrow import schemes": "escrow.schemes",
    "from escrow import e2ee": "escrow.e2ee",
    "import escrow.primitives as primitives": "escrow.primitives",
}


@pytest.mark.parametrize("line", ["import escrow", "import attacks", "from escrow import schemes"])
def test_a_package_is_refused_before_and_after_everything_else(line: str) -> None:
    imports = f"{FROM_SUBMODULES}\n{line}\n"
    assert told(imports, "before") == told(imports, "after") == "RuleError"


@pytest.fixture
def forgotten():
    """The plug-in of one test is unknown to the next."""
    yield
    sys.modules.pop("plugin_mine", None)


@pytest.mark.parametrize("line", REFUSED)
@pytest.mark.usefixtures("forgotten")
def test_the_refusal_names_file_line_and_remedy(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, FROM_SUBMODULES, f"\n\n{line}\n")
    at = path.read_text().splitlines().index(line) + 1
    package = REFUSED[line]
    with pytest.raises(PluginError) as raised:
        registry.schemes([path])
    said = str(raised.value)
    assert said.startswith(f"{path}: mine: RuleError: plugin_mine (line {at}) imports the package {package}, ")
    assert said.endswith(f"import the names that are used: from {package} import ...")


@pytest.mark.usefixtures("forgotten")
def test_an_attack_that_holds_the_package_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(ATTACK)
    with pytest.raises(PluginError, match=r"plugin_mine \(line 2\) imports the package attacks, "):
        attacks.registry.attacks([path])


def test_a_package_of_a_plug_in_counts_as_what_its_own_text_imports(tmp_path: Path, monkeypatch) -> None:
    """A submodule that somebody else imported gives no rule; one that the package's text imports does."""
    rule = "from escrow import Fact\nfrom escrow.derivation import derivation\n\n\nclass {0}(Fact, frozen=True):\n"
    rule += "    n: int\n\n\n@derivation()\ndef next_{0}(one: {0}) -> {0}:\n    return {0}(one.n + 1)\n"
    package = tmp_path / "somebody"
    package.mkdir()
    (package / "used.py").write_text(rule.format("Used"))
    (package / "unused.py").write_text(rule.format("Unused"))
    (package / "__init__.py").write_text("from escrow import Plain\nfrom somebody import used\n")
    monkeypatch.syspath_prepend(tmp_path)
    import somebody
    import somebody.unused

    assert {rule.name for rule in vocabulary(somebody).rules if "somebody" in rule.name} == {"somebody.used.next_Used"}
    path = tmp_path / "mine.py"
    path.write_text("import somebody\nSCHEME = 1\n")
    with pytest.raises(RuleError, match=r"plugin_mine \(line 1\) imports the package somebody"):
        vocabulary(load_file(path))
    for name in [name for name in sys.modules if name.split(".")[0] in ("somebody", "plugin_mine")]:
        del sys.modules[name]


def test_no_module_of_ours_holds_such_a_package() -> None:
    found = attacks.registry
    everything = [*registry.schemes().values(), *found.specimens().values(), *found.attacks().values()]
    assert all(vocabulary(sys.modules[type(each).__module__]).types for each in everything)

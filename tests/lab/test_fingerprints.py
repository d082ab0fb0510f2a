"""A key is known before its cell is played, and changes with all that decides the cell, and with nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from parts import ATTACKS, plan, uninterrupted

from attacks.lab.runs.journal import CellLine
from attacks.lab.verdict.fingerprints import cell_key, control_key
from attacks.registry import attacks
from escrow.registry import schemes, with_parameters

ROOT = Path(__file__).parents[2]
KEYS = """
import sys
from attacks.lab.verdict.fingerprints import cell_key, control_key
from attacks.lab.simulation.scenario import default
from attacks.registry import attacks
from escrow.registry import load_file, schemes
from pathlib import Path
found = schemes([Path(each) for each in sys.argv[2:]])
every = [attacks()["null-eavesdropper"]]
print(cell_key(found[sys.argv[1]], every[0], default(), every, found["plain"]), control_key(every[0], every))
"""


def keys(root, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", KEYS, *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True).stdout


def test_a_key_changes_with_every_source_that_decides_and_with_no_other(tmp_path):
    for package in ("escrow", "attacks"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "vectors*"))
    shutil.copytree(ROOT / "escrow" / "vectors", tmp_path / "escrow" / "vectors")
    first = keys(tmp_path, "plain")
    for deciding, file in [
        (True, "escrow/e2ee/ratchet.py"),
        (True, "attacks/lab/verdict/claims.py"),
        (False, "attacks/cli/commands/upkeep/doctor.py"),
    ]:
        with (tmp_path / file).open("a") as source:
            source.write("# changed\n")
        second = keys(tmp_path, "plain")
        assert all((one != other) == deciding for one, other in zip(first.split(), second.split(), strict=True)), file
        first = second


PLUGIN = """
from escrow.schemes.plain import Plain
from escrow.scheme import Source
import helper

class Mine(Plain, frozen=True, kw_only=True):
    name = "mine"
    title = "Mine"
    source = Source("A", "T", 2026, "all")
    level: int = 1

SCHEME = Mine()
"""


def test_a_key_changes_with_a_plug_in_and_with_what_it_imports(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "helper.py").write_text("import further\n")
    (tmp_path / "further.py").write_text("")
    here = f"{tmp_path}{os.pathsep}{ROOT}"
    seen = {asked(here, tmp_path)}
    for name in ("mine.py", "helper.py", "further.py"):
        with (tmp_path / name).open("a") as source:
            source.write("# changed\n")
        seen.add(asked(here, tmp_path))
    assert len(seen) == 4
    (tmp_path / "beside.py").write_text("# nobody imports it\n")
    assert asked(here, tmp_path) in seen


def test_a_key_changes_with_a_data_file_that_a_plug_in_declares_and_needs_it(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN + 'DATA = ("words.txt",)\n')
    (tmp_path / "helper.py").write_text("")
    here, seen = f"{tmp_path}{os.pathsep}{ROOT}", set()
    for words in ("one", "other"):
        (tmp_path / "words.txt").write_text(words)
        seen.add(asked(here, tmp_path))
    assert len(seen) == 2
    (tmp_path / "words.txt").unlink()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        asked(here, tmp_path)
    assert "words.txt is declared and does not exist" in refused.value.stderr


def asked(path, folder):
    command = [sys.executable, "-c", KEYS, "mine", str(folder / "mine.py")]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()[0]


def test_a_key_changes_with_parameters_scenario_rules_and_plain():
    scheme, base = schemes()["split-key"], plan()
    null, device = (attacks()[name] for name in ATTACKS[:2])
    given = [
        (scheme, null, base.scenario, [null]),
        (with_parameters(scheme, ["split-key.t=3"]), null, base.scenario, [null]),
        (schemes()["envelope"], null, base.scenario, [null]),
        (scheme, null, msgspec.structs.replace(base.scenario, seed=7), [null]),
        (scheme, device, base.scenario, [null]),
        (scheme, null, base.scenario, [null, device]),
        (scheme, null, base.scenario, [null], base.plain),
    ]
    found = [cell_key(*each) for each in given] + [control_key(null, [null]), control_key(null, [null, device])]
    assert len(set(found)) == len(found) and found[0] == cell_key(*given[0])


def test_every_line_has_the_key_that_was_known_before():
    known = plan().keys
    assert {line.cell_id: line.key for line in uninterrupted().kept} == known
    assert all(line.cell.key == line.key for line in uninterrupted().kept if isinstance(line, CellLine))

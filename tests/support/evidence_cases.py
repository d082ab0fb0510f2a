"""Evidence to be tried: a few cells of a small scenario, and ways to tell lies about them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from attacks import registry as attack_registry
from attacks.lab.evidence import folder as evidence_folder
from attacks.lab.evidence.writing import verify, write
from attacks.lab.simulation import scenario
from escrow import registry
from escrow.errors import Malformed

SMALL = scenario.default(users=3, groups=1, days=4, messages=20)
PLUGIN = Path(__file__).with_name("evidence_plugin.py")
CASES = {
    "passive": ("split-key", "authority-theft", "agent-1,agent-3"),
    "devices": ("plain", "device-compromise", None),
    "active": ("plain", "ghost-insertion", None),
    "in the middle": ("envelope", "prekey-substitution", None),
    "nothing": ("plain", "null-eavesdropper", None),
    "officials answer": ("split-key", "quiet-thief", None),
    "not seedable": ("unseeded", "device-compromise", None),
}
PLUGGED = {"officials answer", "not seedable"}


def plugins(case):
    """The plug-ins that a case needs."""
    return [PLUGIN] if case in PLUGGED else []


def make(case, directory, coalition=None):
    """Write a case's evidence, and return its folder."""
    scheme, attack, usual = CASES[case]
    attacks = attack_registry.attacks(plugins(case))
    found = registry.schemes(plugins(case))[scheme]
    every = list(attacks.values())
    digest = write(directory, found, attacks[attack], SMALL, every, coalition or usual, plugins(case))
    return directory / digest


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """The folder of each case, written once."""
    directory = tmp_path_factory.mktemp("evidence")
    return cache(lambda case: make(case, directory))


@pytest.fixture
def copied(folders, tmp_path):
    """A copy of a case's folder under its own name."""
    return lambda case: Path(shutil.copytree(folders(case), tmp_path / folders(case).name))


def fresh(code, **environment):
    """What a new process prints."""
    command, everything = [sys.executable, "-c", code], {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=everything).stdout


def complaint(folder, replay=False, plugged=()):
    """The one line with which verification refuses a folder."""
    with pytest.raises(Malformed) as refused:
        verify(folder, replay, plugged)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def rows(folder, name):
    """What stands in a file, line by line."""
    return [json.loads(line) for line in (folder / name).read_bytes().splitlines()]


# --- lies: changes of a folder's files ---


def forged(folder, change):
    """The folder with its files changed, and everything sealed anew."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "MANIFEST"}
    change(files)
    shutil.rmtree(folder)
    return folder.parent / evidence_folder.put(folder.parent, files)


def edit(name, line, **fields):
    """In one line some fields are others; those that become None are left out."""

    def change(files):
        lines = files[name].splitlines()
        gone = {key for key, value in fields.items() if value is None}
        row = {key: value for key, value in (json.loads(lines[line]) | fields).items() if key not in gone}
        lines[line] = json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()
        files[name] = b"\n".join(lines) + b"\n"

    return change


def swap(name, old, new):
    """In one file the first `old` becomes `new`."""

    def change(files):
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    return change


def lay(name, data):
    """One file is another."""
    return lambda files: files.update({name: data})

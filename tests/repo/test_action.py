"""action.yml and the issue form: they parse, every input is used, and the action's shell steps do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.commands import ROOT

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
INPUT = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")
FORM = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "scheme.yml").read_text())


def test_every_input_is_described_and_reaches_a_step() -> None:
    used = set(INPUT.findall(str(STEPS)))
    assert used == set(ACTION["inputs"])
    assert all(
        each["description"] and ("default" in each) != each.get("required", False) for each in ACTION["inputs"].values()
    )
    assert ACTION["runs"]["using"] == "composite" and ACTION["description"]


def test_no_input_is_text_of_a_script() -> None:
    for step in STEPS:
        assert ("run" in step) == ("shell" in step) != ("uses" in step)
        assert "${{" not in step.get("run", "")


def test_it_installs_this_repository() -> None:
    (script,) = (step["run"] for step in STEPS if "pip" in step.get("run", ""))
    assert script == 'pip install "$GITHUB_ACTION_PATH"'


STAND_IN = "#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 1\n"  # prints its arguments, a line each, and fails


def played(tmp_path: Path, programs: Path, **inputs: str) -> tuple[int, str]:
    """Run the last step as a runner does, with the programs of a folder. Return its exit code and what it leaves."""
    summary = tmp_path / "summary.md"
    step = STEPS[-1]
    values = {name: inputs.get(name, each.get("default", "")) for name, each in ACTION["inputs"].items()}
    given = {name: INPUT.sub(lambda at: values[at[1]], text) for name, text in step["env"].items()}
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(summary), **given}
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(shell, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.stdout.decode() == summary.read_text()  # a log without it would not say what fails
    return done.returncode, summary.read_text() + done.stderr.decode()


@pytest.mark.parametrize(
    ("inputs", "arguments"),
    [
        ({}, ["--fail-on", "breach"]),
        ({"baseline": "old matrix.json"}, ["--baseline", "old matrix.json", "--fail-on", "regression"]),
        ({"fail-on": "unexpected"}, ["--fail-on", "unexpected"]),
        ({"fail-on": "none"}, []),
        ({"options": "--smoke --jobs 2"}, ["--smoke", "--jobs", "2", "--fail-on", "breach"]),
        ({"options": "--smoke\n--jobs 2\n"}, ["--smoke", "--jobs", "2", "--fail-on", "breach"]),
    ],
)
def test_the_inputs_are_arguments_of_check(tmp_path: Path, inputs: dict[str, str], arguments: list[str]) -> None:
    program = tmp_path / "escrow-lab"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    code, said = played(tmp_path, tmp_path, plugin="my $scheme.py", **inputs)
    assert code == 1 and said.splitlines() == ["check", "my $scheme.py", *arguments, "--format", "md"]


def test_check_takes_these_arguments(tmp_path: Path) -> None:
    code, said = played(tmp_path, Path(sys.executable).parent, plugin="nothing.py", options="--smoke")
    assert code == 4 and "nothing.py" in said


@pytest.mark.parametrize("field", FORM["body"], ids=lambda field: field.get("id", field["type"]))
def test_a_field_of_the_form_is_of_a_kind_that_there_is(field: dict[str, object]) -> None:
    assert field["type"] in ("markdown", "input", "textarea", "dropdown", "checkboxes")
    attributes = field["attributes"]
    assert isinstance(attributes, dict)
    assert attributes.get("value") if field["type"] == "markdown" else attributes["label"] and field["id"]


def test_the_form_asks_for_what_a_claim_needs() -> None:
    required = {field["id"] for field in FORM["body"] if field.get("validations", {}).get("required")}
    assert FORM["name"] and FORM["description"] and {"source", "claim", "choices", "file", "check"} <= required

"""Law: what README.md and CLI.md print is what the commands print. (CI compares the table with a full run.)"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from attacks.cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["README.md", "CLI.md"])
def test_every_command_of_the_page_prints_what_the_page_says(page: str, tmp_path: Path) -> None:
    docs = generator()
    said = (ROOT / page).read_text(encoding="utf-8")
    assert list(docs.commands(ROOT / page)), "a page without commands shows nothing"
    assert docs.BLOCK.sub(docs._rerun(tmp_path), said) == said


def test_every_command_of_the_program_has_its_place_in_a_page() -> None:
    docs = generator()
    shown = {command.split()[1] for page in docs.PAGES for command in docs.commands(page)}
    assert set(COMMANDS) <= shown


def test_a_page_that_says_something_else_is_noticed(tmp_path: Path) -> None:
    docs = generator()
    page = "```console\n$ escrow-lab --version\nescrow-lab 99\n```\n"
    assert docs.BLOCK.sub(docs._rerun(tmp_path), page) != page

"""Property: what the pages say can be done, can be done as they say it.

Every command line parses, every file, module and option exists, examples in Python run, and a few quick commands print
what the pages print. That all of them do, and that README's numbers are those of a full run, CI compares
(`python -m tools.pages --check`), since it takes minutes.
"""

import doctest
import importlib.util
import pkgutil
import re
import shlex
from pathlib import Path

import click
import pytest

from attacks.cli.app import COMMANDS, app
from attacks.report.glossary import glossary, written
from tools import commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CLI.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
PROSE = [*PAGES, *sorted(str(each.relative_to(ROOT)) for each in (ROOT / "docs").glob("**/*.md"))]
RECORDS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
PARTS = ["Context", "Options", "Decision", "Consequences that hurt"]
QUICK = re.compile(r"escrow-lab (schemes|attacks|show|init|explain|reproduce --list|anatomy envelop$)")
FENCED = re.compile(r"```(\w*)\n(.*?)```", re.S)


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return [text for named, text in FENCED.findall(read(page)) if named == language]


def inline(page: str) -> list[str]:
    """What stands in backticks within a paragraph, a line break in it being a space."""
    return [" ".join(each.split()) for each in re.findall(r"`([^`]+)`", FENCED.sub("", read(page)))]


# --- commands ---


def command_lines(page: str) -> list[str]:
    """Every line that begins with the program: in blocks, behind prompts, in YAML's scripts, and in backticks."""
    found = [line for block in blocks(page, "") for line in block.splitlines()]
    found += [line[2:] for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$ ")]
    found += [line for script in scripts(page) for line in script.splitlines()]
    return [line for line in (*found, *inline(page)) if line.startswith("escrow-lab ")]


def parsed(line: str) -> None:
    """Raises click.UsageError where the program would refuse the line before it does anything."""
    words = shlex.split(re.split(r" (?:\||>>?) ", line)[0])[1:]
    if words[0] in ("--version", "--help", "COMMAND"):
        return
    command = app.get_command(click.Context(app), words[0])
    if command is None:
        raise click.UsageError(f"no command {words[0]}")
    if "--help" not in words:
        command.make_context(words[0], words[1:])


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_parses(page: str) -> None:
    for line in command_lines(page):
        if "…" in line or len(line.split()) == 2:  # an abbreviation, or a command that is only named
            assert line.split()[1] in (*COMMANDS, "COMMAND", "--version"), line
        else:
            parsed(line)


@pytest.mark.parametrize("line", ["escrow-lab matrices --smoke", "escrow-lab matrix --smok", "escrow-lab run --smoke"])
def test_a_line_that_the_program_refuses_does_not_parse(line: str) -> None:
    with pytest.raises(click.UsageError):
        parsed(line)


def test_every_command_of_the_program_has_its_place_in_a_page() -> None:
    shown = {each.text.split()[1] for page in ("README.md", "CLI.md") for each in commands.commands(read(page))}
    assert set(COMMANDS) <= shown


@pytest.mark.parametrize("page", PROSE)
def test_every_option_that_is_named_exists(page: str) -> None:
    known = {"--version", "--replay"} | {
        "--check",
        "--only",
        "--matrix",
        "--add",
        "--earlier",
    }  # the program's own, and those of tools.pages, tools.results and tools.sensitivity
    known |= {"--write", "--benchmark-json", "--benchmark-compare"}  # the gates', and pytest-benchmark's
    for name in COMMANDS:
        command = app.get_command(click.Context(app), name)
        assert command is not None
        known |= {option for each in command.params for option in each.opts}
    known |= {"--help"}
    named = {option for words in inline(page) for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", words)}
    assert named <= known


# --- what the pages print ---


@pytest.mark.parametrize("page", ["README.md", "CLI.md"])
def test_quick_commands_print_what_the_page_says(page: str, tmp_path: Path) -> None:
    said = [block for block in re.findall(r"^```console\n.*?^```$", read(page), re.S | re.M) if is_quick(block)]
    assert said, "a page without commands shows nothing"
    for block in said:
        assert commands.replay(block, tmp_path).text == block


def is_quick(block: str) -> bool:
    return all(QUICK.match(line[2:]) for line in block.splitlines() if line.startswith("$ "))


def test_a_page_that_says_something_else_is_noticed(tmp_path: Path) -> None:
    page = "```console\n$ escrow-lab --version\nescrow-lab 99\n```\n"
    assert commands.replay(page, tmp_path).text != page


def test_examples_in_python_run() -> None:
    runner = doctest.DocTestRunner()
    for page in PROSE:
        for number, text in enumerate(blocks(page, "pycon")):
            example = doctest.DocTestParser().get_doctest(text, {}, f"{page}, block {number}", page, 0)
            assert example.examples
            runner.run(example)
    assert runner.tries > 0 and runner.failures == 0


def test_the_table_fits_a_page() -> None:
    region = read("README.md").split("<!-- table -->")[1].split("<!-- end of table -->")[0]
    assert all(len(line) <= 80 for line in region.splitlines() if line.startswith("|"))


def test_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) <= 150


# --- YAML ---


def scripts(page: str) -> list[str]:
    """The shell scripts of a page's workflows."""
    return [script for block in blocks(page, "yaml") for script in commands.scripts(block)]


def test_the_workflow_is_well_formed() -> None:
    """Maps and lists by indentation, two spaces a level, as the few forms need that it is written in."""
    (block,) = blocks("README.md", "yaml")
    scalar = False
    depth = 0
    for line in block.splitlines():
        indent = len(line) - len(line.lstrip(" "))
        if scalar and indent > depth:
            continue
        assert "\t" not in line and indent % 2 == 0, line
        entry = re.fullmatch(r" *(- )?([\w-]+):(?: (.+))?", line)
        assert entry, line
        depth = indent + len(entry[1] or "")
        scalar = entry[3] in (">", "|")
        value = entry[3] or ""
        assert value[:1] != '"' or value.endswith('"'), line
        assert value.count("{") == value.count("}") and value.count("[") == value.count("]"), line
        assert value[:1] in ("{", "[") or ": " not in value, f"a scalar with a colon needs quotes: {line}"
    assert [line for script in scripts("README.md") for line in script.splitlines() if "escrow-lab check" in line]


# --- what is named exists ---


@pytest.mark.parametrize("page", PROSE)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", read(page)):
        assert target.startswith("https://") or ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", PROSE)
def test_every_file_and_module_that_is_named_exists(page: str) -> None:
    for words in (*inline(page), *"\n".join(blocks(page, "")).splitlines()):
        for path in re.findall(r"(?<![\w/.])((?:escrow|attacks|benchmarks|docs|tests|\.ci)/[\w./-]*)", words):
            assert (ROOT / path).exists(), f"{page} names {path}"
        for module in re.findall(r"(?:python|pytest) -m ([a-z][\w.]*)", words):
            assert importlib.util.find_spec(module) is not None, f"{page} names {module}"


@pytest.mark.parametrize("page", PROSE)
def test_every_class_and_function_that_is_named_exists(page: str) -> None:
    for words in inline(page):
        if re.fullmatch(r"(escrow|attacks)(\.\w+)+", words):
            resolved(words, page)


def resolved(name: str, page: str) -> None:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        pytest.fail(f"{page} names {name}")


def test_a_name_that_does_not_exist_is_noticed() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"a page names escrow\.codec\.nothing"):
        resolved("escrow.codec.nothing", "a page")


# --- glossary and records ---


TERMS = glossary().terms()


def test_the_glossary_has_each_word_once_and_one_sentence_for_it() -> None:
    assert len(TERMS) >= 60 and len(TERMS) == sum(len(chapter.terms) for chapter in glossary().chapters)
    for term in TERMS.values():
        assert term.meaning.endswith(".") and ". " not in term.meaning, term.word


def test_the_glossary_s_page_is_written_from_it() -> None:
    assert read("docs/glossary.md") == written(), "run python -m attacks.report.glossary docs/glossary.md"


@pytest.mark.parametrize("word", TERMS)
def test_each_word_of_the_glossary_is_used_where_it_says(word: str) -> None:
    place = ROOT / TERMS[word].where
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    used = "\n".join(" ".join(each.read_text("utf-8").split()) for each in files).lower()
    assert re.search(rf"\b{re.escape(word.removeprefix('the '))}", used), f"{word} is not in {place}"


def test_the_index_lists_every_record_by_its_title() -> None:
    said = re.findall(r"^- \[(.+?)\]\((.+?)\)$", read("docs/adr/README.md"), re.M)
    titles = [path.read_text("utf-8").splitlines()[0].removeprefix("# ") for path in RECORDS]
    assert said == [(title, path.name) for title, path in zip(titles, RECORDS, strict=True)]
    assert [title.split(".")[0] for title in titles] == [str(int(path.name[:4])) for path in RECORDS]
    assert [path.name[:4] for path in RECORDS] == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("path", [*RECORDS, ROOT / "docs" / "adr" / "template.md"], ids=lambda path: path.name[:4])
def test_a_record_has_a_date_its_parts_and_one_page(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.search(r"^Status: \w+\. Date: (\d{4}-\d\d-\d\d|YYYY-MM-DD)\.$", text, re.M)
    assert re.findall(r"^## (.+)$", text, re.M) == PARTS
    assert len(text.splitlines()) <= 70


def test_every_page_has_its_place_in_the_index_of_the_site() -> None:
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```$", read("docs/index.md"), re.M | re.S)
    listed = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    assert pages == {each for each in listed if "/" not in each} and len(listed) == len(set(listed))

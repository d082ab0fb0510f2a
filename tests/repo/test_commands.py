"""Property: every command of the pages is run, here or by a step of .ci/run, and what differs from the page is found.

That all of them do what the pages say, CI compares (`python -m tools.pages --check`), since it takes a minute or two.
"""

import pytest

from tools import commands
from tools.commands import Printed, Replay, left, replay, run, step_of

TEXTS = {str(path.relative_to(commands.ROOT)): path.read_text(encoding="utf-8") for path in commands.PAGES}


@pytest.mark.parametrize("page", TEXTS)
def test_every_command_of_a_page_is_run_somewhere(page):
    for printed in commands.commands(TEXTS[page]):
        left(printed)


def test_there_are_commands_in_each_form():
    found = {page: list(commands.commands(text)) for page, text in TEXTS.items()}
    readme, contributing = found["README.md"], found["CONTRIBUTING.md"]
    assert any(each.output for each in found["CLI.md"]) and any(each.numbers for each in readme)
    assert any(not left(each) for each in readme) and contributing and not any(map(left, contributing))
    assert [each.text for each in readme if "$GITHUB_STEP_SUMMARY" in each.text]


# --- what a page prints ---

PAGE = """
- **One key**: the thief opens 1,250 of 250 texts, in 2 days under `split-key 7`.
  `escrow-lab run authority-theft --scheme envelope`
- Nothing else.

```
# a remark
.venv/bin/python -m pytest
escrow-lab matrix --smoke \\
  --only plain
(exit 3)
```

```console
$ escrow-lab schemes
plain 3
(exit 1)
```

```
send     e = HPKE.Seal(k)
```

```yaml
      - run: pip install ./escrow-lab
      - run: >
          escrow-lab check mine.py
          --quiet
```
"""


def test_commands_are_found_in_order_with_codes_and_numbers():
    assert list(commands.commands(PAGE)) == [
        Printed("escrow-lab run authority-theft --scheme envelope", numbers=("1250", "250", "2")),
        Printed(".venv/bin/python -m pytest"),
        Printed("escrow-lab matrix --smoke --only plain", 3),
        Printed("escrow-lab schemes", output=True),
        Printed("pip install ./escrow-lab"),
        Printed("escrow-lab check mine.py --quiet"),
    ]


def test_a_line_that_is_no_command_is_refused_in_a_block_of_commands():
    with pytest.raises(ValueError, match="a line that is none: and so on"):
        list(commands.commands("```\nescrow-lab schemes\nand so on\n```\n"))


# --- who runs it ---

CI = """
nothing here runs, pip install nothing
step "tests"
python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest
step "plain"
(cd "$plain" && "$plain/.venv/bin/escrow-lab" matrix --format json -o "$plain/matrix.json")
escrow-lab check mine.py
"""


@pytest.mark.parametrize(
    ("command", "step"),
    [
        (".venv/bin/python -m pytest", "tests"),
        ("pip install -e '.[test]'", "tests"),
        (".venv/bin/escrow-lab matrix", "plain"),
        ("escrow-lab matrix --smoke", ""),
        ("escrow-lab mat", ""),
        ("pip install", ""),
        ("escrow-lab matrix --format json", "plain"),
        ("escrow-lab check", ""),
        ("pip install nothing", ""),
        ("m pytest", ""),
    ],
)
def test_a_step_has_the_same_text_but_for_where_the_result_goes(command, step, tmp_path, monkeypatch):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_text(CI)
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    assert step_of(command) == step


def test_what_nobody_runs_is_an_error(tmp_path):
    with pytest.raises(LookupError, match=r"no step of \.ci/run has `pip install nothing`"):
        left(Printed("pip install nothing && escrow-lab schemes"))
    found = replay("```\npip install nothing\n```\n", tmp_path)
    assert found.wrong == ["no step of .ci/run has `pip install nothing`"] and found.took == []


# --- running ---


def test_a_wrong_exit_code_and_a_number_that_is_not_printed_are_found(tmp_path):
    page = "- There are 8 schemes and 99 others.\n  `escrow-lab show plein`\n"
    (code, number) = replay(page, tmp_path).wrong
    assert code.startswith("`escrow-lab show plein` exits with 2, not 0: escrow-lab: ")
    assert number == "`escrow-lab show plein` does not print 8, 99"
    assert replay("```\nescrow-lab show plein\n(exit 2)\n```\n", tmp_path).wrong == []


def test_an_output_that_differs_is_replaced_and_the_page_around_it_is_not(tmp_path):
    page = "before\n\n```console\n$ escrow-lab show plein\nnothing\n```\n\n```\na diagram\n```\n"
    now = replay(page, tmp_path)
    assert now.wrong == [] and now.text != page and "(exit 2)\n```\n\n```\na diagram\n```\n" in now.text
    assert replay(now.text, tmp_path).text == now.text


def test_what_one_command_writes_is_there_for_the_next(tmp_path):
    page = "```\nmkdir -p made && escrow-lab init scheme mine -o made/mine.py\n```\n"
    page += (
        '```yaml\n      - run: escrow-lab schemes --plugin made/mine.py --only mine >> "$GITHUB_STEP_SUMMARY"\n```\n'
    )
    assert replay(page, tmp_path).wrong == []
    assert "mine" in (tmp_path / "summary.md").read_text()


def test_a_command_that_takes_long_here_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "LONG", -1)
    assert "let a step of .ci/run have it" in replay("```\nmkdir made\n```\n", tmp_path).wrong[0]


def test_a_command_leaves_this_process_as_it_was(tmp_path, capfd):
    ran = run("escrow-lab schemes | head -n 1", tmp_path)
    assert ran.output.splitlines()[0].startswith("name") and ran.output.endswith("…\n") and ran.code == 0
    assert capfd.readouterr() == ("", "")


def test_a_defect_in_a_command_is_its_exit_code_and_not_ours(tmp_path, monkeypatch):
    def broken(arguments):
        raise KeyError("lost")

    monkeypatch.setattr(commands.entries, "main", broken)
    ran = run("escrow-lab schemes", tmp_path)
    assert ran.code == 70 and "KeyError: 'lost'" in ran.output


def test_a_replay_starts_empty():
    assert Replay() == Replay("", [], [])

"""What a terminal shows, at four widths, without colours and in ASCII, is what tests/cli/screens/ has as text."""

import re

import pytest

from tools import screens

SCREENS = {screen.name: screen for screen in screens.screens()}
DRAWN: dict[str, str] = {}


def shown(name: str) -> str:
    """What a screen shows; drawn once."""
    return DRAWN.setdefault(name, screens.drawn(SCREENS[name]))


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_it_was_looked_at(name: str) -> None:
    assert shown(name) == screens.kept(SCREENS[name]).read_text("utf-8"), "run python -m tools.screens, and look"


def test_every_kept_screen_is_drawn() -> None:
    assert {path.stem for path in screens.FOLDER.glob("*.txt")} == set(SCREENS)


@pytest.mark.parametrize("name", [name for name in SCREENS if name != "matrix-markdown"])
def test_no_line_is_wider_than_the_terminal(name: str) -> None:
    bare = re.sub(r"\x1b\[\d+m", "", shown(name)).replace("...", "…")
    assert [line for line in bare.splitlines() if len(line) > SCREENS[name].columns] == []


def test_a_wide_terminal_shows_more_of_a_label() -> None:
    cut = [shown(f"explain-{columns}").count("…\n") for columns in screens.WIDTHS]
    assert cut == sorted(cut, reverse=True) and cut[0] > cut[-1]


def test_no_colour_is_asked_for_louder_than_colours() -> None:
    assert "\x1b[" in shown("matrix-colours") and shown("matrix-no-colour") == shown("matrix-80")


def test_ascii_draws_the_same_lines() -> None:
    for name in ("matrix", "explain"):
        assert shown(f"{name}-ascii").isascii() and "\\u" not in shown(f"{name}-ascii")
        assert shown(f"{name}-ascii").count("\n") == shown(f"{name}-80").count("\n")


def test_a_screen_that_differs_is_noticed(tmp_path, monkeypatch, capsys) -> None:
    (one,) = (each for each in SCREENS.values() if each.name == "term-40")
    monkeypatch.setattr(screens, "screens", lambda: iter([one]))
    monkeypatch.setattr(screens, "kept", lambda screen: tmp_path / "term.txt")
    assert screens.main(["--check"]) == 1 and "term-40" in capsys.readouterr().out
    assert screens.main([]) == 0 and screens.main(["--check"]) == 0

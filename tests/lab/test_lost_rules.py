"""A function that is marked as a rule is a rule, or its module does not load: none is lost in silence."""

import importlib
import pkgutil
import sys

import pytest

import attacks
import escrow
from escrow.derivation import RuleError
from escrow.registry import load_file
from escrow.vocabulary import refuse_lost_marks, vocabulary

HEAD = """
from functools import lru_cache
from escrow.codec import Fact
from escrow.derivation import derivation
class Sealed(Fact, frozen=True, dict=True):
    n: int
class Opened(Fact, frozen=True, dict=True):
    n: int
SCHEMES = ()
"""
RULE = "def turned(one: Sealed) -> Opened:\n    return Opened(one.n)\n"
IN_A_FACTORY = "def made():\n    @derivation()\n    def turned(one: Sealed) -> Opened:\n        return Opened(one.n)\n"
LOST = {
    "a name with an underscore": "@derivation()\n" + RULE.replace("turned", "_turned"),
    "a static method": "class Tools:\n    @staticmethod\n    @derivation()\n    def turned(one: Sealed) -> Opened:\n"
    "        return Opened(one.n)\n",
    "made by another function": IN_A_FACTORY + "    return turned\nfirst, second = made(), made()\n",
    "a name that appears twice": "@derivation()\n" + RULE + "@derivation()\n" + RULE,
    "below a decorator that hides it": "def hidden(f):\n    return lambda one: f(one)\n@hidden\n@derivation()\n" + RULE,
}


@pytest.fixture
def written(tmp_path, monkeypatch):
    def write(text):
        path = tmp_path / "lost_rule.py"
        path.write_text(HEAD + text)
        monkeypatch.delitem(sys.modules, "plugin_lost_rule", raising=False)
        return load_file(path)

    yield write
    sys.modules.pop("plugin_lost_rule", None)


@pytest.mark.parametrize("how", LOST)
def test_a_marked_function_that_would_be_lost_is_refused_with_its_line(written, how):
    with pytest.raises(RuleError, match=r"turned \(line \d+\) is marked @derivation and would be lost"):
        vocabulary(written(LOST[how]))


@pytest.mark.parametrize("text", ["@derivation()\n" + RULE, "@lru_cache\n@derivation()\n" + RULE])
def test_a_marked_function_is_a_rule_cached_or_not(written, text):
    assert [rule.function.__name__ for rule in vocabulary(written(text)).rules if "lost_rule" in rule.name] == [
        "turned"
    ]


def test_an_unmarked_function_is_refused_cached_or_not(written):
    for text in (RULE, "@lru_cache\n" + RULE):
        with pytest.raises(RuleError, match="mark it @derivation or @honest_only"):
            vocabulary(written(text))


def test_no_module_of_ours_loses_a_rule():
    names = [
        each.name
        for package in (escrow, attacks)
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not each.name.endswith("__main__")
    ]
    assert len(names) > 150
    for name in names:
        refuse_lost_marks(importlib.import_module(name))

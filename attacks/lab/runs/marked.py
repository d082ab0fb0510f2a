"""What the marks of a scheme's own functions say, beside what its parties run and what its adversary computes."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any

from attacks.lab.adversary.view import module_of, words_of
from escrow.derivation import Rule, where
from escrow.marking.functions import text_of
from escrow.scheme import Scheme

_OURS = ("escrow", "attacks")


class Noted(str):
    """What is worth saying of a property that holds."""


def own_modules(scheme: Scheme) -> list[ModuleType]:
    """Return the modules that are the scheme's alone: its file, or its package; nothing that others share."""
    home = module_of(scheme).__name__
    top = home.split(".")[0]
    begin = top if top not in _OURS else home if home.count(".") < 3 else home.rpartition(".")[0]
    return [sys.modules[name] for name in sorted(sys.modules) if name == begin or name.startswith(f"{begin}.")]


def own_rules(scheme: Scheme) -> list[Rule]:
    """Return the rules of the scheme's own modules."""
    homes = {each.__name__ for each in own_modules(scheme)}
    return [rule for rule in words_of(scheme).rules if rule.function.__module__ in homes]


def honest_only(scheme: Scheme) -> Iterator[str]:
    """Yield each function of the scheme's own modules that is marked @honest_only: its name, place and reason."""
    for module in own_modules(scheme):
        file = str(module.__file__).rsplit("/", 1)[-1]
        for function in text_of(module).functions:
            for mark in getattr(function.node, "decorator_list", ()):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func).rsplit(".", 1)[-1] == "honest_only":
                    name = f"{function.owner}.{function.name}" if function.owner else function.name
                    yield f"{name} ({file}:{function.node.lineno}): {' '.join(map(_reason, mark.args))}"


def _reason(argument: ast.expr) -> str:
    return str(argument.value) if isinstance(argument, ast.Constant) else ast.unparse(argument)


def run_by(play: Callable[[], object], rules: Iterable[Rule]) -> set[str]:
    """Return the names of the rules whose functions are called while `play` runs; of cached ones, all."""
    found, codes = set[str](), dict[CodeType, str]()
    for rule in rules:
        if hasattr(rule.function, "cache_info"):
            found.add(rule.name)
        codes[inspect.unwrap(rule.function).__code__] = rule.name
    before = sys.getprofile()

    def seen(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code in codes:
            found.add(codes[frame.f_code])

    sys.setprofile(seen)
    try:
        play()
    finally:
        sys.setprofile(before)
    return found


def used(rules: Iterable[Rule], fired: set[str], run: set[str]) -> str:
    """Return what is wrong with the rules that honest parties run and the adversary cannot; else what is Noted.

    Args:
        rules: the rules to judge.
        fired: the names of those that the adversary applied.
        run: the names of those that honest parties called.
    """
    rules = list(rules)
    if lost := [f"{each.name} ({where(each.function)})" for each in rules if each.name in run - fired]:
        return (
            f"honest parties run {', '.join(lost)}, and the adversary never can: what its marking ties together does "
            f"not fit what parties hold and send"
        )
    thieves = [each.name for each in rules if each.name in fired - run]
    idle = [each.name for each in rules if each.name not in fired | run]
    said = [f"a thief alone computes: {', '.join(thieves)}"] if thieves else []
    said += [f"never used: {', '.join(idle)}"] if idle else []
    return Noted("; ".join(said))

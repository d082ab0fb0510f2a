"""Finds the attacks as escrow.registry finds schemes: by folder, `--plugin` file and entry point."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attacks.lab.simulation.attack import Attack, specimen_module
from escrow import registry
from escrow.registry import Kind
from escrow.scheme import Scheme


def _usable(attack: Attack) -> None:
    if not isinstance(getattr(attack, "specimen", None), str):
        raise TypeError("it names no specimen: the module of a scheme that it breaks, and of a twin that it does not")
    if (name := specimen_module(attack)) not in sys.modules and find_spec(name) is None:
        raise ModuleNotFoundError(f"there is no specimen {attack.specimen}")
    for control in ("SPECIMEN", "TWIN") if name in sys.modules else ():
        if not isinstance(getattr(sys.modules[name], control, None), Scheme):
            raise TypeError(f"{name}, which has its specimen, has no {control} that is a Scheme")
    made = attack.apparatus
    if made is not None and not (made.__module__.startswith("attacks.lab.") and _at_home(made)):
        raise TypeError("its apparatus is not the lab's: it would see every key that is made")
    for old, new in (("meddle", "corrupt"), ("act", "each_evening"), ("quantum", "apparatus")):
        if hasattr(attack, old):  # it would never be read, and the attack would seem to fail
            raise TypeError(f"its {old} is called {new} now")
    for function in attack.derivations:
        if not hasattr(function, "__rule__"):
            raise TypeError(f"its derivation {function.__name__} is not marked @derivation")
        if not _at_home(function):
            name = f"{function.__module__}.{function.__qualname__}"
            raise TypeError(f"its derivation takes the name {name}, which is another's: give it one of its own")


def _at_home(thing: Any) -> bool:
    """Return whether a class or function is what its module has under its name: it may not pass for another."""
    found: Any = sys.modules.get(thing.__module__)
    for part in thing.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is thing


ATTACKS = Kind(Attack, "ATTACK", "attacks", "escrow_lab.attacks", frozenset({"registry"}), examine=_usable)


def attacks(plugins: Iterable[Path] = ()) -> dict[str, Attack]:
    """Return every attack by name, in the order of names. Raise PluginError if a plug-in cannot be loaded."""
    return registry.discover(ATTACKS, registry.load_files(plugins))


def specimens() -> dict[str, Scheme]:
    """Return every specimen and every sound twin, by name. They are never listed among the schemes."""
    package = importlib.import_module("attacks.specimens")
    names = [each.name for each in pkgutil.iter_modules(package.__path__) if not each.name.startswith("_")]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in sorted(names)]
    return {scheme.name: scheme for module in modules for scheme in (module.SPECIMEN, module.TWIN)}

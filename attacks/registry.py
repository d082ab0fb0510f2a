"""Which attacks there are, found like schemes (escrow.registry): by folder, `--plugin` file and entry point."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from attacks.lab.simulation.attack import Attack, specimen_module
from escrow import registry
from escrow.registry import Kind
from escrow.scheme import Scheme


def _usable(attack: Attack) -> None:
    if not isinstance(getattr(attack, "specimen", None), str):
        raise TypeError("it names no specimen: the module of a scheme that it breaks, and of a twin that it does not")
    if (name := specimen_module(attack)) not in sys.modules and find_spec(name) is None:
        raise ModuleNotFoundError(f"there is no specimen {attack.specimen}")
    for function in attack.derivations:
        if not hasattr(function, "__rule__"):
            raise TypeError(f"its derivation {function.__name__} is not marked @derivation")


ATTACKS = Kind(Attack, "ATTACK", "attacks", "escrow_lab.attacks", frozenset({"registry"}), examine=_usable)


def attacks(plugins: Iterable[Path] = ()) -> dict[str, Attack]:
    """Every attack by name, in the order of names. Raises PluginError."""
    return registry.discover(ATTACKS, registry.load_files(plugins))


def specimens() -> dict[str, Scheme]:
    """Every specimen and every sound twin, by name: asked for, never listed among the schemes."""
    package = importlib.import_module("attacks.specimens")
    names = [each.name for each in pkgutil.iter_modules(package.__path__) if not each.name.startswith("_")]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in sorted(names)]
    return {scheme.name: scheme for module in modules for scheme in (module.SPECIMEN, module.TWIN)}

"""Which attacks there are, found like schemes (escrow.registry): by folder, `--plugin` file and entry point."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from attacks.lab.attack import Attack
from escrow import registry
from escrow.registry import Kind


def _computes(attack: Attack) -> None:
    for function in attack.derivations:
        if not hasattr(function, "__rule__"):
            raise TypeError(f"its derivation {function.__name__} is not marked @derivation")


ATTACKS = Kind(Attack, "ATTACK", "attacks", "escrow_lab.attacks", frozenset({"registry"}), _computes)


def attacks(plugins: Iterable[Path] = ()) -> dict[str, Attack]:
    """Every attack by name, in the order of names. Raises PluginError."""
    return registry.discover(ATTACKS, registry.load_files(plugins))


def specimens() -> dict[str, ModuleType]:
    """The files of broken schemes and their sound twins, by name: asked for, never listed among the schemes."""
    package = importlib.import_module("attacks.specimens")
    names = [each.name for each in pkgutil.iter_modules(package.__path__) if not each.name.startswith("_")]
    return {name.replace("_", "-"): importlib.import_module(f"attacks.specimens.{name}") for name in names}

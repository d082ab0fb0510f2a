"""How a package exports names without importing their modules: each is imported when it is first asked for.

  if TYPE_CHECKING:
      from escrow.codec import Fact, Packet      the one list: read by type checkers, by editors, and by `exports`

  if not TYPE_CHECKING:
      __getattr__ = exports(__name__)

A name is what its own module defines, unchanged: `__module__` says where, and the adversary's rules are found there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from inspect import getsource
from typing import Any


def exports(package: str) -> Callable[[str], Any]:
    """Return the module `__getattr__` of `package`: it imports what the package's TYPE_CHECKING block names.

    It raises AttributeError for any other name. Nothing is kept in the package, so that its globals do not depend on
    what was asked for before.
    """

    @cache
    def homes() -> dict[str, tuple[str, str]]:
        tree = ast.parse(getsource(sys.modules[package]))
        blocks = (node for node in tree.body if isinstance(node, ast.If))
        found = (node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom))
        return {alias.asname or alias.name: (str(node.module), alias.name) for node in found for alias in node.names}

    def exported(name: str) -> Any:
        if name.startswith("__") or name not in homes():
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home, own = homes()[name]
        if home != package and hasattr(module := import_module(home), own):
            return getattr(module, own)
        return import_module(f"{home}.{own}")

    return exported

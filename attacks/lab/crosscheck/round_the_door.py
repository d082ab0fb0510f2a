"""Find in the text of a scheme's modules what goes round the door: cryptography and randomness that nobody records.

  imports     of the packages below, at the top or in a function; by `__import__` or `importlib`, if the name is written
              out; out of `sys.modules`
  borrowing   of what one of our modules imported from them: `crypto.hashlib`, `from escrow.crypto import AESGCM`
  below       what the door stands on and does not tell: its private names, `key.live.exchange`, `group.arithmetic`
  randomness  `os.urandom`, `os.getrandom`

A scheme's modules are that of its class, and those that its text imports, however indirectly: of our own, those in
which schemes stand; of others, those that are neither Python's nor installed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.util import find_spec, resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any

from attacks.lab.adversary.view import module_of

PACKAGES = {
    *("hashlib", "hmac", "secrets", "random", "cryptography", "Crypto"),
    *("Cryptodome", "nacl", "ecdsa", "OpenSSL", "ssl", "uuid"),
    *("_hashlib", "_md5", "_sha1", "_sha2", "_sha256", "_sha512", "_sha3", "_blake2", "_random"),
}
RANDOM = {"urandom", "getrandom"}  # of os
IMPORTERS = {"__import__", "import_module"}
OURS = ("escrow.", "attacks.")
DOOR = ("escrow.crypto", "escrow.run", "escrow.primitives")
ARITHMETIC = "escrow.primitives.p256_"  # modules that compute and tell nobody
UNTOLD = {"exchange", "sign", "decapsulate", "private_bytes", "private_bytes_raw"}  # of the library's own keys, `live`
METHODS = {"_exchanged", "_signed"}  # of keys of the door
SCHEMES = ("escrow.schemes.", "attacks.specimens.")
COMPARING = {("hmac", "compare_digest"), ("secrets", "compare_digest")}  # computes nothing


def round_the_door(scheme: object) -> Iterator[str]:
    """Yield each place in a scheme's modules that goes round the door: file, line and what stands there."""
    for name, path in _modules(module_of(scheme)).items():
        for line, what in sorted(_Text(name, ast.parse(path.read_bytes())).found()):
            yield f"{path.name}, line {line}: {what} goes round the door (escrow.crypto, escrow.primitives)"


def _modules(module: ModuleType) -> dict[str, Path]:
    """Return the source files of a scheme's modules, by the modules' names."""
    found: dict[str, Path] = {}
    waiting, seen = [module.__name__], {module.__name__}
    while waiting:
        name = waiting.pop()
        path = _source(name)
        if path is None or not _is_schemes(name, path, module.__name__):
            continue
        found[name] = path
        text = _Text(name, ast.parse(path.read_bytes()))
        waiting += text.imported - seen
        seen |= text.imported
    return found


def _is_schemes(name: str, path: Path, scheme: str) -> bool:
    top = name.partition(".")[0]
    if name == scheme or (top == scheme.partition(".")[0] and f"{top}." not in OURS):
        return True
    if name.startswith(OURS) or f"{name}." in OURS:
        return name.startswith(SCHEMES)
    return top not in sys.stdlib_module_names and not any(part.endswith("-packages") for part in path.parts)


def _source(name: str) -> Path | None:
    """Return the file of a module's text, or None if there is none."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None and name not in sys.modules:
        try:
            file = getattr(find_spec(name), "origin", None)
        except (ImportError, ValueError, AttributeError):
            return None
    return Path(file) if file and file.endswith(".py") and Path(file).exists() else None


class _Text:
    """The syntax tree of one module."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.tree = name, tree
        for node in ast.walk(tree):  # what serves annotations only is never imported
            if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
                node.body = []
        self.bound: dict[str, Any] = {}  # what imports bind, where it is loaded
        self.imported: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    self.imported |= {each.name}
                    self.bound[each.asname or each.name.partition(".")[0]] = sys.modules.get(
                        each.name if each.asname else each.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                home = self._home(node)
                self.imported |= {home, *(f"{home}.{each.name}" for each in node.names)}
                for each in node.names:
                    self.bound[each.asname or each.name] = getattr(sys.modules.get(home), each.name, None)
        self.importers = IMPORTERS | {
            name for name, value in self.bound.items() if getattr(value, "__name__", "") in IMPORTERS
        }
        self.texts = {
            node.targets[0].id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        }
        self.importers |= {
            name for name, value in self.texts.items() if ast.unparse(value).rpartition(".")[2] in self.importers
        }

    def _home(self, node: ast.ImportFrom) -> str:
        package = getattr(sys.modules.get(self.name), "__package__", None) or self.name.rpartition(".")[0]
        try:
            return resolve_name("." * node.level + (node.module or ""), package)
        except ImportError:
            return ""

    def found(self) -> Iterator[tuple[int, str]]:
        """Yield (line, what stands there) for everything that goes round the door."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    if _root(each.name) in PACKAGES:
                        yield node.lineno, f"import {each.name}"
            elif isinstance(node, ast.ImportFrom):
                home = self._home(node)
                for each in node.names:
                    if self._is_round(home, each.name):
                        yield node.lineno, f"from {home} import {each.name}"
            elif isinstance(node, ast.Call):
                called = ast.unparse(node.func).rpartition(".")[2]
                named = self._written(node.args[0]) if node.args else ""
                if called in {*self.importers, "get"} and _root(named) in PACKAGES:
                    if called != "get" or "sys.modules" in ast.unparse(node.func):
                        yield node.lineno, ast.unparse(node)
                elif called == "getattr" and len(node.args) > 1:
                    if self._takes(self._value(node.args[0]), self._written(node.args[1])):
                        yield node.lineno, ast.unparse(node)
                elif called in {"exec", "eval"} and named:
                    yield from ((node.lineno, what) for what in self._executed(named))
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("sys.modules"):
                if _root(self._written(node.slice)) in PACKAGES:
                    yield node.lineno, ast.unparse(node)
            elif isinstance(node, ast.Attribute) and self._is_borrowed(node):
                yield node.lineno, ast.unparse(node)

    def _is_round(self, home: str, name: str) -> bool:
        if (home, name) in COMPARING:
            return False
        if _root(home) in PACKAGES or (home == "os" and name in RANDOM):
            return True
        return home.startswith(OURS) and _is_below(home, name, getattr(sys.modules.get(home), name, None))

    def _is_borrowed(self, node: ast.Attribute) -> bool:
        """Return whether an attribute of an imported module is another's code or randomness."""
        if node.attr in METHODS:
            return True
        if node.attr in UNTOLD and isinstance(node.value, ast.Attribute) and node.value.attr == "live":
            return True
        return self._takes(self._value(node.value), node.attr)

    def _takes(self, owner: Any, name: str) -> bool:
        """Return whether the attribute of that name of a module is another's code or randomness."""
        if owner is sys.modules["os"]:
            return name in RANDOM
        if not (isinstance(owner, ModuleType) and f"{owner.__name__}.".startswith(OURS)):
            return False
        return _is_below(owner.__name__, name, getattr(owner, name, None))

    def _value(self, node: ast.expr) -> Any:
        """Return the module that an expression of names and dots is, or None."""
        if isinstance(node, ast.Name):
            return self.bound.get(node.id)
        if isinstance(node, ast.Attribute):
            return getattr(self._value(node.value), node.attr, None)
        return None

    def _written(self, node: ast.expr, within: frozenset[str] = frozenset()) -> str:
        """Return the text of an expression, as far as it is written out; else nothing. `within` are names it is of."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else ""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._written(node.left, within) + self._written(node.right, within)
        if isinstance(node, ast.JoinedStr):
            return "".join(self._written(each, within) for each in node.values)
        if isinstance(node, ast.FormattedValue):
            return self._written(node.value, within)
        if isinstance(node, ast.Name) and node.id in self.texts.keys() - within:
            return self._written(self.texts[node.id], within | {node.id})
        return ""

    def _executed(self, text: str) -> Iterator[str]:
        try:
            inner = _Text(self.name, ast.parse(text.strip()))
        except SyntaxError:
            return
        yield from (what for _, what in inner.found())


def _is_below(home: str, name: str, value: Any) -> bool:
    """Return whether a name of one of our modules is what the door stands on: another's, or private."""
    private = home.startswith(DOOR) and name.startswith("_") and not name.startswith("__")
    arithmetic = isinstance(value, ModuleType) and value.__name__.startswith(ARITHMETIC)
    return private or arithmetic or home.startswith(ARITHMETIC) or _comes_from(value) in PACKAGES


def _root(name: str) -> str:
    return name.partition(".")[0]


def _comes_from(value: Any) -> str:
    """Return the first part of the name of the module that a value is, or that defines it."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return _root(name) if isinstance(name, str) else ""

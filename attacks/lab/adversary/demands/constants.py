"""The constants of a scheme's own code: a dictionary for the fields of orders.

What an official compares an order with often stands in the code: in a function, nested ones too, in a default, in a
class, or in a global table. Our library's own modules are left out, unless they are the scheme's or hold its checks.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import msgspec

from attacks.lab.adversary.view import module_of, words_of
from escrow.principal import Principal

LARGEST = 1 << 32  # larger integers are moduli and masks: no day, and no length
DEEPEST = 6  # how many containers may lie in each other


class Constants(NamedTuple):
    """Constants by kind, each once, in the order in which the code has them; `together` are tuples of a few of them."""

    texts: tuple[str, ...]
    numbers: tuple[int, ...]
    blobs: tuple[bytes, ...]
    together: tuple[tuple[Any, ...], ...]


def constants_of(scheme: object) -> Constants:
    """Return the constants of a scheme's own modules: its file, those of its checks and parties, and their helpers."""
    return _constants(module_of(scheme))


@cache
def _constants(module: ModuleType) -> Constants:
    words = words_of(module)
    inherited = {base for kind in words.types if issubclass(kind, Principal) for base in kind.__mro__[:-1]}
    homes = {each.checks.__module__ for each in words.services} | {rule.function.__module__ for rule in words.rules}
    homes |= {kind.__module__ for kind in {*words.types, *inherited}}
    package = module.__name__.rpartition(".")[0]
    own = [name for name in sorted(homes) if _is_own(name, package)]
    checks = [each.checks for each in words.services]
    modules = {module.__name__, *own, *(each.__module__ for each in checks)}
    found = dict.fromkeys(_inside([*checks, module, *map(import_module, own)], modules))
    return Constants(
        texts=tuple(each for each in found if type(each) is str),
        numbers=tuple(each for each in found if type(each) is int and abs(each) < LARGEST),
        blobs=tuple(each for each in found if type(each) is bytes),
        together=tuple(each for each in found if type(each) is tuple),
    )


def _is_own(name: str, package: str) -> bool:
    """Return whether a module is the scheme's: not of our packages, or in a package that the scheme has for itself."""
    if name.partition(".")[0] not in ("escrow", "attacks") or name.startswith("attacks.specimens."):
        return True
    return package.count(".") > 1 and name.startswith(package + ".")


def _inside(things: Iterable[object], modules: Container[str]) -> Iterator[Any]:
    """Yield the constants inside modules, classes, functions and containers, each looked at once.

    Classes and functions of other modules than these are not looked into.
    """
    waiting = [(each, 0) for each in things][::-1]
    seen = dict[int, object]()  # by identity; kept, so that no other thing gets the same one
    while waiting:
        thing, depth = waiting.pop()
        if type(thing) in _LEAVES:
            yield thing
        elif isinstance(thing, type | FunctionType) and thing.__module__ not in modules:
            continue
        elif id(thing) not in seen and depth <= DEEPEST:
            seen[id(thing)] = thing
            if type(thing) is tuple and 1 < len(thing) < 5 and all(type(each) in _LEAVES for each in thing):
                yield thing
            waiting += [(each, depth + 1) for each in _parts(thing)][::-1]


def _parts(thing: Any) -> Iterable[object]:
    """Return what lies directly in a module, class, function, code or container; of other modules' things nothing."""
    if isinstance(thing, ModuleType):
        return [each for name, each in vars(thing).items() if not name.startswith("__") and _is_at_home(each, thing)]
    if isinstance(thing, CodeType):
        documentation = thing.co_consts[:1] if thing.co_flags & inspect.CO_NEWLOCALS else ()
        return [each for each in thing.co_consts if each not in documentation or not _is_prose(each)]
    if isinstance(thing, type):
        held = [each for name, each in vars(thing).items() if name != "__doc__" and not isinstance(each, _LEAVES)]
        given = [each for name, each in vars(thing).items() if not name.startswith("__") and isinstance(each, _LEAVES)]
        defaults = getattr(thing, "__struct_defaults__", ())
        return [*given, *held, *(defaults if isinstance(defaults, tuple) else ())]
    if isinstance(thing, FunctionType):
        cells = [cell.cell_contents for cell in thing.__closure__ or () if _is_filled(cell)]
        defaults = [*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
        return [thing.__code__, *defaults, *cells, *([inspect.unwrap(thing)] if hasattr(thing, "__wrapped__") else [])]
    if isinstance(thing, MethodType | staticmethod | classmethod):
        return [thing.__func__]
    if isinstance(thing, property):
        return [each for each in (thing.fget, thing.fset) if each]
    if isinstance(thing, Mapping):
        return [*thing.keys(), *thing.values()]
    if isinstance(thing, Collection) and not isinstance(thing, range | str | bytes):
        return list(thing)
    if isinstance(thing, msgspec.Struct):
        return [getattr(thing, name) for name in thing.__struct_fields__]
    if typing.get_origin(thing) is not None:
        return typing.get_args(thing)
    return [each for each in (getattr(thing, "func", None), getattr(thing, "args", None)) if each is not None]


_LEAVES = (str, int, bytes)


def _is_at_home(value: object, module: ModuleType) -> bool:
    """Return whether a global is a module's own: a value, or a class or function that the module defines."""
    if isinstance(value, ModuleType):
        return False
    if isinstance(value, type | FunctionType):
        return value.__module__ == module.__name__
    return True


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a name that is bound later
        return False


def _is_prose(value: object) -> bool:
    """Return whether a function's first constant is its documentation: no key of any table has a space and a period."""
    return isinstance(value, str) and " " in value and value.rstrip().endswith(".")

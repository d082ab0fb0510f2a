"""Finds the schemes, without a list of them.

  folder       every module of `escrow.schemes` ends with SCHEME
  file         `--plugin FILE.py` defines SCHEME or SCHEMES (or ATTACK, ATTACKS, EXPERIMENT, EXPERIMENTS, for the lab)
  installed    entry points of the group `escrow_lab.schemes`
  data         a module's DATA names the files beside it that it reads: journals and keys of cells cover them

Nothing is skipped silently: a module that does not load is a PluginError, because a reader would take a scheme that is
missing from a table for one that was tried. Attacks are found by the same functions, called from the package that
defines them.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar, get_args, get_origin

import msgspec

from escrow.crypto import new_signing_key
from escrow.e2ee.device import Device
from escrow.errors import Malformed
from escrow.grants import check_cast
from escrow.run import Run, running
from escrow.scheme import Scheme, Source, User, checked
from escrow.vocabulary import vocabulary

PREFIX = "plugin_"
ATTRIBUTES = ("SCHEME", "SCHEMES", "ATTACK", "ATTACKS", "EXPERIMENT", "EXPERIMENTS")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class PluginError(Malformed):
    """A module that should define a scheme or an attack does not load: the message says where, and why."""


class UnknownName(LookupError):
    """A name, parameter or value that does not exist here; the message lists those that do."""


class Named(Protocol):
    """The attributes that schemes and attacks share."""

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[Source]


T = TypeVar("T", bound=Named)


@dataclass(frozen=True)
class Kind(Generic[T]):
    """What to look for: objects of a class, under an attribute, in a package's modules and an entry-point group.

    `helpers` are modules of the package that define none; so are those whose name begins with an underscore, and
    packages within it, unless `packages` says that each of these defines one in its __init__.
    `examine` raises an error for an object that cannot be used.
    """

    base: type[T]
    attribute: str
    package: str
    group: str
    helpers: frozenset[str] = frozenset()
    packages: bool = False
    examine: Callable[[T], object] = lambda found: found


COURT = "court"  # whom every world has beside the scheme's cast
APPARATUS = ("quantum", "intruder")  # whom a claim's model may exclude besides the cast
SCHEMES = Kind(
    Scheme,
    "SCHEME",
    "escrow.schemes",
    "escrow_lab.schemes",
    packages=True,
    examine=lambda scheme: checked(scheme.claim),
)


def schemes(plugins: Iterable[Path] = ()) -> dict[str, Scheme]:
    """Return every scheme by name: plain first, as the base of the others, then by name. Raise PluginError."""
    found = discover(SCHEMES, load_files(plugins))
    return dict(sorted(found.items(), key=lambda each: (each[0] != "plain", each[0])))


def is_plugin(thing: object) -> bool:
    """Return whether a scheme or an attack comes from outside the project and so is not verified yet."""
    return type(thing).__module__.split(".")[0] not in {"escrow", "attacks"}


# --- finding ---


def discover(kind: Kind[T], plugins: Sequence[ModuleType] = ()) -> dict[str, T]:
    """Return all objects of a kind by name, in the order of names. Raise PluginError if one is not usable."""
    found: dict[str, T] = {}
    for where, thing in (*_in_package(kind), *_installed(kind), *_in_files(kind, plugins)):
        good = _examined(kind, where, thing)
        if good.name in found:
            other = type(found[good.name]).__module__
            raise PluginError(f"{where}: the name {good.name!r} is taken by {other}; give it another")
        found[good.name] = good
    return dict(sorted(found.items()))


def _in_package(kind: Kind[T]) -> Iterator[tuple[str, object]]:
    package = importlib.import_module(kind.package)
    for each in pkgutil.iter_modules(package.__path__):
        if (each.ispkg and not kind.packages) or each.name in kind.helpers or each.name.startswith("_"):
            continue
        module = importlib.import_module(f"{kind.package}.{each.name}")
        if not hasattr(module, kind.attribute):
            raise PluginError(f"{module.__file__}: it does not end with {kind.attribute}")
        yield str(module.__file__), getattr(module, kind.attribute)


def _in_files(kind: Kind[T], plugins: Sequence[ModuleType]) -> Iterator[tuple[str, object]]:
    for module in plugins:
        where = str(module.__file__)
        if hasattr(module, kind.attribute):
            yield where, getattr(module, kind.attribute)
        for thing in _several(where, getattr(module, kind.attribute + "S", ())):
            yield where, thing


def _installed(kind: Kind[T]) -> Iterator[tuple[str, object]]:
    for point in _entry_points(kind.group):
        where = f"entry point {point.name} ({point.value}{f', from {point.dist.name}' if point.dist else ''})"
        try:
            with redirect_stdout(sys.stderr):
                loaded = point.load()
        except (Exception, SystemExit) as error:
            raise PluginError(f"{where}: {_cause(error)}") from error
        if isinstance(loaded, list | tuple):
            yield from ((where, thing) for thing in loaded)
        else:
            yield where, loaded


@cache
def _entry_points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(sorted(entry_points(group=group), key=lambda point: (point.name, point.value)))


def _several(where: str, things: object) -> Iterable[object]:
    if not isinstance(things, list | tuple):
        raise PluginError(f"{where}: several are a list or a tuple, not a {type(things).__name__}")
    return things


def _examined(kind: Kind[T], where: str, thing: object) -> T:
    """Return the thing, if it is of the kind, has the attributes of a table, and its rules can be collected."""
    if not isinstance(thing, kind.base):
        hint = "; write its class with () behind it" if isinstance(thing, type) else ""
        raise PluginError(f"{where}: {kind.attribute} is no {kind.base.__name__} but a {type(thing).__name__}{hint}")
    for attribute, wanted in (("name", str), ("title", str), ("source", Source)):
        if not isinstance(getattr(thing, attribute, None), wanted):
            raise PluginError(f"{where}: {type(thing).__name__} has no {attribute} that is a {wanted.__name__}")
    if not NAME.fullmatch(thing.name):
        raise PluginError(f"{where}: the name {thing.name!r} is not lower-case letters, digits and single hyphens")
    try:
        kind.examine(thing)
        if is_plugin(thing):
            vocabulary(sys.modules[type(thing).__module__])
            if isinstance(thing, Scheme):
                _refuse_unknown(thing)
    except Exception as error:
        raise PluginError(f"{_with_line(where, error)}: {thing.name}: {_cause(error)}") from error
    return thing


def _refuse_unknown(scheme: Scheme) -> None:
    """Raise TypeError if a grant names too few in the cast, or an official's own texts.

    If the cast cannot be made, its play will say so.
    """
    try:
        with running(Run(bytes(32))):
            court = new_signing_key().public
            users = [User(name, (f"{name}-phone",)) for name in ("alice", "bob")]
            names = [party.name for party in scheme.cast(users, court) if not isinstance(party, Device)]
    except Exception:
        return
    check_cast(scheme.claim, [*names, COURT], APPARATUS)


# --- files ---


def load_files(paths: Iterable[Path]) -> list[ModuleType]:
    """Return the modules of plug-in files, each loaded once. Raise PluginError if one does not load."""
    return [load_file(path) for path in dict.fromkeys(map(_resolved, paths))]


def load_file(path: Path) -> ModuleType:
    """Return the module of a plug-in file, under the name `plugin_<stem>`; its prints go to stderr.

    It is entered in sys.modules like any other, because annotations, decoding and the adversary's rules look it up
    there.

    Raises:
        PluginError: the file does not load, or defines no scheme, attack or experiment.
    """
    path = _resolved(path)
    name = PREFIX + path.stem
    if (known := sys.modules.get(name)) is not None:
        if known.__file__ != str(path):
            raise PluginError(f"{path}: {known.__file__} is loaded under the same name; rename one of them")
        return known
    loader = SourceFileLoader(name, str(path))
    if (spec := spec_from_loader(name, loader)) is None:
        raise PluginError(f"{path}: this is no Python file")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        with redirect_stdout(sys.stderr):
            loader.exec_module(module)
        if not any(hasattr(module, attribute) for attribute in ATTRIBUTES):
            raise PluginError(f"{path}: it defines none of {', '.join(ATTRIBUTES)}")
        if replaced := next(replaced_by(name), ""):
            raise PluginError(f"{path}: it replaces {replaced} for every scheme; write a class of its own instead")
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, PluginError) or not isinstance(error, Exception | SystemExit):
            raise
        raise PluginError(f"{_with_line(str(path), error)}: {_cause(error)}") from error
    return module


def replaced_by(name: str) -> Iterator[str]:
    """Yield the dotted name of everything of ours that is now code of this module, which is not ours.

    It would change every scheme that is loaded beside it, and tell nobody.
    """
    ours = {} if _is_ours(name) else {home: module for home, module in sys.modules.items() if _is_ours(home)}
    for home, module in ours.items():
        if module is not None:
            for attribute, value in [*vars(module).items()]:
                if _is_of(value, name):
                    yield f"{home}.{attribute}"
                elif isinstance(value, type) and value.__module__ == home:
                    held = (each for each, method in [*vars(value).items()] if _is_of(method, name))
                    yield from (f"{home}.{value.__qualname__}.{each}" for each in held)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in ("escrow", "attacks")


def _is_of(value: Any, name: str) -> bool:
    for inner in ("__func__", "fget", "func"):  # of a static method, a property, a cached property
        value = getattr(value, inner, value) if not isinstance(value, type) else value
    return callable(value) and getattr(value, "__module__", None) == name


def _resolved(path: Path) -> Path:
    """Return the file that a path means. Raise PluginError for a link to itself."""
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise PluginError(f"{path}: {error}") from None


def _with_line(where: str, error: BaseException) -> str:
    """Return the file and, if the error passed through it, the line."""
    if isinstance(error, SyntaxError) and error.filename == where:
        return f"{where}, line {error.lineno}"
    from traceback import extract_tb  # a run without a faulty plug-in does without

    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == where]
    return f"{where}, line {lines[-1]}" if lines else where


def _cause(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg}"
    return f"{type(error).__name__}: {error}"


# --- names and parameters ---


def pick(things: Mapping[str, T], name: str, what: str) -> T:
    """Return the thing of that name. Raise UnknownName, listing the known names, if there is none."""
    if name not in things:
        raise unknown(things, name, what)
    return things[name]


def unknown(names: Iterable[str], name: str, what: str) -> UnknownName:
    """Return the error for an unknown name: it suggests the closest known name, or lists all."""
    known = list(dict.fromkeys(names))
    hint = closest(known, name) or f"there are: {', '.join(known)}"
    return UnknownName(f"no {what} is called {name!r}; {hint}")


def closest(names: Iterable[str], name: str) -> str:
    """Return the question whether the closest name was meant, or the first that begins so; "" if none is close."""
    from difflib import get_close_matches  # a run without a mistyped name does without

    known = list(names)
    close = get_close_matches(name, known, 1) or [each for each in known if name and each.startswith(name)]
    return f"did you mean {close[0]}?" if close else ""


def parameters(scheme: Scheme) -> dict[str, Any]:
    """Return a scheme's parameters and their values: the fields of its struct, without `options` at their defaults."""
    values = ((field, getattr(scheme, field.name)) for field in msgspec.structs.fields(scheme))
    return {field.name: value for field, value in values if field.name not in scheme.options or value != field.default}


def with_parameters(scheme: Scheme, settings: Iterable[str]) -> Scheme:
    """Return the scheme with its settings `SCHEME.PARAM=VALUE` applied at once; other schemes' are ignored.

    Raises:
        UnknownName: a setting has another form, a parameter does not exist, or its value is not allowed.
    """
    own = [(parameter, value) for who, parameter, value in map(_parts, settings) if who == scheme.name]
    kinds = scheme.parameter_types() if own else {}
    chosen: dict[str, Any] = {}
    for parameter, value in own:
        if parameter not in kinds:
            has = f"its parameters are: {', '.join(kinds)}" if kinds else "it has no parameters"
            has = closest(kinds, parameter) or has
            raise UnknownName(f"{scheme.name} has no parameter {parameter!r}; {has}")
        try:
            chosen[parameter] = msgspec.convert(value, kinds[parameter], strict=False)
        except msgspec.ValidationError as error:
            words = get_args(kinds[parameter]) if get_origin(kinds[parameter]) is Literal else ()
            why = f"it is one of {', '.join(map(str, words))}" if words else str(error)
            raise UnknownName(f"{scheme.name}.{parameter} cannot be {value!r}: {why}") from None
    try:
        return scheme.replaced(**chosen) if chosen else scheme
    except (ValueError, TypeError) as error:
        raise UnknownName(f"{scheme.name} does not take these parameters: {error}") from None


def configured(found: Mapping[str, Scheme], settings: Sequence[str]) -> dict[str, Scheme]:
    """Return all schemes with the settings applied. Raise UnknownName also for an unknown scheme."""
    for setting in settings:
        pick(found, _parts(setting)[0], "scheme")
    return {name: with_parameters(scheme, settings) for name, scheme in found.items()}


def _parts(setting: str) -> tuple[str, str, str]:
    target, equals, value = setting.partition("=")
    who, dot, parameter = target.partition(".")
    if not (equals and dot and who and parameter):
        raise UnknownName(f"cannot read the setting {setting!r}; write SCHEME.PARAM=VALUE")
    return who, parameter, value

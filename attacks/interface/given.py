"""What a caller gives, as the laboratory's own objects: names, patterns, files and options of a scenario."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict, TypeVar, get_type_hints

import msgspec

from attacks import registry as attack_registry
from attacks.lab.simulation import shapes
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.shapes import WarrantKind, varied
from escrow import registry
from escrow.errors import Malformed
from escrow.scheme import Scheme

SIZES: tuple[Literal["users", "groups", "days", "messages"], ...] = ("users", "groups", "days", "messages")
NUMBERS: tuple[Literal["seed", "work"], ...] = ("seed", "work")

T = TypeVar("T", Scheme, Attack)


class ScenarioOptions(TypedDict, total=False):
    """What changes of the default scenario, or of the one that is given; as the options of the command line.

    `users`, `groups`, `days` and `messages` are sizes, and `smoke` asks for small ones: for no scenario that is given.
    `seed` draws everything random; 2^`work` guesses count. `warrants` is "prospective" or "retrospective", `meetings`
    "none", "all", or a number of pairs, with @DAY behind it or not.
    """

    smoke: bool
    users: int
    groups: int
    days: int
    messages: int
    seed: int
    work: int
    warrants: WarrantKind
    meetings: str


KINDS: dict[str, Any] = get_type_hints(ScenarioOptions)


class Catalogue(NamedTuple):
    """All schemes and attacks that there are, by name: ours, those installed, and those of plug-in files."""

    schemes: dict[str, Scheme]
    attacks: dict[str, Attack]

    def scheme(self, given: str | Scheme) -> Scheme:
        """Return the scheme that was given, or that has this name. Raise UnknownName if none has."""
        return registry.pick(self.schemes, given, "scheme") if isinstance(given, str) else of_a_file(given)

    def attack(self, given: str | Attack) -> Attack:
        """Return the attack that was given, or that has this name. Raise UnknownName if none has."""
        return registry.pick(self.attacks, given, "attack") if isinstance(given, str) else of_a_file(given)

    def every(self, attacks: Iterable[Attack]) -> list[Attack]:
        """Return all attacks, those included that were given as objects: their rules join every play."""
        return list((self.attacks | {each.name: each for each in attacks}).values())


def known(plugins: str | Path | Iterable[str | Path] = (), settings: str | Sequence[str] = ()) -> Catalogue:
    """Return what there is, with the settings `SCHEME.PARAM=VALUE` applied.

    Raises:
        PluginError: a plug-in does not load.
        UnknownName: a setting names no scheme or no parameter of it, or a value that is not allowed.
    """
    files = [Path(each) for each in ([plugins] if isinstance(plugins, str | Path) else plugins)]
    chosen = [settings] if isinstance(settings, str) else settings
    return Catalogue(registry.configured(registry.schemes(files), chosen), attack_registry.attacks(files))


def of_a_file(thing: T) -> T:
    """Return a scheme or an attack.

    Raises:
        UnknownName: it is neither.
        PluginError: its class has no file; its rules are read from there.
    """
    if not isinstance(thing, Scheme | Attack):
        raise registry.UnknownName(f"{thing!r} is no scheme and no attack; give one, or its name")
    if getattr(sys.modules.get(type(thing).__module__), "__file__", None) is None:
        raise registry.PluginError(
            f"{type(thing).__name__} was written in no file, as in a notebook: write its cell into one "
            f"(%%writefile mine.py) and give plugins='mine.py'"
        )
    return thing


def scheme(name: str, **parameters: int | str | bool) -> Scheme:
    """Return the scheme with this name and these parameters: `scheme("split-key", t=3, n=5)`.

    Args:
        name: a scheme's name; `escrow-lab schemes` lists them.
        **parameters: as `--set NAME.PARAM=VALUE` has them; `escrow-lab show NAME` lists them.

    Raises:
        UnknownName: there is no such scheme or parameter, or a value is not allowed.
    """
    settings = [f"{name}.{key}={value}" for key, value in parameters.items()]
    return known(settings=settings).scheme(name)


def several(things: Mapping[str, T], given: str | T | Iterable[str | T] | None, what: str) -> list[T]:
    """Return the things that were given, or whose names fit a pattern that was, each once; all if None was.

    Raise UnknownName for a name or pattern that fits none, or if two that differ have one name.
    """
    if given is None:
        return list(things.values())
    found: dict[str, T] = {}
    for each in [given] if isinstance(given, str | Scheme | Attack) else given:
        if isinstance(each, str):
            fitting = {name: thing for name, thing in things.items() if fnmatchcase(name, each)}
            if not fitting:
                raise registry.unknown(things, each, what)
            found |= {name: thing for name, thing in fitting.items() if name not in found}
        else:
            if found.setdefault(of_a_file(each).name, each) != each:
                raise registry.UnknownName(f"two are called {each.name}: a {what} is played once, so play them apart")
    return list(found.values())


def scenario_of(given: str | Path | Scenario | None, options: ScenarioOptions) -> Scenario:
    """Return the scenario that was given, by name, by file or as an object, with these options; checked.

    Raises:
        UnknownName: there is no option of this name.
        Malformed: there is no such scenario, or the value of an option does not fit.
    """
    if not isinstance(given, str | Path | Scenario | None):
        raise Malformed(f"{given!r} is no scenario; give one, its name, or its file")
    for name, value in options.items():
        if name not in KINDS:
            raise registry.unknown(KINDS, name, "option of a scenario")
        try:
            msgspec.convert(value, Any if value is None else KINDS[name])
        except msgspec.ValidationError as error:
            raise Malformed(f"{name}={value!r}: {str(error)[:1].lower()}{str(error)[1:]}") from None
    sizes: dict[str, int | None] = {key: options.get(key) for key in SIZES}
    numbers: dict[str, int | None] = {key: options.get(key) for key in NUMBERS}
    named = Path(given) if isinstance(given, str) else given
    found = shapes.chosen(named, options.get("smoke", False), sizes, numbers)
    return varied(found, options.get("warrants"), options.get("meetings"))

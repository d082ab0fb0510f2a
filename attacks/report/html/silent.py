"""What a page shows of silence sets: for each way in, who reads what, which checks must lie on whose devices."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from attacks.lab.results.silences import KeptCheck, Silences, SilenceSet, SilentWay
from attacks.report.matrices.matrix import described
from attacks.report.matrices.silences import NEVER, NOBODY, outcome
from escrow import registry

SIDES = ("target", "others")


@dataclass(frozen=True)
class LieShown:
    """A check that is left out, and what happens in the play in which it is made."""

    check: str
    kept: str


@dataclass(frozen=True)
class SetShown:
    """One silence set: the lies on the target's and on others' devices, and who must be corrupted."""

    sides: tuple[tuple[LieShown, ...], ...]
    principals: tuple[str, ...]
    nothing: str = ""


@dataclass(frozen=True)
class WayShown:
    """A way in for some texts; `never` is empty, or says that it is noticed whatever is left out."""

    adds: str
    by: str
    count: int
    texts: str
    sets: tuple[SetShown, ...]
    never: str


@dataclass(frozen=True)
class SilencesShown:
    """The silence sets of a scheme, its parameters and scenario in words, and the command that computes them."""

    scheme: str
    target: str
    title: str
    parameters: str
    scenario: str
    ways: tuple[WayShown, ...]
    command: str


def shown(silences: Silences, options: Iterable[str] = ()) -> SilencesShown:
    """Return what a page shows; `options` are those of the command that computes it."""
    known, given = registry.schemes(), silences.manifest.parameters.get(silences.scheme, {})
    return SilencesShown(
        scheme=silences.scheme,
        target=silences.target,
        title=known[silences.scheme].title if silences.scheme in known else "",
        parameters=", ".join(f"{name}={value}" for name, value in given.items()),
        scenario=described(silences.manifest.scenario),
        ways=tuple(map(_way, silences.ways)),
        command=shlex.join(["escrow-lab", "silence", silences.scheme, *options]),
    )


def _way(way: SilentWay) -> WayShown:
    sets = tuple(_set(each, way.count) for each in way.sets)
    return WayShown(
        way.adds, " and ".join(way.by), way.count, "; ".join(way.texts), sets, "" if sets else NEVER.capitalize()
    )


def _set(one: SilenceSet, count: int) -> SetShown:
    def on(side: str) -> tuple[LieShown, ...]:
        kept: dict[str, KeptCheck] = {each.lie.check: each for each in one.kept if each.lie.on == side}
        names = [each.check for each in one.off if each.on == side]
        return tuple(LieShown(name, outcome(kept[name], count) if name in kept else "not played") for name in names)

    return SetShown(tuple(map(on, SIDES)), one.principals, "" if one.off else NOBODY.capitalize())

"""What the page says of schemes and attacks beside their numbers: titles, families, sources; names alone if unknown.

A result holds names only. An entry that this installation does not have, or that comes from a plug-in, has no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from attacks import registry as attack_registry
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.builds.intruder import INTRUDER
from attacks.report.cards import card
from attacks.report.matrices import grid
from escrow import registry
from escrow.registry import APPARATUS
from escrow.scheme import Scheme

PLAIN = "plain"
SIDE_BY_SIDE = 8  # schemes that a narrow screen has room for
KEEPERS, PROVIDER, DEVICES, CLIENTS, LATER, NOBODY = (
    "Those who keep the door",
    "The provider",
    "Users' devices are taken",
    "Users' clients cheat",
    "Later",
    "Nobody is corrupted, or nothing comes of it",
)
CHEATING = (KEEPERS, PROVIDER, DEVICES, CLIENTS, LATER, NOBODY)  # in the order of the page


@dataclass(frozen=True)
class PageEntry:
    """A scheme or an attack: its name, and what this installation knows of it."""

    name: str
    title: str = ""
    about: str = ""
    source: str = ""
    unverified: bool = False


@dataclass(frozen=True)
class EntryGroup:
    """Schemes or attacks that stand together, under a title."""

    title: str
    entries: tuple[PageEntry, ...]


@dataclass(frozen=True)
class PageEntries:
    """The schemes and attacks of a matrix, in the order of the page."""

    schemes: tuple[EntryGroup, ...]
    attacks: tuple[EntryGroup, ...]

    @property
    def by_name(self) -> dict[str, PageEntry]:
        """Every entry under its name; no scheme has the name of an attack that a page shows beside it."""
        return {each.name: each for group in self.attacks for each in group.entries}

    @property
    def scheme_names(self) -> tuple[str, ...]:
        """The names of the schemes in the order of the page."""
        return tuple(each.name for group in self.schemes for each in group.entries)


@dataclass(frozen=True)
class Block:
    """Schemes that stand side by side in one table, by family: those from the place `first` of all on."""

    families: tuple[EntryGroup, ...]
    first: int
    size: int

    @property
    def firsts(self) -> frozenset[int]:
        """The places of the first scheme of each family, in the block."""
        sizes = [len(family.entries) for family in self.families]
        return frozenset(sum(sizes[:at]) for at in range(len(sizes)))


def blocks_of(families: Sequence[EntryGroup]) -> tuple[Block, ...]:
    """Return the schemes in as few tables of at most `SIDE_BY_SIDE` as they need, of nearly equal size."""
    every = [(family.title, entry) for family in families for entry in family.entries]
    found, first = [], 0
    for dealt in grid.dealt([str(at) for at in range(len(every))], SIDE_BY_SIDE):
        part = every[first : first + len(dealt)]
        groups = tuple(
            EntryGroup(title, tuple(entry for _, entry in group))
            for title, group in groupby(part, lambda each: each[0])
        )
        found.append(Block(groups, first, len(part)))
        first += len(part)
    return tuple(found)


def entries_of(matrix: Matrix, attacks: Sequence[str]) -> PageEntries:
    """Return the schemes of a matrix by family, plain's first, and these attacks by who cheats in them."""
    unverified = frozenset(matrix.manifest.unverified)
    known, played = registry.schemes(), attack_registry.attacks()
    families: dict[str, list[PageEntry]] = {}
    for name in sorted(matrix.manifest.schemes, key=lambda name: name != PLAIN):
        families.setdefault(_family(known.get(name)), []).append(_entry(name, known, unverified))
    kinds: dict[str, list[PageEntry]] = {title: [] for title in CHEATING}
    for name in attacks:
        kinds[_who_cheats(matrix, name)].append(_entry(name, played, unverified))
    return PageEntries(
        schemes=tuple(EntryGroup(title, tuple(found)) for title, found in families.items()),
        attacks=tuple(EntryGroup(title, tuple(found)) for title, found in kinds.items() if found),
    )


def _family(scheme: Scheme | None) -> str:
    """Return where a scheme's way in is; one that promises the law nothing has none."""
    if scheme is None:
        return "Others"
    return scheme.family or ("No way in" if scheme.claim.access == "none" else "Others")


def _entry(name: str, known: Mapping[str, Scheme | Attack], unverified: frozenset[str]) -> PageEntry:
    if name not in known:
        return PageEntry(name, unverified=name in unverified)
    written = card(known[name])
    source = f"{written.source.author}, {written.source.title}, {written.source.year}"
    return PageEntry(name, written.title, written.sentence, source, name in unverified)


def _who_cheats(matrix: Matrix, attack: str) -> str:
    """Return the kind of an attack, by the parties that are corrupted in its cells."""
    devices = frozenset(matrix.manifest.scenario.devices)
    found = {kind for cell in matrix.cells if cell.attack == attack for kind in _kinds(cell, devices)}
    return next((kind for kind in CHEATING if kind in found), NOBODY)


def _kinds(cell: Cell, devices: frozenset[str]) -> Iterable[str]:
    """Yield the kinds of parties that are corrupted in a cell; a file of schema 1 has the coalition alone."""
    corrupted = {member.partition("@")[0]: "" for member in cell.coalition}
    corrupted |= {each.who: each.how for each in cell.taken or ()}
    for who, how in corrupted.items():
        if who in devices:
            yield CLIENTS if how == "turned" else DEVICES
        elif who in APPARATUS:
            yield CLIENTS if who == INTRUDER else LATER
        else:
            yield PROVIDER if who == "provider" else KEEPERS

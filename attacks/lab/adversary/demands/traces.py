"""What the checks of one service made of orders: which failed, what they read, and how each comparison came out."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from attacks.lab.adversary.demands.recorded import Compared, Notes
from escrow.warrant import Order

FORGED, UNREADABLE = "the arguments fit", "the order can be read"  # stand for a check that fails by an error
Subject = tuple[tuple[str, ...], int]  # the people whom a request is about, and the day


class Found(NamedTuple):
    """The result of one search: the best order, whether it passes, which checks fail, and how much was tried."""

    order: Order
    passes: bool
    least: frozenset[str]
    decided_by: frozenset[str]  # the fields that the failing checks read
    tried: int
    limit: bool


@dataclass(slots=True)
class Tally:
    """What all searches for one official and service saw."""

    orders: int = 0
    limit: bool = False
    passed: set[str] = field(default_factory=set)
    failed: dict[str, Notes] = field(default_factory=dict)
    answered: bool = False
    at_once: bool = False
    least: set[frozenset[str]] = field(default_factory=set)


@dataclass(slots=True)
class Trace:
    """What the checks made of one order: those that failed, and the notes of each."""

    failed: frozenset[str]
    notes: dict[str, Notes]

    def of_failed(self, aside: Set[str]) -> list[Compared]:
        """Return the comparisons of the checks that failed; of all, if they compared nothing where they stand."""
        found = [each for name in self.failed.difference(aside) for each in self.notes[name].compared]
        every = found or [each for notes in self.notes.values() for each in notes.compared]
        return list({each.key(): each for each in every}.values())

    def read(self) -> set[str]:
        """Return the fields that the checks that failed have read; those of all if they read nothing themselves."""
        own = set[str]().union(*(self.notes[name].read for name in self.failed))
        return own or set[str]().union(*(notes.read for notes in self.notes.values()))

    def rank(self) -> tuple[bool, int]:
        """Return how far an order is from passing: those that end in an error are behind all others."""
        return not self.failed.isdisjoint((FORGED, UNREADABLE)), len(self.failed)

    def decided_by(self, name: str) -> bool:
        """Return whether a check that failed reads this field and no other."""
        return any(self.notes[check].read == {name} for check in self.failed)

    def reads_nothing(self, check: str) -> bool:
        """Return whether a check reads no field, where others read theirs one by one."""
        reading = [name for name, notes in self.notes.items() if notes.read]
        return check not in reading and len(reading) > 1 and not self.notes[check].signature

    def path(self) -> frozenset[Any]:
        """Return which comparisons came out how: orders with equal paths tell nothing new."""
        return frozenset((name, *each) for name, notes in self.notes.items() for each in notes.path())


def add(notes: dict[str, Notes], name: str, new: Notes) -> None:
    """Keep the notes of a check; a name that occurs twice has those of both."""
    if (old := notes.get(name)) is None:
        notes[name] = new
    else:
        old.read |= new.read
        old.compared += new.compared
        old.signature |= new.signature
        old.verified |= new.verified
        old.missed |= new.missed


def alike(path: frozenset[Any], subject: Subject, today: int) -> frozenset[Any]:
    """Return a path in which the people and the day of the subject have no names, nor has the day of the request."""
    people, day = subject
    names = {each: ("person", at) for at, each in enumerate(people)}

    def nameless(value: Any) -> Any:
        if isinstance(value, str):
            return names.get(value, value)
        return ("day", 0) if isinstance(value, int) and value in (day, today) else value

    return frozenset((*rest, nameless(other)) for *rest, other in path)

"""Which byte strings of a play everybody has: what is equal in two runs, and what packets show, as it is or written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property

from attacks.lab.crosscheck.strings import overlaps
from attacks.lab.crosscheck.strings.notations import RECODED, Written, readings, written_in
from attacks.lab.crosscheck.strings.overlaps import LONGEST, SHORT, TRIED, Targets
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.simulation.record import Record

MOST_BITS = 40  # of work to try one string: 4 or 5 bytes of any value, 12 digits, 8 letters
MOST_CHANGED = 12  # bytes of such a string that change


class KnownBytes:
    """What is known of each string that was looked at: everybody has it, or it is a target, which is looked for.

    `numbers` are those of the targets, `public` says whether everybody has a string, and `written` has strings with
    what is written in them in another notation, where not everybody has that. `guesses` has the strings that whoever
    lacks them can try, with the bits of work.
    """

    def __init__(self, door: TwoPlays, record: Record) -> None:
        self.door, self._plays = door, (record, door.other)
        self._packets = overlaps.grams({each for data in {one.data for one in record.heard} for each in readings(data)})
        self.targets = Targets()
        self.numbers: dict[bytes, int] = {}
        self.public: dict[bytes, bool] = {}
        self.guesses: dict[bytes, float] = {}
        self.written: list[tuple[bytes, Written]] = []

    def everybodys(self, value: bytes, other: bytes | None = None) -> bool:
        """Return whether a string is equal in two runs or lies in packets; if not, it becomes a target.

        `other` is the string at its place in the other run, if the door's record does not say.
        """
        if (known := self.public.get(value)) is None:
            alike = not value or value == other or self.door.constant(value)
            known = self.public[value] = alike or not self.target(value, self.door.counterpart(value) or other)
        return known

    def target(self, value: bytes, other: bytes | None = None) -> bool:
        """Make a string a target, unless packets hold it. Return whether it is a target."""
        if value in self.numbers:
            return True
        marks = overlaps.changes(value, other)
        short = sum(marks) <= MOST_CHANGED
        bits = overlaps.trials(value, marks) if short else 0
        overlaps.cover(value, marks, self._packets)
        if sum(marks) > TRIED:
            self._cover_written(value, other, marks)
        if sum(marks) > TRIED and other and len(other) == len(value) <= LONGEST:
            overlaps.cover_short(value, other, marks, *self._short)
        if short and any(marks) and bits <= MOST_BITS and not self._sent(value, other):
            self.guesses[value] = bits
        if sum(marks) <= TRIED:
            return False
        self.numbers[value] = self.targets.add(value, overlaps.spans(marks))
        return True

    def _cover_written(self, value: bytes, other: bytes | None, marks: bytearray) -> None:
        """Clear the marks of stretches that encode strings which everybody has; keep those that encode others."""
        written = list(written_in(value))
        others = list(written_in(other or b"")) if written else []
        for at, (first, end, said) in enumerate(written):
            twin = others[at][2] if len(others) == len(written) else None
            if len(said) < overlaps.GRAM or sum(marks[first:end]) <= TRIED:
                continue
            if self.everybodys(said, twin):
                marks[first:end] = bytes(end - first)
            else:
                self.written.append((value, (first, end, said)))
        alternating = bytearray(marks)  # two strings that alternate byte by byte
        for at in range(2):
            half = alternating[at::2]
            overlaps.cover(value[at::2], half, self._packets)
            alternating[at::2] = half
        if alternating != marks and not any(self.lies_in_packets(change(value)) for change in RECODED.values()):
            marks[:] = alternating

    def _sent(self, value: bytes, other: bytes | None) -> bool:
        """Return whether a string of 4 bytes or more lies in the packets of both plays."""
        strings = (value, other or b"")
        return all(len(each) >= SHORT for each in strings) and all(
            any(string in one.data for one in play.heard) for string, play in zip(strings, self._plays, strict=True)
        )

    @cached_property
    def _short(self) -> tuple[set[bytes], set[bytes]]:
        """What lies in the packets of both plays, a few bytes at a time."""
        ours, theirs = (overlaps.grams({each.data for each in one.heard}, SHORT) for one in self._plays)
        return ours, theirs

    def lies_in_packets(self, string: bytes) -> bool:
        """Return whether a string lies in packets, but for a few bytes."""
        return sum(self.not_in_packets(string)) <= TRIED

    def not_in_packets(self, string: bytes) -> bytearray:
        """Return for each byte of a string 0 if it lies in packets with its neighbours, or 1."""
        marks = bytearray(b"\1" * len(string))
        if any(string[at : at + overlaps.GRAM] in self._packets for at in range(0, len(string), overlaps.GRAM)):
            overlaps.cover(string, marks, self._packets)
        return marks


class ShortParts:
    """Where a few bytes lie in strings that calls or facts give, at the same places in both runs."""

    def __init__(self, door: TwoPlays, sources: Collection[bytes]) -> None:
        self.door, self.sources = door, sources

    @cached_property
    def _holding(self) -> dict[bytes, bytes]:
        return {each[at : at + SHORT]: each for each in self.sources for at in range(len(each) - SHORT + 1)}

    def lying_in(self, value: bytes, open_: int) -> Iterator[tuple[bytes, int]]:
        """Yield (source, place in the string) for those of a string's open bytes that lie in a source."""
        other = self.door.counterpart(value) or b""
        for at in range(min(len(value), len(other)) - SHORT + 1):
            if ~open_ >> at & (1 << SHORT) - 1:
                continue
            piece = value[at : at + SHORT]
            source = self._holding.get(piece, value)
            twin, place = self.door.counterpart(source) or b"", source.rfind(piece)
            if source != value and twin[place : place + SHORT] == other[at : at + SHORT]:
                yield source, at

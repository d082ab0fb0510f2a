"""Which keys parties make round the door, from strings that they keep, send or were given: no call shows these keys.

mixtures  a key is the exclusive or of two strings, or of a string and a few bytes, recoded too; or bytes in order
together  a key or text is a string, or one of its ends, recoded in several ways on top of each other
filled    what nothing has of a string is computed: as integers, as an exclusive or, or recoded
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from itertools import chain
from typing import NamedTuple

from attacks.lab.crosscheck.consequences import KEYS, MIX, masked, mixed
from attacks.lab.crosscheck.known import KnownBytes
from attacks.lab.crosscheck.strings import overlaps
from attacks.lab.crosscheck.strings.arithmetic import combined
from attacks.lab.crosscheck.strings.notations import RECODED, recoded
from attacks.lab.crosscheck.strings.overlaps import LONGEST, TRIED
from escrow.run import Call

PART, RECODE = "part", "recoded"
SCALARS = {"p256-combine", "p256-multiply-two", "p256-scalars"}  # take what the library computes of scalars itself
FEW = 2  # strings, partly known, of which the rest is looked at so
COMPUTED = 100  # strings that are looked at as results of integers

Way = tuple[tuple[bytes, ...], str]  # what a string is made of, and how
Made = tuple[str, tuple[bytes, ...], bytes, str]  # the edge's name, of what, the key, how
Source = int | tuple[str, int]  # a node's number, or a state: principal and evening


class Rest(NamedTuple):
    """A string that is not known as a whole: its bytes that nothing has, and those that sources have."""

    places: list[int]  # of the bytes that nothing has
    pieces: dict[tuple[int, ...], list[int]]  # the places of bytes that lie in the same parts, by the parts
    parts: dict[int, list[Source]]  # what has some of its places, by these as bits
    whole: bool  # whether something has it but for a few bytes

    def partly(self, size: int) -> bool:
        """Return whether some bytes of the string, which has so many, are explained, and others are not."""
        return bool(self.pieces) or len(self.places) < size - TRIED


def mixtures(known: KnownBytes, kept: Collection[bytes], written: Set[bytes]) -> Iterator[Made]:
    """Yield each exclusive or that is a key: parties may mix round the door what they keep or send.

    What is written in the code becomes known to everybody, as it is and cut or repeated to a key's length.
    """
    calls = known.door.log.calls
    taken = {value for each in calls for value in each.inputs}
    keys = taken & known.numbers.keys()
    constants = {value for value in taken if known.door.constant(value)}
    constants |= _repeated(written, set(map(len, keys))) - known.numbers.keys()
    known.public |= dict.fromkeys(constants.union(written - known.numbers.keys()), True)
    results = {value for each in calls for value in each.outputs if each.inputs}  # not what was drawn
    for one, other, key in mixed(keys, {*kept, *constants}, results):
        yield MIX, (one, other), key, "exclusive or"
    forms = {change(key): (key, f", {how}") for key in keys for how, change in RECODED.items()}
    for one, other, form in mixed(forms, constants, kept):
        key, how = forms[form]
        yield MIX, (one, other), key, f"exclusive or{how}"
    sealing = {each.inputs[0] for each in calls if each.operation in ("seal", "open")}
    sealing |= {value for each in calls if each.operation in KEYS for value in each.inputs if value in kept}
    for one, other, form in mixed((form for form, (key, _) in forms.items() if key in sealing), kept, results):
        key, how = forms[form]
        yield MIX, (one, other), key, f"exclusive or{how}"
    forms |= {key: (key, "") for key in keys}
    for one, form in masked(forms, kept):
        key, how = forms[form]
        yield MIX, (one,), key, f"exclusive or with a few bytes{how}"
    if ordered := {key for key in keys if len(key) >= 2 * overlaps.GRAM and key == bytes(sorted(key))}:
        for one in kept:
            if (key := bytes(sorted(one))) in ordered and key != one:
                yield PART, (one,), key, "its bytes in their order"


def _repeated(strings: Iterable[bytes], sizes: Collection[int]) -> set[bytes]:
    """Return each short string, repeated and cut to each of the sizes."""
    return {(each * size)[:size] for each in strings for size in sizes if each and size <= LONGEST}


def _rotated(strings: Iterable[bytes], sizes: Collection[int]) -> dict[bytes, bytes]:
    """Return each short string, repeated to each of the sizes that is longer, from each of its bytes on."""
    short = [each for each in strings if overlaps.SHORT < len(each) <= LONGEST]
    fitting = ((each, size) for each in short for size in sizes if len(each) < size)
    return {(each * size)[at : at + size]: each for each, size in fitting for at in range(len(each))}


def together(known: KnownBytes, texts: Iterable[bytes], strings: Collection[bytes]) -> Iterator[Made]:
    """Yield each key and text of which a whole string, or one of its ends, is recoded in several ways."""
    taken = {each for call in known.door.log.calls for each in call.inputs}
    values = {each for each in (*taken, *texts) if each in known.numbers}
    for value, string, how in recoded(values, strings):
        if how not in RECODED:
            yield RECODE, (string,), value, how


def filled(
    rests: Mapping[bytes, Rest],
    calls: Iterable[Call],
    sources: Set[bytes],
    strings: Collection[bytes],
    written: Collection[bytes],
) -> Iterator[tuple[bytes, dict[overlaps.Span, list[Way]]]]:
    """Yield strings whose rests are computed, with the ways in which each stretch of the rest is made.

    `sources` are what calls and facts give, `strings` are what parties keep or send, `written` what the code says.
    """
    calls = [each for each in calls if each.operation not in SCALARS]
    drawn = {value for each in calls for value in each.outputs if not each.inputs}
    taken = {value for each in calls for value in each.inputs} & rests.keys() - drawn
    partly = sorted(value for value in taken & sources if rests[value].partly(len(value)))
    whole = sorted(value for value in taken - sources if not rests[value].whole)
    chosen = [*whole[:COMPUTED], *partly[:COMPUTED]]
    left = {each: _open_in(each, rests[each].places) for each in chosen}
    stretches = {value: [value[first:end] for first, end in spans] for value, spans in left.items()}
    sought = set(chain(*stretches.values()))
    half = [each for each in partly if 2 * len(rests[each].places) <= len(each) + TRIED]
    dear = {part for each in [*chosen[: len(whole)], *half[:FEW]] for part in stretches.get(each, ())}
    results = {value for each in calls for value in each.outputs if each.inputs}
    ways = _ways(sought, dear, [*strings, *written], _rotated(written, set(map(len, sought))), results)
    for value, spans in left.items():
        if ways.keys() >= set(stretches[value]):
            yield value, {(first, end): ways[value[first:end]] for first, end in spans}


def _ways(
    sought: set[bytes],
    dear: set[bytes],
    strings: Collection[bytes],
    repeated: Mapping[bytes, bytes],
    results: Iterable[bytes],
) -> dict[bytes, list[Way]]:
    """Return what these stretches are made of, and how; only the `dear` ones are looked for as integers.

    `repeated` has short strings of the code, repeated to the length of a stretch, with the string itself.
    """
    ends = {cut: each for each in strings for size in set(map(len, sought)) for cut in (each[:size], each[-size:])}
    ends |= repeated
    found: Iterator[tuple[bytes, tuple[bytes, ...], str]] = chain(
        combined(dear, [*strings, *results]),
        ((result, (one, other), "exclusive or") for one, other, result in mixed(sought, ends, ())),
        ((result, (one,), "exclusive or with a few bytes") for one, result in masked(sought, ends)),
        ((result, (one,), how) for result, one, how in recoded(sought, strings)),
    )
    ways = defaultdict(list)
    for result, of, how in found:
        ways[result].append((tuple(ends.get(each, each) for each in of), how))
    return ways


def _open_in(value: bytes, places: list[int]) -> list[overlaps.Span]:
    """Return the stretches of a string's open places: the whole string if hardly more bytes are missing."""
    found = [*overlaps.stretches(places)]
    (first, end), *more = found
    return found if more or end - first < len(value) - TRIED else [(0, len(value))]

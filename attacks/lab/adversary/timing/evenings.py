"""Evenings as numbers, as bits and as text. Set-up, after which the first day begins, is an evening of its own.

number   -1 (SET_UP), then 0, 1, 2 … for the days of the play
bits     bit 0 stands for set-up, bit 1 for evening 0: a set of evenings is an integer
text     "set-up,0-3,5", as it is printed behind the @ of a seizure and can be typed there
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from escrow.scheme import SET_UP

WHENEVER = -1  # every evening there is, as bits
MOST_EVENINGS = 1_000  # as many as a scenario may have days
NAME = "set-up"
_PIECE = rf"(?:{NAME}|\d+(?:-\d+)?)"
COMMA_BETWEEN_MEMBERS = re.compile(r"\s*,\s*(?!\d+(?:-\d+)?\s*(?:,|$))")  # the others stand between evenings


def bit(evening: int) -> int:
    """Return the bit of one evening."""
    return 1 << evening + 1


def bits(evenings: Iterable[int]) -> int:
    """Return a set of evenings as bits."""
    return sum(map(bit, set(evenings)))


def union(sets: Iterable[int]) -> int:
    """Return the evenings, as bits, that are in any of these sets."""
    joined = 0
    for each in sets:
        joined |= each
    return joined


def since(evening: int) -> int:
    """Return the bits of an evening and of all after it, without end."""
    return -1 << evening + 1


def until(evening: int) -> int:
    """Return the bits of an evening and of all before it, set-up among them."""
    return (1 << evening + 2) - 1


def first(held: int) -> int:
    """Return the first of some evenings, given as bits; of WHENEVER that is set-up."""
    return (held & -held).bit_length() - 2


def first_day(evenings: Collection[int], default: int = 0) -> int:
    """Return the first of these evenings but set-up; set-up if there is no other, and `default` for none at all."""
    return min((each for each in evenings if each != SET_UP), default=SET_UP if evenings else default)


def last(held: int) -> int:
    """Return the last of some evenings, given as bits other than WHENEVER."""
    return held.bit_length() - 2


def numbers(held: int) -> tuple[int, ...]:
    """Return the evenings that these bits stand for; none for WHENEVER."""
    return () if held == WHENEVER else tuple(at - 1 for at in range(held.bit_length()) if held >> at & 1)


def in_words(evening: int) -> str:
    """Return the name of one evening: "set-up", or its number."""
    return NAME if evening == SET_UP else str(evening)


def on_evening(evening: int) -> str:
    """Return "on evening 3", or "at set-up"."""
    return f"at {NAME}" if evening == SET_UP else f"on evening {evening}"


def as_text(evenings: tuple[int, ...]) -> str:
    """Return evenings in ascending order as text: (-1, 2, 5, 6, 7) gives "set-up,2,5-7"."""
    days = [each for each in evenings if each != SET_UP]
    starts = [each for each in days if each - 1 not in days]
    ends = [each for each in days if each + 1 not in days]
    runs = [f"{start}-{end}" if end > start else str(start) for start, end in zip(starts, ends, strict=True)]
    return ",".join([*([NAME] if SET_UP in evenings else []), *runs])


def from_text(text: str) -> tuple[int, ...]:
    """Return the evenings in a text, ascending: "set-up,2,5-7" gives (-1, 2, 5, 6, 7). Raise ValueError for any other.

    The message of the error says what is wrong, and does not repeat the text.
    """
    if not re.fullmatch(rf"{_PIECE}(\s*,\s*{_PIECE})*", text):
        raise ValueError(f"after @ comes {NAME}, a day or a range of days")
    found: set[int] = set()
    for piece in re.findall(_PIECE, text):
        if piece == NAME:
            found.add(SET_UP)
            continue
        start, _, end = piece.partition("-")
        if max(int(start), int(end or start)) > MOST_EVENINGS:
            raise ValueError(f"no play has an evening after {MOST_EVENINGS}")
        found |= set(range(int(start), int(end or start) + 1))
    return tuple(sorted(found))

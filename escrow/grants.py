"""The language of claims: who may open which texts by a scheme's source, what it concedes, and what it assumes.

Who     := name | role | N of ROLE | who and who | who or who | (who) | nobody
role    := a pattern of officials' names (`agent-*`), the name before their numbers (`agent`), or `device`
Extent  := one of EXTENTS, or several joined by "and", all of which a text must meet

Only officials count, whoever else matches a pattern; `device` alone stands for users' devices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from fnmatch import filter as matching
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

import msgspec

Promise = Literal["none", "in scope", "from service"]
DEVICE = "device"  # the role of all users' devices
OWN = "own"
EXTENTS = {
    "everything": "every text that carries an access field",
    "in scope": "texts that a served warrant covers",
    "in scope of a served warrant": "the same",
    "of the target of a served warrant": "texts of the conversations of a user whom a served warrant names",
    "from service on": "texts sent since a warrant about one of their people was issued",
    OWN: "texts of a device's own user, from its seizure until the session has healed",
    "of the holder's own user": "texts of the conversations of the user whose device it is",
    "of the day of the theft": "texts sent on the day on whose evening the state was taken",
    "from the theft on": "texts sent after it; for a corrupted party, from the day of its corruption on",
    "before the theft": "texts sent on earlier days",
    "opened lawfully before": "texts that the lawful access had returned by the evening of the theft",
}
MISSED = {
    "missed if an end is corrupted": "promised texts that it misses, with a corrupted sender or recipient",
    "missed if all ends are corrupted": "promised texts that it misses, with a corrupted sender and recipients",
}  # what only a concession speaks of
IN_SCOPE = ("in scope", "in scope of a served warrant")  # what may be granted in whole slots
OF_TARGETS = ("of the target of a served warrant", "from service on")  # what a text of no target's is never granted by
OF_DEVICES = frozenset({OWN, "of the holder's own user"})  # what a device alone may be granted
Count = Callable[[str], int]  # how many principals of a name or role are surely in a coalition


class AtLeast(msgspec.Struct, frozen=True):
    """At least `t` principals of a name or role."""

    t: int
    role: str


class Both(msgspec.Struct, frozen=True):
    """Everybody whom `of` asks for, together."""

    of: tuple[Who, ...]


class Either(msgspec.Struct, frozen=True):
    """Any of these, by itself."""

    of: tuple[Who, ...]


Who = AtLeast | Both | Either  # nobody is `Either(())`
NOBODY = Either(())


def read_who(text: str) -> Who:
    """Return what a text of the language says. Raise ValueError for any other text."""
    words = re.findall(r"[()]|[^\s()]+", text)
    who, rest = _either(words)
    if rest:
        raise ValueError(f"{text!r}: {rest[0]!r} is out of place")
    return who


def _either(words: list[str]) -> tuple[Who, list[str]]:
    return _joined(words, "or", lambda each: _joined(each, "and", _one, Both), Either)


def _joined(
    words: list[str], word: str, inner: Callable[[list[str]], tuple[Who, list[str]]], make: type[Both | Either]
) -> tuple[Who, list[str]]:
    first, words = inner(words)
    found = [first]
    while words and words[0] == word:
        each, words = inner(words[1:])
        found.append(each)
    return (make(tuple(found)) if len(found) > 1 else first), words


def _one(words: list[str]) -> tuple[Who, list[str]]:
    if not words:
        raise ValueError("who must name somebody")
    first, *rest = words
    if first == "(":
        inner, rest = _either(rest)
        if not rest or rest[0] != ")":
            raise ValueError("a bracket is not closed")
        return inner, rest[1:]
    if first == "nobody":
        return NOBODY, rest
    if first.isdecimal():
        if len(rest) < 2 or rest[0] != "of" or rest[1] in _TAKEN:
            raise ValueError(f"'of' and a role must follow {first!r}")
        if int(first) < 1:
            raise ValueError("t must be 1 or more")
        return AtLeast(int(first), rest[1]), rest[2:]
    if first in _TAKEN:
        raise ValueError(f"{first!r} is out of place")
    return AtLeast(1, first), rest


_TAKEN = frozenset({"(", ")", "and", "or", "of", "nobody"})


def parts(who: Who) -> Iterator[AtLeast]:
    """Yield every name or role that it says something of."""
    if isinstance(who, AtLeast):
        yield who
        return
    for each in who.of:
        yield from parts(each)


def is_met(who: Who, count: Count) -> bool:
    """Return whether a coalition has what `who` asks for; `count` says how many of a role are surely in it.

    Of several alternatives, one must be met in all choices of the coalition's thresholds.
    """
    if isinstance(who, AtLeast):
        return count(who.role) >= who.t
    return (
        all(is_met(each, count) for each in who.of)
        if isinstance(who, Both)
        else any(is_met(each, count) for each in who.of)
    )


def called(role: str, officials: Iterable[str]) -> frozenset[str]:
    """Return the officials of a name or role: this name, or all names of the pattern, or this name with numbers."""
    names = list(officials)
    found = [role] if role in names else matching(names, role)
    return frozenset(found or [name for name in names if re.fullmatch(rf"{re.escape(role)}-\d+", name)])


def extents(text: str) -> tuple[str, ...]:
    """Return the extents that a text joins. Raise ValueError, with the words there are, for any other text."""
    found = tuple(text.split(" and "))
    if unknown := [each for each in found if each not in EXTENTS]:
        raise ValueError(f"{unknown[0]!r} is no extent; the extents are: {', '.join(EXTENTS)}")
    return found


class Quotation(msgspec.Struct, frozen=True):
    """A sentence of a source and its place there; `verbatim` only where the source could be read, else a paraphrase."""

    words: str
    source: str
    where: str
    verbatim: bool = True

    @property
    def quoted(self) -> str:
        """The words in quotation marks, or marked as a paraphrase."""
        return f'"{self.words}"' if self.verbatim else f"{self.words} (paraphrase)"


class KeySlot(msgspec.Struct, frozen=True):
    """What one key opens: the texts of so many `days`, counted from the first day of all (0: of all days).

    `of`: those of the conversations of a warrant's target; those that one device sends, to all (`device`) or in one
    conversation (`pair`); or everybody's.
    """

    days: int
    of: Literal["target", "device", "pair", "everybody"]

    def spans(self, first: int, last: int, day: int) -> bool:
        """Return whether a day shares a slot with one of the days from `first` to `last`."""
        return not self.days or first // self.days <= day // self.days <= last // self.days

    def reaches(self, target: str, first: int, last: int, people: Collection[str], day: int) -> bool:
        """Return whether a warrant about a target, from its first to its last day, may give a key of a text's slot."""
        return self.spans(first, last, day) and (self.of == "everybody" or target in people)

    def __str__(self) -> str:
        """Say it in words."""
        whose = {
            "target": "the target",
            "device": "one device's texts",
            "pair": "one device's texts to one conversation",
        }
        length = "for ever" if not self.days else "1 day" if self.days == 1 else f"{self.days} days"
        return f"in whole slots of {whose.get(self.of, self.of)}, {length}"


class Grant(msgspec.Struct, frozen=True):
    """Whoever is `who` may open texts of this extent. `t`: any so many of the officials of that name or role.

    If `period` is not 0, they must be taken within one period of so many days, counted from the first. `concedes` says
    in words what the extent "own" has beside the device's own texts. With a `slot`, what is said of warrants is granted
    in whole slots: a text too that shares one with a text that a warrant covers.
    """

    who: str
    extent: str
    t: int = 1
    concedes: tuple[str, ...] = ()
    period: int = 0
    slot: KeySlot | None = None

    @property
    def asked(self) -> Who:
        """Who it is, with `t`."""
        who = read_who(self.who)
        return AtLeast(self.t, who.role) if isinstance(who, AtLeast) and self.t > 1 else who

    @property
    def said(self) -> str:
        """Who it is, in words."""
        return self.who if self.t == 1 else f"any {self.t} of {self.who}"

    @property
    def covers(self) -> str:
        """The extent in words, with its slots."""
        return f"{self.extent}, {self.slot}" if self.slot else self.extent


class Concession(msgspec.Struct, frozen=True):
    """The source says that whoever is `who` opens texts of this extent, and does not promise otherwise.

    `active`: it speaks of parties that misbehave, and so of no coalition without one.
    """

    who: str
    extent: str
    source: Quotation
    active: bool = False


class Exclusion(msgspec.Struct, frozen=True):
    """A corruption that is outside the source's model: `who` (as in a grant, or `quantum`) is corrupted.

    It is outside only if one principal is corrupted `times` times or more; with `stolen` only if its state is taken,
    and not if it misbehaves. `words` is the assumption, as a sentence; `said` is the place where the source says it, or
    who does not.
    """

    who: str
    words: str
    said: str
    times: int = 1
    stolen: bool = False


class Choice(msgspec.Struct, frozen=True):
    """What this implementation chose where the source leaves it open, and whether it `favours` or hurts the scheme."""

    words: str
    favours: bool


class Claim(msgspec.Struct, frozen=True):
    """What a scheme's source says about who may open what. `words` is a paraphrase unless in quotation marks.

    `access` says which texts the lawful access is promised to yield: none, all that a warrant covers (an archive), or
    those that it covers from its service on (a wiretap). Only texts that were promised and missed count against the
    claim. `delay`: the days that a new device waits, a user's as the law's, until clients send to it; a wiretap begins
    so many days after the service, or after the warrant's first day if that is later. `sources` are the sentences that
    it rests on; `concessions`, `model` and `choices` are told apart from it in a verdict, or on a page.
    """

    words: str
    section: str
    grants: tuple[Grant, ...]
    access: Promise
    sources: tuple[Quotation, ...] = ()
    concessions: tuple[Concession, ...] = ()
    model: tuple[Exclusion, ...] = ()
    choices: tuple[Choice, ...] = ()
    delay: int = 0

    @property
    def bounds_access(self) -> bool:
        """Whether the lawful access is held to its warrants: not where the authority is granted everything alone."""
        return not any(
            each.extent == "everything" and each.t == 1 and fnmatchcase("authority", each.who) for each in self.grants
        )


def checked(claim: object) -> Claim:
    """Return the claim. Raise TypeError, naming the field, if it is not a Claim or no judge understands it."""
    if not isinstance(claim, Claim):
        raise TypeError(f"its claim is no Claim but a {type(claim).__name__}")
    try:
        msgspec.convert(msgspec.to_builtins(claim), Claim)
    except msgspec.ValidationError as error:
        said, _, field = str(error).partition(" - at `$.")
        raise TypeError(f"its claim's {field.rstrip('`')}: {said}; access: {', '.join(get_args(Promise))}") from None
    for field, each in _spoken(claim):
        _checked(field, each)
    return claim


def _spoken(claim: Claim) -> Iterator[tuple[str, Grant | Concession | Exclusion]]:
    """Yield everything in a claim that says who, with its field."""
    for name in ("grants", "concessions", "model"):
        for at, each in enumerate(getattr(claim, name)):
            yield f"{name}[{at}]", each


def _checked(field: str, each: Any) -> None:
    """Raise TypeError unless one grant, concession or exclusion is of the language."""
    if isinstance(each, Grant) and (each.t < 1 or each.period < 0):
        raise TypeError(f"its claim's {field}: t must be 1 or more, and period not negative")
    if isinstance(each, Grant) and each.slot and (each.slot.days < 0 or each.extent not in IN_SCOPE):
        raise TypeError(
            f"its claim's {field}.slot: days must not be negative, and the extent must be {' or '.join(IN_SCOPE)}"
        )
    if isinstance(each, Exclusion) and each.times < 1:
        raise TypeError(f"its claim's {field}: times must be 1 or more")
    try:
        who = read_who(each.who)
    except ValueError as error:
        raise TypeError(f"its claim's {field}.who: {error}") from None
    if isinstance(each, Grant) and each.t > 1 and not (isinstance(who, AtLeast) and who.t == 1):
        raise TypeError(f"its claim's {field}.t: {each.who!r} says already how many")
    if isinstance(each, Exclusion):
        return
    if isinstance(each, Concession) and each.extent in MISSED:
        return
    try:
        found = extents(each.extent)
    except ValueError as error:
        raise TypeError(f"its claim's {field}.extent: {error}") from None
    alone = isinstance(who, AtLeast) and who.role == DEVICE
    if OWN in found and len(found) > 1:
        raise TypeError(f"its claim's {field}.extent: {OWN!r} must stand alone, since it says when")
    if OF_DEVICES & set(found) and not alone:
        raise TypeError(
            f"its claim's {field}.extent: {each.who!r} is no device, and only devices have texts of their own"
        )
    if alone and not OF_DEVICES & set(found) and isinstance(each, Grant):
        raise TypeError(f"its claim's {field}.extent: a device alone is granted texts of its own user only")


def check_cast(claim: Claim, officials: Iterable[str], beside: Iterable[str] = ()) -> None:
    """Raise TypeError, naming the field, if the claim names nobody of the cast, or more of a role than there are.

    Args:
        claim: the claim, of the language.
        officials: the names of all parties that are no devices.
        beside: names that an exclusion or concession may have besides.
    """
    names = list(officials)
    for field, each in _spoken(claim):
        known = names if isinstance(each, Grant) else [*names, *beside]
        for part in parts(each.asked if isinstance(each, Grant) else read_who(each.who)):
            found = called(part.role, known)
            if not found and part.role != DEVICE:
                raise TypeError(
                    f"its claim's {field}.who: nobody is called {part.role!r}; there are {', '.join(known)}"
                )
            if part.role != DEVICE and part.t > len(found):
                fit = ", ".join(sorted(found))
                raise TypeError(f"its claim's {field}.t: {part.t} of {part.role!r}, and only {fit} fit that name")

"""Property: every count of a cell says in which direction it is worse, and a change that way is told as worse."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import found, matrix

from attacks.lab.comparison.directions import CountDirection, directions
from attacks.lab.comparison.files import compare
from attacks.lab.results.bounds import Count, Either, Fewer, More, Result
from attacks.lab.results.coverage import Access
from attacks.lab.results.details import CellTexts, packed
from attacks.lab.results.rows import columns
from attacks.lab.results.types import Cell, Exposed, Exposure, Unnoticed

DIRECTIONS = directions(Cell)
FIELDS = [name for name, each in DIRECTIONS.items() if not each.derived]
WORSE = [name for name in FIELDS if DIRECTIONS[name].worse == "more"]
WITHIN = {"unnoticed": Unnoticed(), "access": Access()}  # what a cell may lack


class Part(Result, frozen=True, kw_only=True):
    """Counts within counts."""

    bad: More = 0
    any: Either = 0

    @property
    def left(self) -> More:
        """A count that is derived."""
        return self.bad

    @property
    def unsaid(self) -> int:
        """No count of a result."""
        return self.any


class Whole(Result, frozen=True, kw_only=True):
    """Counts of every direction."""

    part: Part = Part()
    perhaps: Fewer | msgspec.UnsetType = msgspec.UNSET
    name: str = ""
    undeclared: Count = 0


def counted(counts: dict[str, int]) -> dict[str, Any]:
    """Return the fields of a cell that has these counts, by their dotted names."""
    cell = Cell(scheme="plain", attack="theft", verdict="AS CLAIMED", sent=9, **WITHIN)  # type: ignore[arg-type]  # structs, by name
    for name, number in counts.items():
        cell = replaced(cell, name.split("."), number)
    return {field: getattr(cell, field) for field in cell.__struct_fields__ if field not in ("scheme", "attack")}


def replaced(thing: Any, path: list[str], number: int) -> Any:
    first, *rest = path
    return msgspec.structs.replace(thing, **{first: replaced(getattr(thing, first), rest, number) if rest else number})


def compared(old: dict[str, int], new: dict[str, int]) -> list[tuple[object, ...]]:
    """Return (severity, count) of every difference between two cells with these counts."""
    return [(each[0], each[2]) for each in found(compare(matrix(**counted(old)), matrix(**counted(new))))]


def test_directions_are_read_from_the_types() -> None:
    assert directions(Whole) == {
        "part.bad": CountDirection("more", False),
        "part.any": CountDirection("", False),
        "perhaps": CountDirection("fewer", False),
        "part.left": CountDirection("more", True),
    }


def test_every_count_of_a_cell_declares_its_direction() -> None:
    numbers = {name for name, of in columns(Cell) if int in (of, getattr(of, "__origin__", None))}
    assert numbers == set(FIELDS) and len(numbers) > 40


@pytest.mark.parametrize("name", WORSE)
@given(st.integers(0, 9), st.integers(1, 9))
def test_more_of_what_is_bad_is_worse_and_less_is_better(name: str, least: int, more: int) -> None:
    low, high = {name: least}, {name: least + more}
    assert ("regression", name) in compared(low, high)
    assert ("improvement", name) in compared(high, low) and compared(low, low) == []
    assert {severity for severity, _ in compared(high, low)} == {"improvement"}


@given(
    st.fixed_dictionaries({name: st.integers(0, 3) for name in FIELDS}),
    st.fixed_dictionaries({name: st.integers(0, 3) for name in FIELDS}),
)
def test_whatever_else_changes_each_count_that_is_worse_is_told(old: dict[str, int], new: dict[str, int]) -> None:
    told = compared(old, new)
    for name in FIELDS:
        assert (name in [each for _, each in told]) == (old[name] != new[name])
        if name in WORSE and new[name] > old[name]:
            assert ("regression", name) in told


@pytest.mark.parametrize("name", [name for name in FIELDS if not DIRECTIONS[name].worse])
def test_a_count_that_is_worse_in_no_direction_is_told_as_different(name: str) -> None:
    assert ("changed", name) in compared({name: 1}, {name: 2}) and ("changed", name) in compared({name: 2}, {name: 1})


def test_fewer_thieves_for_as_many_texts_are_worse() -> None:
    seizures, opened = "cost.seizures", "exposed.target.past"
    assert compared({opened: 5, seizures: 2}, {opened: 5, seizures: 1}) == [("regression", seizures)]
    assert compared({opened: 5, seizures: 1}, {opened: 5, seizures: 2}) == [("improvement", seizures)]
    assert ("changed", seizures) in compared({opened: 5, seizures: 1}, {opened: 0, seizures: 0})
    assert compared({seizures: 0}, {opened: 5, seizures: 1})[-1] == ("changed", seizures)


DERIVED = {
    "a concession that is gone": ({"unkept": 5, "unkept_conceded": 5}, {"unkept": 5}, "not_conceded"),
    "an excuse that is gone": ({"against.texts": 5, "against.as_plain": 5}, {"against.texts": 5}, "against.left"),
    "texts that open to more guesses": ({}, {"beyond": 5}, "openable"),
}


@pytest.mark.parametrize("what", DERIVED)
def test_a_count_that_follows_from_others_is_told_where_they_do_not_tell_it(what: str) -> None:
    old, new, name = DERIVED[what]
    assert ("regression", name) in compared(old, new) and ("improvement", name) in compared(new, old)


def test_what_takes_guesses_now_and_did_not_is_no_worse() -> None:
    told = compared({"exposed.target.past": 5}, {"beyond": 5})
    assert told == [("improvement", "exposed.target.past"), ("changed", "beyond")]


def test_a_file_that_is_older_than_a_count_does_not_say_that_it_was_0() -> None:
    new = counted({"unkept_least": 5, "access.prospective.unkept": 5})
    old = new | {"unkept_least": msgspec.UNSET, "access": msgspec.UNSET}
    assert compare(matrix(**old), matrix(**new)).differences == ()


LISTED = {"excluded": "excluded", "overreached": "overreached", "unkept": "unkept", "added_over_plain": "over_plain"}


@given(
    st.dictionaries(st.sampled_from(sorted(LISTED)), st.sets(st.integers(0, 8))),
    st.dictionaries(st.sampled_from(sorted(LISTED)), st.sets(st.integers(0, 8))),
)
def test_where_texts_are_listed_each_new_one_is_worse(old: dict[str, set[int]], new: dict[str, set[int]]) -> None:
    """Whatever the counts: a text that is newly opened beyond the claim, and so on, although as many are not."""

    def listed(ids: dict[str, set[int]]) -> dict[str, Any]:
        everything = packed(range(9))
        whole = {"opened": everything, "reached": everything, "lawful": {"0": everything}}
        lists = {LISTED[name]: packed(each) for name, each in ids.items()}
        texts = CellTexts(**whole, **lists, missed={"unknown": lists["unkept"]} if ids.get("unkept") else {})  # type: ignore[arg-type]  # lists, by name
        counts = {name: len(each) for name, each in ids.items()}
        exposed = Exposed(target=Exposure(past=9))
        return {"texts": texts, "exposed": exposed, "lawful": 9, "evaded": counts.get("unkept", 0), **counts}

    told = compare(matrix(**listed(old)), matrix(**listed(new))).differences
    more = {each.what: each.more for each in told if each.severity == "regression"}
    for name in LISTED:
        before, after = old.get(name, set()), new.get(name, set())
        if after - before and len(after) >= len(before):
            assert more[name] == packed(after - before)

"""Property: every BREACH of the default matrix follows from what a scheme's card says, the page of claims included.

Whoever opens the texts is named by the claim, which grants less or excludes it, or by a choice of this project that
hurts the scheme. A breach by somebody of whom the card says nothing would be our choice, and not named.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec
import pytest

from attacks.lab.comparison import files
from attacks.lab.results.types import Cell, Matrix
from escrow.e2ee.device import Device
from escrow.grants import Claim, called, parts, read_who
from escrow.registry import schemes
from escrow.run import Run, running
from escrow.scheme import Scheme, User
from tools import claims, results


def kept() -> Matrix:
    """Return the newest kept result of the default matrix, which CI compares with a new one."""
    found = files.read(results.kept()[-1] / "matrix.json")
    assert isinstance(found, Matrix)
    return found


BREACHES = [cell for cell in kept().cells if cell.verdict == "BREACH"]
PAGE = " ".join(claims.PAGE.read_text(encoding="utf-8").split())


@cache
def cast(scheme: Scheme) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the devices, and of everybody else."""
    with running(Run(bytes(32))):
        users = [User(user.name, user.devices) for user in kept().manifest.scenario.users]
        everybody = list(scheme.cast(users, bytes(32)))
    devices = tuple(each.name for each in everybody if isinstance(each, Device))
    return devices, tuple(each.name for each in everybody if not isinstance(each, Device))


def principals(cell: Cell) -> set[str]:
    """Return whose states the cell's coalition takes."""
    return {member.partition("@")[0] for member in cell.coalition}


def reasons(scheme: Scheme, claim: Claim, principal: str) -> Iterator[str]:
    """Yield the sentences of the card that are about a principal: of its claim, or else of choices that hurt."""
    devices, officials = cast(scheme)
    role = "device" if principal in devices else principal
    named = [(each.who, each.said) for each in (*claim.grants, *claim.model)]
    named += [(each.who, f"{each.who}: {each.extent}") for each in claim.concessions]
    found = [
        said
        for who, said in named
        for part in parts(read_who(who))
        if role in {part.role, *called(part.role, officials)}
    ]
    ours = [each.words for each in claim.choices if not each.favours and role in each.words.replace(",", " ").split()]
    yield from found or ours


def untraced(cell: Cell, scheme: Scheme, claim: Claim) -> set[str]:
    """Return whom of the cell's coalition the card does not speak of."""
    return {each for each in principals(cell) if not any(reasons(scheme, claim, each))}


@pytest.mark.parametrize("cell", BREACHES, ids=lambda cell: f"{cell.scheme}-{cell.attack}")
def test_who_opens_texts_in_a_breach_is_spoken_of_on_the_card_and_on_the_page(cell: Cell) -> None:
    scheme = schemes()[cell.scheme]
    assert cell.coalition and untraced(cell, scheme, scheme.claim) == set()
    for principal in principals(cell):
        for said in reasons(scheme, scheme.claim, principal):
            assert " ".join(said.split()) in PAGE


def test_every_theft_of_the_court_is_a_choice_of_ours() -> None:
    """No source has one key that signs every warrant: whoever is breached by it has a card that says so."""
    by_court = {cell.scheme for cell in BREACHES if principals(cell) == {"court"}}
    assert by_court
    for name in by_court:
        found = list(reasons(schemes()[name], schemes()[name].claim, "court"))
        assert found and all("one key of the court signs every warrant" in each for each in found)


@pytest.mark.parametrize("cell", BREACHES, ids=lambda cell: f"{cell.scheme}-{cell.attack}")
def test_a_card_that_lacks_the_sentence_is_noticed(cell: Cell) -> None:
    scheme = schemes()[cell.scheme]
    bare = msgspec.structs.replace(scheme.claim, choices=(), grants=(), model=(), concessions=())
    assert untraced(cell, scheme, bare) == principals(cell)
    flattering = msgspec.structs.replace(bare, choices=tuple(each for each in scheme.claim.choices if each.favours))
    assert untraced(cell, scheme, flattering) == principals(cell)

"""The lawful access in a sentence, where warrants served before a text was sent and after it are not treated alike."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from attacks.lab.results.coverage import Access, Coverage

PROMISED = {"from service": "a wiretap, no archive", "in scope": "a wiretap and an archive", "none": "neither"}


def by_kind(access: Access | UnsetType) -> str:
    """Return what the lawful access reads of texts sent after a warrant was served, and before; "" if that is alike.

    A file of schema 1 does not say it.
    """
    if access is UNSET or not access.retrospective.covered:
        return ""
    listened, found = access.prospective, access.retrospective
    same = listened.lawful * found.covered == found.lawful * listened.covered
    if same and access.promise != "from service":
        return ""
    sooner = f"{_read(listened)} that were sent once a warrant was served, " if listened.covered else ""
    before = "before" if sooner else "before a warrant was served"
    return f"{sooner}{_read(found)} that were sent {before}; the claim promises {PROMISED[access.promise]}"


def _read(coverage: Coverage) -> str:
    """Return how many texts of a kind the lawful access reads."""
    return f"{coverage.lawful} of {coverage.covered} texts"

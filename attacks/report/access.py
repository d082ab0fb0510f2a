"""The lawful access in a sentence, where warrants served before a text was sent and after it are not treated alike."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from attacks.lab.results.coverage import Access, Coverage


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
    said = f"{_read(listened)} that were sent once a warrant was served, {_read(found)} that were sent before"
    if access.promise == "from service":
        return f"{said}; the claim promises the former only (a wiretap, no archive)"
    return f"{said}; the claim promises {'both' if access.promise == 'in scope' else 'neither'}"


def _read(coverage: Coverage) -> str:
    """Return how many texts of a kind the lawful access reads."""
    return f"{coverage.lawful} of {coverage.covered} texts"

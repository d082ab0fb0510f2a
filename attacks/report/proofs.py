"""Explanations, evidence and checks as text and as data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from attacks.lab.evidence.verification import Verification
from attacks.lab.results.bounds import Result
from attacks.lab.results.types import Cell
from attacks.report.page import ATTENTION, DIM, Page


class Explanation(Result, frozen=True, kw_only=True):
    """How a coalition comes to a text, as the lines of a tree."""

    schema: Literal["escrow-lab/explanation/1"] = "escrow-lab/explanation/1"
    scheme: str
    coalition: str
    message: int | None
    lines: tuple[str, ...]


class Evidence(Result, frozen=True, kw_only=True):
    """A proof that was written: its digest, which names the folder, and where that is."""

    schema: Literal["escrow-lab/evidence/1"] = "escrow-lab/evidence/1"
    scheme: str
    attack: str
    digest: str
    folder: str


class Verified(Verification, frozen=True, kw_only=True):
    """A proof that was re-executed: its folder, and what it shows."""

    folder: str


class Verifieds(Result, frozen=True, kw_only=True):
    """The proofs of a folder."""

    schema: Literal["escrow-lab/verified/2"] = "escrow-lab/verified/2"
    proofs: tuple[Verified, ...]


class Check(Result, frozen=True, kw_only=True):
    """One thing that was tried, and whether it holds."""

    name: str
    holds: bool
    detail: str = ""


class Checks(Result, frozen=True, kw_only=True):
    """What was tried, of a plug-in or of this installation; `cells` are a plug-in's row or column of the matrix."""

    schema: Literal["escrow-lab/checks/1"] = "escrow-lab/checks/1"
    subject: str
    checks: tuple[Check, ...]
    cells: tuple[Cell, ...] = ()
    versions: dict[str, str] = {}

    @property
    def failed(self) -> int:
        """Return how many checks do not hold."""
        return sum(not each.holds for each in self.checks)


def draw_lines(page: Page, lines: Iterable[str]) -> None:
    """Draw lines as they are, however long: each is a line of a program, or of a tree that was cut to the page."""
    for line in lines:
        page.raw(line)


def draw_evidence(page: Page, written: Evidence) -> None:
    """Draw where the proof is, and how to verify it."""
    page.line(f"{written.scheme} under {written.attack}: {written.digest}")
    page.raw(f"escrow-lab verify {written.folder} --replay")


def draw_verified(page: Page, result: Verifieds) -> None:
    """Draw what each proof shows."""
    for each in result.proofs:
        page.raw(f"{each.folder}:")
        names = ("scheme", "parameters", "attack", "coalition", "scenario", "verdict")
        pairs = [(name, str(getattr(each, name))) for name in names if getattr(each, name)]
        page.fields([*pairs, ("checked", each.summary)], 2)


def draw_checks(page: Page, result: Checks) -> None:
    """Draw the checks that fail, then those that hold, which Markdown folds, the count, and the cells."""
    failed = [each for each in result.checks if not each.holds]
    if failed:
        page.heading("What fails")
    for each in failed:
        page.line(f"  FAILS  {each.name}: {each.detail}", ATTENTION, hang=9)
    count = f"{result.subject}: {len(result.checks) - len(failed)} of {len(result.checks)} hold."
    with page.folded(count):
        for each in result.checks:
            if each.holds:
                page.line(f"  holds  {each.name}{f': {each.detail}' if each.detail else ''}", hang=9)
    page.line(count)
    if result.versions:
        page.line(", ".join(f"{name} {version}" for name, version in result.versions.items()), DIM)
    if result.cells:
        page.gap()
        _draw_cells(page, result.cells)


def _draw_cells(page: Page, cells: Sequence[Cell]) -> None:
    """Draw a line for each cell that applies, and the others together, by scheme or by attack if it is only one."""
    pairs = [(f"{c.scheme}, {c.attack}", f"{c.verdict}: {c.reason}") for c in cells if c.verdict != "NOT_APPLICABLE"]
    if pairs:
        page.fields(pairs, 0)
    foreign = [cell for cell in cells if cell.verdict == "NOT_APPLICABLE"]
    if len({cell.attack for cell in foreign}) == 1:
        page.line(f"not applicable: {', '.join(cell.scheme for cell in foreign)} under {foreign[0].attack}")
        return
    for scheme in dict.fromkeys(cell.scheme for cell in foreign):
        page.line(f"not applicable: {scheme} under {', '.join(c.attack for c in foreign if c.scheme == scheme)}")

"""Which parts of a result are not in its file, because an earlier version wrote it, and the command that makes them."""

from __future__ import annotations

from msgspec import UNSET

from attacks.lab.results.types import Anatomy, Matrix
from attacks.report.page import join

MATRIX = "escrow-lab matrix --format json"
ANATOMY = "escrow-lab anatomy {} --format json"


def absent_parts(result: object) -> dict[str, str]:
    """Return each part that a file does not have, in a few words, and the command that writes it."""
    if isinstance(result, Matrix):
        return dict.fromkeys(_of_matrix(result), MATRIX)
    if isinstance(result, Anatomy):
        return dict.fromkeys(_of_anatomy(result), ANATOMY.format(result.scheme))
    return {}


def told_absent(result: object) -> str:
    """Return in one line what a file does not have; "" if it has everything."""
    parts = absent_parts(result)
    return f"not in this file: {join(list(parts))}; run `{next(iter(parts.values()))}`" if parts else ""


def _of_matrix(matrix: Matrix) -> list[str]:
    opened = [cell for cell in matrix.cells if cell.exposed.total]
    parts = {
        "which texts are sent when": matrix.texts is UNSET,
        "which texts are opened or missed": any(cell.texts is UNSET for cell in opened),
        "when states are taken": any(cell.taken is UNSET for cell in opened),
        "how a text is opened": any(cell.derivation is UNSET for cell in opened),
    }
    return [name for name, lacks in parts.items() if lacks]


def _of_anatomy(anatomy: Anatomy) -> list[str]:
    rows = anatomy.minimal_coalitions
    parts = {
        "which texts are sent when": anatomy.texts is UNSET,
        "the access structure as formulas": bool(rows) and not anatomy.structure,
        "which texts a coalition opens": any(row.texts is UNSET for row in rows),
        "the lawful access by kinds of warrants": anatomy.access is UNSET,
    }
    return [name for name, lacks in parts.items() if lacks]

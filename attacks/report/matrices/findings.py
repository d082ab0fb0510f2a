"""The sentences that schemes and attacks declare about themselves, with the numbers of a matrix's cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from string import Formatter

from attacks.lab.results.types import Cell
from attacks.lab.simulation.attack import Attack
from escrow.scheme import Finding, Scheme

Cells = Mapping[tuple[str, str], Cell]
RELATIONS = {"=": int.__eq__, "<": int.__lt__, ">": int.__gt__}


def declared(entries: Iterable[Scheme | Attack]) -> list[Finding]:
    """Return the findings that the classes of these entries themselves declare, in the order of their places."""
    found = [finding for entry in entries for finding in vars(type(entry)).get("findings") or ()]
    return sorted(found, key=lambda finding: (finding.place, finding.attack))


def schemes_of(finding: Finding) -> list[str]:
    """Return the names of the schemes whose cells a finding quotes."""
    fields = (name for _, name, _, _ in Formatter().parse(finding.sentence) if name)
    return list(dict.fromkeys(name.partition(".")[0] for name in fields))


def said(finding: Finding, cells: Cells) -> str:
    """Return the sentence of a finding. Raise KeyError if the matrix has not its cells."""
    return finding.sentence.format(**{name: cells[name, finding.attack] for name in schemes_of(finding)})


def command(finding: Finding) -> str:
    """Return the command that shows the cells of a finding."""
    return f"escrow-lab run {finding.attack} {' '.join(f'--scheme {name}' for name in schemes_of(finding))}"


def holds(finding: Finding, cells: Cells) -> bool:
    """Return whether its cells are there, and are as the sentence needs them."""
    if any((name, finding.attack) not in cells for name in schemes_of(finding)):
        return False
    return all(_is_true(condition, finding.attack, cells) for condition in finding.holds)


def _is_true(condition: str, attack: str, cells: Cells) -> bool:
    left, relation, right = condition.split()
    return RELATIONS[relation](_number(left, attack, cells), _number(right, attack, cells))


def _number(term: str, attack: str, cells: Cells) -> int:
    """Return a count that is written, or that a field of a cell has."""
    if term.isdigit():
        return int(term)
    scheme, _, field = term.partition(".")
    count: int = attrgetter(field)(cells[scheme, attack])
    return count

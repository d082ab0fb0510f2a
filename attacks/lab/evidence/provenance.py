"""Where a given fact was taken, the members of a coalition that was typed, and the checks of an official."""

from __future__ import annotations

from collections.abc import Iterable

from attacks.lab.adversary.coalitions import Coalition, parse
from attacks.lab.adversary.edges import ServiceEdge
from attacks.lab.adversary.formula import first_of_each
from attacks.lab.adversary.view import Reader, words_of
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.record import Record
from attacks.lab.verdict.analysis import Analysis
from escrow.codec import Fact
from escrow.registry import UnknownName
from escrow.scheme import SET_UP


def coalition_of(text: str, record: Record) -> Coalition:
    """Return the coalition that was typed, of a threshold in it the first t members.

    Raise UnknownName for a member or an evening that the scenario lacks.
    """
    try:
        coalition = parse(first_of_each(text), {*record.cast.devices, *record.cast.officials, *record.states})
    except ValueError as error:
        raise UnknownName(str(error)) from None
    last = record.scenario.days - 1
    if devices := [
        each for each in coalition.members if SET_UP in each.evenings and each.principal not in record.set_up
    ]:
        raise UnknownName(f"{devices[0]}: only officials are taken at set-up")
    if beyond := [str(each) for each in coalition.members if max(each.evenings, default=0) > last]:
        raise UnknownName(f"{beyond[0]}: the evenings of the scenario are 0 to {last}")
    return coalition


def packets(analysis: Analysis, attacks: Iterable[Attack]) -> dict[Fact, int]:
    """Return for each fact that the network heard the number of the packet that told it first."""
    first = dict[Fact, int]()
    for number, facts in Reader(analysis.scheme, *attacks).by_packet(analysis.record.heard):
        for fact in facts:
            first.setdefault(fact, number)
    return first


def checks_made(analysis: Analysis, edge: ServiceEdge) -> tuple[str, ...]:
    """Return the checks that an official makes before it gives this answer."""
    service = next(each for each in words_of(analysis.scheme).services if each.name == edge.kind.name)
    closure = analysis.closure
    _, premises, _ = closure.edges.firing(edge.firing)
    secret = premises[service.holder_at]
    *request, warrant, _ = edge.premises
    day = analysis.record.scenario.days - 1 if edge.kind.until is None else edge.kind.until
    made = service.checked(*(closure.facts[each] for each in (secret, warrant, *request)), day=day)
    return tuple(name for name, _ in made)

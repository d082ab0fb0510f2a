"""Where a given fact was taken, the members of a coalition that was typed, and the checks of an official."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attacks.lab.adversary.coalitions import Coalition, parse
from attacks.lab.adversary.edges import ServiceEdge
from attacks.lab.adversary.view import Reader, words_of
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.record import Record
from attacks.lab.verdict.analysis import Analysis
from escrow.codec import Fact
from escrow.registry import UnknownName
from escrow.wire import Heard


def coalition_of(text: str, record: Record) -> Coalition:
    """Return the coalition that was typed. Raise UnknownName for a member or an evening that the scenario lacks."""
    try:
        coalition = parse(text, (*record.cast.devices, *record.cast.officials))
    except ValueError as error:
        raise UnknownName(str(error)) from None
    last = record.scenario.days - 1
    if beyond := [str(each) for each in coalition.members if max(each.evenings, default=0) > last]:
        raise UnknownName(f"{beyond[0]}: the evenings of the scenario are 0 to {last}")
    return coalition


class _Tape(tuple[Heard, ...]):
    """Packets, and the number of the one being read."""

    at: int

    def __iter__(self) -> Iterator[Heard]:
        for self.at, packet in enumerate(super().__iter__()):
            yield packet


def packets(analysis: Analysis, attacks: Iterable[Attack]) -> dict[Fact, int]:
    """Return for each fact that the network heard the number of the packet that told it first."""
    tape, first = _Tape(analysis.record.heard), dict[Fact, int]()
    for fact in Reader(analysis.scheme, *attacks).network(tape):
        first.setdefault(fact, tape.at)
    return first


def checks_made(analysis: Analysis, edge: ServiceEdge) -> tuple[str, ...]:
    """Return the checks that an official makes before it gives this answer."""
    service = next(each for each in words_of(analysis.scheme).services if each.name == edge.name)
    closure = analysis.closure
    _, premises, _ = closure.edges.firing(edge.firing)
    secret = premises[service.holder_at]
    *request, warrant, _ = edge.premises
    made = service.checks(*(closure.facts[each] for each in (secret, warrant, *request)))
    return tuple(name for name, _ in made)

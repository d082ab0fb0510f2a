"""The edges of a closure: which facts give which others, by which rule.

There are four kinds, and one numbering for all, in this order.

  firing         a rule applied to its premises; guards and witnesses stand among them but cost nothing
  gate edge      a threshold rule, run once; it lists every verified member, also one that arrives later
  service edge   an official's answer: the request's facts without the official's secret, the checks they fail, and the
                 last evening on which there is an answer
  byte edge      what follows without any rule, from the record of the door; only analyses that ask for it have any

A million firings are common, so they are packed into arrays. For the rule `open(field, key: Guard) -> text`, applied to
the facts 7 and 4 and giving 9, `_cells` gets 7, 4, 9: premises that count in labels, other premises, conclusions.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple, overload

from escrow.derivation import Rule

Premises = tuple[int, ...]
Reorder = Callable[[Premises], Premises]


@dataclass(slots=True)
class GateEdge:
    """One threshold: `t` distinct indexes among the verified members, joined with `guards` (the earlier arguments)."""

    rule: int
    guards: Premises
    t: int
    members: dict[Any, Premises] = field(default_factory=dict)  # by index
    conclusions: Premises = ()
    ran: bool = False

    def choose(self, known: Callable[[int], bool]) -> Premises:
        """Return the first `t` members of distinct index that are known; fewer if there are not so many."""
        found = (next(filter(known, same), None) for same in self.members.values())
        return tuple(member for member in found if member is not None)[: self.t]


class ServiceKind(NamedTuple):
    """What many service edges have in common.

    `name` is that of the checks, `holders` are the officials that answer, `failed` the checks that the request fails,
    and `until` the last evening on which it is answered (None: as long as the play lasts).
    """

    name: str
    holders: tuple[str, ...]
    failed: frozenset[str]
    until: int | None = None


class ServiceEdge(NamedTuple):
    """What an honest official answers: `premises` are the request's facts, the warrant and the requester's key."""

    kind: ServiceKind
    firing: int  # what the official computes with its own secret
    premises: Premises


class ServiceEdges(Sequence[ServiceEdge]):
    """All service edges, packed: there are several for each firing, one for each warrant that can be shown."""

    def __init__(self) -> None:
        self._firing = array("I")
        self._start = array("I", [0])  # where the premises of each edge begin, and one entry more: where the last end
        self._cells = array("I")
        self._kind = array("I")  # of each edge, into `_kinds`
        self._kinds: list[ServiceKind] = []
        self._numbers: dict[ServiceKind, int] = {}

    def add(self, edge: ServiceEdge) -> None:
        """Append an edge."""
        number = self._numbers.setdefault(edge.kind, len(self._kinds))
        if number == len(self._kinds):
            self._kinds.append(edge.kind)
        self._kind.append(number)
        self._firing.append(edge.firing)
        self._cells.extend(edge.premises)
        self._start.append(len(self._cells))

    def __len__(self) -> int:
        return len(self._firing)

    @overload
    def __getitem__(self, at: int) -> ServiceEdge: ...
    @overload
    def __getitem__(self, at: slice) -> list[ServiceEdge]: ...
    def __getitem__(self, at: int | slice) -> ServiceEdge | list[ServiceEdge]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        return ServiceEdge(self.kind(at), self._firing[at], tuple(self.premises(at)))

    def premises(self, at: int) -> Sequence[int]:
        """Return the premises of one edge."""
        return self._cells[self._start[at] : self._start[at + 1]]

    def firing(self, at: int) -> int:
        """Return the firing that one edge answers with."""
        return self._firing[at]

    def packed(self) -> tuple[array[int], array[int], array[int], array[int]]:
        """Return of each edge its kind, by number, and its firing; and all premises, and where those of each begin."""
        return self._kind, self._firing, self._cells, self._start

    def premised(self) -> set[int]:
        """Return all facts that are premises."""
        return set(self._cells)

    def kind(self, at: int) -> ServiceKind:
        """Return what one edge has in common with others."""
        return self._kinds[self._kind[at]]

    def kinds(self) -> Sequence[ServiceKind]:
        """Return each kind that there is, once."""
        return self._kinds

    def shown_by_firing(self, name: str) -> dict[int, list[int]]:
        """Return, for each firing that the checks of this name guard, the edges that answer with it."""
        found: dict[int, list[int]] = {}
        wanted = {number for number, kind in enumerate(self._kinds) if kind.name == name}
        for at, kind in enumerate(self._kind):
            if kind in wanted:
                found.setdefault(self._firing[at], []).append(at)
        return found


class ByteEdges:
    """What follows from what by bytes alone: one conclusion each, a name, and a note of where it comes from."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.notes: list[object] = []
        self.premises: list[Premises] = []
        self.conclusions: list[Premises] = []

    def add(self, name: str, premises: Iterable[int], conclusion: int, note: object = None) -> None:
        """Append an edge."""
        self.names.append(name)
        self.notes.append(note)
        self.premises.append(tuple(premises))
        self.conclusions.append((conclusion,))

    def __len__(self) -> int:
        return len(self.names)


class Edges:
    """Every edge by number; the one place that knows how firings are packed."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.gates: list[GateEdge] = []
        self.services = ServiceEdges()
        self.guessed: dict[int, int] = {}  # the fact behind each premise that can also be guessed
        self.needed_at = [
            tuple(at for at, needed in enumerate(rule.needed) if needed or at in rule.guesses) for rule in rules
        ]
        self.by_bytes = ByteEdges()
        self._rule = array("H")  # of each firing
        self._start = array("I", [0])  # where the cells of each firing begin, and one entry more: where the last end
        self._cells = array("I")
        self._orders = [self._order(number) for number in range(len(rules))]

    def _order(self, number: int) -> tuple[int, int, Reorder | None, Reorder | None]:
        """Return how the premises of a rule's firings lie in `_cells`.

        Returns:
            How many premises count in labels, how many there are, and what brings them from the order of the arguments
            into that of the cells, and back; None where the two orders are the same.
        """
        needed, takes = self.needed_at[number], len(self.rules[number].takes)
        packed = [*needed, *(at for at in range(takes) if at not in needed)]
        if packed == list(range(takes)):
            return len(needed), takes, None, None
        return len(needed), takes, itemgetter(*packed), itemgetter(*map(packed.index, range(takes)))

    def fire(self, rule: int, premises: Premises, conclusions: Iterable[int]) -> None:
        """Add a firing of rule number `rule`; `premises` are in the order of its arguments."""
        pack = self._orders[rule][2]
        self._cells.extend(premises if pack is None else pack(premises))
        self._cells.extend(conclusions)
        self._rule.append(rule)
        self._start.append(len(self._cells))

    # --- one edge ---

    def __len__(self) -> int:
        return self.rules_end + len(self.by_bytes)

    @property
    def firings(self) -> int:
        """How many firings there are: the edges of smaller number."""
        return len(self._rule)

    @property
    def rules_end(self) -> int:
        """How many edges are not by bytes: those of smaller number."""
        return len(self._rule) + len(self.gates) + len(self.services)

    def firing(self, number: int) -> tuple[Rule, Premises, Premises]:
        """Return (rule, premises in argument order, conclusions) of one firing; what is guessed as the fact itself."""
        rule, start = self._rule[number], self._start[number]
        _, takes, _, restore = self._orders[rule]
        premises = tuple(self._cells[start : start + takes])
        if self.guessed:
            premises = tuple([self.guessed.get(each, each) for each in premises])
        conclusions = tuple(self._cells[start + takes : self._start[number + 1]])
        return self.rules[rule], restore(premises) if restore else premises, conclusions

    def firings_of(self, rule: Rule) -> list[int]:
        """Return the numbers of all firings of a rule. Raise ValueError if the closure has no such rule."""
        wanted = self.rules.index(rule)
        return [number for number, each in enumerate(self._rule) if each == wanted]

    def of_rule(self, rule: int) -> list[int]:
        """Return all firings of rule number `rule`, or all its gates."""
        gates = (at for at, gate in enumerate(self.gates, len(self._rule)) if gate.rule == rule)
        return [*(number for number, each in enumerate(self._rule) if each == rule), *gates]

    def gate(self, edge: int) -> GateEdge | None:
        """Return the gate that an edge is, or None."""
        at = edge - len(self._rule)
        return self.gates[at] if 0 <= at < len(self.gates) else None

    def service(self, edge: int) -> ServiceEdge | None:
        """Return the official's answer that an edge is, or None."""
        at = edge - len(self._rule) - len(self.gates)
        return self.services[at] if 0 <= at < len(self.services) else None

    def service_kind(self, edge: int) -> ServiceKind | None:
        """Return the kind of a service edge; None for any other edge."""
        at = edge - len(self._rule) - len(self.gates)
        return self.services.kind(at) if 0 <= at < len(self.services) else None

    def name_of(self, edge: int) -> str:
        """Return the full name of the edge's rule; of a service edge, that of its checks."""
        if edge >= self.rules_end:
            return self.by_bytes.names[edge - self.rules_end]
        if service := self.service(edge):
            return service.kind.name
        gate = self.gate(edge)
        return self.rules[gate.rule if gate else self._rule[edge]].name

    def paying(self, gate: GateEdge) -> Premises:
        """Return those of a gate's guards that are neither Guard nor Witness."""
        return tuple(gate.guards[at] for at in self.needed_at[gate.rule][:-1])

    def needs(self, edge: int) -> Sequence[int]:
        """Return the premises that count in the labels of an edge's conclusions; of a gate all its members."""
        if edge < len(self._rule):
            start = self._start[edge]
            return self._cells[start : start + self._orders[self._rule[edge]][0]]
        if gate := self.gate(edge):
            return [*self.paying(gate), *(member for same in gate.members.values() for member in same)]
        if edge >= self.rules_end:
            return self.by_bytes.premises[edge - self.rules_end]
        return self.services.premises(edge - len(self._rule) - len(self.gates))

    def gives(self, edge: int) -> Sequence[int]:
        """Return the conclusions of an edge."""
        if edge >= self.rules_end:
            return self.by_bytes.conclusions[edge - self.rules_end]
        if (at := edge - len(self._rule) - len(self.gates)) >= 0:
            edge = self.services.firing(at)
        if gate := self.gate(edge):
            return gate.conclusions
        return self._cells[self._start[edge] + self._orders[self._rule[edge]][1] : self._start[edge + 1]]

    # --- all of them ---

    def walk(
        self, edges: Iterable[int], serves: Sequence[bool] = (), by_bytes: bool = True
    ) -> Iterator[tuple[int, Sequence[int], Sequence[int]]]:
        """Yield (edge, needs, gives), as the methods of these names say; of a gate `needs` are the paying guards.

        `serves`, if given, says of each kind of service whether its edges are wanted; `by_bytes` says it of byte edges.
        """
        cells, starts, rules, services, firings = self._cells, self._start, self._rule, self.services, len(self._rule)
        needed, takes = [each[0] for each in self._orders], [each[1] for each in self._orders]
        answered, ruled, bytewise = firings + len(self.gates), self.rules_end, self.by_bytes
        kinds, answers, shown, shown_from = services.packed()
        for edge in edges:
            if edge < firings:
                start, rule = starts[edge], rules[edge]
                yield edge, cells[start : start + needed[rule]], cells[start + takes[rule] : starts[edge + 1]]
            elif edge < answered:
                gate = self.gates[edge - firings]
                yield edge, self.paying(gate), gate.conclusions
            elif edge >= ruled:
                if by_bytes:
                    yield edge, bytewise.premises[edge - ruled], bytewise.conclusions[edge - ruled]
            elif not serves or serves[kinds[edge - answered]]:
                at = edge - answered
                made = answers[at]
                gives = (
                    cells[starts[made] + takes[rules[made]] : starts[made + 1]] if made < firings else self.gives(made)
                )
                yield edge, shown[shown_from[at] : shown_from[at + 1]], gives

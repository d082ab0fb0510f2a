"""The closure adversary: with everybody's secrets in, apply the library's own functions until nothing new appears.

Facts are interned to integers. Each rule is a hash join on the equalities that its marking names, planned once for
every argument that may arrive last. What made what from what is recorded: an and/or graph whose every node is real
bytes; `attacks.lab.adversary.labels` reads from it who can derive a fact. Three kinds of edge:

  firing         a rule applied to its premises; guards and witnesses stand among them but cost nothing
  gate edge      a threshold rule, run once; it lists every verified member, also one that arrives later
  service edge   an official's answer: the request's facts without the official's secret, and the checks they fail
"""

from __future__ import annotations

import inspect
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from operator import itemgetter
from typing import Any, TypeVar

from attacks.lab.adversary.joins import (
    Fire,
    Getter,
    Join,
    JoinStep,
    Lookup,
    Premises,
    Table,
    getter,
    long_join,
    pair_join,
    plan_of,
)
from attacks.lab.adversary.memo import Memo
from escrow.codec import Fact
from escrow.derivation import Checks, Gate, Rule, Service
from escrow.errors import Forged

R = TypeVar("R")

FREE, NETWORK = 1, 2
WHENEVER = -1  # every evening there is, as bits: held whenever its holder is taken

Holding = tuple[tuple[str, int], ...]  # principals whose states held a fact, each with the evenings as bits
Uses = tuple[list[tuple[Getter, Table]], list[Fire], list[tuple[Getter, Table, Join]]]


@dataclass(slots=True)
class GateEdge:
    """One threshold: `t` distinct indexes among the verified members, joined with `guards` (the earlier arguments)."""

    rule: int
    guards: Premises
    t: int
    members: dict[Any, list[int]] = field(default_factory=dict)  # by index
    conclusions: Premises = ()
    ran: bool = False

    def choose(self, known: Callable[[int], bool]) -> Premises:
        """The first `t` members of distinct index that are known; fewer where there are not so many."""
        found = (next(filter(known, same), None) for same in self.members.values())
        return tuple(member for member in found if member is not None)[: self.t]


@dataclass(frozen=True, slots=True)
class ServiceEdge:
    """What an honest official answers: `premises` are the request's facts, the warrant and the requester's key."""

    name: str
    firing: int  # what the official computes with its own secret
    premises: Premises
    holders: tuple[str, ...]
    failed: frozenset[str]


class Closure:
    """Facts, what is assumed of them, and every edge between them.

    learn … run … then read the edges; after more learning or serving, `run` goes on where it stopped. Edges are
    numbered: first the firings, then the gates, then the services.
    """

    def __init__(self, rules: Iterable[Rule], memo: Memo | None = None) -> None:
        self.rules: list[Rule] = list(dict.fromkeys(rules))
        self._memo = memo
        self.facts: list[Fact] = []
        self.ids: dict[Fact, int] = {}
        self.public = bytearray()  # by fact: FREE, NETWORK or both
        self.held: dict[int, Holding] = {}
        self.firing_rule = array("H")
        self.firing_start = array("I", [0])
        self.cells = array("I")  # of each firing in turn: its premises in argument order, then its conclusions
        self.gates: list[GateEdge] = []
        self.services: list[ServiceEdge] = []
        self.fired: Counter[str] = Counter(dict.fromkeys((rule.name for rule in self.rules), 0))
        self.forged: Counter[str] = Counter()
        self.needed_at = [tuple(at for at, needed in enumerate(rule.needed) if needed) for rule in self.rules]
        self._waiting: deque[int] = deque()
        self._grown: dict[tuple[Holding, str, int | None], Holding] = {}
        self._gate_of: dict[tuple[Any, ...], GateEdge] = {}
        self._served: dict[str, set[tuple[int, Premises, int]]] = {}
        self._tables: dict[tuple[type, tuple[str, ...]], Table] = {}
        self._single: list[tuple[type, Fire]] = []
        self._joins: list[tuple[type, tuple[Getter, Table, Join]]] = []
        self._of_type: dict[type, Uses] = {}
        for number, rule in enumerate(self.rules):
            fire = self._entering(number, rule) if isinstance(rule, Gate) else self._firing(number, rule)
            if len(rule.takes) == 1:
                self._single.append((rule.takes[0], fire))
            else:
                self._joins.extend((kind, self._join(rule, start, fire)) for start, kind in enumerate(rule.takes))

    # --- what goes in, what can be read ---

    def learn(self, fact: Fact, holder: str | None = None, evening: int | None = None) -> int:
        """Give a fact, say under which assumption, and get its number.

        holder None: free bookkeeping. "network": whoever listens. Another name: whoever takes that principal's state
        on `evening`; on any evening, where that is None.
        """
        number = self.intern(fact)
        if holder is None or holder == "network":
            if len(self.public) <= number:
                self.public.extend(bytes(len(self.facts) - len(self.public)))
            self.public[number] |= FREE if holder is None else NETWORK
        else:
            before = self.held.get(number, ())
            self.held[number] = self._grown.get((before, holder, evening)) or self._grow(before, holder, evening)
        return number

    def _grow(self, before: Holding, holder: str, evening: int | None) -> Holding:
        """`before` and one evening more: one tuple for all facts that are held alike."""
        held = dict(before)
        held[holder] = held.get(holder, 0) | (WHENEVER if evening is None else 1 << evening)
        grown = tuple(sorted(held.items()))
        self._grown[before, holder, evening] = grown = self._grown.setdefault((grown, "", None), grown)
        return grown

    def intern(self, fact: Fact) -> int:
        """The number of a fact. A new one waits for the next `run`."""
        number = self.ids.setdefault(fact, len(self.facts))
        if number == len(self.facts):
            if not isinstance(fact, Fact):
                raise TypeError(f"a rule gave a {type(fact).__name__}, which is no fact")
            self.facts.append(fact)
            self._waiting.append(number)
        return number

    def assumed(self, number: int) -> int:
        """FREE, NETWORK, both, or 0."""
        return self.public[number] if number < len(self.public) else 0

    def firing(self, number: int) -> tuple[Rule, Premises, Premises]:
        """(rule, premises in argument order, conclusions) of one firing."""
        rule = self.rules[self.firing_rule[number]]
        start, end = self.firing_start[number], self.firing_start[number + 1]
        middle = start + len(rule.takes)
        return rule, tuple(self.cells[start:middle]), tuple(self.cells[middle:end])

    # --- any edge ---

    def edge_count(self) -> int:
        return len(self.firing_rule) + len(self.gates) + len(self.services)

    def gate(self, edge: int) -> GateEdge | None:
        """The gate that an edge is, if it is one."""
        at = edge - len(self.firing_rule)
        return self.gates[at] if 0 <= at < len(self.gates) else None

    def service(self, edge: int) -> ServiceEdge | None:
        """The official's answer that an edge is, if it is one."""
        at = edge - len(self.firing_rule) - len(self.gates)
        return self.services[at] if at >= 0 else None

    def name_of(self, edge: int) -> str:
        """The full name of the edge's rule; of a service, that of its checks."""
        if service := self.service(edge):
            return service.name
        gate = self.gate(edge)
        return self.rules[gate.rule if gate else self.firing_rule[edge]].name

    def paying(self, gate: GateEdge) -> Premises:
        """Those of a gate's guards that are neither Guard nor Witness."""
        return tuple(gate.guards[at] for at in self.needed_at[gate.rule][:-1])

    def needs(self, edge: int) -> Sequence[int]:
        """The premises that count in the labels of an edge's conclusions; of a gate all its members."""
        if edge < len(self.firing_rule):
            start = self.firing_start[edge]
            return [self.cells[start + at] for at in self.needed_at[self.firing_rule[edge]]]
        if gate := self.gate(edge):
            return [*self.paying(gate), *(member for same in gate.members.values() for member in same)]
        service = self.service(edge)
        return service.premises if service else ()

    def gives(self, edge: int) -> Sequence[int]:
        """The conclusions of an edge."""
        if service := self.service(edge):
            edge = service.firing
        if gate := self.gate(edge):
            return gate.conclusions
        start, end = self.firing_start[edge], self.firing_start[edge + 1]
        return self.cells[start + len(self.rules[self.firing_rule[edge]].takes) : end]

    # --- the run ---

    def run(self) -> None:
        """Apply the rules until nothing new appears. Forged is counted; any other exception is a defect and escapes."""
        facts, of_type, waiting = self.facts, self._of_type, self._waiting
        while waiting:
            number = waiting.popleft()
            fact = facts[number]
            columns, single, joins = of_type.get(type(fact)) or self._dispatch(type(fact))
            for get, table in columns:
                key = get(fact)
                found = table.setdefault(key, number)
                if found is not number:
                    if isinstance(found, list):
                        found.append(number)
                    else:
                        table[key] = [found, number]
            for fire in single:
                fire((number,), (fact,))
            for get, table, join in joins:
                others = table.get(get(fact))
                if others is not None:
                    join(number, fact, others if isinstance(others, list) else (others,))

    def _dispatch(self, kind: type) -> Uses:
        """For facts of this type: the columns they are found by, the rules of one argument, the joins they start."""
        columns = [
            (getter(base, paths), table) for (base, paths), table in self._tables.items() if issubclass(kind, base)
        ]
        single = [fire for base, fire in self._single if issubclass(kind, base)]
        joins = [join for base, join in self._joins if issubclass(kind, base)]
        self._of_type[kind] = columns, single, joins
        return columns, single, joins

    def _conclusions(self, result: Any, premises: Premises, rule: int) -> list[int]:
        """The numbers of what a rule gave, without what had to be known for it."""
        made = [*map(self.intern, result)] if isinstance(result, tuple) else [self.intern(result)]
        for each in made:
            if each in premises:
                paid = {premises[at] for at in self.needed_at[rule] if at < len(premises)}
                return [each for each in made if each not in paid]
        return made

    def _firing(self, number: int, rule: Rule) -> Fire:
        function, name, cells, conclude = self._recalled(rule.function), rule.name, self.cells, self._conclusions
        fired, forged, add_rule, add_start = self.fired, self.forged, self.firing_rule.append, self.firing_start.append

        def fire(premises: Premises, arguments: Sequence[Fact]) -> None:
            try:
                result = function(*arguments)
            except Forged:
                forged[name] += 1
                return
            fired[name] += 1
            if conclusions := conclude(result, premises, number):
                cells.extend(premises)
                cells.extend(conclusions)
                add_rule(number)
                add_start(len(cells))

        return fire

    def _recalled(self, function: Callable[..., R]) -> Callable[..., R]:
        return function if self._memo is None else self._memo.recalling(function)

    def _entering(self, number: int, gate: Gate) -> Fire:
        verify = self._recalled(gate.verify)

        def enter(premises: Premises, arguments: Sequence[Fact]) -> None:
            *earlier, member = arguments
            try:
                if not verify(*earlier, member):
                    raise Forged("a member does not verify")
                t, index = gate.t(*earlier, member), gate.index(member)
                key = (number, premises[:-1], gate.by(member), t)
            except Forged:
                self.forged[gate.name] += 1
                return
            if (edge := self._gate_of.get(key)) is None:
                edge = self._gate_of[key] = GateEdge(number, premises[:-1], t)
                self.gates.append(edge)
            edge.members.setdefault(index, []).append(premises[-1])
            if not edge.ran and len(edge.members) >= t:
                self._pass(gate, edge)

        return enter

    def _pass(self, gate: Gate, edge: GateEdge) -> None:
        """Run a threshold rule once: its members verify, so any others would give the same, Forged included."""
        edge.ran = True
        combine, earlier = self._recalled(gate.function), [self.facts[guard] for guard in edge.guards]
        members = tuple(self.facts[member] for member in edge.choose(lambda _: True))
        try:
            edge.conclusions = tuple(self._conclusions(combine(*earlier, members), edge.guards, edge.rule))
        except Forged:
            self.forged[gate.name] += 1
        else:
            self.fired[gate.name] += 1

    # --- services ---

    def serve(
        self,
        service: Service,
        candidates: Callable[[tuple[Fact, ...]], Iterable[Fact]],
        requester: Callable[[Fact], Fact],
    ) -> int:
        """Add what honest officials answer to requests, and return how many service edges are new; then `run` again.

        A request is, for one firing of the service's rule, facts that give the rule's arguments as `service.given`
        says. `candidates(request facts)` are the warrants to show with it, `requester(warrant)` the key that signs the
        request. All must be facts of this closure (KeyError): what nobody holds cannot be shown. A check that raises
        Forged gets no answer, whatever else is left out. ValueError for a service whose rule is none of this closure.
        """
        desk, before, wanted = _Desk(self, service, candidates), len(self.services), self.rules.index(service.rule)
        served = self._served.setdefault(service.name, set())
        for number in (at for at, rule in enumerate(self.firing_rule) if rule == wanted):
            _, premises, _ = self.firing(number)
            for request in desk.requests(premises):
                for warrant in desk.fitting(premises, request):
                    if (key := (number, request, self.ids[warrant])) not in served:
                        served.add(key)
                        self._answer(desk, number, premises, request, warrant, requester(warrant))
        return len(self.services) - before

    def _answer(
        self, desk: _Desk, firing: int, premises: Premises, request: Premises, warrant: Fact, key: Fact
    ) -> None:
        service, secret = desk.service, premises[desk.holder]
        try:
            failed = desk.failed(self.facts[secret], warrant, *(self.facts[each] for each in request))
        except Forged:
            self.forged[service.name] += 1
            return
        shown = (*request, self.ids[warrant], self.ids[key])
        holders = tuple(holder for holder, _ in self.held.get(secret, ()))
        self.services.append(ServiceEdge(service.name, firing, shown, holders, failed))

    # --- joining ---

    def _join(self, rule: Rule, start: int, fire: Fire) -> tuple[Getter, Table, Join]:
        """Where to look when a fact arrives as argument number `start` of `rule`, and what to do with what is there."""
        plan = plan_of(rule, start)
        (get, table, pass_over), *rest = [self._compile(rule, start, plan, place) for place in range(len(plan))]
        if not rest:
            return get, table, pair_join(pass_over, self.facts, start == 0, fire)
        order = [start, *(step.position for step in plan)]
        restore = itemgetter(*map(order.index, range(len(order))))
        return get, table, long_join(pass_over, rest, self.facts, restore, fire)

    def _compile(self, rule: Rule, start: int, plan: list[JoinStep], place: int) -> Lookup:
        """The look-up of one step; its key is read from the arriving fact, or from the facts bound by then.

        A fact that fits two arguments of one rule meets itself once: where it arrives as the earlier of the two.
        """
        step, order = plan[place], [start, *(earlier.position for earlier in plan[:place])]
        kind, arriving = rule.takes[step.position], rule.takes[start]
        table = self._tables.setdefault((kind, step.mine), {})
        pass_over = step.position < start and (issubclass(kind, arriving) or issubclass(arriving, kind))
        gets = [(order.index(at), getter(rule.takes[at], (path,))) for at, path in step.theirs]
        sources = {at for at, _ in gets}
        if len(sources) > 1:
            return lambda bound: tuple([get(bound[at]) for at, get in gets]), table, pass_over
        at = sources.pop() if sources else 0
        read = getter(rule.takes[order[at]], tuple(path for _, path in step.theirs))
        return read if place == 0 else lambda bound: read(bound[at]), table, pass_over


class _Desk:
    """Finds, for a firing of a service's rule, the requests that an official would answer with it.

    An argument of the rule lies somewhere in one argument of the checks: in a request fact (each is found by all that
    it must give), in the warrant, or in the official's own secret.
    """

    def __init__(
        self, closure: Closure, service: Service, candidates: Callable[[tuple[Fact, ...]], Iterable[Fact]]
    ) -> None:
        arguments = list(inspect.signature(service.rule.function).parameters)
        names = list(inspect.signature(service.checks).parameters)
        self.closure, self.service, self.holder = closure, service, arguments.index(service.holder)
        self.failed = closure._recalled(_failing(service.checks))
        self._candidates, self._shown = (
            candidates,
            dict[Premises, list[Fact]](),
        )  # by request: several officials hear it
        self._gives: list[tuple[list[int], Getter]] = []  # of each argument of the checks: positions, their values
        for name, kind in zip(names, service.takes, strict=True):
            lies = [(arguments.index(each), path) for each, (where, path) in service.given.items() if where == name]
            gets = [getter(kind, (path,)) if path else _itself for _, path in lies]
            self._gives.append(([position for position, _ in lies], _all_of(gets)))
        self._index: list[dict[Any, list[int]]] = [defaultdict(list) for _ in names[2:]]
        for number, fact in enumerate(closure.facts):
            for index, kind, (_, get) in zip(self._index, service.takes[2:], self._gives[2:], strict=True):
                if isinstance(fact, kind):
                    index[get(fact)].append(number)

    def _wanted(self, argument: int, premises: Premises) -> tuple[Fact, ...]:
        return tuple(self.closure.facts[premises[position]] for position in self._gives[argument][0])

    def requests(self, premises: Premises) -> Iterator[Premises]:
        """The request facts that give these premises, in the order in which the checks take them."""
        secret = self.closure.facts[premises[self.holder]]
        if not isinstance(secret, self.service.takes[0]) or self._gives[0][1](secret) != self._wanted(0, premises):
            return iter(())  # what a thief makes of several secrets is no official's
        return product(*(index.get(self._wanted(2 + at, premises), ()) for at, index in enumerate(self._index)))

    def fitting(self, premises: Premises, request: Premises) -> list[Fact]:
        """Those warrants to be shown with a request that give what the rule takes from a warrant."""
        if (shown := self._shown.get(request)) is None:
            facts = tuple(self.closure.facts[each] for each in request)
            shown = self._shown[request] = list(self._candidates(facts))
        if not self._gives[1][0]:
            return shown
        wanted = self._wanted(1, premises)
        return [warrant for warrant in shown if self._gives[1][1](warrant) == wanted]


@cache
def _failing(checks: Callable[..., Checks]) -> Callable[..., frozenset[str]]:
    """Which of the checks fail."""
    return lambda *arguments: frozenset(name for name, holds in checks(*arguments) if not holds)


def _itself(fact: Fact) -> Fact:
    return fact


def _all_of(gets: list[Getter]) -> Getter:
    return lambda fact: tuple([get(fact) for get in gets])

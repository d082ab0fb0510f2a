"""Rules whose results matter only beside others: partial decryptions, where a key is held in shares.

Any t shares of an epoch give the whole key, and with it all that t partials of that epoch give. So what a thief makes
with stolen shares is of use only beside partials that it gets elsewhere, and partials are computed only in such groups
(one epoch, one ciphertext):

  heard      a partial of the group is known without any share, since it was sent or lay in a state
  answered   officials answer requests with partials of the group

Of the answered groups those that add nothing are left out. Where t members answer a request, whoever may make the
request needs no stolen share. So a request that t members answer in one group tells nothing in another, unless it is
answered there until a later evening, or with fewer failed checks.

Example: 2 of 3 agents have new shares every morning, and answer on evenings 3, 4 and 5 whatever the court signs. A
field of day 3 can be asked about at three epochs. The last is enough: whoever takes the court's key on one of these
evenings opens it there. If one agent answers to nobody from evening 5 on, that makes no difference; if two do, the
group of evening 4 is needed too: all its members answer there, and the third of evening 5 with a stolen share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, cast

import msgspec

from attacks.lab.adversary.answers.services import Desk, Failed, fewest
from attacks.lab.adversary.edges import Edges, Premises
from attacks.lab.adversary.facts import FactTable
from attacks.lab.adversary.joins import Fire, Joins, getter
from escrow.codec import Fact
from escrow.derivation import Equality, Gate, Pooled, Rule

Judged = Callable[[Premises, Premises, Fact, Failed], None]
Request = tuple[Premises, frozenset[str]]  # what is shown, and the checks that it fails
Asked = tuple[int, tuple[Any, ...], dict[Request, dict[Any, int]]]  # t, a group, the last evening of each answer
UNENDING = 1 << 62


def taker(rule: Rule, rules: Sequence[Rule]) -> Gate | None:
    """Return the threshold rule for which alone a rule's results are computed; None if they may serve otherwise."""
    if rule.pooled is None or rule.pooled.pool.name not in {each.name for each in rules}:
        return None
    takers = [each for each in rules if any(_alike(kind, given) for kind in each.takes for given in rule.gives)]
    own = [each for each in takers if each.function.__module__ == rule.function.__module__]
    return own[0] if takers == own and len(own) == 1 and isinstance(own[0], Gate) else None


def _alike(kind: type, other: type) -> bool:
    return issubclass(kind, other) or issubclass(other, kind)


class PooledRule:
    """Applies one such rule of a closure in the groups that are wanted.

    `marked` is the rule's mark, `gate` what `taker` returned.
    """

    def __init__(self, table: FactTable, edges: Edges, rule: Rule, marked: Pooled, gate: Gate) -> None:
        self._table, self._edges, self._rule, self._gate = table, edges, rule, gate
        self._pool = [each.name for each in edges.rules].index(marked.pool.name)
        self._group = [(at, attrgetter(path)) for at, path in marked.group]
        ties = [{each.left: each.left_path, each.right: each.right_path} for each in rule.equalities]
        self._ties = [getter(kind, tuple(tie[at] for tie in ties)) for at, kind in enumerate(rule.takes)]
        fields = [f"of_{number}" for number in range(len(self._group))]
        wanted = msgspec.defstruct("Wanted", [(each, Any) for each in fields], bases=(Fact,), frozen=True)
        self._wanted = cast(type[Fact], wanted)
        self._bounds = [Equality(at, path, 2, name) for (at, path), name in zip(marked.group, fields, strict=True)]
        self._asked_before = 0  # how many facts there were

    def join(self, joins: Joins, fire: Fire) -> None:
        """Let the joins apply the rule where its group is wanted, and want the groups of results that are heard."""
        rule = self._rule
        takes, ties = (*rule.takes, self._wanted), (*rule.equalities, *self._bounds)
        bounded = Rule(rule.function, takes, (True, True, False), ties, rule.gives)
        joins.add(bounded, lambda premises, arguments: fire(premises[:2], arguments[:2]))
        for kind in rule.gives:
            joins.add(Rule(rule.function, (kind,), (True,), (), ()), lambda _, facts: self._want(self._gate.by(*facts)))

    def _want(self, group: tuple[Any, ...]) -> None:
        self._table.learn(self._wanted(*group))

    def _is_wanted(self, group: tuple[Any, ...]) -> bool:
        return self._wanted(*group) in self._table.ids

    # --- answers ---

    def demand(self, desk: Desk, judged: Judged | None) -> None:
        """Want the groups in which officials' answers tell something new; then run the closure.

        Args:
            desk: Where requests for answers with this rule are put.
            judged: As in `Closure.serve`.
        """
        facts, (tied, tied_to) = self._table.facts, self._ties
        secrets = [(t, [(*each, tied(facts[each[1]])) for each in members]) for t, members in self._secrets()]
        for other in self._table.of_kind(self._rule.takes[1]):
            asked: list[Asked] = []
            to = tied_to(facts[other])
            for t, members in secrets:
                offers: dict[Request, dict[Any, int]] = defaultdict(dict)
                pairs = [(index, (secret, other)) for index, secret, tie in members if tie == to]
                for index, premises in pairs:
                    for request, until in self._answers(desk, premises, judged):
                        by = offers[request]
                        by[index] = max(until, by.get(index, until))
                if offers:
                    arguments = [facts[each] for each in pairs[0][1]]
                    asked.append((t, tuple(read(arguments[at]) for at, read in self._group), offers))
            self._choose(asked)
        self._asked_before = len(facts)

    def _secrets(self) -> Iterator[tuple[int, list[tuple[Any, int]]]]:
        """Yield for each pool t and its members, as (index, secret); secrets that fit no pool stand by themselves."""
        pooled = set[int]()
        for edge in self._edges.gates:
            if edge.rule == self._pool:
                members = [(index, secret) for index, same in edge.members.items() for secret in same]
                pooled.update(secret for _, secret in members)
                yield edge.t, members
        for number in self._table.of_kind(self._rule.takes[0]):
            if number not in pooled:
                yield UNENDING, [(0, number)]

    def _answers(self, desk: Desk, premises: Premises, judged: Judged | None) -> Iterator[tuple[Request, int]]:
        """Yield each request that is answered with these premises, and the last evening on which it is.

        Answers in spite of several failed checks stand in no pass, and only the names of these checks are of interest.
        """
        for request, all_shown in desk.asked(premises):
            new: tuple[Fact, Failed] | None = None
            for warrant, shown in all_shown:
                kinds = desk.kinds(premises, shown)
                for kind in kinds:
                    until = UNENDING if kind.until is None else kind.until
                    yield (((), kind.failed), 0) if len(kind.failed) > 1 else ((shown, kind.failed), until)
                if judged is not None and max(shown) >= self._asked_before:
                    new = warrant, fewest(kinds)
            if judged is not None and new is not None:
                judged(premises, request, *new)

    def _choose(self, asked: list[Asked]) -> None:
        """Want those of one ciphertext's groups that tell something new, the last ones first."""
        told: dict[Request, int] = {}  # until when t members answer in a group that is wanted
        asked.sort(key=lambda each: (self._is_wanted(each[1]), max(max(by.values()) for by in each[2].values())))
        for t, group, offers in reversed(asked):
            if self._is_wanted(group) or any(max(by.values()) > told.get(each, -1) for each, by in offers.items()):
                self._want(group)
                for request, by in offers.items():
                    if len(by) >= t:
                        told[request] = max(told.get(request, -1), sorted(by.values(), reverse=True)[t - 1])

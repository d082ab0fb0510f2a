"""The judge's side of an adversary: which of the texts that it derives were sent, and which coalitions open them.

The adversary is given only a view of a record: bytes. Its texts are compared here with those that were sent, byte for
byte: texts are fresh and random, so equality is proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import AccessStructure, Seizure
from attacks.lab.adversary.labelling.antichains import minimal
from attacks.lab.adversary.labelling.labels import BYTES, MATHEMATICS, SERVED, Labels
from attacks.lab.adversary.local import Adversary, Local, stranger
from attacks.lab.adversary.view import View, words_of
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.record import Record
from escrow import codec
from escrow.codec import Fact, walk
from escrow.derivation import Rule, RuleError
from escrow.scheme import SET_UP, Scheme

if TYPE_CHECKING:
    from attacks.lab.crosscheck.byte_graph import ByteGraph
    from attacks.lab.crosscheck.two_plays import TwoPlays


def rules_of(scheme: Scheme, attacks: Iterable[Attack]) -> tuple[Rule, ...]:
    """Return the rules of every cell: the functions of the scheme's modules, and those of all attacks.

    Raise RuleError if an attack's function has the name of another rule.
    """
    functions: list[Any] = [function for attack in attacks for function in attack.derivations]
    rules = {rule.name: rule for rule in words_of(scheme).rules}
    for rule in (function.__rule__ for function in functions):
        if rules.setdefault(rule.name, rule) is not rule:
            raise RuleError(f"an attack's derivation takes the name {rule.name}, which is another rule's")
    return tuple(rules.values())


def view_of(record: Record, taken: Iterable[Seizure] | None = None) -> View:
    """Return what was heard, and the states of all principals or those taken; nothing of what was sent or shown."""
    on = None if taken is None else _evenings_of(record, taken)
    states = record.states if on is None else _taken(record, on)
    set_up = {name: born for name, born in record.set_up.items() if on is None or SET_UP in on.get(name, ())}
    return View(
        days=record.scenario.days,
        heard=record.heard,
        states=states,
        kinds={name: record.kinds[name] for name in states},
        warrants=tuple(map(codec.encode, record.warrants)),
        work=record.scenario.work,
        set_up=set_up,
        set_up_kinds={name: record.set_up_kinds[name] for name in set_up},
    )


def _evenings_of(record: Record, taken: Iterable[Seizure]) -> dict[str, set[int]]:
    """Return the evenings on which each principal is taken."""
    on: dict[str, set[int]] = {}
    for each in taken:
        on.setdefault(each.principal, set()).update(each.evenings or range(SET_UP, record.scenario.days))
    return on


def _taken(record: Record, on: dict[str, set[int]]) -> dict[str, tuple[bytes, ...]]:
    """Return the states of these evenings; empty bytes stand for the others."""
    return {
        name: tuple(state if evening in evenings else b"" for evening, state in enumerate(record.states[name]))
        for name, evenings in on.items()
    }


def _guessable(record: Record, kinds: tuple[type[Fact], ...]) -> Iterator[bytes]:
    """Yield the facts of these kinds in all states: trials find them, whoever holds them."""
    for name, evenings in record.states.items():
        for evening in range(len(evenings)):
            for fact in walk(record.party(name, evening), Fact):
                if isinstance(fact, kinds):
                    yield codec.encode(fact)


def _by_bytes(scheme: Scheme, closure: Closure, record: Record, door: TwoPlays) -> ByteGraph:
    from attacks.lab.adversary.demands.constants import constants_of  # a cell of a matrix does without
    from attacks.lab.crosscheck.byte_graph import ByteGraph

    found = constants_of(scheme)
    numerals = [bytes.fromhex(each) for each in found.texts if re.fullmatch("([0-9a-fA-F]{2})+", each)]
    texts = [each.encode("utf-8", "replace") for each in found.texts]
    return ByteGraph(closure, record, door, (*found.blobs, *texts, *numerals))


def _in_a_process(*asked: Any) -> Adversary:
    from attacks.lab.adversary.isolation import Remote  # most analyses do without

    return Remote(*asked)


class Analysis:
    """The texts that can be derived from a record, and by which coalitions.

    `taken`: if given, only these states are given to the adversary. `isolated` puts the adversary into its own process:
    then there is no `closure` and there are no `labels` to read, and an error there raises AdversaryFailed. `door`: the
    record of every call of the door in that play; then there is a pass `bytes`, with what follows from it.
    """

    def __init__(
        self,
        scheme: Scheme,
        record: Record,
        attacks: Iterable[Attack],
        *,
        isolated: bool = False,
        taken: Sequence[Seizure] | None = None,
        door: TwoPlays | None = None,
    ) -> None:
        self.scheme, self.record, self.attacks = scheme, record, (attacks := tuple(attacks))
        self.rules = rules_of(scheme, attacks)
        view = view_of(record, taken)
        kinds = tuple({rule.takes[at] for rule in self.rules for at in rule.guesses})
        if taken is not None and kinds:
            view = view._replace(guessable=tuple(_guessable(record, kinds)))
        asked = view, scheme, attacks, self.rules
        self.adversary: Adversary = _in_a_process(*asked) if isolated else Local(*asked)
        self.graph = None if door is None else _by_bytes(scheme, self.closure, record, door)
        self._structures: dict[str, AccessStructure] = {}
        self._numbered: dict[str, dict[int, list[int]]] = {}

    # --- the adversary, if it is in this process ---

    @property
    def _here(self) -> Local:
        if not isinstance(self.adversary, Local):
            raise TypeError("the adversary of this analysis is in a process of its own: its facts are not here")
        return self.adversary

    @property
    def closure(self) -> Closure:
        """The closure of the adversary. Raises TypeError if the adversary is in another process."""
        return self._here.closure

    @property
    def labels(self) -> Labels:
        """The labels of the adversary. Raises TypeError if the adversary is in another process."""
        return self._here.labels

    @property
    def fired(self) -> frozenset[str]:
        """The names of the rules that gave a result."""
        return frozenset(name for name, times in self.adversary.fired.items() if times)

    # --- what is opened ---

    @cached_property
    def _ids(self) -> dict[int, int]:
        """The id of the text that was sent, for each of the adversary's numbers with its bytes."""
        ids = {sent.body: sent.id for sent in self.record.sent}
        return {number: ids[body] for number, body in self.adversary.texts.items() if body in ids}

    def _in_pass(self, name: str) -> dict[int, int]:
        """Return the same for one pass: by bytes a text is read without being a fact."""
        return self._ids | self.graph.texts if self.graph and name == BYTES else self._ids

    @property
    def passes(self) -> tuple[str, ...]:
        """The names of the passes; `mathematics` alone if no official answers."""
        served = () if self.adversary.officials else (SERVED,)
        return tuple(name for name in self.adversary.passes if name not in served)

    @cached_property
    def texts(self) -> dict[int, int]:
        """The adversary's number of each text that any coalition can derive: by the text's id."""
        return {text: number for number, text in self._ids.items()}

    def texts_in(self, name: str) -> set[int]:
        """Return the ids of the texts that any coalition can derive in a pass."""
        return set(self._in_pass(name).values())

    def masks(self, text: int, name: str = MATHEMATICS) -> tuple[int, ...]:
        """Return the minimal masks that open a text in a pass; none if no coalition opens it."""
        labels = self.adversary.labelled(name)
        found = [labels.masks(number, name) for number in self.numbers(name).get(text, ())]
        return found[0] if len(found) == 1 else tuple(minimal(mask for masks in found for mask in masks))

    def numbers(self, name: str) -> dict[int, list[int]]:
        """Return all numbers of each text: several where a rule gives its bytes in another conversation."""
        if name not in self._numbered:
            numbers: dict[int, list[int]] = {}
            for number, text in self._in_pass(name).items():
                numbers.setdefault(text, []).append(number)
            self._numbered[name] = numbers
        return self._numbered[name]

    def work(self, text: int, held: int, name: str = MATHEMATICS) -> float | None:
        """Return the bits of work with which those who hold `held` open a text; None if no work is enough."""
        labels = self.adversary.labelled(name)
        ways = (labels.work.cheapest(labels.priced(name)[number], held) for number in self.numbers(name).get(text, ()))
        return min((way[0] for way in ways if way is not None), default=None)

    def structure(self, name: str = MATHEMATICS) -> AccessStructure:
        """Return which coalitions open which text (by the adversary's number) in a pass."""
        if name not in self._structures:
            self._structures[name] = AccessStructure(self.adversary.labelled(name), self._in_pass(name), name)
        return self._structures[name]

    def opened_by(self, seizures: Iterable[Seizure], name: str = MATHEMATICS) -> frozenset[int]:
        """Return the ids of the texts that these seizures open together."""
        structure = self.structure(name)
        ids = self._in_pass(name)
        return frozenset(ids[number] for number in structure.opened(structure.mask(seizures)))

    def derived_by(self, seizures: Iterable[Seizure], name: str = MATHEMATICS) -> Callable[[int], bool]:
        """Return a function that tells whether these seizures derive a fact (by number) in a pass."""
        structure, labels = self.structure(name), self.labels
        mask, of_fact = labels.satisfied(structure.mask(seizures)), labels.label(name)
        return lambda fact: labels.opens(of_fact[fact], mask)


__all__ = ["BYTES", "MATHEMATICS", "SERVED", "Analysis", "rules_of", "stranger", "view_of"]

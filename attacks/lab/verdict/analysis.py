"""The judge's side of an adversary: which of the texts that it derives were sent, and which coalitions open them.

The adversary is given only a view of a record: bytes. Its texts are compared here with those that were sent, byte for
byte: texts are fresh and random, so equality is proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import AccessStructure, Seizure
from attacks.lab.adversary.isolation import Remote
from attacks.lab.adversary.labels import MATHEMATICS, SERVED, Labels, minimal
from attacks.lab.adversary.local import Adversary, Local, stranger
from attacks.lab.adversary.view import View, words_of
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.record import Record
from escrow import codec
from escrow.derivation import Rule, RuleError
from escrow.scheme import Scheme


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
    states = record.states if taken is None else _taken(record, taken)
    return View(
        days=record.scenario.days,
        heard=record.heard,
        states=states,
        kinds={name: record.kinds[name] for name in states},
        warrants=tuple(map(codec.encode, record.warrants)),
    )


def _taken(record: Record, taken: Iterable[Seizure]) -> dict[str, tuple[bytes, ...]]:
    """Return the states of these evenings; empty bytes stand for the others."""
    on: dict[str, set[int]] = {}
    for each in taken:
        on.setdefault(each.principal, set()).update(each.evenings or range(record.scenario.days))
    return {
        name: tuple(state if evening in evenings else b"" for evening, state in enumerate(record.states[name]))
        for name, evenings in on.items()
    }


class Analysis:
    """The texts that can be derived from a record, and by which coalitions.

    `taken`: if given, only these states are given to the adversary. `isolated` puts the adversary into its own process:
    then there is no `closure` and there are no `labels` to read, and an error there raises AdversaryFailed.
    """

    def __init__(
        self,
        scheme: Scheme,
        record: Record,
        attacks: Iterable[Attack],
        *,
        isolated: bool = False,
        taken: Sequence[Seizure] | None = None,
    ) -> None:
        self.scheme, self.record, attacks = scheme, record, tuple(attacks)
        self.rules = rules_of(scheme, attacks)
        asked = view_of(record, taken), scheme, attacks, self.rules
        self.adversary: Adversary = Remote(*asked) if isolated else Local(*asked)
        self._structures: dict[str, AccessStructure] = {}

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

    # --- what is opened ---

    @cached_property
    def _ids(self) -> dict[int, int]:
        """The id of the text that was sent, for each of the adversary's numbers with its bytes."""
        ids = {sent.body: sent.id for sent in self.record.sent}
        return {number: ids[body] for number, body in self.adversary.texts.items() if body in ids}

    @property
    def passes(self) -> tuple[str, ...]:
        """The names of the passes; `mathematics` alone if no official answers."""
        return self.adversary.passes if self.adversary.officials else (MATHEMATICS,)

    @cached_property
    def texts(self) -> dict[int, int]:
        """The adversary's number of each text that any coalition can derive: by the text's id."""
        return {text: number for number, text in self._ids.items()}

    def masks(self, text: int, name: str = MATHEMATICS) -> tuple[int, ...]:
        """Return the minimal masks that open a text in a pass; none if no coalition opens it."""
        labels = self.adversary.labelled(name)
        found = [labels.masks(number, name) for number in self._numbers.get(text, ())]
        return found[0] if len(found) == 1 else tuple(minimal(mask for masks in found for mask in masks))

    @cached_property
    def _numbers(self) -> dict[int, list[int]]:
        """All numbers of a text: several where a rule gives its bytes in another conversation."""
        numbers: dict[int, list[int]] = {}
        for number, text in self._ids.items():
            numbers.setdefault(text, []).append(number)
        return numbers

    def structure(self, name: str = MATHEMATICS) -> AccessStructure:
        """Return which coalitions open which text (by the adversary's number) in a pass."""
        if name not in self._structures:
            self._structures[name] = AccessStructure(self.adversary.labelled(name), self._ids, name)
        return self._structures[name]

    def opened_by(self, seizures: Iterable[Seizure], name: str = MATHEMATICS) -> frozenset[int]:
        """Return the ids of the texts that these seizures open together."""
        structure = self.structure(name)
        return frozenset(self._ids[number] for number in structure.opened(structure.mask(seizures)))


__all__ = ["MATHEMATICS", "SERVED", "Analysis", "rules_of", "stranger", "view_of"]

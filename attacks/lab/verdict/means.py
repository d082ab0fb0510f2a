"""By what a coalition opens a text round the rules: fields that hold bytes, functions that compute with them.

Named are fields of the coalition's states in which bytes lie, with the fact whose bytes they are; functions that called
the door outside every rule; and functions marked `@honest_only` that give what the bytes give.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import Any

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.labels import BYTES
from attacks.lab.adversary.proof import Given, Proof, RuleStep, prove_all
from attacks.lab.adversary.view import words_of
from attacks.lab.crosscheck.byte_graph import FIELD, ByteString, Stretch, fields_of
from attacks.lab.crosscheck.overlaps import GRAM
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.verdict.analysis import Analysis
from escrow import codec
from escrow.codec import Fact
from escrow.derivation import facts_of
from escrow.run import Call

MOST = 6  # names of one kind that a finding lists
LIBRARY = Path(codec.__file__).parent
LAB = Path(__file__).parents[1]


class Means:
    """Names what texts are opened by, in one analysis that has byte edges; `door` is the record that they are of."""

    def __init__(self, analysis: Analysis, door: TwoPlays) -> None:
        self.analysis, self.door, self.closure = analysis, door, analysis.closure
        self._edges, self._texts = self.closure.edges, analysis.graph.texts if analysis.graph else {}

    def of(self, taken: Sequence[Seizure], texts: Iterable[int]) -> tuple[str, ...]:
        """Return what a coalition opens the first of these texts by, in words."""
        first = min(texts)
        numbers = [number for number, text in self._texts.items() if text == first]
        proof = prove_all(self.analysis.labels, numbers, taken, BYTES)
        named = (self._fields(proof), self._functions(proof), self._honest_only(proof, taken))
        return tuple(name for names in named for name in list(dict.fromkeys(names))[:MOST])

    # --- fields ---

    def _fields(self, proof: Proof) -> Iterator[str]:
        """Yield the fields in which the coalition has bytes."""
        for step in proof:
            fact = self._fact(step)
            if isinstance(step, Given) and isinstance(fact, ByteString | Stretch) and step.evening is not None:
                value = fact.value if isinstance(fact, ByteString) else fact.around
                party = self.analysis.record.party(step.holder or "", step.evening)
                inside = next((name for name, held, _ in fields_of(party) if value in held), ".state").partition(".")[2]
                whole = fact.value if isinstance(fact, ByteString) else fact.of
                alias = self._aliases.get(whole)
                yield f"{step.holder}'s {inside} ({alias})" if alias else f"{step.holder}'s {inside}"

    @cached_property
    def _aliases(self) -> dict[bytes, str]:
        """The fact and field whose bytes a string is, by the string."""
        found: dict[bytes, str] = {}
        by_bytes = self._edges.by_bytes
        for name, note, conclusions in zip(by_bytes.names, by_bytes.notes, by_bytes.conclusions, strict=True):
            fact = self.closure.facts[conclusions[0]]
            if name == FIELD and isinstance(fact, ByteString):
                found.setdefault(fact.value, str(note))
        return found

    # --- functions ---

    def _functions(self, proof: Proof) -> Iterator[str]:
        """Yield the functions outside every rule in which the door was called for what the proof takes from it."""
        found = []
        for step in proof:
            if isinstance(call := self._note(step), Call):
                if call.operation == "seal" and self.door.constant(call.inputs[0]):
                    yield f"a key that is the same in every run{self._made(call.inputs[0])}"
                stack = self._stack(call)
                if not any(code in self._typed for code in stack) and (code := _author(stack)):
                    found.append(code)
        yield from map(_place, [code for code in found if _is_schemes(code)] or found)

    def _made(self, value: bytes) -> str:
        """Return by which of the scheme's functions bytes were computed, in words, the last step first."""
        found, values = dict[str, None](), [value]
        for value in islice(values, MOST):  # which grows: what went into a call comes next
            for call in self.door.log.stacks:
                made = any(value in each for each in call.outputs)
                if made and (code := _author(self._stack(call))) and _is_schemes(code):
                    found[_place(code)] = None
                    values += [each for each in call.inputs if len(each) >= GRAM and self.door.constant(each)]
                    break
        return f", from {', '.join(found)}" if found else ""

    @cached_property
    def _typed(self) -> set[CodeType]:
        return {inspect.unwrap(rule.function).__code__ for rule in self.closure.rules}

    def _honest_only(self, proof: Proof, taken: Sequence[Seizure]) -> Iterator[str]:
        """Yield the functions marked `@honest_only` that were running, or that give what the bytes give."""
        running = {code for step in proof if isinstance(call := self._note(step), Call) for code in self._stack(call)}
        known = self._kinds({step.fact if isinstance(step, Given) else step.conclusion for step in proof})
        open_ = self.analysis.derived_by(taken)
        denied = {kind for kind, facts in known.items() if not all(map(open_, facts))}
        for function in self._marked:
            takes, gives = _signature(function)
            if function.__code__ in running or (takes & known.keys() and gives & denied):
                yield f"{_place(function.__code__)} is marked @honest_only, and decides"

    def _kinds(self, reached: set[int]) -> dict[type[Fact], list[int]]:
        """Return the facts of which a proof has all secret bytes, and those that it is given, by type."""
        by_bytes, found = self._edges.by_bytes, dict[type[Fact], list[int]]()
        whole = [
            ends[0]
            for name, premises, ends in zip(by_bytes.names, by_bytes.premises, by_bytes.conclusions, strict=True)
            if name == FIELD and premises and reached.issuperset(premises)
        ]
        for number in {*whole, *reached}:
            found.setdefault(type(self.closure.facts[number]), []).append(number)
        return found

    @cached_property
    def _marked(self) -> list[Callable[..., Any]]:
        """The functions of the scheme's modules that are marked `@honest_only`."""
        words = words_of(self.analysis.scheme)
        homes = {each.__module__ for each in words.types} | {rule.function.__module__ for rule in words.rules}
        held = (value for home in sorted(homes) for value in vars(sys.modules[home]).values())
        marked = [
            inspect.unwrap(each) for each in held if inspect.isfunction(each) and hasattr(each, "__honest_only__")
        ]
        return [each for each in marked if _is_schemes(each.__code__)]

    # --- steps ---

    def _fact(self, step: Given | RuleStep) -> Fact:
        return self.closure.facts[step.fact if isinstance(step, Given) else step.conclusion]

    def _note(self, step: Given | RuleStep) -> object:
        if isinstance(step, Given) or step.edge < self._edges.rules_end:
            return None
        return self._edges.by_bytes.notes[step.edge - self._edges.rules_end]

    def _stack(self, call: Call) -> Iterable[CodeType]:
        return self.door.log.stacks.get(call, ())


def _author(stack: Iterable[CodeType]) -> CodeType | None:
    """Return the innermost running function that is a scheme's; else the library's that called the door."""
    nearest = None
    for code in stack:
        path = Path(code.co_filename)
        if path.is_relative_to(LAB):
            break
        if _is_schemes(code):
            return code
        if nearest is None and path.parent not in (LIBRARY, LIBRARY / "primitives"):
            nearest = code
    return nearest


def _is_schemes(code: CodeType) -> bool:
    path = Path(code.co_filename)
    return not path.is_relative_to(LIBRARY) or path.is_relative_to(LIBRARY / "schemes")


def _signature(function: Callable[..., Any]) -> tuple[set[type[Fact]], set[type[Fact]]]:
    """Return the types of facts that a function takes, and those that it gives."""
    hints = typing.get_type_hints(function)
    gives = set(facts_of(hints.pop("return", None)))
    return {fact for hint in hints.values() for fact in facts_of(hint)}, gives


def _place(code: CodeType) -> str:
    """Return a function's name, file and line."""
    return f"{code.co_qualname} ({Path(code.co_filename).name}, line {code.co_firstlineno})"

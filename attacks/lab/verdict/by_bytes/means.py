"""By what a coalition opens a text round the rules: fields that hold bytes, functions that compute with them.

Named are fields of the coalition's states in which bytes lie, with the fact whose bytes they are; functions that called
the door outside every rule; and functions marked `@honest_only` that give what the bytes give.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import islice
from types import CodeType
from typing import Any

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.labelling.labels import BYTES
from attacks.lab.adversary.proof import Given, Proof, Prover, RuleStep
from attacks.lab.adversary.view import words_of
from attacks.lab.crosscheck.byte_findings import ByteFault
from attacks.lab.crosscheck.byte_graph import FIELD, ByteString, Stretch
from attacks.lab.crosscheck.consequences import STREAM
from attacks.lab.crosscheck.fact_bytes import fields_of
from attacks.lab.crosscheck.made_of import RECODE
from attacks.lab.crosscheck.places import author, few, is_schemes, line_of, place_of
from attacks.lab.crosscheck.strings.notations import RECODED, TOGETHER, readings
from attacks.lab.crosscheck.strings.overlaps import GRAM
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.verdict.analysis import Analysis
from escrow import codec
from escrow.codec import Fact
from escrow.derivation import facts_of
from escrow.errors import Malformed
from escrow.run import Call
from escrow.testing.world import mails_in

MOST = 6  # names of one kind that a finding lists


class Means:
    """Names what texts are opened by, in one analysis that has byte edges; `door` is the record that they are of."""

    def __init__(self, analysis: Analysis, door: TwoPlays) -> None:
        self.analysis, self.door, self.closure = analysis, door, analysis.closure
        self._edges, self._texts = self.closure.edges, analysis.graph.texts if analysis.graph else {}
        self._taken, self._prover = tuple[Seizure, ...](), Prover(analysis.labels, (), BYTES)

    def of(self, taken: Sequence[Seizure], texts: Iterable[int]) -> tuple[str, ...]:
        """Return what a coalition opens the first of these texts by, in words that fit each of several holders."""
        proof = self._proof(taken, min(texts))
        named = (self._fields(proof), self._functions(proof), self._honest_only(proof, taken))
        return tuple(name for names in named for name in list(dict.fromkeys(names))[:MOST])

    def by_fault(
        self, taken: Sequence[Seizure], texts: Iterable[int], faults: Sequence[ByteFault]
    ) -> dict[ByteFault | None, set[int]]:
        """Return which of these texts a coalition opens by which fault; by None, what is none of them."""
        found: dict[ByteFault | None, set[int]] = {}
        for text in texts:
            fault = None
            if faults:
                proof = self._proof(taken, text)
                calls = [(each, call) for each in proof if isinstance(call := self._note(each), Call)]
                inputs = {value for _, call in calls for value in call.inputs}
                made = [self._fact(each) for each in proof if self._name(each) == FIELD]
                inputs.update(value for fact in made for _, value, _ in fields_of(fact))
                streams = {call.inputs[0] for each, call in calls if self._name(each) == STREAM}
                fault = next((each for each in faults if each.explains(inputs, streams)), None)
            found.setdefault(fault, set()).add(text)
        return found

    def _proof(self, taken: Sequence[Seizure], text: int) -> Proof:
        numbers = [number for number, each in self._texts.items() if each == text]
        if tuple(taken) != self._taken:  # one coalition is asked of all its texts, then the next
            self._taken, self._prover = tuple(taken), Prover(self.analysis.labels, taken, BYTES)
        return self._prover.prove(numbers)

    # --- fields ---

    def _fields(self, proof: Proof) -> Iterator[str]:
        """Yield the fields in which the coalition has bytes, and where they are declared."""
        found: dict[str, dict[str, None]] = {}
        for step in proof:
            fact = self._fact(step)
            if isinstance(step, Given) and isinstance(fact, ByteString | Stretch) and step.evening is not None:
                value = fact.value if isinstance(fact, ByteString) else fact.around
                party = self.analysis.record.party(step.holder or "", step.evening)
                inside = next((name for name, held, _ in fields_of(party) if value in held), ".state").partition(".")[2]
                alias = self._aliases.get(fact.value if isinstance(fact, ByteString) else fact.of, "")
                said = ", ".join(filter(None, (alias, line_of(type(party), inside.partition(".")[0]))))
                found.setdefault(f"{inside} ({said})" if said else inside, {})[step.holder or ""] = None
        yield from (f"{few(holders)}'s {field}" for field, holders in found.items())

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
            if self._name(step) == RECODE and isinstance(fact := self._fact(step), ByteString):
                how = str(self._note(step))
                yield from (f"{sent}, {how}" for sent in self._sent((RECODED | TOGETHER)[how](fact.value)))
            if self._name(step) == FIELD:
                for _, value, public in fields_of(self._fact(step)):
                    if not public and self._public(value) and not self.door.constant(value):
                        yield from self._sent(value)
            if isinstance(call := self._note(step), Call):
                if call.operation == "seal" and self.door.constant(call.inputs[0]):
                    yield f"a key that is the same in every run{self._made(call.inputs[0])}"
                elif call.operation == "seal" and self._public(call.inputs[0]):
                    yield from self._sent(call.inputs[0])
                    continue
                stack = self._stack(call)
                if not any(code in self._typed for code in stack) and (code := author(stack)):
                    found.append(code)
        yield from map(place_of, [code for code in found if is_schemes(code)] or found)

    def _public(self, value: bytes) -> bool:
        """Return whether a key lies in packets, and everybody has it for that."""
        return self.analysis.graph is not None and self.analysis.graph.known.everybodys(value)

    def _sent(self, value: bytes) -> Iterator[str]:
        """Yield the field of what goes beside a text, or else the packet, in which the beginning of bytes lies."""
        fields = frozenset(kind for kind in words_of(self.analysis.scheme).types if issubclass(kind, Fact))
        for heard in self.analysis.record.heard:
            if _lies(value, heard.data):
                for mail in mails_in(heard):
                    with suppress(Malformed):
                        field: Fact = codec.decode_any(mail.field, fields)
                        for name, held, _ in fields_of(field):
                            if _lies(value, held):
                                yield f"{name} ({line_of(type(field), name.partition('.')[2])}), which is sent"
                                return
                yield f"a packet from {heard.src} to {heard.dst}, in which the key lies"
                return

    def _made(self, value: bytes) -> str:
        """Return by which of the scheme's functions bytes were computed, in words, the last step first."""
        found, values = dict[str, None](), [value]
        for value in islice(values, MOST):  # which grows: what went into a call comes next
            for call in self.door.log.stacks:
                made = any(value in each for each in call.outputs)
                if made and (code := author(self._stack(call))) and is_schemes(code):
                    found[place_of(code)] = None
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
                yield f"{place_of(function.__code__)} is marked @honest_only, and decides"

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
        return [each for each in marked if is_schemes(each.__code__)]

    # --- steps ---

    def _fact(self, step: Given | RuleStep) -> Fact:
        return self.closure.facts[step.fact if isinstance(step, Given) else step.conclusion]

    def _name(self, step: Given | RuleStep) -> str:
        if isinstance(step, Given) or step.edge < self._edges.rules_end:
            return ""
        return self._edges.by_bytes.names[step.edge - self._edges.rules_end]

    def _note(self, step: Given | RuleStep) -> object:
        if isinstance(step, Given) or step.edge < self._edges.rules_end:
            return None
        return self._edges.by_bytes.notes[step.edge - self._edges.rules_end]

    def _stack(self, call: Call) -> Iterable[CodeType]:
        return self.door.log.stacks.get(call, ())


def _lies(value: bytes, inside: bytes) -> bool:
    return any(value[:GRAM] in reading for reading in readings(inside))


def _signature(function: Callable[..., Any]) -> tuple[set[type[Fact]], set[type[Fact]]]:
    """Return the types of facts that a function takes, and those that it gives."""
    hints = typing.get_type_hints(function)
    gives = set(facts_of(hints.pop("return", None)))
    return {fact for hint in hints.values() for fact in facts_of(hint)}, gives

"""Compares what the three adversaries let a coalition read without any official's help ("mathematics").

  puppets ⊆ closure    or a derivation is missing          bytes ⊆ closure     or a secret goes round types and rules
  closure ∖ puppets    empty for what one device taken once receives, and for officials, if one of them answers nothing
                       although its promises are off: a promise was written as mathematics. The rest is closure only:
                       puppets do not play a seized sender's receivers, nor pool what several seizures hold, nor
                       pick up keys that lie about (the same bytes have to lie there), nor try on another's mail what
                       a device put beside its own (there the same bytes have to stand in both), nor use what officials
                       hold and no code of theirs uses (this is noted)

Compared are: no coalition; every principal on every evening; every minimal coalition of several, on its first evenings;
and every largest coalition of officials that opens nothing, taken on every evening.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Protocol

import msgspec

from attacks.lab.adversary.coalitions import AccessStructure, Coalition, Seizure
from attacks.lab.adversary.labelling.labels import BYTES, MATHEMATICS
from attacks.lab.adversary.timing.evenings import first_day
from attacks.lab.adversary.view import words_of
from attacks.lab.crosscheck.byte_graph import ByteGraph
from attacks.lab.crosscheck.puppets import Puppets
from attacks.lab.simulation.record import Record
from escrow import codec
from escrow.errors import Malformed
from escrow.scheme import SET_UP, AccessField, Scheme
from escrow.testing.world import mails_in

OWN_CHAIN = "a seized sender's own chain"
EVENINGS = "several evenings of one device"
HALVES = "halves of a key from several parties"
IN_THE_OPEN = "a key in the open, whose bytes lie there"
BORROWED = "another's text, beside which go bytes that the seized device put beside its own"
UNUSED = "what officials hold, and no code of theirs or of the recipe uses"
BY_BYTES = "bytes open what no rule does"
KINDS = (OWN_CHAIN, EVENINGS, HALVES, IN_THE_OPEN, BORROWED, UNUSED)
FINGERPRINT = 16  # bytes; fewer may be alike by chance

Taken = tuple[tuple[str, int], ...]


class Agreement(msgspec.Struct, frozen=True):
    """The coalitions compared, the failures in sentences, and how many texts only the closure opens, by kind.

    `notes` are sentences about officials that hold what no code of theirs uses.
    """

    checked: tuple[str, ...]
    failures: tuple[str, ...]
    closure_only: dict[str, int]
    notes: tuple[str, ...] = ()

    @property
    def of_puppets(self) -> tuple[str, ...]:
        """The failures but for what bytes open."""
        return tuple(each for each in self.failures if f": {BY_BYTES}: " not in each)


class Derived(Protocol):
    """The part of `verdict.analysis` that is read here: what the closure derives from one play, and for whom."""

    scheme: Scheme
    record: Record
    graph: ByteGraph | None

    @property
    def texts(self) -> Mapping[int, int]:
        """The fact of the closure that shows each text, by the text's number."""

    def masks(self, text: int) -> tuple[int, ...]:
        """Return the minimal coalitions, as bit masks, that open a text."""

    def structure(self) -> AccessStructure:
        """Return the access structure of the play."""

    def opened_by(self, seizures: Iterable[Seizure], name: str = MATHEMATICS) -> frozenset[int]:
        """Return the texts that these seizures open in a pass."""


def agree(analysis: Derived, others: Iterable[Taken] = ()) -> Agreement:
    """Compare the three adversaries on one play, for `others` too: seizures, each a name and an evening.

    Raise TypeError if the analysis has no graph over its bytes.
    """
    if analysis.graph is None:
        raise TypeError("an analysis without the record of the door has no third adversary")
    return _Comparison(analysis, analysis.graph).run(others)


class _Comparison:
    def __init__(self, analysis: Derived, graph: ByteGraph) -> None:
        self.analysis, self.record = analysis, analysis.record
        self.structure = analysis.structure()
        self.puppets, self.graph = Puppets(analysis.scheme, analysis.record), graph
        self.author = {sent.id: sent.device for sent in self.record.sent}
        self.checked: dict[str, None] = {}
        self.failures: list[str] = []
        self.notes: list[str] = []
        self._told: list[tuple[set[str], str, frozenset[int]]] = []
        self.only: dict[str, set[int]] = {kind: set() for kind in KINDS}

    def run(self, others: Iterable[Taken]) -> Agreement:
        alone: list[Taken] = [((name, evening),) for name in self.record.states for evening in self._evenings_of(name)]
        for taken in [(), *alone, *others]:
            self._miss(taken, self._compare(taken))
            self._search(taken)
        minimal = self._minimal()
        for coalition, texts in minimal.items():
            taken = tuple((each.principal, first_day(each.evenings)) for each in coalition.members)
            if len(taken) > 1:
                self._miss(taken, self._compare(taken) & texts)
        for officials in self._opening_nothing(minimal):
            taken = tuple((name, evening) for name in sorted(officials) for evening in self._evenings_of(name))
            self._miss(taken, self._compare(taken))
        counts = {kind: len(texts) for kind, texts in self.only.items()}
        return Agreement(tuple(self.checked), tuple(self.failures), counts, tuple(self.notes))

    # --- who is compared ---

    def _evenings_of(self, name: str) -> range:
        """Return the evenings on which a principal has a state: officials at set-up too."""
        return range(SET_UP if name in self.record.set_up else 0, self.record.scenario.days)

    def _minimal(self) -> dict[Coalition, set[int]]:
        """Return every minimal coalition with the texts for which it is minimal; of a wide threshold, one example."""
        masks: dict[int, set[int]] = defaultdict(set)
        for text in self.analysis.texts:
            for mask in self.analysis.masks(text):
                masks[mask].add(text)
        texts: dict[Coalition, set[int]] = defaultdict(set)
        for mask, opened in masks.items():
            texts[self.structure.example(mask)] |= opened
        return texts

    def _opening_nothing(self, minimal: Iterable[Coalition]) -> Iterator[frozenset[str]]:
        """Yield the largest sets of officials that open nothing.

        All but a smallest set that meets every minimal one.
        """
        officials = frozenset(self.record.cast.officials)
        opening = {frozenset(each.principal for each in coalition.members) for coalition in minimal}
        meeting = {frozenset[str]()}
        for one in sorted((each for each in opening if each <= officials), key=sorted):
            grown = {each if each & one else each | {name} for each in meeting for name in one}
            meeting = {each for each in grown if not any(other < each for other in grown)}
        return (officials - each for each in sorted(meeting, key=sorted))

    # --- what is compared ---

    def _compare(self, taken: Taken) -> frozenset[int]:
        """Return what only the closure opens. What only the puppets open is a failure."""
        self.checked[self._spell(taken)] = None
        closure, puppets = self._closure(taken), self.puppets.opened(taken)
        if extra := puppets - closure:
            self._fail(taken, "puppets opened what the closure did not, so a derivation is missing", extra)
        return closure - puppets

    def _search(self, taken: Taken) -> None:
        """Compare with the bytes; where parties are corrupt, only with what lies open: they compute what they like."""
        found = self.graph.lying(taken) if self.record.corrupted else self._closure(taken, BYTES)
        if extra := found - self._closure(taken):
            self._fail(taken, BY_BYTES, extra)

    def _miss(self, taken: Taken, texts: frozenset[int]) -> None:
        """Sort what puppets missed: some kinds are known to be beyond them, and any other is a failure."""
        names, devices = {name for name, _ in taken}, set(self.record.cast.devices)
        if len(taken) > 1 and names & devices:
            self.only[HALVES if len(names) > 1 else EVENINGS] |= texts
            return
        own = {text for text in texts if self.author[text] in names & devices}
        self.only[OWN_CHAIN] |= own
        literal = (texts - own) & self.graph.lying(taken)
        self.only[IN_THE_OPEN] |= literal
        borrowed = {text for text in texts - own - literal if any(self._borrowed(text, name) for name in names)}
        self.only[BORROWED] |= borrowed
        missed = texts - own - literal - borrowed
        if missed and not names & devices and not self.puppets.mute(taken):
            self.only[UNUSED] |= missed
            self._say(self.notes, taken, "rules open, by what is held there and no party's own code uses", missed)
        elif missed:
            self._fail(taken, "the closure opened what the puppets did not, although their own code should", missed)

    def _borrowed(self, text: int, device: str) -> bool:
        """Return whether the text's corrupted author put beside it bytes that are otherwise only the device's."""
        author = self.author[text]
        if author not in {turn.principal for turn in self.record.corrupted}:
            return False
        senders: dict[bytes, set[str]] = defaultdict(set)
        for number, strings in self._beside.items():
            for each in strings:
                senders[each].add(self.author[number])
        return any(senders[each] == {author, device} for each in self._beside[text])

    @cached_property
    def _beside(self) -> dict[int, set[bytes]]:
        """The long byte strings of the access fields that each text's author sent beside it, without chains."""
        kinds = frozenset(kind for kind in words_of(self.analysis.scheme).types if issubclass(kind, AccessField))
        found: dict[int, set[bytes]] = {text: set() for text in self.author}
        for packet, text in zip(self.record.heard, self.record.spoken, strict=True):
            if packet.src == self.author.get(text):
                for mail in mails_in(packet):
                    found[text].update(_strings(mail.field, kinds))
        return found

    def _closure(self, taken: Taken, name: str = MATHEMATICS) -> frozenset[int]:
        return self.analysis.opened_by([Seizure(principal, (evening,)) for principal, evening in taken], name)

    def _fail(self, taken: Taken, what: str, texts: frozenset[int] | set[int]) -> None:
        self._say(self.failures, taken, what, texts)

    def _say(self, to: list[str], taken: Taken, what: str, texts: frozenset[int] | set[int]) -> None:
        """Add a line about texts, without those already reported for a subset of these principals."""
        names = {name for name, _ in taken}
        told = (each for before, said, each in self._told if said == what and before <= names)
        if fresh := frozenset(texts).difference(*told):
            self._told.append((names, what, fresh))
            to.append(f"{self._spell(taken)}: {what}: texts {', '.join(map(str, sorted(fresh)))}")

    def _spell(self, taken: Taken) -> str:
        """Return the seizures as they can be typed: a name alone means every evening."""
        evenings: dict[str, set[int]] = defaultdict(set)
        for name, evening in taken:
            evenings[name].add(evening)
        always = {name for name, on in evenings.items() if len(on) == len(self._evenings_of(name))}
        some = [Seizure(name, (evening,)) for name, evening in taken if name not in always]
        return str(Coalition((*map(Seizure, sorted(always)), *some)))


def _strings(encoded: bytes, kinds: frozenset[type]) -> Iterator[bytes]:
    """Yield the byte strings in an access field that are long enough to tell it from others."""
    try:
        field: AccessField = codec.decode_any(encoded, kinds)
    except Malformed:
        return
    values = (getattr(field, name) for name in field.__struct_fields__ if name != "chain")
    yield from (value for value in values if isinstance(value, bytes) and len(value) >= FINGERPRINT)

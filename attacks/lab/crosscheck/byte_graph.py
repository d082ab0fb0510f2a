"""The door's record as a graph over byte strings, joined to a closure: what an adversary without types reads.

Nodes are the inputs and results of every call of the door, the bytes inside facts, and the texts. Byte edges stand
beside those of the closure's rules:

  (calls)   what a call of the door gives, as `consequences` says
  part      a string -> what lies in it; a state or packet likewise
  compose   stretches that are known by themselves -> the string that they make up, but for bytes equal in two runs
  recoded   a string as it may be written -> the string: reversed, complemented, turned, several at once (`notations`);
            a string -> what is made of it in another notation (`notations`), or of its bytes in their order
  field     a fact -> its bytes; all its secret bytes -> the fact

Bytes that are equal in two runs of different secrets are everybody's. No edge leads to what was drawn: the run's secret
is nobody's. Strings below 8 bytes are never searched: a fact that is held may give them, or a call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, reduce
from itertools import chain, pairwise
from operator import and_, or_

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.timing.evenings import bit
from attacks.lab.adversary.work import bits_of, blind_guess_of
from attacks.lab.crosscheck.consequences import MIX, Halves, consequences, streams
from attacks.lab.crosscheck.fact_bytes import fields_of
from attacks.lab.crosscheck.known import KnownBytes, ShortParts
from attacks.lab.crosscheck.made_of import PART, RECODE, Rest, Source, filled, mixtures, together
from attacks.lab.crosscheck.strings import overlaps
from attacks.lab.crosscheck.strings.notations import RECODED, moved, readings, written_in
from attacks.lab.crosscheck.strings.overlaps import LONGEST, TRIED, strings_in
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.simulation.record import Record
from escrow.codec import DIGEST, Fact
from escrow.scheme import SET_UP

COMPOSE, FIELD = "compose", "field"


class ByteString(Fact, frozen=True):
    """Bytes that a call of the door took or gave, or of which a fact or text consists."""

    value: bytes


class Stretch(Fact, frozen=True):
    """Part of a string: bytes that are known from elsewhere, and that no call took by themselves."""

    of: bytes
    part: int
    around: bytes


class ByteGraph:
    """The byte edges of one play's closure, which building it adds; `texts` are the numbers of the texts as bytes.

    `facts` are those that the rules gave, without byte strings.

    Args:
        closure: It has run, and asked all officials.
        record: The play.
        door: Every call of the door in that play, and how it compares with another run.
        written: Strings that stand in the scheme's code, which everybody has.
    """

    def __init__(self, closure: Closure, record: Record, door: TwoPlays, written: Iterable[bytes] = ()) -> None:
        self.closure, self.door, self.known = closure, door, KnownBytes(door, record)
        self._edges = closure.edges.by_bytes
        self.facts = list(closure.facts)
        self._sources: set[bytes] = set()
        self._calls()
        self._fields()
        self._bodies = {sent.body: sent.id for sent in record.sent}
        self.texts = {self._node(body): text for body, text in self._bodies.items()}
        for body in self._bodies:
            if not self.known.target(body):
                self.closure.learn(ByteString(body), "network")
        kept = _kept(record)
        self._secret(kept)  # which looks for those that not everybody has
        self._written = _written_in(kept)
        self._partly: list[tuple[int, int, Source]] = []  # target, its places as bits, and what has them recoded
        self._recoded = _recode(self)
        self._rests: dict[bytes, Rest] = {}
        self._overlap(record)
        strings = kept | self._written.keys()
        written = set(written)
        for name, of, key, how in chain(
            mixtures(self.known, strings, written), together(self.known, self._bodies, strings)
        ):
            self._edges.add(name, self._seen(of), self._node(key), how)
        self._fill(strings, written)
        self._guess(record)

    def holders(self, fact: Fact) -> dict[str, int]:
        """Return in whose states all secret bytes of a fact lie, each with the evenings as bits."""
        secrets = [value for _, value, public in fields_of(fact) if not public and not self.known.everybodys(value)]
        held = [dict(self.closure.held.get(self.closure.ids.get(ByteString(each), -1), ())) for each in secrets]
        names = set(held[0]).intersection(*held[1:]) if held else set()
        return {name: reduce(and_, (each[name] for each in held)) for name in names if not bits_of(name)}

    def lying(self, taken: Iterable[tuple[str, int]]) -> frozenset[int]:
        """Return the texts that lie open in packets and in these states, or are sealed under a key that lies there."""
        taken = list(taken)
        return frozenset(text for value, texts in self._opens.items() if self._lies(value, taken) for text in texts)

    @cached_property
    def _opens(self) -> dict[bytes, set[int]]:
        """The texts in each string, and in what was sealed under it and heard."""
        found = {body: {text} for body, text in self._bodies.items()}
        for each in self.door.log.calls:
            heard = each.operation == "seal" and each.outputs and self.known.everybodys(each.outputs[0])
            if heard and (inside := {text for body, text in self._bodies.items() if body in each.inputs[3]}):
                found.setdefault(each.inputs[0], set()).update(inside)
        return found

    def _lies(self, value: bytes, taken: Iterable[tuple[str, int]]) -> bool:
        held = dict(self.closure.held.get(self.closure.ids.get(ByteString(value), -1), ()))
        return self.known.everybodys(value) or any(held.get(name, 0) & bit(evening) for name, evening in taken)

    # --- nodes ---

    def _node(self, value: bytes) -> int:
        return self.closure.intern(ByteString(value))

    def _secret(self, values: Iterable[bytes]) -> list[int]:
        """Return the nodes of those strings that not everybody has, or not without trying them."""
        values = [*values]
        return [
            self._node(value) for value in values if not self.known.everybodys(value) or value in self.known.guesses
        ]

    def _seen(self, values: Iterable[bytes]) -> list[int]:
        """Return the nodes of those strings that not everybody has; of one written in another, the other's."""
        return self._secret(self._written.get(value, value) for value in values)

    # --- calls ---

    def _calls(self) -> None:
        """Add the edges of each call, once where it was made twice."""
        calls = dict.fromkeys(each._replace(party="") for each in self.door.log.calls)
        strings = {each for call in calls for each in (*call.inputs, *call.outputs)}
        halves = Halves(calls, strings.union(value for fact in self.facts for _, value, _ in fields_of(fact)))
        found = ((one, each) for each in calls for one in (*consequences(each), *halves.mirrored(each)))
        for (name, premises, conclusion), each in chain(found, streams(calls)):
            self._sources.add(conclusion)
            self._edges.add(name, self._secret(premises), self._node(conclusion), each)

    # --- facts ---

    def _fields(self) -> None:
        for number, fact in enumerate(self.facts):
            secrets = []
            for name, value, public in fields_of(fact):
                if public and self.known.everybodys(value):
                    continue
                self._sources.add(value)
                self._edges.add(FIELD, [number], self._node(value), name)
                if not public:
                    secrets.append(value)
            if any(len(each) >= overlaps.GRAM for each in secrets):
                self._edges.add(FIELD, self._secret(secrets), number, type(fact).__name__)

    # --- what lies where ---

    def _overlap(self, record: Record) -> None:
        """Add the edges of parts and compositions, and say of which state a string is part."""
        targets = self.known.targets
        open_ = [sum((1 << end) - (1 << first) for first, end in spans) for spans in targets.open]
        found: list[dict[int, list[Source]]] = [defaultdict(list) for _ in targets.strings]
        short = ShortParts(self.door, self._sources)
        lying_in = cache(lambda reading: (*targets.matches(reading),))  # states of several evenings say the same

        def note(lying: Iterable[tuple[int, int, int]], source: Source) -> None:
            for number, covered in _covered(lying).items():
                if covered := covered & open_[number]:
                    found[number][covered].append(source)

        for name, evening, state in _states(record):
            note(chain.from_iterable(map(lying_in, readings(state))), (name, evening))
        for value, (first, end, said) in self.known.written:
            if (number := self.known.numbers.get(value)) is not None:
                note([(number, first, end)], self._node(said))
        for value in self._sources:
            own = self.known.numbers.get(value)
            note((each for each in targets.matches(value) if each[0] != own), self._node(value))
        for number, lying in _recoded_parts(self, found):
            for places, those in lying.items():
                if covered := places & open_[number]:
                    found[number][covered] += those
        for number, sources in enumerate(found):
            left = open_[number] & ~reduce(or_, sources, 0)
            if sources and TRIED < left.bit_count() <= 2 * overlaps.GRAM:
                for source, at in short.lying_in(targets.strings[number], left):
                    note([(number, at, at + overlaps.SHORT)], self._node(source))
            if number not in self._recoded:
                self._explain(targets.strings[number], open_[number], sources)
            elif sources:
                (value, how), written = self._recoded[number], targets.strings[number]
                self._explain(written, open_[number], sources)
                self._edges.add(RECODE, [self._node(written)], self._node(value), how)

    def _explain(self, value: bytes, open_: int, found: dict[int, list[Source]]) -> None:
        """Say from what a string follows: from one source that has all of it, or from several that have parts."""
        parts: dict[int, list[Source]] = {}
        for covered, sources in found.items():
            if (open_ & ~covered).bit_count() <= TRIED:
                self._follows(self._node(value), sources)
            else:
                parts[covered] = sources
        pieces = _pieces(open_, parts)
        if len(left := pieces.pop((), [])) > TRIED:
            self._rests[value] = Rest(left, pieces, parts, whole=len(parts) < len(found))
        elif parts:
            self._compose(value, pieces, parts)

    def _compose(
        self,
        value: bytes,
        pieces: dict[tuple[int, ...], list[int]],
        parts: dict[int, list[Source]],
        made: Iterable[int] = (),
    ) -> None:
        """Say that a string follows from its pieces, and from other stretches that were made."""
        stretches = [*made]
        for piece, (covers, places) in enumerate(pieces.items()):
            stretches.append(self.closure.intern(Stretch(value, piece, value[places[0] : places[-1] + 1])))
            self._follows(stretches[-1], [source for covered in covers for source in parts[covered]])
        self._edges.add(COMPOSE, stretches, self._node(value), len(value))

    def _fill(self, strings: Collection[bytes], written: Collection[bytes]) -> None:
        """Add the edges of strings whose rests parties compute round the door of these strings."""
        for value, stretches in filled(self._rests, self.door.log.calls, self._sources, strings, written):
            made = []
            for (first, end), ways in stretches.items():
                made.append(self.closure.intern(Stretch(value, -end, value[first:end])))
                for of, how in ways:
                    self._edges.add(MIX, self._seen(of), made[-1], how)
            self._compose(value, self._rests[value].pieces, self._rests[value].parts, made)

    def _guess(self, record: Record) -> None:
        """Say who has strings that others would have to try: whoever keeps one, and for its work everybody."""
        for value, bits in self.known.guesses.items():
            number = self.closure.learn(ByteString(value), blind_guess_of(bits, self._node(value)))
            if len(value) >= overlaps.SHORT and value not in self.known.numbers:
                holding = ((name, evening) for name, evening, state in _states(record) if value in state)
                self._follows(number, holding)

    def _follows(self, node: int, sources: Iterable[Source]) -> None:
        for source in sources:
            if isinstance(source, tuple):
                self.closure.learn(self.closure.facts[node], *source)
            elif source != node:
                self._edges.add(PART, [source], node)


def _recoded_parts(
    graph: ByteGraph, found: Sequence[Mapping[int, list[Source]]]
) -> Iterator[tuple[int, dict[int, list[Source]]]]:
    """Yield which places of a string lie recoded somewhere, where not all of it does, with what they lie in."""
    for written, (value, how) in graph._recoded.items():
        size, number = len(value), graph.known.numbers[value]
        if found[written] and max(each.bit_count() for each in found[written]) < size - TRIED:
            yield number, {moved(places, how, size): list(of) for places, of in found[written].items()}
    for number, places, source in graph._partly:
        yield number, {places: [source]}


def _recode(graph: ByteGraph) -> dict[int, tuple[bytes, str]]:
    """Look for keys, other short inputs of calls, and texts as they may be written, too.

    Return the numbers of these targets, with the string that each is and how it is written.
    """
    taken = {value for each in graph.door.log.calls for value in each.inputs if len(value) <= LONGEST}
    found = {}
    for value in [
        each for each in (*taken, *graph._bodies) if each in graph.known.numbers and len(each) >= overlaps.GRAM
    ]:
        whole = graph.known.targets.open[graph.known.numbers[value]] == [(0, len(value))]
        for how, change in RECODED.items() if whole else ():
            written = change(value)
            if written == value:
                continue
            if written in graph.known.numbers:
                graph._edges.add(RECODE, [graph._node(written)], graph._node(value), how)
            elif sum(marks := graph.known.not_in_packets(written)) <= TRIED:
                graph._edges.add(RECODE, [], graph._node(value), how)
            else:
                number = graph.known.targets.add(written, [(0, len(written))], overlaps.GRAM)
                found[number] = value, how
                if not all(marks):
                    open_ = sum(1 << at for at, mark in enumerate(marks) if not mark)
                    sent = graph.closure.intern(Stretch(written, -1, b""))
                    graph._edges.add(RECODE, [], sent, how)
                    graph._partly.append((graph.known.numbers[value], moved(open_, how, len(value)), sent))
    return found


def _written_in(strings: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return what is written in these strings in another notation, each with the string that it stands in."""
    short = (each for each in strings if len(each) <= 4 * LONGEST)
    return {said: each for each in short for _, _, said in written_in(each) if overlaps.GRAM <= len(said) <= LONGEST}


def _covered(lying: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    """Return, for each target of which something lies here, the places of these bytes as bits."""
    places: dict[int, int] = defaultdict(int)
    for number, first, end in lying:
        places[number] |= (1 << end) - (1 << first)
    return places


def _pieces(open_: int, parts: Collection[int]) -> dict[tuple[int, ...], list[int]]:
    """Return the places of those bytes that lie in the same parts, by the parts."""
    pieces: dict[tuple[int, ...], list[int]] = defaultdict(list)
    ends = reduce(or_, (places ^ places << 1 for places in (open_, *parts)))  # of stretches that are alike
    for first, end in pairwise(at for at, digit in enumerate(f"{ends:b}"[::-1]) if digit == "1"):
        if open_ >> first & 1:
            pieces[tuple(covered for covered in parts if covered >> first & 1)] += range(first, end)
    return pieces


def _kept(record: Record) -> set[bytes]:
    """Return every string that is a field of a party or packet."""
    encoded = [*(packet.data for packet in record.heard), *(state[:-DIGEST] for _, _, state in _states(record))]
    return {value for data in encoded for value in strings_in(data)}


def _states(record: Record) -> Iterator[tuple[str, int, bytes]]:
    """Yield (principal, evening, state) of every state in a record."""
    for name, evenings in record.states.items():
        yield from ((name, evening, state) for evening, state in enumerate(evenings) if state)
    for name, states in record.set_up.items():
        yield from ((name, SET_UP, state) for state in states)

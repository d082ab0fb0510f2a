"""What an adversary holds: bytes, read back into facts. No reference into the play survives.

The network's archive is every packet in order; a seized principal adds what its decoded state holds. Decoding uses the
types of the modules that the scheme draws on, so a scheme from another file is read like our own. A state is read as
its principal's class; a packet as any type of its name, since schemes and attacks may call different things the same.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import NamedTuple, TypeVar

from attacks.lab.adversary.work import LIMIT
from escrow import codec, crypto
from escrow.codec import Fact, Packet, walk
from escrow.e2ee.provider import Delivery, Mail
from escrow.e2ee.transcript import Transcript
from escrow.principal import Principal, revive
from escrow.scheme import SET_UP, Scheme
from escrow.vocabulary import Vocabulary, collected
from escrow.wire import Heard

T = TypeVar("T", bound=Fact | Packet)


class View(NamedTuple):
    """All that an adversary is given: bytes, names and evenings; nothing of what was sent, shown or drawn.

    `states[name][evening]` is a principal's state, empty where it is not taken, and `kinds` the classes they are of;
    `set_up` and `set_up_kinds` are the same for set-up, when a party may have several states one after another;
    `warrants` are those that the court issued, encoded; `days` is the length of the play. Guesses of up to 2^`work`
    trials count; `guessable` are encoded facts that trials would find, from states that are not taken.
    """

    days: int
    heard: tuple[Heard, ...]
    states: Mapping[str, tuple[bytes, ...]]
    kinds: Mapping[str, tuple[type[Principal], ...]]
    warrants: tuple[bytes, ...]
    work: float = LIMIT
    guessable: tuple[bytes, ...] = ()
    set_up: Mapping[str, tuple[bytes, ...]] = {}
    set_up_kinds: Mapping[str, type[Principal]] = {}


class HeldFact(NamedTuple):
    """A fact and why it is known: "network", or the principal whose state held it on an evening."""

    fact: Fact
    holder: str
    evening: int | None


def module_of(thing: object) -> ModuleType:
    """Return the module that defines a scheme's or an attack's class; a module is returned as it is."""
    if isinstance(thing, ModuleType):
        return thing
    name = type(thing).__module__
    return sys.modules.get(name) or importlib.import_module(name)


def _words(module: ModuleType) -> Vocabulary:
    return collected(module, (Fact, Packet, Principal))


def words_of(scheme: object) -> Vocabulary:
    """Return the rules, services and types of the modules that a scheme (or its module) draws on."""
    return _words(module_of(scheme))


@cache
def _readable(*modules: ModuleType) -> tuple[frozenset[type[Packet]], frozenset[type[Fact]]]:
    """Return the types of packets and of facts that these modules draw on; the same sets for the same modules."""
    types = frozenset[type]().union(*(_words(module).types for module in modules))
    return (
        frozenset(kind for kind in types if issubclass(kind, Packet) and kind is not Packet),
        frozenset(kind for kind in types if issubclass(kind, Fact) and kind is not Fact),
    )


class Reader:
    """Reads packets and states with the types of one scheme, and whatever types an attack's parties add.

    Plays of one run have most of their packets in common, and equal ones are read once: `crypto.recalled`.
    """

    def __init__(self, scheme: object, *others: object) -> None:
        self._packets, self._facts = _readable(*map(module_of, (scheme, *others)))
        self._committing = isinstance(scheme, Scheme) and scheme.committing

    def network(self, heard: tuple[Heard, ...]) -> Iterator[Fact]:
        """Yield the facts of every packet, in order, and what their order tells. Unreadable packets give none."""
        for _, facts in self.by_packet(heard):
            yield from facts

    def by_packet(self, heard: tuple[Heard, ...]) -> Iterator[tuple[int, Iterator[Fact]]]:
        """Yield the number of every packet that was not read before, and its facts: to be taken before the next one."""
        transcript = Transcript(self._committing)
        read: set[bytes] = set()  # what is told to all is one packet for each of them, all of the same bytes
        for number, packet in enumerate(heard):
            if packet.data not in read:
                yield number, self._told(packet, transcript, read)

    def _told(self, packet: Heard, transcript: Transcript, read: set[bytes]) -> Iterator[Fact]:
        for said in _read(packet.data, self._packets):
            for mail in said.mails if isinstance(said, Delivery) else (said,) if isinstance(said, Mail) else ():
                if fresh := list(transcript.facts(mail)):
                    yield from fresh
                    yield from self._subject(mail.field)
            if not isinstance(said, Mail | Delivery):
                read.add(packet.data)
                yield from walk(said, Fact)
                yield from self._subject(getattr(said, "subject", getattr(said, "matter", b"")))

    def facts(self, encoded: Iterable[bytes]) -> Iterator[Fact]:
        """Yield the facts that these bytes encode, in every reading."""
        for data in encoded:
            yield from _read(data, self._facts)

    def _subject(self, encoded: bytes) -> tuple[Fact, ...]:
        """Return the facts of what travels encoded in a packet: an access field, or one or more request subjects."""
        if not encoded:
            return ()
        return crypto.recalled(("facts within", encoded, self._facts), _within, encoded, self._facts)

    def states(
        self, states: Mapping[str, tuple[bytes, ...]], kinds: Mapping[str, tuple[type[Principal], ...]]
    ) -> Iterator[HeldFact]:
        """Yield every fact in every state, by holder and evening; `kinds` are the classes that the states are of."""
        for name, evening, facts in self.by_state(states, kinds):
            yield from (HeldFact(fact, name, evening) for fact in facts)

    def by_state(
        self, states: Mapping[str, tuple[bytes, ...]], kinds: Mapping[str, tuple[type[Principal], ...]]
    ) -> Iterator[tuple[str, int, Iterator[Fact]]]:
        """Yield the holder, the evening and the facts of every state that is taken."""
        for name, evenings in states.items():
            for evening, state in enumerate(evenings):
                if state:  # a state is large, and seldom the same in two plays: it is read each time
                    yield name, evening, walk(revive(state, kinds[name][evening]), Fact)

    def at_set_up(
        self, states: Mapping[str, tuple[bytes, ...]], kinds: Mapping[str, type[Principal]]
    ) -> Iterator[HeldFact]:
        """Yield every fact in every state of the set-up, by holder."""
        for name, taken in states.items():
            for held in self.states({name: taken}, {name: (kinds[name],) * len(taken)}):
                yield held._replace(evening=SET_UP)


def _within(encoded: bytes, types: frozenset[type[Fact]]) -> tuple[Fact, ...]:
    found = codec.decode_each(encoded, types) or [
        fact for part in codec.elements(encoded) for fact in codec.decode_each(part, types)
    ]
    return tuple(fact for each in found for fact in walk(each, Fact))


def _read(data: bytes, types: frozenset[type[T]]) -> tuple[T, ...]:
    """Return what the bytes say: several values where types of one name fit, since a listener tries them all."""
    found: tuple[T, ...] = crypto.recalled(("value read", data, types), codec.decode_each, data, types)
    return found

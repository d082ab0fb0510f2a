"""The record of one play: everything that was sent, heard, shown and lawfully read, and every party's states.

What stands here is the truth, which no attack may see: none imports this module.
"""

from __future__ import annotations

import msgspec

from attacks.lab.simulation.attack import Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.principal import Principal, revive
from escrow.scheme import SET_UP
from escrow.warrant import Order, Warrant
from escrow.wire import Alarm, Heard, Shown

TEXT = 32  # bytes of a text: fresh and random, so that equality is proof


class Sent(msgspec.Struct, frozen=True):
    """One text as it was sent: to whom, in which conversation, and to which devices it should come."""

    id: int
    day: int
    device: str
    conversation: str
    people: tuple[str, ...]
    intended: tuple[str, ...]
    body: bytes


def in_scope(order: Order, sent: Sent) -> bool:
    """Return whether a warrant covers a text: target, content, day, and it had not expired when the text was sent."""
    return order.covers(sent.people, sent.day) and sent.day <= order.expires


class Lawful(msgspec.Struct, frozen=True):
    """A text that the lawful access yielded, on which evening and under which of the scenario's warrants.

    `conversation` is the one in which the authority's archive has it; empty if it is not kept there.
    """

    day: int
    warrant: int
    body: bytes
    conversation: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that happened in a play.

    `states[name][evening]` is of the class `kinds[name][evening]`; `set_up[name]` are an official's states at its birth
    and after the set-up, of the class `set_up_kinds[name]`; `corrupted` are the principals that misbehaved;
    `encrypted`: corrupted clients encrypted texts by themselves;
    `untested` says why the attack's behaviour tested nothing, or is empty; `stolen[name, evening]` is a state as it was
    taken, where the one in `states` has what the thief then had by means of it, too;
    `spoken[i]` is the text being sent when packet i was heard, or -1. If the attack has a quantum computer, "quantum"
    has a state on the last evening, and empty bytes before.
    """

    scheme: str
    attack: str
    scenario: Scenario
    cast: Cast
    kinds: dict[str, tuple[type[Principal], ...]]
    heard: tuple[Heard, ...]
    spoken: tuple[int, ...]
    states: dict[str, tuple[bytes, ...]]
    corrupted: tuple[Turn, ...]
    sent: tuple[Sent, ...]
    lost: frozenset[tuple[int, str]]
    shown: tuple[Shown, ...]
    lawful: tuple[Lawful, ...]
    warrants: tuple[Warrant, ...]
    alarms: tuple[Alarm, ...]
    refusals: tuple[tuple[int, str, str], ...]
    untested: str = ""
    encrypted: bool = False
    stolen: dict[tuple[str, int], tuple[bytes, type[Principal]]] = {}
    set_up: dict[str, tuple[bytes, ...]] = {}
    set_up_kinds: dict[str, type[Principal]] = {}

    def taken(self, name: str, evening: int) -> tuple[tuple[bytes, type[Principal]], ...]:
        """Return what a thief gets of a principal on an evening: states, each with its class. At set-up: all of it."""
        if evening == SET_UP:
            return tuple((state, self.set_up_kinds[name]) for state in self.set_up.get(name, ()))
        return ((self.states[name][evening], self.kinds[name][evening]),)

    def as_stolen(self, name: str, evening: int) -> Principal:
        """Return a principal as its state of that evening was, before a thief used it."""
        return revive(*self.stolen.get((name, evening), self.taken(name, evening)[-1]))

    def party(self, name: str, evening: int) -> Principal:
        """Return a principal as its state of that evening has it; of set-up, as it was in the end."""
        return revive(*self.taken(name, evening)[-1])

"""A long conversation for the closure: two devices that answer each other, message by message, and plain encryption.

Every evening both states are taken. A ratchet heals, so evenings alone would open little; hence every ratchet key ever
made is given too, to whoever takes its maker on the evening of its day: then every text opens, and the work is all
there. Packets are made from the session down, as devices make them, which takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.view import Reader
from attacks.lab.costs.counts import Conversation
from attacks.lab.simulation.attack import Attack
from attacks.lab.verdict.analysis import rules_of
from escrow import codec, crypto
from escrow.crypto import Call, Private, Run, sha256
from escrow.e2ee import ratchet
from escrow.e2ee.content import Text, direct
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Mail
from escrow.principal import Principal
from escrow.schemes.plain import SCHEME
from escrow.wire import Heard

EVENINGS = 10


class Kept(NamedTuple):
    """A ratchet key, whose it is, and the day on which it was made."""

    key: Private
    maker: str
    day: int


class LongPlay(NamedTuple):
    """What the closure is given: packets, states by evening, keys; and the number of texts in it."""

    texts: int
    heard: tuple[Heard, ...]
    states: dict[str, tuple[bytes, ...]]
    kinds: dict[str, tuple[type[Principal], ...]]
    keys: tuple[Kept, ...]


def ping_pong(texts: int) -> LongPlay:
    """A conversation of so many texts, over ten evenings; the same bytes each time."""
    made: list[Kept] = []

    def observe(call: Call) -> None:
        if call.operation == "x25519-key":
            (raw,), (public,) = call.inputs, call.outputs
            made.append(Kept(Private(public, raw), call.party, talk.wire.day if started else 0))

    started = False
    with crypto.running(Run(sha256(b"escrow-lab long play"), observe)):
        talk = Conversation(SCHEME)
        started = True
        pair = (talk.alice, talk.bob)
        states: dict[str, list[bytes]] = {device.name: [] for device in pair}
        talk.say(talk.alice, talk.bob, _text())
        for number in range(1, texts):
            _pass(talk, pair[number % 2], pair[1 - number % 2], number * EVENINGS // texts)
            if (number + 1) * EVENINGS // texts > talk.wire.day:
                for device in pair:
                    states[device.name].append(device.state())
    return LongPlay(
        texts,
        tuple(talk.wire.heard),
        {name: tuple(taken) for name, taken in states.items()},
        {device.name: (type(device),) * EVENINGS for device in pair},
        tuple(made),
    )


def _text() -> bytes:
    with crypto.acting("texts"):
        return crypto.random_bytes(32)


def _pass(talk: Conversation, sender: Device, receiver: Device, day: int) -> None:
    """One text from session to session, recorded as the network would hear it."""
    talk.wire.day = day
    body = codec.encode(Text(direct(sender.user, receiver.user), _text()))
    message, _ = ratchet.encrypt(sender.sessions[receiver.name][0].session, body)
    mail = Mail(sender.name, (receiver.name,), "", None, ratchet.pack(message), b"")
    talk.wire.heard.append(Heard(day, sender.name, "provider", codec.encode(mail)))
    with crypto.acting(receiver.name):
        ratchet.decrypt(receiver.sessions[sender.name][0].session, message)


def read(play: LongPlay, attacks: Sequence[Attack]) -> Closure:
    """A closure that has learnt the play and not run yet, with the rules of every cell of plain."""
    closure, reader = Closure(rules_of(SCHEME, attacks)), Reader(SCHEME, *attacks)
    for fact in reader.network(play.heard):
        closure.learn(fact, "network")
    for given in reader.states(play.states, play.kinds):
        closure.learn(*given)
    for kept in play.keys:
        closure.learn(*kept)
    return closure


def opened(closure: Closure) -> int:
    """How many texts it has derived."""
    return sum(isinstance(fact, Text) for fact in closure.facts)

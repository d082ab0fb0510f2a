"""Users hide a text in what their clients draw at random for access fields: the law opens all other texts, and no more.

  met      the devices of one conversation's people have a key dk, which no official has
  hold     one text of the conversation is not sent; the sender's other texts go on as ever
  send     its client makes each access field anew until HMAC(dk, field) begins with the next b bits of the text
  read     the others compute HMAC(dk, ·) of each field that the network heard from that device, whoever it was for
  law      every field is in order and opens its text; the hidden text is missed, and nobody notices

This is anamorphic encryption by rejection. Without dk the fields look like honest ones, also to a holder of all
officials' keys (`escrow-lab reproduce anamorphic` tries to tell them apart). The price is about 2^b fields made for b
bits, and many messages: a text takes 272 / b fields. So b is as small as the sender's later texts allow, and one text
is hidden. Where b would be more than 6, nobody is corrupted and the attack does not apply. Nothing is hidden where an
honest client would make the same field again: it draws nothing, or derives it from the text's own key. Whoever opens
the text could make such a field again, and see that another one was sent. Random bytes beside the fields, such as
ratchet keys, carry bits in every scheme, and in plain; they are not used here.
Source: Persiano, Phan and Yung, "Anamorphic Encryption: Private Communication Against a Dictator", EUROCRYPT 2022;
Horel, Park, Richelson and Vaikuntanathan, ITCS 2019. That readers look at other people's fields is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.codec import Fact
from escrow.crypto import hmac256, random_bytes, sha256
from escrow.e2ee.content import InGroup, direct
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Intercept, Scheme, Source
from escrow.wire import Wire

TEXT, CHECK = 32, 2  # bytes of a text, and of the check before it, by which a reader knows where it begins
STREAM = 8 * (CHECK + TEXT)  # bits that are sent
MOST = 6  # bits in a field: more would take too many tries


class CovertKey(Fact, frozen=True):
    """What the `people` of a conversation, its author first, agreed on when they met.

    dk (32 bytes); and that the first text of a day from a `device` to a peer or a `group` is hidden, `bits` a field.
    """

    value: bytes
    device: str
    people: tuple[str, ...]
    group: str
    day: int
    bits: int

    @property
    def pieces(self) -> int:
        """How many fields the text takes."""
        return -(-STREAM // self.bits)

    def covered(self, field: bytes) -> int:
        """Return the covert bits of an encoded field, as a number."""
        return int.from_bytes(hmac256(self.value, field)[:4], "big") >> 32 - self.bits

    def cut(self, text: bytes) -> list[int]:
        """Return the pieces of the text and its check; zeros fill up the last one."""
        stream = int.from_bytes(self._check(text) + text, "big") << self.pieces * self.bits - STREAM
        return [stream >> self.bits * at & (1 << self.bits) - 1 for at in reversed(range(self.pieces))]

    def joined(self, pieces: Iterable[int]) -> bytes:
        """Return the text of these pieces; nothing if its check is not before it."""
        stream = 0
        for piece in pieces:
            stream = stream << self.bits | piece
        found = (stream >> self.pieces * self.bits - STREAM).to_bytes(CHECK + TEXT, "big")
        return found[CHECK:] if found[:CHECK] == self._check(found[CHECK:]) else b""

    def _check(self, text: bytes) -> bytes:
        return hmac256(self.value, text)[:CHECK]


def agreed(scenario: Scenario) -> CovertKey | None:
    """Return what is agreed of the text after which its device makes the most fields; None if they are too few.

    A warrant that was served by then covers the text.
    """
    fields, known = max(_candidates(scenario), key=lambda each: each[0], default=(0, None))
    bits = -(-STREAM // max(1, fields))
    return msgspec.structs.replace(known, bits=bits) if known and bits <= MOST else None


def _candidates(scenario: Scenario) -> Iterator[tuple[int, CovertKey]]:
    """Yield what could be agreed of each text, without bits, and how many fields its device makes afterwards."""
    texts, chained = list(scenario.texts()), {group.name for group in scenario.groups if group.sender_keys}
    people = {said.id: scenario.people(said) for said in texts}
    fields = {at: len(scenario.devices_of(each)) - 1 for at, each in people.items()}
    fields |= {said.id: 1 for said in texts if said.group in chained}
    dk = sha256(b"what they agreed on when they met", str(scenario.seed).encode())
    begun = set[CovertKey]()
    for said in texts:
        first = sorted(people[said.id], key=scenario.owner[said.device].__ne__)
        known = CovertKey(dk, said.device, tuple(first), said.group, said.day, 0)
        served = [each for each in scenario.warrants if each.issued <= said.day]
        if known not in begun and any(each.covers(first, said.day) for each in served):
            yield sum(fields[each.id] for each in texts if each.device == said.device and each.id > said.id), known
        begun.add(known)


class CovertBits(Attack):
    """Corrupt all devices of a conversation that a warrant covers: one text of it travels in other texts' fields."""

    name = "covert-bits"
    title = "Users hide a text in the random bytes of access fields"
    source = Source("Persiano, Phan and Yung", "Anamorphic Encryption", 2022, "1", "the channel")
    in_pages = True
    specimen = "drawn_fields"

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the lawful access opens fields."""
        return "" if scheme.opens_fields else "no access field: what is drawn are the messages' own keys, as in plain"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the devices of the conversation's people from the day of the text on."""
        known = agreed(scenario)
        return [Turn(name, known.day) for name in scenario.devices_of(known.people)] if known else []

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the sender's device hold the text back, and make each later field until it carries the next bits."""
        honest: Any = type(of_kind(party, Device))

        def holds_back(self: Any, wire: Wire, to: str, text: bytes) -> bool:
            known: CovertKey = self.known[0]
            if self.tried or self.name != known.device or to != (known.group or known.people[1]):
                return False
            self.tried.append(2)
            if _draws(self, honest, FieldContext(known.people, wire.day, b"")):
                self.left = known.cut(text)
            return bool(self.left)

        def send(self: Any, wire: Wire, peer: str, text: bytes) -> None:
            if not holds_back(self, wire, peer, text):
                honest.send(self, wire, peer, text)

        def send_to_group(self: Any, wire: Wire, group: str, text: bytes) -> None:
            if not holds_back(self, wire, group, text):
                honest.send_to_group(self, wire, group, text)

        def _field(self: Any, key: MessageKey, context: FieldContext) -> bytes:
            made: bytes = honest._field(self, key, context)
            if self.left:
                self.tried.append(1)
                while self.left and self.known[0].covered(made) != self.left[0]:
                    before, made = made, honest._field(self, key, context)
                    self.tried[-1] += 1
                    if made == before:
                        self.left.clear()  # here nothing is drawn: it would go on for ever
                del self.left[:1]
            return made

        fields = {"known": list[CovertKey], "left": list[int], "tried": list[int], "found": list[bytes]}
        rogue: Any = corrupted(party, fields, send=send, send_to_group=send_to_group, _field=_field)
        rogue.known.append(agreed(scenario))
        return rogue  # type: ignore[no-any-return]  # what `corrupted` made of the device

    def each_evening(self, party: Any, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        """Look for the text in the fields that the network heard of its sender's device, and show it."""
        known: CovertKey = party.known[0]
        if party.found or party.name == known.device:
            return
        mails = [each.mail for each in intercepted if each.mail.sender == known.device and each.mail.field]
        bits = [known.covered(mail.field) for mail in mails]
        for at in range(len(bits) - known.pieces + 1):
            if text := known.joined(bits[at : at + known.pieces]):
                party.found.append(text)
                author = known.people[0]
                where = InGroup(known.group) if known.group else direct(author, known.people[1])
                party.read(wire, author, where, text)
                return

    def trials(self, party: Any) -> int:
        """Return how many fields the sender's device made to hide the text."""
        return sum(party.tried)


def _draws(device: Any, honest: Any, context: FieldContext) -> bool:
    """Return whether an honest client makes another field for the same message each time."""
    key = MessageKey(random_bytes(32), 0, random_bytes(32))
    try:
        return bool(honest._field(device, key, context) != honest._field(device, key, context))
    except EscrowError:
        return False


ATTACK = CovertBits()

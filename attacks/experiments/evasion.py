"""What a covert message costs its sender, under every scheme, by each way to slip out.

  stripping         no field is sent: the bytes and the time of a field are saved, and who looks at fields tells
  super-encryption  the text is sealed (HPKE) to the recipient's own key first, and then sent as any text (the attack
                    `pre-encryption`): bytes of a sealed text, for each device that is to read it
  covert bits       fields are made anew until HMAC(dk, field) begins with the bits: no bytes, 2^b fields on average; a
                    field in which nothing is drawn carries no bits (the message's own ephemeral keys still can)

Bytes are of packets as they are sent, and exact. Times are processor time on this machine. A field is drawn again with
all that its maker draws, under the same labels. Whether a holder of all keys can tell covert bits is what `anamorphic`
asks. Source: NIST, statement of 2 June 1994 ("super encryption"); Blaze, CCS '94, section 3 (stripping); Persiano, Phan
and Yung, EUROCRYPT 2022 (a channel in honest-looking ciphertexts). The prices are ours.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import sqrt
from typing import NamedTuple

import msgspec

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow import codec, crypto, registry
from escrow.crypto import hmac256, montgomery, random_bytes
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.primitives import hpke
from escrow.scheme import Scheme, Source, User
from escrow.testing.world import World

SAID = bytes(32)  # a text
USERS = (User("alice", ("alice-phone",)), User("bob", ("bob-phone",)))


class MadeField(NamedTuple):
    """A field as it is sent, and the seconds of processor time that it took."""

    field: bytes
    seconds: float


class Writer:
    """A client of a scheme that has written to another one, and makes fields."""

    def __init__(self, scheme: Scheme) -> None:
        """Set up the scheme for two users, and let one write to the other."""
        self.world = World(scheme, USERS)
        scheme.setup(self.world.wire)
        self.names = [name for user in USERS for name in user.devices]
        self.world.renew(self.names)
        scheme.each_day(self.world.wire, 0)
        self.mailed = self.send(SAID)

    def send(self, text: bytes) -> Mail:
        """Send a text, and return its mail."""
        before = len(self.world.intercepted())
        self.world.send(self.names[0], "bob", text)
        self.world.collect(self.names)
        return self.world.intercepted()[before].mail

    def field(self, key: MessageKey) -> MadeField:
        """Make the field of a message key."""
        device = self.world.device(self.names[0])
        context = FieldContext(("alice", "bob"), 0, b"header")
        with crypto.acting(device.name):
            began = time.process_time()
            made = device._field(key, context)
            return MadeField(made, time.process_time() - began)

    def reader(self) -> Device:
        """Return the device that reads."""
        return self.world.device(self.names[1])


def covert(writer: Writer, dk: bytes, bits: int, wanted: int) -> tuple[int, float]:
    """Make fields of one message key until HMAC(dk, field) begins with these bits.

    Returns:
        How many were made, 0 if two are equal (then nothing is drawn in them); and the seconds that they took.
    """
    key, seen, spent = _key(), set[bytes](), 0.0
    while True:
        made = writer.field(key)
        if made.field in seen:
            return 0, spent
        seen.add(made.field)
        spent += made.seconds
        if int.from_bytes(hmac256(dk, made.field)[:4], "big") >> 32 - bits == wanted:
            return len(seen), spent


def sealed_by_themselves(writer: Writer) -> MadeField:
    """Return a text as `pre-encryption` sends it to one device, and the time that sealing took."""
    to = writer.reader().identity.public
    began = time.process_time()
    boxes = ((to, hpke.seal(montgomery(to), SAID, b"a program of the users' own")),)
    return MadeField(codec.encode(boxes), time.process_time() - began)


class Evasion(Experiment):
    """Measure bytes, time and tries of a covert message, for every scheme."""

    name = "evasion"
    title = "What a covert message costs: bytes, milliseconds and tries, under every scheme"
    source = Source("Persiano, Phan and Yung", "Anamorphic Encryption", 2022, "1", "prices")

    bits = 4
    messages = 24

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield, for each scheme, what each way costs beside an honest message."""
        found = [each for _, each in sorted(registry.schemes().items())]
        messages = self.messages * (10 if long else 1)
        for done, scheme in enumerate(found):
            progress(done, len(found), scheme.name)
            if not scheme.missing:
                yield from _prices(scheme, self.bits, messages)
            try:
                again = msgspec.structs.replace(scheme, policing="recipient")
            except (TypeError, ValueError):  # no field, or none that a recipient can make again
                continue
            yield from _covert(Writer(again), f"{scheme.name}, fields made again", self.bits, messages)


def _prices(scheme: Scheme, bits: int, messages: int) -> Iterator[Figure]:
    writer = Writer(scheme)
    honest = writer.send(SAID)
    sealing = sealed_by_themselves(writer)
    wrapped = writer.send(sealing.field)
    yield Figure(
        quantity=f"{scheme.name}, super-encryption: bytes",
        measured=len(wrapped.body) - len(honest.body),
        unit="bytes",
        note=f"For each device that reads; 1 try. An honest text and its field are {_size(honest)} bytes.",
    )
    yield Figure(
        quantity=f"{scheme.name}, super-encryption: time",
        measured=1000 * sealing.seconds,
        unit="ms",
        note="To seal; it takes about as long to open.",
    )
    if not honest.field:
        return
    made = sorted(writer.field(_key()).seconds for _ in range(5))
    yield Figure(quantity=f"{scheme.name}, stripping: bytes", measured=-len(honest.field), unit="bytes", note="1 try.")
    yield Figure(quantity=f"{scheme.name}, stripping: time", measured=-1000 * made[2], unit="ms")
    yield from _covert(writer, scheme.name, bits, messages)


def _covert(writer: Writer, name: str, bits: int, messages: int) -> Iterator[Figure]:
    dk = random_bytes(32)
    found = [covert(writer, dk, bits, random_bytes(1)[0] >> 8 - bits) for _ in range(messages)]
    tries = [count for count, _ in found]
    if 0 in tries:
        yield Figure(
            quantity=f"{name}, covert bits: fields that one message can have",
            measured=1,
            expected=1,
            formula="made from the message's own keys",
            note="So there are no covert bits in it.",
        )
        return
    mean = 1 << bits
    yield Figure(
        quantity=f"{name}, {bits} covert bits: tries",
        measured=sum(tries) / messages,
        error=sqrt(mean * (mean - 1) / messages),
        expected=mean,
        formula="2^b",
        note=f"{messages} messages, none longer for it; 8 bits cost 16 times as much.",
    )
    yield Figure(
        quantity=f"{name}, {bits} covert bits: time",
        measured=1000 * sum(seconds for _, seconds in found) / messages,
        unit="ms",
    )


def _size(mail: Mail) -> int:
    return len(mail.body) + len(mail.field)


def _key() -> MessageKey:
    return MessageKey(random_bytes(32), 0, random_bytes(32))


EXPERIMENT = Evasion()

"""The only thing that parties share: a wire that carries bytes, all of them public and recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from escrow import codec
from escrow.codec import Packet
from escrow.errors import EscrowError, Refused, Unreachable
from escrow.principal import Principal, of_kind

R = TypeVar("R")
P = TypeVar("P", bound=Principal)


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """One packet as the network heard it."""

    day: int
    src: str
    dst: str
    data: bytes


class Shown(msgspec.Struct, frozen=True, array_like=True):
    """One text that a screen showed to a person."""

    day: int
    device: str
    author: str
    conversation: str
    text: bytes


class Alarm(msgspec.Struct, frozen=True, array_like=True):
    """A complaint of an honest client or auditor, and the number of packets heard before it."""

    day: int
    who: str
    check: str
    packets: int


Link = Callable[[Heard], Iterable[Heard]]


def reliable(packet: Heard) -> Iterable[Heard]:
    """Deliver every packet at once: the default link."""
    return (packet,)


class Wire:
    """Carries packets between parties by name. `link` decides which one-way packets arrive now, and in which order."""

    def __init__(self, parties: Iterable[Principal], link: Link = reliable) -> None:
        self.parties: dict[str, Principal] = {party.name: party for party in parties}
        self.link = link
        self.day = 0
        self.heard: list[Heard] = []
        self.shown: list[Shown] = []
        self.alarms: list[Alarm] = []
        self.refusals: list[tuple[int, str, str]] = []

    def party(self, name: str, kind: type[P]) -> P:
        """Return the party of this name. Raise Unreachable if there is none, TypeError if it is not of `kind`."""
        return of_kind(self._named(name), kind)

    def _named(self, name: str) -> Principal:
        if (found := self.parties.get(name)) is None:
            raise Unreachable(f"no party is called {name}")
        return found

    def ask(self, src: str, dst: str, message: Packet, reply: type[R]) -> R:
        """Send a packet and return the answer, of type `reply`.

        Raise the error that the other party raised, or Unreachable.
        """
        request = codec.encode(message)
        answer = self.handed(self._record(src, dst, request))
        if reply is not type(None):
            self._record(dst, src, answer)
        return codec.decode(answer, reply)

    def tell(self, src: str, dst: str, message: Packet) -> None:
        """Send a packet and go on. It may be late or lost; the sender does not learn of a refusal."""
        for packet in self.link(self._record(src, dst, codec.encode(message))):
            self.deliver(packet)

    def announce(self, src: str, to: Iterable[str], message: Packet) -> None:
        """Send one packet to several parties at once; an error at one of them goes to `complain`."""
        data = codec.encode(message)
        for dst in to:
            self.deliver(self._record(src, dst, data))

    def deliver(self, packet: Heard) -> None:
        """Hand a one-way packet to its addressee; an error there goes to `complain`."""
        try:
            self.handed(packet)
        except EscrowError as error:
            self.complain(packet.dst, error)

    def handed(self, packet: Heard) -> bytes:
        """Return the addressee's answer to a packet. Raise the error that it raised, or Unreachable."""
        return self._named(packet.dst).answer(packet.src, packet.data, self)

    def show(self, device: str, author: str, conversation: object, text: bytes) -> None:
        """Record a text that a person reads on a device, in a conversation as the screen names it."""
        self.shown.append(Shown(self.day, device, author, str(conversation), text))

    def alarm(self, who: str, check: str) -> None:
        """Record a complaint of an honest client or auditor to its user."""
        self.alarms.append(Alarm(self.day, who, check, len(self.heard)))

    def complain(self, party: str, error: EscrowError) -> None:
        """Record why a packet was refused; the other packets go on."""
        reason = error.reason if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
        self.refusals.append((self.day, party, reason))

    def _record(self, src: str, dst: str, data: bytes) -> Heard:
        packet = Heard(self.day, src, dst, data)
        self.heard.append(packet)
        return packet

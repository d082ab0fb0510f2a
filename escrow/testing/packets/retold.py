"""A network on which each packet is also told by every party that has no business with it.

  business   the sender's; the other devices' of its user; others', as the handler declares (escrow.principal.shared)
  before     each other party tells the packet to a copy of its addressee, as it is when the packet comes
  after      and again when the addressee has answered it

The copy must be as it was, byte for byte, whatever it answers. Only the first packets of each kind are tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from escrow.errors import EscrowError, Malformed
from escrow.principal import MaySend, Principal, handler_of, revive
from escrow.testing.harness import Harness
from escrow.wire import Heard, Link, Wire, reliable

TRIED = 12  # packets of each kind


class RetellingWire(Wire):
    """A wire that repeats packets in others' names. `heeded` says which of these changed a party."""

    def __init__(self, parties: Iterable[Principal], link: Link = reliable) -> None:
        """Begin with nothing heard."""
        super().__init__(parties, link)
        self.heeded: list[str] = []
        self._tried: Counter[Callable[..., Any]] = Counter()

    def handed(self, packet: Heard) -> bytes:
        """Return the addressee's answer, and let others tell it the same before and after."""
        try:
            handler = handler_of(self._named(packet.dst), packet.data)
        except Malformed:
            return super().handed(packet)
        self._tried[handler] += 1
        if self._tried[handler] > TRIED:
            return super().handed(packet)
        strangers = list(self.strangers(packet, getattr(handler, "__shared__", None)))
        self.retell(packet, strangers, "before it came")
        answer = super().handed(packet)
        self.retell(packet, strangers, "after it came")
        return answer

    def retell(self, packet: Heard, strangers: Iterable[str], when: str) -> None:
        """Tell a copy of the addressee the packet, in the name of each party that has no business with it."""
        party = self._named(packet.dst)
        before = party.state()
        copy = revive(before, type(party))
        for name in strangers:
            with suppress(EscrowError):
                copy.answer(name, packet.data, self.beside(copy))
            if copy.state() != before:
                self.heeded.append(f"{packet.dst} heeds a packet of {packet.src} that {name} tells it {when}")
                copy = revive(before, type(party))

    def beside(self, copy: Principal) -> Wire:
        """Return a wire of the same day on which the copy is alone."""
        wire = Wire([copy])
        wire.day = self.day
        return wire

    def strangers(self, packet: Heard, others: MaySend | None) -> Iterator[str]:
        """Yield the parties that have no business with a packet, if the handler declares this of others."""
        source = self.parties.get(packet.src)
        for name, other in self.parties.items():
            own = getattr(other, "user", None) == getattr(source, "user", "")
            declared = others is not None and (others.anybody or type(other) is type(source))
            if name not in (packet.src, packet.dst) and not own and not declared:
                yield name


class Retelling(Harness):
    """A harness on a wire that repeats packets in others' names."""

    def wired(self, parties: Iterable[Principal], link: Link) -> Wire:
        """Return the wire between the parties."""
        return RetellingWire(parties, link)

    @property
    def heeded(self) -> list[str]:
        """What changed a party although it came from one that has no business with it."""
        return self.wire.heeded if isinstance(self.wire, RetellingWire) else []

"""Negotiating whether a text has an access field: a client makes one if the recipient's client says that it escrows.

  all      nothing is negotiated: every text has a field
  offered  each morning a client tells the relay that it speaks the escrowed mode; whoever writes asks the relay what
           each recipient's client speaks, and makes no field for one that does not. The relay's word is believed
  signed   the same, but a client believes only a denial that the recipient's identity key signed

  asked         a client makes a field only for a recipient whose client asks for one, by the relay's word; none does by
                itself. Whoever makes a scheme of it claims no access that nobody asked for
  asked-signed  the same, but a client believes only what the recipient's identity key signed

The answers are not in any transcript that both ends compare, so that under `offered` and `asked` a relay can lie: it
downgrades clients to texts that the law cannot read, or to texts that it can.
Source: the modes and packets are ours. What is to be signed, and why: Bhargavan, Brzuska, Fournet, Green, Kohlweiss and
Zanella-Béguelin, "Downgrade Resilience in Key-Exchange Protocols", IEEE S&P 2016.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from escrow import codec, crypto
from escrow.codec import Packet, Public
from escrow.e2ee.content import Text
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Listed, Provider
from escrow.errors import EscrowError
from escrow.principal import Principal
from escrow.wire import Wire

Modes = Literal["all", "offered", "signed"]
Asked = Literal["asked", "asked-signed"]
_MODE = b"escrow-lab mode"


class SpokenMode(Packet, frozen=True):
    """Whether a device's client escrows, the day on which it says so, and its Ed25519 signature (64 bytes) or none."""

    unchecked = {
        "escrows": "under `offered` the relay's word is believed: that is the weakness",
        "said_on": "under `offered` nothing is compared",
        "signature": "a denial without a valid one is believed under `offered` alone",
    }

    device: str
    escrows: bool
    said_on: int
    signature: Public = b""

    def said(self) -> bytes:
        """Return what is signed."""
        return crypto.sha256(_MODE, codec.encode((self.device, self.escrows, self.said_on)))


class AskMode(Packet, frozen=True):
    """Somebody asks what a device's client speaks."""

    unchecked = {"device": "a question"}

    device: str


def negotiating(party: Principal, modes: Modes | Asked) -> Principal:
    """Return a device or a provider with the same data that negotiates; any other party as it is."""
    if not isinstance(party, Provider | Device):
        return party
    fields = {name: getattr(party, name) for name in party.__struct_fields__}
    kind: Any = type(party)
    asked, signed = modes in ("asked", "asked-signed"), modes in ("signed", "asked-signed")
    made = _relay_kind(kind, not asked) if isinstance(party, Provider) else _device_kind(kind, signed, not asked)
    party = made(**fields)
    return party


@cache
def _relay_kind(base: type[Provider], usual: bool) -> Any:
    class Negotiator(base, tag=base.__name__):  # type: ignore[valid-type, misc, call-arg]  # the scheme's own provider
        """A relay that keeps what each device's client speaks."""

        spoken: dict[str, SpokenMode] = {}

        def on_spoken(self, sender: str, packet: SpokenMode, wire: Wire) -> None:
            self.insist(sender in self.accounts and packet.device == sender, "a device speaks for itself")
            self.spoken[sender] = packet

        def on_ask_mode(self, sender: str, packet: AskMode, wire: Wire) -> SpokenMode:
            return self.spoken.get(packet.device) or SpokenMode(packet.device, usual, wire.day)

    Negotiator.__qualname__ = Negotiator.__name__ = base.__name__
    return Negotiator


@cache
def _device_kind(base: type[Device], signed: bool, usual: bool) -> Any:
    class Negotiating(base, tag=base.__name__):  # type: ignore[valid-type, misc, call-arg]  # the scheme's own device
        """A client that makes no field for a recipient whose client, as it is told, reads none, or asks for none.

        `usual` is what clients say of themselves; only the other word has to be proven.
        """

        leaves_out: bool = False

        def each_day(self, wire: Wire) -> None:
            super().each_day(wire)
            said = SpokenMode(self.name, usual, wire.day)
            signature = self.identity.sign(said.said()) if signed else b""
            wire.tell(self.name, self.provider, SpokenMode(self.name, usual, wire.day, signature))

        def mail_to(self, wire: Wire, to: Listed, body: bytes, people: tuple[str, ...] | None) -> None:
            before = self.leaves_out  # a text to a group may bring sender keys first
            self.leaves_out = people is not None and not self.escrows_to(wire, to)
            try:
                super().mail_to(wire, to, body, people)
            finally:
                self.leaves_out = before

        def send_by_chain(self, wire: Wire, people: tuple[str, ...], said: Text) -> None:
            self.leaves_out = not all(self.escrows_to(wire, each) for each in self.recipients(wire, people))
            try:
                super().send_by_chain(wire, people, said)
            finally:
                self.leaves_out = False

        def escrows_to(self, wire: Wire, to: Listed) -> bool:
            try:
                told = wire.ask(self.name, self.provider, AskMode(to.device), SpokenMode)
            except EscrowError as error:
                wire.complain(self.provider, error)
                return usual
            if told.escrows == usual or told.device != to.device:
                return usual
            if not signed:
                return not usual
            proven = told.said_on == wire.day and crypto.verify(to.identity, told.signature, told.said())
            if not proven:
                wire.alarm(self.name, f"{self.provider}: what it says of {to.device}'s mode is not signed")
            return usual is not proven

        def _field(self, key: Any, context: Any) -> bytes:
            return b"" if self.leaves_out else super()._field(key, context)

    Negotiating.__qualname__ = Negotiating.__name__ = base.__name__
    return Negotiating

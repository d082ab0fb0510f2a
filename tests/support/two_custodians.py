"""A sound scheme of two custodians: each message key is sealed to both, and either of them opens it."""

from __future__ import annotations

from escrow import codec, crypto, hpke
from escrow.codec import Fact, Packet, Public
from escrow.crypto import Private, new_private
from escrow.derivation import Checks, derivation, service
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged
from escrow.scheme import AccessField, Claim, Grant, SealedFact, Source, open_intercepted, wanted
from escrow.schemes.plain import DEVICES, FieldScheme
from escrow.warrant import Answer, Official, Warrant, open_answer, promises
from escrow.wire import Wire

NAMES = ("left", "right")


class CustodianKey(Private, frozen=True, dict=True):
    """A custodian's key pair, and the court whose warrants it honours."""

    court: Public


class SealedTo(Fact, frozen=True):
    """A message key sealed to one custodian."""

    to: Public
    sealed: Public


class TwofoldField(AccessField, frozen=True):
    """A message key, sealed to each custodian."""

    parts: tuple[SealedTo, ...]

    def labels(self, to: bytes) -> bytes:
        """Return what a seal is bound to."""
        return codec.encode((self.chain, self.n, self.people, self.day, to))


@derivation("any field, any key")
def open_part(field: TwofoldField, key: CustodianKey) -> MessageKey:
    """Return the message key. Raise Forged if no part is sealed to this key."""
    for part in field.parts:
        if part.to == key.public:
            return MessageKey(field.chain, field.n, hpke.open_(key, part.sealed, field.labels(part.to)))
    raise Forged("no part is for this key")


@service(open_part, holder="key")
def custodian_checks(key: CustodianKey, warrant: Warrant, field: TwofoldField) -> Checks:
    """Yield what a custodian promises to check."""
    return promises(key.court, warrant, field.people, field.day)


@derivation("answer.to = key.public")
def open_key_answer(answer: Answer, key: Private) -> MessageKey:
    """Return a custodian's answer."""
    return open_answer(answer, key, MessageKey)


class KeyOf(Packet, frozen=True):
    """A custodian tells its key."""

    who: str
    key: Public


class TwofoldDevice(device.Device):
    """A client that seals each message key to every custodian that told it a key."""

    keys: dict[str, Public] = {}

    def on_key_of(self, sender: str, packet: KeyOf, wire: Wire) -> None:
        """Keep a custodian's first key. Raise Forged if nothing can be sealed to it."""
        self.insist(sender == packet.who and sender in NAMES, "a custodian tells its own key")
        hpke.seal(packet.key, b"", b"a trial")
        self.insist(self.keys.get(sender, packet.key) == packet.key, "a key does not change")
        self.keys[sender] = packet.key

    def access_field(self, key: MessageKey, context: FieldContext) -> TwofoldField:
        """Return the message key, sealed to each custodian."""
        blank = TwofoldField(key.chain, key.n, context.people, context.day, ())
        parts = [SealedTo(to, hpke.seal(to, key.value, blank.labels(to))) for to in self.keys.values()]
        return TwofoldField(*(getattr(blank, name) for name in AccessField.__struct_fields__), tuple(parts))


class Custodian(Official):
    """A custodian, whose key opens every field."""

    key: CustodianKey
    promise = custodian_checks

    def held(self, subject: TwofoldField) -> CustodianKey:
        """Return the custodian's key."""
        return self.key


class Twofold(FieldScheme, frozen=True, kw_only=True):
    """Two custodians, each of which opens every field alone."""

    name = "twofold"
    title = "Two custodians"
    source = Source("Nobody", "Two custodians", 2026, "all", "everything")
    device = TwofoldDevice
    sealed_facts = (SealedFact("MessageKey", unnamed="a wrong key opens nothing"),)

    @property
    def claim(self):
        """Return the claim: either custodian opens everything."""
        grants = (*DEVICES, *(Grant(name, "everything") for name in NAMES), Grant("authority", "in scope"))
        return Claim(words="Either custodian opens everything.", section="all", grants=grants, access="in scope")

    def cast(self, users, court):
        """Make the custodians and the parties of plain."""
        for name in NAMES:
            with crypto.acting(name):
                made = new_private()
            yield Custodian(name, CustodianKey(made.public, made.raw, court))
        yield from super().cast(users, court)

    def setup(self, wire):
        """Let each custodian tell every device its key."""
        devices = [name for name, party in wire.parties.items() if isinstance(party, TwofoldDevice)]
        for name in NAMES:
            public = wire.party(name, Custodian).key.public
            for to in devices:
                try:
                    wire.ask(name, to, KeyOf(name, public), type(None))
                except EscrowError as error:
                    wire.complain(name, error)

    def access(self, authority, wire, warrant, intercepted):
        """Ask one custodian after the other about each field until one answer opens the text."""
        for intercept, field in wanted(authority, warrant, intercepted, TwofoldField):
            for name in NAMES:
                try:
                    key = open_key_answer(authority.ask(wire, name, warrant, field), authority.key.agreement)
                except EscrowError as error:
                    wire.complain(name, error)
                    continue
                opened = list(open_intercepted(authority, intercept, key))
                yield from opened
                if opened:
                    break


SCHEME = Twofold()

"""The escrow of most specimens: one agent; each check that it or the relay should make is a parameter.

  send     w = HPKE.Seal(pk_agent, k; info = number, people, day, header)      beside each ciphertext, k its message key
  relay    refuses mail without such a field                                   if it polices
  access   authority --(warrant, w)--> agent                                   checks all but what it waives, answers k

The agent answers one registered authority only, so that a court's key alone opens nothing. A model for teaching, from
no paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attacks.specimens import OURS
from escrow import codec, crypto
from escrow.codec import Public
from escrow.crypto import Private, new_private, sha256
from escrow.derivation import Checks, derivation, service
from escrow.e2ee import device, provider
from escrow.e2ee.device import Slip
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError
from escrow.primitives import hpke
from escrow.principal import Principal
from escrow.scheme import AccessField, Claim, Grant, Intercept, User, open_intercepted, wanted
from escrow.schemes.plain import DEVICES, Plain
from escrow.warrant import Answer, Answered, Authority, Request, Warrant, in_force, open_answer, promises, seal_answer
from escrow.wire import Wire

REGISTERED, WINDOW = "registered authority", "window"


class BoxKey(Private, frozen=True, dict=True):
    """The agent's X25519 key pair, the Ed25519 keys (32 bytes) of court and authority, and the checks it leaves out."""

    court: Public
    authority: Public
    waives: tuple[str, ...]


class Box(AccessField, frozen=True):
    """A message key (32 bytes) sealed to the agent: 80 bytes beside the labels they are bound to."""

    agent: Public
    header: Public
    sealed: Public

    def context(self) -> bytes:
        """Return HPKE's info: everything that the field says about the message."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.agent, self.header))


@derivation("field.agent = key.public")
def open_box(field: Box, key: BoxKey) -> MessageKey:
    """Return the message key. Raise Forged if the field was made for other labels or another agent."""
    return MessageKey(field.chain, field.n, hpke.open_(key, field.sealed, field.context()))


@service(open_box, holder="key")
def agent_checks(key: BoxKey, warrant: Warrant, field: Box) -> Checks:
    """Yield what the agent promises to check before it opens a field; a check that it waives always holds."""
    for check, holds in promises(key.court, warrant, field.people, field.day):
        yield check, holds or check in key.waives
    yield REGISTERED, warrant.order.authority == key.authority or REGISTERED in key.waives


@derivation("answer.to = key.public")
def open_box_answer(answer: Answer, key: Private) -> MessageKey:
    """Return the agent's answer, by the authority's key."""
    return open_answer(answer, key, MessageKey)


class BoxDevice(device.Device):
    """A device whose client seals each message key to `agent` (X25519 public key, 32 bytes)."""

    agent: Public = b""

    def access_field(self, key: MessageKey, slip: Slip) -> Box:
        """Return the message key, sealed to the agent with its labels."""
        labels = (key.chain, key.n, slip.people, slip.day, self.agent, sha256(slip.header))
        return Box(*labels, hpke.seal(self.agent, key.value, Box(*labels, b"").context()))


class Relay(provider.Provider):
    """A provider that refuses mail without an access field, if it polices.

    Sender keys carry no field: no such groups.
    """

    polices: bool = False

    def on_mail(self, sender: str, packet: Mail, wire: Wire) -> None:
        """Forward mail. Refuse it without an access field, if this relay polices."""
        self.insist(bool(packet.field) or not self.polices, "mail carries an access field")
        super().on_mail(sender, packet, wire)


class BoxAgent(Principal):
    """The escrow agent."""

    key: BoxKey

    def on_request(self, sender: str, request: Request, wire: Wire) -> Answered:
        """Return the message key, sealed to the authority, after all checks but the waived."""
        field = codec.decode(request.matter, Box)
        self.insist(request.signed(), "requester's signature")
        self.insist(in_force(request.warrant, wire.day), "warrant in force")
        self.insist_all(agent_checks(self.key, request.warrant, field))
        return seal_answer(request.warrant, open_box(field, self.key))


class SpareAuthority(Authority):
    """An authority that may have a copy of the agent's key."""

    spare: BoxKey | None = None


class BoxScheme(Plain, frozen=True, kw_only=True):
    """`waives`: the checks that the agent leaves out; `spare`: the authority has a copy of its key."""

    source = OURS
    device = BoxDevice
    provider = Relay
    authority = SpareAuthority
    waives: tuple[str, ...] = ()
    spare: bool = False
    polices: bool = False

    @property
    def claim(self) -> Claim:
        """The agent opens everything; the authority reads what its warrants cover."""
        return Claim(
            words="The agent can open every message; the authority reads what its warrants cover.",
            section="all",
            grants=(*DEVICES, Grant("agent", "everything"), Grant("authority", "in scope")),
            access="in scope",
        )

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of plain and the agent, whose key every device learns."""
        parties = list(super().cast(users, court))
        authority = next(party for party in parties if isinstance(party, SpareAuthority))
        with crypto.acting("agent"):
            made = new_private()
        key = BoxKey(made.public, made.raw, court, authority.key.public, self.waives)
        authority.spare = key if self.spare else None
        for party in parties:
            if isinstance(party, BoxDevice):
                party.agent = key.public
            elif isinstance(party, Relay):
                party.polices = self.polices
        return iter([BoxAgent("agent", key), *parties])

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask the agent about each field that a warrant covers, and yield the texts that its answers open."""
        for intercept, field in wanted(authority, warrant, intercepted, Box):
            try:
                answer = authority.ask(wire, "agent", warrant, field)
                key = open_box_answer(answer, authority.key.agreement)
            except EscrowError as error:
                wire.complain(authority.name, error)
                continue
            yield from open_intercepted(authority, intercept, key)

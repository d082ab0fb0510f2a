"""Exceptional-access envelope: every message key is also sealed to one escrow agent.

  send     e = HPKE.Seal(pk_agent, k; info = context)     beside each ciphertext, k its message key
  context  message number, people, day, header            so that a relabelled field does not open
  access   authority --(warrant, e)--> agent              the agent checks the warrant and returns Seal(pk_authority, k)
  weak     one key opens every message ever sent; scope and time are promises of the agent

Its parameters choose other forms (escrow.schemes._envelope): several agencies, X-Wing, epochs, fields with proofs.
Source: HPKE is RFC 9180 (2022), base mode, X25519 and AES-128-GCM: 80 bytes a sealed key. The scheme is the generic
"modern Clipper" that Abelson et al. discuss in "Keys Under Doormats" (2015); no paper specifies these bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.structs import asdict, fields

from escrow import codec, crypto
from escrow.codec import Public
from escrow.crypto import Private, new_private, sha256
from escrow.derivation import Checks, derivation, service
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged
from escrow.grants import Choice, Claim, Grant
from escrow.primitives import hpke
from escrow.principal import Principal
from escrow.scheme import (
    AccessField,
    Finding,
    Intercept,
    Scheme,
    SealedFact,
    Source,
    User,
    open_intercepted,
    wanted,
)
from escrow.schemes._envelope.claims import SECTION, SOURCES, WEAKENED
from escrow.schemes._envelope.forms import EnvelopeForm, form_of
from escrow.schemes.plain import CLASSICAL, DEVICES, ONE_COURT, ONE_THEFT, UNPOLICED, FieldScheme
from escrow.warrant import (
    Answer,
    Authority,
    Official,
    Warrant,
    open_answer,
    promises,
)
from escrow.wire import Wire


class AgentKey(Private, frozen=True, dict=True):
    """The agent's X25519 key pair, and the public key (32 bytes) of the court whose warrants it honours."""

    court: Public


class Envelope(AccessField, frozen=True):
    """A message key (32 bytes) sealed to the agent: 80 bytes (HPKE's enc 32, key 32, tag 16), bound to the labels."""

    agent: Public
    header: Public
    sealed: Public

    def context(self) -> bytes:
        """Return HPKE's info: everything that the field says about the message."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.agent, self.header))


@derivation("field.agent = key.public")
def open_field(field: Envelope, key: Private) -> MessageKey:
    """Return the message key (32 bytes). Raise Forged if the field was made for other labels or another agent."""
    return MessageKey(field.chain, field.n, hpke.open_(key, field.sealed, field.context()))


@service(open_field, holder="key")
def agent_checks(key: AgentKey, warrant: Warrant, field: Envelope) -> Checks:
    """Yield what the agent promises to check before it opens a field."""
    return promises(key.court, warrant, field.people, field.day)


@derivation("answer.to = key.public")
def open_message_key(answer: Answer, key: Private) -> MessageKey:
    """Return the message key (32 bytes) from the agent's answer. Raise Forged if `key` does not open it."""
    return open_answer(answer, key, MessageKey)


class EnvelopeDevice(device.Device):
    """A device whose client seals each message key to `agent` (X25519 public key, 32 bytes)."""

    agent: Public = b""

    def access_field(self, key: MessageKey, context: FieldContext) -> Envelope:
        """Return the message key, sealed to the agent with its labels."""
        blank = Envelope(key.chain, key.n, context.people, context.day, self.agent, sha256(context.header), b"")
        sealed = hpke.seal(self.agent, key.value, blank.context())
        return Envelope(key.chain, key.n, context.people, context.day, self.agent, blank.header, sealed)


class EnvelopeAgent(Official):
    """The escrow agent: its one key opens every field."""

    key: AgentKey

    promise = agent_checks

    def held(self, subject: Envelope) -> AgentKey:
        """Return the agent's key."""
        return self.key


class EnvelopeScheme(FieldScheme, frozen=True, kw_only=True):
    """Plain, with every message key also sealed to one agent."""

    name = "envelope"
    title = "Exceptional-access envelope to one agent"
    source = Source(
        "Kaufman; Barnes et al.",
        "Differential Workfactor Cryptography; RFC 9180, Hybrid Public Key Encryption",
        1996,
        "all",
        "bytes",
    )
    sealed_facts = (SealedFact("MessageKey", unnamed="the agent proves nothing: a wrong key just opens no text"),)
    in_pages = True
    findings = (
        Finding(
            2,
            "authority-theft",
            "**One key** (`envelope`): a thief who takes what `{envelope.whose}` holds, once, opens "
            "{envelope.exposed.total} of {envelope.sent} texts, earlier and later ones. Its authors say so.",
            ("envelope.exposed.total > 0", "envelope.excluded = 0"),
        ),
    )
    device = EnvelopeDevice

    def parameter_types(self) -> dict[str, Any]:
        """Return the types of the parameters, with those that choose another form (escrow.schemes._envelope)."""
        if type(self) is not EnvelopeScheme:
            return super().parameter_types()
        return super().parameter_types() | {each.name: each.type for each in fields(EnvelopeForm)}

    def parameter_values(self) -> dict[str, Any]:
        """Return the values of the parameters, by name, with those that choose another form."""
        own = super().parameter_values()
        return asdict(EnvelopeForm(**own)) if type(self) is EnvelopeScheme else own

    def replaced(self, **chosen: Any) -> Scheme:
        """Return the form of these parameters. Raise ValueError if they do not go together."""
        return form_of(asdict(self) | chosen) if type(self) is EnvelopeScheme else super().replaced(**chosen)

    @property
    def claim(self) -> Claim:
        """The agent opens everything; the authority reads what its warrants cover."""
        return Claim(
            words="The agent keeps a key that opens every message, in a vault; the authority reads what its warrants"
            " cover. One end alone cannot strip the field where the recipient makes it again.",
            section=SECTION,
            grants=(*DEVICES, Grant("agent", "everything"), Grant("authority", "in scope of a served warrant")),
            access="in scope",
            sources=SOURCES,
            concessions=WEAKENED,
            model=(CLASSICAL, ONE_THEFT),
            choices=(
                UNPOLICED,
                ONE_COURT,
                Choice("there is one agent", favours=False),
                Choice("the field's people and day are believed, and AES-GCM taken as committing", favours=True),
            ),
        )

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of plain and the agent, whose public key every device learns."""
        with crypto.acting("agent"):
            made = new_private()
        agent = EnvelopeAgent("agent", AgentKey(made.public, made.raw, court))
        yield agent
        for party in super().cast(users, court):
            if isinstance(party, EnvelopeDevice):
                party.agent = agent.key.public
            yield party

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask the agent about each field that the warrant covers, and yield the texts that its answers open."""
        for intercept, field in wanted(authority, warrant, intercepted, Envelope):
            try:
                answer = authority.ask(wire, "agent", warrant, field)
                key = open_message_key(answer, authority.key.agreement)
            except EscrowError as error:
                wire.complain("agent", error)
                continue
            opened = list(open_intercepted(authority, intercept, key))
            if not opened:
                wire.complain("agent", Forged("the key that it gave opens no message"))
            yield from opened


SCHEME = EnvelopeScheme()

"""Several governments: every message key is sealed to an agent of each government that is to read it.

  setup    agent-1 … agent-n, one for each government; user number i, in the order of the cast, resides with agent
           1 + (i mod n)
  send     one fresh ephemeral key for all; e_j = HPKE.Seal(pk_j, k; info = context) for each government j that gets one
           parts=all: each                parts=residents: those with whom one of the people of the conversation resides
           HMAC(k, all e_j), so that a government which opens its part knows that the others got what was sent
  access   authority --(warrant, e_j)--> agent-j     it checks the warrant, and that the target resides there:
           asked=residents; or about anybody: asked=anybody
  weak     parts=all: the key of any one government opens every message ever sent, of all countries
           an agent that tells its key to some devices only has honest senders named by recipients (policing=recipient)

The other two ways that proposals name are schemes of their own: any t of n governments together (`split-key`), and one
key behind which all governments' rules are checked (`envelope`). Policy and parties are ours.
Source: Abelson et al., "Keys Under Doormats", 2015, section 4.1, asks how access for several jurisdictions would work;
the seals are RFC 9180's, base mode, X25519 and AES-128-GCM: 80 bytes each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from escrow import codec, crypto
from escrow.codec import Fact, Packet, Public
from escrow.crypto import Private, new_private, sha256
from escrow.derivation import Checks, derivation, service
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Malformed
from escrow.grants import Choice, Claim, Grant, Quotation
from escrow.primitives import hpke
from escrow.principal import Principal, shared
from escrow.scheme import AccessField, Intercept, Overheard, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes.plain import CLASSICAL, DEVICES, EVASIONS, ONE_COURT, ONE_THEFT, FieldScheme
from escrow.warrant import Answer, Authority, Official, Warrant, open_answer, promises
from escrow.wire import Wire

AGENT = "agent"
MOST = 27  # governments
_TAG = b"escrow-lab joint field"


class GovernmentKey(Private, frozen=True, dict=True):
    """An agent's X25519 key pair, the public key (32 bytes) of the court that it honours, and who resides with it.

    Without a list of `residents` it answers about anybody.
    """

    court: Public
    residents: tuple[str, ...] | None


class GovernmentPart(Fact, frozen=True):
    """A message key (32 bytes) sealed to one agent: `ephemeral` (32 bytes) is the same in all parts of a field."""

    agent: Public
    ephemeral: Public
    sealed: Public


class JointField(AccessField, frozen=True):
    """The parts of one message for several governments, the labels to which each is bound, and a tag (32 bytes)."""

    header: Public
    ephemeral: Public
    parts: tuple[GovernmentPart, ...]
    tag: Public

    def tagged(self, key: bytes) -> bytes:
        """Return the tag (32 bytes) that the message key (32 bytes) gives all parts."""
        return crypto.hmac256(key, codec.encode((_TAG, self.parts)))

    def context(self) -> bytes:
        """Return HPKE's info: everything that the field says about the message, and who gets a part."""
        agents = tuple(part.agent for part in self.parts)
        return codec.encode((self.chain, self.n, self.people, self.day, self.header, self.ephemeral, agents))


@derivation("field.ephemeral = part.ephemeral, part.agent = key.public")
def open_part(field: JointField, part: GovernmentPart, key: Private) -> MessageKey:
    """Return the message key (32 bytes). Raise Forged if the part was made for other labels, or a part was changed."""
    opened = hpke.open_(key, part.ephemeral + part.sealed, field.context())
    if field.tagged(opened) != field.tag:
        raise Forged("a part of another government is not the one that was sent")
    return MessageKey(field.chain, field.n, opened)


@service(open_part, holder="key")
def government_checks(key: GovernmentKey, warrant: Warrant, field: JointField, part: GovernmentPart) -> Checks:
    """Yield what an agent promises to check before it opens its part."""
    yield from promises(key.court, warrant, field.people, field.day)
    yield "target resides here", key.residents is None or warrant.order.target in key.residents


@derivation("answer.to = key.public")
def open_governments_answer(answer: Answer, key: Private) -> MessageKey:
    """Return the message key (32 bytes) from an agent's answer. Raise Forged if `key` does not open it."""
    return open_answer(answer, key, MessageKey)


class GovernmentPublishes(Packet, frozen=True):
    """An agent tells its X25519 public key (32 bytes)."""

    public: Public


class JointDevice(device.Device):
    """A device whose client seals each message key to agents of `governments`, whose keys (32 bytes) it is told.

    `homes` are the agents with whom users reside; if there are none, each agent gets a part.
    """

    governments: tuple[str, ...] = ()
    agents: dict[str, Public] = {}
    homes: dict[str, str] = {}

    @shared("each agent publishes its own key")
    def on_published(self, sender: str, packet: GovernmentPublishes, wire: Wire) -> None:
        """Keep an agent's key; alarm if nothing can be sealed to it."""
        self.insist(sender in self.governments, "an agent publishes its key")
        self.insist(self.agents.get(sender) in (None, packet.public), "a key that was published does not change")
        try:
            new_private().exchange(packet.public)
        except Forged:
            wire.alarm(self.name, f"{sender}: nothing can be sealed to its key")
            raise
        self.agents[sender] = packet.public

    def access_field(self, key: MessageKey, context: FieldContext) -> JointField:
        """Return the message key, sealed to each government that is to read it, with one ephemeral key for all."""
        ephemeral, header = new_private(), sha256(context.header)
        labels = (key.chain, key.n, context.people, context.day, header, ephemeral.public)
        readers = self._readers(context.people)
        info = JointField(
            *labels, tuple(GovernmentPart(agent, ephemeral.public, b"") for agent in readers), b""
        ).context()
        sealed = hpke.DEFAULT.seal_each(readers, [key.value] * len(readers), info, ephemeral)
        parts = tuple(
            GovernmentPart(agent, ephemeral.public, each) for agent, each in zip(readers, sealed, strict=True)
        )
        return JointField(*labels, parts, JointField(*labels, parts, b"").tagged(key.value))

    def _readers(self, people: Iterable[str]) -> list[bytes]:
        """Return the keys to seal to, each once: an agent that publishes another's key stops nobody but itself."""
        chosen = {self.homes.get(name) for name in people} if self.homes else self.agents
        return list(dict.fromkeys(public for agent, public in sorted(self.agents.items()) if agent in chosen))


class GovernmentAgent(Official):
    """The agent of one government."""

    key: GovernmentKey

    promise = government_checks

    def held(self, field: JointField, part: GovernmentPart) -> GovernmentKey:
        """Return the agent's key."""
        return self.key


class SeveralGovernments(FieldScheme, frozen=True, kw_only=True):
    """`n` governments. `parts` says which of them get each message key, `asked` about whom their agents answer."""

    name = "jurisdictions"
    title = "Several governments, a sealed key for each"
    source = Source("Abelson et al.", "Keys Under Doormats", 2015, "4.1", "everything")
    family = "Sealed envelope"
    sealed_facts = (SealedFact("MessageKey", unnamed="an agent proves nothing: a wrong key just opens no text"),)
    overheard = (
        Overheard(("Confidential", "Answered"), "which agent is asked, and answers, tells where a target resides"),
    )
    device = JointDevice
    n: int = 3
    parts: Literal["all", "residents"] = "all"
    asked: Literal["anybody", "residents"] = "residents"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.n <= MOST:
            raise ValueError(f"n={self.n} governments: it must be 1 to {MOST}")

    @property
    def claim(self) -> Claim:
        """Each agent opens what it gets; the authority reads what its warrants cover."""
        whose = "those who reside with it" if self.asked == "residents" else "anybody"
        opens = "every message" if self.parts == "all" else "every message of a conversation with a resident"
        return Claim(
            words=f"Each government's agent opens texts of {whose} under a warrant; its key opens {opens}.",
            section="several jurisdictions; no source promises more",
            grants=(
                *DEVICES,
                *(Grant(agent, "everything") for agent in self._agents),
                Grant("authority", "in scope of a served warrant"),
            ),
            access="in scope",
            sources=(
                Quotation(
                    "the texts ask how several jurisdictions would have access, and propose no construction",
                    "Abelson et al., Keys Under Doormats, 2015",
                    "4.1, in our words",
                    verbatim=False,
                ),
            ),
            model=(CLASSICAL, ONE_THEFT),
            choices=(
                *EVASIONS,
                ONE_COURT,
                Choice("users reside with the governments in turn, in the order of the cast", favours=True),
                Choice("all governments honour the same warrants, which name a target and no country", favours=False),
                Choice("one ephemeral key serves all agents of a message", favours=True),
                *self._granted_to_agents,
                Choice("the field's people and day are believed, and AES-GCM taken as committing", favours=True),
            ),
        )

    @property
    def _granted_to_agents(self) -> tuple[Choice, ...]:
        words = "an agent is granted everything, although it gets the keys of its residents' conversations only"
        return () if self.parts == "all" else (Choice(words, favours=True),)

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of plain and an agent for each government, whose public keys every device learns."""
        users = list(users)
        homes = {user.name: self._agents[number % self.n] for number, user in enumerate(users)}
        for agent in self._agents:
            with crypto.acting(agent):
                made = new_private()
            here = tuple(name for name, home in homes.items() if home == agent)
            residents = here if self.asked == "residents" else None
            yield GovernmentAgent(agent, GovernmentKey(made.public, made.raw, court, residents))
        for party in super().cast(users, court):
            if isinstance(party, JointDevice):
                party.governments, party.homes = self._agents, homes if self.parts == "residents" else {}
            yield party

    @property
    def _agents(self) -> tuple[str, ...]:
        return tuple(f"{AGENT}-{number + 1}" for number in range(self.n))

    def setup(self, wire: Wire) -> None:
        """Let each agent publish its key to all devices."""
        super().setup(wire)
        devices = [name for name, party in wire.parties.items() if isinstance(party, JointDevice)]
        for agent in self._agents:
            wire.announce(agent, devices, GovernmentPublishes(wire.party(agent, GovernmentAgent).key.public))

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask the agents about each field that the warrant covers, and yield the texts that an answer opens."""
        for intercept, field in wanted(authority, warrant, intercepted, JointField):
            if len({part.agent for part in field.parts}) < len(field.parts) or len(field.parts) > self.n:
                wire.complain(intercept.mail.sender, Malformed("a field has one part for each agent at most"))
                continue
            yield from self._opened(authority, wire, warrant, intercept, field)

    def _opened(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercept: Intercept, field: JointField
    ) -> list[bytes]:
        """Return the text that the first agent's answer opens, with a complaint for each agent that gives none."""
        refused: list[tuple[str, EscrowError]] = []
        if not field.parts:
            refused.append((intercept.mail.sender, Forged("its field has a part for nobody")))
        for name in self._agents:
            for part in field.parts:
                try:
                    answer = authority.ask(wire, name, warrant, (field, part))
                    key = open_governments_answer(answer, authority.key.agreement)
                except EscrowError as error:
                    refused.append((name, error))
                    continue
                if opened := list(open_intercepted(authority, intercept, key)):
                    return opened
                refused.append((name, Forged("the key that it gave opens no message")))
        for name, refusal in refused:
            wire.complain(name, refusal)
        return []


SCHEME = SeveralGovernments()

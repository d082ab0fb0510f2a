"""Proactive threshold escrow: a key that no one ever held, in shares that are replaced every morning.

  setup    agents: distributed key generation (GJKR): y, shares x_i            no dealer
  send     TDH2.Enc(y, k; L), L = H(number, people, day, header)               beside each ciphertext
  access   agent checks the ciphertext, and L against the warrant: partial with a proof; t of them give k
  morning  new shares of the same key; old ones, and all that made the new, are erased; one agent in turn starts from a
           clean image and recovers its share from the others
  weak     t agents taken between two refreshes open every message ever sent; scope and time are promises of n - t + 1

A share stolen yesterday is worth nothing beside one stolen today, because both are of different polynomials; and what
was sent to make them was sealed to keys that served one run.
Source: Gennaro, Jarecki, Krawczyk, Rabin, EUROCRYPT '99 (key generation); Shoup and Gennaro, J. Cryptology 15(2), 2002
(TDH2); Herzberg, Jarecki, Krawczyk, Yung, CRYPTO '95 (refresh and recovery).
Their combination with a messenger is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Literal

import msgspec

from escrow import codec, crypto
from escrow.codec import Packet, Public
from escrow.crypto import Private, sha256
from escrow.derivation import Checks, derivation, service
from escrow.e2ee import device
from escrow.e2ee.device import Slip
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Refused
from escrow.principal import Principal
from escrow.scheme import AccessField, Claim, Grant, Intercept, Source, User, open_intercepted, wanted
from escrow.schemes.plain import DEVICES, Plain
from escrow.sharing import tdh2
from escrow.sharing.committee import Member, Purpose, hold_run
from escrow.sharing.outcome import Outcome
from escrow.sharing.refresh import Renewal
from escrow.sharing.staged import Sharing, StageShare
from escrow.sharing.tdh2 import TdhCiphertext, TdhMessage, TdhPartial
from escrow.warrant import Answer, Answered, Authority, Request, Warrant, in_force, open_answer, promises, seal_answer
from escrow.wire import Wire

MOST_AGENTS = 100


class AgentShare(StageShare, frozen=True, dict=True):
    """An agent's share of one stage, and the public key (32 bytes) of the court whose warrants it honours."""

    court: Public


class ThresholdField(AccessField, frozen=True, dict=True):
    """The message key (32 bytes) under TDH2: 194 bytes beside what the label is the hash of."""

    header: Public
    ciphertext: TdhCiphertext

    def label(self) -> bytes:
        """L (32 bytes): everything that the field says about the message."""
        return label_of(self.chain, self.n, self.people, self.day, self.header)


def label_of(chain: bytes, n: int, people: tuple[str, ...], day: int, header: bytes) -> bytes:
    """The label of a message, 32 bytes."""
    return sha256(b"threshold escrow", codec.encode((chain, n, people, day, header)))


@derivation("field.ciphertext.label = message.label")
def unwrap(field: ThresholdField, message: TdhMessage) -> MessageKey:
    """The message key. Forged where the labels were changed."""
    if not message.label == field.ciphertext.label == field.label():
        raise Forged("the label is of another message")
    return MessageKey(field.chain, field.n, message.value)


@service(tdh2.partial, holder="share", given="ciphertext = field.ciphertext")
def agent_checks(share: AgentShare, warrant: Warrant, field: ThresholdField) -> Checks:
    """What each agent promises to check before it gives its part."""
    yield from promises(share.court, warrant, field.people, field.day)
    yield "the label is of this message", field.label() == field.ciphertext.label
    yield "the ciphertext checks", field.ciphertext.proven


@derivation("answer.to = key.public")
def open_partial(answer: Answer, key: Private) -> TdhPartial:
    """What an agent answered, to whoever holds the authority's key."""
    return open_answer(answer, key, TdhPartial)


class Announced(Packet, frozen=True):
    """An agent says which sharing holds from now on, and how it came about."""

    sharing: Sharing
    outcome: Outcome
    renewal: Renewal | None


class Heard(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Sharings as agents announced them: of each stage the one that as many agents announced as it needs."""

    said: dict[str, Sharing] = {}
    known: list[Sharing] = []

    def hear(self, sender: str, sharing: Sharing) -> None:
        """Fewer than t agents could be liars, so t must say the same."""
        self.said[sender] = sharing
        if list(self.said.values()).count(sharing) >= sharing.t and self.at(sharing.stage) is None:
            self.known.append(sharing)

    def at(self, stage: int) -> Sharing | None:
        """The sharing of a stage, if it is known."""
        return next((each for each in self.known if each.stage == stage), None)

    @property
    def present(self) -> Sharing | None:
        """The sharing of the newest stage."""
        return max(self.known, key=lambda sharing: sharing.stage, default=None)


class Device(device.Device):
    """A device whose client escrows each message key to the agents' key."""

    heard: Heard = msgspec.field(default_factory=Heard)

    def on_announced(self, sender: str, packet: Announced, wire: Wire) -> None:
        self.heard.hear(sender, packet.sharing)

    def access_field(self, key: MessageKey, slip: Slip) -> ThresholdField:
        if (sharing := self.heard.present) is None:
            raise Refused(self.name, "no escrow key was announced")
        labels = (key.chain, key.n, slip.people, slip.day, sha256(slip.header))
        return ThresholdField(*labels, tdh2.encrypt(sharing.key, key.value, label_of(*labels)))


class ThresholdAuthority(Authority):
    """An authority that knows the sharings, and so can tell a wrong partial and whose it is."""

    heard: Heard = msgspec.field(default_factory=Heard)

    def on_announced(self, sender: str, packet: Announced, wire: Wire) -> None:
        self.heard.hear(sender, packet.sharing)


class Agent(Member):
    """An escrow agent."""

    court: Public = b""
    share: AgentShare | None = None

    def own_share(self) -> StageShare | None:
        return self.share

    def hold(self, sharing: Sharing, share: StageShare | None) -> None:
        self.sharing = sharing
        self.share = AgentShare(share.key, share.stage, share.index, share.raw, self.court) if share else None

    def announce(self, wire: Wire, to: Iterable[str]) -> None:
        """Tell which sharing holds."""
        if self.sharing is not None and self.outcome is not None:
            for name in to:
                wire.ask(self.name, name, Announced(self.sharing, self.outcome, self.renewal), type(None))

    def checks(self, share: AgentShare, warrant: Warrant, field: ThresholdField) -> Checks:
        """What this agent checks before it answers."""
        return agent_checks(share, warrant, field)

    def on_request(self, sender: str, request: Request, wire: Wire) -> Answered:
        field = codec.decode(request.matter, ThresholdField)
        if self.share is None:
            raise Refused(self.name, "it holds no share")
        self.insist(request.signed(), "requester's signature")
        self.insist(in_force(request.warrant, wire.day), "warrant in force")
        self.insist_all(self.checks(self.share, request.warrant, field))
        return seal_answer(request.warrant, self.part(self.share, field.ciphertext))

    def part(self, share: AgentShare, ciphertext: TdhCiphertext) -> TdhPartial:
        """Its part of the decryption."""
        return tdh2.partial(share, ciphertext)


class Threshold(Plain, frozen=True, kw_only=True):
    """`t` of `n` agents; `generation` makes the key and the refreshes, every `every` days (0: never); with `reboots`
    one agent a refresh loses its share first, and recovers it."""

    name = "threshold"
    title = "Proactive threshold escrow, t of n agents"
    source = Source(
        "Gennaro et al.; Shoup and Gennaro; Herzberg et al.",
        "Secure distributed key generation; Securing threshold cryptosystems; Proactive secret sharing",
        1999,
        "figure 2; TDH2; refresh and recovery",
        "messages",
    )
    device = Device
    authority = ThresholdAuthority
    agent: ClassVar[type[Agent]] = Agent
    t: int = 2
    n: int = 3
    every: int = 1
    generation: Literal["gjkr", "joint-feldman"] = "gjkr"
    reboots: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.t <= self.n <= MOST_AGENTS or self.every < 0:
            raise ValueError(f"t={self.t} of n={self.n} agents every {self.every} days: 1 <= t <= n <= {MOST_AGENTS}")
        if self.every and self.t == 1:
            raise ValueError("with t=1 every share is the key, and there is nothing to refresh; set every=0")

    @property
    def claim(self) -> Claim:
        when = f"taken within {self.every} days" if self.every else "together"
        return Claim(
            words=f"Any {self.t} of {self.n} agents {when} can open every message, fewer learn nothing; the authority"
            " reads what a warrant covers.",
            section="GJKR, section 2; HJKY, on the mobile adversary",
            grants=(
                *DEVICES,
                Grant("agent-*", "everything", self.t, period=self.every),
                Grant("authority", "in scope"),
            ),
            access="in scope",
        )

    @property
    def agents(self) -> tuple[str, ...]:
        return tuple(f"agent-{i}" for i in range(1, self.n + 1))

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        hiding = self.generation == "gjkr"
        for index, name in enumerate(self.agents, 1):
            yield self.agent(name, index, self.agents, self.t, hiding, court=court)
        yield from super().cast(users, court)

    def setup(self, wire: Wire) -> None:
        hold_run(wire, self.agents, Purpose("key", 0))
        listeners = [name for name, party in wire.parties.items() if isinstance(party, Device | ThresholdAuthority)]
        self._announce(wire, listeners)

    def each_day(self, wire: Wire, day: int) -> None:
        if not self.every or day == 0 or day % self.every:
            return
        if self.reboots and self.t < self.n:
            lost = day // self.every % self.n + 1
            agent = self._agent(wire, self.agents[lost - 1])
            if agent.sharing is not None:
                agent.hold(agent.sharing, None)
        for index, name in enumerate(self.agents, 1):
            if self._agent(wire, name).share is None and self.t < self.n:
                hold_run(wire, self.agents, Purpose("recovery", day, index))
        hold_run(wire, self.agents, Purpose("refresh", day))
        self._announce(wire, ["authority"])

    def _announce(self, wire: Wire, to: Sequence[str]) -> None:
        for name in self.agents:
            with crypto.acting(name):
                self._agent(wire, name).announce(wire, to)

    def _agent(self, wire: Wire, name: str) -> Agent:
        agent = wire.parties[name]
        assert isinstance(agent, Agent)  # noqa: S101 (the cast says so)
        return agent

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        assert isinstance(authority, ThresholdAuthority)  # noqa: S101 (the cast says so)
        for intercept, field in wanted(authority, warrant, intercepted, ThresholdField):
            partials: dict[int, list[TdhPartial]] = {}
            for part in self._partials(authority, wire, warrant, field):
                together = partials.setdefault(part.stage, [])
                together.append(part)
                if len(together) == self.t:
                    break
            else:
                continue
            sharing = authority.heard.at(part.stage)
            assert sharing is not None  # noqa: S101 (its partials were judged by it)
            try:
                point = tdh2.combine(sharing, tuple(together))
                key = unwrap(field, tdh2.unmask(field.ciphertext, point))
            except Forged as error:
                wire.complain(authority.name, error)
                continue
            yield from open_intercepted(authority, intercept, key)

    def _partials(
        self, authority: ThresholdAuthority, wire: Wire, warrant: Warrant, field: ThresholdField
    ) -> Iterator[TdhPartial]:
        """Proven partials, one agent after another; a wrong one is blamed on its maker."""
        for index, name in enumerate(self.agents, 1):
            try:
                part = open_partial(authority.ask(wire, name, warrant, field), authority.key.agreement)
            except EscrowError as error:
                wire.complain(authority.name, error)
                continue
            if fault := self._fault(authority, index, part, field):
                wire.alarm(authority.name, f"wrong partial of {name}: {fault}")
                continue
            yield part

    def _fault(self, authority: ThresholdAuthority, index: int, part: TdhPartial, field: ThresholdField) -> str:
        """What is wrong with a partial. That it be of the present stage is asked for by an honest authority only."""
        sharing, present = authority.heard.at(part.stage), authority.heard.present
        try:
            authority.insist(sharing == present, f"it is of stage {part.stage}, which is past")
        except Refused as refused:
            return refused.reason
        if sharing is None or part.index != index:
            return "it is of no known stage, or another agent's"
        blames = tdh2.culprits(sharing, field.ciphertext, [part])
        return blames[0].fault if blames else ""


SCHEME = Threshold()

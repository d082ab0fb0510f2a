"""Proactive threshold escrow: a key that no one ever held, in shares that are replaced every morning.

  setup    agents: distributed key generation (GJKR): y, shares x_i            no dealer
  send     TDH2.Enc(y, k; L), L = H(number, people, day, header)               beside each ciphertext
  access   agent checks the ciphertext, and L against the warrant: partial with a proof; t of them give k
  morning  new shares of the same key; old ones, and all that made the new, are erased; an agent without one, because it
           was away or started from a clean image, as one agent a morning does, recovers its own from the others
  weak     t agents taken between two refreshes open every message ever sent; scope and time are promises of n - t + 1

A share stolen yesterday does not combine with one stolen today, because they are of different polynomials; and the
packets that made them were sealed to keys that were used in one run only.
Source: Gennaro, Jarecki, Krawczyk, Rabin, EUROCRYPT '99 (key generation); Shoup and Gennaro, J. Cryptology 15(2), 2002
(TDH2); Herzberg, Jarecki, Krawczyk, Yung, CRYPTO '95 (refresh and recovery).
Their combination with a messenger is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import ClassVar, Literal

import msgspec

from escrow import codec, crypto
from escrow.codec import Public
from escrow.crypto import Private, sha256
from escrow.derivation import Checks, derivation, service
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Refused
from escrow.grants import Choice, Claim, Grant, Quotation
from escrow.principal import Principal, of_kind, shared
from escrow.scheme import AccessField, Intercept, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes.plain import CLASSICAL, DEVICES, EVASIONS, ONE_COURT, ONE_THEFT, FieldScheme
from escrow.sharing import tdh2
from escrow.sharing.committee.announced import Announced, KnownSharings
from escrow.sharing.committee.broadcast import MemberKey
from escrow.sharing.committee.clock import hold_run
from escrow.sharing.committee.member import Member
from escrow.sharing.committee.rounds import Purpose
from escrow.sharing.epochs import EpochShare, Sharing
from escrow.sharing.tdh2 import TdhCiphertext, TdhMessage, TdhPartial
from escrow.warrant import (
    Answer,
    Authority,
    Official,
    Warrant,
    open_answer,
    promises,
)
from escrow.wire import Wire

MOST_AGENTS = 100


class AgentShare(EpochShare, frozen=True, dict=True):
    """An agent's share of one epoch, and the public key (32 bytes) of the court whose warrants it honours."""

    court: Public


class ThresholdField(AccessField, frozen=True, dict=True):
    """The message key (32 bytes) under TDH2: 194 bytes, and the fields whose hash is the label."""

    header: Public
    ciphertext: TdhCiphertext

    @cached_property
    def label(self) -> bytes:
        """The label L (32 bytes): the hash of everything that the field says about the message."""
        return label_of(self.chain, self.n, self.people, self.day, self.header)


def label_of(chain: bytes, n: int, people: tuple[str, ...], day: int, header: bytes) -> bytes:
    """Return the label of a message, 32 bytes."""
    return sha256(b"threshold escrow", codec.encode((chain, n, people, day, header)))


@derivation("field.ciphertext.label = message.label")
def unwrap(field: ThresholdField, message: TdhMessage) -> MessageKey:
    """Return the message key. Raise Forged if the labels were changed."""
    if not message.label == field.ciphertext.label == field.label:
        raise Forged("the label is of another message")
    return MessageKey(field.chain, field.n, message.value)


@service(tdh2.partial, holder="share", given="ciphertext = field.ciphertext")
def agent_checks(share: AgentShare, warrant: Warrant, field: ThresholdField) -> Checks:
    """Yield what each agent promises to check before it gives its part."""
    yield from promises(share.court, warrant, field.people, field.day)
    yield "the label is of this message", field.label == field.ciphertext.label
    yield "the ciphertext checks", field.ciphertext.proven


@derivation("answer.to = key.public")
def open_partial(answer: Answer, key: Private) -> TdhPartial:
    """Return a partial with its proof from an agent's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, TdhPartial)


class ThresholdDevice(device.Device):
    """A device whose client escrows each message key to the agents' key."""

    heard: KnownSharings = msgspec.field(default_factory=KnownSharings)

    @shared("each agent announces, and t equal announcements are believed")
    def on_announced(self, sender: str, packet: Announced, wire: Wire) -> None:
        """Record a sharing that an agent announces; t equal announcements are believed."""
        self.insist(self.heard.takes(sender, packet.sharing), f"{sender} announces the agents' key, in their shares")
        self.heard.hear(sender, packet.sharing)

    def access_field(self, key: MessageKey, context: FieldContext) -> ThresholdField:
        """Return the message key, encrypted to the agents' key under its label."""
        if (sharing := self.heard.present) is None:
            raise Refused(self.name, "no escrow key was announced")
        labels = (key.chain, key.n, context.people, context.day, sha256(context.header))
        return ThresholdField(*labels, tdh2.encrypt(sharing.key, key.value, label_of(*labels)))


class ThresholdAuthority(Authority):
    """An authority that knows the sharings, so that it can find a wrong partial and its maker."""

    heard: KnownSharings = msgspec.field(default_factory=KnownSharings)

    @shared("each agent announces, and t equal announcements are believed")
    def on_announced(self, sender: str, packet: Announced, wire: Wire) -> None:
        """Record a sharing that an agent announces; t equal announcements are believed."""
        self.insist(self.heard.takes(sender, packet.sharing), f"{sender} announces the agents' key, in their shares")
        self.heard.hear(sender, packet.sharing)

    def fault(self, index: int, part: TdhPartial, field: ThresholdField) -> str:
        """Return what is wrong with the partial of agent `index`, or "".

        Only an honest authority refuses a past epoch.
        """
        sharing, present = self.heard.at(part.epoch), self.heard.present
        try:
            self.insist(sharing == present, f"it is of epoch {part.epoch}, which is not the present one")
        except Refused as refused:
            return refused.reason
        if sharing is None or part.index != index:
            return "it is of no known epoch, or another agent's"
        blames = tdh2.culprits(sharing, field.ciphertext, [part])
        return blames[0].fault if blames else ""


class ThresholdAgent(Official, Member):
    """An escrow agent: a member of the committee that also answers warrants."""

    court: Public = b""
    share: AgentShare | None = None

    def own_share(self) -> EpochShare | None:
        """Return the share of the present epoch, or None if it is lost."""
        return self.share

    def hold(self, sharing: Sharing, share: EpochShare | None) -> None:
        """Replace the share by the one of a new epoch."""
        self.sharing = sharing
        self.share = AgentShare(share.key, share.epoch, share.index, share.raw, self.court) if share else None

    def reboot(self) -> None:
        """Start from a clean image, which has the signing key and what is public, and no share."""
        self.share = None

    def announce(self, wire: Wire, to: Iterable[str]) -> None:
        """Tell these parties the present sharing."""
        if self.sharing is not None and self.outcome is not None:
            wire.announce(self.name, to, Announced(self.sharing, self.outcome, self.renewal))

    promise = agent_checks

    def held(self, subject: ThresholdField) -> AgentShare:
        """Return this agent's share. Raise Refused if it has none."""
        if self.share is None:
            raise Refused(self.name, "it holds no share")
        return self.share


class Threshold(FieldScheme, frozen=True, kw_only=True):
    """`t` of `n` agents; `generation` makes the key and the refreshes, every `every` days (0: never).

    "gjkr" needs n ≥ 2t − 1. With "joint-feldman" one agent can bias the key, and if n < 2t − 1, t − 1 silent agents end
    all access.

    With `reboots` one agent loses its share before each refresh, and recovers it.
    """

    name = "threshold"
    title = "Proactive threshold escrow, t of n agents"
    source = Source(
        "Gennaro et al.; Shoup and Gennaro; Herzberg et al.",
        "Secure distributed key generation; Securing threshold cryptosystems; Proactive secret sharing",
        1999,
        "figure 2; TDH2; refresh and recovery",
        "messages",
    )
    sealed_facts = (
        SealedFact("Blinded", named="agent-[13]: it lent a value that does not fit"),
        SealedFact("TdhPartial", named="wrong partial of {}"),
        SealedFact("SubShare", unnamed="its dealer answers the complaint in the open, and nobody is to blame"),
    )
    in_pages = True
    device = ThresholdDevice
    authority = ThresholdAuthority
    agent: ClassVar[type[ThresholdAgent]] = ThresholdAgent
    t: int = 2
    n: int = 3
    every: int = 1
    generation: Literal["gjkr", "joint-feldman"] = "gjkr"
    reboots: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.t <= self.n <= MOST_AGENTS or self.every < 0:
            raise ValueError(f"t={self.t} of n={self.n} agents every {self.every} days: 1 <= t <= n <= {MOST_AGENTS}")
        if self.generation == "gjkr" and self.n < 2 * self.t - 1:
            raise ValueError(
                f"t={self.t} of n={self.n} agents: GJKR needs n >= 2t - 1, or t - 1 agents bias the key;"
                ' generation="joint-feldman" allows it, and its claim says what is lost'
            )
        if self.every and self.t == 1:
            raise ValueError("with t=1 every share is the key, and there is nothing to refresh; set every=0")

    @property
    def claim(self) -> Claim:
        """Any t agents taken within one period open everything; the authority reads what its warrants cover."""
        when = f"taken within {self.every} days" if self.every else "together"
        lost = " One agent that speaks last biases the key." if self.generation == "joint-feldman" else ""
        if self.n < 2 * self.t - 1:
            lost += f" Access ends without {self.t - 1} of the agents, because fewer than {self.t} are left."
        return Claim(
            words=f"Any {self.t} of {self.n} agents {when} can open every message, fewer learn nothing, if old shares"
            f" are erased; the authority reads what a warrant covers, by the agents' promise and this project's.{lost}",
            section="GJKR, section 2; HJKY, on the mobile adversary",
            grants=(
                *DEVICES,
                Grant("agent-*", "everything", self.t, period=self.every),
                Grant("authority", "in scope of a served warrant"),
            ),
            access="in scope",
            sources=(
                Quotation(
                    "the adversary willing to learn the secret needs to break to all k locations during the same time"
                    " period (e.g., one day, a week, etc.).",
                    "Herzberg, Jarecki, Krawczyk and Yung, Proactive Secret Sharing, 1995",
                    "abstract",
                ),
                Quotation(
                    "The contribution of this paper is to present two very practical threshold cryptosystems, and to"
                    " prove that they are secure against chosen ciphertext attack in the random oracle model.",
                    "Shoup and Gennaro, Securing Threshold Cryptosystems, version of 2001",
                    "abstract",
                ),
            ),
            model=(CLASSICAL, ONE_THEFT),
            choices=(
                Choice("erasure is perfect, broadcast is ideal, and nobody is absent at a refresh", favours=True),
                Choice('generation="joint-feldman" allows more holders than the proof does', favours=False),
                *EVASIONS,
                ONE_COURT,
            ),
        )

    @property
    def agents(self) -> tuple[str, ...]:
        """The names of the agents."""
        return tuple(f"agent-{i}" for i in range(1, self.n + 1))

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the agents and the parties of plain, who know the agents' names."""
        keys = [self._key(name) for name in self.agents]
        roster, hiding = tuple(key.public for key in keys), self.generation == "gjkr"
        for index, (name, key) in enumerate(zip(self.agents, keys, strict=True), 1):
            yield self.agent(name, index, self.agents, roster, self.t, hiding, key, court=court)
        for party in super().cast(users, court):
            if isinstance(party, ThresholdDevice | ThresholdAuthority):
                party.heard = KnownSharings(self.agents, self.t)
            yield party

    def _key(self, agent: str) -> MemberKey:
        with crypto.acting(agent):
            return crypto.new_signing_key(MemberKey)

    def setup(self, wire: Wire) -> None:
        """Let the agents generate the key and announce it."""
        hold_run(wire, self.agents, Purpose("key", 0))
        told = ThresholdDevice | ThresholdAuthority
        self._announce(wire, [name for name, party in wire.parties.items() if isinstance(party, told)])

    def each_day(self, wire: Wire, day: int) -> None:
        """Refresh the shares; then agents without a share of the new epoch recover it.

        An agent reboots only if t others have shares.
        """
        if not self.every or day == 0 or day % self.every:
            return
        agents = [wire.party(name, ThresholdAgent) for name in self.agents]
        turn = agents[day // self.every % self.n]
        if self.reboots and sum(agent.share is not None for agent in agents if agent is not turn) >= self.t:
            turn.reboot()
        hold_run(wire, self.agents, Purpose("refresh", day))
        for agent in agents:
            if agent.share is None and self.t < self.n:
                hold_run(wire, self.agents, Purpose("recovery", day, agent.index))
        self._announce(wire, ["authority"])

    def _announce(self, wire: Wire, to: Sequence[str]) -> None:
        for name in self.agents:
            with crypto.acting(name):
                wire.party(name, ThresholdAgent).announce(wire, to)

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask agents about each field that the warrant covers until t partials open it, and yield the texts."""
        authority = of_kind(authority, ThresholdAuthority)
        for intercept, field in wanted(authority, warrant, intercepted, ThresholdField):
            parts = self._partials(authority, wire, warrant, field)
            sharing = authority.heard.at(parts[0].epoch) if parts else None
            if sharing is None:
                continue
            try:
                key = unwrap(field, tdh2.unmask(field.ciphertext, tdh2.combine(sharing, parts)))
            except Forged as error:
                wire.complain(authority.name, error)
                continue
            yield from open_intercepted(authority, intercept, key)

    def _partials(
        self, authority: ThresholdAuthority, wire: Wire, warrant: Warrant, field: ThresholdField
    ) -> tuple[TdhPartial, ...]:
        """Return the first t proven partials of one epoch, or none; the maker of a wrong one is blamed."""
        epochs: dict[int, list[TdhPartial]] = {}
        for index, name in enumerate(self.agents, 1):
            try:
                part = open_partial(authority.ask(wire, name, warrant, field), authority.key.agreement)
            except EscrowError as error:
                wire.complain(name, error)
                continue
            if fault := authority.fault(index, part, field):
                wire.alarm(authority.name, f"wrong partial of {name}: {fault}")
                continue
            together = epochs.setdefault(part.epoch, [])
            together.append(part)
            if len(together) == self.t:
                return tuple(together)
        return ()


SCHEME = Threshold()

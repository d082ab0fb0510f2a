"""Split escrow key: the key that opens every message is held in shares, and t of n agents must act.

  setup    dealer: x = f(0), x_i = f(i) to agent i, commitments to all (Feldman); the dealer forgets
  complain an agent without a fitting share tells all; the dealer answers with that share in the open, to fewer than t;
           else the dealing failed, and nobody escrows to its key: clients send nothing (failed=stop), or no field;
           after the set-up no complaint counts, or one agent could end the escrow on any day
  send     R = [r]G, w = Seal(H([r][x]G, c), k; c), π = proof of r for (R, c)     c = number, people, day, header
  partial  agent i, on a warrant, checks π and returns [x_i]R with a proof        the maker of a wrong one is blamed
  access   any t proven partials give [x]R, hence k
  weak     t agents open every message ever sent; scope and time are promises of n - t + 1 of them

Without π a requester could give R other labels, and one lawful warrant would open everything. Each party knows t and n,
each agent its number, and takes the group from the dealer only, once.
Source: Desmedt and Frankel, "Threshold cryptosystems", CRYPTO '89; Feldman, FOCS '87; the label in the proof's hash
as in Shoup and Gennaro, "Securing threshold cryptosystems against chosen ciphertext attack", EUROCRYPT '98.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import ClassVar, Literal

import msgspec

from escrow import codec, crypto
from escrow.codec import Packet, Public
from escrow.crypto import Private, new_private, open_sealed, seal, sha256
from escrow.derivation import Checks, derivation, service
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Malformed, Refused
from escrow.grants import Choice, Claim, Exclusion, Grant, Quotation
from escrow.primitives import group, hpke
from escrow.principal import Principal, of_kind, shared
from escrow.scheme import AccessField, Intercept, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes.plain import CLASSICAL, DEVICES, EVASIONS, ONE_COURT, ONE_THEFT, FieldScheme
from escrow.sharing import elgamal
from escrow.sharing.accusations import Accusations, NoShare, RevealedShare, number_in
from escrow.sharing.elgamal import Capsule, EscrowGroup, KeyShare, Opened, Partial
from escrow.warrant import Answer, Authority, Official, Warrant, open_answer, promises
from escrow.wire import Wire

_DEAL = b"escrow-lab deal"
DEALER, AGENT = "dealer", "agent"
MOST_AGENTS = 1_000


class HeldShare(KeyShare, frozen=True, dict=True):
    """An agent's share, and the public key (32 bytes) of the court whose warrants it honours."""

    court: Public


class SplitField(AccessField, frozen=True, dict=True):
    """R (33 bytes) towards the agents' group, the message key under the shared point (48), the proof of r (64)."""

    header: Public
    capsule: Capsule
    wrapped: Public
    proof: Public

    def context(self) -> bytes:
        """Return everything that the field says about the message, to which wrap and proof are bound."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.header, self.capsule.group))

    @cached_property
    def proven(self) -> bool:
        """Whether the maker of these labels proved that it knows r."""
        return group.schnorr_verify(self.capsule.point, self.proof, self.context())


@derivation("field.capsule.group = opened.group, field.capsule.point = opened.point")
def unwrap(field: SplitField, opened: Opened) -> MessageKey:
    """Return the message key. Raise Forged if the shared point is another's, or the labels were changed."""
    context = field.context()
    return MessageKey(field.chain, field.n, open_sealed(sha256(opened.value, context), field.wrapped, context))


@service(elgamal.partial, holder="share", given="capsule = field.capsule")
def agent_checks(share: HeldShare, warrant: Warrant, field: SplitField) -> Checks:
    """Yield what each agent promises to check before it gives its part."""
    yield from promises(share.court, warrant, field.people, field.day)
    yield "proof that the sender made this field", field.proven


@derivation("answer.to = key.public")
def open_partial(answer: Answer, key: Private) -> Partial:
    """Return a partial with its proof from an agent's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, Partial)


class Dealt(Packet, frozen=True):
    """The dealer hands an agent its share, sealed to the agent's transport key (X25519)."""

    group: EscrowGroup
    sealed: Public


class Published(Packet, frozen=True):
    """The group's public data, for clients and authority."""

    group: EscrowGroup


class SplitDevice(device.Device):
    """A device whose client escrows message keys to t of n agents; if the dealing failed, it sends `unescrowed`."""

    t: int = 0
    n: int = 0
    group: EscrowGroup | None = None
    accusations: Accusations = msgspec.field(default_factory=Accusations)
    unescrowed: bool = False

    def on_published(self, sender: str, packet: Published, wire: Wire) -> None:
        """Keep the agents' group, to which this client escrows."""
        self.group = pinned(self, sender, packet)

    @shared("each agent says whether it holds a share")
    def on_no_share(self, sender: str, packet: NoShare, wire: Wire) -> None:
        """Note an agent's complaint."""
        self.accusations.hear(accuser(self, sender))

    def on_revealed(self, sender: str, packet: RevealedShare, wire: Wire) -> None:
        """Strike out a complaint that the dealer answers with a share that fits the group."""
        self.insist(sender == DEALER, "the dealer answers a complaint")
        fits = self.group is not None and elgamal.share_fits(self.group, packet.share)
        self.insist(fits, "share fits the dealer's commitments")
        self.accusations.strike_out(packet.share.index)

    def access_field(self, key: MessageKey, context: FieldContext) -> SplitField | None:
        """Return the message key under a fresh capsule, with the proof of r; None or Refused if the dealing failed."""
        if self.group is None:
            raise Refused(self.name, "no escrow group was published")
        if self.accusations.are_fatal(self.t):
            who = ", ".join(f"{AGENT}-{number}" for number in self.accusations.accusers)
            self.insist(self.unescrowed, f"the dealing failed: {who} complained")
            return None
        capsule, r, shared = elgamal.encapsulate(self.group)
        labels = (key.chain, key.n, context.people, context.day, sha256(context.header), capsule)
        bound = SplitField(*labels, b"", b"").context()
        wrapped = seal(sha256(shared, bound), key.value, bound)
        return SplitField(*labels, wrapped, group.schnorr_prove(group.scalar(r), capsule.point, bound))


class SplitAgent(Official):
    """Escrow agent number `index`, from 1, of `n`; `t` are needed. `transport` is used once, to receive the share."""

    court: Public
    transport: Private | None
    index: int
    t: int
    n: int
    share: HeldShare | None = None

    def on_dealt(self, sender: str, packet: Dealt, wire: Wire) -> None:
        """Keep this agent's share of a t-of-n group, and erase the transport key; else refuse and alarm."""
        self.insist(sender == DEALER, "a deal comes from the dealer")
        if self.transport is None:
            raise Forged("a second deal: the key that opened the first was erased")
        share = codec.decode(hpke.open_(self.transport, packet.sealed, _DEAL), KeyShare)
        for reason, holds, fault in self._fit(packet.group, share):
            if not holds:
                wire.alarm(self.name, f"{DEALER}: {fault}")
            self.insist(holds, reason)
        self.share = HeldShare(share.group, share.index, share.raw, self.court)
        self.transport = None

    def complain(self, wire: Wire, to: Iterable[str]) -> None:
        """Tell these parties if this agent holds no share."""
        if self.share is None:
            wire.announce(self.name, to, NoShare())

    def _fit(self, made: EscrowGroup, share: KeyShare) -> Iterator[tuple[str, bool, str]]:
        """Yield the checks on a deal: (reason to refuse, whether it holds, the dealer's fault)."""
        sizes = (made.t, made.n) == (self.t, self.n)
        yield "the deal is of t of n agents", sizes, f"it deals {made.t} of {made.n}, not {self.t} of {self.n}"
        yield "share is this agent's", share.index == self.index, f"it deals share {share.index} to agent {self.index}"
        fits = elgamal.share_fits(made, share)
        yield "share fits the dealer's commitments", fits, "its share does not fit its commitments"

    promise = agent_checks

    def held(self, subject: SplitField) -> HeldShare:
        """Return this agent's share. Raise Refused if it has none."""
        if self.share is None:
            raise Refused(self.name, "it holds no share")
        return self.share


class Dealer(Principal):
    """A dealer that deals once. No part of the key stays in its state: complaints are answered, `dealt` is erased."""

    t: int
    n: int
    dealt: list[KeyShare] = []
    accusations: Accusations = msgspec.field(default_factory=Accusations)

    def deal(self, wire: Wire, agents: Sequence[SplitAgent], others: Iterable[str]) -> None:
        """Deal a fresh key to the agents and publish the group to the others."""
        made, shares = elgamal.deal(self.t, self.n)
        self.dealt = list(self.handed(shares))
        for agent, share in zip(agents, self.dealt, strict=True):
            try:
                if agent.transport is None:
                    raise Malformed(f"{agent.name} has no key under which a share can be sealed")
                sealed = hpke.seal(agent.transport.public, codec.encode(share), _DEAL)
                wire.ask(self.name, agent.name, Dealt(made, sealed), type(None))
            except EscrowError as error:
                wire.complain(agent.name, error)
        wire.announce(self.name, others, Published(made))

    @shared("each agent says whether it holds a share")
    def on_no_share(self, sender: str, packet: NoShare, wire: Wire) -> None:
        """Note an agent's complaint."""
        self.accusations.hear(accuser(self, sender))

    def rebut(self, wire: Wire, to: Sequence[str]) -> None:
        """Reveal the shares of agents that complained, if they are fewer than t, forget all, and hear no more."""
        accusers = self.accusations.accusers
        for share in self.dealt:
            if share.index in accusers and len(accusers) < self.t:
                wire.announce(self.name, to, RevealedShare(share))
        self.dealt = []
        self.accusations.end()

    def handed(self, shares: Sequence[KeyShare]) -> Sequence[KeyShare]:
        """Return the shares that the agents are given: the true ones. A corrupted dealer gives others."""
        return shares


class SplitAuthority(Authority):
    """An authority that knows the agents' group, so that it can find a wrong partial and its maker."""

    t: int = 0
    n: int = 0
    group: EscrowGroup | None = None

    def on_published(self, sender: str, packet: Published, wire: Wire) -> None:
        """Keep the agents' group."""
        self.group = pinned(self, sender, packet)


def accuser(reader: SplitDevice | Dealer, sender: str) -> int:
    """Return the number of the agent that complains. The reader raises Refused if the sender is not an agent."""
    number = number_in(reader.n, sender, AGENT)
    reader.insist(number > 0, "an agent complains of its deal")
    return number


def pinned(reader: SplitDevice | SplitAuthority, sender: str, told: Published) -> EscrowGroup:
    """Return the published group. The reader raises Refused if it is not the dealer's, of t of n agents, the first."""
    sizes = (told.group.t, told.group.n)
    reader.insist(sender == DEALER, "the dealer publishes the group")
    thief = isinstance(reader, SplitAuthority) and reader.n == 0  # an authority to whom no cast told the sizes
    reader.insist(thief or sizes == (reader.t, reader.n), "the group is of t of n agents")
    reader.insist(reader.group in (None, told.group), "a group that was published does not change")
    return told.group


class SplitKey(FieldScheme, frozen=True, kw_only=True):
    """`t` of `n` agents. `failed` is what clients do if the dealing failed: stop, or send texts unescrowed."""

    name = "split-key"
    title = "Split escrow key, t of n agents"
    source = Source("Desmedt and Frankel", "Threshold cryptosystems", 1989, "ElGamal", "messages")
    sealed_facts = (
        SealedFact("KeyShare", named="{}: its share does not fit its commitments"),
        SealedFact("Partial", named="wrong partial of {}"),
    )
    in_pages = True
    device = SplitDevice
    authority = SplitAuthority
    agent: ClassVar[type[SplitAgent]] = SplitAgent
    t: int = 2
    n: int = 3
    failed: Literal["stop", "unescrowed"] = "stop"
    options = (*FieldScheme.options, "failed")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.t <= self.n <= MOST_AGENTS:
            raise ValueError(f"t={self.t} of n={self.n} agents: it must be 1 <= t <= n <= {MOST_AGENTS}")

    @property
    def claim(self) -> Claim:
        """Any t agents open everything; the authority reads what its warrants cover."""
        return Claim(
            words=f"Any {self.t} of {self.n} agents together can open every message, fewer learn nothing, if the dealer"
            " is honest and forgets. No source promises what an authority reads: that is this project's.",
            section="decryption by a group, whose shared key is never rebuilt",
            grants=(
                *DEVICES,
                Grant("agent-*", "everything", self.t),
                Grant("authority", "in scope of a served warrant"),
            ),
            access="in scope",
            sources=(
                Quotation(
                    "A group decrypts without interaction, and its shared key is reusable and not revealed.",
                    "Desmedt and Frankel, Threshold Cryptosystems, 1989",
                    "not read; after summaries of others",
                    verbatim=False,
                ),
            ),
            model=(
                CLASSICAL,
                ONE_THEFT,
                Exclusion("dealer", "the dealer is honest and forgets", "Desmedt and Frankel, 1989"),
            ),
            choices=(
                Choice(
                    "the key is dealt once for ever, though nothing forbids that a dealer refreshes it", favours=False
                ),
                self._choice_if_failed,
                *EVASIONS,
                ONE_COURT,
            ),
        )

    @property
    def _choice_if_failed(self) -> Choice:
        stop = "as the source's protocol ends there, clients send nothing (failed=stop)"
        go_on = "clients send texts without a field (failed=unescrowed)"
        said = f"{stop}; else {go_on}" if self.failed == "stop" else go_on
        return Choice(f"after a dealing that failed, {said}", favours=self.failed == "stop")

    @property
    def agents(self) -> tuple[str, ...]:
        """The names of the agents."""
        return tuple(f"{AGENT}-{number}" for number in range(1, self.n + 1))

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the dealer, the agents and the parties of plain."""
        yield Dealer(DEALER, self.t, self.n)
        for index, name in enumerate(self.agents, 1):
            with crypto.acting(name):
                yield self.agent(name, court, new_private(), index, self.t, self.n)
        for party in super().cast(users, court):
            if isinstance(party, SplitDevice | SplitAuthority):
                party.t, party.n = self.t, self.n
            if isinstance(party, SplitDevice):
                party.unescrowed = self.failed == "unescrowed"
            yield party

    def setup(self, wire: Wire) -> None:
        """Let the dealer deal the key and publish the group."""
        dealer, agents = wire.party(DEALER, Dealer), [wire.party(name, SplitAgent) for name in self.agents]
        others = [name for name, party in wire.parties.items() if isinstance(party, SplitDevice | SplitAuthority)]
        devices = [name for name in others if isinstance(wire.parties[name], SplitDevice)]
        with crypto.acting(dealer.name):
            dealer.deal(wire, agents, others)
        for agent in agents:
            agent.complain(wire, (DEALER, *devices))
        with crypto.acting(dealer.name):
            dealer.rebut(wire, devices)
        for name in devices:
            wire.party(name, SplitDevice).accusations.end()

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask agents about each field that the warrant covers until t partials open it, and yield the texts."""
        authority = of_kind(authority, SplitAuthority)
        if authority.group is None:
            wire.complain(authority.name, Refused(authority.name, "no escrow group was published"))
            return
        for intercept, field in wanted(authority, warrant, intercepted, SplitField):
            partials = tuple(self._partials(authority, wire, warrant, field))
            if len(partials) < self.t:
                continue
            try:
                key = unwrap(field, elgamal.combine_partials(authority.group, partials))
            except Forged as error:
                wire.complain(authority.name, error)
                continue
            yield from open_intercepted(authority, intercept, key)

    def _partials(
        self, authority: SplitAuthority, wire: Wire, warrant: Warrant, field: SplitField
    ) -> Iterator[Partial]:
        """Yield proven partials, asking one agent after another until there are t; wrong ones are blamed."""

        def fits(index: int, part: Partial) -> bool:
            known = authority.group
            return known is not None and part.index == index and not elgamal.culprits(known, [part])

        agents = enumerate(self.agents, 1)
        yield from islice(authority.gather(wire, warrant, field, agents, open_partial, fits, "partial"), self.t)


SCHEME = SplitKey()

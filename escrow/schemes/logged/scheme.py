"""Accountable access: the agent of `envelope` answers only to warrants that stand in a public log.

  enter    authority --H(warrant), day of unsealing--> log           the entry hides whom the warrant is about
  show     authority --entry, inclusion, consistency--> agent        the agent checks them against the log's signed head
  keep     the agent keeps the last head that it saw                 holder=hsm: it takes only heads that extend it
  answer   as in `envelope`, and the warrant's entry was shown       holder=promise: any head with the log's signature
  unseal   authority --warrant--> monitor, on the day that the entry names
  watch    the monitor reads the whole log every morning             a rewritten log, or an entry not unsealed: alarm
  reach    prospective: a warrant opens only what was sealed after it was entered (escrow.schemes.logged.prospective)
  gossip   daily: the monitor asks the agent for its last head, and compares; witness: the agent takes only heads that
           the monitor signed; none: nobody compares
           an agent that keeps no head (holder=promise) hides a fork that lasts less than a day from who compares
  weak     the agent's key opens every message ever sent; the court's key with an entry in the open does so in public

Source: Ryan, "Making decryption accountable", Security Protocols XXV, 2017: a trusted device decrypts only with proofs
of inclusion and of extension since the last root that it saw. Trees and proofs are RFC 9162's. *Emulated*: the device
is simulated, the log of warrants in place of requests, the days of unsealing and the messages here are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, Literal

from escrow import crypto
from escrow.codec import Fact, Public
from escrow.derivation import Checks, service
from escrow.e2ee.policing import Policing
from escrow.errors import EscrowError, Forged
from escrow.grants import Choice, Claim, Concession, Exclusion, Grant, Quotation
from escrow.principal import Principal, shared
from escrow.scheme import Intercept, Overheard, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes.envelope import (
    AgentKey,
    Envelope,
    EnvelopeAgent,
    EnvelopeDevice,
    EnvelopeScheme,
    open_field,
    open_message_key,
)
from escrow.schemes.logged.log import (
    AGENT,
    AUTHORITY,
    LOG,
    MONITOR,
    AskLastHead,
    AskWitness,
    EnterWarrant,
    EntryEvidence,
    LastHead,
    LogEntry,
    LogHead,
    LogKey,
    SignedHead,
    Unsealed,
    WarrantLog,
    commitment,
)
from escrow.schemes.logged.monitor import Monitor, WitnessKey
from escrow.schemes.logged.prospective import (
    DatedDevice,
    DatedEnvelope,
    DatedLog,
    DatedMonitor,
    StoodInLog,
    dated_checks,
    proofs,
)
from escrow.schemes.plain import CLASSICAL, DEVICES, EVASIONS, ONE_COURT, ONE_THEFT
from escrow.transparency import merkle
from escrow.warrant import Authority, Warrant, promises
from escrow.wire import Wire

IN_LOG = "warrant stands in the log"
RYAN = "Ryan, Making Decryption Accountable, Security Protocols XXV, 2017"
EVIDENCE = Quotation(
    "We describe a protocol that forces decryptors to create such information. The information can't be discarded or"
    " suppressed without detection. The protocol relies on a trusted hardware device.",
    RYAN,
    "abstract",
)
SINCE = "in scope of a served warrant and from service on"
EMULATED = Choice(
    "prospective access is emulated: an agent, whose key opens all, checks a proof; in ARLEAS (Green, Kaptchuk and Van"
    " Laer, 2021) the log's state at the time of sealing decides by cryptography",
    favours=False,
)
Gossip = Literal["none", "daily", "witness"]
COMPARED: dict[Gossip, Choice] = {
    "none": Choice("one monitor reads the whole log every day, and nobody compares it with the device", favours=False),
    "daily": Choice("one monitor reads the whole log every day, and compares heads with the device", favours=True),
    "witness": Choice("one monitor reads the whole log, and the device takes only heads that it signed", favours=True),
}


class EnteredWarrant(Fact, frozen=True):
    """What an authority remembers of an entry."""

    number: int
    unsealed: int
    warrant: Warrant


class LoggedAuthority(Authority):
    """An authority that enters its warrants in the log, shows the proofs to the agent, and unseals them."""

    entered: list[EnteredWarrant] = []

    def enter(self, wire: Wire, warrant: Warrant, unsealed: int, witnessed: bool) -> None:
        """Enter a warrant, to be unsealed on a day, and show the agent that it stands in the log.

        Raises:
            EscrowError: the log's, the monitor's or the agent's own error; Forged or Malformed if the log proves
                another entry, or another number.
        """
        entry = LogEntry(commitment(warrant), unsealed, self.name)
        seen = wire.ask(self.name, AGENT, AskLastHead(), LastHead).head
        shown = wire.ask(self.name, LOG, EnterWarrant(entry, seen.size if seen else 0), EntryEvidence)
        if shown.entry != entry:
            raise Forged("the log proves another entry")
        head, hashed = shown.signed.head, merkle.leaf_hash(entry.leaf)
        merkle.check_inclusion(hashed, shown.number, head.size, shown.inclusion, head.root)
        self.entered.append(EnteredWarrant(shown.number, unsealed, warrant))  # to be unsealed, also if it is not shown
        if witnessed:
            signed = wire.ask(self.name, MONITOR, AskWitness(shown.signed), SignedHead)
            shown = EntryEvidence(shown.entry, shown.number, signed, shown.inclusion, shown.consistency)
        wire.ask(self.name, AGENT, shown, type(None))

    def unseal(self, wire: Wire) -> None:
        """Show the monitor each warrant whose day has come, again each morning until it is accepted."""
        for each in [each for each in self.entered if each.unsealed <= wire.day]:
            try:
                wire.ask(self.name, MONITOR, Unsealed(each.number, each.warrant), type(None))
            except EscrowError as error:
                wire.complain(MONITOR, error)
                continue
            self.entered.remove(each)


@service(open_field, holder="key")
def holder_checks(key: AgentKey, warrant: Warrant, field: Envelope) -> Checks:
    """Yield what the agent promises to check before it opens a field, beside the log."""
    return promises(key.court, warrant, field.people, field.day)


class LoggedAgent(EnvelopeAgent):
    """The agent: a trusted device (simulated), or an official that promises to look into the log."""

    log: Public
    witness: Public
    keeps_head: bool
    longest: int
    head: LogHead | None = None
    shown: list[Public] = []

    promise: ClassVar[Callable[..., Checks]] = holder_checks

    @shared("whoever has a proof may show it", anybody=True)
    def on_evidence(self, sender: str, packet: EntryEvidence, wire: Wire) -> None:
        """Take note of an entry in the log, by its proofs."""
        head, last = packet.signed.head, self.head
        self.insist(packet.signed.signed_by(self.log), "the log signed the head")
        self.insist(not self.witness or packet.signed.seen_by(self.witness), "the monitor signed the head")
        self.insist(packet.entry.unsealed <= wire.day + self.longest, "the entry is unsealed soon enough")
        hashed = merkle.leaf_hash(packet.entry.leaf)
        merkle.check_inclusion(hashed, packet.number, head.size, packet.inclusion, head.root)
        if self.keeps_head and last is not None:
            self.insist(last.size <= head.size, "the head is not older than the last one")
            merkle.check_consistency(last.size, last.root, head.size, head.root, packet.consistency)
        self.head = head
        if packet.entry.commitment not in self.shown:
            self.shown.append(packet.entry.commitment)

    @shared("the last head is no secret", anybody=True)
    def on_last_head(self, sender: str, packet: AskLastHead, wire: Wire) -> LastHead:
        """Return the head that this agent saw last."""
        return LastHead(self.head)

    def timely(self, warrant: Warrant, day: int) -> Checks:
        """Yield the checks on the dates of a warrant, and whether its entry was shown."""
        yield from super().timely(warrant, day)
        yield IN_LOG, commitment(warrant) in self.shown


class DatedAgent(LoggedAgent):
    """The agent, which opens only fields that were sealed after the warrant's entry."""

    promise = dated_checks

    def held(self, *subjects: Envelope | StoodInLog) -> AgentKey:
        """Return the agent's key."""
        return self.key


class Logged(EnvelopeScheme, frozen=True, kw_only=True):
    """`holder` keeps the last head or not; `gossip` says who compares heads; warrants are unsealed after `days`.

    `reach` says whether a warrant opens what was sealed before it was entered in the log.
    """

    name = "logged"
    title = "Accountable access: warrants stand in a public log"
    source = Source("Ryan", "Making Decryption Accountable", 2017, "protocol", "messages")
    family = "Accountable access"
    sealed_facts = (SealedFact("MessageKey", unnamed="the agent proves nothing: a wrong key just opens no text"),)
    overheard = (Overheard(("Unsealed",), "a warrant is made public on the day that its entry names", warrants=True),)
    authority = LoggedAuthority
    options = (*EnvelopeScheme.options, "reach")
    holder: Literal["hsm", "promise"] = "hsm"
    gossip: Gossip = "daily"
    days: int = 5
    reach: Literal["retrospective", "prospective"] = "retrospective"
    policing: Policing = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.days < 1:
            raise ValueError(f"days={self.days}: a warrant is unsealed one day after its entry, or later")

    @property
    def dated(self) -> bool:
        """Whether fields are bound to the log's head."""
        return self.reach == "prospective"

    @property
    def device(self) -> type[EnvelopeDevice]:  # type: ignore[override]  # a parameter says which
        """The client: one that asks for the log's head before each text, where fields are bound to it."""
        return DatedDevice if self.dated else EnvelopeDevice

    @property
    def claim(self) -> Claim:
        """The agent opens everything; the authority reads what its warrants cover, and the log shows each warrant."""
        hardware = self.holder == "hsm"  # which the source trusts; an official that promises is ours
        excluded = (Exclusion(AGENT, "the protocol relies on a trusted hardware device", RYAN),) if hardware else ()
        trusted = () if hardware else (Grant(AGENT, "everything"),)
        held = "the trusted device is simulated" if hardware else "an official's promise stands for the trusted device"
        held += ", and there is one: whoever opens it has its key"
        if not hardware:
            held += "; it keeps no head, so that who compares misses a log that is forked for one entry, and then whole"
        return Claim(
            words="Nothing is decrypted without an entry in a public log, which cannot be taken back unnoticed as long"
            " as the device is trusted and those who read the log compare what they saw.",
            section="the abstract",
            grants=(*DEVICES, *trusted, Grant(AUTHORITY, SINCE if self.dated else "in scope of a served warrant")),
            access="from service" if self.dated else "in scope",
            sources=(EVIDENCE,),
            concessions=(Concession("court", "everything", EVIDENCE, active=True),),
            model=(CLASSICAL, ONE_THEFT, *excluded),
            choices=(
                *EVASIONS,
                ONE_COURT,
                *((EMULATED,) if self.dated else ()),
                Choice(held, favours=False),
                Choice(
                    "anybody may enter 1,000 entries; a late one gives an alarm that names its maker", favours=False
                ),
                Choice("the log holds warrants, each hidden until a fixed day, and not each request", favours=False),
                COMPARED[self.gossip],
                Choice(
                    "the log is open: who has the court's key can enter its orders, in public, and have them answered",
                    favours=False,
                ),
                Choice(
                    "what orders of a stolen court's key open is conceded, since the source promises evidence and does"
                    " not say who may order; whether evidence was left, the alarms tell",
                    favours=True,
                ),
                Choice("the field's people and day are believed, and AES-GCM taken as committing", favours=True),
            ),
        )

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of envelope, with an agent that knows the log; the log and its monitor."""
        with crypto.acting(LOG):
            key = crypto.new_signing_key(LogKey)
        with crypto.acting(MONITOR):
            eye = crypto.new_signing_key(WitnessKey)
        yield (DatedLog if self.dated else WarrantLog)(LOG, key=key)
        yield (DatedMonitor if self.dated else Monitor)(MONITOR, key=eye, log=key.public)
        witness = eye.public if self.gossip == "witness" else b""
        for party in super().cast(users, court):
            if isinstance(party, DatedDevice):
                party.log, party.witness, party.gossips = key.public, witness, self.gossip == "daily"
            if isinstance(party, EnvelopeAgent):
                yield (DatedAgent if self.dated else LoggedAgent)(
                    party.name,
                    party.key,
                    log=key.public,
                    witness=witness,
                    keeps_head=self.holder == "hsm",
                    longest=self.days,
                )
            else:
                yield party

    def each_day(self, wire: Wire, day: int) -> None:
        """Unseal what is due; then let the monitor read the log and compare."""
        super().each_day(wire, day)
        wire.party(AUTHORITY, LoggedAuthority).unseal(wire)
        monitor = wire.party(MONITOR, Monitor)
        monitor.watch(wire)
        if self.gossip == "daily":
            monitor.compare(wire)

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask the agent as in `envelope`; with reach=prospective, with the log's proof for each field."""
        if not self.dated:
            yield from super().access(authority, wire, warrant, intercepted)
            return
        covered = list(wanted(authority, warrant, intercepted, DatedEnvelope))
        found = proofs(wire, authority, warrant, [field for _, field in covered])
        for (intercept, field), proof in zip(covered, found, strict=True):
            if proof is None:
                continue
            try:
                answer = authority.ask(wire, AGENT, warrant, (field, proof))
                key = open_message_key(answer, authority.key.agreement)
            except EscrowError as error:
                wire.complain(AGENT, error)
                continue
            yield from open_intercepted(authority, intercept, key)

    def serve(self, authority: Authority, wire: Wire, warrant: Warrant) -> None:
        """Enter a warrant in the log, and show the agent that it stands there."""
        super().serve(authority, wire, warrant)
        if isinstance(authority, LoggedAuthority):
            try:
                authority.enter(wire, warrant, wire.day + self.days, self.gossip == "witness")
            except EscrowError as error:
                wire.complain(LOG, error)


SCHEME = Logged()

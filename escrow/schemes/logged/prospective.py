"""`logged` with reach=prospective: a warrant opens only what was sealed after the warrant stood in the log.

  head     before each text the client asks the log for its head, and takes one that the log signed and that is no
           smaller than the last; gossip=daily: it shows the head to the monitor; witness: the monitor signed it, too
  seal     the field is bound to this head: size and root are in HPKE's info
  ask      authority --(warrant, field, proof that the warrant's entry is in the tree of that head)--> agent
  weak     the proof is a check of the agent, whose key opens all; a client's question tells the log when it writes; a
           sender may bind a field to an older head, which nobody compares, and no warrant entered since opens it

*Emulated*: in prospective ARLEAS (Green, Kaptchuk and Van Laer, EUROCRYPT 2021, on prospective access) the ledger's
state at the time of encryption decides by cryptography who can open, and the client does not learn whether it is a
target. Here an agent with the key checks a proof. Nothing in a head tells a client whom an entry is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from escrow import codec
from escrow.codec import Fact, Packet, Public
from escrow.crypto import sha256
from escrow.derivation import Checks, honest_only, service
from escrow.e2ee.device import FieldContext
from escrow.e2ee.policing import ComputedKey
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Malformed
from escrow.primitives import hpke
from escrow.principal import Principal, shared
from escrow.schemes.envelope import AgentKey, Envelope, EnvelopeDevice, open_field
from escrow.schemes.logged.log import (
    LOG,
    MONITOR,
    AskGrowth,
    AskWitness,
    Growth,
    LogEntry,
    LogHead,
    SignedHead,
    WarrantLog,
    commitment,
    tree_of,
)
from escrow.schemes.logged.monitor import Monitor
from escrow.transparency import merkle
from escrow.warrant import Warrant, promises
from escrow.wire import Wire

BEFORE = "warrant stood in the log before the text was sealed"
NOTHING = LogHead(0, b"")


class DatedEnvelope(Envelope, frozen=True):
    """A message key sealed to the agent, and the head (size, and root of 32 bytes) of the log at that time."""

    at: LogHead

    def context(self) -> bytes:
        """Return HPKE's info: everything that the field says about the message, and the head."""
        return codec.encode((super().context(), self.at.size, self.at.root))


class StoodInLog(Fact, frozen=True):
    """The proof that the log had an entry, under this number from 0, when it had some head."""

    entry: LogEntry
    number: int
    inclusion: tuple[Public, ...]


class AskLogHead(Packet, frozen=True):
    """Somebody asks the log for its newest head."""


class ToldHead(Packet, frozen=True):
    """The log's newest head."""

    signed: SignedHead


class AskStanding(Packet, frozen=True):
    """Somebody asks whether the log had an entry for this commitment (32 bytes) when it had `size` entries."""

    unchecked = {"commitment": "a question", "size": "a question"}

    commitment: Public
    size: int


class ProvenStanding(Packet, frozen=True):
    """The log's answer: the proof, or that there was no such entry."""

    proof: StoodInLog | None


class SeenHead(Packet, frozen=True):
    """A client shows the monitor the head that it was given."""

    signed: SignedHead


def stood(warrant: Warrant, at: LogHead, proof: StoodInLog) -> bool:
    """Return whether a proof shows that the warrant's entry was in the log at a head."""
    if proof.entry.commitment != commitment(warrant):
        return False
    try:
        merkle.check_inclusion(merkle.leaf_hash(proof.entry.leaf), proof.number, at.size, proof.inclusion, at.root)
    except (Forged, Malformed):
        return False
    return True


@service(open_field, holder="key", final={BEFORE: "an entry is in no tree that was there before it"})
def dated_checks(key: AgentKey, warrant: Warrant, field: DatedEnvelope, proof: StoodInLog) -> Checks:
    """Yield what the agent promises to check before it opens a field."""
    yield from promises(key.court, warrant, field.people, field.day)
    yield BEFORE, stood(warrant, field.at, proof)


class DatedLog(WarrantLog):
    """The log, which also tells its head, and proves entries of earlier heads."""

    @shared("the log is open to all", anybody=True)
    def on_head(self, sender: str, packet: AskLogHead, wire: Wire) -> ToldHead:
        """Return the newest head."""
        return ToldHead(self.growth(self.entries, AskGrowth(len(self.entries))).signed)

    @shared("the log is open to all", anybody=True)
    def on_standing(self, sender: str, packet: AskStanding, wire: Wire) -> ProvenStanding:
        """Prove that there was an entry, if there was."""
        return self.standing(self.entries, packet)

    def standing(self, entries: Sequence[LogEntry], asked: AskStanding) -> ProvenStanding:
        """Return the proof that these entries, as many as were there then, had the one that is asked about."""
        then = list(entries[: max(asked.size, 0)])
        for number, entry in enumerate(then):
            if entry.commitment == asked.commitment and len(then) == asked.size:
                return ProvenStanding(StoodInLog(entry, number, tuple(tree_of(then).inclusion(number, len(then)))))
        return ProvenStanding(None)


class DatedMonitor(Monitor):
    """The monitor, to which clients show the heads that they were given, each as soon as it was."""

    @shared("whoever has a head may have it witnessed", anybody=True)
    def on_witness(self, sender: str, packet: AskWitness, wire: Wire) -> SignedHead:
        """Return the newest head with a signature."""
        signed = super().on_witness(sender, packet, wire)
        self.insist(packet.signed.head.size == len(self.entries), "the head is the newest")
        return signed

    @shared("whoever has a head may show it", anybody=True)
    def on_seen(self, sender: str, packet: SeenHead, wire: Wire) -> None:
        """Read the log, and alarm if a head that it signed is of another log, or is not its newest."""
        self.insist(packet.signed.signed_by(self.log), "the log signed the head")
        try:
            self._read(wire.ask(self.name, LOG, AskGrowth(len(self.entries)), Growth))
        except EscrowError as error:
            wire.alarm(self.name, f"the log: {error}")
            return
        head = packet.signed.head
        if not self._has(head):
            wire.alarm(
                self.name, f"a client shows a head of another log: at {head.size} entries its root is not the one here"
            )
        elif head.size < len(self.entries):
            wire.alarm(self.name, f"a client shows an old head: of {head.size} entries, and there are more")


class DatedDevice(EnvelopeDevice):
    """A client that binds each field to the log's head. `log` and `witness` are public keys (32 bytes), if any."""

    log: Public = b""
    witness: Public = b""
    gossips: bool = False
    head: LogHead = NOTHING

    def send(self, wire: Wire, peer: str, text: bytes) -> None:
        """Read the log's head, and send a text."""
        self.read_head(wire)
        super().send(wire, peer, text)

    def send_to_group(self, wire: Wire, group: str, text: bytes) -> None:
        """Read the log's head, and send a text to a group."""
        self.read_head(wire)
        super().send_to_group(wire, group, text)

    def read_head(self, wire: Wire) -> None:
        """Ask for the log's head. A log that does not answer as it should stops no text: the last head goes on."""
        try:
            signed = wire.ask(self.name, LOG, AskLogHead(), ToldHead).signed
            self.insist(signed.signed_by(self.log), "the log signed the head")
            self.insist(signed.head.size >= self.head.size, "the head is not older than the last one")
        except EscrowError as error:
            wire.alarm(self.name, f"the log's head: {error}")
            return
        try:
            if self.witness:
                signed = wire.ask(self.name, MONITOR, AskWitness(signed), SignedHead)
                self.insist(signed.seen_by(self.witness), "the monitor signed the head")
        except EscrowError as error:  # of which of the two it is the fault is not known here
            wire.complain(MONITOR, error)
            wire.alarm(self.name, "nobody witnesses the head that was told")
            return
        self.head = signed.head
        if self.gossips:
            wire.tell(self.name, MONITOR, SeenHead(signed))

    def admit(self, mail: Mail, found: ComputedKey) -> None:
        """Make the sender's field again with the head that it names, and raise Refused if it is not the sender's."""
        own = self.head
        with suppress(Malformed):
            self.head = codec.decode(mail.field, DatedEnvelope).at
        try:
            super().admit(mail, found)
        finally:
            self.head = own

    def access_field(self, key: MessageKey, context: FieldContext) -> DatedEnvelope:
        """Return the message key, sealed to the agent with its labels and the log's head."""
        said = (key.chain, key.n, context.people, context.day, self.agent, sha256(context.header))
        blank = DatedEnvelope(*said, b"", self.head)
        return DatedEnvelope(*said, hpke.seal(self.agent, key.value, blank.context()), self.head)


@honest_only("what an authority asks the log; the answers are packets")
def proofs(
    wire: Wire, asker: Principal, warrant: Warrant, fields: Sequence[DatedEnvelope]
) -> Iterator[StoodInLog | None]:
    """Yield for each field the log's proof that the warrant stood there before; None if it did not, or was not proved.

    The log is asked once for each head.
    """
    found: dict[int, StoodInLog | None] = {}
    for field in fields:
        if field.at.size not in found:
            asked = AskStanding(commitment(warrant), field.at.size)
            try:
                found[field.at.size] = wire.ask(asker.name, LOG, asked, ProvenStanding).proof
            except EscrowError as error:
                wire.complain(LOG, error)
                found[field.at.size] = None
        yield found[field.at.size]

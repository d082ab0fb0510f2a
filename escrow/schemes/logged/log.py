"""The public log of warrants: entries, signed heads, proofs, and what is said to the log and to its monitor.

The log is a Merkle tree whose leaves are encoded entries: see `escrow.transparency.merkle` (RFC 9162).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from escrow import codec, crypto
from escrow.codec import Fact, Packet, Public
from escrow.crypto import SigningKey, sha256
from escrow.principal import Principal, shared
from escrow.transparency import merkle
from escrow.warrant import Warrant
from escrow.wire import Wire

LOG, MONITOR, AGENT, AUTHORITY = "log", "monitor", "agent", "authority"
ENTRY, HEAD, SEEN = b"escrow-lab log entry", b"escrow-lab warrant log head", b"escrow-lab witnessed head"


class LogKey(SigningKey, frozen=True, dict=True):
    """The log's Ed25519 key pair."""


class LogEntry(Fact, frozen=True):
    """A warrant's commitment (32 bytes), the day on which the warrant is to be unsealed, and who entered it."""

    commitment: Public
    unsealed: int
    by: str

    @property
    def leaf(self) -> bytes:
        """Return the bytes that the log holds."""
        return codec.encode(self)


class LogHead(Fact, frozen=True):
    """The number of entries, and the root (32 bytes) over them."""

    size: int
    root: Public

    def under(self, label: bytes) -> bytes:
        """Return what is signed of it under a label: 32 bytes."""
        return sha256(label, codec.encode(self))


class SignedHead(Fact, frozen=True):
    """A head with the log's signature (64 bytes); `witness` is the monitor's signature (64 bytes), or empty."""

    head: LogHead
    signature: Public
    witness: Public = b""

    def signed_by(self, log: bytes) -> bool:
        """Return whether the log with this public key (32 bytes) signed it."""
        return crypto.verify(log, self.signature, self.head.under(HEAD))

    def seen_by(self, monitor: bytes) -> bool:
        """Return whether the monitor with this public key (32 bytes) signed it, too."""
        return crypto.verify(monitor, self.witness, self.head.under(SEEN))


def commitment(warrant: Warrant) -> bytes:
    """Return what the log holds of a warrant: 32 bytes. They hide the warrant, which has a nonce and a signature."""
    return sha256(ENTRY, codec.encode(warrant))


class EnterWarrant(Packet, frozen=True):
    """Somebody enters a warrant; `since` is the size of the head from which the proof of consistency is to lead."""

    unchecked = {
        "entry": "the log is open to all, and cannot know what an entry hides; who enters it checks what it gets back",
        "since": "a question",
    }

    entry: LogEntry
    since: int


class EntryEvidence(Packet, frozen=True):
    """An entry, its number from 0, a head, and the proofs that the head has the entry and extends an earlier one."""

    entry: LogEntry
    number: int
    signed: SignedHead
    inclusion: tuple[Public, ...]
    consistency: tuple[Public, ...]


class AskLastHead(Packet, frozen=True):
    """Somebody asks the agent which head it saw last."""


class LastHead(Packet, frozen=True):
    """The head that the agent saw last, if there is one."""

    head: LogHead | None


class AskGrowth(Packet, frozen=True):
    """Somebody asks the log for its entries from number `since` on."""

    unchecked = {"since": "a question"}

    since: int


class Growth(Packet, frozen=True):
    """The entries asked for, and the newest head."""

    entries: tuple[LogEntry, ...]
    signed: SignedHead


class AskWitness(Packet, frozen=True):
    """Somebody asks the monitor to read the log up to a head, and to sign the head."""

    signed: SignedHead


class Unsealed(Packet, frozen=True):
    """The authority makes a warrant public that was entered under this number."""

    number: int
    warrant: Warrant


class WarrantLog(Principal, dict=True):
    """The public log. Honest, it only appends, and shows the same entries to all.

    Anybody may enter something, up to `MOST` entries, and is named beside it.
    """

    MOST: ClassVar[int] = 1000

    key: LogKey
    entries: list[LogEntry] = []

    @shared("the log is open to all", anybody=True)
    def on_enter(self, sender: str, packet: EnterWarrant, wire: Wire) -> EntryEvidence:
        """Append an entry, unless it is there, and return its proofs."""
        self.insist(len(packet.entry.commitment) == merkle.HASH, "a commitment is 32 bytes")
        self.insist(packet.entry.by == sender, "an entry says who entered it")
        new = packet.entry not in self.entries
        self.insist(0 <= packet.since <= len(self.entries) + new, "the log has as many entries as that head")
        if new:
            own = sum(each.by == sender for each in self.entries)
            self.insist(own < self.MOST, f"{sender} has {own} entries, which is the most that one may enter")
            self.entries.append(packet.entry)
        return self.evidence(self.entries, packet)

    @shared("the log is open to all", anybody=True)
    def on_growth(self, sender: str, packet: AskGrowth, wire: Wire) -> Growth:
        """Return the entries from a number on."""
        self.insist(0 <= packet.since <= len(self.entries), "the log has so many entries")
        return self.growth(self.entries, packet)

    def evidence(self, entries: list[LogEntry], asked: EnterWarrant) -> EntryEvidence:
        """Return the proofs that these entries have the one that is asked about."""
        tree, size, number = tree_of(entries, self), len(entries), entries.index(asked.entry)
        grown = tree.consistency(asked.since, size) if asked.since else []
        return EntryEvidence(asked.entry, number, self._head(tree), tuple(tree.inclusion(number, size)), tuple(grown))

    def growth(self, entries: list[LogEntry], asked: AskGrowth) -> Growth:
        """Return these entries from a number on, with the head over all of them."""
        return Growth(tuple(entries[asked.since :]), self._head(tree_of(entries, self)))

    def _head(self, tree: merkle.Log) -> SignedHead:
        head = LogHead(len(tree), tree.root())
        return SignedHead(head, self.key.sign(head.under(HEAD)))


def tree_of(entries: Sequence[LogEntry], reader: Principal | None = None) -> merkle.Log:
    """Return the Merkle tree over some entries.

    A reader's tree is kept beside its fields, and grows if the entries begin with those of the last time: so each new
    entry is hashed once. It follows from the entries, so that a party that comes back from its state makes it again.
    """
    kept: dict[str, Any] = {} if reader is None else reader.__dict__
    known: list[LogEntry] = kept.get("known", [])
    tree: merkle.Log = kept.get("tree", merkle.Log())
    if known != entries[: len(known)]:
        known, tree = [], merkle.Log()
    for entry in entries[len(known) :]:
        tree.append(entry.leaf)
    kept |= {"known": list(entries), "tree": tree}
    return tree

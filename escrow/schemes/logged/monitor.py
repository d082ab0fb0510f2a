"""The monitor, which reads the whole log of warrants and compares it with what the agent saw."""

from __future__ import annotations

from escrow.codec import Public
from escrow.crypto import SigningKey
from escrow.errors import EscrowError, Forged
from escrow.principal import Principal, shared
from escrow.schemes.logged.log import (
    AGENT,
    AUTHORITY,
    LOG,
    SEEN,
    AskGrowth,
    AskLastHead,
    AskWitness,
    Growth,
    LastHead,
    LogEntry,
    LogHead,
    SignedHead,
    Unsealed,
    commitment,
    tree_of,
)
from escrow.wire import Wire


class WitnessKey(SigningKey, frozen=True, dict=True):
    """The monitor's Ed25519 key pair, with which it signs heads that it has read."""


class Monitor(Principal, dict=True):
    """Reads the whole log each morning, and gives alarm about what is wrong with it.

    `unsealed` and `late` are numbers of entries: those that were unsealed, and those that it gave alarm about.
    """

    key: WitnessKey
    log: Public
    entries: list[LogEntry] = []
    unsealed: list[int] = []
    late: list[int] = []

    def watch(self, wire: Wire) -> None:
        """Read what the log has new; alarm if it does not extend what was read, or an entry is overdue."""
        try:
            grown = wire.ask(self.name, LOG, AskGrowth(len(self.entries)), Growth)
            self._read(grown)
        except EscrowError as error:
            wire.alarm(self.name, f"the log: {error}")
        for number, entry in enumerate(self.entries):
            if entry.unsealed < wire.day and number not in self.unsealed and number not in self.late:
                self.late.append(number)
                wire.alarm(self.name, f"entry {number} of {entry.by} was not unsealed by day {entry.unsealed}")

    def compare(self, wire: Wire) -> None:
        """Ask the agent which head it saw; alarm if it does not say, or if the log has another root at that size."""
        try:
            head = wire.ask(self.name, AGENT, AskLastHead(), LastHead).head
        except EscrowError as error:
            wire.alarm(self.name, f"the agent does not say which head it saw: {error}")
            return
        if head is not None and not self._has(head):
            wire.alarm(
                self.name, f"the agent saw another log: at {head.size} entries its root is not the one read here"
            )

    @shared("whoever has a head may have it witnessed", anybody=True)
    def on_witness(self, sender: str, packet: AskWitness, wire: Wire) -> SignedHead:
        """Read the log up to a head, and return the head with a signature."""
        self._read(wire.ask(self.name, LOG, AskGrowth(len(self.entries)), Growth))
        head = packet.signed.head
        self.insist(self._has(head), "the head is of the log that was read here")
        return SignedHead(head, packet.signed.signature, self.key.sign(head.under(SEEN)))

    def on_unsealed(self, sender: str, packet: Unsealed, wire: Wire) -> None:
        """Note that an entry was unsealed, after reading the log if the entry is newer than what was read."""
        self.insist(sender == AUTHORITY, "the authority unseals")
        if packet.number >= len(self.entries):
            self._read(wire.ask(self.name, LOG, AskGrowth(len(self.entries)), Growth))
        self.insist(0 <= packet.number < len(self.entries), "there is such an entry")
        fits = self.entries[packet.number].commitment == commitment(packet.warrant)
        self.insist(fits, "the warrant is the one that the entry hides")
        if packet.number not in self.unsealed:
            self.unsealed.append(packet.number)

    def _read(self, grown: Growth) -> None:
        """Keep new entries. Raise Forged if the head is not the log's own, or is not over all entries."""
        entries = [*self.entries, *grown.entries]
        if not grown.signed.signed_by(self.log):
            raise Forged("a head without the log's signature")
        if grown.signed.head != LogHead(len(entries), tree_of(entries, self).root()):
            raise Forged("the log does not extend what it showed before")
        self.entries = entries

    def _has(self, head: LogHead) -> bool:
        return 0 <= head.size <= len(self.entries) and tree_of(self.entries, self).root(head.size) == head.root

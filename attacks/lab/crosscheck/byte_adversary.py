"""The third adversary: it logs every key that sealed something, and searches for those bytes in states and packets.

  log      the door tells the lab, and no party, of every (key, nonce, associated data, ciphertext) that it sealed
  search   a logged key that occurs literally in a seized state, or in a packet, opens its ciphertext if that was heard
  text     a text that occurs literally in either was not even sealed

It knows no scheme, no type of value and no derivation: it finds what a scheme hides in loose bytes from the closure and
from the puppets. It does not find any key that has to be computed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from attacks.lab.crosscheck.door_record import DoorRecord, Sealed
from attacks.lab.simulation.record import TEXT, Record


def opened(record: Record, log: DoorRecord, seizures: Iterable[tuple[str, int]]) -> frozenset[int]:
    """Return the ids of the texts that can be read literally, given all packets and these states on these evenings."""
    return Ledger(record, log).opened(seizures)


class Ledger:
    """The keys and texts of one record. Each state is searched once."""

    def __init__(self, record: Record, log: DoorRecord) -> None:
        self.record = record
        self._ids = {sent.body: sent.id for sent in record.sent}
        self._under: dict[bytes, list[Sealed]] = defaultdict(list)
        for one in log.sealed:
            self._under[one.key].append(one)
        self._sizes = {len(key) for key in self._under} | {TEXT}
        self._network = b"".join(packet.data for packet in record.heard)
        self._overheard = self._lying_in(self._network)
        self._found: dict[bytes, frozenset[int]] = {}

    def opened(self, seizures: Iterable[tuple[str, int]]) -> frozenset[int]:
        """Return the ids of the texts that lie open in the packets and in these states."""
        states = {self.record.states[name][evening] for name, evening in seizures}
        for state in states - self._found.keys():
            self._found[state] = self._lying_in(state)
        return self._overheard.union(*(self._found[state] for state in states))

    def _lying_in(self, data: bytes) -> frozenset[int]:
        """Return the texts that these bytes hold, or hold a key to."""
        found: set[int] = set()
        for window in self._windows(data):
            if window in self._ids:
                found.add(self._ids[window])
            for one in self._under.get(window, ()):
                found |= self._texts(one)
        return frozenset(found)

    def _windows(self, data: bytes) -> Iterator[bytes]:
        """Yield every stretch of the data that is as long as some key or text."""
        return (data[at : at + size] for size in self._sizes for at in range(len(data) - size + 1))

    def _texts(self, one: Sealed) -> frozenset[int]:
        """Return the texts in one ciphertext, if it was ever heard."""
        if one.ciphertext not in self._network:
            return frozenset()
        return frozenset(number for body, number in self._ids.items() if body in one.plaintext)

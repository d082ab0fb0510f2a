"""The epochs of conversations in groups of MLS, as a judge reads them: from public commits and a seized state.

  held      an epoch whose keys or ratchets the state had, for texts that its device had yet to send or to read
  later     an epoch that follows one whose keys the state had, by commits of others: their path secrets are sealed to
            keys that a thief has, until the device itself commits
  invited   an epoch into which an invitation leads whose init key the state still had, and those that follow it

No rule is applied: this is independent of the closure. Source: RFC 9420, sections 7.4 and 16.6.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from attacks.lab.simulation.record import Record
from escrow import codec
from escrow.codec import Fact, walk
from escrow.crypto import Private
from escrow.e2ee.provider import Mail
from escrow.e2ee.transcript import tree_message
from escrow.errors import Malformed
from escrow.mls.conversations.delivery import HandshakeTold, TreeProvider
from escrow.mls.conversations.facts import EpochKeys, Handshake, LeafChain, TextKey

Epoch = tuple[bytes, int]  # a group's id and the number of its epoch


class Epochs:
    """The epochs of one record."""

    def __init__(self, record: Record) -> None:
        """Read every commit that was told; nothing, if no provider orders commits."""
        self._record = record
        self._texts: dict[int, Epoch] = {}
        self._committed: dict[Epoch, str] = {}  # by whom an epoch was begun
        self._invited: dict[bytes, set[int]] = defaultdict(set)  # by group, and below by init key
        self._keys: dict[Epoch, set[bytes]] = defaultdict(set)
        self._held = cache(self._held_by)
        orders = any(issubclass(kind, TreeProvider) for kinds in record.kinds.values() for kind in kinds[:1])
        for packet in record.heard if orders else ():
            try:
                self._begun(codec.decode(packet.data, HandshakeTold).handshake, packet.src)
            except Malformed:
                continue

    def _begun(self, told: Handshake, by: str) -> None:
        begun = told.group, told.epoch + 1
        self._committed[begun] = by
        self._keys[begun] |= set(told.invited)
        if told.invited:
            self._invited[told.group].add(told.epoch + 1)

    def carries(self, mail: Mail, text: int) -> bool:
        """Note in which epoch a mail carries a text. Return whether it is a message of MLS."""
        if (message := tree_message(mail)) is None:
            return False
        self._texts[text] = message.group, message.epoch
        return True

    def reaches(self, device: str, evening: int, text: int, late: bool) -> bool:
        """Return whether a seizure of a device reaches a text, which it had yet to send or read if it is `late`."""
        if text not in self._texts:
            return False
        group, epoch = place = self._texts[text]
        now, opened, keys = self._held(device, evening)
        if late and place in opened:
            return True
        begun = {number for number in self._invited[group] if self._keys[group, number] & keys}
        starts = begun | {number for each, number in now if each == group and (late or number < epoch)}
        return any(self._follows(device, group, start, epoch) for start in starts)

    def _follows(self, device: str, group: bytes, start: int, epoch: int) -> bool:
        later = range(start + 1, epoch + 1)
        return start <= epoch and all(self._committed.get((group, each), device) != device for each in later)

    def _held_by(self, device: str, evening: int) -> tuple[frozenset[Epoch], frozenset[Epoch], frozenset[bytes]]:
        """Return the epochs whose keys a state had, those of which it had ratchets, and the names of its keys."""
        facts = list(walk(self._record.as_stolen(device, evening), Fact))
        return (
            frozenset((each.group, each.epoch) for each in facts if isinstance(each, EpochKeys)),
            frozenset((each.group, each.epoch) for each in facts if isinstance(each, LeafChain | TextKey)),
            frozenset(each.public for each in facts if isinstance(each, Private)),
        )

"""Which chains a seized device brings within reach: healing, as the specification of the ratchet describes it.

A chain is within reach of a seizure if the step that began it mixes a key that the seized state held. This uses public
headers and the seized state alone, no derivation.

  first     a session without a one-time prekey begins with a chain to a signed prekey: as long as that is kept, this
            chain and the device's own reply to it are within reach
  late      a text not yet sent, or not yet read, is within reach if the state held its chain, or a key that this chain
            answers
  carrier   a sender key travels in pairwise mail: with a chain that carried it the group's texts are within reach, too
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cache

from attacks.lab.simulation.record import Record, Sent
from escrow.codec import Fact, walk
from escrow.crypto import Private
from escrow.e2ee import sender_keys
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import Answers, ChainKey, MessageKey
from escrow.e2ee.sender_keys import SenderChain
from escrow.e2ee.transcript import Transcript
from escrow.testing.world import mails_in


class Chains:
    """The chains that carried each text of a record; `elsewhere` tells of a mail whether it is under no chain."""

    def __init__(self, record: Record, elsewhere: Callable[[Mail, int], bool]) -> None:
        self._record, self._elsewhere = record, elsewhere
        self._by_id = {sent.id: sent for sent in record.sent}
        self._shown = {(shown.device, shown.text): shown.day for shown in reversed(record.shown)}
        self._held = cache(self._held_by)
        self._read_mail()

    def is_late(self, device: str, evening: int, sent: Sent) -> bool:
        """Return whether the device had yet to send this text, or to read it."""
        read = self._shown.get((device, sent.body), self._record.scenario.days)
        return sent.day > evening or (device != sent.device and read > evening)

    def reach(self, device: str, evening: int, sent: Sent) -> bool:
        """Return whether the state that the device had on an evening brings a chain of this text within reach."""
        return any(self._reaches(device, evening, chain, sent) for chain in self._chains[sent.id])

    def _reaches(self, device: str, evening: int, chain: bytes, sent: Sent) -> bool:
        held = self._held(device, evening)
        if self._rerooted(chain, held) or (
            chain in held and any(self._rerooted(to, held) for to in self._answered[chain])
        ):
            return True  # the first flight, or this device's own reply to it while its ratchet key is still the newest
        if self.is_late(device, evening, sent) and (chain in held or any(to in held for to in self._answered[chain])):
            return True
        carriers = self._carriers.get(chain, ())
        return any(self._reaches(device, evening, carrier, self._by_id[text]) for carrier, text in carriers)

    def _rerooted(self, chain: bytes, held: frozenset[bytes]) -> bool:
        """Return whether a chain is the first of a session without a one-time prekey, to a signed prekey still kept."""
        return any(to in held for to in self._first_flights.get(chain, ()))

    def _held_by(self, device: str, evening: int) -> frozenset[bytes]:
        """Return the public names of every key that a device's state held."""
        names = set()
        for fact in walk(self._record.as_stolen(device, evening), Fact):
            if isinstance(fact, Private):
                names.add(fact.public)
            elif isinstance(fact, ChainKey | MessageKey | SenderChain):
                names.add(fact.chain)
        return frozenset(names)

    # --- what the public headers tell ---

    def _read_mail(self) -> None:
        """Read from headers which chains carried a text, which key each answers, and which brought a sender key."""
        self._chains: dict[int, set[bytes]] = defaultdict(set)
        self._answered: dict[bytes, set[bytes]] = defaultdict(set)
        self._first_flights: dict[bytes, set[bytes]] = defaultdict(set)
        self._carriers: dict[bytes, set[tuple[bytes, int]]] = defaultdict(set)
        transcript, pairwise, groups = Transcript(), defaultdict[int, set[bytes]](set), dict[int, bytes]()
        for packet, text in zip(self._record.heard, self._record.spoken, strict=True):
            for mail in mails_in(packet):
                for fact in transcript.facts(mail):
                    if isinstance(fact, Answers):
                        self._place(fact, mail)
                if text >= 0 and packet.src == self._by_id[text].device:
                    self._carry(mail, text, pairwise, groups)
        for text, chain in groups.items():
            self._chains[text] = {chain}
            self._carriers[chain] |= {(carrier, text) for carrier in pairwise[text]}

    def _place(self, fact: Answers, mail: Mail) -> None:
        self._answered[fact.chain].add(fact.to)
        if mail.initial is not None and not mail.initial.opk_b and fact.to == mail.initial.spk_b:
            self._first_flights[fact.chain].add(fact.to)

    def _carry(self, mail: Mail, text: int, pairwise: dict[int, set[bytes]], groups: dict[int, bytes]) -> None:
        if self._elsewhere(mail, text):
            return
        if mail.group:
            groups[text] = mail.body[: sender_keys.ID]
        else:
            pairwise[text].add(mail.body[:32])
            self._chains[text].add(mail.body[:32])

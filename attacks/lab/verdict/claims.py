"""Whether a claim grants that a coalition opens a text: the paper's sentence, read against what was sent and kept.

A device's own texts are granted "from the seizure until healing". Healing is read from the ratchet as its specification
describes it: a chain is within reach of a seizure if the step that began it mixes a key that the seized state held.
This uses public headers and the seized state alone, no derivation, so it is independent of the closure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.simulation.record import Record, Sent
from attacks.lab.verdict.members import fewest, seizures_in
from escrow.codec import Fact, walk
from escrow.crypto import Private
from escrow.e2ee import sender_keys
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import Answers, ChainKey, MessageKey
from escrow.e2ee.sender_keys import SenderChain
from escrow.e2ee.transcript import Transcript
from escrow.scheme import Claim, Grant, checked
from escrow.testing.world import mails_in


class Judge:
    """Compares one record with one claim. Raises TypeError for a claim in words that no judge understands."""

    def __init__(self, record: Record, claim: Claim) -> None:
        self.record, self.claim = record, checked(claim)
        self.by_id = {sent.id: sent for sent in record.sent}
        self.in_scope = {
            sent.id
            for sent in record.sent
            for warrant in record.warrants
            if warrant.order.covers(sent.people, sent.day)
        }
        self._shown = {(shown.device, shown.text): shown.day for shown in reversed(record.shown)}
        self._read_mail()
        self._held = cache(self._held_by)

    # --- who may open what ---

    def granted(self, coalition: Coalition, text: int) -> bool:
        """Return whether some grant covers this coalition and this text."""
        return any(self._grants(grant, coalition, text) for grant in self.claim.grants)

    def _grants(self, grant: Grant, coalition: Coalition, text: int) -> bool:
        if grant.extent == "own":
            return any(self._own(member, self.by_id[text]) for member in coalition.members)
        if grant.extent == "in scope" and text not in self.in_scope:
            return False
        named = frozenset(name for name in self.record.cast.officials if fnmatchcase(name, grant.who))
        if grant.period and not _in_one_period(seizures_in(coalition, named), grant.period):
            return False
        return fewest(coalition, named) >= grant.t

    def _own(self, seizure: Seizure, sent: Sent) -> bool:
        """Return whether one seizure of this device is granted this text on each of its evenings."""
        if seizure.principal not in self.record.cast.devices:
            return False
        return all(self._within(seizure.principal, evening, sent) for evening in seizure.evenings)

    def _within(self, device: str, evening: int, sent: Sent) -> bool:
        if device != sent.device and device not in sent.intended:
            return False
        return any(self._reaches(device, evening, chain, sent) for chain in self._chains[sent.id])

    def _late(self, device: str, evening: int, sent: Sent) -> bool:
        """Return whether the device had yet to send this text, or to read it."""
        read = self._shown.get((device, sent.body), self.record.scenario.days)
        return sent.day > evening or (device != sent.device and read > evening)

    def _reaches(self, device: str, evening: int, chain: bytes, sent: Sent) -> bool:
        held = self._held(device, evening)
        if self._rerooted(chain, held) or (
            chain in held and any(self._rerooted(to, held) for to in self._answered[chain])
        ):
            return True  # the first flight, or this device's own reply to it while its ratchet key is still the newest
        if self._late(device, evening, sent) and (chain in held or any(to in held for to in self._answered[chain])):
            return True
        carriers = self._carriers.get(chain, ())
        return any(self._reaches(device, evening, carrier, self.by_id[text]) for carrier, text in carriers)

    def _rerooted(self, chain: bytes, held: frozenset[bytes]) -> bool:
        """Return whether a chain is the first of a session without a one-time prekey, to a signed prekey still kept."""
        return any(to in held for to in self._first_flights.get(chain, ()))

    def _held_by(self, device: str, evening: int) -> frozenset[bytes]:
        """Return the public names of every key that a device's state held."""
        names = set()
        for fact in walk(self.record.as_stolen(device, evening), Fact):
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
        for packet, text in zip(self.record.heard, self.record.spoken, strict=True):
            for mail in mails_in(packet):
                for fact in transcript.facts(mail):
                    if isinstance(fact, Answers):
                        self._place(fact, mail)
                if text >= 0 and packet.src == self.by_id[text].device:
                    self._carry(mail, text, pairwise, groups)
        for text, chain in groups.items():
            self._chains[text] = {chain}
            self._carriers[chain] |= {(carrier, text) for carrier in pairwise[text]}

    def _place(self, fact: Answers, mail: Mail) -> None:
        self._answered[fact.chain].add(fact.to)
        if mail.initial is not None and not mail.initial.opk_b and fact.to == mail.initial.spk_b:
            self._first_flights[fact.chain].add(fact.to)

    def _carry(self, mail: Mail, text: int, pairwise: dict[int, set[bytes]], groups: dict[int, bytes]) -> None:
        if mail.group:
            groups[text] = mail.body[: sender_keys.ID]
        else:
            pairwise[text].add(mail.body[:32])
            self._chains[text].add(mail.body[:32])


def _in_one_period(seizures: Iterable[Seizure], period: int) -> bool:
    """Return whether all these seizures, on any of their evenings, fall into one period of so many days.

    Set-up is part of the first period: what is made then is used on the first day.
    """
    return len({max(evening, 0) // period for each in seizures for evening in each.evenings or (0, period)}) == 1

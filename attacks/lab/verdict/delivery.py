"""The effect of one play on the users' texts and on the lawful access, as set algebra; no adversary is asked.

entitled     covered by a warrant: target, conversation, day          delivered   shown on an intended device
prospective  entitled by a warrant served by the morning of its day   retrospective  entitled - prospective
overreached  lawful - entitled          evaded   (entitled & delivered) - lawful
lost         (sent x intended) - shown  forged   shown, but not sent  duplicated  shown more than once
unreadable   yielded by the lawful access: a ciphertext of the users' own, in place of a text that was sent
fabricated   yielded by the lawful access, but not sent, nor unreadable
misattributed  lawful, in another conversation than the one in which it was sent
framed       sent, and attributed to another user by the lawful access
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from attacks.lab.results.coverage import Access, Coverage
from attacks.lab.results.details import AlarmDays
from attacks.lab.results.types import Alarms, Outside
from attacks.lab.simulation.record import Record, Sent, in_scope
from escrow.e2ee.content import InGroup
from escrow.grants import Promise
from escrow.principal import of_kind
from escrow.scheme import Scheme
from escrow.testing.world import mails_in
from escrow.warrant import Authority
from escrow.wire import Alarm

SEARCHED = 16  # bytes that are not found in a state by chance


class Messaging:
    """The effect of one play on the users' texts and on the lawful access.

    It reads the truth and knows no adversary.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.ids = {sent.body: sent.id for sent in record.sent}
        self.by_id = {sent.id: sent for sent in record.sent}

    @cached_property
    def entitled(self) -> frozenset[int]:
        """The ids of the texts that some warrant covers."""
        orders = [warrant.order for warrant in self.record.warrants]
        return frozenset(sent.id for sent in self.record.sent if any(in_scope(order, sent) for order in orders))

    @cached_property
    def lawful(self) -> frozenset[int]:
        """The ids of the texts that the lawful access returned."""
        return frozenset(self.ids[text.body] for text in self.record.lawful if text.body in self.ids)

    @cached_property
    def shown(self) -> Counter[tuple[int, str]]:
        """(text, intended device) -> how often it was shown there under its author's name."""
        owner = self.record.scenario.owner
        count: Counter[tuple[int, str]] = Counter()
        for shown in self.record.shown:
            sent = self.by_id.get(self.ids.get(shown.text, -1))
            if sent and (owner[sent.device], sent.conversation) == (shown.author, shown.conversation):
                count[sent.id, shown.device] += 1
        return count

    @property
    def delivered(self) -> frozenset[int]:
        """The ids of the texts shown on an intended device."""
        return frozenset(text for text, device in self.shown if device in self.by_id[text].intended)

    @property
    def overreached(self) -> frozenset[int]:
        """Over-collection: texts that the lawful access returned outside every warrant."""
        return self.lawful - self.entitled

    @property
    def evaded(self) -> frozenset[int]:
        """Evasion: texts that a warrant covers, delivered, and not returned by the lawful access."""
        return (self.entitled & self.delivered) - self.lawful

    @property
    def lost(self) -> frozenset[tuple[int, str]]:
        """(text, intended device) for each text that was not shown there."""
        meant = {(sent.id, device) for sent in self.record.sent for device in sent.intended}
        return frozenset(meant - self.shown.keys())

    @property
    def forged(self) -> int:
        """The number of texts shown that no user sent."""
        return len(self.record.shown) - self.shown.total()

    @cached_property
    def unreadable(self) -> frozenset[bytes]:
        """What the lawful access yielded and no user typed, but two or more corrupted devices had: one sent it another.

        Their users encrypted it by themselves. What its sender alone had may be mail to nobody, unless the attack says
        that its clients encrypt: then it was lost on its way.
        """
        strange = {text.body for text in self.record.lawful} - self.ids.keys()
        turned = {turn.principal for turn in self.record.corrupted} & set(self.record.cast.devices)
        fewest = 1 if self.record.encrypted else 2
        if not strange or len(turned) < fewest:
            return frozenset()
        states = [self.record.states[name] for name in turned]
        return frozenset(
            body
            for body in strange
            if len(body) >= SEARCHED and sum(any(body in state for state in each) for each in states) >= fewest
        )

    @property
    def fabricated(self) -> int:
        """The number of different texts that the lawful access yielded and no user sent in any form."""
        return self.fabricated_by_evening.total()

    @cached_property
    def fabricated_by_evening(self) -> Counter[int]:
        """The number of different texts that the lawful access yielded and no user sent in any form, by evening."""
        first: dict[bytes, int] = {}
        for text in self.record.lawful:
            if text.body not in self.ids and text.body not in self.unreadable:
                first.setdefault(text.body, text.day)
        return Counter(first.values())

    @property
    def misattributed(self) -> frozenset[int]:
        """The ids of texts that the lawful access has in another conversation than the one in which they were sent."""
        said = ((self.ids.get(text.body), text.conversation) for text in self.record.lawful if text.conversation)
        return frozenset(text for text, where in said if text is not None and where != self.by_id[text].conversation)

    @property
    def outside(self) -> Outside:
        """Over-collection by what is outside: every warrant's people, or the days or the scope of those about them."""
        orders = [warrant.order for warrant in self.record.warrants]
        why: Counter[str] = Counter()
        for sent in map(self.by_id.__getitem__, self.overreached):
            about = [order for order in orders if order.target in sent.people]
            on_day = any(order.first <= sent.day <= min(order.last, order.expires) for order in about)
            why["people" if not about else "scope" if on_day else "days"] += 1
        return Outside(**why)

    @property
    def duplicated(self) -> int:
        """The number of times that a text was shown again on one device."""
        return sum(times - 1 for times in self.shown.values())

    def framed(self, scheme: Scheme) -> frozenset[int]:
        """Return the texts that the authority, by its last state, attributes to a user who did not send them."""
        authority = of_kind(self.record.party("authority", self.record.scenario.days - 1), Authority)
        if not (attributed := list(scheme.attributions(authority))):
            return frozenset()
        owner = self.record.scenario.owner
        author: dict[bytes, Sent] = {}
        for packet, text in zip(self.record.heard, self.record.spoken, strict=True):
            if text in self.by_id and packet.src == self.by_id[text].device:
                author |= {hashlib.sha256(mail.body).digest(): self.by_id[text] for mail in mails_in(packet)}
        said = ((author.get(mail), user) for mail, user in attributed)
        return frozenset(sent.id for sent, user in said if sent is not None and owner[sent.device] != user)

    @cached_property
    def prospective(self) -> frozenset[int]:
        """The ids of the texts that some warrant covers which was served by the morning of their day."""
        return self._served()

    def _served(self, delay: int = 0) -> frozenset[int]:
        """Return the texts that some warrant covers since `delay` days or more: it was served, and its days began."""
        orders = [warrant.order for warrant in self.record.warrants]
        return frozenset(
            sent.id
            for sent in self.record.sent
            if any(max(order.issued, order.first) + delay <= sent.day and in_scope(order, sent) for order in orders)
        )

    @property
    def retrospective(self) -> frozenset[int]:
        """The ids of the texts that only warrants cover which were served after their day."""
        return self.entitled - self.prospective

    def promised(self, promise: Promise, delay: int = 0) -> frozenset[int]:
        """Return the ids of the texts that a claim with this promise and delay says the lawful access yields.

        From service on that is what is listened to: no text that a device which only listens could not hear.
        """
        if promise == "none":
            return frozenset()
        if promise == "in scope":
            return self.entitled
        return self._served(delay) - self.unheard

    @cached_property
    def unheard(self) -> frozenset[int]:
        """The ids of the texts of which a device that no user has, such as a ghost, lost the mail.

        Of a group with Sender Keys these are all later ones of that sender too: the mail may have brought its key.
        """
        lost = {text for text, device in self.record.lost if device not in self.record.cast.devices}
        chained = {str(InGroup(group.name)) for group in self.record.scenario.groups if group.sender_keys}
        broken = set[tuple[str, str]]()  # senders' chains, by conversation
        unheard = set[int]()
        for sent in self.record.sent:  # in order
            if sent.id in lost and sent.conversation in chained:
                broken.add((sent.device, sent.conversation))
            if sent.id in lost or (sent.device, sent.conversation) in broken:
                unheard.add(sent.id)
        return frozenset(unheard)

    def unkept(self, promise: Promise, delay: int = 0) -> frozenset[int]:
        """Return the ids of the promised texts that were delivered and not returned by the lawful access."""
        return (self.promised(promise, delay) & self.delivered) - self.lawful

    def access(self, promise: Promise, delay: int = 0) -> Access:
        """Return the counts of the lawful access by the kind of warrant."""
        promised, evaded, unkept = self.promised(promise, delay), self.evaded, self.unkept(promise, delay)

        def counted(kind: frozenset[int]) -> Coverage:
            return Coverage(
                covered=len(kind),
                promised=len(kind & promised),
                lawful=len(kind & self.lawful),
                missed=len(kind & evaded),
                unkept=len(kind & unkept),
            )

        return Access(promise=promise, prospective=counted(self.prospective), retrospective=counted(self.retrospective))

    @property
    def alarms(self) -> tuple[Alarms, ...]:
        """Complaints of honest clients and auditors, by party and check; corrupted parties do not count."""
        return tuple(_alarms(self.record))


def _alarms(record: Record) -> Iterator[Alarms]:
    honest = {*record.cast.devices, *record.cast.officials} - {turn.principal for turn in record.corrupted}
    complaints: dict[tuple[str, str], list[Alarm]] = {}
    for alarm in record.alarms:
        if alarm.who in honest:
            complaints.setdefault((alarm.who, alarm.check), []).append(alarm)
    for (who, check), found in sorted(complaints.items()):
        days = AlarmDays(times={str(day): times for day, times in sorted(Counter(each.day for each in found).items())})
        first = found[0]
        yield Alarms(who=who, check=check, times=len(found), first_day=first.day, packets=first.packets, days=days)

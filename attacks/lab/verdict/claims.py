"""Whether a claim grants that a coalition opens a text: the paper's sentence, read against what was sent and kept.

A device's own texts are granted "from the seizure until healing": `chains` tells what that is for ratchets, `epochs`
for groups of MLS. Neither uses a derivation, so the verdict on a claim is independent of the closure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, cached_property, partial

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.simulation.record import Record, Sent, in_scope
from attacks.lab.verdict.chains import Chains
from attacks.lab.verdict.epochs import Epochs
from attacks.lab.verdict.members import fewest, seizures_in
from escrow.grants import (
    DEVICE,
    MISSED,
    OWN,
    Claim,
    Grant,
    KeySlot,
    Who,
    called,
    checked,
    extents,
    is_met,
    parts,
    read_who,
)
from escrow.scheme import SET_UP
from escrow.warrant import Order

BY_ORDER: dict[str, Callable[[Order, Sent], bool]] = {
    **dict.fromkeys(("in scope", "in scope of a served warrant"), in_scope),
    "of the target of a served warrant": lambda order, sent: order.target in sent.people,
    "from service on": lambda order, sent: order.target in sent.people and order.issued <= sent.day,
}  # the extents that speak of a warrant


class Judge:
    """Compares one record with one claim. Raises TypeError for a claim in words that no judge understands."""

    def __init__(self, record: Record, claim: Claim) -> None:
        self.record, self.claim = record, checked(claim)
        self._turned = {turn.principal: turn.day for turn in record.corrupted}
        self._owner = record.scenario.owner
        self.by_id = {sent.id: sent for sent in record.sent}
        self._in_slot = cache(partial(_in_slot_of, record))

    @cached_property
    def _epochs(self) -> Epochs:
        return Epochs(self.record)

    @cached_property
    def _chains(self) -> Chains:
        """The chains of all mail, read when the first device is judged; the epochs are told of what they carry."""
        return Chains(self.record, self._epochs.carries)

    # --- who may open what ---

    def granted(self, coalition: Coalition, text: int) -> bool:
        """Return whether some grant covers this coalition and this text."""
        return any(self._grants(grant, coalition, text) for grant in self.claim.grants)

    def conceded(self, coalition: Coalition, text: int) -> str:
        """Return where the source concedes that this coalition opens this text, or ""."""
        for each in self.claim.concessions:
            if each.active and not any(member.principal in self._turned for member in coalition.members):
                continue
            if (
                each.extent not in MISSED
                and self._has(read_who(each.who), coalition)
                and self._within_extent(each.extent, coalition, text)
            ):
                return f"{each.source.source}, {each.source.where}"
        return ""

    def missed(self, texts: Iterable[int], changed: Iterable[str] = ()) -> dict[int, str]:
        """Return of these missed texts those that the source concedes, and where; `changed` have rogue clients."""
        found, rogues = dict[int, str](), {*self._turned, *changed}
        for each in self.claim.concessions:
            if each.extent in MISSED and self._has(read_who(each.who), Coalition(tuple(map(Seizure, rogues)))):
                every = all if "all ends" in each.extent else any
                for text in texts:
                    if every(end in rogues for end in (self.by_id[text].device, *self.by_id[text].intended)):
                        found.setdefault(text, f"{each.source.source}, {each.source.where}")
        return found

    def outside(self, coalition: Coalition) -> str:
        """Return the assumption of the source's model under which nobody is such a coalition, or ""."""
        for each in self.claim.model:
            times = Counter(seizure.principal for seizure in coalition.members)
            spared = self._turned if each.stolen else {}
            often = tuple(
                seizure
                for seizure in coalition.members
                if times[seizure.principal] >= each.times and seizure.principal not in spared
            )
            if self._has(read_who(each.who), Coalition(often, coalition.thresholds if each.times == 1 else ())):
                return each.words
        return ""

    def _grants(self, grant: Grant, coalition: Coalition, text: int) -> bool:
        who = grant.asked
        if grant.period:
            named = frozenset[str]().union(*(self._called(part.role) for part in parts(who)))
            if not _in_one_period(seizures_in(coalition, named), grant.period):
                return False
        if not self._has(who, coalition):
            return False
        return self._in_slot(grant.slot, text) if grant.slot else self._within_extent(grant.extent, coalition, text)

    def _has(self, who: Who, coalition: Coalition) -> bool:
        """Return whether a coalition has the principals that a claim names, in each choice of its thresholds."""
        return is_met(who, lambda role: fewest(coalition, self._called(role)))

    def _called(self, role: str) -> frozenset[str]:
        """Return the principals of a name or role; what an attack's apparatus became has its own name."""
        cast = self.record.cast
        if role == DEVICE:
            return frozenset(cast.devices)
        beside = self.record.states.keys() - set(cast.devices)
        return called(role, (*cast.officials, *sorted(beside - set(cast.officials))))

    def _within_extent(self, extent: str, coalition: Coalition, text: int) -> bool:
        """Return whether a text meets every extent that is joined here; what is said of warrants, by one warrant."""
        sent, joined = self.by_id[text], extents(extent)
        said = [BY_ORDER[each] for each in joined if each in BY_ORDER]
        orders = (warrant.order for warrant in self.record.warrants)
        if said and not any(all(meets(order, sent) for meets in said) for order in orders):
            return False
        return all(self._meets(each, coalition, sent) for each in joined if each not in BY_ORDER)

    def _meets(self, extent: str, coalition: Coalition, sent: Sent) -> bool:
        if extent == "everything":
            return True
        if extent == OWN:
            return any(self._own(member, sent) for member in coalition.members)
        if extent == "of the holder's own user":
            return any(self._owner.get(member.principal) in sent.people for member in coalition.members)
        first, last, turned = self._theft(coalition)
        if extent == "of the day of the theft":
            return first == last == sent.day
        if extent == "from the theft on":
            return sent.day > last or (turned and sent.day == last)
        if extent == "before the theft":
            return sent.day < first
        return any(each.body == sent.body and each.day <= first for each in self.record.lawful)

    def _theft(self, coalition: Coalition) -> tuple[int, int, bool]:
        """Return the first and last day on which the last theft of a coalition may be, and if it is a corruption.

        A corruption begins in the morning of its day, a seizure is in the evening.
        """
        days = [self._days(each) for each in seizures_in(coalition, frozenset(self.record.states))]
        if not days:
            return 0, 0, True  # whoever only listens steals nothing
        last = max(high for _, high, _ in days)
        return max(low for low, _, _ in days), last, any(turned for _, high, turned in days if high == last)

    def _days(self, seizure: Seizure) -> tuple[int, int, bool]:
        if seizure.principal in self._turned:
            return self._turned[seizure.principal], self._turned[seizure.principal], True
        evenings = seizure.evenings or (SET_UP, self.record.scenario.days - 1)
        return min(evenings), max(evenings), False

    def _own(self, seizure: Seizure, sent: Sent) -> bool:
        """Return whether one seizure of this device is granted this text on each of its evenings."""
        if seizure.principal not in self.record.cast.devices:
            return False
        return all(self._within(seizure.principal, evening, sent) for evening in seizure.evenings)

    def _within(self, device: str, evening: int, sent: Sent) -> bool:
        if device != sent.device and device not in sent.intended:
            return False
        late = self._chains.is_late(device, evening, sent)
        return self._epochs.reaches(device, evening, sent.id, late) or self._chains.reach(device, evening, sent)


def _in_slot_of(record: Record, slot: KeySlot, text: int) -> bool:
    """Return whether a text shares a slot with one that a warrant covers."""
    (sent,) = (each for each in record.sent if each.id == text)
    orders = [warrant.order for warrant in record.warrants]
    return any(
        in_scope(order, other) and _shares(slot, order.target, other, sent) for order in orders for other in record.sent
    )


def _shares(slot: KeySlot, target: str, covered: Sent, sent: Sent) -> bool:
    """Return whether a text lies in the slot of a covered text: its days, and the person or people of the slot."""
    if not slot.spans(covered.day, covered.day, sent.day):
        return False
    if slot.of == "target":
        return target in sent.people
    if slot.of == "everybody":
        return True
    return covered.device == sent.device and (slot.of == "device" or set(covered.people) == set(sent.people))


def _in_one_period(seizures: Iterable[Seizure], period: int) -> bool:
    """Return whether all these seizures, on any of their evenings, fall into one period of so many days.

    Set-up is part of the first period: what is made then is used on the first day.
    """
    return len({max(evening, 0) // period for each in seizures for evening in each.evenings or (0, period)}) == 1

"""An official that erases its key is judged to the text: anatomy, served pass and theft agree with a play by hand."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from attacks.court_key_theft import ATTACK as COURT_KEY_THEFT
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation import scenario
from attacks.lab.simulation.play import play
from attacks.lab.verdict.access.anatomy import anatomy
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis
from attacks.lab.verdict.evaluation import Evaluation
from escrow import crypto
from escrow.errors import EscrowError, Forged
from escrow.scheme import SET_UP
from escrow.testing.world import Intercepts
from escrow.warrant import Answered, Authority, AuthorityKey, Court, Order
from escrow.wire import Wire
from tests.support.erasing import DAYS, DayField, Erasing, following, open_day_field

KINDS = ("forward", "backward", "daily")
SCENE = scenario.default(users=3, groups=1, days=DAYS, messages=16)
EVENINGS = range(DAYS)


@cache
def played(kind, prompt=False):
    scheme = Erasing(kind=kind, prompt=prompt)
    record = play(scheme, SCENE)
    return scheme, record, Analysis(scheme, record, ())


class ByHand:
    """What thieves open by hand: they put requests to the agent as it was on each evening, or use the agent's keys."""

    def __init__(self, kind, prompt=False):
        self.scheme, self.record, _ = played(kind, prompt)
        self.ids = {sent.body: sent.id for sent in self.record.sent}

    def intercepts(self, evening=DAYS):
        found = Intercepts()
        found.hear([packet for packet in self.record.heard if packet.day <= evening])
        return found.all

    def asked(self, authority, warrants, evening):
        """Return the texts that an authority gets of the agent on an evening."""
        wire = Wire([self.record.party("agent", evening), authority])
        wire.day = evening
        return {
            self.ids[body]
            for warrant in warrants
            for body in self.scheme.access(authority, wire, warrant, self.intercepts(evening))
        }

    def court(self, taken):
        """A thief of the court's key has an authority of its own, and orders about everybody."""
        key, opened = self.record.party("court", taken) if taken >= 0 else self.first("court", Court), set()
        with crypto.running(crypto.Run(b"thief" * 8)):
            for evening in range(max(taken, 0), DAYS):
                thief = Authority("authority", key=crypto.new_signing_key(AuthorityKey))
                warrants = [
                    key.issue(Order("x", thief.key.public, user.name, 0, 9, "content", bytes(32), 0, 9, bytes(16)))
                    for user in SCENE.users
                ]
                opened |= self.asked(thief, warrants, evening)
        return opened

    def authority(self, taken):
        """A thief of the authority's state hears what comes for it, asks in its name, and opens its answers."""
        opened = set()
        for evening in range(max(taken, 0), DAYS):
            thief = self.record.party("authority", taken)
            silent = Wire([thief])
            for packet in self.record.heard:
                if packet.day <= evening and packet.dst == "authority":
                    silent.day = packet.day
                    try:
                        thief.answer(packet.src, packet.data, silent)
                    except EscrowError:
                        continue
            opened |= self.asked(thief, thief.warrants, evening)
        return opened | self.answered(self.record.party("authority", taken).key)

    def answered(self, key):
        """Return the texts under the keys in answers that went over the wire."""
        from escrow import codec
        from escrow.e2ee.ratchet import MessageKey
        from escrow.warrant import open_answer

        keys = set()
        for packet in self.record.heard:
            try:
                keys.add(open_answer(codec.decode(packet.data, Answered).answer, key.agreement, MessageKey))
            except EscrowError:
                continue
        return self.under(keys)

    def under(self, keys):
        """Return the texts that these message keys open."""
        from escrow.scheme import open_intercepted

        reader = self.record.party("authority", 0)
        return {
            self.ids[body] for key in keys for each in self.intercepts() for body in open_intercepted(reader, each, key)
        }

    def agent(self, taken):
        """A thief of the agent's state has its keys, and those that follow from them."""
        from escrow import codec

        keys = [key for state, kind in self.record.taken("agent", taken) for key in revived(state, kind).keys]
        every = set(keys)
        for key in keys:
            try:
                while True:
                    key = following(key)
                    every.add(key)
            except Forged:
                continue
        opened = set()
        for each, key in product(self.intercepts(), every):
            try:
                opened.add(open_day_field(codec.decode(each.mail.field, DayField), key))
            except EscrowError:
                continue
        return self.under(opened)

    def first(self, name, kind):
        return revived(*self.record.taken(name, SET_UP)[-1])


def revived(state, kind):
    from escrow.principal import revive

    return revive(state, kind)


@cache
def by_hand(kind, who, evening, prompt=False):
    return frozenset(getattr(ByHand(kind, prompt), who)(evening))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["court", "authority", "agent"])
def test_one_official_taken_on_each_evening_opens_what_a_thief_opens_by_hand(kind, who):
    _, _, analysis = played(kind)
    for evening in range(SET_UP, DAYS):
        assert analysis.opened_by([Seizure(who, (evening,))], SERVED) == by_hand(kind, who, evening), evening


@pytest.mark.parametrize("kind", KINDS)
def test_every_coalition_of_court_authority_and_agent_opens_what_its_members_open(kind):
    _, _, analysis = played(kind)
    for on in product((None, *range(SET_UP, DAYS)), repeat=3):
        taken = [(who, day) for who, day in zip(("court", "authority", "agent"), on, strict=True) if day is not None]
        seized = [Seizure(who, (day,)) for who, day in taken]
        hand = frozenset[int]().union(*(by_hand(kind, who, day) for who, day in taken))
        assert analysis.opened_by(seized, SERVED) == hand, taken


def test_the_kinds_differ_as_their_keys_do():
    days = {sent.id: sent.day for sent in played("forward")[1].sent}
    for evening in EVENINGS:
        later = {text for text, day in days.items() if day >= evening}
        assert by_hand("forward", "court", evening) == by_hand("daily", "court", evening) == later
        assert by_hand("backward", "court", evening) == set(days)
        assert by_hand("backward", "agent", evening) == {text for text, day in days.items() if day <= evening}
        assert by_hand("forward", "agent", evening) == later


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_true_authority_was_answered_stays_open_to_a_later_thief(kind):
    _, record, analysis = played(kind)
    last = [Seizure("authority", (DAYS - 1,))]
    answered = {sent.id for sent in record.sent if any(each.body == sent.body for each in record.lawful)}
    assert answered and answered <= analysis.opened_by(last, MATHEMATICS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_theft_of_the_courts_key_opens_in_its_own_play_what_it_opens_by_hand(kind):
    scheme, *_ = played(kind)
    cell, found = Evaluation(scheme, [COURT_KEY_THEFT], SCENE).cell(COURT_KEY_THEFT)
    opened = found.opened.keys()
    assert opened == by_hand(kind, "court", SCENE.attack_day) and cell.exposed.total == len(opened)


@pytest.mark.parametrize("kind", KINDS)
def test_the_anatomy_counts_by_evening_what_is_opened_by_hand(kind):
    rows = anatomy(played(kind)[0], (), SCENE).minimal_coalitions
    [court] = [row for row in rows if row.label_pass == SERVED and row.row[1:] == ("court",)]
    counts = {evening: each.earlier + each.later for evening, each in court.by_day.items()}
    for evening in range(SET_UP, DAYS):
        name = "set-up" if evening == SET_UP else str(evening)
        assert counts.get(name, 0) == len(by_hand(kind, "court", evening))


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_that_takes_the_day_is_asked_for_each_evening(kind):
    _, record, analysis = played(kind, prompt=True)
    for evening in EVENINGS:
        hand = by_hand(kind, "court", evening, prompt=True)
        assert analysis.opened_by([Seizure("court", (evening,))], SERVED) == hand
    days = {sent.id: sent.day for sent in record.sent}
    soon = {text for text, day in days.items() if day >= DAYS - 2}  # on the last evening: yesterday's and today's
    assert by_hand("backward", "court", DAYS - 1, prompt=True) == soon

"""Warrants served before a text is sent and after it: told apart in every count, each claim held to its word."""

from collections.abc import Iterator, Sequence
from functools import cache

import msgspec
import pytest

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.results.coverage import Access, Coverage
from attacks.lab.simulation.play import play
from attacks.lab.simulation.record import Lawful
from attacks.lab.simulation.scenario import WarrantSpec, small
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.evaluation import Evaluation
from attacks.null_eavesdropper import ATTACK as LISTENS
from attacks.report.access import by_kind
from escrow import registry
from escrow.e2ee.content import InGroup
from escrow.grants import Claim, Grant
from escrow.scheme import Intercept
from escrow.schemes.envelope import EnvelopeScheme
from escrow.schemes.ghost import SCHEME as GHOST
from escrow.schemes.plain import SCHEME as PLAIN
from escrow.warrant import Authority, Warrant
from escrow.wire import Wire

LATER = WarrantSpec("bob", 0, 2, 2, 3)  # days 0 and 1 are over when it is served
SOONER = WarrantSpec("bob", 1, 1, 1, 3)  # day 1 again, served that morning


@cache
def record(*specs):
    return play(PLAIN, msgspec.structs.replace(small(), warrants=specs))


def by_hand(specs, read):
    """A record without losses: each day from 0 to 3 has one text to bob, and the law read those of some days."""
    base = record(*specs)
    said = [next(s for s in base.sent if s.day == day and "bob" in s.people) for day in range(4)]
    lawful = tuple(Lawful(3, 0, sent.body, sent.conversation) for sent in said if sent.day in read)
    return msgspec.structs.replace(base, sent=tuple(said), lawful=lawful, lost=frozenset())


def test_each_text_counts_once_by_the_first_warrant_that_covers_it():
    told = Messaging(by_hand((LATER,), read={0, 2}))
    assert [told.by_id[text].day for text in sorted(told.prospective)] == [2]
    assert [told.by_id[text].day for text in sorted(told.retrospective)] == [0, 1]
    assert told.access("from service") == Access(
        promise="from service",
        prospective=Coverage(covered=1, promised=1, lawful=1),
        retrospective=Coverage(covered=2, lawful=1, missed=1),
    )
    assert told.access("in scope") == Access(
        promise="in scope",
        prospective=Coverage(covered=1, promised=1, lawful=1),
        retrospective=Coverage(covered=2, promised=2, lawful=1, missed=1, unkept=1),
    )
    assert told.access("none").retrospective == Coverage(covered=2, lawful=1, missed=1)
    both = Messaging(by_hand((LATER, SOONER), read={0, 2}))
    assert both.access("from service").prospective == Coverage(covered=2, promised=2, lawful=1, missed=1, unkept=1)
    assert both.access("from service").retrospective == Coverage(covered=1, lawful=1)


def test_a_wiretap_that_begins_later_is_promised_what_is_sent_since():
    told = Messaging(by_hand((SOONER,), read=set()))
    served = {told.by_id[text].day for text in told.promised("from service")}
    assert {told.by_id[text].day for text in told.promised("from service", 1)} == served - {min(served)}
    assert told.access("from service", 1).prospective.promised == len(served) - 1
    assert told.access("from service", 1).prospective.covered == told.access("from service").prospective.covered
    assert told.promised("in scope", 1) == told.entitled


def test_a_wiretap_is_promised_no_text_that_a_device_which_listens_could_not_hear():
    base = by_hand((SOONER,), read=())
    (text,) = Messaging(base).prospective
    for device, promised in (("bob-phone", 1), ("bob-tablet", 0)):
        lost = Messaging(msgspec.structs.replace(base, lost=frozenset({(text, device)})))
        wiretap = Coverage(covered=1, promised=promised, missed=1, unkept=promised)
        assert lost.access("from service").prospective == wiretap, device
        assert lost.access("in scope").prospective == Coverage(covered=1, promised=1, missed=1, unkept=1)


def test_a_lost_sender_key_closes_what_its_sender_says_in_that_group_from_then_on():
    """Texts 0 to 4 are of devices a, b, a, b, a; all are in the group but 3. The ghost loses the mail of one."""
    base = record(LATER)
    group = next(str(InGroup(each.name)) for each in base.scenario.groups if each.sender_keys)
    said = tuple(
        msgspec.structs.replace(sent, device="ab"[sent.id % 2], conversation="a+b" if sent.id == 3 else group)
        for sent in base.sent[:5]
    )
    for text, unheard in ((0, {0, 2, 4}), (1, {1}), (2, {2, 4}), (3, {3}), (4, {4})):
        lost = msgspec.structs.replace(base, sent=said, lost=frozenset({(text, "bob-tablet")}))
        assert Messaging(lost).unheard == unheard


def test_joined_extents_speak_of_one_warrant():
    """Day 0 is in scope of the one that is served later, and after the service of one that does not cover it."""
    specs = WarrantSpec("bob", 0, 0, 1, 3), WarrantSpec("bob", 1, 1, 0, 3)
    base = msgspec.structs.replace(by_hand(specs, read=()), sent=record(*specs).sent)
    both = Grant("authority", "in scope of a served warrant and from service on")
    judge = Judge(base, Claim(words="", section="", grants=(both,), access="none"))
    taken = Coalition((Seizure("authority", (3,)),))
    assert {sent.day for sent in base.sent if judge.granted(taken, sent.id)} == {1}


# --- each is held to its own promise ---


class Wiretap(EnvelopeScheme, frozen=True):
    """Opens what was sent since the warrant's service, and promises that."""

    name = "wiretap"
    archive = False
    listens = True

    @property
    def claim(self) -> Claim:
        return msgspec.structs.replace(super().claim, access="in scope" if self.archive else "from service")

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        issued = warrant.order.issued
        asked = [each for each in intercepted if (each.day >= issued) == self.listens]
        return super().access(authority, wire, warrant, asked)


class NoArchive(Wiretap, frozen=True):
    """Does the same, and promises an archive."""

    name = "no-archive"
    archive = True


class Deaf(Wiretap, frozen=True):
    """Promises a wiretap, and opens only what was sent before the warrant's service."""

    name = "deaf"
    listens = False


@pytest.mark.parametrize(("scheme", "verdict"), [(Wiretap(), "HELD"), (NoArchive(), "FAILS"), (Deaf(), "FAILS")])
def test_a_promise_is_all_that_a_scheme_is_blamed_for(scheme, verdict):
    cell = Evaluation(scheme, [LISTENS], small()).cell(LISTENS)[0]
    kinds = cell.access.prospective, cell.access.retrospective
    assert all(kind.covered for kind in kinds)
    assert cell.verdict == verdict
    assert cell.evaded == sum(kind.missed for kind in kinds) > 0
    assert cell.entitled == sum(kind.covered for kind in kinds)
    assert cell.lawful == cell.overreached + sum(kind.lawful for kind in kinds)
    assert cell.unkept == sum(kind.unkept for kind in kinds)


@pytest.mark.parametrize("name", sorted(registry.schemes()))
def test_a_warrant_may_be_served_before_the_days_that_it_covers(name):
    scheme = registry.schemes()[name]
    scenario = msgspec.structs.replace(
        small(), warrants=(WarrantSpec("bob", 1, 2, 0, 3), WarrantSpec("carol", 1, 1, 3, 3))
    )
    told = Messaging(play(scheme, scenario)).access(scheme.claim.access)
    assert told.prospective.covered > 0 and told.prospective.unkept == told.retrospective.unkept == 0
    if told.promise != "none":
        assert told.prospective.lawful > 0


@pytest.mark.parametrize("name", sorted(registry.schemes()))
def test_a_warrant_that_is_expired_when_a_text_is_sent_does_not_cover_it(name):
    scheme = registry.schemes()[name]
    punctual = msgspec.structs.replace(small(), late_percent=0)  # no scheme reads mail that comes after its warrant
    told = Messaging(play(scheme, msgspec.structs.replace(punctual, warrants=(WarrantSpec("bob", 0, 3, 0, 1),))))
    assert {told.by_id[text].day for text in told.entitled} == {0, 1}
    assert told.access(scheme.claim.access).prospective.unkept == 0 and not told.overreached


def test_all_that_the_ghost_misses_without_a_loss_was_sent_before_its_warrant():
    cell = Evaluation(GHOST, [LISTENS], small()).cell(LISTENS)[0]
    assert cell.access.promise == "from service" and cell.access.prospective.unkept == 0
    assert cell.access.retrospective.lawful == cell.access.retrospective.promised == 0
    assert cell.access.retrospective.missed > 0 and cell.verdict == "HELD"


# --- in words ---


def test_a_sentence_where_the_kinds_differ():
    wiretap = Access(
        promise="from service",
        prospective=Coverage(covered=44, promised=42, lawful=42),
        retrospective=Coverage(covered=23, missed=23),
    )
    said = by_kind(wiretap)
    sooner = "42 of 44 texts that were sent once a warrant was served, "
    assert said == f"{sooner}0 of 23 texts that were sent before; the claim promises a wiretap, no archive"
    late = msgspec.structs.replace(wiretap, prospective=Coverage())
    assert by_kind(late).startswith("0 of 23 texts that were sent before a warrant was served; ")
    archive = Access(
        promise="in scope", prospective=Coverage(covered=4, lawful=2), retrospective=Coverage(covered=2, lawful=1)
    )
    assert by_kind(archive) == "", "half of both"
    assert by_kind(msgspec.structs.replace(archive, retrospective=Coverage(covered=2))).endswith(
        "a wiretap and an archive"
    )
    assert by_kind(msgspec.structs.replace(wiretap, retrospective=Coverage())) == by_kind(msgspec.UNSET) == ""

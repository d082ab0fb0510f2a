"""Timed key table: what one slot's key opens, what the vendor refuses, and that faults in the design are caught."""

import pytest
from faulty import fault_found
from msgspec.structs import replace

from attacks import registry as attack_registry
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.evaluation import Evaluation
from escrow import codec
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Forged, Refused
from escrow.schemes import key_table
from escrow.schemes.key_table import KeyTable, TableField, TableForm, slot_key, unwrap
from escrow.testing.harness import Step, playing

SCENARIO = default(users=4, groups=2, days=5, messages=24)


def evaluated(scheme):
    return Evaluation(scheme, list(attack_registry.attacks().values()), SCENARIO)


@pytest.mark.parametrize(
    ("scheme", "more"),
    [
        (KeyTable(), 0),
        (KeyTable(days=2), 3),
        (KeyTable(days=5), 10),
        (KeyTable(scope="pair"), 0),
        (KeyTable(scope="pair", days=2), 2),
        (KeyTable(scope="everybody"), 4),
        (KeyTable(scope="everybody", days=2), 9),
    ],
)
def test_over_collection_is_exactly_the_slot(scheme, more):
    """11 of 24 texts are covered: the authority's state opens these and what shares a slot with them."""
    found = evaluated(scheme)
    opened = found.analysis.opened_by([Seizure("authority", (SCENARIO.days - 1,))])
    assert found.honest.entitled <= opened
    assert (len(found.honest.entitled), len(opened - found.honest.entitled)) == (11, more)
    judge = Judge(found.record, scheme.claim)
    assert opened == {sent.id for sent in found.record.sent if judge._in_slot(scheme.slot, sent.id)}
    assert len(found.analysis.opened_by([Seizure("vendor", (SCENARIO.days - 1,))])) == len(found.record.sent)


def test_a_phone_has_the_keys_of_coming_slots_and_none_of_those_that_are_over():
    with playing(KeyTable(days=2)) as harness:
        harness.play([Step("say", "alice-phone", "bob")])
        kept = []
        for _ in range(4):
            kept.append([key.slot for key in harness.device("alice-phone").tables[""].keys])
            harness.take(Step("day"))
        assert kept == [list(range(31)), list(range(31)), list(range(1, 31)), list(range(1, 31))]


def test_no_two_conversations_share_a_table_whatever_their_names_contain():
    with playing(KeyTable(scope="pair")) as harness:
        device = harness.device("alice-phone")
        for people in (("alice", "bob"), ("bob", "alice"), ("alice,bob",), ("alice", "bob", ""), ("alice", "bob,")):
            device.access_field(MessageKey(b"chain", 0, bytes(32)), FieldContext(people, 0, b"header"))
        assert len(device.tables) == 4
        harness.wire.day = device.form.days * device.form.slots
        device.each_day(harness.wire)
        assert device.tables == {}


def test_a_table_that_is_over_is_followed_by_another():
    form = TableForm(2, 3)
    assert [(form.first(day), form.slot(day)) for day in (0, 1, 2, 5, 6, 11, 12)] == [
        (0, 0),
        (0, 0),
        (0, 1),
        (0, 2),
        (6, 0),
        (6, 2),
        (12, 0),
    ]
    with playing(KeyTable(slots=1)) as harness:
        warrant = harness.served("alice")
        for _ in range(3):
            harness.play([Step("say", "alice-phone", "bob"), Step("day")])
        assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}


def test_nothing_is_sent_after_the_last_slot_of_the_table_that_the_vendor_made_for_everybody():
    """Else a client would make a table of its own, which the vendor did not."""
    with playing(KeyTable(scope="everybody", slots=2)) as harness:
        for day in range(3):
            harness.play([Step("day")] * bool(day))
            if day < 2:
                harness.play([Step("say", "alice-phone", "bob")])
                assert harness.shown == harness.meant
            else:
                with pytest.raises(Refused, match="the vendor's table has the key of the day"):
                    harness.play([Step("say", "alice-phone", "bob")])


@pytest.mark.parametrize("changed", [{"days": 0}, {"slots": 0}, {"slots": 401}])
def test_parameters_that_make_no_scheme_are_refused(changed):
    with pytest.raises(ValueError, match="slots"):
        KeyTable(**changed)


def spoken(harness, *steps):
    harness.play(Step("say", device, to) for device, to in steps)
    return [(each, codec.decode(each.mail.field, TableField)) for each in harness.intercepted()]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda field: replace(field, table=field.table[:-1]), "does not fit"),
        (lambda field: replace(field, table=b""), "32 bytes"),
        (lambda field: replace(field, slot=1), "in another slot"),
        (lambda field: replace(field, first=31), "in another slot"),
        (lambda field: replace(field, slot=-1), "in another slot"),
        (lambda field: replace(field, day=-1), "in another slot"),
        (lambda field: replace(field, day=40), "in another slot"),
    ],
)
def test_a_malformed_table_is_refused_by_name_and_the_other_messages_open(spoil, why):
    with playing(KeyTable()) as harness:
        warrant = harness.served("alice", first=-2, last=50)
        (first, field), *_, (last, _) = spoken(harness, ("alice-phone", "bob"), ("bob-phone", "alice"))
        wrong = spoil(field)
        with pytest.raises(Forged, match=why):
            slot_key(harness.wire.parties["vendor"].key, wrong)
        mail = replace(first.mail, field=codec.encode(wrong))
        assert harness.access(warrant, [replace(first, mail=mail), last]) == {harness.said[-1].body}


def test_the_vendor_hands_out_no_key_for_labels_that_the_owner_did_not_write():
    with playing(KeyTable()) as harness:
        warrant = harness.served("alice")
        _, field = spoken(harness, ("bob-phone", "carol"))[0]
        with pytest.raises(Refused, match="target"):
            harness.authority.ask(harness.wire, "vendor", warrant, field)
        lied = replace(field, people=("alice", "bob"))
        with pytest.raises(Refused, match="the labels are those that the table's owner wrote"):
            harness.authority.ask(harness.wire, "vendor", warrant, lied)
        with pytest.raises(Forged):
            unwrap(lied, slot_key(harness.wire.parties["vendor"].key, lied))


FAULTS = {
    "the wrap is bound to no people": (
        "a field is bound",
        (
            "labels = (self.chain, self.n, self.people, self.day, self.header)",
            "labels = (self.chain, self.n, self.day)",
        ),
    ),
    "the vendor believes the labels": (
        "a request is bound",
        ('yield "the labels are those that the table\'s owner wrote", _fits(key, field)', "yield from ()"),
    ),
    "the vendor hands out any day": (
        "no valid warrant no text",
        ("yield from promises(key.court, warrant, field.people, field.day)", 'yield "one check", True'),
    ),
    "a key is kept in the module": (
        "nothing is kept elsewhere",
        ("class TableDevice(device.Device):", "SEEN: list[bytes] = []\n\n\nclass TableDevice(device.Device):"),
        ("        placed = (table.first,", "        SEEN.append(own.value)\n        placed = (table.first,"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_design_is_caught(tmp_path, fault):
    name, *changes = FAULTS[fault]
    assert fault_found(tmp_path, key_table, name, changes)

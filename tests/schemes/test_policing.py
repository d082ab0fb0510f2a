"""Access fields with false labels, and without any: who is named, what the law misses, and who makes a field again."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from kit import results
from once import once

from attacks.field_stripping import FieldStripping
from attacks.lab.runs.matrix import run_cell
from attacks.lab.simulation.attack import Attack, Turn
from attacks.lab.simulation.scenario import default
from escrow import codec, crypto, registry
from escrow.crypto import new_private, new_signing_key
from escrow.e2ee import policing, ratchet, sender_keys, x3dh
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.policing import LATE, OTHER_DAY, field_type, group_key, pairwise_key
from escrow.e2ee.provider import Group, Mail, Provider
from escrow.e2ee.x3dh import Bundle, IdentityKey
from escrow.principal import corrupted
from escrow.scheme import Source
from escrow.schemes import envelope
from escrow.schemes.envelope import Envelope, EnvelopeDevice, EnvelopeScheme
from escrow.schemes.plain import FieldScheme
from escrow.testing import properties
from escrow.testing.harness import Step, playing
from escrow.testing.world import mails_in

SCHEMES = {name: scheme for name, scheme in registry.schemes().items() if isinstance(scheme, FieldScheme)}
POLICIES = ("none", "relay", "recipient")
SMALL = default(users=4, groups=2, days=5, messages=24)
TARGETS = {warrant.target for warrant in SMALL.warrants}
LATER = SMALL.days + 1


@pytest.fixture(scope="module", autouse=True)
def shared():
    """Honest plays, and results of the door, of which each policing needs the same for several attacks."""
    with once(honest_only=True), crypto.running(crypto.Run(None, results=crypto.Results())):
        yield


def under(name, policing):
    return msgspec.structs.replace(SCHEMES[name], policing=policing)


def levels(name):
    """The levels of policing that a scheme takes: no recipient makes a field again that is its sender's secret."""
    repeated = not SCHEMES[name].device.unrepeatable or SCHEMES[name].device.admit is not Device.admit
    return POLICIES if repeated else POLICIES[:-1]


REPEATED = [name for name in SCHEMES if levels(name) == POLICIES and name != "clipper"]


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if levels(name) != POLICIES])
def test_a_field_that_is_its_senders_secret_is_policed_by_no_recipient(scheme):
    with pytest.raises(ValueError, match="cannot be policed by recipients"):
        under(scheme, "recipient")


def test_every_scheme_that_sends_fields_takes_every_policing():
    sends = {name for name, each in registry.schemes().items() if field_type(each.device.access_field) is not None}
    assert sends == set(SCHEMES)
    assert {name: scheme.policing for name, scheme in SCHEMES.items() if scheme.policing != "none"} == {
        "clipper": "recipient"
    }


@pytest.mark.parametrize("prop", properties.PROPERTIES, ids=lambda prop: prop.name)
@pytest.mark.parametrize("policing", ["relay", "recipient"])
def test_a_policed_scheme_has_every_property(policing, prop):
    scheme = under("envelope", policing)
    assert prop.broken(scheme, settings(properties.QUICK, max_examples=8), results(scheme)) == ""


@pytest.mark.parametrize("order", [*itertools.permutations(range(4))], ids=str)
def test_the_key_that_a_field_should_hold_is_found_in_whatever_order_a_groups_mail_comes(order):
    own = sender_keys.new_chain()
    peer = sender_keys.PeerChain("bob-phone", "all", own.chain, own.signer.public)
    sent = [sender_keys.encrypt(own, b"text %d" % n) for n in range(4)]
    for n in order:
        data, key = sent[n]
        message = sender_keys.unpack(data)
        assert group_key(peer, message) == key
        assert sender_keys.decrypt(peer, message).body == b"text %d" % n


def test_the_key_that_a_field_should_hold_is_that_of_its_own_chain():
    """A key that was skipped in an earlier chain has the number of a message of a later one."""
    alice, bob, prekey = *(new_signing_key(IdentityKey) for _ in range(2)), new_private()
    bundle = Bundle(bob.public, prekey.public, x3dh.sign_prekey(bob, prekey.public), b"")
    initial, root = x3dh.initiate(alice, bundle)
    own, other = ratchet.begin(root, initial.associated), ratchet.respond(root, initial.associated, prekey)
    skipped, second = (ratchet.encrypt(own, b"%d" % n) for n in range(2))
    ratchet.decrypt(other, second[0])
    ratchet.decrypt(own, ratchet.encrypt(other, b"answer")[0])
    later = ratchet.encrypt(own, b"of the next chain")
    for message, key in (later, skipped):
        assert message.n == 0 and pairwise_key(other, message) == key
        assert ratchet.decrypt(other, message) is not None


def test_the_key_of_a_group_mail_is_of_its_senders_chain():
    """A member may tell a chain under the name of another's, which every member has seen."""
    own = sender_keys.new_chain()
    copied = sender_keys.SenderChain(own.chain.chain, 0, bytes(32))
    chains = [
        sender_keys.PeerChain("carol-phone", "choir", copied, own.signer.public),
        sender_keys.PeerChain("bob-phone", "choir", own.chain, own.signer.public),
    ]
    body, key = sender_keys.encrypt(own, b"text")
    mail = Mail("bob-phone", ("alice-phone",), "choir", None, body, b"")
    with playing(under("envelope", "recipient")) as harness:
        reader = harness.device("alice-phone")
        reader.receiving = chains
        assert policing.of_group(reader, mail).key == key


# --- false labels, in a play ---


class Mislabelling(Attack):
    """Corrupt phones so that they write false labels: targets a later day, a bystander a target's name."""

    source = Source("nobody", "a test", 2026, "all", "messages")
    specimen = "unpoliced_relay"

    def __init__(self, what: str) -> None:
        self.name = self.title = f"mislabelling-{what}"
        self.what = what

    def corruptions(self, cast: Any, scenario: Any) -> Any:
        """Corrupt the devices of the targets, or of the first user who is none."""
        bystander = next(user for user in scenario.users if user.name not in TARGETS)
        liars = [user for user in scenario.users if user.name in TARGETS] if self.what == "day" else [bystander]
        return [Turn(name, 0) for user in liars for name in user.devices]

    def corrupt(self, party: Any, scheme: Any, cast: Any, scenario: Any) -> Any:
        """Let a device write the false label."""
        honest, target = type(party), min(TARGETS)

        def access_field(device: Any, key: Any, true: FieldContext) -> Any:
            if self.what == "day":
                return honest.access_field(device, key, msgspec.structs.replace(true, day=LATER))
            return honest.access_field(device, key, msgspec.structs.replace(true, people=(*true.people, target)))

        return corrupted(party, access_field=access_field)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_day_that_no_warrant_covers_hides_texts_and_names_its_writer(scheme):
    cell = run_cell(SCHEMES[scheme], Mislabelling("day"), SMALL)
    assert cell.lawful < cell.entitled and cell.evaded
    named = {each.check.split(":")[0] for each in cell.alarms}
    writers = {name for user in SMALL.users if user.name in TARGETS for name in user.devices}
    assert named and named <= writers
    assert all(each.check.endswith(f"names another {OTHER_DAY}") for each in cell.alarms)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_bystanders_name_lays_texts_open_and_names_its_writer(scheme):
    cell = run_cell(SCHEMES[scheme], Mislabelling("name"), SMALL)
    assert cell.overreached
    bystander = next(user for user in SMALL.users if user.name not in TARGETS)
    assert {each.check for each in cell.alarms} == {
        f"{name}: its access field names another user" for name in bystander.devices
    }


@pytest.mark.parametrize("what", ["day", "name"])
@pytest.mark.parametrize("scheme", ["envelope", "clipper"])
def test_a_relay_that_polices_leaves_a_liar_less(scheme, what):
    free, policed = (run_cell(under(scheme, each), Mislabelling(what), SMALL) for each in ("none", "relay"))
    assert free.evaded if what == "day" else free.overreached
    assert policed.evaded == 0
    assert policed.overreached <= free.overreached


@pytest.mark.parametrize("scheme", ["envelope", "clipper"])
def test_a_day_that_all_clients_write_falsely_is_noticed_by_a_relay_that_polices_or_by_nobody(scheme):
    """Recipients that lie too compare nothing, so that only the relay's clock is left."""
    everybody = Mislabelling("day")
    everybody.corruptions = lambda cast, scenario: [Turn(name, 0) for name in scenario.devices]
    cells = {each: run_cell(under(scheme, each), everybody, SMALL) for each in levels(scheme)}
    assert all(not cell.alarms for cell in cells.values())
    assert {each for each, cell in cells.items() if cell.evaded} == {*cells} - {"relay"}
    with playing(under(scheme, "relay")) as harness:
        honest = harness.scheme.device.access_field
        for name in harness.owner:
            false = {"access_field": lambda own, key, true: honest(own, key, msgspec.structs.replace(true, day=LATER))}
            harness.wire.parties[name] = corrupted(harness.device(name), **false)
        harness.play([Step("say", "alice-phone", "bob")])
        assert ("provider", "the access field of alice-phone is of today") in [x[1:] for x in harness.wire.refusals]


# --- no field at all ---


class OneDevice(FieldStripping):
    """One device of one target strips its fields; all others are honest."""

    strategies = Attack.strategies


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_stripped_field_evades_only_where_nobody_honest_polices(scheme):
    """If all clients strip, no recipient polices either: the relay alone is left."""
    alone, every = (
        {policing: run_cell(under(scheme, policing), attack, SMALL).evaded for policing in levels(scheme)}
        for attack in (OneDevice(), FieldStripping())
    )
    assert alone["none"] > 0 and every["none"] > 0
    assert alone["relay"] == every["relay"] == alone.get("recipient", 0) == 0
    assert every.get("recipient", every["none"]) == every["none"]


# --- the relay ---


def test_under_a_relay_that_polices_groups_fan_out_and_nothing_is_lost():
    for policed, styles in (("none", {True}), ("relay", {False})):
        with playing(under("envelope", policed)) as harness:
            harness.play([Step("say", "alice-phone", "choir"), Step("say", "bob-phone", "choir")])
            assert harness.shown == harness.meant
            mails = [mail for packet in harness.wire.heard for mail in mails_in(packet) if packet.dst == "provider"]
            assert {bool(mail.group) for mail in mails if mail.field} == styles


def test_changes_of_one_group_without_end_stop_no_mail_of_another(monkeypatch):
    monkeypatch.setattr(policing, "MEMBERSHIPS_KEPT", 3)
    with playing(under("envelope", "relay")) as harness:
        for number in range(9):
            harness.announce("bob-phone", Group("crowd", ("bob", f"user {number}"), False))
        harness.play([Step("say", "carol-phone", "choir"), Step("say", "alice-phone", "club")])
        assert harness.wire.refusals == [] and harness.shown == harness.meant
        assert sorted(map(len, harness.provider.memberships.values())) == [1, 1, 3]


@pytest.mark.parametrize("policing", POLICIES)
def test_mail_that_a_change_of_the_group_overtook_names_nobody(policing):
    """The labels have a member who is one no longer when the mail arrives; the list was true when it was sent."""
    with playing(under("envelope", policing), ["now"] * 8 + ["late"] * 2) as harness:
        harness.play([Step("say", "alice-phone", "club"), Step("say", "bob-phone", "club")])
        harness.take(Step("say", "alice-phone", "club"))
        harness.take(Step("day"))
        harness.gather(Group("club", ("alice", "bob"), False))
        harness.play([Step("say", "alice-phone", "club")])
        assert not [each for each in harness.wire.alarms if "access field" in each.check]
        assert not [why for _, who, why in harness.wire.refusals if who == "provider"]


@pytest.mark.parametrize("name", ["envelope", "split-key", "threshold", "fair-keys"])
def test_a_relay_that_changes_fields_costs_the_law_a_text_and_an_honest_sender_its_name(name: str) -> None:
    for change, alarmed in ((lambda field: b"", False), (lambda field: field[:-1], True)):

        def queue(party: Provider, recipient: str, mail: Mail, change: Any = change) -> None:
            changed = msgspec.structs.replace(mail, field=change(mail.field))
            party.mailboxes.setdefault(recipient, []).append(changed)

        with playing(SCHEMES[name]) as harness:
            warrant = harness.served("bob")
            harness.wire.parties["provider"] = corrupted(harness.provider, queue=queue)
            harness.play([Step("say", "bob-phone", "alice")])
            assert harness.shown == harness.meant
            named = {alarm.who for alarm in harness.wire.alarms if alarm.check.startswith("bob-phone: ")}
            assert bool(named) == alarmed
            carried = [
                msgspec.structs.replace(each, mail=msgspec.structs.replace(each.mail, field=change(each.mail.field)))
                for each in harness.intercepted()
            ]
            assert not list(harness.access(warrant, carried))


@pytest.mark.parametrize(
    ("days", "carried"),
    [(0, True), (LATE, True), (LATE + 1, False), (-1, False)],
    ids=["today", "late", "old", "future"],
)
def test_a_relay_takes_the_days_that_the_network_may_need(days, carried):
    with playing(under("envelope", "relay")) as harness:
        harness.take(Step("say", "alice-phone", "bob"))
        [mail] = [m for p in harness.wire.heard for m in mails_in(p) if m.recipients == ("bob-phone",) and m.field]
        harness.wire.day = LATE + 1
        field = codec.decode(mail.field, Envelope)
        dated = msgspec.structs.replace(field, day=harness.wire.day - days)
        before = len(harness.provider.mailboxes["bob-phone"])
        harness.wire.tell("alice-phone", "provider", msgspec.structs.replace(mail, field=codec.encode(dated)))
        assert (len(harness.provider.mailboxes["bob-phone"]) > before) == carried


def test_the_field_of_another_scheme_is_no_field_for_the_relay():
    with playing(under("split-key", "relay")) as harness:
        harness.take(Step("say", "alice-phone", "bob"))
        [mail] = [m for p in harness.wire.heard for m in mails_in(p) if m.recipients == ("bob-phone",) and m.field]
        alien = codec.encode(Envelope(b"", 0, ("alice", "bob"), 0, b"", b"", b""))
        harness.wire.tell("alice-phone", "provider", msgspec.structs.replace(mail, field=alien))
        assert harness.wire.refusals[-1][2] == "mail of alice-phone carries an access field"


# --- the recipient ---


def sent_field(scheme, seed=0):
    with playing(scheme, seed=seed) as harness:
        harness.take(Step("say", "alice-phone", "bob"))
        return next(m for p in harness.wire.heard for m in mails_in(p) if m.recipients == ("bob-phone",) and m.field)


@pytest.mark.parametrize("scheme", REPEATED)
def test_a_field_with_any_other_bytes_is_refused_and_its_sender_named(scheme):
    tried = under(scheme, "recipient")
    with playing(tried) as harness:
        honest = harness.scheme.device

        def access_field(device, key, context):
            made = honest.access_field(device, key, context)
            honest.access_field(device, key, context)
            return honest.access_field(device, key, context) if device.lies else made

        party = corrupted(harness.device("bob-phone"), {"lies": list[int]}, access_field=access_field)
        harness.wire.parties["bob-phone"] = party
        harness.play([Step("say", "bob-phone", "alice")])
        assert harness.shown == harness.meant
        party.lies.append(1)
        harness.play([Step("say", "bob-phone", "alice")])
        assert harness.shown.total() == harness.meant.total() // 2
        assert {each.check.split(":")[0] for each in harness.wire.alarms} == {"bob-phone"}


@pytest.mark.parametrize("scheme", REPEATED)
def test_fields_that_are_made_again_have_the_same_length_and_open_the_same(scheme):
    plain, again = (sent_field(under(scheme, policing)) for policing in ("none", "recipient"))
    assert len(plain.field) == len(again.field) and plain.field != again.field
    with playing(under(scheme, "recipient")) as harness:
        warrant = harness.served("alice")
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "choir")])
        assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}


class ChipDevice(EnvelopeDevice):
    unrepeatable = "its chip has a key of its own"


class ChipScheme(EnvelopeScheme, frozen=True, kw_only=True):
    device = ChipDevice


class UnseedableScheme(EnvelopeScheme, frozen=True, kw_only=True):
    seedable = "its fields hold randomness of another library"


class CheckingDevice(ChipDevice):
    def admit(self, mail: Mail, found: Any) -> None:
        """Admit every field: the check of another kind stands here."""


class CheckingScheme(EnvelopeScheme, frozen=True, kw_only=True):
    device = CheckingDevice


@pytest.mark.parametrize(
    ("scheme", "why"), [(ChipScheme, "its chip has a key"), (UnseedableScheme, "randomness of another library")]
)
def test_what_no_recipient_can_make_again_is_refused_as_a_parameter_with_the_reason(scheme, why):
    assert scheme(policing="relay").policing == "relay"
    with pytest.raises(ValueError, match=f"cannot be policed by recipients: .*{why}"):
        scheme(policing="recipient")
    with pytest.raises(registry.UnknownName, match=why):
        registry.with_parameters(scheme(), ["envelope.policing=recipient"])


def test_a_check_of_another_kind_may_stand_in_its_place():
    assert CheckingScheme(policing="recipient").policing == "recipient"
    assert Device.admit is not CheckingDevice.admit


def test_an_unknown_policing_is_refused():
    with pytest.raises(registry.UnknownName, match="policing cannot be 'court'"):
        registry.with_parameters(envelope.SCHEME, ["envelope.policing=court"])

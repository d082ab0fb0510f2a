"""A device that is listed for the law stands in the key directory, or the directory lies and somebody notices."""

import pytest
from msgspec.structs import replace

from attacks.lab.simulation.play import Play, play, run_secret
from attacks.lab.simulation.scenario import WarrantSpec, default
from escrow import codec, crypto
from escrow.crypto import Run
from escrow.e2ee.listing.proved import AUDITED, FRESH, OWN, PUBLISHED, Auditor, TwoLogs, said
from escrow.e2ee.listing.published import DeviceLine, label_of
from escrow.errors import Forged
from escrow.principal import corrupted
from escrow.schemes.ghost import GhostScheme
from escrow.schemes.ghost_directory import AUDITOR, GhostDirectory
from escrow.testing.harness import playing
from escrow.testing.properties import PROPERTIES
from escrow.transparency.directory import Head, KeyDirectory

TARGET, SERVED = "bob", 2
SCENARIO = replace(
    default(users=3, groups=1, days=6, messages=60),
    ceremonies=(),
    lossy=(),
    warrants=(WarrantSpec(TARGET, SERVED, 5, SERVED, 5),),
)


def played(scheme, lie=None):
    """Play, and return the play and its record; `lie` replaces methods of the provider from the first day on."""
    with crypto.running(Run(run_secret(SCENARIO.seed))):
        made = Play(scheme, SCENARIO)
        if lie:
            honest = made.provider
            made.wire.parties[honest.name] = corrupted(honest, **lie(type(honest)))
        return made, made.run()


def alarms(record):
    return {(each.day, each.who, each.check) for each in record.alarms}


def line(made, user, size=None):
    """Return the devices that the directory has of a user."""
    directory = KeyDirectory(made.provider.publishing.kept)
    held = [each for epoch, each in directory.values[label_of(user)] if size is None or epoch < size]
    return [each.device for each in codec.decode(held[-1].value, DeviceLine).devices]


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_silent_device_stands_in_the_next_epoch_and_its_target_is_told(epoch):
    made, record = played(GhostDirectory(epoch=epoch))
    first = -(-(SERVED + 1) // epoch)  # the number of the first epoch after the service
    assert len(line(made, TARGET, first)) == 2
    (ghost,) = set(line(made, TARGET, first + 1)) - set(line(made, TARGET, first))
    assert ghost.startswith(f"{TARGET}-tablet")
    told = {each for each in alarms(record) if each[2] == said(OWN)}
    assert {(first * epoch, f"{TARGET}-phone", said(OWN)), (first * epoch, f"{TARGET}-laptop", said(OWN))} <= told
    assert {who for _, who, _ in told} == {f"{TARGET}-phone", f"{TARGET}-laptop"}
    assert {each[2] for each in alarms(record)} == {said(OWN)}


def test_a_client_that_hides_the_line_tells_nobody_and_the_directory_has_it_all_the_same():
    made, record = played(GhostDirectory(epoch=1, monitor="hidden"))
    assert record.alarms == ()
    assert len(line(made, TARGET)) == 3


def test_the_law_reads_as_in_ghost_if_pending_devices_are_used_and_later_if_they_wait():
    texts = {
        pending: {each.body for each in play(GhostDirectory(epoch=3, pending=pending), SCENARIO).lawful}
        for pending in ("used", "waits")
    }
    assert texts["used"] == {each.body for each in play(GhostScheme(), SCENARIO).lawful}
    assert texts["waits"] < texts["used"]
    days = {sent.body: sent.day for sent in play(GhostDirectory(), SCENARIO).sent}
    assert min(days[body] for body in texts["used"]) == SERVED
    assert min(days[body] for body in texts["waits"]) >= 3


WAITING = {  # the properties of the kit in which a device, or the law's, is new
    "access yields what is in scope",
    "no valid warrant no text",
    "no text under a key not listed and shown",
    "a changed key rotates sender chains",
    "a disturbed step gives no weaker success",
    "what is said is checked or listed",
}


@pytest.mark.parametrize(("epoch", "pending"), [(1, "used"), (2, "waits")])
def test_the_kit_waits_as_long_as_a_new_device_does(epoch, pending):
    scheme = GhostDirectory(epoch=epoch, pending=pending)
    tried = [each for each in PROPERTIES if each.name in WAITING]
    assert len(tried) == len(WAITING)
    assert {each.name: said for each in tried if (said := each.broken(scheme))} == {}


def test_access_that_begins_later_than_the_claim_says_is_no_access():
    class Impatient(GhostDirectory, frozen=True, kw_only=True):
        @property
        def claim(self):
            return replace(super().claim, delay=0)

    (promised,) = (each for each in PROPERTIES if each.name == "access yields what is in scope")
    assert "promised texts are missing" in promised.broken(Impatient(pending="waits"))


# --- planted faults: each is noticed by the check that is about it ---


def unpublished(honest):
    """List silent devices to everybody, and publish none."""

    def lists(self, day):
        return {
            user: DeviceLine(tuple(each for each in told.devices if "tablet" not in each.device))
            for user, told in honest.lists(self, day).items()
        }

    return {"lists": lists}


def frozen(honest):
    """Begin one epoch, and no other."""

    def begin_epochs(self, day):
        if not self.publishing.kept.epochs:
            honest.begin_epochs(self, 0)

    return {"begin_epochs": begin_epochs}


def rewritten(honest):
    """Take a version out of an epoch that everybody saw."""

    def begin_epochs(self, day):
        honest.begin_epochs(self, day)
        first = self.publishing.kept.epochs[0].new
        if day == 4 and len(first) == len(SCENARIO.users):
            first.pop()

    return {"begin_epochs": begin_epochs}


def test_a_directory_without_the_silent_device_is_noticed_by_those_who_write_to_it():
    _, record = played(GhostDirectory(epoch=1), unpublished)
    assert {check for _, _, check in alarms(record)} == {said(PUBLISHED)}
    assert min(day for day, _, _ in alarms(record)) == SERVED + 1
    _, quiet = played(GhostDirectory(epoch=1, monitor="hidden"))
    assert quiet.alarms == ()


def test_a_directory_that_stops_is_noticed_by_everybody_when_an_epoch_is_due():
    _, record = played(GhostDirectory(epoch=2, monitor="hidden"), frozen)
    assert {(2, name, said(FRESH)) for name in SCENARIO.devices} | {(2, AUDITOR, AUDITED)} == alarms(record)


def test_a_directory_that_rewrites_an_epoch_is_noticed_by_everybody():
    _, record = played(GhostDirectory(epoch=2, monitor="hidden"), rewritten)
    assert {who for day, who, _ in alarms(record) if day == 4} == {*SCENARIO.devices, AUDITOR}


def head(key, size, root):
    bare = Head(size, root, 0, b"")
    return replace(bare, signature=key.sign(bare.signed))


@pytest.mark.parametrize(("size", "root", "lies"), [(1, bytes(32), False), (2, b"r" * 32, False), (1, b"r" * 32, True)])
def test_two_heads_prove_a_lie_only_if_they_are_of_one_size_and_two_roots(size, root, lies):
    with playing(GhostDirectory()) as harness:
        bob, key = harness.device("bob-phone"), crypto.new_signing_key()
        bob.watch.log = key.public
        told = TwoLogs(head(key, 1, bytes(32)), head(key, size, root))
        if lies:
            bob.on_two_logs("alice-phone", told, harness.wire)
        else:
            with pytest.raises(Forged, match="two heads that one directory may have signed"):
                bob.on_two_logs("alice-phone", told, harness.wire)
        assert bob.watch.distrusts is lies


@pytest.mark.parametrize("size", [1, 2])
def test_peers_are_told_of_two_heads_only_if_these_prove_a_lie(size):
    with playing(GhostDirectory(gossip=100)) as harness:
        bob, key = harness.device("bob-phone"), crypto.new_signing_key()
        bob.watch.log, bob.watch.auditor, bob.watch.compared = key.public, "", 0
        bob.watch.head, bob.watch.peers = head(key, 1, bytes(32)), ["alice-phone"]
        alice = harness.device("alice-phone")
        alice.watch.log, alice.watch.head = key.public, head(key, size, b"r" * 32)
        bob.gossip(harness.wire)
        assert bob.watch.distrusts
        assert alice.watch.distrusts is (size == 1)
        assert any(b"TwoLogs" in packet.data for packet in harness.wire.heard) is (size == 1)


def test_an_auditor_goes_on_from_epoch_to_epoch():
    made, _ = played(GhostDirectory(epoch=2))
    auditor = made.wire.party(AUDITOR, Auditor)
    assert auditor.audited == 3
    assert auditor.tree == KeyDirectory(made.provider.publishing.kept).trees[-1].hash


def test_parameters_out_of_range_are_refused():
    for wrong, says in (({"epoch": 0}, "epoch=0"), ({"gossip": 101}, "gossip=101"), ({"gossip": -1}, "gossip=-1")):
        with pytest.raises(ValueError, match=says):
            GhostDirectory(**wrong)

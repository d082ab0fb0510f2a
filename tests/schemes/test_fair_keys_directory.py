"""The directory of fair keys: whole, the centre's, unchanged, and approved by every trustee."""

from contextlib import suppress

import msgspec
import pytest
from fair_registration import set_up, unregistered

from escrow.errors import Refused
from escrow.primitives import group
from escrow.schemes.fair_keys import registration
from escrow.schemes.fair_keys.registration import shifted
from escrow.schemes.fair_keys.scheme import FairKeys
from escrow.sharing import elgamal


def transports(wire):
    return [(name, wire.parties[name].transport_key()) for name in FairKeys().trustees]


def spoilt_directories(harness):
    told = tuple(harness.authority.certificates.values())
    first, key = told[0], harness.wire.parties["centre"].key

    def signed(**changes):
        blank = msgspec.structs.replace(first, **changes)
        return msgspec.structs.replace(blank, signature=key.sign(blank.body()))

    other, _ = elgamal.deal(2, 3)
    larger, _ = elgamal.deal(3, 3)
    yield "the centre publishes the directory", "provider", told
    yield "the centre publishes the directory", "alice-laptop", told
    yield "a certificate that is known does not change", "centre", told[1:]
    yield "a certificate that is known does not change", "centre", (signed(remark=b"x"), *told[1:])
    yield "every trustee approved", "centre", (signed(group=other), *told[1:])
    yield "the key is of t of n trustees", "centre", (signed(group=larger), *told[1:])
    yield "one certificate a user", "centre", (*told, signed(remark=b"x"))
    yield "centre's signature", "centre", (msgspec.structs.replace(first, shift=bytes(32)), *told[1:])


def test_a_directory_is_the_centres_whole_and_never_another():
    harness = set_up(FairKeys())
    for reason, sender, told in spoilt_directories(harness):
        for name in ("bob-phone", "authority"):
            before = harness.wire.parties[name].state()
            with pytest.raises(Refused, match=f"{name} refuses: {reason}"):
                harness.wire.ask(sender, name, registration.Directory(told), type(None))
            assert harness.wire.parties[name].state() == before


def of_alice_and_bob(wire):
    return (wire.parties[f"{name}-phone"].certificates[name] for name in ("alice", "bob"))


def false_certificates(wire):
    """Return what a centre could state of alice's key in place of the truth, with all that it heard."""
    replace = msgspec.structs.replace
    alice, bob = of_alice_and_bob(wire)
    dealt_key = shifted(alice.group, -int.from_bytes(alice.shift, "big"))
    own = replace(alice, group=elgamal.deal(2, 3)[0])
    seven = {"shift": group.scalar_bytes(7)}
    return [
        own,
        replace(own, approvals=()),
        replace(own, approvals=(wire.parties["centre"].key.sign(own.approval()),) * 3),
        replace(bob, user="alice"),
        replace(alice, group=shifted(dealt_key, 7), **seven),
        replace(alice, blinding=bytes(32), **seven),
        replace(alice, group=dealt_key, shift=bytes(32), blinding=b""),
    ]


def without_an_approval(wire):
    """Return alice's certificate with other approvals than all, in their order."""
    alice, _ = of_alice_and_bob(wire)
    first, second, third = alice.approvals
    some = ((), (first, second), (first,) * 3, (third, second, first), (*alice.approvals, third))
    return [msgspec.structs.replace(alice, approvals=each) for each in some]


@pytest.mark.parametrize("failsafe", [True, False])
def test_a_centre_alone_certifies_no_key_for_a_single_reader(failsafe):
    """Else it would read what that reader writes to the user, and the trustees would not."""
    wire = unregistered(FairKeys(failsafe=failsafe))
    for name in ("alice-phone", "bob-phone"):
        wire.parties[name].register(wire, transports(wire), 2)
    _, bob = of_alice_and_bob(wire)

    def refused(name, reason, certificate):
        signature = wire.parties["centre"].key.sign(certificate.body())
        told = msgspec.structs.replace(certificate, signature=signature)
        before = wire.parties[name].state()
        with pytest.raises(Refused, match=f"{name} refuses: {reason}"):
            wire.ask("centre", name, registration.Directory((told, bob)), type(None))
        assert wire.parties[name].state() == before

    for each in (*false_certificates(wire), *without_an_approval(wire)):
        for name in ("alice-phone", "bob-phone", "carol-phone", "authority"):
            refused(name, "every trustee approved the certified key", each)
    for each in false_certificates(wire):
        refused("trustee-2", "the certified key is the one dealt", each)
    true = registration.Directory(tuple(of_alice_and_bob(wire)))
    for name in ("carol-phone", "authority", "trustee-2"):
        wire.ask("centre", name, true, type(None))
    assert set(wire.parties["carol-phone"].certificates) == {"alice", "bob"}


def test_a_trustee_takes_the_first_directory_with_each_user_once_as_the_centre_signed_it():
    wire = unregistered()
    for name in ("alice-phone", "bob-phone"):
        wire.parties[name].register(wire, transports(wire), 2)
    alice, bob = of_alice_and_bob(wire)

    def tell(*told):
        wire.ask("centre", "trustee-1", registration.Directory(told), type(None))

    with pytest.raises(Refused, match="centre's signature"):
        tell(msgspec.structs.replace(alice, signature=bob.signature), bob)
    with pytest.raises(Refused, match="one certificate a user"):
        tell(alice, bob, alice)
    tell(bob)
    with pytest.raises(Refused, match="registration is closed"):
        tell(alice, bob)
    assert [share.group == bob.group.name for share in wire.parties["trustee-1"].shares] == [False, True]


def test_a_user_whom_the_centre_leaves_out_of_the_trustees_directory_is_noticed():
    """All others write to that user, and no warrant opens it: no trustee moved its share of that key."""
    wire = unregistered()
    for name in ("alice", "bob"):
        wire.parties[f"{name}-phone"].register(wire, transports(wire), 2)
    _, bob = wire.parties["centre"].certified
    for name in FairKeys().trustees:
        wire.ask("centre", name, registration.Directory((bob,)), type(None))
    said = "no certificate of the key that alice dealt: it opens nothing"
    assert [(alarm.who, alarm.check) for alarm in wire.alarms] == [(name, said) for name in FairKeys().trustees]


def test_a_trustee_adds_nothing_to_its_shares_after_registration():
    harness = set_up(FairKeys())
    trustee = harness.wire.parties["trustee-1"]
    before = trustee.state()
    for _, sender, told in spoilt_directories(harness):
        with suppress(Refused):
            harness.wire.ask(sender, "trustee-1", registration.Directory(told), type(None))
        assert trustee.state() == before


def test_a_user_knows_her_own_certificate_before_the_directory():
    wire = unregistered()
    device = wire.parties["alice-phone"]
    device.register(wire, transports(wire), 2)
    blank = msgspec.structs.replace(device.certificates["alice"], remark=b"x")
    swapped = msgspec.structs.replace(blank, signature=wire.parties["centre"].key.sign(blank.body()))
    with pytest.raises(Refused, match="a certificate that is known does not change"):
        wire.ask("centre", "alice-phone", registration.Directory((swapped,)), type(None))

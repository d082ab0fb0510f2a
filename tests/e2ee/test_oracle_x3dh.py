"""Property: this library and the package X3DH make the same agreement, or none, from the same keys and bytes.

A case is one agreement, or one attempt with something wrong in it, made by both and compared. The profile `long`
(tests/conftest.py) makes fifty times as many, new ones each time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import x3dh as theirs
import xeddsa
from hypothesis import settings
from msgspec.structs import replace
from oracle import (
    Agreed,
    Keys,
    Limits,
    Ours,
    Theirs,
    TheirState,
    drawing_from_the_door,
    now,
    their_signature,
    their_state,
)

from escrow import crypto
from escrow.crypto import Private, Run, new_private, random_bytes
from escrow.e2ee import x3dh
from escrow.e2ee.device import Device, new_devices
from escrow.e2ee.provider import Provider
from escrow.e2ee.ratchet import Shared
from escrow.e2ee.x3dh import Bundle, IdentityKey, Initial
from escrow.errors import Forged
from escrow.wire import Wire

LONG = settings.default is settings.get_profile("long")
AGREEMENTS = 10_000 if LONG else 200
THEIR_REFUSALS = (theirs.KeyAgreementException, xeddsa.XEdDSAException, ValueError)
NEUTRAL = b"\1" + bytes(31)
SMALL_ORDER = [bytes(32), NEUTRAL, b"\xec" + b"\xff" * 30 + b"\x7f"]

Secrets = tuple[bytes, bytes]  # SK, AD


@dataclass
class Party:
    """One device's keys, and what each library makes of them. None where it refuses."""

    identity: IdentityKey
    prekey: Private
    signature: bytes
    one_time: Private | None

    @classmethod
    def new(cls, one_time: bool) -> Party:
        """Half of the prekeys are signed by each library."""
        identity, prekey = crypto.new_signing_key(), new_private()
        signatures = x3dh.sign_prekey(identity, prekey.public), their_signature(identity.raw, prekey.public)
        return cls(
            IdentityKey(identity.public, identity.raw), prekey, one_of(*signatures), new_private() if one_time else None
        )

    @property
    def bundle(self) -> Bundle:
        one_time = self.one_time.public if self.one_time else b""
        return Bundle(self.identity.public, self.prekey.public, self.signature, one_time)

    @property
    def there(self) -> TheirState:
        one_time = self.one_time.raw if self.one_time else b""
        return their_state(self.identity.raw, self.prekey.raw, self.signature, one_time)

    def initiate(self, bundle: Bundle) -> tuple[Initial, Secrets] | None:
        try:
            if not x3dh.prekey_is_signed(bundle):
                return None
            initial, root = x3dh.initiate(self.identity, bundle)
        except Forged:
            return None
        return initial, (root.value, initial.associated)

    def initiate_there(self, bundle: Bundle) -> tuple[theirs.Header, Secrets] | None:
        prekeys = frozenset([bundle.one_time] if bundle.one_time else [])
        translated = theirs.Bundle(bundle.identity, bundle.prekey, bundle.signature, prekeys)
        try:
            secret, associated, header = now(self.there.get_shared_secret_active(translated, b"", False))
        except THEIR_REFUSALS:
            return None
        return header, (secret, associated)

    def accept(self, initial: Initial) -> Secrets | None:
        try:
            root = x3dh.accept(initial, self.identity, self.prekey, self.one_time if initial.opk_b else None)
        except Forged:
            return None
        return root.value, initial.associated

    def accept_there(self, header: theirs.Header) -> Secrets | None:
        try:
            secret, associated, _ = now(self.there.get_shared_secret_passive(header, b"", False))
        except THEIR_REFUSALS:
            return None
        return secret, associated


def both_initiate(
    party: Party, bundle: Bundle
) -> tuple[tuple[Initial, Secrets] | None, tuple[theirs.Header, Secrets] | None]:
    """With the same ephemeral key."""
    keys = Keys()
    keys.following = random_bytes(32)
    with crypto.running(keys):
        return party.initiate(bundle), party.initiate_there(bundle)


def header_of(initial: Initial, identity: bytes) -> theirs.Header:
    """Their header has the initiator's key in its Ed25519 form, and does not name the responder's."""
    return theirs.Header(identity, initial.ek_a, initial.spk_b, initial.opk_b or None)


def one_of(*values: bytes) -> bytes:
    return values[random_bytes(1)[0] % len(values)]


@pytest.fixture(autouse=True)
def _door() -> Iterator[None]:
    """Every key comes from one secret: the same each time, or in the long run a new one."""
    with crypto.running(Run(os.urandom(32) if LONG else bytes(32))), drawing_from_the_door():
        yield


COUNTED = pytest.mark.parametrize("count", [AGREEMENTS], ids=[f"{AGREEMENTS} agreements"])
WITH_AND_WITHOUT = pytest.mark.parametrize("one_time", [True, False], ids=["one-time prekey", "no one-time prekey"])


@COUNTED
@WITH_AND_WITHOUT
def test_both_agree_in_both_roles(one_time: bool, count: int) -> None:
    for number in range(count):
        alice, bob = Party.new(one_time), Party.new(one_time)
        here, there = both_initiate(alice, bob.bundle)
        assert here and there
        (initial, secrets), (header, their_secrets) = here, there
        assert header == header_of(initial, alice.identity.public)
        assert secrets == their_secrets == bob.accept(initial) == bob.accept_there(header), number
        assert initial.opk_b == bob.bundle.one_time


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("_INFO", b"EscrowLab_X3DH_CURVE25519_SHA-512"),
        ("hkdf", lambda salt, secret, info, length: crypto.hkdf(salt, secret[32:], info, length)),
        ("encode_key", lambda public: b"\4" + public),
        ("exchange_as_b", lambda own, pair: Shared(pair.a, pair.b, own.exchange(pair.b))),
        ("prekey_is_signed", lambda bundle: crypto.verify(bundle.identity, bundle.signature, bundle.prekey)),
    ],
)
def test_a_defect_in_this_agreement_is_a_difference(
    name: str, instead: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x3dh, name, instead)
    with pytest.raises(AssertionError):
        test_both_agree_in_both_roles(True, 5)


@WITH_AND_WITHOUT
@pytest.mark.parametrize("ours_begins", [True, False], ids=["ours to theirs", "theirs to ours"])
def test_a_session_agreed_between_the_libraries_carries_messages_between_them(
    one_time: bool, ours_begins: bool
) -> None:
    for _ in range(20):
        alice, bob = Party.new(one_time), Party.new(one_time)
        here, there = both_initiate(alice, bob.bundle)
        assert here and there
        (initial, begun), (header, their_begun) = here, there
        answered = bob.accept_there(header) if ours_begins else bob.accept(initial)
        assert answered
        agreed = Agreed(*(begun if ours_begins else their_begun), bob.prekey), Agreed(*answered, bob.prekey)
        kinds: tuple[type[Ours | Theirs], type[Ours | Theirs]] = (Ours, Theirs) if ours_begins else (Theirs, Ours)
        one, other = (kind(each, kind is kinds[0], Limits()) for kind, each in zip(kinds, agreed, strict=True))
        for text in (b"one", b"two", b"three"):
            assert other.answer(one.encrypt(text)) == text
            assert one.answer(other.encrypt(text[::-1])) == text[::-1]


# --- with one fault ---


def flipped(data: bytes) -> bytes:
    """With one bit changed, but not the last, which X25519 does not look at."""
    bit = int.from_bytes(random_bytes(4), "big") % (8 * len(data) - 1)
    return (int.from_bytes(data, "little") ^ 1 << bit).to_bytes(len(data), "little")


def wrong(key: bytes) -> bytes:
    return one_of(flipped(key), new_private().public, key[:-1], key + b"\0", *SMALL_ORDER)


BUNDLE_FAULTS: dict[str, Callable[[Bundle], bytes]] = {
    "identity": lambda bundle: one_of(flipped(bundle.identity), crypto.new_signing_key().public, *SMALL_ORDER),
    "prekey": lambda bundle: wrong(bundle.prekey),
    "signature": lambda bundle: one_of(flipped(bundle.signature), bundle.signature[:-1], bytes(64)),
    "one_time": lambda bundle: one_of(wrong(bundle.one_time), b""),
}


@COUNTED
@pytest.mark.parametrize("field", BUNDLE_FAULTS)
def test_of_a_bundle_with_one_fault_both_make_the_same(field: str, count: int) -> None:
    """Nobody agrees to what the identity key did not sign; a one-time prekey is unsigned, and may be anybody's."""
    refused: Counter[bool] = Counter()
    for number in range(count):
        alice, bob = Party.new(True), Party.new(True)
        bundle = replace(bob.bundle, **{field: BUNDLE_FAULTS[field](bob.bundle)})
        here, there = both_initiate(alice, bundle)
        assert (here and here[1]) == (there and there[1]), number
        refused[here is None] += 1
    assert refused.total() == count
    assert set(refused) == ({True, False} if field == "one_time" else {True})


INITIAL_FAULTS: dict[str, Callable[[Initial], bytes]] = {
    "ek_a": lambda initial: wrong(initial.ek_a),
    "spk_b": lambda initial: wrong(initial.spk_b),
    "opk_b": lambda initial: one_of(wrong(initial.opk_b), b""),
}


@COUNTED
@pytest.mark.parametrize("field", INITIAL_FAULTS)
def test_of_an_initial_message_with_one_fault_both_make_the_same(field: str, count: int) -> None:
    """A responder has no way to tell an ephemeral key that was changed: it agrees with nobody, as does the other."""
    refused: Counter[bool] = Counter()
    for number in range(count):
        alice, bob = Party.new(True), Party.new(True)
        here = alice.initiate(bob.bundle)
        assert here
        initial = replace(here[0], **{field: INITIAL_FAULTS[field](here[0])})
        answered = bob.accept(initial)
        assert answered == bob.accept_there(header_of(initial, alice.identity.public)), number
        assert answered is None or answered[0] != here[1][0]
        refused[answered is None] += 1
    assert refused.total() == count
    assert set(refused) == ({True} if field == "spk_b" else {True, False})


@COUNTED
def test_under_somebody_elses_name_both_agree_with_nobody(count: int) -> None:
    for number in range(count):
        alice, bob, mallory = Party.new(True), Party.new(True), Party.new(True)
        here = alice.initiate(bob.bundle)
        assert here
        initial = replace(here[0], ik_a=mallory.identity.agreement.public)
        answered = bob.accept(initial)
        assert answered and answered[0] != here[1][0] and answered[1] != here[1][1]
        assert answered == bob.accept_there(header_of(initial, mallory.identity.public)), number


def test_an_identity_key_under_which_everything_is_signed_is_refused_by_both() -> None:
    """Under the neutral element, R = neutral and s = 0 sign every message for a verifier that only does the sum."""
    bob = Party.new(True)
    assert both_initiate(Party.new(True), bob.bundle) != (None, None)
    forged = replace(bob.bundle, identity=NEUTRAL, signature=NEUTRAL + bytes(32))
    assert both_initiate(Party.new(True), forged) == (None, None)


# --- one key in two forms ---


def second_form(public: bytes) -> bytes:
    """The same X25519 public key in other bytes: the bit that RFC 7748, section 5, has readers ignore."""
    return public[:31] + bytes([public[31] | 0x80])


@WITH_AND_WITHOUT
def test_in_its_second_form_an_ephemeral_key_agrees_to_the_same_in_both(one_time: bool) -> None:
    """So the agreement does not protect the name of the session, which is this key; the device must (next test)."""
    alice, bob = Party.new(one_time), Party.new(one_time)
    here = alice.initiate(bob.bundle)
    assert here
    initial = replace(here[0], ek_a=second_form(here[0].ek_a))
    assert here[1] == bob.accept(initial) == bob.accept_there(header_of(initial, alice.identity.public))


@WITH_AND_WITHOUT
def test_a_first_message_is_shown_once_in_whichever_form_its_ephemeral_key_comes(one_time: bool) -> None:
    (alice,), (bob,) = new_devices(Device, "alice", ["a"]), new_devices(Device, "bob", ["b"], stock=int(one_time))
    provider = Provider(name="provider", accounts={"a": "alice", "b": "bob"})
    wire = Wire([alice, bob, provider])
    for device in (alice, bob):
        device.each_day(wire)
    alice.send(wire, "bob", b"once")
    (mail,) = provider.mailboxes["b"]
    initial = mail.initial
    assert initial is not None and bool(initial.opk_b) == one_time
    again = replace(mail, initial=replace(initial, ek_a=second_form(initial.ek_a)))
    provider.mailboxes["b"] = [mail, mail, again]
    bob.collect(wire)
    assert [shown.text for shown in wire.shown] == [b"once"]
    assert len(wire.refusals) == 2

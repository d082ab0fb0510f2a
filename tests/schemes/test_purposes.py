"""Property: what is hashed, signed or sealed says for what, and holds every part of it: each is hashed again here.

A name that is missing on both sides of a protocol changes no answer, and lets one purpose's bytes serve for another's.
"""

import hashlib
import importlib
import pkgutil
import re
from collections import defaultdict

import pytest

import escrow
from escrow import codec, crypto
from escrow.e2ee import policing
from escrow.e2ee.ratchet import MessageKey
from escrow.e2ee.x3dh import Initial, PqInitial
from escrow.primitives import group
from escrow.scheme import User
from escrow.schemes import fair_keys, ghost, threshold
from escrow.schemes.clipper import field as clipper
from escrow.schemes.fair_keys import registration
from escrow.sharing import elgamal, tdh2
from escrow.sharing.committee.broadcast import NextKey, Statement
from escrow.sharing.committee.rounds import Purpose
from escrow.testing.world import World
from escrow.warrant import Order, Warrant

NAMED = re.compile(r"_[A-Z]+")


def hashed(*parts: bytes) -> bytes:
    """SHA-256 over the parts, each after its length in four bytes."""
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


# --- names of purposes ---


def names(modules) -> dict[bytes, list[str]]:
    """Return where each name of a purpose stands: a module's private constant of bytes."""
    found = defaultdict(list)
    for module in modules:
        for name, value in vars(module).items():
            if NAMED.fullmatch(name) and isinstance(value, bytes):
                found[value].append(f"{module.__name__}.{name}")
    return found


def of_the_library():
    inside = pkgutil.walk_packages(escrow.__path__, "escrow.")
    return [importlib.import_module(each.name) for each in inside if "p256_openssl" not in each.name]


def test_every_name_of_a_purpose_says_something_and_stands_for_one_purpose():
    found = names(of_the_library())
    assert len(found) > 15
    assert found.get(b"", []) == []
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_an_empty_name_and_one_that_stands_twice_are_seen(monkeypatch):
    monkeypatch.setattr(registration, "_DEAL", b"")
    monkeypatch.setattr(registration, "_APPROVE", registration._CERTIFY)
    found = names(of_the_library())
    assert found[b""] == ["escrow.schemes.fair_keys.registration._DEAL"]
    assert len(found[registration._CERTIFY]) == 2


# --- hashes, with every part ---

KEY = MessageKey(b"chain", 3, b"k" * 32)
PEOPLE, DAY, HEADER = ("alice", "bob"), 5, b"header"
LABELS = (KEY.chain, KEY.n, PEOPLE, DAY, HEADER)
MADE = elgamal.deal(2, 3)[0]
STATEMENT = Statement(b"s" * 32, "deal", 2, (NextKey(2, b"p" * 32),))
SEALED = tdh2.encrypt(MADE.key, b"m" * 32, b"l" * 32)
CERTIFICATE = registration.Certificate("alice", MADE, b"B" * 32, b"remark", b"", b"b" * 32, (b"s" * 64,))
WARRANT = Warrant(Order("w", b"a" * 32, "alice", 0, 9, "content", bytes(32), 0, 9, bytes(16)), bytes(64))
ENDS = [crypto.new_private().public for _ in range(5)]

HASHES = {
    "a threshold field's label": (
        threshold.label_of(*LABELS),
        (b"threshold escrow", codec.encode(LABELS)),
    ),
    "the seed of a field": (
        policing.field_seed(KEY, PEOPLE, DAY, HEADER),
        (b"escrow-lab field of a message key", KEY.value, codec.encode(LABELS)),
    ),
    "a member's statement": (
        STATEMENT.body(),
        (b"committee statement", codec.encode((b"s" * 32, "deal", 2, STATEMENT.facts))),
    ),
    "a run of a committee": (
        Purpose("recovery", 4, 2).session,
        (b"committee", codec.encode(("recovery", 4, 2))),
    ),
    "a TDH2 ciphertext": (
        SEALED.context,
        (b"escrow-lab TDH2", MADE.key, SEALED.masked, b"l" * 32, SEALED.u, SEALED.u_bar, SEALED.proof),
    ),
    "a certificate": (
        CERTIFICATE.body(),
        (b"fair-keys certify", codec.encode(("alice", MADE, b"B" * 32, b"remark", b"b" * 32, (b"s" * 64,)))),
    ),
    "an approval": (
        registration.approved("alice", MADE, b"c" * 32),
        (b"fair-keys approve", b"alice", codec.encode(MADE), b"c" * 32),
    ),
    "a group of agents": (
        MADE.name,
        ((2).to_bytes(8, "big"), (3).to_bytes(8, "big"), *MADE.commitments),
    ),
    "a key that wraps a session key": (clipper._agreeing(KEY), (b"escrow-lab session key", KEY.value)),
    "a key under a session key": (clipper._wrapping(b"ks", b"c"), (b"escrow-lab message key", b"ks", b"c")),
}


@pytest.mark.parametrize("what", HASHES)
def test_a_hash_has_its_purpose_and_every_part(what):
    made, parts = HASHES[what]
    assert made == hashed(*parts)


def test_a_session_key_is_derived_for_this_purpose():
    assert clipper.derived_key(KEY) == hashed(b"escrow-lab derived session key", KEY.value)[:10]


def test_the_name_of_a_silent_device_follows_from_the_nonce():
    made = ghost.ghost_name("alice", b"nonce")
    assert made == f"alice-tablet-{hashed(b'escrow-lab name of a device', b'nonce').hex()[:8]}"


def test_a_mask_is_hashed_from_the_point_alone():
    point = group.base(7)
    pad = hashed(b"escrow-lab TDH2 H1", point)
    assert tdh2._mask(point, b"m" * 32) == bytes(a ^ b for a, b in zip(pad, b"m" * 32, strict=True))


def test_the_associated_data_of_a_session_is_both_identities_and_the_kem_key():
    first = Initial(*ENDS)
    assert first.associated == b"\x05" + ENDS[0] + b"\x05" + ENDS[2]
    both = PqInitial(*ENDS, b"q" * 1184, b"c" * 1088)
    assert both.associated.startswith(first.associated)
    assert both.associated.endswith(b"q" * 1184)


def test_a_request_is_signed_for_its_warrant_and_its_subject():
    asks = next(party for party in world(threshold.SCHEME).wire.parties.values() if party.name == "authority")
    request = asks.request(WARRANT, b"subject")
    signed = hashed(b"escrow-lab request", codec.encode(WARRANT), b"subject")
    assert crypto.verify(asks.key.public, request.signature, signed)


def world(scheme):
    return World(scheme, [User("alice", ("alice-phone",)), User("bob", ("bob-phone",))])


def test_the_centre_commits_to_the_shift_and_what_blinds_it():
    wire = world(type(fair_keys.SCHEME)(failsafe=True)).wire
    centre = wire.parties["centre"]
    commitment = centre.on_begin("alice-phone", registration.Begin("alice"), wire).commitment
    assert commitment == hashed(b"fair-keys commit", *centre.pending["alice"])


def test_a_share_is_sealed_for_its_user():
    assert registration._deal_of("alice") == b"fair-keys deal" + b"alice"

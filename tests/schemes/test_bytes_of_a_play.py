"""What parties send is what it was: the bytes of a small play, of every form of field, key and proof.

A label that is dropped from what is hashed, signed or bound changes these bytes, though both sides of a proof would
agree on it. Who means to change the bytes of a scheme says so in CHANGELOG.md, and writes the new digest here.
"""

from hashlib import sha256

import pytest
from kit import SCHEMES

import escrow  # the whole of it: a label of any module may be in these bytes
from escrow.testing.harness import Step, playing

STEPS = [("alice-phone", "bob"), ("bob-phone", "choir"), (), ("bob-phone", "alice")]  # () is the end of a day
DIGESTS = {  # the form -> the first 16 hex digits of the SHA-256 of all packets, in their order
    "plain": "36f46bbe7f4625a9",
    "plain committing=true": "ac9e9a40061c5871",
    "plain-pq": "d9b264c3e5864194",
    "clipper": "07069ea550d6aeb7",
    "clipper derives=true": "2867cff57f232102",
    "clipper mode=aead": "5a8fac634d032485",
    "clipper mode=cbc partial=true": "a5a81cad0a717fee",
    "envelope": "831d34cef593dfd0",
    "envelope committing=true policing=recipient": "230012df8d417c09",
    "envelope modes=signed": "829e2dc4a36c89dd",
    "envelope n=3": "c47c51940f086a77",
    "envelope n=3 t=2": "6189a1a872599669",
    "envelope per=epoch days=2": "ef6a596028592563",
    "envelope kem=xwing": "588661e6408943ba",
    "envelope kem=xwing n=3 t=2": "89360afce4f109b1",
    "envelope policing=publicly n=3 t=2": "382e63021f76227f",
    "fair-keys": "ee323fc69434b57e",
    "ghost": "88d5667f5e4d6387",
    "ghost devices=signed groups=admins": "45b2834989d7bc7c",
    "ghost-directory": "350b76023bcc0628",
    "ghost-mls": "5b4efe252fa9e54d",
    "jurisdictions": "9bf5ead98e1d0425",
    "jurisdictions parts=residents": "a70839e6d2dd7ecd",
    "key-table": "8d3b849a61c93aca",
    "key-table scope=pair": "f9fc5fc13ad0f0f2",
    "key-table scope=everybody": "e9fd3d2a64634211",
    "layered": "1b2db04763b7641a",
    "logged": "61c784441ec58da4",
    "logged reach=prospective gossip=witness": "42c8d479605e2995",
    "split-key": "322dab3994ef3f46",
    "threshold": "9c4fc29245560155",
    "threshold generation=joint-feldman": "bcb214c65892fe1b",
    "warrant-key": "eba1c171b462c6e0",
    "warrant-key tag=user": "06c2c471e5d8ce15",
    "warrant-key tag=epoch": "b7e3f298d723813d",
}


@pytest.mark.parametrize("form", DIGESTS)
def test_the_same_steps_with_the_same_secret_give_the_bytes_that_they_gave(form):
    name, *words = form.split()
    scheme, sent = escrow.registry.with_parameters(SCHEMES[name], [f"{name}.{each}" for each in words]), sha256()
    with playing(scheme) as harness:
        warrant = harness.served("alice")
        harness.play(Step("say", *each) if each else Step("day") for each in STEPS)
        assert len(harness.access(warrant, harness.intercepted())) == (0 if scheme.claim.access == "none" else 3)
        for packet in harness.wire.heard:
            sent.update(packet.data)
    assert sent.hexdigest()[:16] == DIGESTS[form]

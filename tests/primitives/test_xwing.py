"""X-Wing: the draft's vectors, HPKE with it, what is refused by name, and one ephemeral key for several recipients."""

from collections import Counter
from functools import partial

import pytest
from external import vectors

from escrow import crypto
from escrow.crypto import Results, Run, running
from escrow.errors import Forged
from escrow.primitives import hpke, kem, xwing


def of(vector, *names):
    return [bytes.fromhex(vector[name]) for name in names]


def test_the_drafts_vectors(monkeypatch):
    found = vectors("xwing/test-vectors.json")
    for vector in found:
        seed, eseed, secret, raw, public, ciphertext = of(vector, "seed", "eseed", "ss", "sk", "pk", "ct")
        made = xwing.private_of(seed)
        assert (made.raw, made.public) == (raw, public)
        monkeypatch.setattr(kem, "encapsulate", lambda lattice, m=eseed[:32]: kem.encapsulated(lattice, m))
        assert xwing.encapsulate(public, crypto.private_of(eseed[32:])) == (ciphertext, secret)
        assert made.decapsulate(ciphertext) == secret
    assert len(found) == 3


def test_hpke_with_it_gives_the_bytes_of_its_vectors():
    (vector,) = [
        each
        for each in vectors("hpke/hpke-pq-test-vectors.json")
        if (each["kem_id"], each["kdf_id"]) == (xwing.NUMBER, 1)
    ]
    key, info, enc = of(vector, "skRm", "info", "enc")
    own, suite = xwing.private_of(key), xwing.XWingSuite(hpke.CHACHA20_POLY1305)
    assert own.public == bytes.fromhex(vector["pkRm"])
    receiver = suite.receiver(own, enc, info)
    for item in vector["encryptions"]:
        plaintext, aad, sealed = of(item, "pt", "aad", "ct")
        assert receiver.open(sealed, aad) == plaintext
    for item in vector["exports"]:
        context, value = of(item, "exporter_context", "exported_value")
        assert receiver.export(context, item["L"]) == value
    assert (len(vector["encryptions"]), len(vector["exports"])) == (10, 5)


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (lambda own: xwing.encapsulate(own.public[:-1]), "1216 bytes, not 1215"),
        (lambda own: xwing.encapsulate(b"\xff" * kem.PUBLIC + own.public[-32:]), "1184 canonical"),
        (lambda own: xwing.encapsulate(own.public[:-32] + bytes(32)), "small order"),
        (lambda own: own.decapsulate(bytes(1119)), "1120 bytes, not 1119"),
        (lambda own: own.decapsulate(bytes(1120)), "small order"),
        (lambda own: xwing.private_of(bytes(31)), "32 bytes, not 31"),
        (lambda own: xwing.DEFAULT.open(own, bytes(1136)), "small order"),
        (lambda own: xwing.DEFAULT.seal(bytes(32), b""), "1216 bytes, not 32"),
        (lambda own: xwing.DEFAULT.kem.new_private(), "not to a key pair"),
    ],
)
def test_what_is_malformed_is_refused_by_name(work, says):
    with pytest.raises(Forged, match=says):
        work(xwing.new_private())


@pytest.mark.parametrize(
    ("suite", "new"), [(hpke.DEFAULT, crypto.new_private), (xwing.DEFAULT, xwing.new_private)], ids=["x25519", "xwing"]
)
def test_one_ephemeral_key_serves_several_recipients_and_each_opens_its_own_part_only(suite, new):
    keys, ephemeral = [new() for _ in range(3)], crypto.new_private()
    texts = [b"%d" % number for number in range(3)]
    parts = suite.seal_each([each.public for each in keys], texts, b"info", ephemeral)
    at = suite.kem.size - 32
    whole = [part[:at] + ephemeral.public + part[at:] for part in parts]
    for number, key in enumerate(keys):
        assert suite.open(key, whole[number], b"info") == texts[number]
        for other in (whole[number - 1], whole[number - 2]):
            with pytest.raises(Forged):
                suite.open(key, other, b"info")
        with pytest.raises(Forged):
            suite.open(key, whole[number], b"other info")
    with pytest.raises(Forged, match="each recipient once"):  # two texts under one key and nonce
        suite.seal_each([keys[0].public] * 2, texts[:2], b"info", ephemeral)


P256 = hpke.Suite(hpke.P256, hpke.CHACHA20_POLY1305)


@pytest.mark.parametrize(
    ("suite", "new", "new_ephemeral"),
    [
        (hpke.DEFAULT, crypto.new_private, crypto.new_private),
        (P256, hpke.new_private_p256, hpke.new_private_p256),
        (xwing.DEFAULT, xwing.new_private, crypto.new_private),
    ],
    ids=["x25519", "p256", "xwing"],
)
@pytest.mark.parametrize("info", [b"", b"info", bytes(200)], ids=len)
@pytest.mark.parametrize("kept", [False, True], ids=["computed", "kept"])
def test_what_is_sealed_to_each_has_the_bytes_that_a_call_for_each_gives(suite, new, new_ephemeral, info, kept):
    """`info` is hashed once for all; the rest is done for each, and so are the bytes, also from results kept."""
    ephemeral, texts = new_ephemeral(), [b"", b"text", bytes(99)]
    publics = [new().public for _ in texts]

    def sealed(each, observer=None):
        with running(Run(bytes(32), observer, Results() if kept else None)):
            return each()

    def one_by_one():
        made = [suite.sender(public, info, ephemeral) for public in publics]
        return [
            enc.removesuffix(ephemeral.public) + context.seal(text)
            for (enc, context), text in zip(made, texts, strict=True)
        ]

    def together():
        return suite.seal_each(publics, texts, info, ephemeral)

    heard, apart = [], []
    assert sealed(together) == sealed(together, heard.append) == sealed(one_by_one) == sealed(one_by_one, apart.append)
    told, beside = (Counter(call.operation for call in calls) for calls in (heard, apart))
    assert beside - told == {"hmac": len(texts) - 1} and not told - beside
    assert {call[:3] for call in heard} == {call[:3] for call in apart}


def test_the_runs_seed_repeats_a_ciphertext_and_an_observer_hears_of_each_step():
    heard = []

    def made():
        own = xwing.new_private()
        return own, xwing.DEFAULT.seal(own.public, b"text")

    with running(Run(bytes(32))):
        once = made()
    with running(Run(bytes(32), observer=heard.append)):
        again = made()
        xwing.DEFAULT.open(*again)
    assert once == again
    assert {"x-wing-expand", "x-wing-combine", "ml-kem-encapsulate", "ml-kem-decapsulate", "x25519"} <= {
        call.operation for call in heard
    }
    whole = partial(bytes.find, b"".join(b"".join((*call.inputs, *call.outputs)) for call in heard))
    assert whole(again[0].raw) >= 0

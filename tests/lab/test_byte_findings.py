"""Constant secrets and repeated nonces: planted as third parties would, found; sound twins beside them are not."""

import re

import pytest

from attacks.lab.crosscheck.byte_findings import constant_secrets, repeated_nonces
from attacks.lab.crosscheck.places import few
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.simulation.scenario import small
from tests.support.planted import CAST, CUSTODIAN, DEVICE, beside, planted

IMPORTED = "from escrow import codec, crypto, hpke\n"


def kept(value, field="raw: bytes"):
    """A fact of a field, which every device keeps."""
    return (
        ("class PlantedDevice", f"class Kept(Fact, frozen=True):\n    {field}\n\n\nclass PlantedDevice"),
        ("from escrow.codec import Public\n", "from escrow.codec import Fact, Public\n"),
        (DEVICE, f"{DEVICE}    kept: Kept | None = {value}\n"),
    )


OF_ITS_OWN = (*kept(None), (CAST, f"{CAST}                party.kept = Kept(crypto.random_bytes(32))\n"))
SEALER = """def _sealer():
    secret = crypto.sha256(b"a label", b"another")

    def wrap(value, nonce):
        return crypto.seal(secret[:16], value, b"", nonce)

    return wrap


class PlantedDevice"""

CONSTANTS = {
    "in the client": beside(
        "crypto.seal(b'one constant key in every client', key.value, blank.labels(), key.chain[:12])"
    ),
    "in a class attribute, derived": beside(
        "crypto.seal(crypto.hkdf(b'', self.SPARE, b'spare', 16), key.value, blank.labels(), key.chain[:12])",
        (DEVICE, f'{DEVICE}    SPARE = b"spare key"\n'),
    ),
    "in a closure": beside("_sealer()(key.value, key.chain[:12])", ("class PlantedDevice", SEALER)),
    "in a method, for an agreement": beside(
        "crypto.hkdf(b'', Private(b'', bytes(range(32))).exchange(self.custodian), key.chain, 32)"
    ),
    "the custodian's key": ((CUSTODIAN, '        made = crypto.derived_private(b"custodian", b"version 1")\n'),),
    "ten bytes, for Skipjack": beside(
        "skipjack.encrypt(b'ten bytes!', key.value[:8])",
        (IMPORTED, "from escrow import codec, crypto, hpke, skipjack\n"),
    ),
    "ten bytes, in a state": beside("crypto.hkdf(key.chain, self.kept.raw, b'', 16)", *kept('Kept(b"0123456789")')),
    "in a state, in a tuple": kept('Kept((b"", b"the master key of all of us"))', "parts: tuple[bytes, ...]"),
}
NONCES = {
    "across fields of one message": beside(
        "crypto.seal(crypto.sha256(key.value), b'one', b'') + crypto.seal(crypto.sha256(key.value), b'two', b'')"
    ),
    "a nonce a day": beside(
        "crypto.seal(crypto.hkdf(b'', self.custodian, b'day', 16), key.value, b'', context.day.to_bytes(12, 'big'))"
    ),
    "none at all, under a key of the device": beside("crypto.seal(self.kept.raw, key.value, b'')", *OF_ITS_OWN),
    "in the committing cipher": beside(
        "committing.seal(crypto.sha256(b'', self.custodian), key.value, b'')",
        (IMPORTED, "from escrow import codec, committing, crypto, hpke\n"),
    ),
}
COUNTED = "crypto.sha256(key.chain, codec.encode(key.n), self.name.encode())[:12]"
SOUND = {
    "the template": (),
    "constant labels and salts": beside(
        "crypto.seal(crypto.hkdf(b'a salt of this scheme, constant', key.value, b'label', 16), b'x' * 40, b'version 1')"
    ),
    "a long label that is Public": ((DEVICE, f'{DEVICE}    label: Public = b"escrow of planted, version 1.0"\n'),),
    "a short label that is not": kept('Kept(b"version one")', "label: bytes"),
    "a key that is not there yet": kept("Kept(bytes(32))"),
    "one text sealed twice": beside("max(crypto.seal(crypto.sha256(key.value), b'again', b'') for _ in range(2))"),
    "a nonce for each message": beside(f"crypto.seal(self.kept.raw, key.value, b'', {COUNTED})", *OF_ITS_OWN),
}


@pytest.mark.parametrize("kind", CONSTANTS)
def test_a_constant_secret_is_found(kind, tmp_path):
    found = list(constant_secrets(TwoPlays(planted(tmp_path, *CONSTANTS[kind]), small())))
    assert found
    assert all("the same in every run" in each.says for each in found)


def test_a_constant_secret_is_named_by_party_and_field(tmp_path):
    scheme = planted(tmp_path, *CONSTANTS["the custodian's key"])
    (found,) = constant_secrets(TwoPlays(scheme, small()))
    assert re.fullmatch(
        r"custodian: PlantedKey.raw \(planted_\w+.py, line \d+; 32 bytes\) is the same in every run, "
        r"and a key for x25519-key in Planted.cast \(planted_\w+.py, line \d+\)(?: and .*)?",
        found.says,
    )
    (found,) = constant_secrets(TwoPlays(planted(tmp_path, *CONSTANTS["in the client"]), small()))
    assert re.fullmatch(
        r"alice-laptop, alice-phone, bob-laptop and 2 more give a key of 32 bytes that is the same in every run "
        r"to seal in PlantedDevice.access_field \(planted_\w+.py, line \d+\)",
        found.says,
    )


@pytest.mark.parametrize("kind", NONCES)
def test_a_nonce_used_again_is_found(kind, tmp_path):
    (found, *_) = repeated_nonces(TwoPlays(planted(tmp_path, *NONCES[kind]), small()))
    assert "different ciphertexts under" in found.says


def test_a_nonce_used_again_is_named_by_party_number_and_texts(tmp_path):
    plays = TwoPlays(planted(tmp_path, *NONCES["none at all, under a key of the device"]), small())
    (found,) = repeated_nonces(plays)
    by = {
        sent.device: sorted(each.id for each in plays.record.sent if each.device == sent.device)
        for sent in plays.record.sent
    }
    several = {device: numbers for device, numbers in by.items() if len(numbers) > 1}
    begin, _, rest = found.says.partition(": different ciphertexts under ")
    assert re.fullmatch(r"seal by .* in PlantedDevice.access_field \(planted_\w+.py, line \d+\)", begin)
    pairs, _, numbers = rest.partition(", texts ")
    assert pairs == f"{len(several)} pairs of key and nonce" and few(several) in begin
    assert {*map(int, numbers.split(", "))} == {number for each in several.values() for number in each}


@pytest.mark.parametrize("kind", SOUND)
def test_what_is_sound_is_not_blamed(kind, tmp_path):
    plays = TwoPlays(planted(tmp_path, *SOUND[kind]), small())
    assert [*constant_secrets(plays), *repeated_nonces(plays)] == []


VARYING = beside(
    "b''.join(crypto.hmac256(key.value, b'a trial of this scheme') for _ in range(1 + key.value[0] % 5))"
    " + crypto.hkdf(b'', key.value, b'the label behind', 16)"
)


def test_plays_that_make_other_calls_are_put_beside_each_other_where_they_agree(tmp_path):
    plays = TwoPlays(planted(tmp_path, *VARYING), small())
    assert len(plays.log.calls) != len(plays.other_log.calls)
    assert 0 < plays.paired.count(None) < len(plays.log.calls) / 10
    pairs = [(one, other) for one, other in zip(plays.log.calls, plays.paired, strict=True) if other is not None]
    assert all((one.operation, one.party) == (other.operation, other.party) for one, other in pairs)
    behind = [(one, other) for one, other in pairs if one.inputs[-1:] == (b"the label behind",)]
    assert len(behind) > 20
    assert all(other.inputs[-1] == b"the label behind" != other.inputs[1] != one.inputs[1] for one, other in behind)
    assert plays.constant(b"the label behind") and plays.constant(b"a trial of this scheme")
    assert not any(plays.constant(one.inputs[1]) for one, _ in behind)
    assert [*constant_secrets(plays), *repeated_nonces(plays)] == []

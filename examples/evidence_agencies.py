"""Other forms of envelope: several agencies, epochs, X-Wing, fields that everybody verifies; for verify_evidence.py."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from evidence_p256 import (
    G,
    Q,
    chosen,
    combined,
    hash_to_scalar,
    multiply,
    scalar,
    scalar_bytes,
    weights,
    whole_point,
)
from evidence_warrants import opens
from verify_evidence import SERVICES, fact, hashed, hpke_open, pack, require, rule, shapes

FORMS = "escrow.schemes._envelope"
shapes("escrow.primitives.xwing", "XWingPrivate public raw")
shapes("escrow.primitives.hpke", "PrivateP256 public raw")
shapes(
    f"{FORMS}.parts",
    """AgencyParts agencies t bound ephemeral sealed commitments\nAgencyShare name index value
    AgencySecret name value""",
)
shapes(f"{FORMS}.several", "AgencyField(AccessField) chain n people day header first days parts wrapped")
shapes(f"{FORMS}.agencies", "AgencyKey(Private) public raw number t court")
shapes(f"{FORMS}.hybrid", "HybridAgencyKey(XWingPrivate) public raw number t court")
for checks in ("agencies.agency_checks", "hybrid.hybrid_agency_checks"):
    SERVICES[f"{FORMS}.{checks}"] = ["AgencyField", "Warrant", "AuthorityKey"], "AgencyShare"

# --- a secret in parts ---


def name_of(array):
    """Return the hash that names a fact."""
    return hashed("sha256", pack(array)).digest()


def committed(parts, index, value):
    """Return whether a share is the one to which the sender committed."""
    at = index - 1 if parts.t > 1 else 0
    made = hashed("sha256", b"escrow-lab share of an envelope's secret", at.to_bytes(2, "big"), value).digest()
    return 1 <= index <= len(parts.sealed) and parts.commitments[at : at + 1] == [made]


def share_in(parts, key, part):
    """Return an agency's share in its part, if the sender committed to it."""
    require(parts.t == key.t and 1 <= key.number <= len(parts.sealed) == len(parts.agencies), "no part for this agency")
    value = part(parts.sealed[key.number - 1], pack([*parts.array[1:5], parts.commitments]))
    require(committed(parts, key.number, value), "the share is not the one that the sender committed to")
    return [["AgencyShare", name_of(parts.array), key.number, value]]


@rule(f"{FORMS}.agencies.open_agency_part", "AgencyParts AgencyKey")
def open_agency_part(parts, key):
    """Return an agency's share."""
    return share_in(parts, key, lambda part, info: hpke_open(key, parts.ephemeral + part, info))


@rule(f"{FORMS}.hybrid.open_hybrid_part", "AgencyParts HybridAgencyKey")
def open_hybrid_part(parts, key):
    """Return the share of an agency that has an X-Wing key."""
    return share_in(parts, key, lambda part, info: xwing_open(key.raw, part[:1088], parts.ephemeral, part[1088:], info))


def xwing_open(seed, lattice, curve, sealed, info):
    """Open one message of HPKE, base mode, with X-Wing in place of DHKEM."""
    expanded = hashlib.shake_256(seed).digest(96)
    private = X25519PrivateKey.from_private_bytes(expanded[64:])
    first = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).decapsulate(lattice)
    second = private.exchange(X25519PublicKey.from_public_bytes(curve))
    ends = curve + private.public_key().public_bytes_raw() + bytes.fromhex("5c2e2f2f5e5c")
    shared, suite = hashlib.sha3_256(first + second + ends).digest(), b"HPKE-v1HPKE\x64\x7a\0\1\0\1"
    hashes = [hmac.digest(b"", suite + each, "sha256") for each in (b"psk_id_hash", b"info_hash" + info)]
    secret, context = hmac.digest(shared, suite + b"secret", "sha256"), b"\0" + b"".join(hashes) + b"\1"
    key = hmac.digest(secret, b"\0\x10" + suite + b"key" + context, "sha256")[:16]
    nonce = hmac.digest(secret, b"\0\x0c" + suite + b"base_nonce" + context, "sha256")[:12]
    return AESGCM(key).decrypt(nonce, sealed, b"")


@rule(f"{FORMS}.parts.combine_agency_shares", "?AgencyParts AgencyShare*")
def combine_agency_shares(parts, *shares):
    """Return the secret from t shares that fit."""
    name = name_of(parts.array)
    require({share.name for share in shares} == {name}, "the shares are of another secret")
    found = chosen(parts.t, shares, lambda share: committed(parts, share.index, share.value))
    pairs = zip(weights(tuple(found)), found.values(), strict=True)
    one = next(iter(found.values())).value
    value = one if parts.t == 1 else scalar_bytes(sum(weight * scalar(share.value) for weight, share in pairs))
    return [["AgencySecret", name, value]]


@rule(f"{FORMS}.several.unwrap_by_agencies", "AgencyField AgencySecret")
def unwrap_by_agencies(field, secret):
    """Return the message key under the secret of a message, or of its sender's epoch."""
    parts, name, labels = fact(field.parts), name_of(field.parts), field.array[1:6]
    of_message = not field.days and not field.first
    bound = b"escrow-lab envelope of a message", pack(labels)
    if field.days:
        bound = b"escrow-lab envelope of an epoch", pack([field.people[:1], field.first, field.days])
    within = of_message or field.first <= field.day < field.first + field.days
    require(name == secret.name and within, "the secret is of another field, or the day of another epoch")
    require(parts.bound == hashed("sha256", *bound).digest(), "the secret is for something else")
    context = pack([*labels, field.first, field.days, name])
    key = hashed("sha256", secret.value, context).digest()
    return [["MessageKey", field.chain, field.n, AESGCM(key).decrypt(bytes(12), field.wrapped, context)]]


opens(f"{FORMS}.several.open_agency_answer", "AgencyShare")

# --- a dealing that everybody verifies ---

DEALT = f"{FORMS}.dealt"
shapes("escrow.sharing.pvss", "PublicDealing commitments sealed proofs")
shapes(
    DEALT,
    """HolderKey(PrivateP256) public raw number t keys court\nDealtShare name index value proof\nDealtPoint name value
    DealtField(AccessField) chain n people day header keys dealing wrapped""",
)
SERVICES[f"{DEALT}.holder_of_dealing_checks"] = ["DealtField", "Warrant", "AuthorityKey"], "DealtShare"
opens(f"{DEALT}.open_dealt_answer", "DealtShare")


@rule(f"{DEALT}.open_dealt_part", "DealtField HolderKey")
def open_dealt_part(field, key):
    """Return a holder's part of the point, and its proof."""
    dealing, secret = fact(field.dealing), scalar(key.raw)
    require(len(dealing.commitments) == key.t and 1 <= key.number <= len(dealing.sealed), "no share for this holder")
    name, sealed = name_of(field.dealing), dealing.sealed[key.number - 1]
    value = multiply(sealed, pow(secret, -1, Q))
    statement = name, G, multiply(G, secret), value, sealed
    nonce = hash_to_scalar(b"pvss nonce", key.raw, *statement)
    c = hash_to_scalar(b"pvss", *statement, multiply(G, nonce), multiply(value, nonce))
    return [["DealtShare", name, key.number, value, scalar_bytes(c) + scalar_bytes(nonce + c * secret)]]


@rule(f"{DEALT}.combine_dealt_parts", "?DealtField DealtShare*")
def combine_dealt_parts(field, *shares):
    """Return the point from t proven parts."""
    dealing, name = fact(field.dealing), name_of(field.dealing)
    require({share.name for share in shares} == {name}, "the parts are of another dealing")

    def fits(share):
        require(1 <= share.index <= min(len(field.keys), len(dealing.sealed)), "there is no such holder")
        public, sealed = field.keys[share.index - 1], dealing.sealed[share.index - 1]
        c, s = scalar(share.proof[:32]), scalar(share.proof[32:])
        made = combined((G, public), (s, -c % Q)), combined((share.value, sealed), (s, -c % Q))
        return hash_to_scalar(b"pvss", name, G, public, share.value, sealed, *made) == c

    return [["DealtPoint", name, whole_point(chosen(len(dealing.commitments), shares, fits))]]


@rule(f"{DEALT}.unwrap_by_point", "DealtField DealtPoint")
def unwrap_by_point(field, point):
    """Return the message key under the point of a dealing."""
    require(name_of(field.dealing) == point.name, "the point is of another dealing")
    bound = pack(field.array[1:7]) + point.name
    key = hashed("sha256", point.value, bound).digest()
    return [["MessageKey", field.chain, field.n, AESGCM(key).decrypt(bytes(12), field.wrapped, bound)]]

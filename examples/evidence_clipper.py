"""Clipper: Skipjack, the LEAF and unit keys in two halves, for verify_evidence.py."""

import hmac
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from evidence_warrants import covers
from verify_evidence import SERVICES, hashed, pack, require, rule, shapes

F = bytes.fromhex(
    "a3d70983f848f6f4b321157899b1aff9e72d4d8ace4cca2e5295d91e4e3844280adf02a017f1606812b77ac3e9fa3d5396846bbaf2639a19"
    "7caee5f5f7166aa239b67b0fc193811beeb41aead0912fb855b9da853f41bfe05a58805f660bd89035d5c0a733066569450094566d989b76"
    "97fcb2c2b0fedb20e1ebd6e4dd474a1d42ed9e6e493ccd4327d207d4dec7671889cb301f8dc68faac874dcc95d5c31a47088612c9f0d2b87"
    "50825464267d0340344b1c73d1c4fd3bccfb7fabe63e5ba5ad04239c145122f02979717eff8c0ee20cefbc72756f37a1ecd38e628b8610e8"
    "087711be924f24c532369dcff3a6bbac5e6ca9135725b5e3bda83a0105592a46"
)

# --- Skipjack ---


def g(key, k, word):
    """Return the permutation G of round k on a word of 16 bits."""
    high, low = word >> 8, word & 255
    for i in range(0, 4, 2):
        high ^= F[low ^ key[(4 * k + i) % 10]]
        low ^= F[high ^ key[(4 * k + i + 1) % 10]]
    return high << 8 | low


def g_inverse(key, k, word):
    """Return the word that G of round k takes to this one."""
    high, low = word >> 8, word & 255
    for i in (2, 0):
        low ^= F[high ^ key[(4 * k + i + 1) % 10]]
        high ^= F[low ^ key[(4 * k + i) % 10]]
    return high << 8 | low


def words(key, block):
    """Return the four words of a block, that a key is to encrypt or decrypt."""
    require((len(key), len(block)) == (10, 8), "Skipjack takes a key of 10 bytes and a block of 8")
    return [int.from_bytes(block[at : at + 2], "big") for at in range(0, 8, 2)]


def encrypt(key, block):
    """Return the encryption of a block: rounds 0 to 7 and 16 to 23 by rule A, the others by rule B."""
    w1, w2, w3, w4 = words(key, block)
    for k in range(32):
        made = g(key, k, w1)
        w1, w2, w3, w4 = (w4, made, w1 ^ w2 ^ k + 1, w3) if k & 8 else (made ^ w4 ^ k + 1, made, w2, w3)
    return b"".join(word.to_bytes(2, "big") for word in (w1, w2, w3, w4))


def decrypt(key, block):
    """Return the block that `encrypt` encrypted."""
    w1, w2, w3, w4 = words(key, block)
    for k in reversed(range(32)):
        made = g_inverse(key, k, w2)
        w1, w2, w3, w4 = (made, made ^ w3 ^ k + 1, w4, w1) if k & 8 else (made, w3, w4, w1 ^ w2 ^ k + 1)
    return b"".join(word.to_bytes(2, "big") for word in (w1, w2, w3, w4))


def xor(one, other):
    """Return the exclusive or of two strings of one length."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


# --- the LEAF ---


def unchained(key, blocks):
    """Decrypt blocks that were encrypted by CBC without an IV."""
    return [xor(decrypt(key, block), last) for block, last in zip(blocks, [bytes(8), *blocks], strict=False)]


def open_leaf(make, key, iv, sealed):
    """Return unit identifier, enciphered session key and checksum, in the make (width, mode, binds, partial)."""
    width, mode, _, partial = make
    ends = 4, 4 + (8 if partial else 10)
    check = 16 if mode == "aead" else max(2, -(-width // 8))
    size = ends[1] + check + 16 if mode == "aead" else -(-(ends[1] + check) // 8) * 8
    require(len(sealed) == size, "a LEAF has another length")
    if mode == "aead":
        held = AESGCM(HKDF(SHA256(), 16, iv, b"escrow-lab LEAF").derive(key)).decrypt(bytes(12), sealed, iv)
    else:
        blocks = [sealed[at : at + 8] for at in range(0, size, 8)]
        blocks = blocks if mode == "cbc" else unchained(key, blocks[::-1])[::-1]
        held = b"".join(unchained(key, blocks))
    return held[: ends[0]], held[ends[0] : ends[1]], held[ends[1] : ends[1] + check]


def first_bits(data, width):
    """Return the first bits of a checksum, the rest of its bytes zero."""
    size = max(2, -(-width // 8))
    return (int.from_bytes(data[:size], "big") >> 8 * size - width << 8 * size - width).to_bytes(size, "big")


def checks(make, key, identity):
    """Return whether a session key fits the checksum."""
    width, mode, binds, _ = make
    parts = {"iv": identity.iv, "ks": key, "uid": identity.uid, "wk": identity.wk, "peer": identity.transcript}
    bound = {name: part if name in binds else bytes(len(part)) for name, part in parts.items()}
    body = (bound["uid"] + bound["wk"]).ljust(16, b"\0") + (bound["peer"] if "peer" in binds else b"")
    if mode == "aead":
        return hmac.digest(bound["ks"], bound["iv"] + body, "sha256")[:16] == identity.ea
    state = bound["iv"]
    for at in range(0, len(body), 8):
        state = encrypt(bound["ks"], xor(state, body[at : at + 8]))
    return first_bits(encrypt(bound["ks"], state), width) == first_bits(identity.ea, width)


CHIP, FIELD, SCHEME = "escrow.schemes.clipper.chip", "escrow.schemes.clipper.field", "escrow.schemes.clipper.scheme"
shapes(CHIP, "FamilyKey make raw\nSeed session agent raw\nSerial session uid\nUnitHalf uid agent raw\nUnitKey uid raw")
shapes(FIELD, "ClipperField(AccessField) chain n people day transcript iv leaf agreed wrapped")
shapes(FIELD, "Identity chain n people day make iv transcript uid wk ea\nSessionKey chain n raw")
shapes(FIELD, "UnitRequest(AccessField) chain n people day uid")
shapes(SCHEME, "FiledHalf(UnitHalf) uid agent raw owner court")
SERVICES[f"{SCHEME}.agent_checks"] = ["UnitRequest", "Warrant", "AuthorityKey"], "UnitHalf"


@rule(f"{FIELD}.read_leaf", "ClipperField FamilyKey")
def read_leaf(field, family):
    """Return the identity in a LEAF."""
    labels = [field.chain, field.n, field.people, field.day]
    opened = open_leaf(family.make, family.raw, field.iv, field.leaf)
    return [["Identity", *labels, family.make, field.iv, field.transcript, *opened]]


def unwrapped(field, session):
    """Return the message key in a field by a session key; nothing if it does not open."""
    context = pack(field.array[1:9])
    with suppress(InvalidTag):
        key = hashed("sha256", b"escrow-lab message key", session, context).digest()
        return AESGCM(key).decrypt(bytes(12), field.wrapped, context)
    return b""


@rule(f"{FIELD}.unwrap_key", "Identity UnitKey ClipperField")
def unwrap_key(identity, unit, field):
    """Return the session key; if 64 bits are escrowed, the first that fits the checksum and opens the field."""
    said, meant = (identity.uid, field.chain, field.n, field.iv), (unit.uid, identity.chain, identity.n, identity.iv)
    require(said == meant, "the key is another unit's, or the field another message's")
    wk, partial = identity.wk, identity.make[3]
    if partial:
        first = decrypt(unit.raw, wk)
        tries = (first + tail.to_bytes(2, "big") for tail in range(1 << 16))
        whole = next((key for key in tries if checks(identity.make, key, identity) and unwrapped(field, key)), b"")
    else:
        tail = decrypt(unit.raw, wk[2:])
        whole = decrypt(unit.raw, wk[:2] + tail[:6]) + tail[6:]
    require(whole, "no session key fits the checksum and opens the field")
    return [["SessionKey", identity.chain, identity.n, whole]]


@rule(f"{FIELD}.open_field", "ClipperField SessionKey")
def open_field(field, session):
    """Return the message key under the session key."""
    require((field.chain, field.n) == (session.chain, session.n), "the key is of another message")
    require(key := unwrapped(field, session.raw), "the field does not open")
    return [["MessageKey", field.chain, field.n, key]]


@rule(f"{FIELD}.name_unit", "Identity")
def name_unit(identity):
    """Return the request for a unit's key."""
    return [["UnitRequest", b"", 0, identity.people, identity.day, identity.uid]]


@rule(f"{FIELD}.certify", "UnitRequest ?Order")
def certify(request, order):
    """Return the request under labels that the order covers."""
    require(not covers(order, request), "the order covers this request already")
    return [["UnitRequest", b"", 0, [*request.people[:1], order.target], order.first, request.uid]]


@rule(f"{CHIP}.combine", "UnitHalf UnitHalf")
def combine(one, other):
    """Return the key of a unit from its halves."""
    require((one.uid, one.agent, other.agent) == (other.uid, 1, 2), "these are not two halves of one key")
    return [["UnitKey", one.uid, xor(one.raw, other.raw)]]


@rule(f"{CHIP}.program", "Seed Seed ?Serial")
def program(one, other, serial):
    """Return both halves of a unit's key from the seeds of its session."""
    require(one.session == other.session == serial.session, "the seeds are of another session")
    require((one.agent, other.agent) == (1, 2), "the seeds are not agent 1's and 2's")
    numbers = (serial.uid + i.to_bytes(4, "big") for i in (1, 2, 3))
    made = b"".join(encrypt(one.raw, decrypt(other.raw, encrypt(one.raw, each))) for each in numbers)
    return [["UnitHalf", serial.uid, 1, made[:10]], ["UnitHalf", serial.uid, 2, made[10:20]]]


@rule(f"{SCHEME}.release", "FiledHalf ?UnitRequest")
def release(half, request):
    """Return an agent's half without its labels."""
    require(half.uid == request.uid, "the half is another unit's")
    return [["UnitHalf", half.uid, half.agent, half.raw]]

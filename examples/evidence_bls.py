"""Keys that are signatures of judges on BLS12-381: warrant-key. It needs the package py-arkworks-bls12381.

A scalar has 32 bytes, a point of G1 48, of G2 96 (compressed), and a value of the pairing 576.
"""

import hashlib
from functools import cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from evidence_warrants import opens
from verify_evidence import SERVICES, Refused, fact, hashed, pack, require, rule, shapes

try:
    import py_arkworks_bls12381 as curve
except ImportError:  # the rules below then refuse, and say why
    curve = None

R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
SHARING, SCHEME = "escrow.sharing.bls", "escrow.schemes.warrant_key"
shapes(SHARING, "BlsGroup name t n commitments\nBlsShare group index raw\nBlsKey group raw")
shapes(
    SCHEME,
    """WarrantTag user first last\nTagging granularity days\nJudgeShare(BlsShare) group index raw court tagging
    TagPart group tag index value\nTagKey tag value\nTagCapsule tag sealed\nFileKey commitment value
    TagField(AccessField) chain n people day header commitment capsules wrapped""",
)
SERVICES[f"{SCHEME}.judge_checks"] = ["WarrantTag", "Warrant", "AuthorityKey"], "TagPart"
opens(f"{SCHEME}.open_part", "TagPart")


@cache
def decoded(data):
    """Return the point of G1 (48 bytes) or G2 (96 bytes), which is not the neutral element."""
    require(curve is not None, "the package py-arkworks-bls12381 is not installed")
    require(len(data) in (48, 96), "a point has 48 or 96 bytes")
    kind = curve.G1Point if len(data) == 48 else curve.G2Point
    point = kind.from_compressed_bytes(data)
    require(point != kind.identity() and bytes(point.to_compressed_bytes()) == data, "no point, or the neutral one")
    return point


def encoded(point):
    """Return the bytes of a point, which is not the neutral element."""
    require(point != type(point).identity(), "a sum is the neutral element")
    return bytes(point.to_compressed_bytes())


def scalar(raw):
    """Return the integer of a scalar's 32 bytes."""
    value = int.from_bytes(raw, "big")
    require(len(raw) == 32 and 0 < value < R, "no scalar of BLS12-381")
    return value


def times(point, k):
    """Return [k]P."""
    return point * curve.Scalar(k % R)


@cache
def hashed_to(name):
    """Return the point of G1 of a name (32 bytes)."""
    require(curve is not None, "the package py-arkworks-bls12381 is not installed")
    return curve.G1Point.hash_to_curve(name, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_")


@cache
def name_of(tag):
    """Return the name (32 bytes) of a tag's encoding."""
    return hashed("sha256", b"escrow-lab warrant tag", tag).digest()


def name(tag):
    """Return the name of a tag."""
    return name_of(pack(tag.array[1:]))


def weights(indexes):
    """Return Lagrange's coefficients at 0 for these indexes."""
    found = []
    for i in indexes:
        above = below = 1
        for j in indexes:
            above, below = (above, below) if i == j else (above * j % R, below * (j - i) % R)
        found.append(above * pow(below, -1, R) % R)
    return found


def share_key(group, index):
    """Return what the commitments say about a member, after a check of the group's name."""
    sizes = group.t.to_bytes(8, "big"), group.n.to_bytes(8, "big")
    known = hashed("sha256", b"BLS group", *sizes, *group.commitments).digest()
    require(group.name == known and group.t == len(group.commitments), "the group's name is not its hash")
    require(1 <= index <= group.n, "there is no such member")
    total = curve.G2Point.identity()
    for point in reversed(group.commitments):
        total = times(total, index) + decoded(point)
    return total


def chosen(group, parts, fits):
    """Return the first t parts of distinct index that fit, by index."""
    found = {}
    for part in parts:
        try:
            if len(found) < group.t and part.group == group.name and fits(part):
                found.setdefault(part.index, part)
        except (Refused, ValueError):
            continue
    require(len(found) == group.t, "fewer parts fit than are needed")
    return found


@rule(f"{SHARING}.combine_shares", "?BlsGroup BlsShare*")
def combine_shares(group, *shares):
    """Return the whole key from shares that fit the commitments."""
    fit = chosen(group, shares, lambda each: times(curve.G2Point(), scalar(each.raw)) == share_key(group, each.index))
    pairs = zip(weights(tuple(fit)), fit.values(), strict=True)
    raw = sum(weight * scalar(share.raw) for weight, share in pairs) % R
    return [["BlsKey", group.name, raw.to_bytes(32, "big")]]


@rule(f"{SCHEME}.sign_part", "BlsShare ?WarrantTag")
def sign_part(share, tag):
    """Return a judge's part of the signature on a tag."""
    value = encoded(times(hashed_to(name(tag)), scalar(share.raw)))
    return [["TagPart", share.group, name(tag), share.index, value]]


@rule(f"{SCHEME}.sign_tag", "BlsKey ?WarrantTag")
def sign_tag(key, tag):
    """Return the signature on a tag."""
    return [["TagKey", name(tag), encoded(times(hashed_to(name(tag)), scalar(key.raw)))]]


@rule(f"{SCHEME}.combine_parts", "?BlsGroup TagPart*")
def combine_parts(group, *parts):
    """Return the signature on a tag from parts that verify."""
    require(len({part.tag for part in parts}) == 1, "the parts are of several tags")

    def fits(part):
        signed, said = decoded(part.value), share_key(group, part.index)
        return curve.GT.pairing(signed, curve.G2Point()) == curve.GT.pairing(hashed_to(part.tag), said)

    found, total = chosen(group, parts, fits), curve.G1Point.identity()
    for weight, part in zip(weights(tuple(found)), found.values(), strict=True):
        total = total + times(decoded(part.value), weight)
    return [["TagKey", parts[0].tag, encoded(total)]]


@rule(f"{SCHEME}.open_capsule", "TagCapsule TagKey")
def open_capsule(capsule, key):
    """Return the file key in a capsule, after the comparison of Fujisaki and Okamoto."""
    require(name(fact(capsule.tag)) == key.tag, "the capsule is of another tag")
    size, odd = divmod(len(capsule.sealed) - 96, 2)
    require(not odd and 1 <= size <= 32, "a ciphertext of an impossible length")
    point, hidden, masked = capsule.sealed[:96], capsule.sealed[96 : 96 + size], capsule.sealed[96 + size :]
    shared = bytes.fromhex(str(curve.GT.pairing(decoded(key.value), decoded(point))))[::-1]
    masking = xor(hidden, hashlib.sha256(b"IBE-H2" + shared).digest())
    value = xor(masked, hashlib.sha256(b"IBE-H4" + masking).digest())
    require(encoded(times(curve.G2Point(), exponent(masking, value))) == point, "the ciphertext was changed")
    return [["FileKey", hashed("sha256", b"escrow-lab file key", value).digest(), value]]


def xor(short, long):
    """Return the exclusive or of some bytes with as many of the others."""
    return bytes(one ^ other for one, other in zip(short, long, strict=False))


def exponent(masking, value):
    """Return the first digest, its first byte halved, that is a scalar."""
    seed = hashlib.sha256(b"IBE-H3" + masking + value).digest()
    for i in range(1, 1 << 16):
        digest = hashlib.sha256(i.to_bytes(2, "little") + seed).digest()
        if 0 < (found := int.from_bytes(bytes([digest[0] >> 1]) + digest[1:], "big")) < R:
            return found
    raise Refused("no digest is a scalar")


@rule(f"{SCHEME}.unwrap", "TagField FileKey")
def unwrap(field, key):
    """Return the message key under a file key."""
    require(field.commitment == key.commitment, "the file key is of another field")
    context = pack([*field.array[1:8]])
    value = AESGCM(key.value).decrypt(bytes(12), field.wrapped, context)
    return [["MessageKey", field.chain, field.n, value]]

"""P-256, proofs of equal logarithms, and keys in shares, for the families of verify_evidence.py that need them."""

from functools import cache

from verify_evidence import Refused, hashed, require

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
Q = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = bytes.fromhex("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")

# --- the group: a point is its compressed encoding of 33 bytes, a scalar 32 bytes below Q ---


@cache
def decoded(point):
    """Return the coordinates of a point."""
    x = int.from_bytes(point[1:], "big")
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    require(len(point) == 33 and point[0] in (2, 3) and x < P and y * y % P == square, "no point of P-256")
    return x, y if y & 1 == point[0] & 1 else P - y


def plus(one, other):
    """Return the sum of two points by their coordinates; None is the neutral element."""
    if one is None or other is None:
        return other if one is None else one
    (x, y), (u, v) = one, other
    if x == u and (y + v) % P == 0:
        return None
    slope = (3 * (x * x - 1) * pow(2 * y, -1, P) if one == other else (v - y) * pow(u - x, -1, P)) % P
    z = (slope * slope - x - u) % P
    return z, (slope * (x - z) - y) % P


def times(point, k):
    """Return [k]P by its coordinates, or None."""
    found, doubled = None, decoded(point)
    for bit in bin(k % Q)[:1:-1]:
        found = plus(found, doubled) if bit == "1" else found
        doubled = plus(doubled, doubled)
    return found


@cache
def combined(points, scalars):
    """Return Σ [k_i]P_i as 33 bytes."""
    total = None
    for point, k in zip(points, scalars, strict=True):
        total = plus(total, times(point, k))
    require(total is not None, "a sum is the neutral element")
    return bytes([2 | total[1] & 1]) + total[0].to_bytes(32, "big")


def multiply(point, k):
    """Return [k]P as 33 bytes."""
    return combined((point,), (k % Q,))


def scalar(raw):
    """Return the integer of a scalar's 32 bytes."""
    value = int.from_bytes(raw, "big")
    require(len(raw) == 32 and value < Q, "no scalar of P-256")
    return value


def scalar_bytes(value):
    """Return the 32 bytes of a scalar."""
    return (value % Q).to_bytes(32, "big")


def hash_to_scalar(tag, *parts):
    """Return SHA-512 of the tag and the parts, each after its length, modulo Q."""
    return int.from_bytes(hashed("sha512", b"escrow-lab P-256 " + tag, *parts).digest(), "big") % Q


def weights(indexes, at=0):
    """Return Lagrange's coefficients for these indexes."""
    found = []
    for i in indexes:
        above = below = 1
        for j in indexes:
            above, below = (above, below) if i == j else (above * (at - j) % Q, below * (i - j) % Q)
        found.append(above * pow(below, -1, Q) % Q)
    return found


def evaluated(points, index):
    """Return Σ [index^k]A_k: what commitments say about a member's share."""
    return combined(tuple(points), tuple(pow(index, k, Q) for k in range(len(points))))


def dleq_holds(public, point, value, proof, context):
    """Return whether log_G `public` = log_point `value`, by a proof c ‖ s of Chaum and Pedersen."""
    c, s = scalar(proof[:32]), scalar(proof[32:])
    one, other = combined((G, public), (s, -c % Q)), combined((point, value), (s, -c % Q))
    return hash_to_scalar(b"dleq", context, public, point, value, one, other) == c


def dleq(secret, public, point, value, context):
    """Return the proof that `dleq_holds` verifies; its nonce is hashed from the secret and the statement."""
    nonce = hash_to_scalar(b"dleq nonce", scalar_bytes(secret), context, public, point, value)
    c = hash_to_scalar(b"dleq", context, public, point, value, multiply(G, nonce), multiply(point, nonce))
    return scalar_bytes(c) + scalar_bytes(nonce + c * secret)


def chosen(t, parts, fits):
    """Return the first t parts of distinct index that fit, by index."""
    found = {}
    for part in parts:
        try:
            if len(found) < t and fits(part):
                found.setdefault(part.index, part)
        except Refused:
            continue
    require(len(found) == t, "fewer parts fit than are needed")
    return found


def whole_key(shares):
    """Return Σ λ_i x_i."""
    pairs = zip(weights(tuple(shares)), shares.values(), strict=True)
    return scalar_bytes(sum(weight * scalar(share.raw) for weight, share in pairs))


def whole_point(parts):
    """Return Σ [λ_i]D_i."""
    return combined(tuple(part.value for part in parts.values()), tuple(weights(tuple(parts))))

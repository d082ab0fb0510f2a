"""Keys in shares with a dealer: split-key and fair-keys, for verify_evidence.py."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from evidence_p256 import (
    G,
    chosen,
    dleq,
    dleq_holds,
    evaluated,
    multiply,
    scalar,
    whole_key,
    whole_point,
)
from verify_evidence import SERVICES, fact, hashed, pack, require, rule, shapes

# --- ElGamal in shares ---

ELGAMAL = "escrow.sharing.elgamal"
shapes(
    ELGAMAL,
    """EscrowGroup name t n commitments\nKeyShare group index raw\nEscrowKey group raw\nCapsule group point
    Opened group point value\nPartial group point index value proof""",
)


@rule(f"{ELGAMAL}.decapsulate", "EscrowKey Capsule")
def decapsulate(key, capsule):
    """Return [x]R."""
    require(key.group == capsule.group, "the capsule is of another group")
    return [["Opened", capsule.group, capsule.point, multiply(capsule.point, scalar(key.raw))]]


@rule(f"{ELGAMAL}.partial", "KeyShare Capsule")
def partial(share, capsule):
    """Return [x_i]R and its proof."""
    require(share.group == capsule.group, "the capsule is of another group")
    secret = scalar(share.raw)
    value = multiply(capsule.point, secret)
    proof = dleq(secret, multiply(G, secret), capsule.point, value, share.group)
    return [["Partial", share.group, capsule.point, share.index, value, proof]]


def share_key(group, index):
    """Return what the commitments of a group say about a member, after a check of the group's name."""
    name = hashed("sha256", group.t.to_bytes(8, "big"), group.n.to_bytes(8, "big"), *group.commitments).digest()
    require(group.name == name and group.t == len(group.commitments), "the group's name is not its hash")
    require(1 <= index <= group.n, "there is no such member")
    return evaluated(group.commitments, index)


@rule(f"{ELGAMAL}.combine_shares", "?EscrowGroup KeyShare*")
def combine_shares(group, *shares):
    """Return the whole key from shares that fit the commitments."""
    require({share.group for share in shares} == {group.name}, "the shares are of another group")
    fit = chosen(group.t, shares, lambda share: multiply(G, scalar(share.raw)) == share_key(group, share.index))
    return [["EscrowKey", group.name, whole_key(fit)]]


@rule(f"{ELGAMAL}.combine_partials", "?EscrowGroup Partial*")
def combine_partials(group, *parts):
    """Return [x]R from proven parts."""
    require({(part.group, part.point) for part in parts} == {(group.name, parts[0].point)}, "parts of several capsules")

    def fits(part):
        return dleq_holds(share_key(group, part.index), part.point, part.value, part.proof, group.name)

    return [["Opened", group.name, parts[0].point, whole_point(chosen(group.t, parts, fits))]]


# --- split-key and fair-keys ---

SPLIT, FAIR = "escrow.schemes.split_key", "escrow.schemes.fair_keys"
shapes(
    SPLIT,
    """HeldShare(KeyShare) group index raw court
    SplitField(AccessField) chain n people day header capsule wrapped proof""",
)
shapes(f"{FAIR}.scheme", "FairField(AccessField) chain n people day header capsules wraps sealed")
shapes(
    f"{FAIR}.registration",
    """TrusteeShare(KeyShare) group index raw user court
    Certificate user group shift remark signature blinding approvals""",
)
SERVICES[f"{SPLIT}.agent_checks"] = ["SplitField", "Warrant", "AuthorityKey"], "Partial"
SERVICES[f"{FAIR}.scheme.trustee_checks"] = ["Certificate", "Warrant", "AuthorityKey"], "KeyShare"


@rule(f"{SPLIT}.unwrap", "SplitField Opened")
def unwrap(field, opened):
    """Return the message key under the shared point."""
    capsule = fact(field.capsule)
    require((capsule.group, capsule.point) == (opened.group, opened.point), "the point is of another field")
    context = pack([field.chain, field.n, field.people, field.day, field.header, capsule.group])
    key = hashed("sha256", opened.value, context).digest()
    return [["MessageKey", field.chain, field.n, AESGCM(key).decrypt(bytes(12), field.wrapped, context)]]


@rule(f"{FAIR}.scheme.unwrap", "FairField Opened")
def unwrap_fair(field, opened):
    """Return the message key, by one user's capsule."""
    capsules = [fact(capsule) for capsule in field.capsules]
    require(capsules and capsules[0].point == opened.point, "the point is of another field")
    context = pack([field.chain, field.n, field.people, field.day, field.header, field.capsules])
    wrap = field.wraps[[capsule.group for capsule in capsules].index(opened.group)]
    require(len(capsules) == len(field.wraps), "the field has another number of wraps")
    inner = AESGCM(hashed("sha256", opened.value, context).digest()).decrypt(bytes(12), wrap, context)
    value = AESGCM(inner).decrypt(bytes(12), field.sealed, hashed("sha256", context, *field.wraps).digest())
    return [["MessageKey", field.chain, field.n, value]]


@rule(f"{FAIR}.scheme.release", "TrusteeShare ?Certificate")
def release(share, certificate):
    """Return a trustee's share without its labels."""
    require(share.group == fact(certificate.group).name, "the share is of another key")
    return [["KeyShare", share.group, share.index, share.raw]]

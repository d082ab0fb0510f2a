"""Threshold escrow: shares of an epoch, and TDH2, for verify_evidence.py."""

from evidence_p256 import (
    G,
    Q,
    chosen,
    combined,
    dleq,
    dleq_holds,
    evaluated,
    hash_to_scalar,
    multiply,
    scalar,
    whole_key,
    whole_point,
)
from evidence_warrants import covers
from verify_evidence import SERVICES, fact, hashed, pack, require, rule, shapes

G_BAR = bytes.fromhex("0312a9eaf27cb373755701407b67388f217de03e844af949ab0d3de2a0906fa1f7")
EPOCHS, TDH2, SCHEME = "escrow.sharing.epochs", "escrow.sharing.tdh2", "escrow.schemes.threshold"
shapes(EPOCHS, "Sharing epoch n commitments\nEpochShare key epoch index raw\nWholeKey key raw")
shapes(
    TDH2,
    """TdhCiphertext key masked label u u_bar proof\nTdhPartial key epoch index u context value proof
    TdhPoint key u value\nTdhMessage label value""",
)
shapes(
    SCHEME,
    """AgentShare(EpochShare) key epoch index raw court
    ThresholdField(AccessField) chain n people day header ciphertext""",
)
SERVICES[f"{SCHEME}.agent_checks"] = ["ThresholdField", "Warrant", "AuthorityKey"], "TdhPartial"

# --- shares of an epoch, and TDH2 ---


def share_key(sharing, part):
    """Return what a sharing says about the holder of a part. Raise Refused if the part is of another sharing."""
    require((part.key, part.epoch) == (sharing.commitments[0], sharing.epoch), "a part of another key or epoch")
    require(1 <= part.index <= sharing.n, "there is no such member")
    return evaluated(sharing.commitments, part.index)


def share_fits(sharing, share):
    """Return whether a share is the one that the sharing's commitments say."""
    return multiply(G, scalar(share.raw)) == share_key(sharing, share)


@rule(f"{EPOCHS}.pool", "?Sharing EpochShare*")
def pool(sharing, *shares):
    """Return the whole key from shares that fit."""
    require({share.key for share in shares} == {sharing.commitments[0]}, "shares of another key")
    fit = chosen(len(sharing.commitments), shares, lambda share: share_fits(sharing, share))
    return [["WholeKey", sharing.commitments[0], whole_key(fit)]]


@rule(f"{TDH2}.partial", "EpochShare TdhCiphertext")
def partial(share, ciphertext):
    """Return [x_i]u and its proof."""
    require(share.key == ciphertext.key, "the ciphertext is under another key")
    secret, context = scalar(share.raw), hashed("sha256", b"escrow-lab TDH2", *ciphertext.array[1:]).digest()
    value = multiply(ciphertext.u, secret)
    proof = dleq(secret, multiply(G, secret), ciphertext.u, value, context)
    return [["TdhPartial", share.key, share.epoch, share.index, ciphertext.u, context, value, proof]]


@rule(f"{TDH2}.combine", "?Sharing TdhPartial*")
def combine(sharing, *parts):
    """Return [x]u from proven parts."""
    require({(part.key, part.u) for part in parts} == {(sharing.commitments[0], parts[0].u)}, "several ciphertexts")

    def fits(part):
        return dleq_holds(share_key(sharing, part), part.u, part.value, part.proof, part.context)

    found = whole_point(chosen(len(sharing.commitments), parts, fits))
    return [["TdhPoint", sharing.commitments[0], parts[0].u, found]]


@rule(f"{TDH2}.decapsulate", "WholeKey TdhCiphertext")
def decapsulate(key, ciphertext):
    """Return [x]u by the whole key."""
    require(key.key == ciphertext.key, "the ciphertext is under another key")
    return [["TdhPoint", key.key, ciphertext.u, multiply(ciphertext.u, scalar(key.raw))]]


@rule(f"{TDH2}.unmask", "TdhCiphertext TdhPoint")
def unmask(ciphertext, point):
    """Return the message of a ciphertext that checks."""
    require((ciphertext.key, ciphertext.u) == (point.key, point.u), "the point is of another ciphertext")
    e, f = scalar(ciphertext.proof[:32]), scalar(ciphertext.proof[32:])
    w, w_bar = (combined((g, u), (f, -e % Q)) for g, u in ((G, ciphertext.u), (G_BAR, ciphertext.u_bar)))
    key, masked, label, u, u_bar, _ = ciphertext.array[1:]
    require(len(masked) == len(label) == 32, "a ciphertext has another length")
    require(hash_to_scalar(b"TDH2 H2", key, masked, label, u, w, u_bar, w_bar) == e, "the ciphertext does not check")
    mask = hashed("sha256", b"escrow-lab TDH2 H1", point.value).digest()
    return [["TdhMessage", label, bytes(a ^ b for a, b in zip(mask, masked, strict=True))]]


@rule(f"{SCHEME}.unwrap", "ThresholdField TdhMessage")
def unwrap(field, message):
    """Return the message key, if the label is the field's."""
    labels = pack([field.chain, field.n, field.people, field.day, field.header])
    label = hashed("sha256", b"threshold escrow", labels).digest()
    require(message.label == fact(field.ciphertext).label == label, "the label is of another message")
    return [["MessageKey", field.chain, field.n, message.value]]


@rule("attacks.mauled_fields.maul", "ThresholdField ?Order")
def maul(field, order):
    """Return a field under labels that an order covers, and the same point."""
    require(not covers(order, field) and len(field.people) > 1, "the order covers the field, or it was mauled")
    key, masked, _, *rest = field.ciphertext[1:]
    labels = [field.chain, field.n, [order.target], order.first, field.header]
    label = hashed("sha256", b"threshold escrow", pack(labels)).digest()
    return [["ThresholdField", *labels, ["TdhCiphertext", key, masked, label, *rest]]]


@rule("attacks.mobile_adversary.still_fits", "EpochShare ?Sharing")
def still_fits(share, sharing):
    """Return a share that fits another epoch too."""
    later = fact(["EpochShare", share.key, sharing.epoch, share.index, share.raw])
    require(share_fits(sharing, later), "a share of another polynomial")
    return [later.array]

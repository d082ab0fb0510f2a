"""Proactive threshold escrow: TDH2, epochs, the runs that make and renew shares, for verify_evidence.py."""

from __future__ import annotations

from evidence_shares import (
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
    scalar_bytes,
    weights,
    whole_key,
    whole_point,
)
from verify_evidence import SERVICES, Fact, hpke, pack, require, rule, sha256, shapes, unpack

G_BAR = bytes.fromhex("0312a9eaf27cb373755701407b67388f217de03e844af949ab0d3de2a0906fa1f7")
EPOCHS, TDH2, SCHEME = "escrow.sharing.epochs", "escrow.sharing.tdh2", "escrow.schemes.threshold"
DKG, ROUNDS = "escrow.sharing.dkg", "escrow.sharing.committee.rounds"
REFRESH, RECOVERY = "escrow.sharing.proactive.refresh", "escrow.sharing.proactive.recovery"
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
shapes(
    f"{DKG}.gjkr",
    """Commitments session dealer points\nPolynomials session dealer values blindings
    SubShare session dealer member value blinding""",
)
shapes(f"{DKG}.result", "Outcome session members dealings\nSummed session member raw")
shapes(ROUNDS, "SealedShare to sealed\nSealedValue to sealed")
shapes(REFRESH, "Renewal key epoch session")
shapes(RECOVERY, "Blinded session index raw\nRecovery key epoch session lost points")
SERVICES[f"{SCHEME}.agent_checks"] = "ThresholdField Warrant AuthorityKey", "TdhPartial"

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
    secret, context = scalar(share.raw), sha256(b"escrow-lab TDH2", *ciphertext.values)
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
    key, masked, label, u, u_bar, _ = ciphertext.values
    require(len(masked) == len(label) == 32, "a ciphertext has another length")
    require(hash_to_scalar(b"TDH2 H2", key, masked, label, u, w, u_bar, w_bar) == e, "the ciphertext does not check")
    mask = sha256(b"escrow-lab TDH2 H1", point.value)
    return [["TdhMessage", label, bytes(a ^ b for a, b in zip(mask, masked, strict=True))]]


@rule(f"{SCHEME}.unwrap", "ThresholdField TdhMessage")
def unwrap(field, message):
    """Return the message key, if the label is the field's."""
    labels = pack([field.chain, field.n, field.people, field.day, field.header])
    label = sha256(b"threshold escrow", labels)
    require(message.label == Fact(field.ciphertext).label == label, "the label is of another message")
    return [["MessageKey", field.chain, field.n, message.value]]


# --- runs: dealing, refreshing, recovering ---


def joint(outcome):
    """Return the commitments of the joint polynomial."""
    columns = zip(*(Fact(each).points for each in outcome.dealings), strict=True)
    return tuple(combined(tuple(column), (1,) * len(column)) for column in columns)


def dealt(outcome, share):
    """Return whether a sub-share is the one to which a dealer committed."""
    points = next((each.points for each in map(Fact, outcome.dealings) if each.dealer == share.dealer), None)
    inside = points is not None and share.session == outcome.session and share.member in outcome.members
    return inside and multiply(G, scalar(share.value)) == evaluated(points, share.member)


def sum_fits(outcome, share):
    """Return whether a sum is the one to which the dealers committed."""
    inside = share.session == outcome.session and share.member in outcome.members
    return inside and multiply(G, scalar(share.raw)) == evaluated(joint(outcome), share.member)


def interpolated(outcome, good):
    """Return the value of the polynomial through {member: value} at each member of the run, as bytes."""
    t = len(Fact(outcome.dealings[0]).points)
    require(len(good) >= t, "fewer values fit than are needed")
    known = dict(list(good.items())[:t])
    for member in outcome.members:
        value = known.get(member)
        if value is None:
            value = sum(w * v for w, v in zip(weights(tuple(known), member), known.values(), strict=True))
        yield member, scalar_bytes(value)


@rule(f"{DKG}.result.combine", "?Outcome SubShare*")
def combine_dealt(outcome, *shares):
    """Return a member's sum of all dealers' sub-shares."""
    good = {share.dealer: share for share in shares if dealt(outcome, share)}
    whole = {Fact(each).dealer for each in outcome.dealings} <= good.keys()
    require(whole and len({share.member for share in good.values()}) == 1, "a dealer's sub-share is missing")
    total = sum(scalar(share.value) for share in good.values())
    return [["Summed", outcome.session, next(iter(good.values())).member, scalar_bytes(total)]]


@rule(f"{DKG}.result.complete", "?Outcome Summed*")
def complete(outcome, *sums):
    """Return every member's sum."""
    good = {each.member: scalar(each.raw) for each in sums if sum_fits(outcome, each)}
    return [["Summed", outcome.session, member, raw] for member, raw in interpolated(outcome, good)]


@rule(f"{DKG}.result.first_share", "?Outcome Summed")
def first_share(outcome, share):
    """Return a share of epoch 0."""
    require(sum_fits(outcome, share), "a sum of another run")
    return [["EpochShare", joint(outcome)[0], 0, share.member, share.raw]]


@rule(f"{ROUNDS}.deal_again", "Polynomials ?Outcome")
def deal_again(polynomials, outcome):
    """Return what a dealer sent to each member."""
    require(polynomials.session == outcome.session, "polynomials of another run")
    known = [scalar(raw) for raw in polynomials.value_list[3]]
    for member in outcome.members:
        value = scalar_bytes(sum(c * pow(member, k, Q) for k, c in enumerate(known)))
        yield ["SubShare", outcome.session, polynomials.dealer, member, value, b""]


@rule(f"{ROUNDS}.complete_dealing", "?Outcome SubShare*")
def complete_dealing(outcome, *shares):
    """Return what one dealer sent to each member, from t of its sub-shares."""
    require(len({share.dealer for share in shares}) == 1, "sub-shares of several dealers")
    good = {share.member: scalar(share.value) for share in shares if dealt(outcome, share)}
    dealer = shares[0].dealer
    return [["SubShare", outcome.session, dealer, member, raw, b""] for member, raw in interpolated(outcome, good)]


def opens(name, takes, kind, info):
    """Enter a rule that opens what one member sealed to another."""

    @rule(name, takes)
    def open_sealed(sealed, key):
        require(sealed.to == key.public, "it is sealed to another key")
        found = unpack(hpke(key, sealed.sealed, info))
        require(Fact(found).tag == kind, "it is no such fact")
        return [found]


opens(f"{ROUNDS}.open_share", "SealedShare Private", "SubShare", b"committee deal")
opens(f"{ROUNDS}.open_value", "SealedValue Private", "Blinded", b"committee lend")


def moved(share, renewal, part, before, after, sign):
    """Return a share of a neighbouring epoch."""
    require((share.key, share.epoch) == (renewal.key, before), "a share of another key or epoch")
    require((part.session, part.member) == (renewal.session, share.index), "a sum of another run or member")
    raw = scalar_bytes(scalar(share.raw) + sign * share.index * scalar(part.raw))
    return [["EpochShare", share.key, after, share.index, raw]]


@rule(f"{REFRESH}.renew", "EpochShare ?Renewal Summed")
def renew(share, renewal, part):
    """Return the share of the next epoch."""
    return moved(share, renewal, part, renewal.epoch, renewal.epoch + 1, 1)


@rule(f"{REFRESH}.unrenew", "EpochShare ?Renewal Summed")
def unrenew(share, renewal, part):
    """Return the share of the epoch before."""
    return moved(share, renewal, part, renewal.epoch + 1, renewal.epoch, -1)


@rule("attacks.mobile_adversary.still_fits", "EpochShare ?Sharing")
def still_fits(share, sharing):
    """Return a share that fits another epoch too."""
    later = Fact(["EpochShare", share.key, sharing.epoch, share.index, share.raw])
    require(share_fits(sharing, later), "a share of another polynomial")
    return [later.value_list]

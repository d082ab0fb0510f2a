"""The runs of threshold escrow that make, renew and recover shares, for verify_evidence.py."""

from evidence_p256 import (
    G,
    Q,
    chosen,
    combined,
    evaluated,
    multiply,
    scalar,
    scalar_bytes,
    weights,
)
from verify_evidence import fact, hpke_open, require, rule, shapes, unpack

DKG, ROUNDS = "escrow.sharing.dkg", "escrow.sharing.committee.rounds"
REFRESH, RECOVERY = "escrow.sharing.proactive.refresh", "escrow.sharing.proactive.recovery"
shapes(
    f"{DKG}.gjkr",
    """Commitments session dealer points\nPolynomials session dealer values blindings
    SubShare session dealer member value blinding""",
)
shapes(f"{DKG}.result", "Outcome session members dealings\nSummed session member raw")
shapes(ROUNDS, "SealedShare to sealed\nSealedValue to sealed")
shapes(REFRESH, "Renewal key epoch session")
shapes(RECOVERY, "Blinded session index raw\nRecovery key epoch session lost points")


def joint(outcome):
    """Return the commitments of the joint polynomial."""
    columns = zip(*(fact(each).points for each in outcome.dealings), strict=True)
    return tuple(combined(tuple(column), (1,) * len(column)) for column in columns)


def dealt(outcome, share):
    """Return whether a sub-share is the one to which a dealer committed."""
    points = next((each.points for each in map(fact, outcome.dealings) if each.dealer == share.dealer), None)
    inside = points is not None and share.session == outcome.session and share.member in outcome.members
    return inside and multiply(G, scalar(share.value)) == evaluated(points, share.member)


def sum_fits(outcome, share):
    """Return whether a sum is the one to which the dealers committed."""
    inside = share.session == outcome.session and share.member in outcome.members
    return inside and multiply(G, scalar(share.raw)) == evaluated(joint(outcome), share.member)


def interpolated(outcome, good):
    """Return the value of the polynomial through {member: value} at each member of the run, as bytes."""
    t = len(fact(outcome.dealings[0]).points)
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
    whole = {fact(each).dealer for each in outcome.dealings} <= good.keys()
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
    known = [scalar(raw) for raw in polynomials.array[3]]
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
        found = unpack(hpke_open(key, sealed.sealed, info))
        require(fact(found).kind == kind, "it is no such fact")
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


def helps(recovery, session, member, index):
    """Raise Refused unless a sum is of the run that blinds a recovery, and of this helper."""
    require((session, member) == (recovery.session, index), "a sum of another run or member")


@rule(f"{RECOVERY}.blind", "EpochShare ?Recovery Summed")
def blind(share, recovery, part):
    """Return a helper's share, blinded."""
    require((share.key, share.epoch) == (recovery.key, recovery.epoch), "a share of another key or epoch")
    helps(recovery, part.session, part.member, share.index)
    raw = scalar_bytes(scalar(share.raw) + (share.index - recovery.lost) * scalar(part.raw))
    return [["Blinded", recovery.session, share.index, raw]]


@rule(f"{RECOVERY}.unblind", "Blinded ?Recovery Summed")
def unblind(value, recovery, part):
    """Return a helper's share from its blinded value."""
    require(value.session == recovery.session, "a value of another run")
    helps(recovery, part.session, part.member, value.index)
    raw = scalar_bytes(scalar(value.raw) - (value.index - recovery.lost) * scalar(part.raw))
    return [["EpochShare", recovery.key, recovery.epoch, value.index, raw]]


@rule(f"{RECOVERY}.recover", "?Sharing ?Recovery Blinded*")
def recover(sharing, recovery, *values):
    """Return the lost share from blinded values that fit."""
    require((sharing.commitments[0], sharing.epoch) == (recovery.key, recovery.epoch), "a recovery of another sharing")

    def fits(value):
        require(value.session == recovery.session, "a value of another run")
        blinding = multiply(evaluated(recovery.points, value.index), value.index - recovery.lost)
        whole = combined((evaluated(sharing.commitments, value.index), blinding), (1, 1))
        return multiply(G, scalar(value.raw)) == whole

    used = chosen(len(sharing.commitments), values, fits)
    pairs = zip(weights(tuple(used), recovery.lost), used.values(), strict=True)
    raw = scalar_bytes(sum(weight * scalar(value.raw) for weight, value in pairs))
    return [["EpochShare", recovery.key, recovery.epoch, recovery.lost, raw]]

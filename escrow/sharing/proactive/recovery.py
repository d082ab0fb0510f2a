"""Share recovery: t or more helpers rebuild a lost share for its owner r. It learns only x_r; helpers learn nothing.

  blind     helper i: ρ_i(z) = (z − r)·g_i(z), deg g_i = t − 2, so that ρ_i(r) = 0 in any case;  g_i by `sharing.dkg`
  send      helper j, to r alone:  v_j = x_j + (j − r)·Σ g_i(j);   it fits where [v_j]G = h_j + [j − r]Σ [j^k]ε_ik
  recover   x_r = Σ λ_j(r) v_j  over any t of them, because the blinding vanishes at r and nowhere else

Source: Herzberg, Jarecki, Krawczyk, Yung, "Proactive secret sharing", CRYPTO '95, share recovery; their t is our t − 1.
"""

from __future__ import annotations

from collections.abc import Iterable

from escrow.codec import Fact, Public
from escrow.derivation import Guard, derivation, honest_only, threshold
from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import Q, scalar, scalar_bytes
from escrow.sharing.blame import Blame, Blamed
from escrow.sharing.dkg.gjkr import Setting
from escrow.sharing.dkg.result import Outcome, Summed, commitments
from escrow.sharing.epochs import EpochShare, Sharing


class Recovery(Fact, frozen=True):
    """Public: the run `session` blinds a recovery of member `lost`'s share; `points` are its joint commitments."""

    key: Public
    epoch: int
    session: Public
    lost: int
    points: tuple[Public, ...]


class Blinded(Fact, frozen=True):
    """Helper `index`'s v_j (scalar, 32 bytes): t of these give the lost share."""

    session: Public
    index: int
    raw: bytes


def setting(of: Sharing, session: bytes, lost: int, helpers: Iterable[int], hiding: bool = True) -> Setting:
    """Return the setting of the run that blinds a recovery.

    Few helpers may be too few to rebuild an exposed one's polynomial. The run then ends without a share, and no harm is
    done: one honest helper's polynomial blinds all values. Raise ValueError unless t ≥ 2 and t or more others help.
    """
    chosen = tuple(sorted(set(helpers)))
    if of.t < 2 or len(chosen) < of.t or not set(chosen) | {lost} <= set(range(1, of.n + 1)) or lost in chosen:
        raise ValueError(f"members {chosen} cannot recover the share of member {lost}")
    return Setting(session, of.t - 1, chosen, of.t - 1, hiding)


@honest_only("public bookkeeping: it follows from the public outcome")
def recovery(of: Sharing, outcome: Outcome, lost: int) -> Recovery:
    """Return the public fact that joins the pieces of this recovery. Raise Forged for the outcome of another run."""
    if outcome.t != of.t - 1 or lost in outcome.members:
        raise Forged("the run blinds another recovery")
    return Recovery(of.key, of.epoch, outcome.session, lost, commitments(outcome))


@derivation(
    "share.key = recovery.key, share.epoch = recovery.epoch, recovery.session = part.session, share.index = part.member"
)
def blind(share: EpochShare, recovery: Guard[Recovery], part: Summed) -> Blinded:
    """Return a helper's v_j, for the owner of the lost share only.

    Raise Forged if the pieces do not belong together.
    """
    if (share.key, share.epoch) != (recovery.key, recovery.epoch):
        raise Forged("a share of another epoch or key")
    if (part.session, part.member) != (recovery.session, share.index):
        raise Forged("a sum of another run or member")
    value = group.combination((scalar(share.raw), scalar(part.raw)), (1, share.index - recovery.lost))
    return Blinded(recovery.session, share.index, scalar_bytes(value))


@derivation("value.session = recovery.session, recovery.session = part.session, value.index = part.member")
def unblind(value: Blinded, recovery: Guard[Recovery], part: Summed) -> EpochShare:
    """Return the helper's own share, from its v_j and a blinding that was not erased: a theft."""
    if {value.session, part.session} != {recovery.session} or value.index != part.member:
        raise Forged("a value of another run or member")
    share = group.combination((scalar(value.raw), scalar(part.raw)), (1, recovery.lost - value.index))
    return EpochShare(recovery.key, recovery.epoch, value.index, scalar_bytes(share))


def value_fits(sharing: Sharing, recovery: Recovery, value: Blinded) -> bool:
    """Return whether a helper's value is its share, blinded as the run said."""
    if value.session != recovery.session or (sharing.key, sharing.epoch) != (recovery.key, recovery.epoch):
        return False
    try:
        blinding = group.multiply(group.horner(recovery.points, value.index), (value.index - recovery.lost) % Q)
        return group.base(scalar(value.raw)) == group.add(sharing.share_key(value.index), blinding)
    except Forged:
        return False


@threshold(
    "sharing.key = recovery.key, sharing.epoch = recovery.epoch, recovery.session = values.session",
    t="sharing.t",
    member="values.index",
    by="session",
    verify=value_fits,
)
def recover(sharing: Guard[Sharing], recovery: Guard[Recovery], values: tuple[Blinded, ...]) -> EpochShare:
    """Return the lost share, from any t values that fit. Raise Blamed, naming the lying helpers, if there are fewer."""
    fitting, blames = {}, []
    for value in values:
        if value_fits(sharing, recovery, value):
            fitting[value.index] = scalar(value.raw)
        else:
            blames.append(Blame(value.index, "its value is not its share, blinded as agreed"))
    if len(fitting) < sharing.t:
        raise Blamed(f"{len(fitting)} of the {sharing.t} values that recover a share", blames)
    used = dict(list(fitting.items())[: sharing.t])
    weights = group.lagrange(tuple(used), at=recovery.lost)
    secret = group.combination(list(used.values()), weights)
    return EpochShare(recovery.key, recovery.epoch, recovery.lost, scalar_bytes(secret))

"""The result of a run of `escrow.sharing.dkg`: public commitments of the joint polynomial, and each member's share.

  member j  x_j = Σ s_ij,   public   y_j = Σ [j^k]A_ik,   y = Σ A_i0    over i in QUAL

The rules here say what the pieces of a run are worth to a party that kept or overheard them. They are for P-256.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from escrow.codec import Fact, Public
from escrow.derivation import Guard, derivation, honest_only, threshold
from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import scalar, scalar_bytes
from escrow.sharing import feldman, shamir
from escrow.sharing.blame import Blame, Blamed
from escrow.sharing.dkg.gjkr import NEUTRAL, Broadcast, Commitments, Setting, SubShare
from escrow.sharing.epochs import EpochShare, Sharing
from escrow.sharing.feldman import PrimeGroup
from escrow.sharing.parts import coefficients


class Outcome(Fact, frozen=True):
    """Public result of a run: the members, and the Feldman commitments A_ik of each i in QUAL, as many for each.

    Raises ValueError if there are none, or their numbers differ.
    """

    session: Public
    members: tuple[int, ...]
    dealings: tuple[Commitments, ...]

    def __post_init__(self) -> None:
        if len({len(each.points) for each in self.dealings}) != 1 or not self.dealings[0].points:
            raise ValueError("an outcome needs dealings of one degree")

    @property
    def size(self) -> int:
        """The number of dealers in QUAL."""
        return len(self.dealings)

    @property
    def t(self) -> int:
        """The number of members' sums that give all the others'."""
        return len(self.dealings[0].points)


class Summed(Fact, frozen=True):
    """Member j's Σ s_ij over QUAL (scalar, 32 bytes): its share of what the run made."""

    session: Public
    member: int
    raw: bytes


@honest_only("public bookkeeping: it follows from the broadcasts")
def conclude(setting: Setting, qualified: Iterable[int], revealed: Broadcast) -> Outcome:
    """Return the public result, from the Feldman commitments of all in QUAL. Raise Blamed if QUAL is too small."""
    inside = tuple(qualified)
    setting.insist(inside)
    return Outcome(setting.session, setting.members, tuple(revealed[i] for i in inside))


def commitments(outcome: Outcome, over: PrimeGroup = group) -> tuple[bytes, ...]:
    """Return Σ A_ik over QUAL: the t commitments of the joint polynomial. The first is the public key."""
    columns = zip(*(each.points for each in outcome.dealings), strict=True)
    return tuple(over.add(*(point for point in column if point != NEUTRAL)) for column in columns)


@lru_cache(maxsize=256)
def _joint(outcome: Outcome) -> tuple[bytes, ...]:
    return commitments(outcome)


def share_dealt(outcome: Outcome, share: SubShare) -> bool:
    """Return whether a share is the one to which a dealer in QUAL committed."""
    dealing = next((each for each in outcome.dealings if each.dealer == share.dealer), None)
    if dealing is None or share.session != outcome.session or share.member not in outcome.members:
        return False
    try:
        if NEUTRAL not in dealing.points:
            return feldman.verify_share(dealing.points, share.member, scalar(share.value))
        given = [k for k, point in enumerate(dealing.points) if point != NEUTRAL]
        powers = (pow(share.member, k, group.Q) for k in given)
        return group.base(scalar(share.value)) == group.multi((dealing.points[k] for k in given), powers)
    except Forged:
        return False


@threshold(
    "outcome.session = shares.session",
    t="outcome.size",
    member="shares.dealer",
    by="session, member",
    verify=share_dealt,
)
def combine(outcome: Guard[Outcome], shares: tuple[SubShare, ...]) -> Summed:
    """Return a member's sum of the shares that all dealers in QUAL sent it; shares of other dealers are skipped.

    Raises:
        Blamed: a share is missing or does not fit.
    """
    by_dealer = {share.dealer: share for share in shares if share_dealt(outcome, share)}
    missing = [each.dealer for each in outcome.dealings if each.dealer not in by_dealer]
    if missing or len({share.member for share in by_dealer.values()}) != 1:
        raise Blamed("a sum needs the shares of all dealers to one member", (Blame(i, "no share") for i in missing))
    return summed(outcome.session, by_dealer.values())


@honest_only("`combine` is the rule: it checks each share")
def summed(session: bytes, shares: Iterable[SubShare]) -> Summed:
    """Return the sum of shares that were checked on arrival, over any group."""
    given = tuple(shares)
    total = group.combination([scalar(share.value) for share in given], [1] * len(given))
    return Summed(session, given[0].member, scalar_bytes(total))


def sum_fits(outcome: Outcome, share: Summed) -> bool:
    """Return whether a member's sum is the one to which the dealers committed."""
    if share.session != outcome.session or share.member not in outcome.members:
        return False
    try:
        return feldman.verify_share(_joint(outcome), share.member, scalar(share.raw))
    except Forged:
        return False


@threshold("outcome.session = sums.session", t="outcome.t", member="sums.member", by="session", verify=sum_fits)
def complete(outcome: Guard[Outcome], sums: tuple[Summed, ...]) -> tuple[Summed, ...]:
    """Return every member's sum, from any t that fit: t members know all that the run made.

    Raise Forged if fewer fit.
    """
    good = {each.member: scalar(each.raw) for each in sums if sum_fits(outcome, each)}
    values = shamir.evaluate(coefficients(outcome.t, good), outcome.members)
    return tuple(Summed(outcome.session, j, scalar_bytes(v)) for j, v in zip(outcome.members, values, strict=True))


@honest_only("public bookkeeping: it follows from the public outcome")
def first_sharing(outcome: Outcome) -> Sharing:
    """Return the sharing of epoch 0 that a run made among members 1 … n. Raise ValueError for other members."""
    if outcome.members != tuple(range(1, len(outcome.members) + 1)):
        raise ValueError("a sharing is among members 1 … n")
    return Sharing(0, len(outcome.members), commitments(outcome))


@derivation("outcome.session = share.session")
def first_share(outcome: Guard[Outcome], share: Summed) -> EpochShare:
    """Return a member's share at epoch 0 of the key that a run made. Raise Forged if the sum is another run's."""
    if not sum_fits(outcome, share):
        raise Forged("a sum of another run")
    return EpochShare(_joint(outcome)[0], 0, share.member, share.raw)

"""What a run of `sharing.dkg` made: public commitments of the joint polynomial, and each member's share of it.

  member j  x_j = Σ s_ij,   public   y_j = Σ [j^k]A_ik,   y = Σ A_i0    over i in QUAL

The rules here say what the pieces of a run are worth to whoever kept or overheard them. They are of P-256.
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
from escrow.sharing.dkg.gjkr import Broadcast, Commitments, Setting, SubShare
from escrow.sharing.epochs import Sharing, StageShare
from escrow.sharing.feldman import Group


class Outcome(Fact, frozen=True):
    """Public result of a run: who are members, and the Feldman commitments A_ik of each i in QUAL, as many for each.

    ValueError where there are none.
    """

    session: Public
    members: tuple[int, ...]
    dealings: tuple[Commitments, ...]

    def __post_init__(self) -> None:
        if len({len(each.points) for each in self.dealings}) != 1 or not self.dealings[0].points:
            raise ValueError("an outcome needs dealings of one degree")

    @property
    def size(self) -> int:
        """How many dealers there are in QUAL."""
        return len(self.dealings)

    @property
    def t(self) -> int:
        """How many members' sums give all the others'."""
        return len(self.dealings[0].points)


class Summed(Fact, frozen=True):
    """Member j's Σ s_ij over QUAL (scalar, 32 bytes): its share of what the run made."""

    session: Public
    member: int
    raw: bytes


@honest_only("public bookkeeping: whoever heard the broadcasts knows it")
def conclude(setting: Setting, qualified: Iterable[int], revealed: Broadcast) -> Outcome:
    """The public result, from the Feldman commitments of all in QUAL. Blamed where QUAL is empty."""
    dealings = tuple(revealed[i] for i in qualified)
    if not dealings:
        raise Blamed("no dealer is left", ())
    return Outcome(setting.session, setting.members, dealings)


def commitments(outcome: Outcome, over: Group = group) -> tuple[bytes, ...]:
    """Σ A_ik over QUAL, t points: of the polynomial that the run shared. The first is its public key."""
    return tuple(over.add(*column) for column in zip(*(each.points for each in outcome.dealings), strict=True))


@lru_cache(maxsize=256)
def _joint(outcome: Outcome) -> tuple[bytes, ...]:
    return commitments(outcome)


def share_dealt(outcome: Outcome, share: SubShare) -> bool:
    """Whether a share is what a dealer in QUAL committed to."""
    dealing = next((each for each in outcome.dealings if each.dealer == share.dealer), None)
    if dealing is None or share.session != outcome.session or share.member not in outcome.members:
        return False
    try:
        return feldman.verify_share(dealing.points, share.member, scalar(share.value))
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
    """A member's sum, of the shares that all dealers in QUAL sent it. Blamed where one is missing or does not fit.

    The shares of dealers outside QUAL are passed over.
    """
    by_dealer = {share.dealer: share for share in shares if share_dealt(outcome, share)}
    missing = [each.dealer for each in outcome.dealings if each.dealer not in by_dealer]
    if missing or len({share.member for share in by_dealer.values()}) != 1:
        raise Blamed("a sum needs the shares of all dealers to one member", (Blame(i, "no share") for i in missing))
    return summed(outcome.session, by_dealer.values())


@honest_only("`combine` is the rule: it checks each share")
def summed(session: bytes, shares: Iterable[SubShare]) -> Summed:
    """The sum of shares that were checked when they came, over any group."""
    given = tuple(shares)
    return Summed(session, given[0].member, scalar_bytes(sum(scalar(share.value) for share in given)))


def sum_fits(outcome: Outcome, share: Summed) -> bool:
    """Whether a member's sum is the one to which the dealers committed."""
    if share.session != outcome.session or share.member not in outcome.members:
        return False
    try:
        return feldman.verify_share(_joint(outcome), share.member, scalar(share.raw))
    except Forged:
        return False


@threshold("outcome.session = sums.session", t="outcome.t", member="sums.member", by="session", verify=sum_fits)
def complete(outcome: Guard[Outcome], sums: tuple[Summed, ...]) -> tuple[Summed, ...]:
    """Every member's sum, from any t that fit: so many know all that the run made. Forged where there are fewer."""
    good = {each.member: scalar(each.raw) for each in sums if sum_fits(outcome, each)}
    if len(good) < outcome.t:
        raise Forged(f"{len(good)} of the {outcome.t} sums that are needed")
    values = shamir.evaluate(shamir.interpolate(dict(list(good.items())[: outcome.t])), outcome.members)
    return tuple(Summed(outcome.session, j, scalar_bytes(v)) for j, v in zip(outcome.members, values, strict=True))


@honest_only("public bookkeeping: whoever knows the outcome knows the sharing")
def first_sharing(outcome: Outcome) -> Sharing:
    """The sharing of stage 0 that a key generation made among members 1 … n. ValueError for other members."""
    if outcome.members != tuple(range(1, len(outcome.members) + 1)):
        raise ValueError("a sharing is among members 1 … n")
    return Sharing(0, len(outcome.members), commitments(outcome))


@derivation("outcome.session = share.session")
def first_share(outcome: Guard[Outcome], share: Summed) -> StageShare:
    """A member's share at stage 0 of the key that a run made. Forged where the sum is not the outcome's."""
    if not sum_fits(outcome, share):
        raise Forged("a sum of another run")
    return StageShare(_joint(outcome)[0], 0, share.member, share.raw)

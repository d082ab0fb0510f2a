"""Distributed key generation: the key never exists in one place, and a failure names the members at fault.

  deal      P_i: f_i, f'_i of degree t − 1;  C_ik = [a_ik]G + [b_ik]H to all, (s_ij, s'_ij) = (f_i(j), f'_i(j)) to P_j
  complain  P_j complains of P_i where [s_ij]G + [s'_ij]H ≠ Σ [j^k]C_ik
  answer    P_i broadcasts (s_ij, s'_ij) for each that complained
  qualify   out are dealers with more than t − 1 complaints, or an answer that fails; QUAL is the rest, and x is fixed;
            a QUAL of fewer than n − t + 1 ends the run

That is the first half of `gjkr`; the second is `escrow.sharing.dkg.extraction`. `joint_feldman` (Pedersen 1991) deals
A_ik = [a_ik]G in the open instead and has no second half: a dealer that waits for the others' A_i0 and then drops out
chooses between two keys, so the key is biased. `escrow.sharing.dkg.result` is the result of both. Verdicts are
functions of broadcast data. The caller delivers each value from the member that it names, and broadcasts the same to
all (`equivocators` finds a dealer that did not). Secret and correct while at most t − 1 members lie; live while t do
not.

Source: Gennaro, Jarecki, Krawczyk, Rabin, "Secure distributed key generation for discrete-log based cryptosystems",
EUROCRYPT '99, figures 1 and 2, whose t is our t − 1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from escrow.codec import Fact, Public
from escrow.crypto import sha256
from escrow.derivation import honest_only
from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import scalar, scalar_bytes
from escrow.sharing import feldman, pedersen, shamir
from escrow.sharing.blame import Assumption, Blame, Blamed
from escrow.sharing.pedersen import P256, Bases

STEP = "a step of one run, whose state is erased; escrow.sharing.dkg.result has the rules over what might be kept"
NEUTRAL = b""  # [0]G in what members rebuild; no dealer can commit to it


@dataclass(frozen=True, slots=True)
class Setting:
    """The parameters that all members of one run agree on.

    `session` (bytes, unique) keeps runs apart; `t` coefficients are dealt.
    """

    session: bytes
    t: int
    members: tuple[int, ...]
    liars: int  # how many complaints an honest dealer may get
    hiding: bool  # Pedersen's commitments first, Feldman's after QUAL is fixed
    over: Bases = P256

    def __post_init__(self) -> None:
        distinct = len(set(self.members)) == len(self.members)
        if not 1 <= self.t <= len(self.members) or not distinct or not all(0 < i < group.Q for i in self.members):
            raise ValueError(f"t={self.t} of the members {self.members}: it must be 1 <= t <= their number")

    @property
    def least(self) -> int:
        """The least size of QUAL: no honest dealer is put out, so a smaller one shows that more lie than `liars`."""
        return len(self.members) - self.liars

    def insist(self, qualified: Collection[int], blames: Iterable[Blame] = ()) -> None:
        """Raise Blamed if QUAL is too small: the liars in it may know all that the run makes."""
        if len(qualified) < self.least:
            raise Blamed(f"QUAL has {len(qualified)} members of the {self.least} that it needs", blames)


def joint_feldman(session: bytes, t: int, n: int, over: Bases = P256) -> Setting:
    """Return the setting of Pedersen's key generation of 1991, the paper's figure 1.

    With n < 2t − 1 the key is biased as with any n, and t − 1 silent members leave too few to use it.

    Args:
        session: unique bytes that keep runs apart.
        t: the number of shares needed.
        n: the number of members.
        over: the group and its second generator.

    Raises:
        ValueError: not 1 ≤ t ≤ n.
    """
    return Setting(session, t, tuple(range(1, n + 1)), t - 1, hiding=False, over=over)


def gjkr(session: bytes, t: int, n: int, over: Bases = P256) -> Setting:
    """Return the setting of the paper's figure 2: the key is uniform whatever t − 1 members do.

    With n < 2t − 1 the others could not rebuild an exposed dealer's polynomial. By falling silent once it sees the key,
    a dealer would then end each run whose key it does not want.

    Args:
        session: unique bytes that keep runs apart.
        t: the number of shares needed.
        n: the number of members.
        over: the group and its second generator.

    Raises:
        ValueError: not 1 ≤ t ≤ n, or n < 2t − 1.
    """
    return unbiased(Setting(session, t, tuple(range(1, n + 1)), t - 1, hiding=True, over=over))


def unbiased(setting: Setting) -> Setting:
    """Return the setting. Raise ValueError if the honest may be too few to rebuild an exposed dealer's polynomial."""
    if setting.hiding and setting.least < setting.t:
        raise ValueError(
            f"GJKR needs {setting.t} honest members of {len(setting.members)} to rebuild a polynomial, and"
            f" {setting.liars} may lie: for a key it must be n >= 2t - 1"
        )
    return setting


# --- what is kept and what is sent ---


class Polynomials(Fact, frozen=True):
    """A dealer's secret: t coefficients (32 bytes each) of f_i, and as many of f'_i, or none in joint Feldman."""

    session: Public
    dealer: int
    values: tuple[bytes, ...]
    blindings: tuple[bytes, ...]


class Commitments(Fact, frozen=True):
    """Broadcast: t points (33 bytes each), C_ik or A_ik."""

    session: Public
    dealer: int
    points: tuple[Public, ...]


class SubShare(Fact, frozen=True):
    """In private, dealer to member: s_ij and s'_ij (32 bytes each; the second empty in joint Feldman)."""

    session: Public
    dealer: int
    member: int
    value: bytes
    blinding: bytes


class Complaint(Fact, frozen=True):
    """Broadcast: `accuser` got no share from `dealer` that fits its commitments."""

    session: Public
    accuser: int
    dealer: int


class PublicShare(Fact, frozen=True):
    """Broadcast by `by`: a pair that all can check. An answer comes from the dealer, evidence from the member."""

    session: Public
    by: int
    dealer: int
    member: int
    value: Public
    blinding: Public


Broadcast = Mapping[int, Commitments]  # by dealer


# --- the steps of one member ---


def deal(setting: Setting, dealer: int) -> tuple[Polynomials, Commitments, tuple[SubShare, ...]]:
    """Choose the polynomials of one dealer.

    Returns:
        The polynomials to keep, the commitments to broadcast, and the share of each member (itself included) to send in
        private.
    """
    over, indexes = setting.over, setting.members
    values, blindings = group.random_scalars(setting.t), group.random_scalars(setting.t if setting.hiding else 0)
    points = map(over.commit, values, blindings) if setting.hiding else map(over.group.base, values)
    sent = [scalar_bytes(each) for each in shamir.evaluate(values, indexes)]
    blinds = [scalar_bytes(each) for each in shamir.evaluate(blindings, indexes)] if blindings else [b""] * len(indexes)
    return (
        Polynomials(setting.session, dealer, tuple(map(scalar_bytes, values)), tuple(map(scalar_bytes, blindings))),
        Commitments(setting.session, dealer, tuple(points)),
        tuple(SubShare(setting.session, dealer, *each) for each in zip(indexes, sent, blinds, strict=True)),
    )


def fits(setting: Setting, dealing: Commitments | None, share: SubShare | PublicShare | None) -> bool:
    """Return whether a share is the one to which its dealer committed in the first round."""
    if not setting.hiding:
        return fits_feldman(setting, dealing, share)
    if dealing is None or share is None or share.session != setting.session or share.dealer != dealing.dealer:
        return False
    try:
        pair = scalar(share.value), scalar(share.blinding)
    except Forged:
        return False
    return pedersen.verify_share(dealing.points, share.member, pair, setting.over)


def fits_feldman(setting: Setting, dealing: Commitments | None, share: SubShare | PublicShare | None) -> bool:
    """Return whether a share, whatever its blinding, fits the dealer's Feldman commitments."""
    if dealing is None or share is None or share.session != setting.session or share.dealer != dealing.dealer:
        return False
    try:
        return feldman.verify_share(dealing.points, share.member, scalar(share.value), setting.over.group)
    except Forged:
        return False


def well_formed(setting: Setting, dealing: Commitments | None, dealer: int) -> bool:
    """Return whether these are t points, of this session and dealer."""
    if dealing is None or (dealing.session, dealing.dealer, len(dealing.points)) != (
        setting.session,
        dealer,
        setting.t,
    ):
        return False
    try:
        for point in dealing.points:
            setting.over.group.add(point)
    except Forged:
        return False
    return True


@honest_only(STEP)
def complaints(
    setting: Setting, me: int, broadcast: Broadcast, received: Mapping[int, SubShare]
) -> tuple[Complaint, ...]:
    """Return the complaints of member `me`: one for each dealer whose share is missing or does not fit.

    Args:
        setting: the run's parameters.
        me: the member's index.
        broadcast: the commitments heard, by dealer.
        received: the sub-shares received in private, by dealer.
    """
    mine = {i: share for i, share in received.items() if share.member == me}
    return tuple(
        Complaint(setting.session, me, i)
        for i in setting.members
        if i != me and not fits(setting, broadcast.get(i), mine.get(i))
    )


@honest_only(STEP)
def answers(setting: Setting, mine: Polynomials, heard: Iterable[Complaint]) -> tuple[PublicShare, ...]:
    """Return the dealer's answers: the shares of all that complained of it, to broadcast."""
    accusers = sorted({each.accuser for each in _valid(setting, heard) if each.dealer == mine.dealer})
    values, blindings = ([scalar(raw) for raw in each] for each in (mine.values, mine.blindings))
    sent = map(scalar_bytes, shamir.evaluate(values, accusers))
    blinds = map(scalar_bytes, shamir.evaluate(blindings, accusers)) if blindings else [b""] * len(accusers)
    return tuple(
        PublicShare(setting.session, mine.dealer, mine.dealer, *each)
        for each in zip(accusers, sent, blinds, strict=True)
    )


def _valid(setting: Setting, heard: Iterable[Complaint]) -> Iterable[Complaint]:
    """Return the complaints of this session between two different members."""
    members = set(setting.members)
    return (
        each
        for each in heard
        if each.session == setting.session and {each.accuser, each.dealer} <= members and each.accuser != each.dealer
    )


def qualify(
    setting: Setting, broadcast: Broadcast, heard: Iterable[Complaint], answered: Iterable[PublicShare]
) -> tuple[tuple[int, ...], tuple[Blame, ...]]:
    """Decide who stays, from broadcast data only, so that all honest members agree.

    Returns:
        QUAL in ascending order, and a verdict for each other dealer.

    Raises:
        Blamed: QUAL is smaller than with the most liars that the run tolerates.
    """
    accused: dict[int, set[int]] = {i: set() for i in setting.members}
    for complaint in _valid(setting, heard):
        accused[complaint.dealer].add(complaint.accuser)
    answer_to: dict[tuple[int, int], list[PublicShare]] = {}
    for each in answered:
        if each.by == each.dealer:
            answer_to.setdefault((each.dealer, each.member), []).append(each)
    blames = []
    for i in setting.members:
        dealing, asked = broadcast.get(i), [answer_to.get((i, j), []) for j in sorted(accused[i])]
        if not well_formed(setting, dealing, i):
            blames.append(Blame(i, "its commitments are missing or malformed"))
        elif len(asked) > setting.liars:
            blames.append(Blame(i, f"{len(asked)} members complain of it", Assumption.FEW_LIARS))
        elif not all(asked):
            blames.append(Blame(i, "it left a complaint without an answer"))
        elif not all(fits(setting, dealing, share) for shares in asked for share in shares):
            blames.append(Blame(i, "it answered a complaint with a share that does not fit"))
    out = {blame.culprit for blame in blames}
    qualified = tuple(i for i in sorted(setting.members) if i not in out)
    setting.insist(qualified, blames)
    return qualified, tuple(blames)


@honest_only(STEP)
def settle(
    setting: Setting,
    me: int,
    qualified: Iterable[int],
    broadcast: Broadcast,
    received: Mapping[int, SubShare],
    answered: Iterable[PublicShare],
) -> dict[int, SubShare]:
    """Return member `me`'s shares by dealer in QUAL; an answer replaces each share that it complained of.

    Raises:
        Forged: a share is missing that no complaint asked for.
    """
    public = {each.dealer: each for each in answered if each.member == me and each.by == each.dealer}
    settled = {}
    for i in qualified:
        share: SubShare | PublicShare | None = received.get(i)
        if share is None or share.member != me or not fits(setting, broadcast.get(i), share):
            if i not in public:
                raise Forged(f"neither a share nor an answer of member {i} to member {me}")
            share = public[i]
        settled[i] = SubShare(setting.session, i, me, share.value, share.blinding)
    return settled


# --- whether all heard the same ---


class Echo(Fact, frozen=True):
    """Broadcast: the SHA-256 (32 bytes) of the commitments heard from each dealer, in the order of members."""

    session: Public
    by: int
    digests: tuple[Public, ...]


@honest_only(STEP)
def echo(setting: Setting, me: int, broadcast: Broadcast) -> Echo:
    """Return digests of what member `me` heard in the first round; the empty string for a silent dealer."""
    heard = (broadcast.get(i) for i in setting.members)
    digests = tuple(b"" if each is None else sha256(each.session, *each.points) for each in heard)
    return Echo(setting.session, me, digests)


def equivocators(setting: Setting, echoes: Iterable[Echo]) -> tuple[Blame, ...]:
    """Return a verdict for each dealer that told members different things.

    It is certain if two versions each have more echoes than members may lie; else it holds if the echoes are honest.
    """
    versions: dict[int, dict[bytes, int]] = {i: {} for i in setting.members}
    for each in echoes:
        if each.session == setting.session and len(each.digests) == len(setting.members):
            for i, digest in zip(setting.members, each.digests, strict=True):
                versions[i][digest] = versions[i].get(digest, 0) + 1
    blames = []
    for i, counted in versions.items():
        if len(counted) > 1:
            sure = sorted(counted.values())[-2] > setting.liars
            assumption = Assumption.FEW_LIARS if sure else Assumption.HONEST_ECHO
            blames.append(Blame(i, f"it broadcast {len(counted)} different commitments", assumption))
    return tuple(blames)

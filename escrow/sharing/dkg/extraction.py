"""The second half of GJKR's key generation: the public key is extracted after QUAL, and so the secret, is fixed.

  reveal    A_ik = [a_ik]G of each i in QUAL;  P_j broadcasts (s_ij, s'_ij) where [s_ij]G ≠ Σ [j^k]A_ik
  expose    where that pair fits the C_ik, or no A_ik came, all broadcast their (s_ij, s'_ij), interpolate f_i and go on
            with its A_ik: P_i stays in QUAL, because to throw it out now would be a choice between two keys

Source: Gennaro, Jarecki, Krawczyk, Rabin, EUROCRYPT '99, figure 2, "extracting y". The first half is
`escrow.sharing.dkg.gjkr`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from escrow.derivation import honest_only
from escrow.primitives.group import scalar
from escrow.sharing import shamir
from escrow.sharing.blame import Blame, Blamed
from escrow.sharing.dkg.gjkr import (
    NEUTRAL,
    STEP,
    Broadcast,
    Commitments,
    Polynomials,
    PublicShare,
    Setting,
    SubShare,
    fits,
    fits_feldman,
    well_formed,
)


@honest_only(STEP)
def reveal(setting: Setting, mine: Polynomials) -> Commitments:
    """Return A_ik = [a_ik]G, to broadcast after QUAL is fixed."""
    points = tuple(setting.over.group.base(scalar(raw)) for raw in mine.values)
    return Commitments(setting.session, mine.dealer, points)


@honest_only(STEP)
def evidence(
    setting: Setting, me: int, revealed: Broadcast, settled: Mapping[int, SubShare]
) -> tuple[PublicShare, ...]:
    """Return the pairs that convict a dealer in QUAL whose A_ik are not those of its C_ik: they fit the C_ik only."""
    return opened(
        setting, me, (i for i, share in settled.items() if not fits_feldman(setting, revealed.get(i), share)), settled
    )


@honest_only(STEP)
def opened(
    setting: Setting, me: int, dealers: Iterable[int], settled: Mapping[int, SubShare]
) -> tuple[PublicShare, ...]:
    """Return member `me`'s pairs from these dealers, to broadcast: its part in the pool of an exposed dealer."""
    shares = [settled[i] for i in dealers if i != me]
    return tuple(PublicShare(setting.session, me, s.dealer, me, s.value, s.blinding) for s in shares)


def exposed(
    setting: Setting,
    qualified: Iterable[int],
    broadcast: Broadcast,
    revealed: Broadcast,
    heard: Iterable[PublicShare],
) -> tuple[tuple[int, ...], tuple[Blame, ...]]:
    """Return (the dealers whose polynomials all must pool, the verdicts): from broadcast data only.

    A complaint is valid if its pair fits the dealer's C_ik and not its A_ik; a member that brings another is blamed
    itself.
    """
    inside = tuple(qualified)
    silent = [i for i in inside if not well_formed(setting, revealed.get(i), i)]
    blames = [Blame(i, "it revealed no Feldman commitments, or malformed ones") for i in silent]
    convicted = set(silent)
    for each in heard:
        i, dealing = each.dealer, broadcast.get(each.dealer)
        if i not in inside or i in silent or each.by != each.member:
            continue
        if fits(setting, dealing, each) and not fits_feldman(setting, revealed.get(i), each):
            convicted.add(i)
            blames.append(Blame(i, "it revealed Feldman commitments of another polynomial"))
        else:
            blames.append(Blame(each.by, f"its complaint of member {i} is void"))
    return tuple(sorted(convicted)), tuple(dict.fromkeys(blames))


@honest_only(STEP)
def rebuild(
    setting: Setting, dealer: int, dealing: Commitments, pooled: Iterable[PublicShare]
) -> tuple[Commitments, tuple[Blame, ...]]:
    """Return (the A_ik of an exposed dealer, the members that gave a wrong pair), by interpolation in the clear.

    A coefficient of 0 gives the empty string, because the neutral element has no encoding. A dealer that chose one has
    nothing to reveal, and must not end the run by it.

    Raises:
        Blamed: fewer than t pairs fit the dealer's C_ik: more members are silent or lie than the run tolerates.
    """
    shares, blames = {}, []
    for each in pooled:
        if each.dealer == dealer and each.by == each.member:
            if fits(setting, dealing, each):
                shares[each.member] = scalar(each.value)
            else:
                blames.append(Blame(each.by, f"its pair of the exposed member {dealer} does not fit"))
    if len(shares) < setting.t:
        raise Blamed(f"{len(shares)} of the {setting.t} shares that expose member {dealer}", blames)
    values = shamir.interpolate(dict(list(shares.items())[: setting.t]))
    points = tuple(setting.over.group.base(each) if each else NEUTRAL for each in values)
    return Commitments(setting.session, dealer, points), tuple(blames)

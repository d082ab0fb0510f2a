"""Proactive refresh: new shares of the same key, so that shares of different epochs cannot be combined.

  deal      P_i: δ_i(z) = z·g_i(z), deg g_i = t − 2, so that δ_i(0) = 0 in any case;  g_i by `sharing.dkg`
  renew     x_j' = x_j + j·Σ g_i(j);   ε_ik = [g_{i,k−1}]G,  A_k' = A_k + Σ ε_ik for k ≥ 1;   A_0 = h stays
  erase     x_j, the g_i and their shares: a `renew` whose inputs are kept is no refresh

With joint Feldman it is the paper's protocol: a cheater that sees the others' ε first can bias the new polynomial, so
epochs are not independent. With GJKR (`hiding`) it cannot: Pedersen's commitments to g_i come first, ε after. A member
corrupted during the refresh counts in both epochs: t − 1 of them know all of δ.

Source: Herzberg, Jarecki, Krawczyk, Yung, "Proactive secret sharing", CRYPTO '95; the bias: Gennaro and others,
EUROCRYPT '99, section 4.3. Their t is our t − 1.
"""

from __future__ import annotations

from escrow.codec import Fact, Public
from escrow.derivation import Guard, derivation, honest_only
from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import scalar, scalar_bytes
from escrow.sharing.dkg.gjkr import Setting, unbiased
from escrow.sharing.dkg.result import Outcome, Summed, commitments
from escrow.sharing.epochs import EpochShare, Sharing


class Renewal(Fact, frozen=True):
    """Public: the run `session` carries the sharing of `key` from `epoch` to the next."""

    key: Public
    epoch: int
    session: Public

    @property
    def after(self) -> int:
        """The next epoch."""
        return self.epoch + 1


def setting(of: Sharing, session: bytes, hiding: bool = True) -> Setting:
    """Return the setting of the run that refreshes a sharing.

    Raise ValueError for t = 1: every share is then the key; and, with GJKR, for n < 2t − 2, as in `gjkr.unbiased`.
    """
    if of.t == 1:
        raise ValueError("with t=1 every share is the key, so a refresh changes nothing")
    return unbiased(Setting(session, of.t - 1, tuple(range(1, of.n + 1)), of.t - 1, hiding))


@honest_only("public bookkeeping: it follows from the public outcome")
def renewed(of: Sharing, outcome: Outcome) -> tuple[Sharing, Renewal]:
    """Return the next epoch's sharing, and the fact that joins old and new shares.

    Raise Forged for another sharing's outcome.
    """
    if outcome.t != of.t - 1 or outcome.members != tuple(range(1, of.n + 1)):
        raise Forged("the run refreshes another sharing")
    moved = map(group.add, of.commitments[1:], commitments(outcome))
    return Sharing(of.epoch + 1, of.n, (of.key, *moved)), Renewal(of.key, of.epoch, outcome.session)


@derivation(
    "share.key = renewal.key, share.epoch = renewal.epoch, renewal.session = part.session, share.index = part.member"
)
def renew(share: EpochShare, renewal: Guard[Renewal], part: Summed) -> EpochShare:
    """Return the share of the next epoch; the caller erases the inputs.

    Raise Forged if the pieces do not belong together.
    """
    return _moved(share, renewal, part, renewal.epoch, renewal.after, 1)


@derivation(
    "share.key = renewal.key, share.epoch = renewal.after, renewal.session = part.session, share.index = part.member"
)
def unrenew(share: EpochShare, renewal: Guard[Renewal], part: Summed) -> EpochShare:
    """Return the share of the epoch before, from a sum that was not erased: a theft. Raise Forged as in `renew`."""
    return _moved(share, renewal, part, renewal.after, renewal.epoch, -1)


def _moved(share: EpochShare, renewal: Renewal, part: Summed, before: int, after: int, sign: int) -> EpochShare:
    if (share.key, share.epoch) != (renewal.key, before):
        raise Forged(f"a share of epoch {share.epoch}, or of another key, where epoch {before} is moved")
    if (part.session, part.member) != (renewal.session, share.index):
        raise Forged("a sum of another run or member")
    moved = group.combination((scalar(share.raw), scalar(part.raw)), (1, sign * share.index))
    return EpochShare(share.key, after, share.index, scalar_bytes(moved))

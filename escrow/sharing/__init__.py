"""Secret sharing by itself: it needs no messenger, and names who lies.

  split, combine     Shamir's shares of a scalar                          feldman, pedersen: shares that can be checked
  gjkr               the setting of a key generation without a dealer     in_process runs all members in one place
  refresh, recover   new shares of the same key; a lost share             first_sharing, first_share: where both begin
  tdh2               threshold decryption under a label                   elgamal: without labels and without checks

t shares are needed, so polynomials have the degree t − 1. Scalars are integers below Q, the order of P-256.
"""

from typing import TYPE_CHECKING

from escrow.surface import exports

if TYPE_CHECKING:
    from escrow.sharing import elgamal, feldman, pedersen, shamir, tdh2
    from escrow.sharing.blame import Blame, Blamed
    from escrow.sharing.dkg import in_process
    from escrow.sharing.dkg.gjkr import Setting, gjkr, joint_feldman
    from escrow.sharing.dkg.result import Outcome, first_share, first_sharing
    from escrow.sharing.epochs import EpochShare, Sharing
    from escrow.sharing.proactive import recovery, refresh
    from escrow.sharing.proactive.recovery import recover
    from escrow.sharing.shamir import combine, split

__all__ = [  # noqa: RUF022 (in groups, not in the order of the alphabet)
    # functions
    "combine", "first_share", "first_sharing", "gjkr", "joint_feldman", "recover", "split",
    # types
    "Blame", "Outcome", "Setting", "Sharing", "EpochShare",
    # errors
    "Blamed",
    # modules
    "elgamal", "feldman", "in_process", "pedersen", "recovery", "refresh", "shamir", "tdh2",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker that saw it would accept every name
    __getattr__ = exports(__name__)

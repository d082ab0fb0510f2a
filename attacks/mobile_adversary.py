"""The mobile adversary robs a different agent every evening, never two on one evening.

  take     agent 1 on the first evening, agent 2 on the second, and so on round; every set of these
  try      each share against the sharings of all epochs, whatever epoch it names
  read     the archive of all packets, those of the refreshes too

Against shares that stay as they were dealt, t evenings are enough. If shares are replaced in between, and the data that
made them is erased, the shares taken on different evenings belong to different polynomials.
Source: Ostrovsky and Yung, "How to withstand mobile virus attacks", PODC '91; Herzberg, Jarecki, Krawczyk, Yung,
"Proactive secret sharing", CRYPTO '95.
"""

from collections.abc import Iterable
from itertools import cycle

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Seize
from attacks.lab.simulation.scenario import Scenario
from escrow.derivation import Guard, derivation
from escrow.errors import Forged
from escrow.scheme import Finding, Scheme, Source
from escrow.sharing.epochs import EpochShare, Sharing, share_fits


@derivation("share.key = sharing.key")
def still_fits(share: EpochShare, sharing: Guard[Sharing]) -> EpochShare:
    """Return a stolen share as one of another epoch.

    Raise Forged if it does not fit, as it should not after a refresh.
    """
    moved = msgspec.structs.replace(share, epoch=sharing.epoch)
    if not share_fits(sharing, moved):
        raise Forged("a share of another polynomial")
    return EpochShare(moved.key, moved.epoch, moved.index, moved.raw)


class MobileAdversary(Attack):
    """Seize one holder of a share on each evening, in turn."""

    name = "mobile-adversary"
    title = "One holder of a share after another is robbed, one an evening"
    source = Source("Ostrovsky and Yung", "How to Withstand Mobile Virus Attacks", 1991, "all")
    in_pages = True
    findings = (
        Finding(
            4,
            name,
            "**Shares of a key**: a thief who robs one holder every evening, never two at once, opens "
            "{split-key.exposed.total} of {split-key.sent} texts where shares stay (`split-key`), and "
            "{threshold.exposed.total} where they are replaced every morning (`threshold`).",
            ("split-key.exposed.total > threshold.exposed.total",),
        ),
    )
    specimen = "unerased"
    derivations = (still_fits,)

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless several officials hold shares of one key."""
        return "" if cast.holders else "no two hold shares of one key"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize]:
        """Seize one holder on each evening, in turn."""
        in_turn = cycle(cast.holders[0].names)
        return [Seize(next(in_turn), day) for day in range(scenario.days)]


ATTACK = MobileAdversary()

"""Shares that everybody can verify: any t open a key, a wrong one is named, and a stolen key opens what was dealt.

  deal       (3, 5): 3 commitments, 5 sealed shares, 5 proofs: 33 bytes a point, 64 a proof
  open       each 3 of the 5 shares give the same secret
  wrong      a sealed share or an opened one that does not fit is named, whoever looks
  theft      there is no standing key, and still the keys of 3 holders open all that was ever dealt to them

Source: Schoenmakers, "A simple publicly verifiable secret sharing scheme", CRYPTO '99, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from msgspec.structs import replace

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow.errors import Forged
from escrow.primitives import group
from escrow.scheme import Source
from escrow.sharing import pvss
from escrow.sharing.blame import Blamed

NEEDED, HOLDERS = 3, 5


class PublicShares(Experiment):
    """Deal to five holders, open by each three, and put wrong shares in."""

    name = "pvss"
    title = "Publicly verifiable shares, 3 of 5: a wrong one is refused and named"
    source = Source("Schoenmakers", "A simple publicly verifiable secret sharing scheme", 1999, "3")

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield how many triples open the secret, whom wrong shares name, the bytes of a dealing, what thieves open."""
        secrets = group.random_scalars(HOLDERS)
        keys = [group.base(each) for each in secrets]
        secret, dealing = pvss.deal(NEEDED, keys)
        shares = [pvss.open_share(dealing, index, each) for index, each in enumerate(secrets, 1)]
        triples = list(combinations(shares, NEEDED))
        yield Figure(
            quantity="sets of 3 shares that open the secret, of 10",
            measured=sum(pvss.combine(dealing, keys, each) == secret for each in triples),
            expected=len(triples),
            formula="any 3",
        )
        yield Figure(
            quantity="bytes of a dealing, without the holders' keys",
            measured=sum(map(len, (*dealing.commitments, *dealing.sealed, *dealing.proofs))),
            unit="bytes",
            expected=33 * (NEEDED + HOLDERS) + 64 * HOLDERS,
            formula="33(t + n) + 64n",
        )
        progress(1, 2, "pvss: wrong shares")
        yield Figure(
            quantity="wrong sealed shares that anybody names, and no other, of 5",
            measured=sum(_named_when_sealed(dealing, keys, index) for index in range(1, HOLDERS + 1)),
            expected=HOLDERS,
            formula="each",
        )
        yield Figure(
            quantity="wrong opened shares that are refused and named, of 5",
            measured=sum(_named_when_opened(dealing, keys, shares, index) for index in range(1, HOLDERS + 1)),
            expected=HOLDERS,
            formula="each",
        )
        dealings = [pvss.deal(NEEDED, keys) for _ in range(4)]
        stolen = list(enumerate(secrets, 1))[:NEEDED]
        yield Figure(
            quantity="earlier dealings that the keys of 3 holders open, of 4",
            measured=sum(
                pvss.combine(each, keys, [pvss.open_share(each, index, key) for index, key in stolen]) == made
                for made, each in dealings
            ),
            expected=len(dealings),
            formula="all",
            note="No key of all holders stands for long, and a theft still reaches the past.",
        )


def _named_when_sealed(dealing: pvss.PublicDealing, keys: list[bytes], index: int) -> bool:
    wrong = list(dealing.sealed)
    wrong[index - 1] = group.multiply(wrong[index - 1], 2)
    return pvss.faults(replace(dealing, sealed=tuple(wrong)), keys) == (index,)


def _named_when_opened(
    dealing: pvss.PublicDealing, keys: list[bytes], shares: list[pvss.OpenedShare], index: int
) -> bool:
    """Return whether three shares, one of them wrong, open nothing and blame its holder alone."""
    wrong = replace(shares[index - 1], value=group.multiply(shares[index - 1].value, 2))
    others = [each for each in shares if each.index != index][: NEEDED - 1]
    try:
        pvss.combine(dealing, keys, [wrong, *others])
    except Blamed as error:
        return [each.culprit for each in error.blames] == [index]
    except Forged:
        return False
    return False


EXPERIMENT = PublicShares()

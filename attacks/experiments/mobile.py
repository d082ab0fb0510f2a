"""The mobile adversary over 20 years: it steals few shares a year, and shares stay or change.

  life      5 agents, 3 needed, a year an epoch: real key generation, real refresh; each agent's state every year
  theft     each year each agent is robbed with probability 5 %, independently
  loss      the key is pooled from stolen shares of some one epoch, and is the key
  static    P(X ≥ 3), X ~ Bin(5, 1 − 0.95^20)           yearly refresh    1 − (1 − P(Bin(5, 0.05) ≥ 3))^20

Agents that refresh but keep the data that made the new shares lose as much as if they did not refresh: an agent robbed
late gives the shares of all earlier epochs too. Each kind of agents lives once, and the thefts are drawn many times
over that life. Source of the adversary: Ostrovsky and Yung, PODC '91; of the remedy: Herzberg, Jarecki, Krawczyk, Yung,
CRYPTO '95. The probability of theft, and so the figures, are those of a model of ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import comb, sqrt
from typing import NamedTuple

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.specimens import unerased
from attacks.specimens.unerased import Unerased
from escrow.crypto import random_bytes
from escrow.errors import Malformed
from escrow.primitives.group import scalar
from escrow.principal import revive
from escrow.scheme import Source
from escrow.schemes.threshold import Threshold, ThresholdAgent
from escrow.sharing import epochs, shamir
from escrow.sharing.blame import Blamed
from escrow.sharing.epochs import EpochShare, Sharing, WholeKey
from escrow.sharing.proactive.refresh import Renewal, unrenew
from escrow.wire import Wire

YEARS, AGENTS, NEEDED, CHANCE = 20, 5, 3, 0.05
Theft = tuple[int, int]  # year from 0, agent from 0


class Life(NamedTuple):
    """The key, every sharing of it, and the shares that each theft would give."""

    key: WholeKey
    sharings: tuple[Sharing, ...]
    loot: dict[Theft, tuple[EpochShare, ...]]


def live(scheme: Threshold, years: int = YEARS) -> Life:
    """Run a committee for some years, and read its agents' states at the end of each year as a thief would."""
    wire = Wire(list(scheme.cast((), bytes(32))))
    scheme.setup(wire)
    sharings: dict[int, Sharing] = {}
    loot: dict[Theft, tuple[EpochShare, ...]] = {}
    for year in range(years):
        wire.day = year
        scheme.each_day(wire, year)
        for number, name in enumerate(scheme.agents):
            party = wire.party(name, ThresholdAgent)
            agent = revive(party.state(), type(party))
            if (sharing := agent.sharing) is None:
                raise Malformed(f"{name} holds no sharing after year {year}")
            sharings[sharing.epoch] = sharing
            loot[year, number] = tuple(shares_in(agent))
    first = {share for thefts in loot.values() for share in thefts if share.epoch == 0}
    return Life(epochs.pool(sharings[0], tuple(first)), tuple(sharings[at] for at in sorted(sharings)), loot)


def shares_in(agent: ThresholdAgent) -> Iterator[EpochShare]:
    """Yield the share in a state; and the earlier ones, if the agent kept its runs."""
    if agent.share is None:
        return
    share: EpochShare = agent.share
    yield share
    for run in reversed(agent.runs if isinstance(agent, unerased.HoardingAgent) else []):
        if run.purpose.kind == "refresh":
            share = unrenew(share, Renewal(share.key, share.epoch - 1, run.purpose.session), run.sum)
            yield share


def drawn(years: int = YEARS, agents: int = AGENTS, chance: float = CHANCE) -> list[Theft]:
    """Draw the thefts: the agents that the adversary robs, and when."""
    below = int(chance * (1 << 32))
    dice = random_bytes(4 * years * agents)
    hits = (at // 4 for at in range(0, len(dice), 4) if int.from_bytes(dice[at : at + 4], "big") < below)
    return [divmod(hit, agents) for hit in hits]


def lost(life: Life, thefts: Iterable[Theft]) -> bool:
    """Return whether the stolen shares give the key: shares of each epoch are pooled."""
    by_epoch: dict[int, dict[int, EpochShare]] = defaultdict(dict)
    for theft in thefts:
        for share in life.loot[theft]:
            by_epoch[share.epoch][share.index] = share
    return any(_pooled(life.sharings[epoch], shares.values()) == life.key for epoch, shares in by_epoch.items())


def _pooled(sharing: Sharing, shares: Iterable[EpochShare]) -> WholeKey | None:
    try:
        return epochs.pool(sharing, tuple(shares))
    except Blamed:
        return None


def lost_mixed(life: Life, thefts: Iterable[Theft]) -> bool | None:
    """Return whether each agent's last stolen share gives the key, whatever the epochs; None if there are too few."""
    last = {share.index: scalar(share.raw) for theft in sorted(thefts) for share in life.loot[theft][:1]}
    if len(last) < NEEDED:
        return None
    return shamir.combine(dict(list(last.items())[-NEEDED:])) == scalar(life.key.raw)


def at_least(needed: int, n: int, chance: float) -> float:
    """Return P(X ≥ needed) for X ~ Bin(n, chance)."""
    return sum(comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(needed, n + 1))


STATIC = at_least(NEEDED, AGENTS, 1 - (1 - CHANCE) ** YEARS)
REFRESHED = 1 - (1 - at_least(NEEDED, AGENTS, CHANCE)) ** YEARS


class Mobile(Experiment):
    """Measure how often 20 years of thefts give the key, with and without refresh."""

    name = "mobile-adversary-20-years"
    title = "20 years of thefts of shares, with and without refresh"
    source = Source("Herzberg et al.", "Proactive Secret Sharing", 1995, "the mobile adversary", "chances of theft")
    in_pages = True

    draws = 4_000

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the share of lost keys for static, refreshed, and refreshed but not erased shares."""
        draws = 25 * self.draws if long else self.draws
        thefts = [drawn() for _ in range(draws)]
        some = f"the chance that {NEEDED} of {AGENTS} agents, each robbed with {CHANCE:.0%} a year, are robbed"
        everyone = f"{some} in {YEARS} years"
        cases = (
            ("static shares", Threshold(t=NEEDED, n=AGENTS, every=0), STATIC, everyone),
            (
                "yearly refresh",
                Threshold(t=NEEDED, n=AGENTS, reboots=False),
                REFRESHED,
                f"{some} in one of {YEARS} years",
            ),
            (
                "yearly refresh, not erased",
                Unerased(t=NEEDED, n=AGENTS, reboots=False),
                STATIC,
                everyone,
            ),
        )
        for done, (what, scheme, chance, formula) in enumerate(cases):
            progress(done, len(cases), what)
            life = live(scheme)
            yield Figure(
                quantity=f"{what}: the key is lost within {YEARS} years",
                measured=sum(lost(life, each) for each in thefts) / draws,
                error=sqrt(chance * (1 - chance) / draws),
                expected=chance,
                formula=formula,
                note=f"{draws} draws of thefts over one life.",
            )
            if scheme.every and not isinstance(scheme, Unerased):
                yield _mixed(life, thefts)


def _mixed(life: Life, thefts: Iterable[list[Theft]]) -> Figure:
    tried = [
        mixed for each in thefts if not lost(life, each) for mixed in [lost_mixed(life, each)] if mixed is not None
    ]
    return Figure(
        quantity="yearly refresh: keys from enough shares of different years",
        measured=sum(tried),
        expected=0,
        formula="0, since shares of different years lie on different polynomials",
        note=f"{len(tried)} draws in which {NEEDED} agents or more were robbed, but not in one year.",
    )


EXPERIMENT = Mobile()

"""How long a provider that lies about its key directory goes unnoticed in play, and which check notices it first.

  split view   by the length of an epoch and by how many clients compare heads: days that pass before one notices
  rollback     the same: no day where clients hold each head against the last; else as a split view, by comparisons
  late         days until the epoch after the one in which a writer first used the device, by the epoch's length
  other lies   the day of the first alarm of a check of the directory, and that check

In each epoch each of n clients compares with another, drawn at random, with probability g; v of them are the victim's,
and see the first log. Nobody notices with probability u = (1 − g(n − v)/(n − 1))^v (1 − gv/(n − 1))^(n − v).
Of K epochs of E days each, E(u + u² + … + u^K) days pass unnoticed on average. A promise that is made r days after an
epoch began is due in E − r days, on average over r in (E + 1)/2, whatever is compared.
Source: Melara and others, "CONIKS", USENIX Security 2015, section 4, for the lies and who can notice them; the formula
and the sizes are ours. Comparing at random, and past the provider, is generous to detection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import sqrt

from msgspec.structs import replace

from attacks.ghost_insertion import bystander
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import Scenario, default
from attacks.late_publication import LatePublication
from attacks.omission import Omission
from attacks.rollback import Rollback
from attacks.split_view import DirectoryLie, SplitViewAttack
from escrow.e2ee.listing.proved import DIRECTORY_CHECKS, EXTENDS, said
from escrow.scheme import Source
from escrow.schemes.ghost_directory import DirectoryGhostClient, GhostDirectory

EPOCHS = 6  # of a play
RATES = (5, 20, 50)  # percent
LENGTHS = (1, 3)  # of an epoch, in days
ALARMS = {said(check): check.name for check in DIRECTORY_CHECKS}


class UnheldClient(DirectoryGhostClient):
    """A client that takes a head although it does not extend the last one."""

    def keeps(self, promise: str) -> bool:
        """Keep every promise but this one."""
        return promise != EXTENDS.name and super().keeps(promise)


class Unheld(GhostDirectory, frozen=True, kw_only=True):
    """A key directory whose clients hold no head against the last one."""

    device = UnheldClient


def quiet(days: int, seed: int, messages: int = 1) -> Scenario:
    """Return a scenario without warrants and meetings, in which the attack begins on the first day."""
    drawn = default(users=3, groups=0, days=days, messages=messages, seed=seed)
    return replace(drawn, warrants=(), ceremonies=(), attack_day=0)


def first_alarm(scheme: GhostDirectory, scenario: Scenario, attack: DirectoryLie) -> tuple[int, str] | None:
    """Return the day of the first alarm of a check of the directory, and the check, or None."""
    found = [(each.day, ALARMS[each.check]) for each in play(scheme, scenario, attack).alarms if each.check in ALARMS]
    return min(found, default=None)


def unnoticed(rate: float, clients: int, victims: int) -> float:
    """Return the probability that nobody notices a split view in an epoch."""
    others = clients - 1
    of_victim, of_writer = 1 - rate * (clients - victims) / others, 1 - rate * victims / others
    return of_victim**victims * of_writer ** (clients - victims)


def _compared(
    attack: DirectoryLie, base: GhostDirectory, what: str, runs: int, rates: Sequence[int], progress: Progress
) -> Iterator[Figure]:
    """Yield the days that a lie which only comparisons show goes unnoticed, by the rate and the epoch's length."""
    grid = [(rate, length) for length in LENGTHS for rate in rates]
    for done, (rate, length) in enumerate(grid):
        progress(done, len(grid), f"directory-lies: {what}, epochs of {length} days, {rate} % compare")
        scheme = replace(base, epoch=length, gossip=rate, audits="nobody", pending="waits")
        days, passed, u_sum, square = EPOCHS * length, 0, 0.0, 0.0
        for seed in range(runs):
            begun = length if isinstance(attack, Rollback) else 0  # which takes an epoch back
            scenario = replace(quiet(begun + days, seed), attack_day=begun)
            found = first_alarm(scheme, scenario, attack)
            passed += found[0] - begun if found else days
            u = unnoticed(rate / 100, len(scenario.devices), len(bystander(scenario).devices))
            u_sum += sum(u**k for k in range(1, EPOCHS + 1))
            square += sum((2 * k - 1) * u**k for k in range(1, EPOCHS + 1))
        mean = u_sum / runs
        yield Figure(
            quantity=f"{what}, epochs of {length} d, {rate} % compare: days unnoticed",
            measured=passed / runs,
            unit=f"of {days} days",
            error=length * sqrt(max(square / runs - mean * mean, 0) / runs),
            expected=length * mean,
            formula="E(u + u² + … + u^K)",
            note=f"{runs} plays of 3 users with 5 devices; the victim is drawn.",
        )


def _extended() -> Iterator[Figure]:
    """Yield the days that a rollback goes unnoticed where each client holds each head against its last one."""
    for length, rate in product(LENGTHS, (0, 50)):
        begun = 2 * length
        scenario = replace(quiet(EPOCHS * length, 2019), attack_day=begun)
        found = first_alarm(GhostDirectory(epoch=length, gossip=rate), scenario, Rollback())
        yield Figure(
            quantity=f"rollback, epochs of {length} d, {rate} % compare: days unnoticed",
            measured=found[0] - begun if found else -1,
            unit=f"of {EPOCHS * length - begun} days",
            expected=0,
            formula="log extended",
            note="Each client holds the new head against its last one on the same morning.",
        )


def _promised(progress: Progress) -> Iterator[Figure]:
    """Yield the days until a device that is never published is missed, over every day of an epoch to begin on."""
    for length, rate in ((1, 0), (2, 0), (2, 50), (4, 0)):
        progress(length, 4, f"directory-lies: late publication, epochs of {length} days, {rate} % compare")
        passed = 0
        for begun in range(length, 2 * length):
            scenario = replace(quiet(4 * length, 2019, 100 * length), attack_day=begun)
            found = first_alarm(GhostDirectory(epoch=length, gossip=rate), scenario, LatePublication())
            passed += found[0] - begun if found else 4 * length
        yield Figure(
            quantity=f"late publication, epochs of {length} d, {rate} % compare: days unnoticed",
            measured=passed / length,
            unit="days",
            expected=(length + 1) / 2,
            formula="(E + 1)/2",
            note=f"{length} plays, one begun on each day of an epoch; everybody writes to the victim every day.",
        )


LIES: tuple[tuple[DirectoryLie, GhostDirectory, str, int], ...] = (  # the check that notices first, and on which day
    (SplitViewAttack(), GhostDirectory(epoch=3, gossip=100), "heads compared", 3),
    (Rollback(), GhostDirectory(epoch=3, gossip=0), "log extended", 2),
    (Omission(), GhostDirectory(epoch=3, gossip=0), "lists proved", 3),
    (LatePublication(), GhostDirectory(epoch=3, gossip=0), "lists published", 3),
)


def _lies() -> Iterator[Figure]:
    scenario = replace(quiet(9, 2019, 180), attack_day=2)
    for attack, scheme, check, day in LIES:
        found = first_alarm(scheme, scenario, attack)
        noticed_by = found[1] if found else "nobody"
        yield Figure(
            quantity=f"{attack.name}, begun on day 2, epochs of 3 d: first noticed on day",
            measured=found[0] if found else -1,
            expected=day,
            formula=check,
            note=f"Noticed by: {noticed_by}.",
        )


class DirectoryLies(Experiment):
    """Count the days until a check of a key directory notices a lie."""

    name = "directory-lies"
    title = "Key transparency in play: days until a provider's lie is noticed"
    source = Source("Melara and others", "CONIKS: Bringing key transparency to end users", 2015, "4", "ghost")

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the days that a split view goes unnoticed, by epoch and comparisons, and who notices other lies."""
        runs = 400 if long else 25
        yield from _compared(SplitViewAttack(), GhostDirectory(), "split view", runs, RATES, progress)
        yield from _compared(Rollback(), Unheld(), "rollback, no head held against the last", runs, RATES[2:], progress)
        yield from _extended()
        yield from _promised(progress)
        yield from _lies()


EXPERIMENT = DirectoryLies()

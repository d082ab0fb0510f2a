"""What an active attacker in the middle reads before somebody notices, by how many users compare safety numbers.

  none     no pair of users compares                    nobody notices, whatever is read
  1, 5     so many pairs, drawn by the seed, as are their days
  all      every pair, once

The provider sits between one pair of users, or between all pairs, from the first day on (`prekey-substitution`), in
plain. Two users between whom it sits see different numbers, and both are told; nobody else is. So what is read does not
depend on meetings, and whether it is noticed depends on nothing else: the alarms of this attack, in every table of this
project, are those of the meetings that its scenario happens to have.
Source: Marlinspike and Perrin, "The X3DH Key Agreement Protocol", revision 1, 2016, section 4.1: without authentication
there is no guarantee. The numbers of meetings are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.simulation.shapes import with_meetings
from attacks.lab.simulation.strategies import strategies
from attacks.lab.verdict.evaluation import Evaluation
from attacks.prekey_substitution import PrekeySubstitution
from escrow.scheme import Source
from escrow.schemes.plain import Plain

COMPARED = "safety number"


class Meetings(Experiment):
    """Count texts read and alarms, by the number of pairs that compare safety numbers."""

    name = "meetings"
    title = "The middle: texts read and alarms, by how many pairs of users compare safety numbers"
    source = Source("Marlinspike and Perrin", "The X3DH Key Agreement Protocol", 2016, "4.1", "messages")
    in_pages = True

    scenario = default()
    levels = ("none", "1", "5", "all")

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield, for the narrowest and the widest strategy, the texts read, those without an alarm, and the alarms."""
        pairs = comb(len(self.scenario.users), 2)
        levels = ("none", *map(str, range(1, pairs)), "all") if long else self.levels
        read: dict[str, int] = {}
        for done, level in enumerate(levels):
            progress(done, len(levels), f"meetings: {level}")
            yield from _figures(with_meetings(self.scenario, level), read)


def _figures(scenario: Scenario, read: dict[str, int]) -> Iterator[Figure]:
    """Yield the figures of one number of meetings. `read` has the texts read in the first case of each strategy."""
    evaluation = Evaluation(Plain(), (attack := PrekeySubstitution(),), scenario)
    tried = strategies(attack, evaluation.cast, scenario)
    listed = [each for each in tried if isinstance(each, PrekeySubstitution)]
    owner = scenario.owner
    for strategy in (listed[0], listed[-1]):
        (played,) = evaluation.tried(strategy)
        alarms = sum(each.times for each in played.messaging.alarms if each.check == COMPARED)
        between = {frozenset(pair) for pair in strategy.sits_between(scenario)}
        met = sum(frozenset((owner[each.one], owner[each.other])) in between for each in scenario.ceremonies)
        meetings = f"{(many := len(scenario.ceremonies))} meeting" + "s" * (many != 1)
        case = f"{strategy.strategy.removeprefix('between ')}, {meetings}"
        yield Figure(
            quantity=f"{case}: texts read",
            measured=played.reads,
            expected=read.setdefault(strategy.strategy, played.reads),
            formula="texts read, as without meetings",
            note=f"Of {scenario.messages} texts; {comb(len(scenario.users), 2)} meetings are those of all pairs.",
        )
        yield Figure(quantity=f"{case}: read, no alarm", measured=0 if alarms else played.reads)
        yield Figure(
            quantity=f"{case}: alarms",
            measured=alarms,
            expected=2 * met,
            formula="two alarms for each meeting of users between whom the provider sits",
        )


EXPERIMENT = Meetings()

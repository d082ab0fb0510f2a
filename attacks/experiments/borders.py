"""Several governments, each with its residents: whose texts the key of one of them opens, across borders too.

  a key for each           `jurisdictions`: every government gets a part of each text
  a key for each, at home  the same, with parts for the governments of the people of a conversation alone
  any 2 of 3 together      `envelope` with n=3, t=2: governments hold one secret in parts
  one key, policy inside   `envelope`: one agent serves all governments, and asks whose warrant it is

Residence is data: of users, in turn, with government 1, 2, 3; of the host that carries all mail, with government 1.
What is stolen is the key of government 1, or the one agent's. A text is across the border if nobody in its
conversation resides with that government. The weakest coalition is the fewest keys that open all texts.
Source: Abelson et al., "Keys Under Doormats", 2015, section 4.1, on several jurisdictions; residence and ways are ours.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.record import Sent
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.verdict.analysis import Analysis
from escrow import registry
from escrow.scheme import Scheme, Source
from escrow.testing.world import mails_in

GOVERNMENTS = 3


class Arrangement(NamedTuple):
    """A way to serve several governments: a scheme with parameters, and the fewest keys that open all texts."""

    title: str
    scheme: str
    parameters: dict[str, int | str]
    fewest: int


WAYS = (
    Arrangement("a key for each", "jurisdictions", {"n": GOVERNMENTS}, 1),
    Arrangement("a key for each, at home", "jurisdictions", {"n": GOVERNMENTS, "parts": "residents"}, 0),
    Arrangement("any 2 of 3 together", "envelope", {"n": GOVERNMENTS, "t": 2}, 2),
    Arrangement("one key, policy inside", "envelope", {}, 1),
)


class Borders(Experiment):
    """Count what one government's key opens of texts of its residents and of others, for each way."""

    name = "borders"
    title = "Several governments: bytes, time, whose texts one key opens, and the weakest coalition"
    source = Source("Abelson et al.", "Keys Under Doormats", 2015, "4.1", "residence, ways")

    scenario = default(users=6, groups=2, days=3, messages=40)

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the figures of each way."""
        for done, way in enumerate(WAYS):
            progress(done, len(WAYS), way.title)
            yield from self.figures(way)

    def figures(self, way: Arrangement) -> Iterator[Figure]:
        """Yield bytes and time of a text, then what a stolen key opens, then the weakest coalition."""
        scheme, scenario = registry.schemes()[way.scheme].replaced(**way.parameters), self.scenario
        began = time.process_time()
        record = play(scheme, scenario)
        spent = time.process_time() - began
        fields = [len(mail.field) for packet in record.heard for mail in mails_in(packet) if mail.field]
        yield Figure(quantity=f"{way.title}: bytes of a field", measured=sum(fields) / len(fields), unit="bytes")
        yield Figure(
            quantity=f"{way.title}: time of a text",
            measured=1000 * spent / scenario.messages,
            unit="ms",
            note=f"Of the whole play of {scenario.messages} texts, the lawful access included.",
        )
        analysis, holders = Analysis(scheme, record, ()), _holders(scheme, scenario)
        opened = _opened(analysis, holders[:1])
        for what, texts in _kinds(record.sent, scenario).items():
            yield Figure(
                quantity=f"{way.title}: texts {what} that key 1 opens",
                measured=len(opened & texts),
                expected=len(texts) * _reads(way, what),
                formula="all" if _reads(way, what) else "none",
                note=f"{what}: {len(texts)} of {len(record.sent)} texts." if way is WAYS[0] else "",
            )
        every = frozenset(sent.id for sent in record.sent)
        sizes = range(1, len(holders) + 1)
        sets = (few for size in sizes for few in combinations(holders, size) if _opened(analysis, few) == every)
        yield Figure(
            quantity=f"{way.title}: keys in the weakest coalition",
            measured=len(next(sets)),
            expected=way.fewest or _cover(scenario),
            formula="homes that are in every conversation" if not way.fewest else "t",
        )


def _reads(way: Arrangement, what: str) -> bool:
    """Return whether one key opens such texts: where residents' governments alone get parts, none across the border."""
    if way.fewest > 1:
        return False
    return bool(way.fewest) or what in ("sent by residents", "received by residents")


def _residence(scenario: Scenario) -> dict[str, int]:
    """Return with which government, from 1, each user resides."""
    return {user.name: 1 + number % GOVERNMENTS for number, user in enumerate(scenario.users)}


def _kinds(sent: Iterable[Sent], scenario: Scenario) -> dict[str, frozenset[int]]:
    """Return the texts of government 1: those whose sender, a receiver, or the host alone resides there."""
    homes, sent = _residence(scenario), list(sent)
    author = scenario.owner
    by_sender = frozenset(each.id for each in sent if homes[author[each.device]] == 1)
    by_receiver = frozenset(
        each.id for each in sent if any(homes[name] == 1 for name in {*each.people} - {author[each.device]})
    )
    return {
        "sent by residents": by_sender,
        "received by residents": by_receiver,
        "across the border, of the host here": frozenset(each.id for each in sent) - by_sender - by_receiver,
    }


def _cover(scenario: Scenario) -> int:
    """Return the fewest governments of which one has a resident in each conversation."""
    homes = _residence(scenario)
    texts = [{homes[name] for name in scenario.people(said)} for said in scenario.texts()]
    numbers = range(1, GOVERNMENTS + 1)
    sets = (few for size in numbers for few in combinations(numbers, size) if all(each & {*few} for each in texts))
    return len(next(sets))


def _holders(scheme: Scheme, scenario: Scenario) -> tuple[str, ...]:
    return tuple(sorted(name for name in cast_of(scheme, scenario).officials if name.startswith("agent")))


def _opened(analysis: Analysis, names: tuple[str, ...]) -> frozenset[int]:
    return analysis.opened_by([Seizure(name) for name in names])


EXPERIMENT = Borders()

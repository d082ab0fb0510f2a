"""The probability that a ghost in a conversation of m people is noticed: by comparing safety numbers, and by traffic.

  people    each of m people compares, with probability p, and then sees the ghost's key:  1 − (1 − p)^m
  traffic   a client seals each text once more, so that it uploads (N + 1)/N of the bytes, N being the devices before.
            Who counts them, over k texts before and k after, sees it behind the lengths of texts:
            Φ(ln((N + 1)/N) / (σ √(2/k)) − z),  Φ(z) = 1 − false alarms

That people compare independently of each other is generous to detection: who talks together is told, or forgets,
together. The published figures are of pairs that tried, once, in a laboratory; here each person tries. Text lengths are
drawn from a log-normal distribution, which is ours, and so are σ, k and the rate of false alarms: no source that was
read gives figures for traffic.
Source: Vaziripour and others, "Is that you, Alice? A Usability Study of the Authentication Ceremony of Secure Messaging
Applications", SOUPS 2017: 14 % of 36 pairs succeeded unaided, 79 % when they were told to compare keys.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import log, sqrt
from statistics import NormalDist

from attacks.ghost_insertion import GhostInsertion
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.play import play
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import GroupSpec, SafetyNumberComparison, Scenario
from escrow.crypto import random_bytes
from escrow.scheme import Source, User
from escrow.schemes.ghost import GhostScheme
from escrow.testing.world import mails_in

PEOPLE = (2, 5, 10)
COMPARE = {"unaided": 0.14, "instructed": 0.79}  # of people who compare with success
NUMBER = "safety number"
SIGMA, TEXTS, FALSE_ALARMS = 0.6, (5, 20, 80), 0.01  # of ln(length); texts before, and after; of observers who are told
GHOST = GhostScheme(hush="provider", number="shown")  # no notice, so that only a comparison can show it


def conversation(people: int, meetings: tuple[tuple[int, int], ...] = (), messages: int = 1) -> Scenario:
    """Return a group of so many people with a device each, some of whom compare numbers on the last of two days."""
    names = [f"person{number}" for number in range(people)]
    group = GroupSpec("group-1", tuple(names), sender_keys=False)
    return Scenario(
        seed=2018,
        days=2,
        messages=messages,
        users=tuple(User(name, (f"{name}-phone",)) for name in names),
        groups=(group,) if people > 2 else (),
        group_percent=100,
        loss_percent=0,
        late_percent=0,
        ceremonies=tuple(SafetyNumberComparison(1, f"{names[i]}-phone", f"{names[j]}-phone") for i, j in meetings),
        attack_day=1,
    ).check()


def haunted(scenario: Scenario) -> Record:
    """Play it with a silent device among those of the first person, on the last day."""
    return play(GHOST, scenario, GhostInsertion("one ghost device", [scenario.users[0].name]))


def _drawn(below: float) -> bool:
    return int.from_bytes(random_bytes(8), "big") < below * 2**64


def compared(people: int, p: float) -> tuple[tuple[int, int], ...]:
    """Draw who compares numbers: each with the first person, and that one with the second."""
    tried = [number for number in range(people) if _drawn(p)]
    return tuple((number, 0) if number else (0, 1) for number in tried)


def _people(long: bool, progress: Progress) -> Iterator[Figure]:
    runs = 500 if long else 60
    for people in PEOPLE:
        for done, (told, p) in enumerate(COMPARE.items()):
            progress(done, len(COMPARE), f"detection: {people} people, {told}")
            seen = sum(
                any(alarm.check == NUMBER for alarm in haunted(conversation(people, compared(people, p))).alarms)
                for _ in range(runs)
            )
            expected = 1 - (1 - p) ** people
            low, high = interval(seen, runs)
            yield Figure(
                quantity=f"{people} people, {told}: a ghost is noticed by a comparison",
                measured=seen / runs,
                error=sqrt(expected * (1 - expected) / runs),
                expected=expected,
                formula="1 − (1 − p)^m",
                note=f"p = {p:.0%}, {seen} of {runs} plays (95 %: {low:.1%} to {high:.1%}). That people compare "
                "independently is generous to detection.",
            )


def interval(seen: int, runs: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson interval of a probability, 95 % unless `z` says otherwise."""
    centre, width = seen + z * z / 2, z * sqrt(seen * (runs - seen) / runs + z * z / 4)
    return (centre - width) / (runs + z * z), (centre + width) / (runs + z * z)


def uploaded(record: Record) -> dict[int, float]:
    """Return how many bytes the sender of a text uploads, on average over the texts of each day; keys are left out."""
    bytes_of: dict[int, list[int]] = {}
    for sent in record.sent:
        packets = [packet for packet, spoken in zip(record.heard, record.spoken, strict=True) if spoken == sent.id]
        bodies = [mail.body for packet in packets if packet.src == sent.device for mail in mails_in(packet)]
        bytes_of.setdefault(sent.day, []).append(sum(map(len, bodies)))
    return {day: sum(each) / len(each) for day, each in bytes_of.items()}


def told_by_traffic(devices: int, texts: int) -> float:
    """Return the probability that who counts bytes over so many texts, before and after, sees one device more."""
    z = NormalDist().inv_cdf(1 - FALSE_ALARMS)
    return NormalDist().cdf(log((devices + 1) / devices) / (SIGMA * sqrt(2 / texts)) - z)


def _counted(dice: random.Random, ratio: float, texts: int) -> bool:
    """Draw the lengths of texts before and after, and return whether the ratio is told from no ghost."""

    def mean(factor: float) -> float:
        return sum(log(factor * dice.lognormvariate(4, SIGMA)) for _ in range(texts)) / texts

    threshold = NormalDist(0, SIGMA * sqrt(2 / texts)).inv_cdf(1 - FALSE_ALARMS)
    return mean(ratio) - mean(1.0) > threshold


def _traffic(long: bool) -> Iterator[Figure]:
    runs, dice = 20_000 if long else 2_000, random.Random(random_bytes(16))  # noqa: S311 (lengths of texts)
    for people in PEOPLE:
        devices = people - 1
        before = uploaded(play(GHOST, conversation(people, messages=20)))[1]
        after = uploaded(haunted(conversation(people, messages=20)))[1]
        ratio = after / before
        yield Figure(
            quantity=f"{people} people: bytes of a text with a ghost, over those without",
            measured=ratio,
            expected=1 + 1 / devices,
            formula="(N + 1)/N",
            error=1e-9,
            note="Texts of the lab have one length. One text is sealed for each device.",
        )
        for texts in TEXTS:
            told, seen = told_by_traffic(devices, texts), sum(_counted(dice, ratio, texts) for _ in range(runs))
            low, high = interval(seen, runs)
            yield Figure(
                quantity=f"{people} people, {texts} texts before and after: a ghost is told by bytes",
                measured=seen / runs,
                error=sqrt(max(told * (1 - told), 1 / runs) / runs),
                expected=told,
                formula="Φ(ln((N + 1)/N)/(σ√(2/k)) − z)",
                note=f"95 %: {low:.1%} to {high:.1%}; {FALSE_ALARMS:.0%} false alarms, σ = {SIGMA} of ln(length).",
            )


class Detection(Experiment):
    """Count how often a ghost is noticed, by people who compare numbers, and by traffic."""

    name = "detection"
    title = "A ghost in a conversation of m people: who compares numbers, or counts bytes, and notices"
    source = Source("Vaziripour and others", "Is that you, Alice?", 2017, "abstract", "ghost, traffic")

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the probability that a ghost is noticed, by people, by how they are told to compare, and by texts."""
        yield from _people(long, progress)
        yield from _traffic(long)


EXPERIMENT = Detection()

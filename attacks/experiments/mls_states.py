"""A stolen state in a group of MLS: which texts it opens, before the theft, after it, and after the next commits.

  before         none: the keys of used generations are erased, and those of earlier epochs, too
  after          all texts, also its own device's, until that device commits: the path secrets of others are sealed to
                 keys that the thief has, and those of the device itself are not
  several        all texts until the last of these devices has committed
  nobody commits all texts, to the end

On the evening of the attack day the states of all devices are copied. A thief reads every message that the provider
carried, with the library's own functions, and sends nothing. So this is the passive access structure of the group, by
play: one device, and any set of devices, for some days; the provider and the authentication service, no text.
Source: RFC 9420, sections 9.2 (what is deleted, and when) and 16, on forward secrecy and post-compromise security.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from attacks.experiments._mls_play import MlsPlay
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.scenario import Scenario, default
from escrow.errors import EscrowError
from escrow.mls.joining import found_group
from escrow.mls.mls_device import MlsDevice
from escrow.mls.participant import Participant
from escrow.scheme import Source


class TheftPlay(MlsPlay):
    """An honest play, of which the state of every device is copied on one evening."""

    commits_after = True  # whether members commit after that evening

    def evening(self, day: int) -> None:
        """Copy all states on the attack day."""
        if day == self.scenario.attack_day:
            self.stolen = {each.name: each.member.copy() for each in self.devices.values() if each.member}
            self.position = len(self.carried)

    def _commit(self, device: MlsDevice) -> None:
        if self.commits_after or not hasattr(self, "stolen"):
            super()._commit(device)

    def opened(self, names: Iterable[str], later: bool) -> set[int]:
        """Return which texts the states of these devices open together, after the theft or before."""
        messages = self.carried[self.position :] if later else self.carried[: self.position]
        thieves, found = [self.stolen[name].copy() for name in names], set[int]()
        for message, text in messages:
            bodies = [_read(each, message) for each in thieves]
            if text is not None and self.texts[text.id][1] in bodies:
                found.add(text.id)
        return found

    def committed(self, name: str) -> int:
        """Return the first day after the theft on which a device commits; the end of the scenario if it does not."""
        if not self.commits_after:
            return self.scenario.days
        turns = list(self.devices)
        days = range(self.scenario.attack_day + 1, self.scenario.days)
        return next((day for day in days if turns[day % len(turns)] == name), self.scenario.days)

    def expected(self, names: Iterable[str]) -> int:
        """Return how many texts are sent after the theft, until all these devices have committed."""
        until = max(map(self.committed, names))
        return sum(self.scenario.attack_day < text.day < until for text, _ in self.texts.values())


def _read(thief: Participant, message: bytes) -> bytes | None:
    try:
        return thief.receive(message).data
    except EscrowError:
        return None


class MlsStates(Experiment):
    """Steal the state of each device, and of each pair, and count the texts that it opens."""

    name = "mls-states"
    title = "A stolen state in a group of MLS: which texts it opens, and until when"
    source = Source("Barnes and others", "The Messaging Layer Security (MLS) Protocol", 2023, "9.2 and 16", "messages")

    scenario: Scenario = default()

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the texts that each device's state opens, before and after; pairs; and a group that does not commit."""
        progress(0, 1, self.name)
        played = TheftPlay(self.scenario)
        played.run()
        earlier = sum(text.day <= self.scenario.attack_day for text, _ in played.texts.values())
        yield Figure(
            quantity="states of all devices: texts from before the theft that open",
            measured=len(played.opened(played.stolen, later=False)),
            expected=0,
            formula="used keys are erased",
            note=f"Of {earlier} texts; {len(played.texts) - earlier} are sent after the theft.",
        )
        for name in played.stolen:
            yield Figure(
                quantity=f"{name}: later texts that open",
                measured=len(played.opened([name], later=True)),
                expected=played.expected([name]),
                formula="all texts until the device commits",
                note=f"{name} commits on day {played.committed(name)}.",
            )
        pairs = list(combinations(played.stolen, 2))
        yield Figure(
            quantity=f"{len(pairs)} pairs of devices: later texts that open, all together",
            measured=sum(len(played.opened(pair, later=True)) for pair in pairs),
            expected=sum(map(played.expected, pairs)),
            formula="for each pair, all texts until both have committed",
        )
        yield from _without_secrets(played)
        quiet = type("QuietPlay", (TheftPlay,), {"commits_after": False})(self.scenario)
        quiet.run()
        one = next(iter(quiet.stolen))
        yield Figure(
            quantity=f"{one}, nobody commits any more: later texts that open",
            measured=len(quiet.opened([one], later=True)),
            expected=quiet.expected([one]),
            formula="all later texts",
        )


def _without_secrets(played: TheftPlay) -> Iterator[Figure]:
    """Yield what somebody opens who has all that the provider has, and a leaf of another group."""
    service = played.service
    stranger = found_group(service.ghost("stranger"), played.state().context.group_id)
    opened = sum(text is not None and _read(stranger.copy(), message) is not None for message, text in played.carried)
    yield Figure(
        quantity="provider and authentication service: texts that open",
        measured=opened,
        expected=0,
        formula="neither has a secret of the group",
        note="They try as a member of a group of the same name, whose keys they chose.",
    )


EXPERIMENT = MlsStates()

"""The network of a play: mail of some devices is lost, and any mail may be overtaken by a few later ones."""

from __future__ import annotations

import random
from collections.abc import Sequence

from attacks.lab.simulation.scenario import Scenario
from escrow.testing.world import mails_in
from escrow.wire import Heard


class LossyLink:
    """The link of a play's wire. `lost` are the pairs (text, device) whose mail was lost on the way.

    The dice of a mail depend on its text and recipients alone, so that what a scheme adds changes nobody else's mail.
    Nor do the names of devices that are added matter: all of them have the same dice.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Begin before the first text. `speaking` is the number of the text that is being sent."""
        self.scenario, self.devices = scenario, frozenset(scenario.devices)
        self.speaking = -1
        self.lost: set[tuple[int, str]] = set()
        self.late: list[tuple[int, Heard]] = []

    def __call__(self, packet: Heard) -> Sequence[Heard]:
        """Return the packets that arrive now: the late ones that are due, and this one unless it is lost or late."""
        due = [held for wait, held in self.late if wait <= self.speaking]
        self.late = [(wait, held) for wait, held in self.late if wait > self.speaking]
        recipients = [name for mail in mails_in(packet) for name in mail.recipients]
        if packet.src not in self.devices or not recipients:
            return (*due, packet)
        known = [name for name in recipients if name in self.devices] or ["another device"]
        seed = f"{self.scenario.seed} {self.speaking} {packet.src} {' '.join(known)}"
        dice = random.Random(seed)  # noqa: S311 (which mail is lost is no secret)
        if packet.src in self.scenario.lossy and dice.randrange(100) < self.scenario.loss_percent:
            self.lost |= {(self.speaking, name) for name in recipients}
            return due
        if dice.randrange(100) < self.scenario.late_percent:
            self.late.append((self.speaking + dice.randrange(1, 6), packet))
            return due
        return (*due, packet)

    def copy(self) -> LossyLink:
        """Return a link that goes on from here by itself."""
        made = LossyLink(self.scenario)
        made.speaking, made.lost, made.late = self.speaking, set(self.lost), list(self.late)
        return made

    def flush(self) -> list[Heard]:
        """Return all packets that are still late, and forget them."""
        held = [packet for _, packet in self.late]
        self.late = []
        return held

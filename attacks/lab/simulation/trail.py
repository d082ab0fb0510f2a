"""The honest play's evenings, from which a play goes on in which nobody is corrupted before a later day.

Until the first corruption all bytes of the two plays are equal, since each party draws its own random bytes of each day
and all parties go on from their states each evening. So what was played once is not played again for each attack and
strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from attacks.lab.simulation.record import Record
from escrow.principal import revive

if TYPE_CHECKING:
    from attacks.lab.simulation.network import LossyLink
    from attacks.lab.simulation.play import Play
    from escrow.testing.world import Intercepts

ON_WIRE = ("heard", "shown", "alarms", "refusals")  # lists of a wire that only grow
OF_PLAY = ("sent", "spoken", "lawful", "warrants")  # the same of a play


class Evening(NamedTuple):
    """What there is at the end of a day besides states and what is heard and sent: the lengths of those lists."""

    lengths: dict[str, int]
    link: LossyLink
    dice: tuple[Any, ...]
    intercepts: Intercepts


class Trail:
    """The evenings of one honest play, and its record once it is over."""

    record: Record

    def __init__(self) -> None:
        """Begin before the play."""
        self._evenings: list[Evening] = []

    def note(self, play: Play) -> None:
        """Note the end of a day of the honest play."""
        lengths = {name: len(getattr(play.wire, name)) for name in ON_WIRE}
        lengths |= {name: len(getattr(play, name)) for name in OF_PLAY}
        self._evenings.append(Evening(lengths, play.link.copy(), play.dice.getstate(), play.intercepts.copy()))

    def put(self, play: Play, day: int) -> None:
        """Put a play that has not begun where the honest play was before the morning of a day after the first."""
        record, evening, wire = self.record, self._evenings[day - 1], play.wire
        for there, names in ((wire, ON_WIRE), (play, OF_PLAY)):
            for name in names:
                setattr(there, name, list(getattr(record, name)[: evening.lengths[name]]))
        for name, states in record.states.items():
            play.states[name], play.kinds[name] = list(states[:day]), list(record.kinds[name][:day])
            wire.parties[name] = revive(states[day - 1], record.kinds[name][day - 1])
        play.takeover.go_on(record)
        wire.link = play.link = evening.link.copy()
        play.intercepts = evening.intercepts.copy()
        play.dice.setstate(evening.dice)

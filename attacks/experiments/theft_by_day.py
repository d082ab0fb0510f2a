"""Each secret stolen in turn on each evening: the share of the archive that it opens, earlier texts and later ones.

  secret    the state of one official, t of those who hold one key in parts (the first t), or one device
  evening   set-up, before the first day; then each day's
  earlier   texts sent until that evening, of which the thief has the recorded packets; later: texts sent after it

One honest play of each scheme is enough, since a theft changes nothing in it. Each share is computed twice: from the
labels of the whole play, which say for every text which coalitions open it, and by the closure of an adversary who has
the packets and the stolen state alone. Secrets that open nothing on any evening have one line.
Source: Abelson et al., "Keys Under Doormats", 2015, section 3: what one theft opens, past and future. The days and the
table are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.runs.experiment import EachScheme, Figure
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import Analysis
from escrow.scheme import SET_UP, Scheme, Source


class TheftByDay(EachScheme):
    """Count what each secret opens, by the evening on which it is stolen."""

    name = "theft-by-day"
    title = "Each secret stolen on each evening: the share of earlier and of later texts that it opens"
    source = Source("Abelson et al.", "Keys Under Doormats", 2015, "3", "days")

    scenario = default(users=3, groups=0, days=3, messages=12)

    def secrets(self, scheme: Scheme) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield what is stolen, in words, and from whom: officials, t holders of a key, and the first device."""
        cast = cast_of(scheme, self.scenario)
        for name in cast.officials:
            yield name, (name,)
        for group in cast.holders:
            if 1 < group.t <= len(group.names):
                yield f"{group.t} of {len(group.names)}, {group.names[0]} the first", group.names[: group.t]
        yield cast.devices[0], cast.devices[:1]

    def figures(self, scheme: Scheme, long: bool = False) -> Iterator[Figure]:
        """Yield, for each secret and evening, the shares of earlier and later texts."""
        record = play(scheme, self.scenario)
        whole = Analysis(scheme, record, ())
        idle = []
        for secret, names in self.secrets(scheme):
            found = {evening: _opened(whole, names, evening) for evening in range(SET_UP, self.scenario.days)}
            found = {evening: opened for evening, opened in found.items() if _exists(record, names, evening)}
            if not any(found.values()):
                idle.append(secret)
                continue
            for evening, opened in found.items():
                alone = _opened(_alone(scheme, record, names, evening), names, evening)
                yield from _shares(f"{scheme.name}: {secret}", record, evening, opened, alone)
        yield Figure(
            quantity=f"{scheme.name}: secrets that alone open nothing",
            measured=len(idle),
            note=f"{scheme.name}: {', '.join(idle) or 'none'}.",
        )


def _exists(record: Record, names: tuple[str, ...], evening: int) -> bool:
    """Return whether each of these has a state on that evening: devices have none at set-up."""
    return evening != SET_UP or all(record.set_up.get(name) for name in names)


def _alone(scheme: Scheme, record: Record, names: tuple[str, ...], evening: int) -> Analysis:
    return Analysis(scheme, record, (), taken=[Seizure(name, (evening,)) for name in names])


def _opened(analysis: Analysis, names: tuple[str, ...], evening: int) -> frozenset[int]:
    return analysis.opened_by([Seizure(name, (evening,)) for name in names])


def _shares(
    secret: str, record: Record, evening: int, opened: frozenset[int], alone: frozenset[int]
) -> Iterator[Figure]:
    when = "set-up" if evening == SET_UP else f"evening {evening}"
    for what, ids in (
        ("earlier", {sent.id for sent in record.sent if sent.day <= evening}),
        ("later", {sent.id for sent in record.sent if sent.day > evening}),
    ):
        if ids:
            yield Figure(
                quantity=f"{secret}, {when}: {what} texts",
                measured=100 * len(opened & ids) / len(ids),
                unit="%",
                expected=100 * len(alone & ids) / len(ids),
                formula="the closure of that state alone",
            )


EXPERIMENT = TheftByDay()

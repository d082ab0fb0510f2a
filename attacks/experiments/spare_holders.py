"""How many holders of shares may be absent, lie or be an epoch behind before lawful access fails, and who is blamed.

  absent   answers nothing                                        all texts while n − k ≥ t; no one is blamed
  lying    answers with a share that is one off                   all texts while n − k ≥ t; the k are blamed
  stale    answers with its share of the epoch before             the same; `threshold` only

The first k holders in the order in which they are asked fail, k from 0 to n, on one set of messages under one warrant.
The expected figures are arithmetic: n − t may fail, and each that answered wrongly is named, once or more, by an alarm
of the authority. Source of the claim: Gennaro, Jarecki, Krawczyk, Rabin, "Robust threshold DSS signatures", EUROCRYPT
'96, on robustness; the figures are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lying_holder import lying
from escrow.errors import Unreachable
from escrow.principal import Principal, corrupted, of_kind, revive
from escrow.scheme import Intercept, Scheme, Source
from escrow.schemes.fair_keys.scheme import FairKeys
from escrow.schemes.split_key import SplitKey
from escrow.schemes.threshold import Threshold, ThresholdAgent
from escrow.testing.harness import Harness, Step, playing
from escrow.warrant import Warrant, issue
from escrow.wire import Wire

SIZES = ((2, 3), (3, 5))
TALK = (("bob-phone", "alice"), ("alice-phone", "bob"), ("carol-phone", "club"))
Fault = Callable[[Principal, Principal], Principal]


def absent(party: Principal, before: Principal) -> Principal:
    """Return the party, answering no request."""

    def answer(self: Principal, sender: str, request: bytes, wire: Wire) -> bytes:
        raise Unreachable(f"{self.name} is down")

    return corrupted(party, answer=answer)


def liar(party: Principal, before: Principal) -> Principal:
    """Return the party, answering with a wrong share."""
    return lying(party)


def stale(party: Principal, before: Principal) -> Principal:
    """Return the party with its share of the day before."""
    agent = of_kind(party, ThresholdAgent)
    agent.share = of_kind(before, ThresholdAgent).share
    return agent


class Tried(NamedTuple):
    """With k holders at fault: the number of texts obtained, and the holders that an alarm named."""

    yielded: int
    of: int
    blamed: frozenset[str]


class Room:
    """A scheme under trial: a warrant about alice is served, some messages are heard, two days are over."""

    def __init__(self, harness: Harness, holders: tuple[str, ...]) -> None:
        self.harness, self.holders = harness, holders
        self.warrant: Warrant = issue(harness.court.key, harness.order("alice"))
        harness.serve(self.warrant)
        harness.play(Step("say", device, to) for device, to in TALK)
        self.before = self._states()
        harness.take(Step("day"))
        self.after = self._states()
        self.heard: list[Intercept] = harness.intercepted()

    def _states(self) -> dict[str, tuple[bytes, type[Principal]]]:
        return {name: (party.state(), type(party)) for name, party in self.harness.wire.parties.items()}

    def tried(self, fault: Fault, k: int) -> Tried:
        """Run the lawful access with the first k holders at fault."""
        wire = self.harness.wire
        wire.parties = {name: revive(*state) for name, state in self.after.items()}
        for name in self.holders[:k]:
            wire.parties[name] = fault(wire.parties[name], revive(*self.before[name]))
        earlier = len(wire.alarms)
        texts = self.harness.access(self.warrant, self.heard)
        said = [alarm.check for alarm in wire.alarms[earlier:] if alarm.who == "authority"]
        blamed = frozenset(name for name in self.holders if any(name in check for check in said))
        return Tried(len(texts), len(self.harness.said), blamed)


class SpareHolders(Experiment):
    """Measure how many holders may fail before lawful access fails."""

    name = "spare-holders"
    title = "Holders of shares who are absent, lie or are behind: what comes of lawful access, and who is blamed"
    source = Source("Gennaro et al.", "Robust Threshold DSS Signatures", 1996, "robustness", "messages")
    in_pages = True

    sizes = SIZES

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield, for each scheme, size and fault, the failures tolerated and the holders blamed."""
        sizes = (*self.sizes, (5, 9)) if long else self.sizes
        schemes = [kind(t=t, n=n) for t, n in sizes for kind in (SplitKey, FairKeys, Threshold)]
        for done, scheme in enumerate(schemes):
            progress(done, len(schemes), f"{scheme.name}, {scheme.t} of {scheme.n}")
            holders = scheme.trustees if isinstance(scheme, FairKeys) else scheme.agents
            with playing(scheme) as harness:
                room = Room(harness, holders)
                yield from _figures(scheme, scheme.t, room, "absent", absent)
                yield from _figures(scheme, scheme.t, room, "lying", liar)
                if isinstance(scheme, Threshold):
                    yield from _figures(scheme, scheme.t, room, "an epoch behind", stale)


def _figures(scheme: Scheme, t: int, room: Room, what: str, fault: Fault) -> Iterator[Figure]:
    n = len(room.holders)
    tried = [room.tried(fault, k) for k in range(n + 1)]
    whole = [k for k, each in enumerate(tried) if each.yielded == each.of]
    case = f"{scheme.name}, {t} of {n}, {what}"
    named = sum(len(each.blamed & set(room.holders[:k])) for k, each in enumerate(tried))
    others = sum(len(each.blamed - set(room.holders[:k])) for k, each in enumerate(tried))
    yield Figure(
        quantity=f"{case}: so many cost no text", measured=_run_of(whole), expected=n - t, formula="n - t holders"
    )
    beyond = sum(each.yielded for k, each in enumerate(tried) if k > n - t)
    yield Figure(quantity=f"{case}: texts that come with more", measured=beyond, expected=0, formula="0 of them")
    expected = 0 if what == "absent" else n * (n + 1) // 2
    yield Figure(
        quantity=f"{case}: named in alarms, over 0 to {n} such",
        measured=named,
        expected=expected,
        formula="each that answered wrongly: 0 + 1 + ... + n" if expected else "0, since nobody answered wrongly",
        note="" if expected else "Who is silent is noted as such, and not accused.",
    )
    yield Figure(quantity=f"{case}: others named", measured=others, expected=0, formula="0 of them")


def _run_of(numbers: list[int]) -> int:
    """Return the last of 0, 1, 2, … without a gap; −1 if 0 is missing."""
    return next((at for at, number in enumerate([*numbers, None]) if number != at), 0) - 1


EXPERIMENT = SpareHolders()

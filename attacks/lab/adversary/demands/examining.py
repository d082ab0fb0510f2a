"""Run the checks of a service on one order that the court signed, and note what they read, compare and verify.

A signature decides a check if it depends on the order. Nobody can make one that is missing, so that no plain field
decides then. A signature that is the same whichever field is changed is no order's, and does not excuse the check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from attacks.lab.adversary.demands.recorded import Notes, Recorder, Verified, recorded_warrant
from attacks.lab.adversary.demands.traces import FORGED, add
from attacks.lab.adversary.demands.variations import changed, everywhere
from escrow import crypto
from escrow.codec import Fact
from escrow.derivation import Checks, Service
from escrow.warrant import CourtKey, Order, issue


class Asked(NamedTuple):
    """One request that the narrowest order does not open: service, secret of its holders, facts, and the day.

    `timely` are the officials' checks on the dates of a warrant that is shown on this day.
    """

    service: Service
    secret: Fact
    holders: tuple[str, ...]
    request: tuple[Fact, ...]
    day: int
    timely: Callable[[Any, int], Checks]


class Examiner:
    """Runs checks on orders that the first of these courts signs; the signatures of all are valid."""

    def __init__(self, courts: Sequence[CourtKey]) -> None:
        self._courts, self._valid = courts, frozenset(key.public for key in courts)
        self._of_orders: dict[tuple[str, str, Verified], bool] = {}  # service, check, and a signature that it missed

    def run(self, asked: Asked, order: Order) -> tuple[set[str], dict[str, Notes]]:
        """Run the checks on an order that the court signed; return which fail, and the notes of each."""
        recorder = Recorder()
        warrant = recorded_warrant(recorder, issue(self._courts[0], order), self._valid)
        failed, notes = set[str](), dict[str, Notes]()
        self._noting = recorder
        try:
            own = asked.service.checked(asked.secret, warrant, *asked.request, day=asked.day)
            for name, holds in chain(asked.timely(warrant, asked.day), own):
                held = bool(holds)
                add(notes, name, recorder.next())
                if not held:
                    failed.add(name)
        except Exception:  # Forged: the arguments do not fit. Any other: the check does not expect such an order
            add(notes, FORGED, recorder.next())
            failed.add(FORGED)
        return failed, notes

    def observe(self, call: crypto.Call) -> None:
        """Note which signatures a check verifies, and which of them are not there."""
        if call.operation == "ed25519-verify":
            signed, notes = tuple(map(bytes, call.inputs)), self._noting.notes
            with crypto.running(crypto.Run(None)):
                holds = crypto.verify(*call.inputs)
            notes.verified.add(signed)
            if not holds:
                notes.missed.add(signed)

    def is_of_order(self, asked: Asked, order: Order, check: str, missed: Verified) -> bool:
        """Return whether a signature that a check missed is one that depends on the order: no plain field decides then.

        One that stays the same whichever field is changed is no order's: `verify(constant) or PLAIN` asks for PLAIN.
        """
        key = asked.service.name, check, missed
        if key not in self._of_orders:
            self._of_orders[key] = False
            for change in everywhere(order):
                _, notes = self.run(asked, changed(order, change))
                verified = notes[check].verified if check in notes else set()
                if verified and missed not in verified:
                    self._of_orders[key] = True
                    break
        return self._of_orders[key]

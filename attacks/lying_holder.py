"""A holder of a share who could be spared lies: its answers are computed with another secret than its own.

  lie      the first holder, which is asked first, computes its part with a secret that is one off
  else     it is as honest as ever, so that nothing but its answers gives it away

Lawful access then hangs on telling a wrong part from a right one: who cannot, gets garbage from the first t answers.
The lie is found by the proof beside a part, or by the commitments that a share must fit, and blamed on its maker.
How far access goes with more liars, or with holders who are silent: `reproduce spare-holders`.
Source: Gennaro, Jarecki, Krawczyk, Rabin, "Robust threshold DSS signatures", EUROCRYPT '96, on robustness.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.primitives import group
from escrow.principal import Principal, corrupted
from escrow.scheme import Scheme, Source
from escrow.warrant import Answered, Request
from escrow.wire import Wire


class LyingHolder(Attack):
    name = "lying-holder"
    title = "A holder of a share answers with another"
    source = Source("Gennaro et al.", "Robust Threshold DSS Signatures", 1996, "robustness", "messages")
    in_pages = True
    specimen = "unproven_parts"

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        spare = len(holders(cast)) - int(getattr(scheme, "t", 0))
        return "" if hasattr(scheme, "t") and spare > 0 else "no holder of a share can be spared"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        return [Turn(holders(cast)[0], 0)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        return lying(party)


def holders(cast: Cast) -> list[str]:
    """Officials of whom there are several: their names end in a number."""
    return [name for name in cast.officials if name.rpartition("-")[2].isdigit()]


def lying(party: Principal) -> Principal:
    """The party with a wrong secret while it answers requests, and its own at all other times."""
    honest: Any = type(party)

    def on_request(self: Any, sender: str, request: Request, wire: Wire) -> Answered:
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        kept = {name: value for name, value in fields.items() if _off(value) != value}
        for name, value in kept.items():
            setattr(self, name, _off(value))
        try:
            answered: Answered = honest.on_request(self, sender, request, wire)
        finally:
            for name, value in kept.items():
                setattr(self, name, value)
        return answered

    return corrupted(party, on_request=on_request)


def _off(value: Any) -> Any:
    """A share, or each of several, with its scalar one off."""
    if isinstance(value, list):
        return [_off(each) for each in value]
    if hasattr(value, "index") and hasattr(value, "raw"):
        return msgspec.structs.replace(value, raw=group.scalar_bytes(int.from_bytes(value.raw, "big") + 1))
    return value


ATTACK = LyingHolder()

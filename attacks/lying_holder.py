"""A holder of a share whose answer is not needed lies: its answers are computed with a wrong secret.

  lie      the first holder, which is asked first, computes its part with a secret that is one off
  else     it is honest in everything else, so that only its answers can show the lie

Lawful access then depends on telling a wrong part from a right one: otherwise the first t answers give garbage. The lie
is found by the proof beside a part, or by the commitments that a share must fit, and its maker is blamed. For more
liars, or silent holders, see `reproduce spare-holders`.
Source: Gennaro, Jarecki, Krawczyk, Rabin, "Robust threshold DSS signatures", EUROCRYPT '96, on robustness.
"""

from collections.abc import Iterable
from typing import Any

from attacks.kernels.wrong_shares import one_off
from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.codec import Fact
from escrow.principal import Principal, corrupted
from escrow.scheme import Scheme, Source
from escrow.warrant import Answered, Request
from escrow.wire import Wire


class LyingHolder(Attack):
    """Corrupt the first holder of a share: it answers requests with a wrong secret."""

    name = "lying-holder"
    title = "A holder of a share answers with another"
    source = Source("Gennaro et al.", "Robust Threshold DSS Signatures", 1996, "robustness", "messages")
    in_pages = True
    specimen = "unproven_parts"

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless more holders have shares than are needed."""
        spared = any(0 < each.t < len(each.names) for each in cast.holders)
        return "" if spared else "no holder of a share can be spared"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the holder that is asked first, from the first day."""
        return [Turn(next(each.names[0] for each in cast.holders if 0 < each.t < len(each.names)), 0)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the holder answer requests with a wrong secret."""
        return lying(party)


def lying(party: Principal) -> Principal:
    """Return the party with a wrong secret while it answers requests, and its own at all other times."""
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
    """Return a share, or each of several, with its scalar increased by one.

    A share is a fact with the index of its holder and secret bytes, under whatever names; other values stay.
    """
    if isinstance(value, list):
        return [_off(each) for each in value]
    if isinstance(value, dict):
        return {key: _off(each) for key, each in value.items()}
    if isinstance(value, Fact) and any(type(getattr(value, name)) is int for name in value.__struct_fields__):
        return one_off(value)
    return value


ATTACK = LyingHolder()

"""Property: an attack that corrupts nobody of a cast, on no day of the scenario, gives no verdict, and says why."""

from collections.abc import Iterable
from typing import Any

import pytest

import attacks.registry
from attacks.lab.simulation.attack import Attack, Keep, Seize, Turn, Use, misfit
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.evaluation import Evaluation
from escrow import registry
from escrow.errors import Malformed
from escrow.principal import Principal, corrupted, handlers_of
from escrow.scheme import Scheme, Source
from escrow.warrant import Authority, Serve

DAYS = small().days
NOBODY, NO_DAY = "nobody is called 'agent-7'", f"is not in the scenario, whose days are 0 to {DAYS - 1}"
ENVELOPE = registry.schemes()["envelope"]


class Odd(Attack):
    """Corrupts whom it is told to."""

    name, title, specimen = "odd", "Odd", "spare_key"
    source = Source("nobody", "nothing", 2026, "", "messages")

    def __init__(self, *corruptions: Any, made: Any = None) -> None:
        """Keep the corruptions, and what takes a party's place."""
        self.of, self.made = corruptions, made

    def corruptions(self, cast: object, scenario: object) -> Iterable[Any]:
        """Return what it was told."""
        return self.of

    def corrupt(self, party: Principal, scheme: Scheme, cast: object, scenario: object) -> Any:
        """Return what it was told."""
        return self.made or corrupted(party)


@pytest.mark.parametrize(
    ("corruption", "why"),
    [
        (Seize("agent-7", 1), NOBODY),
        (Turn("agent-7", 1), NOBODY),
        (Keep("agent-7"), NOBODY),
        (Use("agent-7", 1), NOBODY),
        (Seize("agent", DAYS), NO_DAY),
        (Seize("agent", -2), NO_DAY),
        (Turn("agent", -1), NO_DAY),
        (Use("agent", DAYS), NO_DAY),
        ("agent", "'agent' is no Seize, Turn, Keep or Use"),
    ],
)
def test_a_corruption_of_nobody_is_inconclusive(corruption, why):
    cell, _ = Evaluation(ENVELOPE, [], small()).cell(Odd(corruption))
    assert cell.verdict == "INCONCLUSIVE" and why in cell.reason
    if not isinstance(corruption, Seize):
        with pytest.raises(Malformed, match="odd does not fit envelope: "):
            play(ENVELOPE, small(), Odd(corruption))


@pytest.mark.parametrize("corruption", [Seize("agent", -1), Seize("agent", DAYS - 1), Turn("court", 0)])
def test_a_corruption_of_somebody_is_judged(corruption):
    cell, _ = Evaluation(ENVELOPE, [], small()).cell(Odd(corruption))
    assert cell.verdict in ("BREACH", "AS CLAIMED", "HELD")


def test_corruptions_of_ours_fit_every_cast():
    for scheme in registry.schemes().values():
        evaluation = Evaluation(scheme, [], small())
        names = {*evaluation.cast.officials, *evaluation.cast.devices}
        for attack in attacks.registry.attacks().values():
            if not attack.apparatus and not attack.applies(scheme, evaluation.cast):
                found = attack.corruptions(evaluation.cast, small())
                assert misfit(found, names, small().days) == "", (scheme.name, attack.name)


def test_another_party_in_the_place_of_one_is_refused():
    with pytest.raises(Malformed, match=r"Odd\.corrupt returns a Principal called other in place of authority"):
        play(ENVELOPE, small(), Odd(Turn("authority", 1), made=Principal("other")))


def test_a_replaced_handler_answers_what_the_one_before_it_did():
    party = play(ENVELOPE, small()).party("authority", 0)
    assert isinstance(party, Authority)
    made = corrupted(party, on_serve=lambda self, sender, packet, wire: None)
    assert Serve in handlers_of(type(made))


def test_a_handler_that_names_no_packet_is_told_so():
    class Silent(Principal):
        def on_something(self, sender, packet, wire):
            """Answer nothing."""

    with pytest.raises(Malformed, match=r"Silent\.on_something does not say which packet it answers"):
        handlers_of(Silent)

"""How many texts the law misses when clients leave the access field out, by who looks at fields.

  none       a mail without a field is carried and shown: the law misses what it covers of the rogues' texts
  relay      the provider carries no such mail: nothing is missed, and the rogues' texts reach nobody
  recipient  honest clients show no such text: missed is what a rogue reads of another's, also on a second device of the
             sender's own; such texts, which reach nobody else, are missed all the same, and the note counts them
  publicly   the relay verifies the proofs of a field, and recipients make it again: nothing is missed

Rogues are one device of one target, all devices of the targets, or all clients (`field-stripping`). A scheme whose
fields a recipient can neither make again nor check has two levels; publicly, a scheme must have a form with proofs.
Source: Kaufman, "Differential Workfactor Cryptography", Lotus, January 1996: the destination makes the field again, so
that both ends must be modified. The relay is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from attacks.field_stripping import FieldStripping
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.simulation.strategies import strategies
from attacks.lab.verdict.delivery import Messaging
from escrow import registry
from escrow.e2ee.policing import Policing
from escrow.scheme import Source
from escrow.schemes.plain import FieldScheme


class PolicingLevels(Experiment):
    """Count missed texts by who polices fields, and by who strips them."""

    name = "policing-levels"
    title = "Stripped access fields: texts that the law misses, by who looks at fields"
    source = Source("Kaufman", "Differential Workfactor Cryptography", 1996, "the destination", "messages")
    in_pages = True

    scenario = default(users=4, groups=2, days=5, messages=24)

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield, for each scheme with fields, level and strategy, the texts missed, and those that reach nobody."""
        scenario = default() if long else self.scenario
        found = list(policed())
        for done, scheme in enumerate(found):
            progress(done, len(found), f"{scheme.name}, {scheme.policing}")
            yield from _figures(scheme, scenario)


FORMULAS: dict[Policing, str] = {
    "none": "covered texts of rogues",
    "relay": "none",
    "recipient": "covered texts of rogues that another rogue reads",
    "publicly": "none",
}


def policed() -> Iterator[FieldScheme]:
    """Yield each scheme with access fields, at every level of policing that it can have."""
    for _, scheme in sorted(registry.schemes().items()):
        if not (isinstance(scheme, FieldScheme) and scheme.in_pages):
            continue
        for level in get_args(Policing):
            try:
                form = scheme.replaced(policing=level)
            except ValueError:  # nobody can check this scheme's fields so
                continue
            if isinstance(form, FieldScheme):
                yield form


def _figures(scheme: FieldScheme, scenario: Scenario) -> Iterator[Figure]:
    honest = Messaging(play(scheme, scenario))
    for strategy in strategies(FieldStripping(), cast_of(scheme, scenario), scenario):
        rogues = {each.principal for each in strategy.corruptions(honest.record.cast, scenario)}
        under = Messaging(play(scheme, scenario, strategy))
        covered = map(honest.by_id.__getitem__, honest.entitled & honest.delivered)
        theirs = [sent for sent in covered if sent.device in rogues]
        among = [sent for sent in theirs if any((sent.id, name) in honest.shown for name in rogues & {*sent.intended})]
        expected: dict[Policing, int] = {"none": len(theirs), "relay": 0, "recipient": len(among), "publicly": 0}
        owner = scenario.owner
        elsewhere = {text for text, name in under.shown if owner[name] != owner[under.by_id[text].device]}
        own = len(under.evaded - elsewhere)
        case = f"{scheme.name}, {scheme.policing}, {strategy.strategy.removeprefix('by ')}"
        yield Figure(
            quantity=f"{case}: missed",
            measured=len(under.evaded),
            expected=expected[scheme.policing],
            formula=FORMULAS[scheme.policing],
            note=f"Warrants cover {len(honest.entitled)} of {scenario.messages} texts."
            + (f" Of those missed, {own} came to devices of their sender alone." if own else ""),
        )
        yield Figure(quantity=f"{case}: reach nobody", measured=len(honest.delivered - under.delivered))


EXPERIMENT = PolicingLevels()

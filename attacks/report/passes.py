"""What every drawing of an access structure says of a pass: its title, and when the coalitions of a formula act."""

from __future__ import annotations

from attacks.lab.adversary.formula import every_name, read
from attacks.lab.adversary.labelling.labels import BYTES, MATHEMATICS, SERVED
from attacks.lab.results.formulas import AccessFormula
from attacks.lab.results.types import Anatomy

ALONE = {
    MATHEMATICS: "By mathematics alone",
    SERVED: "While officials answer requests",
    BYTES: "By bytes alone, which no typed function computes",
}  # the title of a pass


def periods_of(anatomy: Anatomy, row: AccessFormula) -> tuple[str, ...]:
    """Return the stretches within one of which the coalitions of a formula take all their members, if there are any."""
    try:
        names = {name for term in read(row.formula) for name in every_name(term)}
    except ValueError:  # of a file that this project did not write
        return ()
    passive = (each for each in anatomy.minimal_coalitions if each.mode == "passive" and each.periods)
    return next((each.periods for each in passive if each.row[0] == row.label_pass and names >= {*each.row[1:]}), ())

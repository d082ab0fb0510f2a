"""Access structures by names alone, as formulas."""

from __future__ import annotations

import msgspec

from attacks.lab.results.bounds import Count, Result


class AccessFormula(Result, frozen=True, kw_only=True):
    """Coalitions that open equally many texts in a pass if each of their members is seized on every evening.

    `formula` says who they are (attacks.lab.adversary.formula). A pass has only what is not so in the one it rests on.
    """

    label_pass: str = msgspec.field(name="pass")
    officials_only: bool
    opens: Count
    formula: str

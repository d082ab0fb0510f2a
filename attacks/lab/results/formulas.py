"""Access structures by names alone, as formulas."""

from __future__ import annotations

import msgspec

from attacks.lab.results.bounds import Count, Result
from attacks.lab.results.details import Detail, Ids, unpacked


class NameThresholdRow(Detail, frozen=True, kw_only=True):
    """Any `t` of these names."""

    t: int
    of: tuple[str, ...]


class NamedCoalition(Detail, frozen=True, kw_only=True):
    """All of these `names`, and of each threshold as many as it asks for; and the texts that they open together."""

    names: tuple[str, ...] = ()
    thresholds: tuple[NameThresholdRow, ...] = ()
    texts: Ids


class AccessFormula(Result, frozen=True, kw_only=True):
    """Coalitions that open equally many texts in a pass if each of their members is seized on every evening.

    `formula` says who they are (attacks.lab.adversary.formula), and `coalitions` says it as data, with the texts. A
    pass has only what is not so in the one it rests on.
    """

    label_pass: str = msgspec.field(name="pass")
    officials_only: bool
    opens: Count
    formula: str
    coalitions: tuple[NamedCoalition, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError if a coalition opens another number of texts."""
        for each in self.coalitions:
            if (count := len(unpacked(each.texts))) != self.opens:
                raise ValueError(f"{self.formula} opens {self.opens} texts, and {each.names} are listed with {count}")


class GuessedAccess(Result, frozen=True, kw_only=True):
    """Coalitions that open so many texts only by guesses, each text by at most 2^`work` trials.

    `within`: so many trials count (`--work`), so that these texts stand in the access structure, too. `formula` and
    passes are as in AccessFormula.
    """

    label_pass: str = msgspec.field(name="pass")
    formula: str
    opens: Count
    work: float
    within: bool

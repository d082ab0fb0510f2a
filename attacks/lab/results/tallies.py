"""The counts of a cell that are more than one number."""

from __future__ import annotations

from attacks.lab.results.bounds import Either, Fewer, More, Result


class Exposure(Result, frozen=True, kw_only=True):
    """Texts opened: sent before the corruption (`past`) and after it (`future`)."""

    past: More = 0
    future: More = 0


class Exposed(Result, frozen=True, kw_only=True):
    """Texts opened of the warrants' targets, and of everybody else."""

    target: Exposure = Exposure()
    bystander: Exposure = Exposure()

    @property
    def total(self) -> int:
        """The number of all texts opened."""
        return self.target.past + self.target.future + self.bystander.past + self.bystander.future


class Outside(Result, frozen=True, kw_only=True):
    """Over-collected texts, each by the first thing about it that no warrant covers: who, when, or what."""

    people: More = 0
    days: More = 0
    scope: More = 0


class Cost(Result, frozen=True, kw_only=True):
    """The cost of the attack.

    `seizures` is the least number of principals corrupted, `trials` what active ones counted.
    """

    seizures: Fewer = 0
    trials: Either = 0


class Against(Result, frozen=True, kw_only=True):
    """Texts opened or over-collected that no grant of the claim covers, each counted once.

    `outside`: opened only by corruptions that the source's model excludes; `conceded` by the source; `as_plain`: of the
    others those that the same thieves open in plain, with no alarm fewer. `by_coalition` counts what the cell's
    coalition opens of the excluded ones, `overcollected` what the lawful access yields that the authority is not
    granted.
    """

    texts: More = 0
    by_coalition: More = 0
    overcollected: More = 0
    outside: Either = 0
    conceded: Either = 0
    as_plain: Either = 0

    @property
    def left(self) -> More:
        """The number of texts that nothing excuses."""
        return self.texts - self.outside - self.conceded - self.as_plain


class Added(Result, frozen=True, kw_only=True):
    """Deliveries lost and texts shown again beyond those of the honest play."""

    lost: More = 0
    duplicated: More = 0

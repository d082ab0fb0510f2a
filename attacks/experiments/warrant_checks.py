"""Warrant misuse with one check at a time taken from whoever holds the key, and holders who collude without a warrant.

  all checks     texts that the authority opens with its warrants, from officials that check everything
  without CHECK  the same from officials that leave this one out, and make all others
  t−1, t of n    texts that so many colluding holders of one key open, with no warrant at all

What the authority asks is what `warrant-misuse` asks: every field, under each of its warrants, on every evening. Checks
are named as officials name them; one that makes no difference, since another refuses the same, is left out of the list.
Where a scheme's key is one user's for good (`clipper`, `fair-keys`), a warrant opens all of the user's texts, and no
check is left to keep the authority from them. Source: Abelson et al., "The Risks of Key Recovery, Key Escrow, and
Trusted Third-Party Encryption", 1997, 3.1.2; that checks are taken away one by one is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.runs.experiment import EachScheme, Figure
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.record import Sent
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis
from escrow.scheme import Scheme, Source
from escrow.warrant import Order

AUTHORITY = "authority"
BY_ORDER: dict[str, tuple[str, Callable[[Order, Sent], bool]]] = {
    SERVED: ("texts that a warrant covers", lambda order, sent: order.covers(sent.people, sent.day)),
    "without target": ("texts of the days of a warrant", lambda order, sent: order.first <= sent.day <= order.last),
    "without window": ("texts of the people of a warrant", lambda order, sent: order.target in sent.people),
}  # what follows from the orders alone


class WarrantChecks(EachScheme):
    """Count what an authority opens if one check is left out, and what holders open who collude."""

    name = "warrant-checks"
    title = "Warrants misused with one check at a time left out; and holders of a key who collude"
    source = Source("Abelson et al.", "The Risks of Key Recovery, Key Escrow", 1997, "3.1.2", "checks")

    scenario = default(users=3, groups=0, days=4, messages=12)

    def figures(self, scheme: Scheme, long: bool = False) -> Iterator[Figure]:
        """Yield texts by check, if officials give a lawful access, and by number of holders."""
        record = play(scheme, self.scenario)
        analysis = Analysis(scheme, record, ())
        orders = [warrant.order for warrant in record.warrants]
        by_user = self._opens_beyond(analysis)
        for name in analysis.passes:
            if name == MATHEMATICS:
                continue
            formula, meets = BY_ORDER.get(name, ("", None))
            expected = None
            if meets is not None and not by_user:
                expected = sum(any(meets(order, sent) for order in orders) for sent in record.sent)
            said = "all checks" if name == SERVED else name
            yield Figure(
                quantity=f"{scheme.name}, {said}: texts that the authority opens",
                measured=len(analysis.opened_by([Seizure(AUTHORITY)], name)),
                expected=expected,
                formula=formula if expected is not None else "",
                note=f"{scheme.name}: {len(record.sent)} texts." if name == SERVED else "",
            )
        yield from self._collusion(scheme, analysis)

    def _opens_beyond(self, analysis: Analysis) -> bool:
        """Return whether officials that check everything give more than warrants cover, as where keys are a user's."""
        orders = [warrant.order for warrant in analysis.record.warrants]
        covered = {s.id for s in analysis.record.sent if any(order.covers(s.people, s.day) for order in orders)}
        return SERVED in analysis.passes and not analysis.opened_by([Seizure(AUTHORITY)], SERVED) <= covered

    def _collusion(self, scheme: Scheme, analysis: Analysis) -> Iterator[Figure]:
        for group in cast_of(scheme, self.scenario).holders:
            if not 1 < group.t <= len(group.names):
                continue
            for number, everything in ((group.t - 1, 0), (group.t, len(analysis.record.sent))):
                yield Figure(
                    quantity=f"{scheme.name}, {number} of {len(group.names)} holders collude: texts that they open",
                    measured=len(analysis.opened_by(map(Seizure, group.names[:number]))),
                    expected=everything,
                    formula="none below t, all from t on",
                )


EXPERIMENT = WarrantChecks()

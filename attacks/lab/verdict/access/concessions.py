"""What a claim concedes to one principal alone: opening these texts is no breach, whatever else the claim says."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.crosscheck.places import few
from attacks.lab.simulation.play import play
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.claims import Judge
from escrow.scheme import Scheme


def conceded_to_one(scheme: Scheme, record: Record | None = None) -> str:
    """Return how many texts of a play the claim concedes to whom, the most first; "" if it concedes none to one alone.

    Each state is taken on the last evening. Without a record the small scenario is played, if there is any concession.
    """
    passive = tuple(msgspec.structs.replace(each, active=False) for each in scheme.claim.concessions)
    if not passive:
        return ""
    record, found = record or play(scheme, small()), defaultdict[int, list[str]](list)
    judge = Judge(record, msgspec.structs.replace(scheme.claim, concessions=passive))
    for name in record.states:
        alone = Coalition((Seizure(name, (record.scenario.days - 1,)),))
        if texts := sum(1 for text in judge.by_id if judge.conceded(alone, text)):
            found[texts].append(name)
    return "; ".join(f"{texts} of {len(judge.by_id)} texts to {few(found[texts])}" for texts in sorted(found)[::-1])

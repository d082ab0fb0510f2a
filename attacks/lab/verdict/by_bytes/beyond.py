"""What bytes open beyond the rules: every minimal coalition that reads more by bytes, and by what.

Compared are two passes over one graph, `mathematics` and `bytes`, for all coalitions at once. A minimal coalition of
the second is a finding if the same seizures, on some evenings that it allows, do not open the same texts in the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import islice, product

import msgspec

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.adversary.labelling.labels import BYTES
from attacks.lab.adversary.timing.evenings import bit
from attacks.lab.crosscheck.byte_findings import ByteFault, keys_of
from attacks.lab.crosscheck.fact_bytes import fields_of
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.by_bytes.means import Means

CHOICES = 256  # ways to choose the evenings of one coalition that are tried


class Beyond(msgspec.Struct, frozen=True):
    """Texts (by id) that a coalition opens by bytes alone, and what it opens the first of them by.

    `fault` is a fault that has a property of its own, if they are opened by that.
    """

    coalition: Coalition
    texts: tuple[int, ...]
    by: tuple[str, ...]
    fault: ByteFault | None = None

    @property
    def what(self) -> str:
        """The coalition and its texts, in words."""
        some = ", ".join(map(str, self.texts[:8])) + ", …" * (len(self.texts) > 8)
        return f"{self.coalition}: {len(self.texts)} text{'s' * (len(self.texts) > 1)} ({some})"

    def __str__(self) -> str:
        return f"{self.what} by {'; '.join(self.by) or 'what everybody has'}"


def told(found: Iterable[Beyond]) -> list[str]:
    """Return findings in words, each means once: who opens texts by the same fields and functions is told together."""
    alike: dict[tuple[str, ...], list[Beyond]] = defaultdict(list)
    for each in found:
        holders = {f"{member.principal}'s": "its" for member in each.coalition.members}
        alike[tuple(" ".join(holders.get(word, word) for word in by.split()) for by in each.by)].append(each)
    return [
        f"{', '.join(each.what for each in group)} by {'; '.join(by)}" if len(group) > 1 else str(group[0])
        for by, group in alike.items()
    ]


def opened_beyond(analysis: Analysis, door: TwoPlays, faults: Sequence[ByteFault] = ()) -> list[Beyond]:
    """Return what bytes open beyond the rules, those of few principals first.

    One for each set of principals, and for each of the `faults` by which they open texts.
    """
    groups: dict[tuple[str, ...], dict[tuple[Seizure, ...], set[int]]] = defaultdict(lambda: defaultdict(set))
    for members, texts in _extra(analysis):
        groups[tuple(each.principal for each in members)][members] |= texts
    found, means = [], Means(analysis, door)
    for names in sorted(groups, key=lambda names: (len(names), names)):
        by_evening = groups[names]
        most = max(by_evening, key=lambda members: (len(by_evening[members]), members))
        evenings = [sorted({day for members in by_evening for day in members[at].evenings}) for at in range(len(names))]
        coalition = Coalition(tuple(map(Seizure, names, map(tuple, evenings))))
        opened = set[int]().union(*by_evening.values())
        first = means.by_fault(most, by_evening[most], faults)
        rest = opened.difference(*first.values())  # of other evenings
        for fault, texts in first.items():
            whole = texts | rest if fault == next(iter(first)) else texts
            found.append(Beyond(coalition, tuple(sorted(whole)), means.of(most, texts), fault))
    return found


def never_opened(analysis: Analysis) -> frozenset[int]:
    """Return the texts that bytes open, given all states, and no rule does.

    The door is the witness: a ciphertext on the wire that some key in some state opens must be opened by the closure,
    given all states, or a rule or a type is missing.
    """
    return frozenset(text for text in analysis.texts_in(BYTES) if analysis.masks(text, BYTES)) - set(analysis.texts)


def under_other_types(analysis: Analysis, door: TwoPlays) -> list[str]:
    """Return whose keys lie in others' states, under another type, where no rule gives them: officials' facts only.

    What the scheme declares in `aliases` is left out.
    """
    if (graph := analysis.graph) is None:
        return []
    keys, officials = keys_of(door.log.calls), set(analysis.record.cast.officials)
    said: dict[str, None] = {}
    for number, fact in enumerate(graph.facts):
        owners = officials.intersection(name for name, _ in analysis.closure.held.get(number, ()))
        if not owners or keys.isdisjoint(value for _, value, public in fields_of(fact) if not public):
            continue
        for name, evenings in sorted(graph.holders(fact).items()):
            kind = type(fact).__name__
            declared = any(each.kind == kind and fnmatchcase(name, each.holder) for each in analysis.scheme.aliases)
            days = [day for day in range(analysis.record.scenario.days) if evenings & bit(day)]
            if not declared and any(not analysis.derived_by([Seizure(name, (day,))])(number) for day in days):
                said[f"{name} holds the bytes of {', '.join(sorted(owners))}'s {kind}"] = None
    return list(said)


def _extra(analysis: Analysis) -> Iterator[tuple[tuple[Seizure, ...], set[int]]]:
    """Yield seizures, each on one evening, that are minimal by bytes for texts which they do not open by rules."""
    structure = analysis.structure(BYTES)
    of_mask: dict[int, set[int]] = defaultdict(set)
    for text in analysis.texts_in(BYTES):
        for mask in set(analysis.masks(text, BYTES)) - set(analysis.masks(text)):
            of_mask[mask].add(text)
    for mask, texts in of_mask.items():
        members = structure.example(mask).members
        evenings = ([Seizure(each.principal, (day,)) for day in each.evenings] or [each] for each in members)
        for taken in islice(product(*evenings), CHOICES):
            if more := texts - analysis.opened_by(taken):
                yield taken, more

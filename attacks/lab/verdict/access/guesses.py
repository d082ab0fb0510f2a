"""Which coalitions open texts by guesses that work pays for, and by how many.

A text within the limit of work is counted in the access structure as well; one beyond it only here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.formula import Together, basis, formula, together
from attacks.lab.results.formulas import GuessedAccess
from attacks.lab.verdict.analysis import Analysis

Found = dict[Together, dict[bool, list[float]]]  # coalition -> whether within the limit -> bits of each text


def guessed(analysis: Analysis) -> Iterator[GuessedAccess]:
    """Yield, pass by pass, the coalitions that open texts only by guesses; a pass has what its basis does not have."""
    found = {name: _found(analysis, name) for name in analysis.passes}
    for name, of_pass in found.items():
        known = found.get(basis(name), {})
        rows: dict[tuple[bool, int, float], list[Together]] = defaultdict(list)
        for term, by_limit in of_pass.items():
            for within, bits in by_limit.items():
                if known.get(term, {}).get(within) != bits:
                    rows[within, len(bits), max(bits)].append(term)
        for within, opens, work in sorted(rows, reverse=True):
            terms = rows[within, opens, work]
            yield GuessedAccess(label_pass=name, formula=formula(terms), opens=opens, work=work, within=within)


def _found(analysis: Analysis, name: str) -> Found:
    """Return the minimal sets of principals that guess, with the bits that each text takes them."""
    labels = analysis.adversary.labelled(name)
    guesses = labels.work.guesses
    if not guesses:
        return {}
    structure, priced = analysis.structure(name), labels.priced(name)
    texts = {priced[number] for numbers in analysis.numbers(name).values() for number in numbers}
    bought = {mask & ~guesses for label in texts for mask in labels.antichains.sets[label] if mask & guesses}
    found: Found = {}
    for mask in bought:
        seizures = [Seizure(each.principal) for each in structure.example(mask).members]
        held = structure.mask(seizures)
        bits = sorted(filter(None, (analysis.work(text, held, name) for text in analysis.texts_in(name))))
        by_limit = found[together(structure.coalition(mask))] = dict[bool, list[float]]()
        for each in bits:
            by_limit.setdefault(each <= labels.work.limit, []).append(each)
    return found

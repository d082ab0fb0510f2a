"""Who learns who sent a message, in a scheme whose access fields say it. Who reads the text is another question.

A scheme declares that by a fact derived from `escrow.scheme.Identified`: the sender of an access field, and nothing of
the text. The coalitions that learn such facts are measured in each pass, and what each kind of secret gives by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import AccessStructure, Seizure
from attacks.lab.adversary.labelling.labels import Labels
from attacks.lab.adversary.view import Reader, words_of
from attacks.lab.results.naming import Identities, Naming, Secrets
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.evaluation import Evaluation
from escrow.e2ee.content import Text
from escrow.scheme import AccessField, Identified
from escrow.schemes.plain import Plain

ISOLATED = "the adversary had a process of its own, which answers for texts only"


def identities(evaluation: Evaluation) -> Identities | None:
    """Return who learns the names in the honest play's access fields, and what each kind of secret gives by itself.

    Return None if the scheme declares no fact that names a sender: none that is derived from `Identified`.
    """
    kinds = words_of(evaluation.scheme).types - {Identified}
    if not any(issubclass(kind, Identified) for kind in kinds):
        return None
    if evaluation.isolated:
        return Identities(unmeasured=ISOLATED)
    analysis = evaluation.analysis
    closure = analysis.closure
    fields = [number for number, fact in enumerate(closure.facts) if isinstance(fact, AccessField)]
    return Identities(
        fields=_fields(closure, fields),
        coalitions=tuple(row for name in analysis.passes for row in _naming(analysis, name)),
        secrets=tuple(_secrets(evaluation)),
    )


def _naming(analysis: Analysis, name: str) -> Iterator[Naming]:
    officials = set(analysis.record.cast.officials)
    structure = AccessStructure(analysis.labels, _identified(analysis.closure), name)
    for coalition, _, found in structure.table():
        members = coalition.members
        evenings = sorted(set[int].intersection(*(set(each.evenings) for each in members))) if members else []
        taken = {day: [Seizure(each.principal, (day,)) for each in members] for day in evenings}
        yield Naming(
            label_pass=name,
            members=tuple(map(str, (*members, *coalition.thresholds))),
            officials_only=all(each.principal in officials for each in members),
            names=_fields(analysis.closure, found),
            opens_nothing=tuple(day for day in evenings if not analysis.opened_by(taken[day], name)),
        )


def _identified(closure: Closure) -> list[int]:
    return [number for number, fact in enumerate(closure.facts) if isinstance(fact, Identified)]


def _fields(closure: Closure, numbers: Iterable[int]) -> int:
    """Return the number of access fields that these facts are about; an attacker's variants of one field count once."""
    facts = map(closure.facts.__getitem__, numbers)
    return len({(fact.chain, fact.n) for fact in facts if isinstance(fact, Identified | AccessField) and fact.chain})


# --- what secrets give by themselves ---


def _secrets(evaluation: Evaluation) -> Iterator[Secrets]:
    """Yield the minimal sets of secrets that open a text or name a sender, by their kinds."""
    closure, sent = _closure_of_secrets(evaluation), {each.body: each for each in evaluation.record.sent}
    bodies = {number: fact.body for number, fact in enumerate(closure.facts) if isinstance(fact, Text)}
    texts = {number: sent[body] for number, body in bodies.items() if body in sent}
    labels = Labels(closure)
    opening, naming = AccessStructure(labels, texts), AccessStructure(labels, _identified(closure))
    of_kinds: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for row in (*naming.table(), *opening.table()):
        of_kinds[tuple(sorted(each.principal.split()[0] for each in row.coalition.members))].add(row.mask)
    for kinds, masks in sorted(of_kinds.items(), key=lambda each: (len(each[0]), each[0])):
        opened = [{texts[number].id: texts[number].day for number in opening.opened(mask)} for mask in masks]
        yield Secrets(
            kinds=kinds,
            sets=len(masks),
            least=min(map(len, opened)),
            most=max(map(len, opened)),
            opens=len(set[int]().union(*opened)),
            first_day=max(min(days.values(), default=-1) for days in opened),
            last_day=min(max(days.values(), default=-1) for days in opened),
            names=max(_fields(closure, naming.opened(mask)) for mask in masks),
        )


def _closure_of_secrets(evaluation: Evaluation) -> Closure:
    """Return the closure of what the network heard and of each fact of the scheme's own kinds in any state.

    Each such fact is a holder by itself.
    """
    closure, record = Closure(evaluation.analysis.rules), evaluation.record
    reader = Reader(evaluation.scheme, *evaluation.attacks)
    for fact in reader.network(record.heard):
        closure.learn(fact, "network")
    own = tuple(words_of(evaluation.scheme).types - words_of(Plain()).types)
    states = (*reader.at_set_up(record.set_up, record.set_up_kinds), *reader.states(record.states, record.kinds))
    held = dict.fromkeys(each.fact for each in states if isinstance(each.fact, own))
    for number, fact in enumerate(held):
        closure.learn(fact, f"{type(fact).__name__} {number}")
    closure.run()
    return closure

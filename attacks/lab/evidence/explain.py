"""Prints how a coalition opens a text, as a tree: the text at the root, the facts given to the coalition at the leaves.

Every node is real bytes, shown by type and public fields; secrets are not printed. A sub-tree that is needed again, or
is too deep for a page, has a number and is printed once. Guards and witnesses are left out: they are public and cost
nothing.
"""

from __future__ import annotations

import textwrap
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from math import prod
from types import MappingProxyType

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.adversary.labelling.labels import WITHOUT
from attacks.lab.adversary.proof import Proof, guesses, prove
from attacks.lab.adversary.timing.evenings import COMMA_BETWEEN_MEMBERS
from attacks.lab.adversary.work import bits_of, fact_of, in_words
from attacks.lab.evidence.provenance import checks_made, coalition_of, packets
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.play import play
from attacks.lab.simulation.record import Sent
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.frontier import most
from attacks.lab.verdict.steps import ProofSteps, describe, short
from escrow.codec import Fact
from escrow.registry import UnknownName
from escrow.scheme import Scheme

WIDTH = 80  # columns
CHOICES = 500  # of evenings that are tried for the best
DEEPEST = 8  # levels before a sub-tree is printed further down


def explain(
    scheme: Scheme,
    scenario: Scenario,
    coalition: str,
    message: int | None = None,
    attacks: Sequence[Attack] = (),
    width: int = WIDTH,
) -> Iterator[str]:
    """Yield the lines of the tree for text number `message`, or for the first text that the coalition opens.

    Args:
        scheme: the scheme to play.
        scenario: the scenario to play.
        coalition: the members, as on the command line.
        message: the number of the text, or None for the first that is opened.
        attacks: attacks whose rules join.
        width: the columns of a line; longer lines are cut.

    Returns:
        The lines of the proof by mathematics if there is one, else of the one with answers of honest officials.
        One sentence if neither opens the text.

    Raises:
        UnknownName: the scenario has no such member or text.
    """
    record = play(scheme, scenario)
    members = coalition_of(coalition, record)
    return explained(Analysis(scheme, record, attacks), members, message, attacks, width)


def explain_attack(
    scheme: Scheme,
    scenario: Scenario,
    attack: Attack,
    coalition: str = "",
    message: int | None = None,
    attacks: Sequence[Attack] = (),
    width: int = WIDTH,
) -> Iterator[str]:
    """Yield the same lines of an attack's play, by the strategy that its cell shows.

    The coalition is by default the cell's. A principal whose behaviour the attack takes over is taken on every evening
    from then on. One sentence if the attack does not apply to the scheme, or opens nothing.
    """
    evaluation = Evaluation(scheme, attacks, scenario)
    if reason := attack.applies(scheme, evaluation.cast):
        return iter(textwrap.wrap(f"{attack.name} does not apply to {scheme.name}: {reason}", width))
    played = most(evaluation.tried(attack))
    if not coalition and not played.found.masks:
        return iter(
            textwrap.wrap(f"{scheme.name}: {attack.name} opens none of {len(played.analysis.record.sent)} texts", width)
        )
    members = coalition_of(coalition, played.analysis.record) if coalition else played.found.best[0]
    corrupted = {each.principal: each.evenings for each in played.found.corrupted}
    single = (Seizure(each.principal, (day,)) for each in members.members for day in corrupted.get(each.principal, ()))
    passive = (each for each in members.members if each.principal not in corrupted)
    taken = Coalition((*passive, *single), members.thresholds)
    return explained(played.analysis, taken, message, attacks, width, str(members))


def explained(
    analysis: Analysis,
    members: Coalition,
    message: int | None = None,
    attacks: Sequence[Attack] = (),
    width: int = WIDTH,
    called: str = "",
) -> Iterator[str]:
    """Yield the same lines of a play that is analysed already. Raise UnknownName if it has no such text.

    The coalition is `called` as its members are, unless another name is given.
    """
    called = called or str(members) if members.members else "who hears the network and no more"
    record = analysis.record
    if message is not None and message not in {sent.id for sent in record.sent}:
        raise UnknownName(f"no text has the number {message}; there are 0 to {len(record.sent) - 1}")
    opened = {name: analysis.opened_by(members.members, name) for name in analysis.labels.passes()}
    wanted = frozenset(analysis.texts if message is None else [message])
    for name in (MATHEMATICS, SERVED):
        best = _on_the_best_evenings(analysis, members, name)
        most = analysis.opened_by(best.members, name)
        said = f"; of these evenings the best open {len(most)} ({best})" if len(most) > len(opened[name]) else ""
        if texts := opened[name] & wanted:
            return _explained(analysis, members, name, opened, min(texts), attacks, width, called, said)
        if texts := most & wanted:
            said = f"; the best of {called}"
            most_opened = opened | {name: most}
            return _explained(analysis, best, name, most_opened, min(texts), attacks, width, str(best), said)
    for name in (MATHEMATICS, SERVED):
        held = analysis.structure(name).mask(members.members)
        if texts := frozenset(text for text in wanted & analysis.texts.keys() if analysis.work(text, held, name)):
            return _explained(analysis, members, name, opened, min(texts), attacks, width, called)
    return iter(textwrap.wrap(_unopened(called, opened, message), width, break_on_hyphens=False))


def _on_the_best_evenings(analysis: Analysis, members: Coalition, name: str) -> Coalition:
    """Return the seizures, each on one of its evenings, that open most together; the same if it makes no difference.

    All choices are tried while there are at most `CHOICES`, else the best evening of one member after the other.
    """
    every = [Seizure(each.principal, (day,)) for each in members.members for day in each.evenings or ()]
    whole = [each for each in members.members if not each.evenings]
    if analysis.opened_by([*whole, *every], name) == analysis.opened_by(members.members, name):
        return members

    def opened(chosen: Sequence[Seizure]) -> int:
        return len(analysis.opened_by(chosen, name))

    ways = [[Seizure(each.principal, (day,)) for day in each.evenings] or [each] for each in members.members]
    if prod(map(len, ways)) <= CHOICES:
        return Coalition(max(product(*ways), key=opened))
    chosen = [way[0] for way in ways]
    for at, way in enumerate(ways):
        others = chosen[:at] + chosen[at + 1 :]
        chosen[at] = max(way, key=partial(_with, opened, others))
    return Coalition(tuple(chosen))


def _with(opened: Callable[[Sequence[Seizure]], int], others: Sequence[Seizure], one: Seizure) -> int:
    return opened([*others, one])


def _explained(
    analysis: Analysis,
    members: Coalition,
    name: str,
    opened: dict[str, frozenset[int]],
    text: int,
    attacks: Sequence[Attack],
    width: int,
    called: str,
    said: str = "",
) -> Iterator[str]:
    number, held = analysis.texts[text], analysis.structure(name).mask(members.members)
    proof, bits = prove(analysis.labels, [number], members.members, name), analysis.work(text, held, name)
    paid = {
        fact_of(each.principal): bits_of(each.principal)
        for each in guesses(analysis.labels, [number], members.members, name)
    }
    count = f"{len(opened[name])} of {len(analysis.record.sent)} texts"
    more = f", {len(opened[SERVED])} where honest officials answer" if opened[SERVED] > opened[MATHEMATICS] else ""
    how = {
        MATHEMATICS: f"{count} by mathematics alone{more}",
        SERVED: f"{len(opened[MATHEMATICS])} texts by mathematics alone, {count} where honest officials answer",
    }
    opens = "open" if len(COMMA_BETWEEN_MEMBERS.split(called)) > 1 else "opens"
    who = f"{analysis.scheme.name}: {called} {opens} {how[name]}{said}."
    if bits:
        limit = analysis.record.scenario.work
        within = "within" if text in opened[name] else "beyond"
        who += f" Text {text} takes {in_words(bits)}, {within} 2^{limit}."
    yield from textwrap.wrap(who, width, break_on_hyphens=False)
    yield ""
    sent = next(each for each in analysis.record.sent if each.id == text)
    yield from _Tree(analysis, proof, sent, packets(analysis, attacks), paid, width).lines()


def _unopened(who: str, opened: dict[str, frozenset[int]], message: int | None) -> str:
    """Return a sentence: the text that is not opened, and how many texts each pass opens."""
    what = "any text" if message is None else f"text {message}"
    counts = [
        f"{len(texts)} {_title(name)}{' (that one too)' if message in texts else ''}" for name, texts in opened.items()
    ]
    return f"{who} cannot open {what}; in all, texts opened: {', '.join(counts)}"


def _title(name: str) -> str:
    usual = {MATHEMATICS: "by mathematics", SERVED: "where honest officials answer"}
    return usual.get(name, f'without check "{name.removeprefix(WITHOUT)}"')


class _Tree:
    """One proof as lines of text."""

    def __init__(
        self,
        analysis: Analysis,
        proof: Proof,
        sent: Sent,
        heard: dict[Fact, int],
        paid: Mapping[int, float] = MappingProxyType({}),
        width: int = WIDTH,
    ) -> None:
        """Keep a proof; `paid` has the bits of each fact that is guessed, `width` the columns of a line."""
        self.paid, self.width = paid, width
        self.analysis, self.closure, self.sent, self.heard = analysis, analysis.closure, sent, heard
        self.steps = ProofSteps(analysis.closure, proof)
        self.root = analysis.texts[sent.id]
        self.free = {fact for step in self.steps.made.values() for fact in step.premises} - self.steps.uses.keys()
        self.numbers: dict[int, int] = {}
        self.postponed: deque[int] = deque()

    def lines(self) -> Iterator[str]:
        sent = self.sent
        said = f"text {sent.id}, day {sent.day}, {sent.conversation}, from {sent.device}: {short(sent.body)}"
        yield _cut(f"{said} ({len(sent.body)} bytes)", self.width)
        yield from self._node(self.root, "", True, 0)
        while self.postponed:
            yield ""
            fact = self.postponed.popleft()
            yield _cut(f"[{self.numbers[fact]}] {self._title(fact)}", self.width)
            yield from self._below(fact, "", 0)
        if self.free:
            yield ""
            count = _facts(len(self.free))
            left_out = f"Left out, since it only bounds a search: public bookkeeping ({count})."
            yield from textwrap.wrap(left_out, self.width)

    def _node(self, fact: int, indent: str, last: bool, depth: int) -> Iterator[str]:
        """Yield the line of a fact, and the lines of its premises."""
        begin, rest = indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  ")
        if fact not in self.steps.made:
            yield from self._leaf(fact, begin, rest)
        elif fact in self.numbers or depth >= DEEPEST:
            kind, again = type(self.closure.facts[fact]).__name__, fact in self.numbers
            if not again:
                self._number(fact)
                self.postponed.append(fact)
            number = self.numbers[fact]
            yield _cut(f"{begin}{kind}, {f'as [{number}]' if again else f'see [{number}] below'}", self.width)
        else:
            if self.steps.uses[fact] > 1:
                self._number(fact)
            mark = f"[{self.numbers[fact]}] " if fact in self.numbers else ""
            yield _cut(f"{begin}{mark}{self._title(fact)}", self.width)
            yield from self._below(fact, rest, depth + 1)

    def _number(self, fact: int) -> None:
        self.numbers[fact] = len(self.numbers) + 1

    def _below(self, fact: int, indent: str, depth: int) -> Iterator[str]:
        if service := self.closure.edges.service(self.steps.run(fact)[-1].edge):
            said = f"checks that hold: {', '.join(checks_made(self.analysis, service))}"
            yield from textwrap.wrap(
                said, self.width, initial_indent=f"{indent}│  ", subsequent_indent=f"{indent}│    "
            )
        children = self.steps.below(fact)
        for at, child in enumerate(children, 1):
            yield from self._node(child, indent, at == len(children), depth)

    def _title(self, fact: int) -> str:
        return f"{self.steps.how(fact)}: {describe(self.closure.facts[fact])}"

    def _leaf(self, fact: int, begin: str, rest: str) -> list[str]:
        """Return a given fact and where it is from: one line, or more if its type does not fit beside that."""
        value, whence = self.closure.facts[fact], self.steps.whence(fact)
        if fact in self.paid:
            whence = in_words(self.paid[fact])
        elif self.steps.given[fact].holder == "network":
            whence += f", day {self.analysis.record.heard[self.heard[value]].day}"
        room = self.width - len(begin) - len(whence) - 4
        if room > len(type(value).__name__):
            return [f"{begin}{_cut(describe(value), room)}  [{whence}]"]
        below = textwrap.wrap(f"[{whence}]", self.width, initial_indent=rest, subsequent_indent=rest)
        return [_cut(f"{begin}{describe(value)}", self.width), *below]


def _facts(count: int) -> str:
    return "1 fact" if count == 1 else f"{count} facts"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"

"""Executes a proof again: every step with the library's own functions, from the facts that it lists.

Without a replay this shows that these bytes give these texts of the scenario. With one it also shows that the play
gives these bytes to the members named, and that the sets and the cell are what the play gives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import log2
from pathlib import Path

from attacks.lab.adversary.timing.evenings import on_evening
from attacks.lab.adversary.work import in_words as guesses_in_words
from attacks.lab.evidence import folder
from attacks.lab.evidence.execution import Library
from attacks.lab.evidence.folder import FACTS, SCENARIO, STEPS, TEXTS, Dossier, GivenFact, ProofStep
from attacks.lab.evidence.order import place
from attacks.lab.evidence.replay import replayed
from attacks.lab.evidence.setting import case_of
from attacks.lab.results.bounds import Count, Result
from attacks.lab.verdict.analysis import stranger
from escrow.codec import Fact
from escrow.e2ee.content import Text
from escrow.errors import Malformed


class Verification(Result, frozen=True, kw_only=True):
    """What a proof shows. `scenario` describes what is played, `summary` says in one line what was checked.

    `unchecked` counts the given facts that no replay found, and the answers that were not asked for again. The verdict
    is compared with the replay's, if there is one. `work` has the bits of all guesses that nobody holds: the logarithm
    of the trials that find them, 0 for none.
    """

    scheme: str
    parameters: str
    attack: str
    coalition: str
    verdict: str
    scenario: str
    replayed: bool
    unchecked: Count
    work: float = 0.0
    summary: str


def verify(directory: Path, replay: bool = False, plugins: Sequence[Path] = ()) -> Verification:
    """Return what the proof in this folder shows. Raise Malformed, naming the file that is wrong, and why."""
    files = folder.get(directory)
    dossier = folder.read(files)
    case = case_of(directory, files, dossier, plugins)
    execution = _Execution(dossier, Library(case.scheme, case.attacks))
    values, work = execution.values, execution.work
    _check_texts(dossier, values)
    _check_order(dossier)
    answers = sum(step.answer is not None for step in dossier.steps)
    unchecked = len(dossier.facts) + answers
    if replay:
        unchecked, found = replayed(dossier, case, values)
        checked = f"replayed: {found}"
    elif given := [text.id for text in dossier.texts if text.conclusion < len(dossier.facts)]:
        raise Malformed(f"{TEXTS}: text {given[0]} is given, not derived, so only a replay finds it; add --replay")
    else:
        checked = f"not replayed: {_unchecked(dossier)}"
    return Verification(
        scheme=dossier.statement.scheme,
        parameters=", ".join(f"{name}={value!a}" for name, value in sorted(dossier.statement.parameters.items())),
        attack=dossier.statement.attack,
        coalition=", ".join(map(str, dossier.statement.coalition)) or "nobody",
        verdict=files[folder.VERDICT].decode().strip(),
        scenario=_described(dossier, files),
        replayed=replay,
        unchecked=unchecked,
        work=work,
        summary=f"{_summary(dossier)}{f', after {guesses_in_words(work)}' if work else ''}; {checked}",
    )


def _described(dossier: Dossier, files: Mapping[str, bytes]) -> str:
    played, digest = dossier.scenario, hashlib.sha256(files[SCENARIO]).hexdigest()
    sizes = _count(len(played.users), "user"), _count(played.days, "day"), _count(played.messages, "text")
    return f"{', '.join(sizes)}, seed {played.seed}, SHA-256 {digest}"


def _summary(dossier: Dossier) -> str:
    texts, opened = len(dossier.texts), len(dossier.statement.opened)
    if not opened:
        return "no text is opened, so there is nothing to derive"
    count = _count(texts, "text") if texts == opened else f"{texts} of {_count(opened, 'text')} that are opened"
    follow = "follows" if count == "1 text" else "follow"
    return f"{count} {follow} from {_count(len(dossier.facts), 'fact')} in {_count(len(dossier.steps), 'step')}"


def _unchecked(dossier: Dossier) -> str:
    """Return in words what is taken on trust where nothing is played."""
    answers = [step.answer for step in dossier.steps if step.answer is not None]
    names = sorted({name for answer in answers for name in answer.by})
    trusted = f", {_count(len(answers), 'answer')} of {', '.join(names)!a}" if answers else ""
    facts = f"{_count(len(dossier.facts), 'given fact')}{trusted}, " if dossier.facts else ""
    return f"{facts}the sets and the verdict are unchecked"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# --- the steps ---


class _Execution:
    """Every fact and every step's result, by number."""

    def __init__(self, dossier: Dossier, library: Library) -> None:
        self.library, self.stranger, self.limit = library, stranger(), dossier.scenario.work
        self.values: list[Fact] = []
        self.free: set[int] = set()
        self._guesses: dict[tuple[int, float], float] = {}  # (number, bits) of each guess -> its trials
        self._made: dict[tuple[str, tuple[int, ...]], tuple[Fact, ...]] = {}
        self._listed: set[Fact] = set()
        seized = {(each.principal, min(each.evenings)) for each in dossier.statement.coalition}
        for line, fact in enumerate(dossier.facts, 1):
            self._take(f"{FACTS}, line {line}", fact, seized)
        for line, step in enumerate(dossier.steps, 1):
            self._follow(f"{STEPS}, line {line}", step)

    def _take(self, where: str, given: GivenFact, seized: set[tuple[str, int]]) -> None:
        taken = (given.holder, given.evening)
        if given.packet is None and taken == (None, None):
            self.free.add(len(self.values))
        elif given.packet is None and taken not in seized:
            raise Malformed(f"{where}: the coalition does not seize {given.holder!a} {on_evening(given.evening or 0)}")
        elif given.packet is not None and taken != (None, None):
            raise Malformed(f"{where}: it is taken in two places")
        try:
            self._append(self.library.fact(given.type, given.encoding))
        except Malformed as error:
            raise Malformed(f"{where}: {error}") from None

    @property
    def work(self) -> float:
        """The bits of all guesses together."""
        return log2(sum(self._guesses.values())) if self._guesses else 0.0

    def _append(self, value: Fact) -> None:
        if value in self._listed:
            raise Malformed("this fact stands in an earlier line too")
        self._listed.add(value)
        self.values.append(value)

    def _follow(self, where: str, step: ProofStep) -> None:
        if not all(0 <= each < len(self.values) for each in step.premises):
            raise Malformed(f"{where}: a premise does not precede it")
        try:
            for number, paid in zip(step.premises, self.library.paid(step.rule, len(step.premises)), strict=True):
                if paid and number in self.free and self.values[number] != self.stranger:
                    raise Malformed(f"premise {number} was taken from no one, and not everyone can make it")
            for number, bits in self.library.guessed(step.rule, step.premises).items():
                if number in self.free:
                    if bits > self.limit:
                        raise Malformed(f"{guesses_in_words(bits)} find premise {number}: only 2^{self.limit} count")
                    self._guesses[number, bits] = 2.0**bits
            self._append(self._result(step))
        except Malformed as error:
            raise Malformed(f"{where}: {error}") from error

    def _result(self, step: ProofStep) -> Fact:
        shown = [self.values[each] for each in step.premises]
        if (step.answer is not None) != self.library.is_service(step.rule):
            raise Malformed(f"{step.rule} and an official's answer do not go together")
        concluded = self.library.fact(step.type, step.encoding)
        if step.answer is not None:
            self.library.check_answer(step.rule, shown, concluded)
            return concluded
        key = step.rule, step.premises
        if key not in self._made:
            self._made[key] = self.library.run(step.rule, shown)
        if concluded not in self._made[key]:
            raise Malformed(f"{step.rule} gives {_kinds(self._made[key])}, but not this {type(concluded).__name__}")
        return concluded


def _kinds(facts: Sequence[Fact]) -> str:
    return ", ".join(f"a {type(each).__name__}" for each in facts)


def _check_texts(dossier: Dossier, values: Sequence[Fact]) -> None:
    """Raise Malformed unless each text is the fact that it is said to be, and somebody had or derived it."""
    before = -1
    for line, text in enumerate(dossier.texts, 1):
        where = f"{TEXTS}, line {line}"
        if text.id <= before or not 0 <= text.conclusion < len(values):
            raise Malformed(f"{where}: texts are not in order, or there is no such conclusion")
        before, concluded = text.id, values[text.conclusion]
        if not isinstance(concluded, Text) or concluded.body.hex() != text.body:
            raise Malformed(f"{where}: text {text.id} is not what number {text.conclusion} concludes")
        given = dossier.facts[text.conclusion] if text.conclusion < len(dossier.facts) else None
        if given is not None and given.packet is None and given.holder is None:
            raise Malformed(f"{where}: text {text.id} is taken from no one, and nothing derives it")


def _check_order(dossier: Dossier) -> None:
    """Raise Malformed unless every line is used, and is in its place."""
    used = {each for step in dossier.steps for each in step.premises} | {text.conclusion for text in dossier.texts}
    for name, keys, first in (
        (FACTS, [place((), fact.encoding) for fact in dossier.facts], 0),
        (STEPS, [place(step.premises, step.encoding) for step in dossier.steps], len(dossier.facts)),
    ):
        for line, key in enumerate(keys, 1):
            if first + line - 1 not in used:
                raise Malformed(f"{name}, line {line}: no text rests on this line")
            if line > 1 and key < keys[line - 2]:
                raise Malformed(f"{name}, line {line}: this line stands in another's place")

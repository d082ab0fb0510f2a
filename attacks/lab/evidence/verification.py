"""Executes a proof again: every step with the library's own functions, from the facts that it lists.

Without a replay this shows that these bytes give this text. With one it also shows that the play gives these bytes to
the members named, and that the cell is what the play gives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from attacks import registry as attack_registry
from attacks.lab.evidence import folder
from attacks.lab.evidence.case import Case, pass_of
from attacks.lab.evidence.execution import Library
from attacks.lab.evidence.folder import (
    CELL,
    CLAIM,
    FACTS,
    FILES,
    STATEMENT,
    STEPS,
    TEXTS,
    Dossier,
    GivenFact,
    ProofStep,
)
from attacks.lab.evidence.replay import replayed
from attacks.lab.simulation.attack import Attack
from attacks.lab.verdict.analysis import stranger
from escrow import registry
from escrow.codec import Fact
from escrow.e2ee.content import Text
from escrow.errors import Malformed
from escrow.scheme import Scheme


def verify(directory: Path, replay: bool = False, plugins: Sequence[Path] = ()) -> str:
    """Return one line that says what the proof in this folder shows.

    Raise Malformed, naming the file that is wrong, and why.
    """
    files = folder.get(directory)
    dossier = folder.read(files)
    _check_plugins(directory, files, plugins)
    scheme, attack, attacks = _played(dossier, plugins)
    _check_setting(dossier, files, scheme, attack)
    values = _Execution(dossier, Library(scheme, attacks)).values
    _check_texts(dossier, values)
    summary = _summary(dossier)
    if replay:
        return f"{summary}; replayed: {replayed(dossier, Case(scheme, attack, dossier.scenario, attacks), values)}"
    return f"{summary}{_trusted(dossier)}; not replayed"


def _summary(dossier: Dossier) -> str:
    texts, opened = len(dossier.texts), dossier.statement.opened
    if not opened:
        return "no text is opened, so there is nothing to derive"
    count = _count(texts, "text") if texts == opened else f"{texts} of {_count(opened, 'text')} that are opened"
    follow = "follows" if count == "1 text" else "follow"
    return f"{count} {follow} from {_count(len(dossier.facts), 'fact')} in {_count(len(dossier.steps), 'step')}"


def _trusted(dossier: Dossier) -> str:
    answers = [step.answer for step in dossier.steps if step.answer is not None]
    names = sorted({name for answer in answers for name in answer.by})
    return f", {_count(len(answers), 'answer')} of {', '.join(names)} taken on trust" if answers else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# --- who plays ---


def _check_plugins(directory: Path, files: Mapping[str, bytes], plugins: Sequence[Path]) -> None:
    """Raise Malformed unless the caller gives every plug-in of the folder, with the same bytes.

    The sources in the folder are only there to be read: the caller's are what runs.
    """
    given = {path.name: path for path in plugins}
    for name in sorted(files.keys() - FILES):
        if not name.endswith(".py"):
            raise Malformed(f"{name}: no file of a proof")
        if name not in given:
            raise Malformed(f"{name}: the proof needs this plug-in; read it, then add --plugin {directory / name}")
        try:
            same = given[name].read_bytes() == files[name]
        except OSError as error:
            raise Malformed(f"{given[name]}: {error.strerror}") from None
        if not same:
            raise Malformed(f"{name}: the plug-in {given[name]} has other contents")


def _played(dossier: Dossier, plugins: Sequence[Path]) -> tuple[Scheme, Attack, list[Attack]]:
    """Return the scheme with its parameters, the attack, and all attacks whose rules joined."""
    statement = dossier.statement
    schemes, attacks = registry.schemes(plugins), attack_registry.attacks(plugins)
    unknown = [] if statement.scheme in schemes else [statement.scheme]
    unknown += [name for name in statement.attacks if name not in attacks]
    if unknown:
        raise Malformed(f"{STATEMENT}: no scheme or attack is called {unknown[0]!a}; does it need a --plugin?")
    if statement.attack not in statement.attacks:
        raise Malformed(f"{STATEMENT}: the rules of {statement.attack!a} are left out")
    scheme = schemes[statement.scheme]
    if statement.parameters.keys() != registry.parameters(scheme).keys():
        raise Malformed(f"{STATEMENT}: {scheme.name} has other parameters")
    try:
        scheme = msgspec.convert(statement.parameters, type(scheme))
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise Malformed(f"{STATEMENT}: {scheme.name} does not take these parameters: {error}") from None
    return scheme, attacks[statement.attack], [attacks[name] for name in statement.attacks]


def _check_setting(dossier: Dossier, files: Mapping[str, bytes], scheme: Scheme, attack: Attack) -> None:
    statement, cell = dossier.statement, dossier.cell
    if (cell.scheme, cell.attack) != (statement.scheme, statement.attack):
        raise Malformed(f"{CELL}: it is of another scheme or attack than {STATEMENT}")
    if statement.label_pass != pass_of(attack):
        raise Malformed(f"{STATEMENT}: {attack.name} is not judged by the pass {statement.label_pass}")
    if not attack.served and any(step.answer for step in dossier.steps):
        raise Malformed(f"{STEPS}: an official answers, but {attack.name} uses no answers")
    if files[CLAIM] != folder.to_bytes([scheme.claim]):
        raise Malformed(f"{CLAIM}: {scheme.name} claims something else")
    if len(dossier.texts) > statement.opened or not all(each.evenings for each in statement.coalition):
        raise Malformed(f"{STATEMENT}: more texts are proven than opened, or a seizure is on no evening")


# --- the steps ---


class _Execution:
    """Every fact and every step's result, by number."""

    def __init__(self, dossier: Dossier, library: Library) -> None:
        self.library, self.stranger = library, stranger()
        self.values: list[Fact] = []
        self.free: set[int] = set()
        self._made: dict[tuple[str, tuple[int, ...]], tuple[Fact, ...]] = {}
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
            raise Malformed(f"{where}: the coalition does not seize {given.holder!a} on evening {given.evening}")
        elif given.packet is not None and taken != (None, None):
            raise Malformed(f"{where}: it is taken in two places")
        try:
            self.values.append(self.library.fact(given.type, given.encoding))
        except Malformed as error:
            raise Malformed(f"{where}: {error}") from None

    def _follow(self, where: str, step: ProofStep) -> None:
        if not all(0 <= each < len(self.values) for each in step.premises):
            raise Malformed(f"{where}: a premise does not precede it")
        try:
            for number, paid in zip(step.premises, self.library.paid(step.rule, len(step.premises)), strict=True):
                if paid and number in self.free and self.values[number] != self.stranger:
                    raise Malformed(f"premise {number} was taken from no one, and not everyone can make it")
            self.values.append(self._result(step))
        except Malformed as error:
            raise Malformed(f"{where}: {error}") from error

    def _result(self, step: ProofStep) -> Fact:
        shown = [self.values[each] for each in step.premises]
        if (step.answer is not None) != self.library.is_service(step.rule):
            raise Malformed(f"{step.rule} and an official's answer do not go together")
        if step.answer is not None:
            return self.library.answer(step.rule, shown, step.answer.type, step.answer.encoding)
        key = step.rule, step.premises
        if key not in self._made:
            self._made[key] = self.library.run(step.rule, shown)
        made = self._made[key]
        if not 0 <= step.result < len(made):
            raise Malformed(f"{step.rule} gives {_count(len(made), 'fact')}, none of which is number {step.result}")
        return made[step.result]


def _check_texts(dossier: Dossier, values: Sequence[Fact]) -> None:
    before = -1
    for line, text in enumerate(dossier.texts, 1):
        where = f"{TEXTS}, line {line}"
        if text.id <= before or not 0 <= text.conclusion < len(values):
            raise Malformed(f"{where}: texts are not in order, or there is no such conclusion")
        before, concluded = text.id, values[text.conclusion]
        if not isinstance(concluded, Text) or concluded.body.hex() != text.body:
            raise Malformed(f"{where}: text {text.id} is not what number {text.conclusion} concludes")
        if hashlib.sha256(concluded.body).hexdigest() != text.sha256:
            raise Malformed(f"{where}: the SHA-256 of text {text.id} does not fit")

"""What a proof says about itself, compared with this project and with itself before a step is executed or a play begun.

The scheme, its claim, all rules, whom the attack takes and every text follow from the names and the scenario alone, and
so does most of what the claim cannot grant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from attacks import registry as attack_registry
from attacks.lab.evidence import folder
from attacks.lab.evidence.case import Case, pass_of
from attacks.lab.evidence.folder import CELL, CLAIM, FACTS, FILES, STATEMENT, STEPS, TEXTS, VERDICT, Dossier
from attacks.lab.simulation.attack import Attack, Cast
from attacks.lab.simulation.play import text_of
from escrow import registry
from escrow.errors import Malformed
from escrow.grants import DEVICE, IN_SCOPE, OF_TARGETS, called, extents, is_met
from escrow.scheme import Grant, Scheme


def case_of(directory: Path, files: Mapping[str, bytes], dossier: Dossier, plugins: Sequence[Path]) -> Case:
    """Return the case that a proof is about. Raise Malformed if it contradicts itself, or this project's code.

    Args:
        directory: the folder, for messages.
        files: its files.
        dossier: their content.
        plugins: plug-ins of the caller: those of the folder with the same bytes, and perhaps others.
    """
    _check_plugins(directory, files, plugins)
    scheme, attack, attacks = _played(dossier, [path for path in plugins if path.name in files])
    case = Case(scheme, attack, dossier.scenario, attacks, dossier.cell.strategy)
    if files[CLAIM] != folder.to_bytes([scheme.claim]):
        raise Malformed(f"{CLAIM}: {scheme.name} claims something else")
    _check_statement(dossier, case)
    if wrong := next(_contradictions(dossier), ""):
        raise Malformed(wrong)
    _check_bodies(dossier)
    _check_excluded(dossier, case)
    return case


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
    unknown += [name for name in (statement.attack, *statement.attacks) if name not in attacks]
    if unknown:
        raise Malformed(f"{STATEMENT}: no scheme or attack is called {unknown[0]!a}; does it need a --plugin?")
    missing = [name for name in attacks if name not in statement.attacks and not _installed(attacks[name], plugins)]
    if missing or statement.attack not in statement.attacks:
        raise Malformed(f"{STATEMENT}: the rules of {(*missing, statement.attack)[0]!a} are left out")
    if list(statement.attacks) != sorted(set(statement.attacks)):
        raise Malformed(f"{STATEMENT}: the attacks are not in the order of their names, each once")
    scheme = schemes[statement.scheme]
    kinds, given = scheme.parameter_types(), statement.parameters
    if not registry.parameters(scheme).keys() <= given.keys() <= kinds.keys():
        raise Malformed(f"{STATEMENT}: {scheme.name} has other parameters")
    try:
        scheme = scheme.replaced(**{name: msgspec.convert(value, kinds[name]) for name, value in given.items()})
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise Malformed(f"{STATEMENT}: {scheme.name} does not take these parameters: {error}") from None
    return scheme, attacks[statement.attack], [attacks[name] for name in statement.attacks]


def _installed(attack: Attack, plugins: Sequence[Path]) -> bool:
    """Return whether an attack is of another package that is installed here: a proof from elsewhere may lack it."""
    return registry.is_plugin(attack) and type(attack).__module__ not in {
        registry.PREFIX + path.stem for path in plugins
    }


def _check_statement(dossier: Dossier, case: Case) -> None:
    """Raise Malformed unless the attack is judged by this pass and takes these members on these evenings."""
    statement, cell = dossier.statement, dossier.cell
    if (cell.scheme, cell.attack) != (statement.scheme, statement.attack):
        raise Malformed(f"{CELL}: it is of another scheme or attack than {STATEMENT}")
    try:
        attack, applies, taken = case.attack, case.applies, case.taken
    except LookupError as error:
        raise Malformed(f"{CELL}: {error}") from None
    except Exception as error:  # parameters and scenario come from the folder, and perhaps cannot be played
        reason = f"{type(error).__name__}: {folder.one_line(error)}"
        raise Malformed(f"{folder.SCENARIO}: it cannot be played: {reason}") from error
    if statement.label_pass != pass_of(attack):
        raise Malformed(f"{STATEMENT}: {attack.name} is not judged by the pass {statement.label_pass}")
    if not attack.served and any(step.answer for step in dossier.steps):
        raise Malformed(f"{STEPS}: an official answers, but {attack.name} uses no answers")
    if not applies and (statement.coalition or statement.reached or dossier.facts or cell.verdict != "NOT_APPLICABLE"):
        raise Malformed(f"{STATEMENT}: {attack.name} does not apply to {case.scheme.name}")
    for each in statement.coalition:
        if not each.evenings or not set(each.evenings) <= taken.get(each.principal, frozenset()):
            raise Malformed(f"{STATEMENT}: {attack.name} does not take {str(each)!a}")


def _contradictions(dossier: Dossier) -> Iterator[str]:
    """Yield where sets, counts, texts and the verdict do not go together."""
    statement, cell = dossier.statement, dossier.cell
    opened, reached, excluded = (set(getattr(statement, name)) for name in ("opened", "reached", "excluded"))
    proven = {text.id for text in dossier.texts}
    if not opened <= reached or not excluded <= reached:
        yield f"{STATEMENT}: texts are opened or excluded that no corruption reaches"
    if not proven <= opened:
        yield f"{TEXTS}: text {min(proven - opened)} is proven, and {STATEMENT} says that it is not opened"
    if opened and not proven:
        yield f"{TEXTS}: {STATEMENT} says that texts are opened, and none is proven"
    if dossier.facts and not proven:
        yield f"{FACTS}: nothing is proven with them"
    if cell.excluded != len(excluded):
        yield f"{CELL}: it counts {cell.excluded} excluded texts, and {STATEMENT} lists {len(excluded)}"
    if cell.verdict != "NOT_APPLICABLE" and cell.sent != dossier.scenario.messages:
        yield f"{CELL}: it counts {cell.sent} texts sent, and the scenario has {dossier.scenario.messages}"
    if cell.exposed.total > len(reached) or bool(cell.exposed.total) != bool(reached):
        yield f"{CELL}: it counts {cell.exposed.total} texts opened, and {STATEMENT} lists {len(reached)}"
    if not _may_stand(cell.verdict, bool(reached), bool(excluded)):
        yield f"{VERDICT}: {cell.verdict}, but {len(reached)} texts are opened, and the claim excludes {len(excluded)}"


def _may_stand(verdict: str, reached: bool, excluded: bool) -> bool:
    """Return whether a verdict fits: whether any text is opened, and whether the claim excludes one that is."""
    if verdict == "AS CLAIMED":
        return reached and not excluded
    if verdict in ("HELD", "NOT_APPLICABLE"):
        return not reached
    return verdict not in ("TIMEOUT", "ERROR")  # the others may be for something else than texts opened


def _check_bodies(dossier: Dossier) -> None:
    """Raise Malformed unless each text is the one that the scenario has under its number."""
    for line, text in enumerate(dossier.texts, 1):
        if text.body != text_of(dossier.scenario.seed, text.id).hex():
            raise Malformed(f"{TEXTS}, line {line}: text {text.id} is not the one that was sent")


def _check_excluded(dossier: Dossier, case: Case) -> None:
    """Raise Malformed if the claim grants an opened text to none of the members, and it is not called excluded."""
    statement, scenario = dossier.statement, dossier.scenario
    members = {each.principal for each in statement.coalition}
    planned = {said.id: said for said in scenario.texts()}
    for text in sorted(set(statement.opened) - set(statement.excluded)):
        people, day = scenario.people(planned[text]), planned[text].day
        served = [each for each in scenario.warrants if each.target in people]
        covered = any(each.scope == "content" and each.first <= day <= each.last for each in served)
        unmet = {*(() if covered else IN_SCOPE), *(() if served else OF_TARGETS)}
        if not any(_may_grant(grant, members, case.cast, unmet) for grant in case.scheme.claim.grants):
            raise Malformed(f"{STATEMENT}: the claim grants text {text} to no coalition of these, so it is excluded")


def _may_grant(grant: Grant, members: set[str], cast: Cast, unmet: set[str]) -> bool:
    """Return whether a grant may cover a text of which no warrant meets the extents in `unmet`.

    What hangs on evenings, on slots, or on what was opened before is left open.
    """

    def count(role: str) -> int:
        return len(members.intersection(cast.devices if role == DEVICE else called(role, cast.officials)))

    return is_met(grant.asked, count) and (grant.slot is not None or unmet.isdisjoint(extents(grant.extent)))

"""One scheme evaluated: its honest play, analysed once, and the cell of each attack."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from attacks.lab.adversary.closure import EndlessRule
from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.adversary.local import AdversaryFailed
from attacks.lab.results.types import Cell, Grounds, Manifest, Verdict
from attacks.lab.simulation.attack import Attack, Cast, Corruption, Keep, Seize, Use, evenings_of, misfit
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import Scenario, small
from attacks.lab.simulation.strategies import narrowest, played, strategies
from attacks.lab.simulation.trail import Trail
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis, rules_of
from attacks.lab.verdict.cell import Messaging, judge_cell
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.fingerprints import cell_key
from attacks.lab.verdict.frontier import StrategyResult, most, noticed, with_frontier, worth_more
from attacks.lab.verdict.judging.exercise import Exercise
from attacks.lab.verdict.judging.procedure import decided, texts
from attacks.lab.verdict.judging.reach import Reach, reach
from attacks.lab.verdict.judging.standing import NOTHING, InPlain, in_plain
from attacks.lab.verdict.steps import derivation
from escrow import __version__, registry
from escrow.crypto import random_bytes
from escrow.scheme import Scheme

OpenedInPlain = Callable[[Attack], InPlain]
if TYPE_CHECKING:
    from attacks.lab.crosscheck.two_plays import TwoPlays

PROMISING = (
    "HELD",
    "AS CLAIMED",
    "AS PLAIN",
    "CONCEDED",
)  # verdicts that no scheme gets while a property of its bytes is broken


def nothing(strategy: Attack) -> InPlain:
    """Return no text: what is opened in plain if a cell is compared with nothing."""
    return NOTHING


class Evaluation:
    """The honest play of one scheme in one scenario, analysed once, and the cells of attacks.

    `secret` (32 bytes) replaces the scenario's seed as the source of the plays' randomness. `isolated` gives each
    adversary its own process, plays under a fresh secret if none is given, and tries each cell's coalition again in a
    process that holds nothing else; a failure there is an ERROR. `plain` is the scheme that cells are compared with;
    their keys depend on it. `by_bytes` joins to the honest play's analysis what follows without rules (crosscheck).
    `byte_pass` tries the properties of the scheme's bytes before a cell is HELD or AS CLAIMED; `faults` are those that
    are known to be broken, where they were tried before. `derived` adds to each cell how one text is opened, unless the
    plays are under a fresh secret.
    """

    def __init__(
        self,
        scheme: Scheme,
        attacks: Sequence[Attack],
        scenario: Scenario,
        *,
        isolated: bool = False,
        secret: bytes | None = None,
        plain: Scheme | None = None,
        by_bytes: bool = False,
        byte_pass: bool = False,
        derived: bool = False,
        faults: tuple[str, ...] | None = None,
    ) -> None:
        self.scheme, self.attacks, self.scenario, self.isolated = scheme, attacks, scenario, isolated
        self.plain, self.by_bytes, self.byte_pass, self._faults = plain, by_bytes, byte_pass, faults
        self.derived = derived and not isolated  # a fresh secret gives other bytes in each run
        self.by_strategy: dict[tuple[str, str], InPlain] = {}  # attack and strategy
        self.fired: set[str] = set()  # the rules that fired in the plays of the last cell
        self.exercise = Exercise(scheme, attacks, isolated=isolated)
        self._secret = random_bytes(32) if isolated and secret is None else secret

    def play(self, attack: Attack) -> Record:
        """Return a new play, of an active attack: it goes on from the honest play once somebody is corrupted."""
        trail = None if self.by_bytes else self._trail
        return play(self.scheme, self.scenario, attack, secret=self._secret, trail=trail)

    @cached_property
    def record(self) -> Record:
        """The honest play."""
        return self._twice.record if self.by_bytes else self._trail.record

    @cached_property
    def _trail(self) -> Trail:
        trail = Trail()
        play(self.scheme, self.scenario, secret=self._secret, trail=trail)
        return trail

    @cached_property
    def _twice(self) -> TwoPlays:
        from attacks.lab.crosscheck.two_plays import TwoPlays  # a cell of a matrix does without

        return TwoPlays(self.scheme, self.scenario, secret=self._secret)

    @cached_property
    def cast(self) -> Cast:
        """The parties of the play."""
        return cast_of(self.scheme, self.scenario)

    @cached_property
    def honest(self) -> Messaging:
        """The effect of the honest play on the users' texts."""
        return Messaging(self.record)

    @cached_property
    def analysis(self) -> Analysis:
        """The analysis of the honest play."""
        if self.by_bytes:
            return Analysis(self.scheme, self.record, self.attacks, door=self._twice)
        found = self._analysed(self.record)
        if self.scenario == small() and self._secret is None:
            self.exercise.known = found.fired
        return found

    def forget(self) -> None:
        """Drop the honest play's analysis, which is large."""
        self.__dict__.pop("analysis", None)

    def under(self, attack: Attack) -> tuple[Analysis, tuple[Corruption, ...]]:
        """Return the analysis under an attack and its corruptions: the honest play's, or that of a play of its own.

        In the latter the adversary is given only the states of corrupted principals and, where services answer, of the
        officials: no one else can be in a coalition.
        """
        attack = narrowest(attack, self.cast, self.scenario)
        corruptions = tuple(attack.corruptions(self.cast, self.scenario))
        days = self.scenario.days
        corrupted = [
            Seizure(each.principal, evenings_of(each, days) if isinstance(each, Keep | Use) else ())
            for each in corruptions
            if not isinstance(each, Seize)
        ]
        if corrupted:
            record = self.play(attack)
            given = [*corrupted, *map(Seizure, self.cast.officials if attack.served else ())]
            beside = record.states.keys() - {*self.cast.devices, *self.cast.officials}  # what its apparatus became
            analysis = self._analysed(record, [*given, *map(Seizure, sorted(beside))])
        else:
            honest = attack.apparatus is None and type(attack).silenced is Attack.silenced
            analysis = self.analysis if honest else self._analysed(self.play(attack))
        self.fired |= analysis.fired
        return analysis, corruptions

    def _analysed(self, record: Record, taken: Sequence[Seizure] | None = None) -> Analysis:
        return Analysis(self.scheme, record, self.attacks, isolated=self.isolated, taken=taken)

    def cell(self, attack: Attack, opened_in_plain: OpenedInPlain = nothing) -> tuple[Cell, InPlain]:
        """Return the cell of this scheme under an attack, and what the attack opens in the cell's play.

        `opened_in_plain` returns what a strategy of the attack opens in the scheme that the cell is compared with.
        """
        key = cell_key(self.scheme, attack, self.scenario, self.attacks, self.plain)
        word, reason = _unplayed(self, attack)
        if reason:
            blank = Cell(scheme=self.scheme.name, attack=attack.name, verdict=word, reason=reason, key=key)
            grounds = Grounds(untested=reason if word == "INCONCLUSIVE" else "")
            return msgspec.structs.replace(blank, grounds=grounds), NOTHING
        self.fired = set()
        try:
            cell, opened = self._judged(attack, opened_in_plain)
        except (AdversaryFailed, EndlessRule) as error:
            cell = Cell(scheme=self.scheme.name, attack=attack.name, verdict="ERROR", reason=str(error))
            opened = NOTHING
        if self.byte_pass and cell.verdict in PROMISING and self._broken:
            cell = decided(cell, doubts=("; ".join(self._broken),))
        return msgspec.structs.replace(cell, key=key), opened

    @cached_property
    def _broken(self) -> tuple[str, ...]:
        if self._faults is not None:
            return self._faults
        from attacks.lab.verdict.by_bytes.byte_pass import BytePass  # for plug-ins only

        return BytePass(self.scheme, self.attacks).failures

    def opened(self, strategy: Attack) -> InPlain:
        """Return what one strategy opens, or what stands for it where it does not apply; none if there is neither."""
        if strategy.applies(self.scheme, self.cast):
            beside = strategy.in_plain()
            return NOTHING if beside is None else self.opened(beside)
        name = strategy.name, strategy.strategy
        if name not in self.by_strategy:
            self._reached(strategy)
        return self.by_strategy[name]

    def _reached(self, strategy: Attack) -> tuple[Analysis, tuple[Corruption, ...], Judge, Reach, Messaging]:
        """Play a strategy and note what it opens; the honest play, for the alarms of a cell, is not made."""
        analysis, corruptions = self.under(strategy)
        judge = Judge(analysis.record, self.scheme.claim)
        found = reach(analysis, judge, strategy, corruptions)
        messaging = Messaging(analysis.record)
        self.by_strategy[strategy.name, strategy.strategy] = in_plain(found, messaging.alarms)
        return analysis, corruptions, judge, found, messaging

    def _tried(self, strategy: Attack) -> StrategyResult:
        analysis, corruptions, judge, found, messaging = self._reached(strategy)
        reads = len(found.opened(found.best[1]))
        heard = noticed(messaging.alarms, self.honest.alarms)
        return StrategyResult(strategy, analysis, corruptions, judge, found, messaging, heard, reads)

    def tried(self, attack: Attack) -> list[StrategyResult]:
        """Return what is played of an attack's strategies, from narrow to wide."""
        return played(strategies(attack, self.cast, self.scenario), self._tried, worth_more, attack.plays)

    def _judged(self, attack: Attack, opened_in_plain: OpenedInPlain) -> tuple[Cell, InPlain]:
        tried = self.tried(attack)
        chosen = most(tried)
        if self.isolated and chosen.found.masks:
            _try_again(self, chosen.analysis.record, chosen.attack, chosen.found)
        itself = self.plain is not None and self.plain.name == self.scheme.name
        cells = [
            judge_cell(
                each,
                self.honest,
                self.opened(each.attack)._replace(itself=True) if itself else opened_in_plain(each.attack),
            )
            for each in tried
        ]
        listed = strategies(attack, self.cast, self.scenario)
        cell = with_frontier(cells, tried, len(listed))
        if self.derived and cell.taken is not msgspec.UNSET:
            shown = derivation(chosen.analysis, chosen.attack, chosen.found, cell.taken)
            cell = msgspec.structs.replace(cell, derivation=shown or msgspec.UNSET)
        return cell, in_plain(chosen.found, chosen.messaging.alarms)


def _unplayed(evaluation: Evaluation, attack: Attack) -> tuple[Verdict, str]:
    """Return the verdict and the reason if there is nothing to play: the reason is "" if there is."""
    if reason := evaluation.scheme.missing:
        return "INCONCLUSIVE", reason
    if reason := attack.applies(evaluation.scheme, evaluation.cast):
        return "NOT_APPLICABLE", reason
    if _is_idle(attack, evaluation.cast, evaluation.scenario):
        return "NOT_APPLICABLE", f"in this scenario {attack.name} finds nobody to corrupt"
    return "INCONCLUSIVE", _misfit(attack, evaluation.cast, evaluation.scenario)


def _is_idle(attack: Attack, cast: Cast, scenario: Scenario) -> bool:
    """Return whether an attack that would change what somebody does finds nobody for it."""
    kind = type(attack)
    if kind.corrupt is Attack.corrupt or kind.silenced is not Attack.silenced or attack.apparatus:
        return False
    return not any(tuple(each.corruptions(cast, scenario)) for each in strategies(attack, cast, scenario))


def _misfit(attack: Attack, cast: Cast, scenario: Scenario) -> str:
    """Return why the attack corrupts nobody here: it names somebody of another cast, or a day of no scenario."""
    if attack.apparatus:  # what stands beside the play is a principal only afterwards
        return ""
    corruptions = narrowest(attack, cast, scenario).corruptions(cast, scenario)
    return misfit(corruptions, {*cast.officials, *cast.devices}, scenario.days)


def _try_again(evaluation: Evaluation, record: Record, attack: Attack, found: Reach) -> None:
    """Raise AdversaryFailed if a process with only the coalition's states does not open the cell's texts."""
    members, opened = found.taken()
    given = (*members, *map(Seizure, record.cast.officials)) if attack.served else members
    alone = Analysis(evaluation.scheme, record, evaluation.attacks, isolated=True, taken=given)
    if missing := opened - alone.opened_by(members, SERVED if attack.served else MATHEMATICS):
        who = Coalition(members)
        raise AdversaryFailed(f"{who} alone does not open {texts(len(missing))}: a rule reads more than it is given")


# --- what was run ---


def manifest(
    schemes: Sequence[Scheme],
    attacks: Sequence[Attack],
    scenario: Scenario,
    every: Sequence[Attack],
    unverified: Sequence[str] = (),
) -> Manifest:
    """Return the part of a result that says how it was made."""
    parameters = {scheme.name: found for scheme in schemes if (found := registry.parameters(scheme))}
    return Manifest(
        version=__version__,
        scenario=scenario,
        parameters=parameters,
        schemes=tuple(scheme.name for scheme in schemes),
        attacks=tuple(attack.name for attack in attacks),
        inventory=_inventory(rule.name for scheme in schemes for rule in rules_of(scheme, every)),
        unverified=tuple(unverified),
        strategies=next((each.plays for each in attacks if each.plays != "ends"), "ends"),
        byte_pass=tuple(scheme.name for scheme in schemes if registry.is_plugin(scheme)),
    )


def _inventory(names: Iterable[str]) -> str:
    return hashlib.sha256(msgspec.json.encode(sorted(names))).hexdigest()

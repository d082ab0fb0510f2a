"""The properties that `check` tries of a scheme or an attack: those of escrow.testing, and those that need a play.

A scheme: parties live in their states through a whole play; a listener that corrupts no party reads nothing; every rule
is used. An attack: it breaks its specimen and not the sound twin; what only it can compute is computed there.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache, partial

from attacks.lab.adversary.view import module_of, words_of
from attacks.lab.crosscheck.compare import agree
from attacks.lab.runs.marked import Noted, honest_only, own_rules, run_by, used
from attacks.lab.runs.matrix import Progress
from attacks.lab.runs.workers import seldom_collecting
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.access.concessions import conceded_to_one
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis
from attacks.lab.verdict.by_bytes.beyond import under_other_types
from attacks.lab.verdict.by_bytes.byte_pass import BytePass, Test, broken_by
from attacks.lab.verdict.controls import controlled
from attacks.lab.verdict.judging.exercise import derivations_of
from attacks.registry import specimens
from escrow.derivation import Service
from escrow.e2ee import sender_keys
from escrow.e2ee.policing import CARRIED
from escrow.warrant import Demand


class Trial(BytePass):
    """One scheme in the small scenario, played on first use."""

    def forgets_nothing(self) -> str:
        """Check that parties replaced by their decoded states after every action play the same play."""
        again = play(self.scheme, small(), forgetful=True)
        if self.scheme.seedable:  # two plays differ in any case, but not in what people see
            same = (again.shown, again.lawful, again.alarms) == (
                self.record.shown,
                self.record.lawful,
                self.record.alarms,
            )
        else:
            same = again == self.record
        return "" if same else "parties that come back from their states play another play"

    def is_silent(self) -> str:
        """Check that a listener derives no text from all packets, the lawful access and its answers included."""
        for name in (MATHEMATICS, SERVED):
            if opened := self.analysis.opened_by((), name):
                return f"{len(opened)} of {len(self.record.sent)} texts are open to every listener ({name})"
        return ""

    def uses_every_rule(self) -> str:
        """Check that each rule that honest parties run fires; demands for orders only if officials answer.

        Data that honest parties erase in time exists only in a specimen of the scheme: its play counts where this one's
        does not suffice. Noted is what a thief alone computes, and what nobody does: cells are inconclusive until then.
        """
        words, own = words_of(self.scheme), own_rules(self.scheme)
        rules = [rule for rule in words.rules if words.services or Demand not in rule.takes]
        rules = [rule for rule in rules if rule.function.__module__ not in self.scheme.device.replaces]
        if getattr(self.scheme, "policing", "none") in CARRIED:  # clients fan out in groups then, without sender keys
            rules = [rule for rule in rules if rule.function.__module__ != sender_keys.__name__]
        fired = _fired(self.analysis)
        for specimen in specimens().values():
            if (
                {rule.name for rule in rules} - fired
                and type(specimen) is not type(self.scheme)
                and isinstance(specimen, type(self.scheme))
            ):
                fired |= _fired(Analysis(specimen, play(specimen, small()), self.every))
        if missing := _idle((rule.name for rule in rules if rule not in own), fired):
            return missing
        said = used(own, fired, run_by(lambda: play(self.scheme, small()), own) if own else set())
        unasked = [each.name for each in self._own_services() if each.name not in _answered(self.analysis)]
        if unasked and isinstance(said, Noted):  # else its rule may be the reason
            return f"never answered to a request: {', '.join(unasked)}"
        return said

    def _own_services(self) -> list[Service]:
        """Return the services of the scheme's own file or package, and of helpers: those of others may go unused."""
        home = module_of(self.scheme).__name__
        return [
            each
            for each in words_of(self.scheme).services
            if (module := each.checks.__module__) == home or module.partition(".")[0] not in ("escrow", "attacks")
        ]

    def lists_what_is_honest_only(self) -> str:
        """List the functions that no adversary has because their marks say so: what they compute is on trust."""
        return Noted("; ".join(honest_only(self.scheme)))

    def is_agreed_on(self) -> str:
        """Check that the closure opens all that puppets of seized states read, or keys found there: no rule is missing.

        Noted is what rules open by a secret that no code of its holder uses. What bytes open has a property of its own.
        """
        found = agree(self.analysis)
        return "; ".join(found.of_puppets) or (Noted("; ".join(found.notes)) if found.notes else "")

    def keeps_secrets_under_their_types(self) -> str:
        """List the officials' keys that others hold under another type, and that the scheme does not declare."""
        return Noted("; ".join(under_other_types(self.analysis, self.plays)))

    def counts_what_is_conceded(self) -> str:
        """Count what the claim concedes to one principal alone: where that is everything, nothing can violate it."""
        said = conceded_to_one(self.scheme, self.record)
        return Noted(f"the claim concedes to one alone: {said}; opening these is no breach") if said else ""

    def tests(self) -> Iterator[Test]:
        """Yield every property of a scheme, as a name and a function that returns "" or how it is broken."""
        from escrow.testing import properties  # here, because it imports hypothesis

        for each in properties.PROPERTIES:
            yield each.name, partial(each.broken, self.scheme, results=self._results)
        yield "a play forgets nothing", self.forgets_nothing
        yield "who only listens reads nothing", self.is_silent
        yield "every rule is used", self.uses_every_rule
        yield "what is honest only is listed", self.lists_what_is_honest_only
        yield "puppets and rules agree", self.is_agreed_on
        yield "keys under other types are listed", self.keeps_secrets_under_their_types
        yield "what a claim concedes is counted", self.counts_what_is_conceded
        yield from super().tests()


def of_attack(attack: Attack, every: Sequence[Attack]) -> Iterator[Test]:
    """Yield the properties of an attack."""
    found = cache(partial(controlled, attack, every))
    yield "it breaks its specimen and not the sound twin", lambda: found().failure
    yield "what only it computes is used on its specimen", lambda: _idle(derivations_of(attack), found().fired)


def _fired(analysis: Analysis) -> set[str]:
    return {name for name, times in analysis.closure.fired.items() if times}


def _answered(analysis: Analysis) -> set[str]:
    return {kind.name for kind in analysis.closure.edges.services.kinds()}


def _idle(rules: Iterable[str], fired: Container[str]) -> str:
    idle = [name for name in rules if name not in fired]
    return f"never used: {', '.join(idle)}" if idle else ""


def check(
    trials: Sequence[Trial],
    attacks: Sequence[Attack],
    progress: Progress | None = None,
    every: Sequence[Attack] = (),
) -> Iterator[tuple[str, bool, str]]:
    """Yield ("name, property", whether it holds, how it is broken or what is noted) for each property.

    It takes some seconds a scheme, and gives the same each time.

    Args:
        trials: the schemes to check, each as a trial.
        attacks: the attacks to check.
        progress: called with (properties done, properties in all, name).
        every: attacks whose derivations join the adversary's rules where an attack is checked, beside those checked.
    """
    every = tuple(dict.fromkeys((*every, *attacks)))
    tests = [(trial.scheme.name, *test) for trial in trials for test in trial.tests()]
    tests += [(attack.name, *test) for attack in attacks for test in of_attack(attack, every)]
    from escrow.testing.trying import leaving_no_files  # here, as above

    with leaving_no_files(), seldom_collecting():
        for done, (who, name, test) in enumerate(tests):
            if progress is not None:
                progress(done, len(tests), f"{who}, {name}")
            broken = broken_by(test)
            yield f"{who}, {name}", not broken or isinstance(broken, Noted), broken

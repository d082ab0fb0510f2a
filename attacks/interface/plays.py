"""One honest play of a scheme, and the questions that one can ask of it: who reads a text, what a coalition opens, how.

Coalitions are written as on the command line: `agent-1@3` is one evening, `agent-1@0-3` one seizure on whichever of
these, `agent-1` every evening. What `readers` returns can be given to `opened_by` and `derivation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from html import escape
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, Unpack

from attacks.interface.displayed import preformatted
from attacks.interface.given import ScenarioOptions, known, scenario_of
from attacks.lab.adversary.coalitions import Coalition, natural
from attacks.lab.evidence.explain import explained
from attacks.lab.evidence.provenance import coalition_of
from attacks.lab.simulation import play as simulation
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.analysis import MATHEMATICS, Analysis
from attacks.report.page import USUAL, counted, plain
from escrow.registry import UnknownName, unknown
from escrow.scheme import Scheme


def play(
    scheme: str | Scheme,
    scenario: str | Path | Scenario | None = None,
    *,
    plugins: str | Path | Iterable[str | Path] = (),
    settings: str | Sequence[str] = (),
    **options: Unpack[ScenarioOptions],
) -> PlayedScheme:
    """Play a scheme honestly, with its lawful access, and return the play; it is analysed at the first question.

    Args:
        scheme: a scheme, or its name.
        scenario: a scenario, its name in the lab, or its file; None for the default one.
        plugins: files that define schemes or attacks.
        settings: parameters of schemes, each as "SCHEME.PARAM=VALUE".
        **options: sizes of the default scenario (`users`, `groups`, `days`, `messages`, `smoke`), and what changes of
            any (`seed`, `work`, `warrants`, `meetings`).

    Raises:
        UnknownName: no scheme, parameter or value of this name.
        Malformed: a plug-in does not load, or there is no such scenario.
    """
    there = known(plugins, settings)
    return PlayedScheme(there.scheme(scheme), scenario_of(scenario, options), list(there.attacks.values()))


class PlayedScheme:
    """A play of one scheme, and its analysis by mathematics and, where officials answer, by their honest answers.

    A *pass* says what is counted on: "mathematics" on nobody, "served" on officials that answer who has a warrant,
    "without CHECK" on officials that leave out one check.
    """

    def __init__(self, scheme: Scheme, scenario: Scenario, attacks: Sequence[Attack]) -> None:
        """Play the scheme in the scenario; the rules of these attacks join those of the scheme."""
        self.scheme, self.scenario, self._attacks = scheme, scenario, attacks
        self._record: Record = simulation.play(scheme, scenario)

    def __repr__(self) -> str:
        """Return the scheme, and the number of texts and days."""
        sizes = f"{counted(len(self._record.sent), 'text')}, {counted(self.scenario.days, 'day')}"
        return f"<play of {self.scheme.name}: {sizes}>"

    @cached_property
    def _analysis(self) -> Analysis:
        return Analysis(self.scheme, self._record, self._attacks)

    @property
    def passes(self) -> tuple[str, ...]:
        """The names of the passes: "mathematics" alone if no official answers."""
        return self._analysis.passes

    @property
    def principals(self) -> tuple[str, ...]:
        """The names of all officials and devices, from which coalitions are made."""
        return (*self._record.cast.officials, *self._record.cast.devices)

    @property
    def texts(self) -> tuple[PlayedText, ...]:
        """All texts, in the order in which they were sent."""
        return tuple(PlayedText(self, sent.id, sent.day, sent.device, sent.conversation) for sent in self._record.sent)

    def text(self, number: int) -> PlayedText:
        """Return the text with this number. Raise UnknownName if there is none."""
        if type(number) is not int or not 0 <= number < len(self._record.sent):
            raise UnknownName(f"no text has the number {number!r}; there are 0 to {len(self._record.sent) - 1}")
        return self.texts[number]

    def opened_by(self, coalition: str | Coalition, label_pass: str = MATHEMATICS) -> frozenset[int]:
        """Return the numbers of the texts that a coalition opens.

        Args:
            coalition: whose states are taken, as on the command line; the network's packets are implied.
            label_pass: what is counted on, one of `passes`.

        Raises:
            UnknownName: the scenario has no such member, evening or pass.
        """
        return self._analysis.opened_by(self._members(coalition).members, self._pass(label_pass))

    def readers(self, number: int, label_pass: str = MATHEMATICS) -> Readers:
        """Return the minimal coalitions that open a text. Raise UnknownName for a text or a pass that is not there."""
        self.text(number)
        name = self._pass(label_pass)
        structure = self._analysis.structure(name)
        found = {structure.coalition(mask) for mask in self._analysis.masks(number, name)}
        ordered = sorted(found, key=lambda each: (len(each.members) + len(each.thresholds), natural(each)))
        return Readers(ordered)

    def derivation(self, coalition: str | Coalition, number: int | None = None, width: int = USUAL) -> DerivationTree:
        """Return how a coalition comes to a text, step by step.

        Args:
            coalition: whose states are taken, as on the command line.
            number: the number of the text; None for the first that is opened.
            width: the columns of a line; longer lines are cut.

        Raises:
            UnknownName: the scenario has no such member, evening or text.
        """
        members = self._members(coalition)
        return DerivationTree(tuple(explained(self._analysis, members, number, self._attacks, width)))

    def _members(self, coalition: str | Coalition) -> Coalition:
        return coalition_of(str(coalition), self._record)

    def _pass(self, name: str) -> str:
        if name not in self.passes:
            raise unknown(self.passes, name, "pass")
        return name


class PlayedText(NamedTuple):
    """One text of a play: its number, the day, the device that sent it, and the conversation."""

    play: PlayedScheme
    number: int
    day: int
    device: str
    conversation: str

    def __repr__(self) -> str:
        """Return all but the play."""
        return f"<text {self.number}, day {self.day}, {self.conversation}, from {self.device}>"

    def readers(self, label_pass: str = MATHEMATICS) -> Readers:
        """Return the minimal coalitions that open this text (`PlayedScheme.readers`)."""
        return self.play.readers(self.number, label_pass)

    def derivation(self, coalition: str | Coalition, width: int = USUAL) -> DerivationTree:
        """Return how a coalition comes to this text (`PlayedScheme.derivation`)."""
        return self.play.derivation(coalition, self.number, width)


class Readers(tuple[Coalition, ...]):
    """Minimal coalitions, those of few members first; `str` of each is what the command line takes."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the coalitions with semicolons between them, as `anatomy` prints them."""
        return "; ".join(map(str, self)) or "no coalition"

    def _repr_html_(self) -> str:
        """Return the coalitions as a list, for a notebook."""
        return f"<ul>{''.join(f'<li>{escape(str(each))}</li>' for each in self)}</ul>" if self else "no coalition"


class DerivationTree(NamedTuple):
    """How a coalition comes to a text: `str` of it is the tree, or a sentence if no text is opened."""

    lines: tuple[str, ...]

    def __str__(self) -> str:
        """Return the lines as `explain` prints them."""
        return "\n".join(map(plain, self.lines))

    def __repr__(self) -> str:
        """Return what stands above the tree."""
        return f"<{' '.join(takewhile(bool, map(plain, self.lines)))}>"

    def _repr_html_(self) -> str:
        """Return the tree for a notebook."""
        return preformatted(str(self))

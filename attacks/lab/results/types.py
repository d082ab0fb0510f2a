"""The shapes of results: `matrix`, `anatomy` and `run` write them, `compare` and `verify` read them back."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from attacks.lab.results.bounds import Count, DayOrNone, Either, More, Result, once
from attacks.lab.results.coverage import Access
from attacks.lab.results.details import (
    LISTS,
    AlarmDays,
    CellTexts,
    Derivation,
    MinimalTexts,
    ScenarioTexts,
    StateTaken,
    UnnoticedTexts,
    unpacked,
)
from attacks.lab.results.formulas import AccessFormula, GuessedAccess
from attacks.lab.results.naming import Identities, NamedTargets
from attacks.lab.results.tallies import Added as Added
from attacks.lab.results.tallies import Against as Against
from attacks.lab.results.tallies import Cost as Cost
from attacks.lab.results.tallies import Exposed as Exposed
from attacks.lab.results.tallies import Exposure as Exposure
from attacks.lab.results.tallies import Outside as Outside
from attacks.lab.simulation.scenario import Scenario

Verdict = Literal[
    "BREACH",
    "FAILS",
    "OUTSIDE MODEL",
    "CONCEDED",
    "AS PLAIN",
    "AS CLAIMED",
    "HELD",
    "NOT_APPLICABLE",
    "INCONCLUSIVE",
    "TIMEOUT",
    "ERROR",
]


class Alarms(Result, frozen=True, kw_only=True):
    """One check of one party that complained: how often, on which day first, after how many packets, and when."""

    who: str
    check: str
    times: Count
    first_day: DayOrNone
    packets: Count
    days: AlarmDays | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raise ValueError if the complaints by day are not as many as the count says, or begin on another day."""
        if self.days is not UNSET:
            self.days.check(self.times, self.first_day)


class Unnoticed(Result, frozen=True, kw_only=True):
    """The play that reads most among those without an alarm beyond the honest play's, `alarms`. Counts are of texts.

    Where no text is read, it is the play in which the lawful access has most wrong.
    """

    strategy: str = ""
    reads: More = 0
    evaded: More = 0
    fabricated: More = 0
    alarms: tuple[Alarms, ...] = ()
    texts: UnnoticedTexts | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raise ValueError if the texts that are listed are not as many as the count says."""
        if self.texts is not UNSET and len(unpacked(self.texts.opened)) != self.reads:
            raise ValueError(f"unnoticed reads {self.reads}, and lists {self.texts.opened or 'none'}")


class WorseWord(Result, frozen=True, kw_only=True):
    """The verdict of another strategy's play, worse than that of the play that reads most, and its reason."""

    strategy: str
    verdict: Verdict
    reason: str


class Grounds(Result, frozen=True, kw_only=True):
    """What a verdict rests on beside counts.

    `outside_model`: no corruption of the attack is inside the source's model; `model` are its assumptions that exclude
    any, `concessions` the places of those that count. `untested`: why the cell says nothing; `doubts` about what was
    not opened; `basis` are the rules, in words; `notes` stand behind the reason.
    """

    outside_model: bool = False
    model: tuple[str, ...] = ()
    concessions: tuple[str, ...] = ()
    untested: str = ""
    doubts: tuple[str, ...] = ()
    basis: str = ""
    notes: tuple[str, ...] = ()


class Cell(Result, frozen=True, kw_only=True):
    """One scheme under one attack. Counts are of texts unless they say otherwise.

    All counts are of one play: the one that reads most, or does most harm where none reads more, by the `strategy` of
    this name, of the `played` ones of the attack's `strategies`. `unnoticed` is the best of those that nobody notices;
    none if all are noticed. The verdict is the worst of all that were played: `worse` is that of another strategy.

    `excluded` are opened and covered by no grant. `overreached` counts over-collection, split in `overcollected` by
    whose texts and when, and in `outside` by why; `evaded` counts evasion, split in `missed`; `unkept` are those of
    them that the claim promises, `unkept_least` the fewest that are missed by a strategy which makes any missed, and
    `unkept_conceded` those of the `unkept` that the source concedes; `access` has these counts by when warrants were
    issued. `unreadable` are texts that the lawful access yields as ciphertexts of the
    users' own, `fabricated` those beside these and the `lawful` ones that nobody sent, `misattributed` those of the
    latter that it has in another conversation, and `framed` those that it attributed to a user who did not send them.
    `named` are targets of warrants whose names the network reads. `beyond` counts texts that open only to more guesses
    than the scenario's `work` allows; they count nowhere else. `coalition` is the smallest one that opens the most
    texts that the claim excludes, or else the most texts; `reason` says in one line what decided the verdict. `key` is
    known before the cell runs, `digest` names its evidence.

    `texts` are those counted, `taken` says when the coalition's states are taken, and `derivation` shows how it opens
    one of them. A cell that was not judged has none of these, and nor has a file of schema 1.
    """

    scheme: str
    attack: str
    verdict: Verdict
    reason: str = ""
    strategy: str = ""
    strategies: Either = 0
    played: Either = 0
    unnoticed: Unnoticed | None = None
    worse: WorseWord | None = None
    coalition: tuple[str, ...] = ()
    sent: Either = 0
    exposed: Exposed = Exposed()
    excluded: More = 0
    lawful: Either = 0
    entitled: Either = 0
    overreached: More = 0
    overcollected: Exposed = Exposed()
    outside: Outside = Outside()
    evaded: More = 0
    missed: Exposed = Exposed()
    fabricated: More = 0
    unreadable: More = 0
    misattributed: More = 0
    named: More = 0
    lost: More = 0
    forged: More = 0
    duplicated: More = 0
    framed: More = 0
    unkept: More = 0
    unkept_least: More | UnsetType = UNSET
    unkept_conceded: Either = 0
    access: Access | UnsetType = UNSET
    added: Added = Added()
    against: Against = Against()
    grounds: Grounds = Grounds()
    beyond: Either = 0
    added_over_plain: More = 0
    services: tuple[str, ...] = ()
    alarms: tuple[Alarms, ...] = ()
    cost: Cost = Cost()
    key: str = ""
    digest: str = ""
    texts: CellTexts | UnsetType = UNSET
    taken: tuple[StateTaken, ...] | UnsetType = UNSET
    derivation: Derivation | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raise ValueError if the texts that are listed are not as many as the counts say."""
        if self.texts is not UNSET:
            self.texts.check(self.sent, {name: attrgetter(count)(self) for name, count in LISTS.items()})

    @property
    def not_conceded(self) -> More:
        """The number of promised texts that are missed, and that the source does not concede."""
        return self.unkept - self.unkept_conceded

    @property
    def openable(self) -> More:
        """The number of texts that open to any number of guesses."""
        return self.exposed.total + self.beyond

    @property
    def complaints(self) -> int:
        """Return how often honest parties complained."""
        return sum(each.times for each in self.alarms)

    @property
    def whose(self) -> str:
        """Return the principals of the coalition, without the evenings."""
        return ", ".join(member.split("@")[0] for member in self.coalition)


class Manifest(Result, frozen=True, kw_only=True):
    """The run: version of this project, configuration, and the digest of the inventory of rules and attacks.

    `unverified` are schemes and attacks from outside the project; `byte_pass` are the schemes the properties of whose
    bytes were tried in this run, of the sources that ran. `strategies`: of each attack the narrowest and the widest are
    played, and one between where that may tell more; or all; or the narrowest alone.
    """

    version: str
    scenario: Scenario
    parameters: dict[str, dict[str, int | str | bool]]
    schemes: tuple[str, ...]
    attacks: tuple[str, ...]
    inventory: str
    unverified: tuple[str, ...] = ()
    byte_pass: tuple[str, ...] = ()
    strategies: Literal["ends", "all", "narrowest"] = "ends"

    def __post_init__(self) -> None:
        """Raise ValueError if a scheme or an attack appears twice."""
        once("the list of schemes", self.schemes)
        once("the list of attacks", self.attacks)


class Matrix(Result, frozen=True, kw_only=True):
    """Every scheme under every attack."""

    schema: Literal["escrow-lab/matrix/2", "escrow-lab/matrix/1"] = "escrow-lab/matrix/2"
    manifest: Manifest
    cells: tuple[Cell, ...]
    texts: ScenarioTexts | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raise ValueError if a cell appears twice."""
        once("the list of cells", [(cell.scheme, cell.attack) for cell in self.cells])


class ByDay(Result, frozen=True, kw_only=True):
    """Texts that a coalition opens if its seizure is on that evening: sent by then, and later.

    The key is the evening's number, or "set-up".
    """

    earlier: Count
    later: Count


class MemberThreshold(Result, frozen=True, kw_only=True):
    """Any t of these members."""

    t: int
    of: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ValueError if a member appears twice, or `t` is not between 1 and their number."""
        once("the list of members", self.of)
        if not 1 <= self.t <= len(self.of):
            raise ValueError(f"t is {self.t}, not between 1 and {len(self.of)}, the number of members")


class Minimal(Result, frozen=True, kw_only=True):
    """A minimal coalition, and the texts it opens. `members` are seizures, so one phone may stand there twice.

    `periods`, if not empty: all members must be taken within one and the same of these stretches of evenings.
    """

    mode: Literal["passive", "active"]
    label_pass: str = msgspec.field(name="pass")
    members: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    periods: tuple[str, ...] = ()
    threshold: MemberThreshold | None = None
    officials_only: bool
    opens: Count
    by_day: dict[str, ByDay]
    services: tuple[str, ...] = ()
    meddle: str = ""
    strategy: str = ""
    alarms: tuple[Alarms, ...] = ()
    texts: MinimalTexts | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raise ValueError if the texts that are listed are not as many as the counts say."""
        if self.texts is UNSET:
            return
        listed = {evening: len(unpacked(ids)) for evening, ids in self.texts.by_day.items()}
        counts = {evening: each.earlier + each.later for evening, each in self.by_day.items()}
        if listed != counts or len(whole := unpacked(self.texts.opened)) < self.opens:
            raise ValueError(f"{', '.join(self.members)}: the texts that are listed are not as many as the counts say")
        if any(unpacked(ids) - whole for ids in self.texts.by_day.values()):
            raise ValueError(f"{', '.join(self.members)}: a text is opened on an evening, and not at all")

    @property
    def row(self) -> tuple[str, ...]:
        """The row's name: how it was found, and its principals whatever their evenings, each as often as it is seized.

        A threshold is one of them.
        """
        if self.mode == "active":
            return ("active", self.meddle)
        names = (member.partition("@")[0] for member in self.members)
        wide = self.threshold
        return (self.label_pass, *names, *([f"any {wide.t} of {', '.join(wide.of)}"] if wide else []))


class Anatomy(Result, frozen=True, kw_only=True):
    """The measured access structure of a scheme; `identities` only where its fields name who sent a message.

    `structure` is it by names alone, `minimal_coalitions` by evenings; `guesses` says what of it takes guesses, and
    what more guesses than count would open. `named` counts whom the wire names, `access` is the lawful access of the
    honest play. `refusals` are checks of officials that refuse every order which was tried, so that the served rows may
    lack some. Files of schema 1 may lack all but `minimal_coalitions`, whose texts they count.
    """

    schema: Literal["escrow-lab/anatomy/2", "escrow-lab/anatomy/1"] = "escrow-lab/anatomy/2"
    scheme: str
    sent: Count
    structure: tuple[AccessFormula, ...] = ()
    guesses: tuple[GuessedAccess, ...] = ()
    minimal_coalitions: tuple[Minimal, ...]
    identities: Identities | None = None
    named: NamedTargets | None = None
    access: Access | UnsetType = UNSET
    refusals: tuple[str, ...] = ()
    texts: ScenarioTexts | UnsetType = UNSET
    manifest: Manifest

    def __post_init__(self) -> None:
        """Raise ValueError if a row appears twice."""
        once("the list of coalitions", [each.row for each in self.minimal_coalitions])


def to_json(result: Result) -> bytes:
    """Return canonical JSON, ending in a newline: a line for each field of a row, however much the field holds."""
    return (_written(msgspec.to_builtins(result, order="deterministic"), "", 3) + "\n").encode()


def _written(value: Any, margin: str, levels: int) -> str:
    """Return a value as JSON: so many levels of it a line for each entry, and what is deeper on one line."""
    if not (levels and value and isinstance(value, dict | list | tuple)):
        return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    inner = margin + "  "
    if isinstance(value, list | tuple):
        return "[\n" + ",\n".join(inner + _written(each, inner, levels - 1) for each in value) + f"\n{margin}]"
    lines = (f"{inner}{_written(key, '', 0)}: {_written(each, inner, levels - 1)}" for key, each in value.items())
    return "{\n" + ",\n".join(lines) + f"\n{margin}}}"

"""Evidence for a cell: a folder from which anyone can derive again the texts that its coalition opens.

`write` makes it, `verify` executes it again; attacks.lab.evidence.folder describes its content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from attacks.lab.adversary.proof import Given, RuleStep, prove
from attacks.lab.evidence import folder
from attacks.lab.evidence.case import Case, Members
from attacks.lab.evidence.execution import full_name
from attacks.lab.evidence.folder import GivenFact, OfficialAnswer, ProofStatement, ProvenText
from attacks.lab.evidence.order import ordered
from attacks.lab.evidence.provenance import checks_made, packets
from attacks.lab.evidence.verification import verify
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.scenario import Scenario
from escrow import codec, registry
from escrow.codec import Fact
from escrow.registry import UnknownName
from escrow.scheme import Scheme

MOST_TEXTS = 500  # above this number, only texts that the claim excludes are proven
MOST_BYTES = 4 << 20  # of a folder, unless one text alone takes more


def write(
    directory: Path,
    scheme: Scheme,
    attack: Attack,
    scenario: Scenario,
    attacks: Sequence[Attack],
    coalition: str | None = None,
    plugins: Sequence[Path] = (),
) -> str:
    """Write the evidence for one cell and return its digest, the name of the new folder inside `directory`.

    Args:
        directory: where to make the folder.
        scheme: the cell's scheme.
        attack: the cell's attack.
        scenario: what to play.
        attacks: the attacks whose rules join.
        coalition: members as on the command line; without it, the cell's own coalition.
        plugins: source files to add to the folder.

    Raises:
        UnknownName: the attack does not take these members.
        FileExistsError: the folder exists.
        OSError: the folder cannot be written.
    """
    case = Case(scheme, attack, scenario, attacks)
    return folder.put(directory, compose(case, coalition) | _sources(plugins))


def compose(case: Case, coalition: str | None = None) -> dict[str, bytes]:
    """Return the files of the evidence by name, without plug-ins: the same bytes each time."""
    members: Members = ()
    opened: list[int] = []
    if case.applies:
        members = case.best() if coalition is None else case.chosen(coalition)
        opened = case.opened_by(members)
    texts = _worth(case, opened)
    while True:
        files = _Writer(case, members).files(opened, texts)
        if len(texts) <= 1 or sum(map(len, files.values())) <= MOST_BYTES:
            return files
        texts = texts[: len(texts) // 2]


def _worth(case: Case, opened: list[int]) -> list[int]:
    """Return the texts to prove.

    All; if too many, those that the claim excludes; if still too many, the first of them.
    """
    if len(opened) <= MOST_TEXTS:
        return opened
    excluded = [text for text in opened if text in case.reach.excluded]
    return (excluded or opened)[:MOST_TEXTS]


def _sources(plugins: Sequence[Path]) -> dict[str, bytes]:
    for path in plugins:
        if not folder.is_name(path.name) or path.suffix != ".py":
            raise UnknownName(f"{path.name!a}: evidence takes plug-ins whose names are plain and end in .py; rename it")
    return {path.name: path.read_bytes() for path in plugins}


class _Writer:
    """Facts and steps of one proof, numbered in the order of `order.ordered`."""

    def __init__(self, case: Case, members: Members) -> None:
        self.case, self.members = case, members
        self.facts: list[GivenFact] = []
        self.steps: list[folder.ProofStep] = []

    def files(self, opened: list[int], texts: list[int]) -> dict[str, bytes]:
        case = self.case
        proven = self._prove(texts) if texts else []
        statement = ProofStatement(
            scheme=case.scheme.name,
            parameters=msgspec.to_builtins(registry.parameters(case.scheme)),
            attack=case.attack.name,
            attacks=tuple(each.name for each in case.attacks),
            label_pass=case.label_pass,
            coalition=self.members,
            opened=tuple(opened),
            reached=case.reached,
            excluded=case.excluded,
        )
        return folder.cell_files(case.cell) | {
            folder.STATEMENT: folder.to_bytes([statement]),
            folder.CLAIM: folder.to_bytes([case.scheme.claim]),
            folder.SCENARIO: folder.to_bytes([case.scenario]),
            folder.FACTS: folder.to_bytes(self.facts),
            folder.STEPS: folder.to_bytes(self.steps),
            folder.TEXTS: folder.to_bytes(proven),
        }

    def _prove(self, texts: list[int]) -> list[ProvenText]:
        analysis = self.case.analysis
        conclusions = [analysis.texts[text] for text in texts]
        proof = prove(analysis.labels, conclusions, self.members, self.case.label_pass)
        entries = {each.fact if isinstance(each, Given) else each.conclusion: each for each in proof}
        encodings = {each: codec.encode(analysis.closure.facts[each]).hex() for each in entries}
        made = {fact: each for fact, each in entries.items() if isinstance(each, RuleStep)}
        order = ordered(encodings, {fact: each.premises for fact, each in made.items()})
        numbers = {fact: at for at, fact in enumerate(order)}
        heard = packets(analysis, self.case.attacks)
        self.facts = [self._fact(each, heard) for fact in order if isinstance(each := entries[fact], Given)]
        self.steps = [self._step(made[fact], numbers) for fact in order if fact in made]
        bodies = {sent.id: sent.body for sent in analysis.record.sent}
        return [
            ProvenText(id=text, conclusion=numbers[number], body=bodies[text].hex())
            for text, number in zip(texts, conclusions, strict=True)
        ]

    def _fact(self, entry: Given, heard: Mapping[Fact, int]) -> GivenFact:
        fact = self.case.analysis.closure.facts[entry.fact]
        told = entry.holder == "network"
        return GivenFact(
            **_written(fact),
            packet=heard[fact] if told else None,
            holder=None if told else entry.holder,
            evening=None if told else entry.evening,
        )

    def _step(self, entry: RuleStep, numbers: Mapping[int, int]) -> folder.ProofStep:
        closure = self.case.analysis.closure
        answer = None
        if service := closure.edges.service(entry.edge):
            answer = OfficialAnswer(by=service.kind.holders, checks=checks_made(self.case.analysis, service))
        premises = tuple(numbers[each] for each in entry.premises)
        concluded = _written(closure.facts[entry.conclusion])
        return folder.ProofStep(rule=entry.rule, premises=premises, **concluded, answer=answer)


def _written(fact: Fact) -> dict[str, str]:
    return {"type": full_name(type(fact)), "encoding": codec.encode(fact).hex()}


__all__ = ["compose", "verify", "write"]

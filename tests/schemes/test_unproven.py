"""Property: without the sender's proof, one lawful warrant opens everything; with it, what the warrant covers."""

from attacks import registry
from attacks.lab.adversary.labelling.labels import WITHOUT
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import SERVED
from attacks.lab.verdict.cell import Messaging
from attacks.lab.verdict.evaluation import Evaluation
from attacks.specimens import unproven
from escrow.scheme import Scheme

SCENARIO = default(users=3, groups=0, days=4, messages=16)
ATTACKS = tuple(registry.attacks().values())
PROOF = "proof that the sender made this field"


def authority_opens(scheme: Scheme, name: str) -> tuple[frozenset[int], Evaluation]:
    evaluation = Evaluation(scheme, ATTACKS, SCENARIO)
    structure = evaluation.analysis.structure(name)
    numbers = {number: text for text, number in evaluation.analysis.texts.items()}
    rows = [row for row in structure.table(["authority"]) if row.coalition.members]
    return frozenset(numbers[number] for row in rows for number in row.opens), evaluation


def test_an_unproven_field_is_relabelled_and_everything_opens_to_one_lawful_warrant() -> None:
    opened, evaluation = authority_opens(unproven.SPECIMEN, SERVED)
    assert opened == {sent.id for sent in evaluation.record.sent}
    cell, _ = evaluation.cell(registry.attacks()["warrant-misuse"])
    assert cell.verdict == "BREACH" and cell.excluded > 0


def test_a_proven_field_opens_to_its_own_warrant_and_the_pass_without_the_proof_prices_the_promise() -> None:
    opened, evaluation = authority_opens(unproven.TWIN, SERVED)
    assert opened == Messaging(evaluation.record).entitled
    without, _ = authority_opens(unproven.TWIN, WITHOUT + PROOF)
    assert without == {sent.id for sent in evaluation.record.sent}
    cell, _ = evaluation.cell(registry.attacks()["warrant-misuse"])
    assert cell.verdict == "AS CLAIMED"

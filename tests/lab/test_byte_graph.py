"""Third parties' schemes whose weakness no type and no rule tells of are caught by bytes; their sound twins are not."""

from __future__ import annotations

import json
from functools import lru_cache

import pytest

from attacks import registry
from attacks.cli import main
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.labelling.labels import BYTES, MATHEMATICS
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.runs.conformance import Trial
from attacks.lab.runs.marked import Noted
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict import analysis as analysing
from attacks.lab.verdict.by_bytes.beyond import opened_beyond
from attacks.lab.verdict.by_bytes.byte_pass import BytePass
from attacks.registry import specimens
from escrow import Alias
from escrow.e2ee.ratchet import open_message
from escrow.scheme import SET_UP
from escrow.schemes import plain
from escrow.schemes.clipper.scheme import Clipper
from tests.support import planted_deposits as deposits
from tests.support.deposits import SHAPES
from tests.support.planted import BRIEF, planted

ATTACKS = tuple(registry.attacks().values())
PROPERTY = "bytes open nothing beyond the rules"
WITNESS = "what some key opens, the rules open"
ALTERNATING = (SHAPES[:3], (SHAPES[0], *SHAPES[3:]))  # of each kind the first scheme in three shapes, and the second


@lru_cache(20)  # of more than two hundred, which take gigabytes; some are asked twice in a row
def trial(scheme):
    return Trial(scheme, ATTACKS)


def found(scheme, name=PROPERTY):
    """What `check` says of the property, by its name."""
    return dict(trial(scheme).tests())[name]()


PLANTED = [
    (kind, shape) for at, kind in enumerate((*deposits.PLANTED, *deposits.REUSED)) for shape in ALTERNATING[at % 2]
]


@pytest.mark.parametrize(("kind", "shape"), PLANTED, ids=lambda each: getattr(each, "name", each))
def test_a_weakness_that_no_type_tells_of_is_found_with_its_coalition_and_texts(kind, shape):
    """Two evenings of eight texts show it; what is sound is tried with more, where more could be blamed."""
    brief = BytePass(kind(shape=shape), ATTACKS)
    brief.plays = TwoPlays(brief.scheme, BRIEF)
    said = dict(brief.tests())[kind.told]()
    assert kind.who in said if kind.told != PROPERTY else said.startswith(kind.who)
    assert kind.by.removesuffix(")") in said
    assert f"{kind.texts} texts" in said


@pytest.mark.parametrize("kind", deposits.SOUND, ids=lambda kind: kind.name)
def test_the_sound_twin_is_not_blamed(kind):
    for shape in ALTERNATING[deposits.SOUND.index(kind) % 2]:
        assert found(kind(shape=shape)) == "", shape


def test_where_several_keys_fit_a_short_checksum_rules_open_what_bytes_open():
    """A thief who has 64 bits of a session key, and a checksum of 8, tries all keys that fit."""
    scheme, scenario = Clipper(partial=True, width=8), default(users=2, groups=0, days=2, messages=4)
    plays = TwoPlays(scheme, scenario)
    tried = analysing.Analysis(scheme, plays.record, ATTACKS, door=plays)
    programmer = [Seizure("programmer", (SET_UP,))]
    every = {sent.id for sent in plays.record.sent}
    assert tried.opened_by(programmer, BYTES) == tried.opened_by(programmer, MATHEMATICS) == every
    assert opened_beyond(tried, plays, ()) == []


@pytest.mark.parametrize("name", sorted(specimens()))
def test_specimens_and_their_twins_pass(name):
    assert found(specimens()[name]) == ""


def test_what_a_key_opens_and_no_rule_does_is_found(monkeypatch):
    every = analysing.rules_of
    monkeypatch.setattr(
        analysing, "rules_of", lambda *of: tuple(each for each in every(*of) if each is not open_message.__rule__)
    )
    tests = dict(Trial(plain.SCHEME, ATTACKS).tests())
    assert " texts (" in tests[WITNESS]() and "@" in tests[WITNESS]()
    assert tests[PROPERTY]() == ""


NOTED = "keys under other types are listed"


def test_an_official_key_under_another_type_is_listed_unless_it_is_declared():
    said = found(deposits.Alias(), NOTED)
    assert said == "clerk holds the bytes of custodian's DepositKey" and isinstance(said, Noted)
    assert found(deposits.AliasHashed(), NOTED) == ""
    declared = type("Declared", (deposits.Alias,), {"aliases": (Alias("DepositKey", "cl*", "for a test"),)})
    assert found(declared(), NOTED) == ""
    assert "clerk's kept (DepositKey.value, " in found(declared())  # what it opens counts all the same


ANSWERING = """
    def on_request(self, sender: str, request: Request, wire: Wire) -> Answered:
        field = codec.decode(request.subject, PlantedField)
        return seal_answer(request.warrant, open_sealed_key(field, self.key))
"""


def test_an_honest_only_function_that_decides_is_named(tmp_path):
    """The rule of the template's custodian, marked as no rule: in this play only clients compute."""
    scheme = planted(
        tmp_path,
        (
            '@derivation("field.custodian = key.public")\ndef open_sealed_key',
            '@honest_only("mine")\ndef open_sealed_key',
        ),
        ('@service(open_sealed_key, holder="key")\n', '@honest_only("checks")\n'),
        ("    promise = custodian_checks\n", ANSWERING),
        ("from escrow.warrant import Answer, ", "from escrow.warrant import Answer, Answered, Request, seal_answer, "),
        ("import Checks, derivation, service", "import Checks, derivation, honest_only"),
    )
    said = found(scheme)
    assert said.startswith("custodian@set-up,0-3: 24 texts") and "custodian's key.raw (PlantedKey.raw, planted" in said
    assert "open_sealed_key" in said and "is marked @honest_only, and decides" in said


def test_rows_found_by_bytes_stand_in_a_pass_of_their_own(tmp_path):
    output = tmp_path / "anatomy.json"
    asked = ["anatomy", "envelope", "--smoke", "--format", "json", "-o", str(output)]
    assert main(asked) == 0
    without = json.loads(output.read_text())["minimal_coalitions"]
    assert main([*asked, "--bytes", "--force"]) == 0
    rows = json.loads(output.read_text())["minimal_coalitions"]
    assert [row for row in rows if row["pass"] != BYTES] == without
    passive = [row for row in rows if row["mode"] == "passive"]
    of = {name: [row | {"pass": ""} for row in passive if row["pass"] == name] for name in (BYTES, MATHEMATICS)}
    assert of[BYTES] == of[MATHEMATICS] != []

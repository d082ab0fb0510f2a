"""A scheme from outside whose bytes break a property gets no HELD and no AS CLAIMED, and the property is named."""

import json

import pytest

from attacks import registry as attack_registry
from attacks.cli import main
from attacks.lab.runs.matrix import run_matrix
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.evaluation import PROMISING, Evaluation
from escrow import registry
from tests.support.command_line import SMALL
from tests.support.planted import beside, planted

ATTACKS = [attack_registry.attacks()[name] for name in ("authority-theft", "device-compromise", "null-eavesdropper")]
CONSTANT = beside("crypto.seal(b'one constant key in every client', key.value, blank.labels(), key.chain[:12])")
REPEATED = beside("crypto.seal(crypto.sha256(key.value), b'1', b'') + crypto.seal(crypto.sha256(key.value), b'2', b'')")
ROUND = beside("__import__('hashlib').sha256(key.chain).digest()")


def verdicts(scheme):
    found = run_matrix([scheme], ATTACKS, small(), every=ATTACKS)
    assert found.manifest.byte_pass == ((scheme.name,) if registry.is_plugin(scheme) else ())
    return {cell.attack: cell for cell in found.cells}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The cells of the scheme in which nothing is planted."""
    return verdicts(planted(tmp_path_factory.mktemp("sound")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            CONSTANT,
            "no secret is the same in every run: alice-laptop, alice-phone, bob-laptop and 2 more give",
        ),
        (REPEATED, "no key and nonce seal twice: seal by alice-laptop, alice-phone, bob-laptop and 2 more in "),
        (ROUND, "all cryptography goes through the door: planted_"),
    ],
    ids=["constant", "nonce", "round the door"],
)
def test_no_promising_verdict_where_a_property_of_bytes_is_broken(changes, said, tmp_path, sound):
    broken = verdicts(planted(tmp_path, *changes))
    promised = {name for name, cell in sound.items() if cell.verdict in PROMISING}
    assert {"authority-theft", "null-eavesdropper"} <= promised
    for name, cell in broken.items():
        if name in promised:
            assert cell.verdict == "INCONCLUSIVE"
            assert said in cell.reason
            assert f"; else {sound[name].verdict}: " in cell.reason
        else:
            assert cell.verdict == sound[name].verdict == "BREACH"


def test_the_librarys_own_schemes_are_not_tried_in_a_run(monkeypatch):
    monkeypatch.setattr("attacks.lab.verdict.by_bytes.byte_pass.BytePass", lambda *given: pytest.fail("tried"))
    verdicts(registry.schemes()["envelope"])


def test_run_and_matrix_say_the_same_and_the_manifest_says_that_bytes_were_tried(tmp_path, capsys):
    scheme = planted(tmp_path, *CONSTANT)
    path = str(next(tmp_path.glob("*.py")))
    cells = []
    for command in (
        ["run", "null-eavesdropper", "--scheme", "planted"],
        ["matrix", "--only", "*anted", "--only", "null-*"],
    ):
        main([*command, "--plugin", path, "--format", "json", *SMALL])
        told = json.loads(capsys.readouterr().out)
        assert told["manifest"]["byte_pass"] == [scheme.name]
        cells += [cell for cell in told["cells"] if cell["scheme"] == scheme.name]
    assert cells[0] == cells[1]
    assert cells[0]["verdict"] == "INCONCLUSIVE"


def test_a_pass_is_made_once_and_only_where_something_is_promised(tmp_path, monkeypatch):
    from attacks.lab.verdict.by_bytes import byte_pass

    made = []

    class Counted(byte_pass.BytePass):
        def __init__(self, *given):
            made.append(given)
            super().__init__(*given)

    monkeypatch.setattr(byte_pass, "BytePass", Counted)
    evaluation = Evaluation(planted(tmp_path), ATTACKS, small(), byte_pass=True)
    assert [evaluation.cell(attack)[0].verdict in PROMISING for attack in ATTACKS] == [True, False, True]
    assert len(made) == 1


def test_faults_that_are_known_are_not_looked_for_again(tmp_path, monkeypatch):
    scheme = planted(tmp_path)
    monkeypatch.setattr("attacks.lab.verdict.by_bytes.byte_pass.BytePass", lambda *given: pytest.fail("tried"))
    said = "no secret is the same in every run: told before"
    found = run_matrix([scheme], ATTACKS[-1:], small(), every=ATTACKS, faults={scheme.name: (said,)})
    assert [(cell.verdict, said in cell.reason) for cell in found.cells] == [("INCONCLUSIVE", True)]

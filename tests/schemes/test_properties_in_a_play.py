"""The properties that need a play catch a scheme that was broken on purpose."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from kit import NEVER, PLAIN, PROPERTY, SCHEMES, plugin
from specimens import counter
from unplayable import Blunt, UncastScheme

from attacks.lab.runs import conformance
from attacks.lab.runs.marked import Noted
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.by_bytes.byte_pass import BytePass
from attacks.null_eavesdropper import NullEavesdropper
from attacks.registry import attacks
from escrow.e2ee.device import Device
from escrow.e2ee.ratchet import Slot
from escrow.schemes import plain

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_has_every_property_in_a_play(scheme):
    trial = conformance.Trial(SCHEMES[scheme], tuple(attacks().values()))
    tried = {prop: test() for prop, test in trial.tests() if prop not in PROPERTY}
    assert tried.keys() == set(PLAYED)
    assert {prop: said for prop, said in tried.items() if not isinstance(said, Noted)} == {
        prop: "" for prop, said in tried.items() if not isinstance(said, Noted)
    }
    assert {prop for prop, said in tried.items() if isinstance(said, Noted)} <= NOTED
    own = Analysis(SCHEMES[scheme], trial.record, ())
    if opened(own) != opened(trial.analysis):  # rules of attacks might explain what a scheme's own do not
        alone = BytePass(SCHEMES[scheme], ())
        alone.plays = trial.plays
        assert {prop: said for prop, test in alone.tests() if (said := test())} == {}


def opened(analysis):
    """Who opens which text by rules. Bytes and fewer rules open no more, so where this is equal one pass says all."""
    structure = analysis.structure()
    return {sent.id: {structure.example(mask) for mask in analysis.masks(sent.id)} for sent in analysis.record.sent}


# --- specimens: (property, what its verdict names, scheme, and the one line that breaks it) ---

FORGETS = "a play forgets nothing"
PLAYED = tuple(name for name, _ in conformance.Trial(PLAIN, ()).tests() if name not in PROPERTY)
NOTED = {
    "keys under other types are listed",
    "puppets and rules agree",
    "every rule is used",
    "what is honest only is listed",
    "what a claim concedes is counted",
}  # what may be said although it holds
STRUCK = ("it breaks its specimen and not the sound twin", "what only it computes is used on its specimen")


# --- specimens of the properties that need a play ---


def played(scheme, prop):
    return dict(conformance.Trial(scheme, ()).tests())[prop]()


def test_a_party_that_remembers_outside_its_fields_plays_another_play(monkeypatch):
    monkeypatch.setattr(Device, "access_field", counter())
    assert "another play" in played(PLAIN, "a play forgets nothing")


class SystemDevice(Device):
    def access_field(self, key, context):
        return Slot(os.urandom(8), 0)


class SilentScheme(plain.Plain, frozen=True):
    device = SystemDevice


class UnseedableScheme(SilentScheme, frozen=True):
    seedable = "its field is the operating system's"


@pytest.mark.parametrize("admitted", [True, False])
def test_a_scheme_that_is_not_seedable_must_say_so(admitted):
    scheme = UnseedableScheme() if admitted else SilentScheme()
    tried = dict(conformance.Trial(scheme, ()).tests())
    broken = {prop for prop in ("nothing is kept elsewhere", "the seed decides", FORGETS) if tried[prop]()}
    assert broken == (set() if admitted else {"nothing is kept elsewhere", "the seed decides", FORGETS})


def test_a_key_beside_its_message_is_read_by_whoever_listens(monkeypatch):
    monkeypatch.setattr(Device, "access_field", lambda party, key, context: key)
    assert "24 of 24 texts are open" in played(PLAIN, "who only listens reads nothing")


def test_a_rule_that_never_fires_is_named(tmp_path):
    scheme = plugin(tmp_path, "idle_rule", NEVER.replace("def more", "@derivation()\ndef more"))
    said = played(scheme, "every rule is used")
    assert said == "never used: plugin_idle_rule.more" and isinstance(said, Noted)


def test_a_secret_that_no_type_tells_is_found(monkeypatch):
    hidden = lambda party, key, context: Slot(key.value, 0)  # noqa: E731 (one line, as each specimen)
    monkeypatch.setattr(Device, "access_field", hidden)
    said = played(PLAIN, "bytes open nothing beyond the rules")
    assert said.startswith("nobody: 24 texts") and "which is sent" in said
    assert played(PLAIN, "puppets and rules agree") == ""


def test_an_attack_without_a_specimen_that_it_breaks_is_caught(monkeypatch, tmp_path):
    (tmp_path / "toy.py").write_text("# what the key of a control is of")
    monkeypatch.syspath_prepend(tmp_path)
    control = ModuleType("toy.control")
    control.SPECIMEN, control.TWIN, control.SCENARIO = PLAIN, PLAIN, conformance.small()
    monkeypatch.setitem(sys.modules, "toy.control", control)
    found = {prop: (holds, broken) for prop, holds, broken in conformance.check([], [Blunt()])}
    assert found[f"null-eavesdropper, {STRUCK[0]}"] == (
        False,
        f"it did not break plain (HELD: {found_reason(control)})",
    )
    assert found[f"null-eavesdropper, {STRUCK[1]}"] == (False, "never used: unplayable.never_needed")


def found_reason(control):
    evaluation = conformance.controlled.__globals__["Evaluation"](control.SPECIMEN, (Blunt(),), control.SCENARIO)
    return evaluation.cell(Blunt())[0].reason


def test_a_scheme_that_cannot_be_played_breaks_properties_and_stops_nothing():
    found = list(conformance.check([conformance.Trial(UncastScheme(), ())], []))
    broken = {name.removeprefix("plain, ") for name, holds, why in found if not holds and "a defect" in why}
    of_fields = {"one bad field does not stop the rest", "a false label is named", "a missing field is no success"}
    of_fields |= {
        "honest late mail is not blamed",
        "what a sender made wrongly is blamed on no official",
    }  # plain has none
    of_text = {"rules are marked", "all cryptography goes through the door", "what is honest only is listed"}
    assert broken == {*PROPERTY, *PLAYED} - of_text - of_fields


def test_progress_counts_every_property():
    told = []
    tried = list(conformance.check([], [NullEavesdropper()], progress=lambda *said: told.append(said)))
    assert [(done, of) for done, of, _ in told] == [(at, len(tried)) for at in range(len(tried))]
    assert [name for _, _, name in told] == [name for name, _, _ in tried]


def test_a_check_leaves_no_files(tmp_path):
    code = """
import os
from attacks.lab.runs import conformance
from attacks.null_eavesdropper import ATTACK
assert [holds for _, holds, _ in conformance.check([], [ATTACK])] == [True, True]
from escrow.schemes.plain import SCHEME
from escrow.testing import properties, trying
with trying.leaving_no_files():
    assert [each.broken(SCHEME) for each in properties.PROPERTIES[3:6]] == ["", "", ""]
print(os.listdir())
"""
    beside = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=beside)
    assert (done.stdout, done.stderr) == ("[]\n", "")

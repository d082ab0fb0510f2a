"""What goes to an adversary in a process of its own, what comes back, and how its failures read."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import msgspec
import pytest
from cheating import attack_whose_rule
from msgspec import UNSET

from attacks.lab.adversary import isolation
from attacks.lab.adversary.coalitions import AccessStructure, Seizure
from attacks.lab.adversary.isolation import AdversaryFailed, Remote
from attacks.lab.adversary.labelling import antichains
from attacks.lab.adversary.local import Local
from attacks.lab.adversary.pipe import Findings, Form, Labelled, class_of, form_of, kind_of, receive, send, type_of
from attacks.lab.results.types import to_json
from attacks.lab.runs.matrix import run_matrix
from attacks.lab.simulation.play import play, run_secret
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis, rules_of, view_of
from attacks.lab.verdict.controls import controlled
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.judging.standing import NOTHING
from attacks.registry import attacks
from escrow import codec, registry
from escrow.derivation import derivation
from escrow.e2ee.device import Device
from escrow.e2ee.ratchet import Slot
from escrow.errors import Malformed
from escrow.principal import revive

SCHEMES = registry.schemes()
ATTACKS = tuple(attacks().values())
TINY = default(users=3, groups=1, days=2, messages=12)
ROOT = Path(__file__).parents[2]
sees_processes = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it looks at processes in /proc")


def charge(record, scheme="plain", every=ATTACKS):
    return isolation._charge(view_of(record), SCHEMES[scheme], every, rules_of(SCHEMES[scheme], every))


# --- what goes over ---


@pytest.mark.parametrize("scheme", ["plain", "envelope"])
def test_no_text_and_no_randomness_goes_over_the_pipe(scheme):
    """But what the lawful access yielded, which is in the authority's archive, and so in its state."""
    record = play(SCHEMES[scheme], TINY)
    frame = codec.encode(charge(record, scheme))
    assert {sent.body for sent in record.sent if sent.body in frame} == {text.body for text in record.lawful}
    assert run_secret(TINY.seed) not in frame
    assert all(packet.data in frame for packet in record.heard)


def test_who_is_taken_alone_goes_alone():
    record = play(SCHEMES["plain"], TINY)
    seizure = seized("alice-phone", 1)
    view = view_of(record, [seizure])
    assert view.states == {"alice-phone": (b"", record.states["alice-phone"][1])}
    assert view_of(record, []).states == {}


def seized(name, evening):
    return Seizure(name, (evening,))


@sees_processes
def test_the_child_has_nothing_else_of_its_parent(tmp_path, monkeypatch):
    """No environment, no working directory, no module that knows the truth, no file that was open."""
    monkeypatch.setenv("ESCROW_LAB_SECRET", "told to nobody")
    look = """
        known = {"play", "cell", "claims", "evaluation", "matrix", "scorecard"}
        truth = sorted(name for name in sys.modules if name.rpartition(".")[2] in known)
        files = [fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}")]
        raise RuntimeError(repr((sorted(os.environ), os.getcwd(), truth, len(files))))
    """
    with open(ROOT / "pyproject.toml"), attack_whose_rule(tmp_path, look) as cheat:
        cell, _ = Evaluation(SCHEMES["plain"], (cheat,), TINY, isolated=True).cell(cheat)
    found = cell.reason.removeprefix("the adversary failed in its process: RuntimeError: ")
    environment, cwd, truth, files = eval(found, {}, {})  # noqa: S307 (the repr that stands above)
    assert set(environment) <= {"PYTHONPATH", "LC_CTYPE", "SYSTEMROOT"}
    assert (cwd, truth, files) == (os.path.abspath(os.sep), [], 1)  # the pipe for the answer


@pytest.mark.parametrize("attack", ["court-key-theft", "ghost-insertion", "prekey-substitution", "warrant-misuse"])
def test_the_state_of_a_corrupted_party_is_read_with_its_added_fields(attack):
    record = play(SCHEMES["envelope"], TINY, attacks()[attack])
    assert any(kind_of(kind).added for kinds in record.kinds.values() for kind in kinds)
    for name, kinds in record.kinds.items():
        for state, kind in zip(record.states[name], kinds, strict=True):
            told = codec.decode(codec.encode(kind_of(kind)), type(kind_of(kind)))
            assert revive(state, class_of(told)).state() == state


@pytest.mark.parametrize("hint", [int, list[Device], dict[str, list[int] | None], tuple[bytes, ...]])
def test_a_type_travels_by_name(hint):
    assert type_of(form_of(hint)) == hint


def test_the_name_of_a_local_class_is_refused_before_anything_is_sent():
    class Hidden:
        """Nobody else can import it."""

    with pytest.raises(TypeError, match="Hidden cannot be found by its name"):
        form_of(list[Hidden])


def test_a_rule_that_cannot_be_named_is_an_error_of_the_cell(tmp_path):
    @derivation()
    def local(slot: Slot) -> Slot:
        return slot

    with attack_whose_rule(tmp_path, "return []") as attack:
        type(attack).derivations = (local,)
        cell, opened = Evaluation(SCHEMES["plain"], (attack,), TINY, isolated=True).cell(attack)
    assert (cell.verdict, opened) == ("ERROR", NOTHING)
    assert "local cannot be found by its name" in cell.reason


# --- what comes back ---


@pytest.mark.parametrize("exact", [antichains.EXACT, 2])
def test_labels_say_the_same_after_the_pipe(monkeypatch, exact):
    """With a small limit on multiplying out, thresholds are symbols, and travel as such."""
    monkeypatch.setattr(antichains, "EXACT", exact)
    scheme = SCHEMES["split-key"]
    view = view_of(play(scheme, default(users=3, groups=0, days=2, messages=4)))
    local = Local(view, scheme, ATTACKS, rules_of(scheme, ATTACKS))
    for name in local.passes:
        told = isolation._labelled(local.labelled(name), name, local.texts)
        again = isolation._Heard(codec.decode(codec.encode(told), Labelled), view, len(local.texts))
        assert words(again, range(len(local.texts)), name) == words(local.labels, local.texts, name)
    assert bool(local.labels.atoms.symbols) == (exact == 2)


def words(of, texts, name):
    """For each text its minimal coalitions, and what each of them opens."""
    texts = list(texts)
    structure = AccessStructure(of, texts, name)
    found = [[structure.coalition(mask) for mask in of.masks(text, name)] for text in texts]
    masks = sorted({mask for text in texts for mask in of.masks(text, name)})
    opened = [sorted(texts.index(each) for each in structure.opened(mask)) for mask in masks]
    return [sorted(map(str, each)) for each in found], opened


def test_an_isolated_analysis_answers_as_one_here_does_and_shows_no_facts():
    record = play(SCHEMES["plain"], TINY)
    here, there = (Analysis(SCHEMES["plain"], record, ATTACKS, isolated=each) for each in (False, True))
    for name in (MATHEMATICS, SERVED):
        assert here.texts.keys() == there.texts.keys()
        assert all(here.masks(text, name) == there.masks(text, name) for text in here.texts)
        assert here.opened_by([seized("alice-phone", 1)], name) == there.opened_by([seized("alice-phone", 1)], name)
    assert (here.adversary.fired, here.adversary.passes) == (there.adversary.fired, there.adversary.passes)
    with pytest.raises(TypeError, match="a process of its own"):
        there.closure  # noqa: B018 (the look is what is refused)
    with pytest.raises(ValueError, match="no pass 'nonsense'"):
        there.masks(0, "nonsense")


def test_controls_hold_in_isolation():
    assert controlled(attacks()["null-eavesdropper"], ATTACKS, isolated=True) == controlled(
        attacks()["null-eavesdropper"], ATTACKS
    )


def test_a_matrix_in_isolation_is_the_same_file_also_from_several_workers():
    chosen = [attacks()[name] for name in ("device-compromise", "ghost-insertion")]
    how = {"plain": SCHEMES["plain"], "every": ATTACKS[:1]}
    here = run_matrix([SCHEMES["envelope"]], chosen, TINY, **how)
    there = run_matrix([SCHEMES["envelope"]], chosen, TINY, **how, isolated=True, jobs=2)
    assert all(cell.derivation is UNSET for cell in there.cells)  # its bytes would be others in each run
    shown = [msgspec.structs.replace(cell, derivation=UNSET) for cell in here.cells]
    assert to_json(there) == to_json(msgspec.structs.replace(here, cells=tuple(shown)))
    assert sum(cell.exposed.total for cell in there.cells) > 0


@sees_processes
def test_a_rule_that_never_ends_is_a_timeout_and_its_process_is_gone(tmp_path):
    child = tmp_path / "child"
    look = f"open({str(child)!r}, 'w').write(str(os.getpid()))\nwhile True: pass"
    with attack_whose_rule(tmp_path, look) as attack:
        cells = run_matrix([SCHEMES["plain"]], [attack], TINY, isolated=True, timeout=3).cells
    assert [cell.verdict for cell in cells] == ["TIMEOUT"]
    assert not is_alive(int(child.read_text()))


RIGHT = Labelled(atoms=(("alice-phone", b"\x03"),), symbols=((1, (0,)),), sets=((b"\x01",),), labels=(0,))
WRONG = [
    ({"atoms": (("mallory", b"\x03"),)}, "an atom of 'mallory'"),
    ({"atoms": (("alice-phone", b"\x0f"),)}, "an atom of 'alice-phone'"),
    ({"atoms": (("alice-phone", b"\x00"),)}, "an atom of 'alice-phone'"),
    ({"atoms": RIGHT.atoms * 2}, "an atom twice"),
    ({"sets": ((b"\x04",),)}, "a mask of unknown atoms"),
    ({"labels": ()}, "not that of the texts"),
    ({"labels": (1,)}, "an unknown label"),
    ({"labels": (-1,)}, "an unknown label"),
    ({"symbols": ((1, (7,)),)}, "an unknown label"),
]


@pytest.mark.parametrize(("change", "why"), [({}, ""), *WRONG], ids=str)
def test_labels_that_cannot_be_are_no_answer(monkeypatch, change, why):
    told = msgspec.structs.replace(RIGHT, **change)
    monkeypatch.setattr(
        isolation, "_asked", lambda _: Findings((bytes(32),), {}, (), {MATHEMATICS: told, SERVED: told})
    )
    view = view_of(play(SCHEMES["plain"], TINY))
    if not why:
        assert Remote(view, SCHEMES["plain"], (), ()).labelled(MATHEMATICS).masks(0) == (1,)
        return
    with pytest.raises(AdversaryFailed, match=f"^the adversary's process answered what cannot be: .*{why}"):
        Remote(view, SCHEMES["plain"], (), ())


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Findings((), {}, (), {MATHEMATICS: RIGHT}), "no labels"),
        (
            Findings((bytes(32),), {}, ("mallory",), {MATHEMATICS: RIGHT, SERVED: RIGHT}),
            "an official that is not in the view",
        ),
    ],
    ids=["passes", "officials"],
)
def test_an_answer_without_passes_or_with_strangers_is_none(monkeypatch, found, why):
    monkeypatch.setattr(isolation, "_asked", lambda _: found)
    with pytest.raises(AdversaryFailed, match=why):
        Remote(view_of(play(SCHEMES["plain"], TINY)), SCHEMES["plain"], (), ())


def test_frames_are_read_whole_or_not_at_all(tmp_path):
    path = tmp_path / "frame"
    with path.open("wb") as pipe:
        send(pipe, [1, 2])
    whole = path.read_bytes()
    for data in (b"", whole[:-1], whole[:7], b"\xff" * 16, bytes(8)):
        path.write_bytes(data)
        with path.open("rb") as pipe, pytest.raises(Malformed, match="a frame "):
            receive(pipe)
    path.write_bytes(whole)
    with path.open("rb") as pipe:
        assert codec.decode(receive(pipe), list[int]) == [1, 2]
    assert codec.decode(codec.encode(Form("a:b", (Form("c:d"),))), Form).of[0].name == "c:d"


# --- rules that fail ---

GARBAGE = """
    for fd in range(3, 32):
        try:
            os.write(fd, bytes([0, 0, 0, 0, 0, 0, 0, 3]) + b"abc")
        except OSError:
            pass
    time.sleep(60)
"""
FAILURES = {
    "raise KeyError('one\\ntwo')": "the adversary failed in its process: KeyError: 'one\\ntwo'",
    "raise RuntimeError('one\\n  two')": "the adversary failed in its process: RuntimeError: one two",
    "os._exit(3)": "the adversary's process ended with exit code 3 before it answered",
    "sys.exit(4)": "the adversary's process ended with exit code 4 before it answered",
    "os.kill(os.getpid(), signal.SIGKILL)": "the adversary's process was killed by SIGKILL before it answered",
    GARBAGE: "the adversary's process answered what is no answer: not a Findings or Failed",
}


@pytest.mark.parametrize("look", FAILURES, ids=lambda look: textwrap.dedent(look).split("\n")[0] or "garbage")
def test_a_rule_that_fails_in_its_process_is_an_error_of_the_cell_in_one_line(tmp_path, look):
    with attack_whose_rule(tmp_path, look) as attack:
        cell, opened = Evaluation(SCHEMES["plain"], (attack,), TINY, isolated=True).cell(attack)
    assert (cell.verdict, cell.sent, opened) == ("ERROR", 0, NOTHING)
    assert cell.reason.startswith(FAILURES[look])
    assert "\n" not in cell.reason


def test_what_a_rule_prints_is_no_answer(tmp_path, capfd):
    with attack_whose_rule(tmp_path, "print('from the rule', flush=True)\nreturn []") as attack:
        cell, _ = Evaluation(SCHEMES["plain"], (attack,), TINY, isolated=True).cell(attack)
    out, err = capfd.readouterr()
    assert cell.verdict == "HELD"
    assert (out, "from the rule" in err) == ("", True)


PARENT = """
import sys
from pathlib import Path
from cheating import attack_whose_rule
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.judging.standing import NOTHING
from attacks.lab.simulation.scenario import default
from escrow.schemes.plain import SCHEME

folder = Path(sys.argv[1])
look = f"open({str(folder / 'child')!r}, 'w').write(str(os.getpid()))\\nwhile True: pass"
with attack_whose_rule(folder, look) as attack:
    Evaluation(SCHEME, (attack,), default(users=2, days=1, messages=2), isolated=True).cell(attack)
"""


@sees_processes
def test_the_child_does_not_outlive_a_parent_that_is_killed(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], env=environment)
    child = int(eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text()))
    assert is_alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert eventually(lambda: not is_alive(child))


def eventually(ask):
    """What `ask` gives, as soon as that is something."""
    for _ in range(600):
        if found := ask():
            return found
        time.sleep(0.1)
    raise AssertionError("a minute has passed")


def is_alive(process):
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

"""The seed decides everything: packets, states, what is opened, verdicts; process, hash seed and jobs none of it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from attacks.lab.results.types import to_json
from attacks.lab.runs.matrix import run_matrix
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.analysis import Analysis
from attacks.registry import attacks
from escrow import codec, crypto, registry
from escrow.crypto import Run

SCHEMES = registry.schemes()
CHEAP = [name for name in SCHEMES if name != "split-key"]
ROOT = Path(__file__).parents[2]


def transcript(scheme, **how):
    """SHA-256 of all that a play left: packets, states, screens, what was yielded, alarms, refusals."""
    record = play(SCHEMES[scheme], small(), **how)
    left = (record.heard, record.states, record.shown, record.lawful, record.alarms, record.refusals, record.sent)
    return hashlib.sha256(codec.encode(left)).hexdigest()


def structure(scheme, **how):
    """Which coalitions open which text, in words, and how often each rule fired."""
    analysis = Analysis(SCHEMES[scheme], play(SCHEMES[scheme], small(), **how), tuple(attacks().values()))
    access = analysis.structure()
    opened = {text: sorted(str(access.coalition(mask)) for mask in analysis.masks(text)) for text in analysis.texts}
    return opened, dict(analysis.closure.fired)


def said_by_another_process(hash_seed):
    code = "import test_determinism as t; print([t.transcript(name) for name in t.SCHEMES], t.structure('plain'))"
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "lab"), str(ROOT / "tests" / "support")]),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_other_processes_with_other_hash_seeds_play_the_same_and_measure_the_same():
    here = f"{[transcript(name) for name in SCHEMES]} {structure('plain')}\n"
    assert here == said_by_another_process("0") == said_by_another_process("1")


@pytest.mark.parametrize("scheme", CHEAP)
def test_another_secret_gives_other_bytes_and_the_same_structure(scheme):
    """What the laboratory measures does not depend on the secret from which the keys were drawn."""
    other = {"secret": hashlib.sha256(b"another").digest()}
    assert transcript(scheme, **other) != transcript(scheme)
    assert structure(scheme, **other) == structure(scheme)


def test_another_seed_gives_another_play():
    assert (
        play(SCHEMES["plain"], msgspec.structs.replace(small(), seed=1)).heard != play(SCHEMES["plain"], small()).heard
    )


def test_a_partys_extra_draw_moves_nobody_elses_bytes():
    def drawn(extra):
        with crypto.running(Run(bytes(32))):
            with crypto.acting("alice"):
                first = crypto.random_bytes(16)
                for _ in range(extra):
                    crypto.random_bytes(16)
            with crypto.acting("bob"):
                return first, crypto.random_bytes(16)

    assert drawn(0) == drawn(5)
    assert drawn(0)[0] != drawn(0)[1]


def test_draws_of_parties_with_similar_names_and_of_several_sizes_differ():
    with crypto.running(Run(bytes(32))):
        found = []
        for party in ("a", "ab", "a\0", ""):
            with crypto.acting(party):
                found += [crypto.random_bytes(16) for _ in range(2)]
    assert len(set(found)) == len(found)


def test_outside_a_run_nothing_repeats():
    assert crypto.random_bytes(32) != crypto.random_bytes(32)


def test_the_matrix_is_the_same_with_one_job_and_with_two():
    names = ("null-eavesdropper", "device-compromise", "prekey-substitution")
    schemes, chosen = [SCHEMES["plain"], SCHEMES["envelope"]], [attacks()[name] for name in names]
    results = [to_json(run_matrix(schemes, chosen, small(), jobs=jobs, plain=SCHEMES["plain"])) for jobs in (1, 2)]
    assert results[0] == results[1]
    assert results[0].count(b'"verdict"') == len(schemes) * len(chosen)

"""ChillDKG's cases of blame beside ours: which kinds of lies carry over from that protocol to GJKR on P-256, and where
each is tried.

There a coordinator relays everything, keys are secp256k1's, and a certificate ends a run, so the bytes of its vectors
mean nothing here. Their kinds do: an invalid commitment, a wrong share, a broadcast that differs from one member to the
next, parameters that cannot be. Of what is left over, the reason says which part of ChillDKG has no counterpart.
"""

import importlib
import json
import re
from collections import Counter
from typing import NamedTuple

import external
import pytest

from escrow import vectors

LIAR = "test_a_lying_dealer_is_named_and_out_and_the_others_go_on"


class Kind(NamedTuple):
    """Cases whose "file: comment" matches, how many there are, and our counterpart: tests (file.name), or faults of
    escrow/vectors/dkg.json. Without one, `why`."""

    pattern: str
    cases: int
    tests: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    why: str = ""


KINDS = (
    Kind("valid", 30, ("dkg.test_any_t_shares_of_an_honest_run_give_the_key_that_was_published",), ("key generation",)),
    Kind(r".*threshold", 18, ("dkg_rules.test_settings_that_cannot_be_are_a_callers_error",)),
    Kind(r".*duplicate values$", 13, ("dkg_rules.test_settings_that_cannot_be_are_a_callers_error",)),
    Kind(
        r"participant_step2: .*coms_to_secrets list has infinity",
        4,
        (f"dkg.{LIAR}",),
        ("key generation: its first commitment: infinity",),
    ),
    Kind(
        r"participant_step2: .*pubnonces .*(prefix|off-curve).*index 1$",
        8,
        (f"dkg.{LIAR}",),
        ("key generation: its first commitment: prefix", "key generation: its first commitment: off the curve"),
    ),
    Kind(
        r"participant_step2: .*pubnonces .*infinity.*index 1$",
        4,
        (),
        ("key generation: its first commitment: infinity",),
    ),
    Kind(
        r"participant_(step2|investigate): .*sent an invalid secshare",
        8,
        ("dkg.test_a_dealer_that_answers_rightly_stays_in", f"dkg.{LIAR}"),
        ("key generation: a wrong share and no answer", "key generation: a wrong share, answered rightly"),
    ),
    Kind(
        r"participant_step2: .*sum_coms_to_nonconst_terms",
        6,
        ("dkg_extraction.test_a_dealer_that_lies_in_the_extraction_is_exposed_and_stays",),
        ("key generation: it reveals another polynomial's commitments",),
    ),
    Kind(
        r"participant_step2: .*(arbitrary value at index [01]|own pubnonce\))",
        24,
        ("dkg_extraction.test_a_dealer_that_broadcasts_two_things_is_named",),
        ("key generation: it tells member 1 something else",),
    ),
    Kind(
        r"participant_investigate: (coordinator tampered|partial pubshares)",
        12,
        (
            "dkg_extraction.test_one_echo_alone_convicts_only_if_it_is_true",
            "dkg.test_a_share_for_somebody_else_is_none",
        ),
    ),
    Kind(
        r"(coordinator_step1: (missing|participant|.*(fewer|more) entries))|participant_step2: .*missing encrypted",
        24,
        (f"dkg.{LIAR}", "dkg_rules.test_a_share_that_no_complaint_asked_for_is_missed"),
        ("key generation: no commitments", "key generation: no share and no answer"),
    ),
    Kind(
        r"participant_step2: .*pop list", 4, why="Pedersen's commitments come first, so no key is chosen after others"
    ),
    Kind(
        r"(coordinator|participant)_finalize",
        28,
        why="no certificate is signed: verdicts follow from what was broadcast",
    ),
    Kind(r"recover: ", 10, why="no backup of a run is kept: a lost share is recovered from the others"),
    Kind(r".*host ?(secret key|seckey|pubkeys)", 44, why="members are named by the wire, and have no long-term key"),
    Kind(r".*randomness", 12, why="randomness is the door's, and nobody's argument"),
)


def all_cases() -> list[str]:
    """ "file: comment" of every case that is to fail, "valid" of the others."""
    found = []
    for path in sorted((external.folder() / "chilldkg").glob("*.json")):
        told = json.loads(path.read_text())
        name = path.stem.removesuffix("_vectors")
        for group in told.get("testGroups", [told]):
            found += ["valid"] * len(group.get("validTestCases", []))
            found += [f"{name}: {case['comment']}" for case in group.get("errorTestCases", [])]
    return found


def test_every_case_is_of_one_kind():
    counted = Counter()
    for case in all_cases():
        kind = next((kind for kind in KINDS if re.match(kind.pattern, case)), None)
        assert kind is not None, case
        counted[kind.pattern] += 1
    assert counted == {kind.pattern: kind.cases for kind in KINDS}
    assert counted.total() == 249


@pytest.mark.parametrize("kind", KINDS, ids=[kind.pattern for kind in KINDS])
def test_a_kind_has_its_counterpart_or_says_why_not(kind):
    assert bool(kind.tests or kind.faults) != bool(kind.why)
    for test in kind.tests:
        module, _, name = test.partition(".")
        assert callable(getattr(importlib.import_module(f"test_{module}"), name))
    assert set(kind.faults) <= {case["name"] for case in vectors.load("dkg")["cases"]}

"""Trees of explanations: what stands in them, what never does, and that they can be read on a page."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from attacks import registry as attack_registry
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.proof import Given, prove
from attacks.lab.evidence.explain import WIDTH, _Tree, explain
from attacks.lab.evidence.provenance import packets
from attacks.lab.simulation import scenario
from attacks.lab.simulation.play import play
from attacks.lab.simulation.record import Record
from attacks.lab.verdict.analysis import SERVED, Analysis
from attacks.lab.verdict.steps import describe
from escrow import registry
from escrow.codec import walk
from escrow.principal import revive
from escrow.registry import UnknownName
from escrow.scheme import SET_UP
from escrow.sharing.elgamal import KeyShare

SMALL = scenario.default(users=4, groups=2, days=5, messages=30)
ATTACKS = tuple(attack_registry.attacks().values())
DEFINED, CITED = re.compile(r"^(?:.*[├└]─ )?\[(\d+)\] "), re.compile(r"(?:as|see) \[(\d+)\]")


@cache
def record(name: str) -> Record:
    return play(registry.schemes()[name], SMALL)


@cache
def analysis(name: str) -> Analysis:
    return Analysis(registry.schemes()[name], record(name), ATTACKS)


def lines(name, coalition, message=None):
    return list(explain(registry.schemes()[name], SMALL, coalition, message, ATTACKS))


def state(name, holder, evening):
    played = record(name)
    return revive(played.states[holder][evening], played.kinds[holder][evening])


def test_two_agents_of_three_a_tree_from_two_shares_to_a_plaintext():
    head, gap, root, *tree = lines("split-key", "agent-1,agent-3")
    sent = record("split-key").sent[0]
    assert head == "split-key: agent-1, agent-3 open 30 of 30 texts by mathematics alone."
    assert not gap
    assert root.startswith(f"text 0, day 0, {sent.conversation}, from {sent.device}: {sent.body.hex()[:8]}…")
    leaves = [line for line in tree if "[agent-" in line]
    assert [re.findall(r"\[(agent-\d), evening 0\]", leaf) for leaf in leaves] == [["agent-1"], ["agent-3"]]
    assert all("HeldShare group" in leaf for leaf in leaves)
    depths = [line.index("─ ") for line in tree if "─ " in line]
    rules = [line.split("─ ")[1].split(":")[0] for line in tree if ": " in line and "─ " in line]
    assert depths[0] == 1
    assert rules[:2] == ["unpack", "open_message"]
    assert {"unwrap", "combine_shares", "decapsulate"} <= set(rules)


def test_no_secret_is_printed():
    shown = "\n".join(lines("split-key", "agent-*"))
    shares = [fact for i in (1, 2, 3) for fact in walk(state("split-key", f"agent-{i}", 0), KeyShare)]
    assert len(shares) == 3
    for share in shares:
        assert share.raw.hex()[:8] not in shown
        assert share.raw.hex()[:8] not in describe(share)
        assert share.group.hex()[:8] in describe(share)


def test_where_mathematics_does_not_open_it_the_officials_who_answer_are_named_with_their_checks():
    shown = lines("envelope", "court")
    text = " ".join(" ".join(shown).replace("│", "").split())
    assert "court opens 0 texts by mathematics alone, 30 of 30 texts where honest officials answer." in text
    assert "agent answers: MessageKey" in text
    assert "checks that hold: court's signature, target, window" in text
    assert any(line.endswith("[anybody can make it]") for line in shown)
    assert any("CourtKey public" in line and line.endswith("[court, evening 0]") for line in shown)


def test_mathematics_comes_before_services():
    opened = analysis("envelope").opened_by([Seizure("authority"), Seizure("court")])
    assert opened < analysis("envelope").opened_by([Seizure("authority"), Seizure("court")], SERVED)
    assert not any("answers" in line for line in lines("envelope", "authority,court", min(opened))[1:])


def test_a_coalition_that_opens_nothing_gets_a_sentence_with_the_counts_of_every_pass():
    line = " ".join(lines("envelope", "carol-phone@0", 0))
    counts = {
        name: len(analysis("envelope").opened_by([Seizure("carol-phone", (0,))], name)) for name in passes("envelope")
    }
    assert line.startswith("carol-phone@0 cannot open text 0; in all, texts opened: ")
    assert line.split(": ")[1].count(",") == len(counts) - 1
    assert f"{counts['mathematics']} by mathematics," in line
    assert f'{counts["without window"]} without check "window"' in line


def passes(name):
    return analysis(name).labels.passes()


def test_who_only_listens_opens_nothing():
    line = " ".join(lines("plain", "network"))
    assert line.startswith("who hears the network and no more cannot open any text")
    assert line.endswith("texts opened: 0 by mathematics, 0 where honest officials answer")


def test_a_pass_that_would_open_the_text_says_so():
    authority = [Seizure("authority")]
    unchecked = analysis("envelope").opened_by(authority, "without target") - analysis("envelope").opened_by(authority)
    line = " ".join(lines("envelope", "authority", min(unchecked)))
    assert re.search(r'without check "target" \(that one too\)', line)
    assert not re.search(r"by mathematics \(that one too\)", line)


@pytest.mark.parametrize(
    ("coalition", "message", "reason"),
    [
        ("mallory", None, "no principal is called 'mallory'"),
        ("agent-7", None, "no principal"),
        ("alice-phone@5", None, "the evenings of the scenario are 0 to 4"),
        ("alice-phone@x", None, "a day or a range"),
        ("alice-phone", 30, "no text has the number 30"),
        ("alice-phone", -1, "no text has the number -1"),
    ],
)
def test_unknown_names_evenings_and_texts_are_named(coalition, message, reason):
    with pytest.raises(UnknownName, match=reason):
        lines("plain", coalition, message)


# --- every text that somebody opens, under every scheme ---


def trees(name):
    """(proof, its lines of 80, 60 and 40 columns) for each text and its first coalitions, with honest answers."""
    seen, first = analysis(name), packets(analysis(name), ATTACKS)
    structure = seen.structure(SERVED)
    for sent in record(name).sent:
        every = seen.masks(sent.id, SERVED)
        for mask in dict.fromkeys([*every[:3], *every[-1:]]):
            proof = prove(seen.labels, [seen.texts[sent.id]], structure.example(mask).members, SERVED)
            assert proof
            yield proof, *(list(_Tree(seen, proof, sent, first, width=width).lines()) for width in (WIDTH, 60, 40))


@pytest.mark.parametrize("name", sorted(registry.schemes()))
def test_every_tree_fits_the_page_and_ends_in_what_was_taken(name):
    seen = Counter[str]()
    for proof, shown, narrow, narrowest in trees(name):
        assert max(map(len, shown)) <= WIDTH
        assert max(map(len, narrow)) <= 60 and max(map(len, narrowest)) <= 40
        assert [CITED.findall(line) for line in narrow if CITED.search(line)] == [
            CITED.findall(line) for line in shown if CITED.search(line)
        ]
        defined = [found[1] for line in shown if (found := DEFINED.match(line))]
        assert len(defined) == len(set(defined))
        assert {number for line in shown for number in CITED.findall(line)} <= set(defined)
        found = (each for line in shown for each in re.findall(r"\[([\w-]+), (?:evening (\d+)|at set-up)\]", line))
        leaves = {(who, int(on) if on else SET_UP) for who, on in found}
        taken = {(each.holder, each.evening) for each in proof if isinstance(each, Given) and each.holder}
        assert leaves == {each for each in taken if each[0] != "network"}
        seen["postponed"] += any("see [" in line for line in shown)
        seen["run of steps"] += any(re.search(r"step, \d+ times: ", line) for line in shown)
    if not registry.schemes()[name].device.replaces:  # a ratchet's steps are runs, and meet; a tree's do neither
        assert seen["postponed"]
        assert seen["run of steps"]


def test_a_sub_tree_that_two_steps_need_is_printed_once():
    shown = lines("split-key", "court")
    [warrant] = [line for line in shown if "issue_demanded: Warrant" in line]
    number = DEFINED.match(warrant)[1]
    assert sum(f"Warrant, as [{number}]" in line for line in shown) == 1
    assert sum("CourtKey" in line for line in shown) == 1

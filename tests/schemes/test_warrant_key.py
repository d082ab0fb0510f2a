"""Warrants as keys: what one signed tag opens, for whom, and that faults in the design are caught."""

import pytest
from faulty import fault_found, with_fault
from msgspec.structs import replace

from attacks import registry as attack_registry
from attacks.cli import main
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default, small
from attacks.lab.verdict.claims import Judge as ClaimJudge
from attacks.lab.verdict.evaluation import Evaluation
from escrow import codec, registry
from escrow.errors import Forged, Refused
from escrow.primitives import bls12_381, ibe
from escrow.schemes import warrant_key
from escrow.schemes.warrant_key import (
    EVER,
    FileKey,
    TagField,
    Tagging,
    WarrantKey,
    WarrantTag,
    open_capsule,
    sign_part,
    unwrap,
)
from escrow.testing.harness import Step, playing

SCENARIO = default(users=4, groups=2, days=5, messages=24)


def evaluated(scheme):
    return Evaluation(scheme, list(attack_registry.attacks().values()), SCENARIO)


def opened_by(found, *names):
    """The texts that the last states of these parties open, with what the network heard."""
    return found.analysis.opened_by([Seizure(name, (SCENARIO.days - 1,)) for name in names])


# --- tags ---


def test_a_tag_is_of_a_user_and_an_epoch_or_of_one_of_them():
    assert Tagging("user and epoch", 3).of("alice", 7) == WarrantTag("alice", 6, 8)
    assert Tagging("user and epoch", 0).of("alice", 7) == WarrantTag("alice", 0, EVER)
    assert Tagging("user", 3).of("alice", 7) == WarrantTag("alice", 0, EVER)
    assert Tagging("epoch", 2).of("alice", 7) == WarrantTag("", 6, 7)
    names = [
        tag.name
        for tag in (WarrantTag("a", 1, 2), WarrantTag("a", 1, 12), WarrantTag("a1", 1, 2), WarrantTag("", 1, 2))
    ]
    assert len(set(names)) == 4


@pytest.mark.parametrize(("t", "n", "tag", "days"), [(0, 3, "user", 1), (4, 3, "user", 1), (2, 3, "epoch", 0)])
def test_parameters_that_make_no_scheme_are_refused(t, n, tag, days):
    with pytest.raises(ValueError, match=r"judges|key for everything"):
        WarrantKey(t=t, n=n, tag=tag, days=days)


# --- what a signature opens ---


def spoken(harness, *steps):
    """(text, its field) of each text that was said."""
    harness.play(Step("say", device, to) for device, to in steps)
    fields = [codec.decode(each.mail.field, TagField) for each in harness.intercepted()]
    return list(zip(harness.intercepted(), fields, strict=True))


def test_whoever_has_a_signed_tag_opens_what_is_sealed_to_it_later_and_nothing_else():
    with playing(WarrantKey()) as harness:
        judges = [harness.wire.parties[name] for name in ("judge-1", "judge-3")]
        tag = Tagging("user and epoch", 1).of("alice", 0)
        parts = tuple(sign_part(judge.share, tag) for judge in judges)
        key = warrant_key.combine_parts(harness.wire.parties["alice-phone"].group, parts)
        said = spoken(harness, ("alice-phone", "bob"), ("bob-phone", "carol"))
        opened = []
        for _, field in said:
            for capsule in field.capsules:
                try:
                    opened.append(unwrap(field, open_capsule(capsule, key)))
                except Forged:
                    continue
        of_alice = [field for _, field in said if "alice" in field.people]
        assert len(opened) == len(of_alice) > 0
        assert len(said) > len(of_alice)


@pytest.mark.parametrize(
    ("scheme", "more"),
    [
        (WarrantKey(), 0),
        (WarrantKey(days=2), 6),
        (WarrantKey(tag="user"), 10),
        (WarrantKey(tag="epoch"), 4),
        (WarrantKey(tag="epoch", days=5), 13),
    ],
)
def test_granularity_decides_what_the_authority_opens_beyond_its_warrants(scheme, more):
    """11 of 24 texts are covered; the claim says whole tags, and grants exactly what is opened."""
    found = evaluated(scheme)
    opened, entitled = opened_by(found, "authority"), found.honest.entitled
    assert entitled <= opened and (len(entitled), len(opened - entitled)) == (11, more)
    judge = ClaimJudge(found.record, scheme.claim)
    (slot,) = [grant.slot for grant in scheme.claim.grants if grant.who == "authority"]
    assert opened == {sent.id for sent in found.record.sent if judge._in_slot(slot, sent.id)}


def test_one_judge_opens_nothing_and_two_open_everything():
    found = evaluated(WarrantKey())
    assert opened_by(found, "judge-1") == frozenset()
    assert len(opened_by(found, "judge-1", "judge-3")) == len(found.record.sent)


# --- refusals, which stop nothing else ---


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda sealed: sealed[:-1], "a ciphertext of 127 bytes"),
        (lambda sealed: bytes(128), "no point of G2"),
        (lambda sealed: b"\xc0" + bytes(127), "neutral element of G2"),
        (lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), "the ciphertext was changed"),
        (lambda sealed: bls12_381.base_two(5) + sealed[96:], "the ciphertext was changed"),
    ],
)
def test_a_malformed_capsule_is_refused_by_name_and_the_other_messages_open(spoil, why):
    with playing(WarrantKey()) as harness:
        warrant = harness.served("alice")
        (first, field), *_, (last, _) = spoken(harness, ("alice-phone", "bob"), ("bob-phone", "alice"))
        capsules = tuple(replace(each, sealed=spoil(each.sealed)) for each in field.capsules)
        mail = replace(first.mail, field=codec.encode(replace(field, capsules=capsules)))
        assert harness.access(warrant, [replace(first, mail=mail), last]) == {harness.said[-1].body}
        assert any(why in each for each in map(str, harness.wire.refusals))


def test_a_field_with_many_capsules_for_one_tag_costs_one_try(monkeypatch):
    tried = []
    honest = warrant_key.open_capsule
    monkeypatch.setattr(warrant_key, "open_capsule", lambda capsule, key: tried.append(capsule) or honest(capsule, key))
    with playing(WarrantKey()) as harness:
        warrant = harness.served("alice")
        (first, field), *_ = spoken(harness, ("alice-phone", "bob"))
        more = tuple(replace(each, sealed=bytes([n]) * 128) for n in range(200) for each in field.capsules)
        mail = replace(first.mail, field=codec.encode(replace(field, capsules=more)))
        assert harness.access(warrant, [replace(first, mail=mail)]) == set() and len(tried) == 1
        assert len(harness.access(warrant, [first])) == 1


def test_a_file_key_of_another_field_opens_nothing():
    """AES-GCM alone would let a sender make one field that opens under two keys."""
    with playing(WarrantKey()) as harness:
        (_, field), *_ = spoken(harness, ("alice-phone", "bob"))
        with pytest.raises(Forged, match="another field"):
            unwrap(field, FileKey(bytes(32), bytes(16)))


def test_a_judge_signs_no_tag_of_another_user_day_or_form():
    with playing(WarrantKey(days=2)) as harness:
        warrant = harness.served("alice", 2, 3)
        authority = harness.authority
        assert authority.ask(harness.wire, "judge-1", warrant, WarrantTag("alice", 2, 3))
        for tag, why in (
            (WarrantTag("bob", 2, 3), "target"),
            (WarrantTag("alice", 0, 1), "window"),
            (WarrantTag("alice", 2, 2), "form"),
            (WarrantTag("alice", 3, 4), "form"),
            (WarrantTag("alice", 0, EVER), "form"),
            (WarrantTag("", 2, 3), "form"),
        ):
            with pytest.raises(Refused, match=why):
                authority.ask(harness.wire, "judge-1", warrant, tag)


def test_a_wrong_part_is_refused_and_its_judge_named():
    class Liar(warrant_key.TagJudge):
        def give(self, secret, warrant, tag):
            return replace(sign_part(secret, tag), value=ibe.name_point(bytes(32)))

    class Lied(WarrantKey, frozen=True, kw_only=True):
        def cast(self, users, court):
            for party in super().cast(users, court):
                yield Liar(party.name, party.share) if party.name == "judge-2" else party

    with playing(Lied()) as harness:
        warrant = harness.served("alice")
        spoken(harness, ("alice-phone", "bob"))
        assert harness.access(warrant, harness.intercepted()) == {harness.said[0].body}
        assert {each.check for each in harness.wire.alarms} == {"wrong part of judge-2"}


# --- faults in the design ---


ORDER = "        judges = enumerate(self.judges, 1)\n"
BY_TAG = (
    "        first = tag.name[0] % self.n\n"
    "        order = (*range(first + 1, self.n + 1), *range(1, first + 1))\n"
    "        judges = [(index, self.judges[index - 1]) for index in order[: self.t]]\n"
)
UNBOUND = [("field.context()))", 'b""))'), ('TagField(*labels, b"").context()))', 'b""))')]
FAULTS = {
    "the wrap is bound to nothing": ("a field is bound", *UNBOUND),
    "any form of tag is signed": (
        "what is said is checked or listed",
        ("share.tagging.has(tag)", "True"),
    ),
    "whom the authority asks first depends on the tag": ("whom a warrant is about is not overheard", (ORDER, BY_TAG)),
    "the user of a tag is not compared": (
        "a request is bound",
        ("tag.people or (order.target,), nearest)", "(order.target,), nearest)"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_design_is_caught(tmp_path, fault):
    name, *changes = FAULTS[fault]
    assert fault_found(tmp_path, warrant_key, name, changes)


def test_tags_that_leave_out_the_user_open_more_than_the_claim_grants(tmp_path):
    named = "codec.encode((self.user, self.first, self.last))"
    scheme = with_fault(tmp_path, warrant_key, (named, named.replace("self.user, ", "")))
    cell, _ = evaluated(scheme).cell(attack_registry.attacks()["warrant-misuse"])
    assert cell.verdict == "BREACH" and cell.excluded > 0


# --- without the extra ---


def test_without_the_extra_every_cell_says_so(monkeypatch):
    monkeypatch.setattr(bls12_381, "PACKAGE", "no_such_package")
    every = attack_registry.attacks()
    found = Evaluation(WarrantKey(), list(every.values()), small())
    for name in ("authority-theft", "leaf-feedback"):
        cell, _ = found.cell(every[name])
        assert cell.verdict == "INCONCLUSIVE" and "the extra `pairing` is not installed" in cell.reason
    assert play(registry.schemes()["plain"], small()).sent


@pytest.mark.parametrize(
    "command", ["anatomy warrant-key --smoke", "explain warrant-key --smoke --coalition authority"]
)
def test_without_the_extra_a_command_says_in_one_line_what_to_install(command, monkeypatch, capsys):
    monkeypatch.setattr(bls12_381, "PACKAGE", "no_such_package")
    assert main(command.split()) == 2
    assert capsys.readouterr().err.startswith("escrow-lab: warrant-key: the extra `pairing` is not installed (pip")


def test_without_the_extra_a_benchmark_leaves_the_scheme_out_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(bls12_381, "PACKAGE", "no_such_package")
    assert main(["bench", "--smoke", "--only", "plain", "--only", "warrant-key"]) == 0
    said = capsys.readouterr()
    assert "left out: warrant-key: the extra `pairing`" in said.err and "warrant-key" not in said.out

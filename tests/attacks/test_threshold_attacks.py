"""Attacks on split-key, fair-keys and threshold: each verdict, and faults seeded in the schemes.

That each attack breaks its specimen and not the twin is tested with all the others', in test_attacks.
"""

from __future__ import annotations

from functools import cache

import msgspec
import pytest
from committee_faults import changed, off

from attacks import lying_holder
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED
from attacks.lab.verdict.cell import Messaging
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.judging.procedure import broken
from attacks.mauled_fields import maul
from attacks.registry import attacks
from attacks.specimens import unchecked_ciphertext, unerased, unproven_parts, unverified_shares
from escrow.codec import decode
from escrow.derivation import Checks, service
from escrow.e2ee.provider import Mail
from escrow.errors import EscrowError, Forged
from escrow.schemes import envelope, plain, split_key, threshold
from escrow.schemes.fair_keys import scheme as fair_keys
from escrow.schemes.fair_keys.scheme import FairKeys
from escrow.schemes.split_key import HeldShare, SplitField, SplitKey
from escrow.schemes.threshold import AgentShare, Threshold, ThresholdField
from escrow.sharing import tdh2
from escrow.sharing.elgamal import KeyShare
from escrow.sharing.proactive import refresh
from escrow.testing import properties
from escrow.testing.harness import Step, playing
from escrow.warrant import Warrant, promises
from escrow.wire import Alarm

ATTACKS = attacks()
EVERY = tuple(ATTACKS.values())
SMALL = default(users=4, groups=0, days=4, messages=20)
PROPERTIES = {prop.name: prop for prop in properties.PROPERTIES}


@cache
def evaluation(scheme):
    return Evaluation(scheme, EVERY, SMALL)


@cache
def cell(scheme, attack):
    return evaluation(scheme).cell(ATTACKS[attack])[0]


def with_parties(scheme, **kinds):
    """The scheme with other classes for its parties."""
    return type("Altered", (type(scheme),), kinds, frozen=True, kw_only=True)(**msgspec.structs.asdict(scheme))


# --- verdicts ---

NONE, AS, HELD, BREACH, OUTSIDE = "NOT_APPLICABLE", "AS CLAIMED", "HELD", "BREACH", "OUTSIDE MODEL"
VERDICTS = {
    "lying-holder": {"split-key": HELD, "fair-keys": HELD, "threshold": HELD, "envelope": NONE, "plain": NONE},
    "mauled-fields": {"split-key": NONE, "fair-keys": NONE, "threshold": AS, "envelope": NONE, "plain": NONE},
    "mobile-adversary": {"split-key": AS, "fair-keys": AS, "threshold": HELD, "envelope": NONE, "plain": NONE},
    "rogue-dealer": {"split-key": OUTSIDE, "fair-keys": NONE, "threshold": HELD, "envelope": NONE, "plain": NONE},
    "shadow-public-keys": {"split-key": NONE, "fair-keys": HELD, "threshold": NONE, "envelope": NONE, "plain": NONE},
    "court-key-theft": {"split-key": BREACH, "fair-keys": BREACH, "threshold": BREACH},
    "authority-theft": {"split-key": AS, "fair-keys": AS, "threshold": AS},  # a fair key has no window, nor its claim
    "warrant-misuse": {"split-key": AS, "fair-keys": AS, "threshold": AS},
}
SCHEMES = {
    each.name: each for each in (split_key.SCHEME, fair_keys.SCHEME, threshold.SCHEME, envelope.SCHEME, plain.SCHEME)
}


@pytest.mark.parametrize(("attack", "scheme"), [(attack, scheme) for attack, row in VERDICTS.items() for scheme in row])
def test_verdicts(attack, scheme):
    found = cell(SCHEMES[scheme], attack)
    assert found.verdict == VERDICTS[attack][scheme], found.reason


def test_a_lying_holder_and_a_rogue_dealer_cost_no_text_and_are_named():
    for scheme in ("split-key", "fair-keys", "threshold"):
        found = cell(SCHEMES[scheme], "lying-holder")
        assert found.evaded == 0 and found.lawful == found.entitled > 0
        (alarm,) = found.alarms
        assert alarm.who == "authority"
        assert alarm.check.startswith("wrong ") and "-1" in alarm.check
    found = cell(SCHEMES["threshold"], "rogue-dealer")
    assert found.evaded == 0 and {alarm.check.split(":")[0] for alarm in found.alarms} == {"agent-1"}
    found = cell(SCHEMES["split-key"], "rogue-dealer")
    assert found.lawful == 0 and {alarm.check.split(":")[0] for alarm in found.alarms} == {"dealer"}


def test_one_dealer_alone_is_the_difference_between_no_key_and_a_key():
    """The same lie: put out among several it changes nothing. Of the only dealer it ends all mail, or all access."""
    several, single = (cell(SCHEMES[name], "rogue-dealer") for name in ("threshold", "split-key"))
    unescrowed = cell(SplitKey(failed="unescrowed"), "rogue-dealer")
    assert several.lawful == several.entitled == single.entitled == unescrowed.evaded > 0
    assert several.added.lost == single.lawful == single.evaded == unescrowed.lawful == unescrowed.added.lost == 0
    assert single.lost == sum(len(sent.intended) for sent in evaluation(SCHEMES["split-key"]).record.sent)
    assert single.exposed.total == unescrowed.exposed.total == 0  # the dealer has a key that nobody uses


def test_a_share_taken_yesterday_is_worth_nothing_beside_one_of_today_in_threshold_alone():
    everything = len(evaluation(SCHEMES["threshold"]).record.sent)
    for scheme, opened in ((Threshold(), 0), (Threshold(every=0), everything), (SplitKey(), everything)):
        assert cell(scheme, "mobile-adversary").exposed.total == opened
    assert cell(FairKeys(), "mobile-adversary").exposed.total == everything


def test_a_mauled_field_is_refused_by_every_honest_agent():
    found = evaluation(SCHEMES["threshold"])
    analysis, _ = found.under(ATTACKS["mauled-fields"])
    assert analysis.adversary.fired["attacks.mauled_fields.maul"]
    refused = [reason for _, _, reason in analysis.record.refusals if reason == "the ciphertext checks"]
    assert len(refused) > 10
    with pytest.raises(Forged, match="covers this field already"):
        warrant = analysis.record.warrants[0]
        field = next(_fields(analysis.record, warrant))
        maul(field, warrant.order)


def _fields(record, warrant):
    """Access fields that a warrant covers."""
    for packet in record.heard:
        try:
            field = decode(decode(packet.data, Mail).field, ThresholdField)
        except EscrowError:
            continue
        if warrant.order.covers(field.people, field.day):
            yield field


# --- who counts as a detector ---


@pytest.mark.parametrize("scheme", [SplitKey(), Threshold(), FairKeys()], ids=lambda scheme: scheme.name)
def test_what_the_thiefs_own_authority_complains_of_is_no_detection(scheme):
    record = evaluation(scheme).play(ATTACKS["court-key-theft"])
    honest = {*record.cast.devices, *record.cast.officials} - {"court"}
    assert {alarm.who for alarm in Messaging(record).alarms} <= honest


def test_only_who_was_cast_and_stayed_honest_raises_alarms_that_count():
    record = play(Threshold(), SMALL, ATTACKS["lying-holder"])
    said = {"authority": True, "alice-phone": True, "agent-1": False, "thief": False, "nobody": False}
    alarms = tuple(Alarm(0, who, "check", 1) for who in said)
    counted = Messaging(msgspec.structs.replace(record, alarms=alarms)).alarms
    assert {each.who for each in counted} == {who for who, counts in said.items() if counts}


# --- the attacks themselves ---


@pytest.mark.parametrize(
    ("scheme", "attack"),
    [
        (SplitKey(), "lying-holder"),
        (FairKeys(), "shadow-public-keys"),
        (Threshold(), "mauled-fields"),
        (Threshold(), "rogue-dealer"),
        (Threshold(t=3, n=5), "lying-holder"),
    ],
    ids=str,
)
def test_whoever_misbehaves_is_its_data_too(scheme, attack):
    """It may be replaced by its own decoded state after every step, and nobody notices."""
    scenario = default(users=3, groups=0, days=3, messages=8)
    one, other = (play(scheme, scenario, ATTACKS[attack], forgetful=forgetful) for forgetful in (False, True))
    assert one.corrupted and one.heard == other.heard and one.states == other.states


def test_a_lying_holder_lies_about_shares_only_while_it_answers():
    with playing(SplitKey()) as stage:
        agent = stage.wire.parties["agent-1"]
        party = lying_holder.lying(agent)
        before = party.state()
        warrant = stage.issued("alice")
        stage.wire.parties["agent-1"] = party
        stage.serve(warrant)
        stage.play([Step("say", "bob-phone", "alice")])
        assert len(stage.access(warrant, stage.intercepted())) == 1
        assert party.state() == before
        assert lying_holder._off([agent.share, b"x"]) == [changed(agent.share, raw=off(agent.share.raw)), b"x"]


def test_holders_are_the_officials_whose_shares_belong_together():
    for scheme in (SplitKey(), FairKeys(), Threshold()):
        (found,) = evaluation(scheme).cast.holders
        assert found.names == (scheme.trustees if isinstance(scheme, FairKeys) else scheme.agents)


@pytest.mark.parametrize(("t", "n"), [(3, 3), (2, 2)])
def test_a_holder_that_cannot_be_spared_is_no_case_for_the_liar(t, n):
    liar = ATTACKS["lying-holder"]
    assert "spared" in liar.applies(SplitKey(t=t, n=n), evaluation(SplitKey(t=t, n=n)).cast)
    assert liar.applies(SplitKey(t=2, n=3), evaluation(SplitKey(t=2, n=3)).cast) == ""


# --- faults seeded in threshold ---


@service(tdh2.partial, holder="share", given="ciphertext = field.ciphertext")
def any_day(share: AgentShare, warrant: Warrant, field: ThresholdField) -> Checks:
    """All promises but the one about the window."""
    yield from (
        (check, holds) for check, holds in promises(share.court, warrant, field.people, field.day) if check != "window"
    )
    yield "the label is of this message", field.label == field.ciphertext.label
    yield "the ciphertext checks", field.ciphertext.proven


class AnyDay(threshold.ThresholdAgent):
    def checks(self, share, warrant, field):
        return any_day(share, warrant, field)


class Renaming(threshold.ThresholdAgent):
    """An agent whose refresh gives a share a new stage, and no new polynomial."""

    def _hold(self, run, made):
        if run.purpose.kind == "key":
            super()._hold(run, made)
            return
        sharing, self.renewal = refresh.renewed(self.sharing, made)
        self.outcome = made
        share = self.share and changed(self.share, epoch=sharing.epoch)
        self.hold(changed(self.sharing, epoch=sharing.epoch), share)


class Believing(threshold.ThresholdAuthority):
    """An authority that looks at no proof."""

    def fault(self, index, part, field):
        return ""


@pytest.mark.parametrize(
    ("altered", "attack"),
    [
        (lambda: with_parties(Threshold(), agent=AnyDay), "warrant-misuse"),
        (lambda: with_parties(Threshold(reboots=False), agent=Renaming), "mobile-adversary"),
        (lambda: with_parties(Threshold(), agent=unerased.HoardingAgent), "mobile-adversary"),
        (lambda: with_parties(Threshold(), agent=unchecked_ciphertext.CredulousAgent), "mauled-fields"),
        (lambda: with_parties(Threshold(every=0), agent=unverified_shares.UncheckingAgent), "rogue-dealer"),
        (lambda: with_parties(Threshold(), authority=Believing), "lying-holder"),
    ],
    ids=["any day", "only renamed", "not erased", "ciphertext unchecked", "shares unverified", "proofs unread"],
)
def test_faults_seeded_in_threshold_are_caught_by_attacks(altered, attack):
    found, _ = Evaluation(altered(), EVERY, SMALL).cell(ATTACKS[attack])
    assert found.verdict in {"BREACH", "FAILS"}, found.reason
    sound = cell(SCHEMES["threshold"], attack)
    assert sound.verdict in {"HELD", "AS CLAIMED"}


def test_faults_seeded_in_threshold_are_caught_by_properties(monkeypatch):
    assert PROPERTIES["a field is bound"].broken(Threshold()) == ""
    monkeypatch.setattr("escrow.warrant.in_force", lambda *_: True)
    assert "expired" in PROPERTIES["no valid warrant no text"].broken(Threshold())
    monkeypatch.setattr(threshold, "label_of", lambda *_: bytes(32))
    assert "a text is yielded with another" in PROPERTIES["a field is bound"].broken(Threshold())


# --- faults seeded in split-key ---


@service(split_key.elgamal.partial, holder="share", given="capsule = field.capsule")
def unasked(share: HeldShare, warrant: Warrant, field: SplitField) -> Checks:
    """All promises but the one about who made the field."""
    yield from promises(share.court, warrant, field.people, field.day)


class Unasking(split_key.SplitAgent):
    def checks(self, share, warrant, field):
        return unasked(share, warrant, field)


class Keeping(split_key.Dealer):
    """A dealer that does not forget."""

    kept: list[KeyShare] = []

    def handed(self, shares):
        self.kept = list(shares)
        return shares


class Careless(SplitKey, frozen=True, kw_only=True):
    """The dealer keeps what it dealt."""

    name = "careless"

    def cast(self, users, court):
        for party in super().cast(users, court):
            yield Keeping(party.name, party.t, party.n) if isinstance(party, split_key.Dealer) else party


@pytest.mark.parametrize(
    ("altered", "attack"),
    [
        (lambda: with_parties(SplitKey(), agent=Unasking), "warrant-misuse"),
        (Careless, "authority-theft"),
        (unproven_parts.UnprovenParts, "lying-holder"),
    ],
    ids=["sender's proof unread", "the dealer keeps the shares", "parts unproven"],
)
def test_faults_seeded_in_split_key_are_caught_by_attacks(altered, attack):
    found, _ = Evaluation(altered(), EVERY, SMALL).cell(ATTACKS[attack])
    assert broken(found), found.reason  # a model excludes dealers that keep what they deal; the counts stand
    assert cell(SCHEMES["split-key"], attack).verdict in {"HELD", "AS CLAIMED"}


def test_faults_seeded_in_split_key_are_caught_by_properties(monkeypatch):
    monkeypatch.setattr("escrow.warrant.in_force", lambda *_: True)
    assert "expired" in PROPERTIES["no valid warrant no text"].broken(SplitKey())
    monkeypatch.setattr(split_key.SplitField, "context", lambda self: b"context")
    assert "a text is yielded with another" in PROPERTIES["a field is bound"].broken(SplitKey())


# --- services ---


def test_whose_promises_stand_between_the_authority_and_everything():
    """The authority reads what warrants cover; t agents read all; fewer read nothing."""
    found = evaluation(SCHEMES["threshold"])
    structure = found.analysis.structure
    for name, who, share in (
        (MATHEMATICS, ["agent-1"], "none"),
        (MATHEMATICS, ["agent-1", "agent-3"], "all"),
        (SERVED, ["authority"], "some"),
        (SERVED, ["court"], "all"),
    ):
        opened = structure(name).opened(structure(name).mask([Seizure(each) for each in who]))
        count, everything = len(opened), len(found.record.sent)
        assert {"none": count == 0, "some": 0 < count < everything, "all": count == everything}[share]

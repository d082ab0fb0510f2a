"""Silent leaves in groups of MLS: what a stolen state opens, who is let in, and planted faults that the kit finds."""

import msgspec
import pytest
from kit import PROPERTY, SAID

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.simulation.attack import attacker_device, entry_of
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.silence.leaves import proposing
from attacks.leaf_insertion import ATTACK
from attacks.registry import attacks
from escrow import codec
from escrow.e2ee.contacts import compare_safety_numbers
from escrow.errors import Refused
from escrow.mls.conversations import delivery
from escrow.mls.conversations.attesting import SERVICE
from escrow.mls.conversations.delivery import HandshakeTold
from escrow.mls.conversations.leaf_holder import SHOWN
from escrow.mls.conversations.outsiders import propose
from escrow.mls.conversations.tree_device import NEW_LEAF, TreeDevice
from escrow.mls.conversations.tree_membership import OpenEpoch
from escrow.principal import corrupted
from escrow.registry import schemes, with_parameters
from escrow.schemes import ghost_mls
from escrow.schemes.ghost_mls import CredentialService, GhostMls, TreeGhostClient, TreeGhostProvider
from escrow.testing.harness import Step, playing
from escrow.testing.world import mails_in

SCHEME = ghost_mls.SCHEME
TO_ALICE, FROM_ALICE = Step("say", "bob-phone", "alice"), Step("say", "alice-phone", "bob")
WARRANT, ROTATED = "no valid warrant no text", "a changed key rotates sender chains"
ONCE, LISTED = "shown is what was sent", "no text under a key not listed and shown"


def test_it_is_a_scheme_of_the_default_matrix_with_its_choices_named():
    assert schemes()[SCHEME.name] == SCHEME
    favours = {choice.favours for choice in SCHEME.claim.choices}
    assert favours == {True, False}
    assert all(each.source.startswith(("Levy", "Barnes")) for each in SCHEME.claim.sources)


# --- who reads ---


@pytest.fixture(scope="module")
def played():
    return play(SCHEME, small())


def test_a_stolen_state_opens_by_rules_what_public_commits_say(played):
    """Closure and judge read an epoch apart: one applies rules to bytes, the other looks at who committed."""
    judge, analysis = Judge(played, SCHEME.claim), Analysis(SCHEME, played, ())
    opened, granted = 0, 0
    for device in played.cast.devices:
        for evening in range(played.scenario.days):
            seizure = Seizure(device, (evening,))
            by_rules = analysis.opened_by([seizure])
            by_commits = {text for text in judge.by_id if judge.granted(Coalition((seizure,)), text)}
            assert by_rules == by_commits, (device, evening)
            opened, granted = opened + len(by_rules), granted + len(by_commits)
    assert 0 < opened == granted
    assert not analysis.opened_by([Seizure("provider", ()), Seizure("credential-service", ())])


def test_the_authority_reads_what_its_warrants_cover(played):
    messaging = Messaging(played)
    assert messaging.lawful
    assert messaging.lawful <= messaging.entitled
    assert not played.refusals


# --- who is let in ---


def inserted(strategy, *settings):
    """The play of a strategy of leaf-insertion, and the texts that provider and service open."""
    made = with_parameters(SCHEME, [f"ghost-mls.{each}" for each in settings])
    chosen = next(each for each in ATTACK.strategies(cast_of(made, small()), small()) if each.strategy == strategy)
    record = play(made, small(), chosen)
    both = [Seizure("provider", ()), Seizure("credential-service", ())]
    return record, Analysis(made, record, (), taken=both).opened_by(both)


PROPOSAL = "a proposal of the provider under an attested key"
OUTSIDER = "proposals=provider"


def shown_in(record):
    return {alarm.check for alarm in record.alarms}


def test_a_proposal_from_outside_is_refused_where_the_group_lists_nobody():
    record, opened = inserted(PROPOSAL)
    assert not opened
    assert {why for _, _, why in record.refusals} == {"Forged: the group lists no external sender 0"}
    assert SHOWN not in shown_in(record)


def test_a_proposal_of_a_listed_outsider_is_shown_and_not_committed():
    record, opened = inserted(PROPOSAL, OUTSIDER)
    assert not opened
    assert SHOWN in shown_in(record)
    assert {why for _, _, why in record.refusals} == {"leaves listed"}


def test_a_proposed_leaf_that_clients_hide_reads_and_only_numbers_show_it():
    """The members compare epoch authenticators, too: the ghost has the same one, so they find nothing."""
    record, opened = inserted(PROPOSAL, OUTSIDER, "hush=provider")
    assert opened
    assert shown_in(record) == {"safety number"}
    told = [codec.decode(each.data, HandshakeTold) for each in record.heard if each.data[2:15] == b"HandshakeTold"]
    assert any(each.handshake.proposed for each in told)


def test_an_honest_provider_that_may_propose_changes_nothing_that_is_read(played):
    record = play(with_parameters(SCHEME, [f"ghost-mls.{OUTSIDER}"]), small())
    assert [sent.id for sent in record.sent] == [sent.id for sent in played.sent]
    assert len(record.lawful) == len(played.lawful)
    assert shown_in(record) == shown_in(played)


def test_who_proposes_a_key_that_nobody_attests_is_named():
    with playing(with_parameters(SCHEME, [f"ghost-mls.{OUTSIDER}", "ghost-mls.hush=provider"])) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        rogue = attacker_device("alice-tablet", "alice", SCHEME.device)
        harness.wire.parties["provider"] = proposing(harness.provider, rogue)
        harness.play([TO_ALICE])
        assert ("provider", "credentials") in [each[1:] for each in harness.wire.refusals]
        leaves = harness.device("bob-phone").own.members["alice+bob"].roster.values()
        assert "alice-tablet" not in {leaf.device for leaf in leaves}


def test_who_proposes_a_user_of_no_such_conversation_is_named():
    with playing(with_parameters(SCHEME, [f"ghost-mls.{OUTSIDER}", "ghost-mls.hush=provider"])) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        carol, key = harness.device("carol-phone"), harness.provider.proposer
        package = carol.client_of(carol.prekeys[-1].key).package
        provider = corrupted(harness.provider, proposed=lambda self, newest: propose(key, newest, package))
        harness.wire.parties["provider"] = provider
        harness.play([TO_ALICE])
        said = {why for _, who, why in harness.wire.refusals if who == "provider"}
        assert said == {"who is proposed is a user of the conversation"}


def test_users_who_meet_in_one_group_have_one_authenticator_and_others_are_told():
    """A provider that keeps commits back leaves a user in an old epoch: no number shows it, the authenticators do."""
    with playing(SCHEME) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        alice, bob = harness.device("alice-phone"), harness.device("bob-phone")
        assert compare_safety_numbers(harness.wire, alice, bob)
        honest = type(harness.provider)

        def on_handshakes_since(self, sender, packet, wire):
            told = honest.on_handshakes_since(self, sender, packet, wire)
            return told if self.accounts.get(sender) != "alice" else msgspec.structs.replace(told, handshakes=())

        harness.wire.parties["provider"] = corrupted(harness.provider, on_handshakes_since=on_handshakes_since)
        harness.play([Step("day")] * 3 + [TO_ALICE])
        alarms = len(harness.wire.alarms)
        assert not compare_safety_numbers(harness.wire, alice, bob)
        assert {each.check for each in harness.wire.alarms[alarms:]} == {"epoch authenticator"}


def test_a_leaf_that_the_service_attests_is_added_and_shown():
    record, opened = inserted("an attested device")
    assert opened
    assert {alarm.check for alarm in record.alarms} >= {"a new device or key is shown", "safety number"}


@pytest.mark.parametrize("whose", ["by the provider alone", "under an attested key"])
def test_nobody_joins_by_an_own_commit(whose):
    record, opened = inserted(f"external commits {whose}")
    assert not opened
    assert {"external commits"} <= {why for _, _, why in record.refusals}


def test_an_unattested_device_gets_no_leaf_and_is_named():
    with playing(SCHEME) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        rogue = attacker_device("alice-tablet", "alice", SCHEME.device)
        harness.provider.add(rogue.name, entry_of(rogue, SCHEME.provider))
        before = len(harness.wire.heard)
        harness.take(TO_ALICE)
        mails = [mail for packet in harness.wire.heard[before:] for mail in mails_in(packet)]
        assert {to for mail in mails for to in mail.recipients} == {"alice-phone", "alice-laptop"}
        assert ("alice-tablet", "nobody attests the key of alice-tablet") in [
            each[1:] for each in harness.wire.refusals
        ]


def test_a_silent_leaf_is_in_every_member_s_group_and_goes_with_its_warrant():
    with playing(SCHEME) as harness:
        harness.served("alice", last=1)
        harness.play([TO_ALICE])
        conversation = "alice+bob"
        groups = [harness.device(name).own.members[conversation] for name in ("bob-phone", "alice-phone")]
        (ghost,) = {leaf.device for own in groups for leaf in own.roster.values()} - set(harness.owner)
        assert not harness.wire.alarms
        assert len({own.keys.authenticator for own in groups}) == 1
        harness.play([Step("day"), Step("day"), TO_ALICE])
        left = {leaf.device for leaf in harness.device("bob-phone").own.members[conversation].roster.values()}
        assert ghost not in left
        assert NEW_LEAF not in {alarm.check for alarm in harness.wire.alarms}


def test_the_service_attests_nobody_after_the_last_day_that_the_warrant_covers():
    with playing(SCHEME) as harness:
        warrant = harness.issued("alice", 0, 0)
        harness.take(Step("day"))
        with pytest.raises(Refused, match=f"{SERVICE} refuses: window"):
            harness.authority.haunt(harness.wire, warrant)
        assert harness.wire.party(SERVICE, CredentialService).silent == []


def test_nothing_of_a_group_is_used_under_another_key():
    with playing(SCHEME) as harness:
        harness.play([TO_ALICE])
        device = harness.device("bob-phone")
        assert device.own.members
        device.identity = harness.device("carol-phone").identity
        assert not device.own.members


# --- planted faults; that the scheme itself is not blamed, test_properties holds ---


def kind(base, **methods):
    """A party's class with other methods."""
    return msgspec.defstruct(base.__name__, [], bases=(base,), namespace=methods, module=base.__module__)


def scheme(**parts):
    return type("Faulty", (GhostMls,), {"name": "faulty", **parts}, frozen=True)()


def no_checks(self, warrant, day):
    return iter(())


@pytest.mark.parametrize(
    ("planted", "caught"),
    [
        ({"device": kind(TreeGhostClient, tolerates=lambda self, wire, leaf: True)}, (ROTATED, LISTED)),
        (
            {
                "provider": kind(TreeGhostProvider, timely=no_checks),
                "service": kind(CredentialService, timely=no_checks),
            },
            (WARRANT,),
        ),
    ],
)
def test_a_planted_fault_of_a_party_is_caught(planted, caught):
    assert [bool(PROPERTY[name].broken(scheme(**planted))) for name in caught] == [True] * len(caught)


def test_a_spent_key_that_is_kept_is_caught(monkeypatch):
    monkeypatch.setattr(OpenEpoch, "keep", lambda self, leaf, ratchet: None)
    assert PROPERTY[ONCE].broken(SCHEME)


def test_a_delivery_service_that_does_not_read_commits_is_caught(monkeypatch):
    monkeypatch.setattr(delivery, "_whole", lambda new, newest: iter(()))
    assert "HandshakeTold" in PROPERTY[SAID].broken(SCHEME)


def test_leaves_that_are_not_renewed_heal_nobody(monkeypatch, played):
    """Who steals a state on the first evening reads more of what is sent if nobody makes new keys."""

    def stolen(record):
        analysis = Analysis(SCHEME, record, ())
        return sum(len(analysis.opened_by([Seizure(device, (0,))])) for device in record.cast.devices)

    honest = TreeDevice.ready

    def lazy(self, wire, conversation, people, to):
        self.rotate_every = 1_000
        return honest(self, wire, conversation, people, to)

    monkeypatch.setattr(TreeDevice, "ready", lazy)
    never = play(SCHEME, small())
    assert stolen(never) > stolen(played)


def test_a_corrupted_device_that_meets_another_speaks_for_itself_only():
    """Both ask for their groups' commits before they compare; the corrupted one does not ask in the other's name."""
    attack = attacks()["field-stripping"]
    cell, _ = Evaluation(SCHEME, (attack,), small()).cell(attack)
    assert cell.verdict not in ("ERROR", "NOT_APPLICABLE")

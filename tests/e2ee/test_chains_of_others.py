"""Property: a sender chain serves its owner only: it opens no mail of others, and pushes no chain of others out."""

from types import SimpleNamespace

from escrow.e2ee import groups, sender_keys
from escrow.e2ee.groups import CHAINS_KEPT, GROUPS_KEPT
from escrow.e2ee.provider import Mail
from escrow.e2ee.sender_keys import PeerChain


def chain_of(device, group="club"):
    made = sender_keys.new_chain()
    return made, PeerChain(device, group, made.chain, made.signer.public)


def mail_of(own, sender):
    return Mail(sender, ("bob-phone",), "club", None, sender_keys.encrypt(own, b"text")[0], b"")


def test_a_chain_is_found_for_mail_of_its_owner_only():
    own, learnt = chain_of("alice-phone")
    device = SimpleNamespace(receiving=[learnt])
    assert groups.chain_of(device, mail_of(own, "alice-phone")) is learnt
    assert groups.chain_of(device, mail_of(own, "carol-phone")) is None
    assert groups.chain_of(device, mail_of(chain_of("alice-phone")[0], "alice-phone")) is None


def test_many_chains_of_one_owner_in_one_group_push_out_its_own_oldest_there():
    kept = [chain_of("bob-phone")[1], chain_of("alice-phone", "choir")[1]]
    device = SimpleNamespace(receiving=list(kept))
    many = [chain_of("alice-phone")[1] for _ in range(CHAINS_KEPT + 2)]
    for each in many:
        groups.learn(device, each)
    assert device.receiving == [*kept, *many[-CHAINS_KEPT:]]


def test_chains_of_one_owner_in_many_groups_push_out_its_own_oldest():
    kept = chain_of("bob-phone")[1]
    device = SimpleNamespace(receiving=[kept])
    many = [chain_of("alice-phone", f"group {number}")[1] for number in range(GROUPS_KEPT + 2)]
    for each in many:
        groups.learn(device, each)
    assert device.receiving == [kept, *many[-GROUPS_KEPT:]]

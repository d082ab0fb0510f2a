"""A provider's insider in every group: the provider lists one more member, whose device the attacker holds."""

import msgspec
import pytest

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.attack import Attack, Turn, attacker_device, entry_of
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.delivery import Messaging
from escrow import registry
from escrow.e2ee.membership import NEW_MEMBER
from escrow.e2ee.provider import GroupOf
from escrow.principal import corrupted
from escrow.scheme import Source

INSIDER = "zoe"
SCENARIO = default(users=4, groups=2, days=8, messages=80)


class Insider(Attack):
    """Corrupt the provider: each list of members that it gives has the insider's name too."""

    name, title, specimen = "group-insider", "An insider is listed in every group", __name__
    source = Source("ours", "ours", 2026, "all", "messages")

    def corruptions(self, cast, scenario):
        return [Turn("provider", scenario.attack_day)]

    def corrupt(self, party, scheme, cast, scenario):
        honest = type(party)

        def on_group_of(self, sender, packet: GroupOf, wire):
            found = honest.on_group_of(self, sender, packet, wire)
            return msgspec.structs.replace(found, members=(*found.members, INSIDER))

        device = attacker_device(f"{INSIDER}-phone", INSIDER, scheme.device)
        provider = corrupted(party, {"insiders": list[scheme.device]}, on_group_of=on_group_of)
        provider.insiders.append(device)
        provider.accounts[device.name] = INSIDER
        provider.directory[device.name] = entry_of(device, scheme.provider)
        return provider


@pytest.mark.parametrize("scheme", ["plain", "ghost", "split-key"])
def test_an_insider_in_every_group_is_shown_on_every_members_device(scheme):
    attack = Insider()
    record = play(registry.schemes()[scheme], SCENARIO, attack)
    devices = {user.name: user.devices for user in SCENARIO.users}
    since = [group for group in SCENARIO.groups if spoken_in(record, group.name)]
    members = {name for group in since for name in SCENARIO.members(group, SCENARIO.days)}
    told = {each.who for each in Messaging(record).alarms if each.check == NEW_MEMBER}
    assert len(since) == len(SCENARIO.groups)
    assert told == {device for member in members for device in devices[member]}
    read = Analysis(registry.schemes()[scheme], record, (attack,)).opened_by([Seizure("provider")])
    assert {record.sent[text].conversation for text in read} == {group.name for group in since}


def spoken_in(record, group):
    return any(sent.conversation == group and sent.day >= SCENARIO.attack_day for sent in record.sent)


@pytest.mark.parametrize("scheme", ["plain", "ghost", "split-key"])
def test_without_an_insider_nobody_is_shown_a_new_member(scheme):
    record = play(registry.schemes()[scheme], SCENARIO)
    assert [each for each in Messaging(record).alarms if each.check == NEW_MEMBER] == []

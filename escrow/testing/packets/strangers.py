"""The properties of groups: whose texts are shown and how often, who changes a group, who is told of a new member.

stranger   a device of a user who is no member, or no longer, and keeps no promise; it runs the scheme's own code
groups     of two users, one with Sender Keys and one with pairwise fan-out, and one whose name imitates the two

Source: Roesler, Mainka and Schwenk, "More is Less", EuroS&P 2018, sections 3 to 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import product
from typing import Any

import msgspec

from escrow import crypto
from escrow.e2ee.content import Text, direct
from escrow.e2ee.provider import DeviceList, DevicesOf, Group, GroupOf, Provider
from escrow.errors import EscrowError
from escrow.principal import corrupted
from escrow.scheme import Scheme
from escrow.testing.harness import NAMES, Harness, Step, playing
from escrow.testing.trying import Broken, require, settings
from escrow.wire import Wire

MEMBERS, STRANGER, PLANTED = ("alice", "bob"), "carol-phone", b"planted"
IMITATION = Group(str(direct(*MEMBERS)), NAMES, True)
STYLES = (Group("pair", MEMBERS, False), Group("duo", MEMBERS, True))  # pairwise fan-out, Sender Keys


@contextmanager
def _talking(scheme: Scheme, group: Group) -> Iterator[Harness]:
    """Yield a harness in which this group was made and every member's device knows it."""
    with playing(scheme) as harness:
        harness.gather(group)
        _talk(harness, group)
        yield harness


def _talk(harness: Harness, group: Group) -> None:
    """Let a device of each member write to the group, and all collect."""
    first = {user: device for device, user in reversed(harness.owner.items())}
    harness.play(Step("say", first[user], group.name) for user in group.members)


def _outside(group: Group) -> Iterable[tuple[str, Group]]:
    """Return how the stranger came to be no member, and the group with which it begins."""
    return (("who never was a member", group), ("who was removed", msgspec.structs.replace(group, members=NAMES)))


def texts_of_strangers_are_not_shown(scheme: Scheme, how: settings) -> None:
    """Require that only members' texts are shown in a group, only their sender keys kept, and no group imitates two."""
    for group in STYLES:
        for who, begun in _outside(group):
            with _talking(scheme, begun) as harness:
                _remove(harness, group)
                before = _chains(harness, group)
                _plant(harness, group)
                style = "Sender Keys" if group.sender_keys else "pairwise fan-out"
                _nothing_planted(harness, f"a group with {style}, of a user {who}")
                kept = sum(_chains(harness, group)) - sum(before)
                require(kept <= 0, f"{kept} sender keys of a user {who} are kept")
                _talk(harness, group)
                require(harness.meant <= harness.shown, "texts of members are missing beside those of a stranger")
    _two_users_alone(scheme)


def _remove(harness: Harness, group: Group) -> None:
    if harness.groups[group.name] != group:
        harness.gather(group)


def _chains(harness: Harness, group: Group) -> list[int]:
    """Return how many sender keys of the group each member's device keeps."""
    members = [harness.device(name) for name, user in harness.owner.items() if user in group.members]
    return [sum(peer.group == group.name for peer in each.receiving) for each in members]


def _plant(harness: Harness, group: Group) -> None:
    """Let the stranger write to a group as if it were a member, and all collect."""
    harness.wire.parties[STRANGER] = corrupted(harness.device(STRANGER))
    with suppress(EscrowError):
        harness.send(STRANGER, group.name, PLANTED, group=True)
    harness.play([])


def _nothing_planted(harness: Harness, where: str) -> None:
    for each in harness.wire.shown:
        require(each.text != PLANTED, f"on {each.device} a text is shown in {each.conversation}: {where}")


def _two_users_alone(scheme: Scheme) -> None:
    """Require that a third user's text is never shown in the conversation of two."""
    with playing(scheme) as harness:
        stranger = harness.wire.parties[STRANGER] = corrupted(harness.device(STRANGER))
        for user in MEMBERS:
            with crypto.acting(STRANGER), suppress(EscrowError):
                stranger.fan_out(harness.wire, (harness.owner[STRANGER], user), Text(direct(*MEMBERS), PLANTED))
        harness.play([])
        _nothing_planted(harness, "a conversation of two others")
        harness.announce(STRANGER, IMITATION)
        _plant(harness, IMITATION)
        for each in harness.wire.shown:
            alike = each.text == PLANTED and each.conversation == str(direct(*MEMBERS))
            require(not alike, f"on {each.device} a group's text is shown in the conversation of two users")


def only_members_change_a_group(scheme: Scheme, how: settings) -> None:
    """Require that a member changes a group, and that nobody else adds, removes or renames anything in it."""
    for group in STYLES:
        for who, begun in _outside(group):
            with _talking(scheme, begun) as harness:
                _remove(harness, group)
                before = _listed(harness, group)
                require(before.members == group.members, "a member cannot change a group")
                for members in (NAMES, ("carol",), ("alice",), ()):
                    for style in (True, False):
                        with suppress(EscrowError):
                            harness.announce(STRANGER, Group(group.name, members, style))
                        require(_listed(harness, group) == before, f"a user {who} changes a group")


def _listed(harness: Harness, group: Group) -> Group:
    device = harness.device("alice-phone")
    return harness.wire.ask(device.name, device.provider, GroupOf(group.name), Group)


def who_is_named_twice_is_sent_one_text(scheme: Scheme, how: settings) -> None:
    """Require one text on each device of a member whom a group names twice, or whose devices are listed twice."""
    ways = ("a member names everybody twice", "the provider names everybody twice", "the provider lists devices twice")
    for group, what in product(STYLES, ways):
        with _talking(scheme, group) as harness:
            twice = msgspec.structs.replace(group, members=group.members * 2)
            if what == ways[0]:
                with suppress(EscrowError):
                    harness.announce("alice-phone", twice)
            else:
                harness.wire.parties["provider"] = _doubling(harness.provider, lists=what == ways[2])
            _talk(harness, group)
            for device, author, _, _ in harness.shown - harness.meant:
                raise Broken(f"on {device} a text of {author} is shown twice where {what}")


def _doubling(provider: Provider, lists: bool) -> Provider:
    """Return a provider that lists each device twice, or names each member of a group twice."""
    honest: Any = type(provider)

    def on_devices_of(self: Any, sender: str, packet: DevicesOf, wire: Wire) -> DeviceList:
        return DeviceList(honest.on_devices_of(self, sender, packet, wire).devices * 2)

    def on_group_of(self: Any, sender: str, packet: GroupOf, wire: Wire) -> Group:
        found: Group = honest.on_group_of(self, sender, packet, wire)
        return msgspec.structs.replace(found, members=found.members * 2)

    return corrupted(provider, on_devices_of=on_devices_of) if lists else corrupted(provider, on_group_of=on_group_of)


def a_new_member_raises_a_notice(scheme: Scheme, how: settings) -> None:
    """Require a notice on each member's device when a member adds a user, and when the provider lets a stranger in."""
    for group in STYLES:
        for who, speaker in (("by a member", "alice-phone"), ("by a provider that asks nobody", STRANGER)):
            with _talking(scheme, group) as harness:
                calm = len(harness.wire.alarms)
                _talk(harness, group)
                require(len(harness.wire.alarms) == calm, "a notice is raised where nobody is new in a group")
                if speaker == STRANGER:
                    harness.wire.parties["provider"] = corrupted(harness.provider)
                harness.announce(speaker, msgspec.structs.replace(group, members=NAMES))
                _talk(harness, group)
                told = {alarm.who for alarm in harness.wire.alarms[calm:]}
                deaf = [name for name, user in harness.owner.items() if user in MEMBERS and name not in told]
                require(not deaf, f"a user is added {who} without a notice on {', '.join(deaf)}")

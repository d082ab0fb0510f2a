"""What a device knows of the members of groups, and whose texts it takes.

  look up   on sending to a group, and on each text or chain of one: the provider's list, which the device keeps
  notice    each member that the list kept before does not have; a change by a user who is in neither list
  rotate    a new sender key where a member left or changes were missed: others may have refused the one before
  take      a text of two users from one of them, by the other; a text or chain of a group from a member of today

A list is the provider's word, as a list of devices is. Mail does not prove when it was written, so a text that its
author sent as a member is refused once the author is removed. Whoever was removed is still shown texts of members.
Source: Roesler, Mainka and Schwenk, "More is Less", EuroS&P 2018, sections 4 and 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from escrow.derivation import honest_only
from escrow.e2ee.content import Conversation, Direct, InGroup, direct
from escrow.e2ee.listing.checks import MEMBERS, STRANGERS
from escrow.e2ee.provider import Group, GroupOf, Mail
from escrow.wire import Wire

if TYPE_CHECKING:
    from escrow.e2ee.device import Device

NEW_MEMBER = "a new member of a group is shown"
GROUPS_KNOWN = 10_000  # lists of groups that a device keeps: strangers make groups with its user in them
STRANGER = "a stranger changed a group"


@honest_only("what a device does with its own groups")
def look_up(device: Device, wire: Wire, name: str) -> Group:
    """Return a group as the provider lists it now, and give the user a notice of each change that calls for one.

    The device keeps the last list that has its own user. Raise Unreachable if there is no such group.
    """
    found = wire.ask(device.name, device.provider, GroupOf(name), Group)
    device.insist(found.name == name, "the group asked for")
    if device.user not in found.members:
        return found
    known = device.known_groups.get(name, found)
    for _ in set(found.members) - set(known.members):
        if device.keeps(MEMBERS.name):
            wire.alarm(device.name, NEW_MEMBER)
    strange = known != found and found.by not in (*known.members, *found.members)
    if strange and device.keeps(STRANGERS.name):
        wire.alarm(device.name, STRANGER)
    if found.change > known.change + 1 or not set(known.members) <= set(found.members):
        device.sending.pop(name, None)
    device.known_groups.pop(name, None)
    device.known_groups[name] = found  # the one looked up last stands last
    if len(device.known_groups) > GROUPS_KNOWN:
        oldest = next(iter(device.known_groups))
        del device.known_groups[oldest]
        device.known_members.pop(oldest, None)
    return found


@honest_only("what a device does with its own groups")
def check(device: Device, wire: Wire, mail: Mail, author: str, conversation: Conversation) -> None:
    """Raise Refused unless this author may write in a conversation that is the device's too. Raise what look-up raises.

    A mail under a sender key says its group outside; the content must be of the same.
    """
    ours = not mail.group or conversation.group == mail.group
    match conversation:
        case Direct(one, other):
            pair = conversation == direct(one, other) and {author, device.user} <= {one, other}
            device.insist(ours and pair, "a text is of its author's conversation")
        case InGroup(group):
            device.insist(ours, "a text is of its author's conversation")
            found = device.look_up_group(wire, group)
            device.insist(author in found.members, "only members write to a group")
            own = device.known_groups.get(group, found)
            device.insist(device.user in own.members, "a text is of a group of this user's")

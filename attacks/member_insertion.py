"""The provider adds a user of its own to groups: members' clients write to whoever it says is a member.

  list     the list of a group, as each member's client looks it up, has a stranger z among its members
  send     clients encrypt to z's device, pairwise or with their sender keys, as to any new contact's
  read     z's keys open what the network heard

A client tells its user who is new in a group whose list it had before; from the first list on nobody is new. Safety
numbers of members agree, since no key of theirs changes.
Source: Roesler, Mainka and Schwenk, "More is Less: On the End-to-End Security of Group Chats in Signal, WhatsApp, and
Threema", EuroS&P 2018, section 4: a server that adds a member by itself.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from attacks.lab.simulation.attack import PROVIDER, Attack, Cast, Turn, attacker_device, drawn, entry_of
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee.provider import Group, GroupOf, Provider
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source
from escrow.wire import Wire


class MemberInsertion(Attack):
    """Corrupt the provider: it lists a stranger among the members of groups, from a day on."""

    name = "member-insertion"
    title = "The provider adds a stranger to groups"
    source = Source(
        "Roesler, Mainka and Schwenk",
        "More is Less: On the End-to-End Security of Group Chats in Signal, WhatsApp, and Threema",
        2018,
        "4",
        "messages",
    )
    in_pages = True
    column = PROVIDER
    specimen = "listed_members"
    stops_mail = True  # a client that may not write to the stranger writes to nobody in the group

    def __init__(self, strategy: str = "", groups: Sequence[str] = (), day: int = -1) -> None:
        """Name the strategy, its groups, and the day (-1: the attack day), or leave all to `strategies`."""
        self.strategy, self.groups, self.day = strategy, tuple(groups), day

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return one group and all, later on, and from their first lists on; that is the same on the first day."""
        every = [group.name for group in scenario.groups]
        if not every:
            return (self,)
        one, later = [drawn(scenario, every)], scenario.attack_day
        found = [MemberInsertion("one group, once it is known", one, later)] if later else []
        found += [MemberInsertion("all groups, once they are known", every, later)] if later and every != one else []
        found.append(MemberInsertion("one group, from its first list on", one, 0))
        if every != one:
            found.append(MemberInsertion("all groups, from their first lists on", every, 0))
        return found

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the provider from that day on."""
        return [Turn("provider", scenario.attack_day if self.day < 0 else self.day)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the provider list a stranger, with a device of its own, among these groups' members."""
        honest = type(of_kind(party, Provider))
        groups = set(self.groups or [group.name for group in scenario.groups])
        stranger = scenario.unused("stranger")

        def on_group_of(self: Any, sender: str, packet: GroupOf, wire: Wire) -> Group:
            found: Group = honest.on_group_of(self, sender, packet, wire)
            if found.name not in groups:
                return found
            return msgspec.structs.replace(found, members=(*found.members, stranger))

        kept = {"strangers": list[scheme.device]}  # type: ignore[name-defined]  # a class that only running code knows
        provider = corrupted(party, kept, on_group_of=on_group_of)
        rogue: Any = provider  # it has the field that is kept
        phone = attacker_device(scenario.unused(f"{stranger}-phone"), stranger, scheme.device, scheme.committing)
        rogue.strangers.append(phone)
        rogue.add(phone.name, entry_of(phone, scheme.provider))
        return provider


ATTACK = MemberInsertion()

"""Devices and a provider for lists that somebody signs: which devices a user has, and who is in a group.

  unsigned   the provider's word, and a notice of whatever is new
  signed     a companion gets mail if its user's primary signed it, it signed back, and the primary's list is not old
  shared     all devices of a user have one identity key, as in Signal: another key beside it is a changed key, and gets
             no mail; if all listed devices have another, it is the user's new one, after a notice. Numbers tell a
             device from one that had its name before (Signal's registration IDs, here of 8 bytes)
  groups     a member gets mail if a device of the admin signed the list that has it; the admin is who made the group
  watched    a client tells its user if a text goes to more devices than the last one of that conversation

Each check is a promise by itself (escrow.e2ee.listing.checks). A device that is exempt (`Device.is_exempt`) needs no
signature and is in no list in a chat; one that a client hides (`quiet`) is not counted. What a client knows first it
takes for true; a comparison of safety numbers tells if it is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar, Literal

import msgspec

from escrow import codec, crypto
from escrow.codec import Packet, Public
from escrow.derivation import honest_only
from escrow.e2ee import content
from escrow.e2ee.device import Device
from escrow.e2ee.listing import device_lists, one_key
from escrow.e2ee.listing.checks import CHANGED_KEY, CHECKS, ClientCheck
from escrow.e2ee.listing.device_lists import (
    AFTER_NEWS,
    LIVES,
    DeviceSignature,
    GroupSignature,
    ListOf,
    Registered,
    Registrations,
    RegistrationsOf,
    SignatureOf,
    SignedList,
    Vouchers,
)
from escrow.e2ee.provider import Group, Listed, Mail, Provider
from escrow.e2ee.ratchet import Plaintext
from escrow.errors import EscrowError, Refused, Unreachable
from escrow.wire import Wire

Lists = Literal["unsigned", "signed", "shared"]

LIST = ClientCheck("list signature", "sends nothing to a device that is not valid in a list which its primary signed")
ACCOUNT = ClientCheck("account signature", "sends nothing to a device for which its user's primary did not sign")
LINKED = ClientCheck("device signature", "sends nothing to a device that did not sign for its primary")
AGE = ClientCheck("list age", f"takes a list for {LIVES} days, for {AFTER_NEWS} once there is a newer one")
IN_CHAT = ClientCheck("in-chat lists", "tells its user if the other end has another list of devices than is true")
ONE_KEY = ClientCheck("one key a user", "sends nothing to a device under another key than its user's")
SIGNED_MEMBERS = ClientCheck("signed members", "sends nothing to a member of a group whom no admin signed")
FAN_OUT = ClientCheck("fan-out size", "tells its user if a text goes to more devices than the one before")

OTHER_LIST = "the other end has another list of devices"
MORE_DEVICES = "a text goes to more devices than the one before"


class KnownList(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The signed list of a user as a device knows it: its vouchers, and the last day on which it is taken."""

    told: Vouchers
    last: int


class Vouching(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a client checks, and what it keeps for that.

    `lists`, `groups` and `watched` say which checks there are. `known` are lists of users, `keys` the one key of each,
    `members` the newest signed list of each group, `admins` who made it, `fanned` how many devices a text went to.
    `own` are the keys that the user had linked when lists were signed last, on the day `since`; `serial` counts lists.
    `odd`: the user is to be told that the other end has another list. `numbers` are those of others' registrations.
    """

    lists: Lists = "unsigned"
    groups: bool = False
    watched: bool = False
    known: dict[str, KnownList] = {}
    keys: dict[str, Public] = {}
    members: dict[str, GroupSignature] = {}
    admins: dict[str, str] = {}
    fanned: dict[str, int] = {}
    own: tuple[Public, ...] = ()
    since: int = 0
    serial: int = 0
    odd: bool = False
    numbers: dict[str, int] = {}


class VouchingDevice(Device):
    """A device that checks who vouches for devices and members. The first key that its user linked is the primary's."""

    checks: ClassVar[tuple[ClientCheck, ...]] = (
        *CHECKS, LIST, ACCOUNT, LINKED, AGE, IN_CHAT, ONE_KEY, SIGNED_MEMBERS, FAN_OUT
    )  # fmt: skip
    vouching: Vouching | None = None

    # --- what it signs ---

    def each_day(self, wire: Wire) -> None:
        """Rotate keys; sign anew what the primary signs every morning. A device without keys registers."""
        begins = not self.prekeys
        super().each_day(wire)
        if begins and self.vouching is not None and self.vouching.lists == "shared":
            self._say(wire, Registered(self.name, int.from_bytes(crypto.random_bytes(7), "big"), self.identity.public))
        if self.vouching is not None and self.linked[:1] == [self.identity.public]:
            self.vouching.own = ()
        self.vouch(wire)

    def vouch(self, wire: Wire) -> None:
        """Sign for the devices that are linked, if they are others than before: the primary a list, a companion itself.

        What the provider refuses is complained of.
        """
        own = self.vouching
        if own is None or own.lists != "signed" or not self.linked or tuple(self.linked) == own.own:
            return
        primary, *companions = self.linked
        own.own, own.since = tuple(self.linked), wire.day
        if self.identity.public == primary:
            own.serial += 1
            self._say(wire, device_lists.signed_list(self.identity, self.user, wire.day, own.serial, tuple(companions)))
        else:
            index = self.linked.index(self.identity.public)
            self._say(wire, device_lists.device_signature(self.identity, index, primary))

    def _say(self, wire: Wire, said: Packet) -> None:
        """Tell the provider what is signed, or complain of its refusal."""
        try:
            wire.ask(self.name, self.provider, said, type(None))
        except EscrowError as error:
            wire.complain(self.name, error)

    def change_group(self, wire: Wire, group: Group) -> None:
        """Tell the provider who is in a group from now on; sign it, if clients ask for that."""
        super().change_group(wire, group)
        if self.vouching is not None and self.vouching.groups:
            serial = 0
            with suppress(EscrowError):
                serial = 1 + wire.ask(self.name, self.provider, SignatureOf(group.name), GroupSignature).serial
            self._say(wire, device_lists.group_signature(self.identity, group, serial))

    # --- devices ---

    def look_up(self, wire: Wire, user: str) -> list[Listed]:
        """Return the devices of a user as listed today, and learn the list that their primary signed."""
        listed, own = super().look_up(wire, user), self.vouching
        if own is not None and own.lists == "signed" and user != self.user:
            with suppress(EscrowError):
                self._learn(own, user, wire.ask(self.name, self.provider, ListOf(user), Vouchers), wire.day)
        if own is not None and own.lists == "shared":
            one_key.learn(self, own, wire, user, listed)
        return listed

    def _learn(self, own: Vouching, user: str, told: Vouchers, day: int) -> None:
        """Keep a list that is not older than the one known, of the same primary; count the days it has left."""
        known = own.known.get(user)
        if known is not None and (
            known.told.list.primary != told.list.primary or known.told.list.serial > told.list.serial
        ):
            return
        if known is None or known.told != told:
            own.known[user] = KnownList(told, told.list.day + LIVES)

    def noticed(self, user: str, listed: Listed) -> ClientCheck | None:
        """Return which notice a device calls for; under one key a user, only another key calls for one."""
        own = self.vouching
        if own is None or own.lists != "shared" or user == self.user or user not in own.keys:
            return super().noticed(user, listed)
        return None if listed.identity == own.keys[user] or listed in self.contacts.get(user, []) else CHANGED_KEY

    def vouches(self, listed: Listed, day: int) -> bool:
        """Return whether another user's device may be sent to: exempt, or with all signatures that are asked for."""
        own = self.vouching
        if own is None or own.lists == "unsigned" or self.is_exempt(listed, day):
            return super().vouches(listed, day)
        if own.lists == "shared":
            return own.keys.get(listed.user, listed.identity) == listed.identity or not self.keeps(ONE_KEY.name)
        return all(holds or not self.keeps(check.name) for check, holds in self._signatures(own, listed, day))

    def _signatures(self, own: Vouching, listed: Listed, day: int) -> Iterable[tuple[ClientCheck, bool]]:
        known = own.known.get(listed.user)
        if known is None:
            yield LIST, False
            yield ACCOUNT, False
            yield LINKED, False
            return
        said = known.told.list
        if listed.identity == said.primary:
            return
        index = device_lists.account_index(said, listed.identity)
        signed = [
            each for each in known.told.devices if (each.companion, each.primary) == (listed.identity, said.primary)
        ]
        index = index if index >= 0 else next((each.key_index for each in signed), -1)
        yield LIST, said.user == listed.user and device_lists.list_is_signed(said) and index in said.valid
        yield ACCOUNT, device_lists.account_index(said, listed.identity) >= 0
        yield LINKED, any(map(device_lists.device_is_signed, signed))
        yield AGE, day <= known.last

    def recipients(self, wire: Wire, people: Iterable[str]) -> list[Listed]:
        """Return the devices of these users that are vouched for; tell the user if there are more than before."""
        people = list(people)
        found, own = super().recipients(wire, people), self.vouching
        for listed in (each for user in people if user != self.user for each in self.contacts.get(user, [])):
            if own is not None and listed not in found:
                wire.complain(listed.device, Refused(self.name, f"nobody vouches for {listed.device}"))
        if own is not None and own.watched:
            conversation, shown = ", ".join(sorted(people)), [each for each in found if each not in self.quiet]
            before = own.fanned.get(conversation, len(shown))
            own.fanned[conversation] = len(shown)
            if len(shown) > before and self.keeps(FAN_OUT.name):
                wire.alarm(self.name, MORE_DEVICES)
        return found

    @honest_only("what a client puts beside its user's own words")
    def mail_to(self, wire: Wire, to: Listed, body: bytes, people: tuple[str, ...] | None) -> None:
        """Send one pairwise ciphertext, with both users' lists as this device knows them, if lists are signed."""
        own = self.vouching
        if own is not None and own.lists == "signed":
            day, keys = self._list_of(own, to.user, wire.day)
            body = codec.encode(content.InChat(own.since, device_lists.keys_hash(own.own), day, keys, body))
        super().mail_to(wire, to, body, people)

    def _list_of(self, own: Vouching, user: str, today: int) -> tuple[int, bytes]:
        """Return the day of a user's list, and the hash of the keys to which this device sends."""
        if user == self.user:
            return own.since, device_lists.keys_hash(own.own)
        listed = [
            each
            for each in self.contacts.get(user, [])
            if not self.is_exempt(each, today) and self.vouches(each, today)
        ]
        known = own.known.get(user)
        return known.told.list.day if known else 0, device_lists.keys_hash(tuple(each.identity for each in listed))

    def open_pairwise(self, mail: Mail, author: Listed) -> Plaintext:
        """Open a mail between two devices, and compare the lists in it with what this device knows."""
        plaintext, own = super().open_pairwise(mail, author), self.vouching
        if own is not None and own.lists == "signed" and author.user != self.user:
            said = content.lists_in(plaintext)
            own.odd = said is not None and not self._agrees(own, author.user, said)
        return plaintext

    def _agrees(self, own: Vouching, user: str, said: content.InChat) -> bool:
        """Return whether the lists in a content agree with what this device knows; shorten the life of an older one."""
        if said.their_day >= own.since and said.their_keys != device_lists.keys_hash(own.own):
            return False
        known = own.known.get(user)
        if known is None:
            return True
        if said.own_day > known.told.list.day:
            known.last = min(known.last, said.own_day + AFTER_NEWS)
            return True
        return said.own_keys == self._list_of(own, user, known.told.list.day)[1]

    def receive(self, wire: Wire, mail: Mail) -> None:
        """Open one mail and act on its content; tell the user if the other end has another list of devices."""
        super().receive(wire, mail)
        if self.vouching is not None and self.vouching.odd:
            self.vouching.odd = False
            if self.keeps(IN_CHAT.name):
                wire.alarm(self.name, OTHER_LIST)

    def look_up_group(self, wire: Wire, group: str) -> Group:
        """Return a group as the provider lists it, without the members whom no admin signed."""
        found, own = super().look_up_group(wire, group), self.vouching
        if own is None or not own.groups or self.user not in found.members:
            return found
        admin = own.admins.setdefault(group, found.by)
        with suppress(EscrowError):
            told = wire.ask(self.name, self.provider, SignatureOf(group), GroupSignature)
            known = own.members.get(group)
            newer = known is None or known.serial <= told.serial
            if newer and told.name == group and told.holds() and self._is_of(wire, told.signer, admin):
                own.members[group] = told
        signed = own.members[group].members if group in own.members else (self.user,)
        if set(found.members) <= set(signed) or not self.keeps(SIGNED_MEMBERS.name):
            return found
        for member in set(found.members) - set(signed):
            wire.complain(member, Refused(self.name, f"no admin signed that {member} is in {group}"))
        return msgspec.structs.replace(found, members=tuple(each for each in found.members if each in signed))

    def _is_of(self, wire: Wire, key: bytes, user: str) -> bool:
        """Return whether an identity key is of a device of this user that this device would send to."""
        if user == self.user:
            return key in self.linked
        listed = self.contacts.get(user) or self.look_up(wire, user)
        return any(each.identity == key and self.vouches(each, wire.day) for each in listed)


class VouchingProvider(Provider):
    """A provider that hands out what devices sign: the newest list of each user, and members of each group."""

    signed_lists: dict[str, SignedList] = {}
    companions: dict[str, DeviceSignature] = {}
    signed_groups: dict[str, GroupSignature] = {}
    registered: dict[str, Registered] = {}

    def on_signed_list(self, sender: str, packet: SignedList, wire: Wire) -> None:
        """File the list of the sender's user. Refuse one of another user, or of another device's key."""
        entry = self.entry(sender, sender)
        self.insist((entry.user, entry.identity) == (packet.user, packet.primary), "a list is of its sender")
        self.insist(packet.day == wire.day, "a list is of today")
        self.insist(device_lists.list_is_signed(packet), "signature of a list")
        first = self.signed_lists.get(packet.user, packet)
        self.insist(first.primary == packet.primary, "a user has one primary device")
        self.insist(first.serial <= packet.serial, "a list is not older than the one before")
        self.insist(len(packet.accounts) == len(packet.valid), "a list has a signature for each valid index")
        self.signed_lists[packet.user] = packet

    def on_device_signature(self, sender: str, packet: DeviceSignature, wire: Wire) -> None:
        """File the signature of a companion. Refuse one of another device's key."""
        self.insist(self.entry(sender, sender).identity == packet.companion, "a device signs for itself")
        self.insist(device_lists.device_is_signed(packet), "signature of a companion")
        self.companions[sender] = packet

    def on_list_of(self, sender: str, packet: ListOf, wire: Wire) -> Vouchers:
        """Return a user's list, with the companions' signatures. Raise Unreachable if there is none."""
        if packet.user not in self.signed_lists:
            raise Unreachable(f"no primary of {packet.user} signed a list")
        names = sorted(name for name in self.companions if self.accounts.get(name) == packet.user)
        return Vouchers(self.signed_lists[packet.user], tuple(self.companions[name] for name in names))

    def on_registered(self, sender: str, packet: Registered, wire: Wire) -> None:
        """File the sender's registration. Refuse one of another device."""
        self.insist(sender in self.accounts and sender == packet.device, "a device registers itself")
        self.registered[sender] = packet

    def on_registrations_of(self, sender: str, packet: RegistrationsOf, wire: Wire) -> Registrations:
        """Return what a user's devices registered. Raise Unreachable if none did."""
        mine = [
            self.registered[name]
            for name, user in self.accounts.items()
            if user == packet.user and name in self.registered
        ]
        if not mine:
            raise Unreachable(f"no device of {packet.user} registered")
        return Registrations({each.device: each.number for each in mine}, mine[0].identity)

    def on_group_signature(self, sender: str, packet: GroupSignature, wire: Wire) -> None:
        """File the signed members of a group. Refuse those of a group that there is not, or by no member."""
        group = self.groups.get(packet.name)
        member = group is not None and self.accounts.get(sender, "") in group.members
        self.insist(member and self.entry(sender, sender).identity == packet.signer, "a member signs its own group")
        same = group is not None and (group.members, group.sender_keys) == (packet.members, packet.sender_keys)
        self.insist(same, "what is signed of a group is what was said of it")
        self.insist(packet.holds(), "signature of a group")
        before = self.signed_groups.get(packet.name, packet)
        self.insist(before.serial <= packet.serial, "a list is not older than the one before")
        self.signed_groups[packet.name] = packet

    def on_signature_of(self, sender: str, packet: SignatureOf, wire: Wire) -> GroupSignature:
        """Return the signed members of a group. Raise Unreachable if nobody signed them."""
        if packet.group not in self.signed_groups:
            raise Unreachable(f"nobody signed who is in {packet.group}")
        return self.signed_groups[packet.group]

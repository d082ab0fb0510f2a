"""Devices that heed signed lists: which devices a user has, and who is in a group.

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
from typing import ClassVar

from escrow import codec, crypto
from escrow.codec import Packet
from escrow.derivation import honest_only
from escrow.e2ee import content
from escrow.e2ee.device import Device
from escrow.e2ee.listing import device_lists, one_key, signed_members
from escrow.e2ee.listing.checks import CHANGED_KEY, CHECKS, ClientCheck
from escrow.e2ee.listing.device_lists import AFTER_NEWS, LIVES, ListOf, Registered, Vouchers
from escrow.e2ee.listing.kept_lists import KnownList, Vouching
from escrow.e2ee.listing.signed_members import SIGNED_MEMBERS
from escrow.e2ee.provider import Group, Listed, Mail
from escrow.e2ee.ratchet import Plaintext
from escrow.errors import EscrowError, Refused
from escrow.wire import Wire

LIST = ClientCheck("list signature", "sends nothing to a device that is not valid in a list which its primary signed")
ACCOUNT = ClientCheck("account signature", "sends nothing to a device for which its user's primary did not sign")
LINKED = ClientCheck("device signature", "sends nothing to a device that did not sign for its primary")
AGE = ClientCheck("list age", f"takes a list for {LIVES} days, for {AFTER_NEWS} once there is a newer one")
IN_CHAT = ClientCheck("in-chat lists", "tells its user if the other end has another list of devices than is true")
ONE_KEY = ClientCheck("one key a user", "sends nothing to a device under another key than its user's")
FAN_OUT = ClientCheck("fan-out size", "tells its user if a text goes to more devices than the one before")

OTHER_LIST = "the other end has another list of devices"
MORE_DEVICES = "a text goes to more devices than the one before"


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
            self._say(wire, signed_members.signature(self, wire, group))

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
        """Keep a list of today or before, not older than the one known, of the same primary; count the days it has."""
        known = own.known.get(user)
        if told.list.day > day:
            return
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
        return signed_members.without_unsigned(self, own, wire, group, found)

"""A harness for trying a scheme: four devices of three users, two groups, a few days, and a network that misbehaves.

There is no laboratory and no adversary here. `properties` runs on it, and so may the tests of a scheme.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import NamedTuple

import msgspec

from escrow import codec, crypto
from escrow.crypto import Observer, Run, sha256
from escrow.e2ee.content import InGroup, direct
from escrow.e2ee.device import Device, new_devices
from escrow.e2ee.provider import Group, Mail
from escrow.e2ee.x3dh import IdentityKey
from escrow.errors import EscrowError
from escrow.principal import revive
from escrow.scheme import Intercept, Scheme, User
from escrow.testing.world import World, mails_in
from escrow.warrant import Order, Warrant
from escrow.wire import Heard

USERS = (User("alice", ("alice-phone", "alice-laptop")), User("bob", ("bob-phone",)), User("carol", ("carol-phone",)))
NAMES = tuple(user.name for user in USERS)
DEVICES = tuple(device for user in USERS for device in user.devices)
OWNER = {device: user.name for user in USERS for device in user.devices}
GROUPS = (Group("club", NAMES, False), Group("choir", NAMES, True))
STOCK = 3  # one-time prekeys: one for each other device
DAYS = 4  # prekeys outlive this many, so that late mail still opens

Seen = Counter[tuple[str, str, str, bytes]]  # device, author, conversation, text


class Step(NamedTuple):
    """What happens next: "say" to a user or group, "collect", "late" mail comes in, a "day" goes by."""

    what: str
    device: str = ""
    to: str = ""


class Said(NamedTuple):
    """A text as it was sent, and the devices that it was meant for."""

    day: int
    device: str
    author: str
    people: tuple[str, ...]
    conversation: str
    body: bytes
    to: tuple[str, ...]

    @property
    def meant(self) -> Seen:
        """Where it should be shown."""
        return Counter((device, self.author, self.conversation, self.body) for device in self.to)


class Harness(World):
    """A world whose network deals `fates` to mails in turn: now, late, lost, twice, damaged.

    `forgetful` replaces every party by its own decoded state after each step. `owner` says whose each linked device is,
    `groups` who is in which group now, and `spoilt` which mails were lost or damaged on their way to which device.
    `one_key`: all devices of a user have one identity key.
    """

    def __init__(self, scheme: Scheme, fates: Sequence[str] = ("now",), forgetful: bool = False) -> None:
        super().__init__(scheme, USERS, self._link)
        self.fates, self.forgetful = cycle(fates), forgetful
        self.late: list[Heard] = []
        self.said: list[Said] = []
        self.spoilt: set[tuple[Mail, str]] = set()
        self.owner, self.groups = dict(OWNER), dict[str, Group]()
        for name in self.owner:
            self.device(name).stock = STOCK
        keys = {self.device(each).identity.public for each in USERS[0].devices}
        self.one_key = len(keys) < len(USERS[0].devices)
        scheme.setup(self.wire)
        self.morning()
        for group in GROUPS:
            self.gather(group)

    @property
    def harmed(self) -> set[tuple[str, str]]:
        """The pairs of devices between which some mail was lost or damaged."""
        return {(mail.sender, recipient) for mail, recipient in self.spoilt}

    @property
    def meant(self) -> Seen:
        """What should be shown."""
        return sum((said.meant for said in self.said), Seen())

    @property
    def shown(self) -> Seen:
        """How often each text was shown: by device, author, conversation and bytes."""
        return Counter((each.device, each.author, each.conversation, each.text) for each in self.wire.shown)

    # --- messages ---

    def play(self, steps: Iterable[Step]) -> Harness:
        """Take the steps, then deliver what is late and have every device collect."""
        for step in (*steps, Step("late"), *(Step("collect", device) for device in self.owner)):
            self.take(step)
        return self

    def take(self, step: Step) -> None:
        """Take one step; no user writes to themselves, and no day follows the last."""
        match step.what:
            case "say" if step.to != self.owner[step.device]:
                self._say(step.device, step.to)
            case "collect":
                self.collect([step.device])
            case "late":
                late, self.late = self.late[::-1], []
                for packet in late:
                    self.wire.deliver(packet)
            case "day" if self.wire.day < DAYS - 1:
                self.wire.day += 1
                self.morning()
        if self.forgetful:
            self.restart()

    def morning(self) -> None:
        """Let every party do its morning work: keys are rotated, erased and published."""
        self.renew(self.owner)
        self.scheme.each_day(self.wire, self.wire.day)

    def settle(self) -> None:
        """Let the days go by that a new device waits, by the scheme's claim, until clients send to it."""
        for _ in range(min(self.scheme.claim.delay, DAYS - 1 - self.wire.day)):
            self.wire.day += 1
            for name in self.owner:
                with suppress(EscrowError):  # of one that is listed under another's key
                    self.renew([name])
            self.scheme.each_day(self.wire, self.wire.day)

    def _say(self, device: str, to: str) -> None:
        with crypto.acting(f"text {len(self.said)}"):
            body = crypto.random_bytes(32)
        group, author = self.groups.get(to), self.owner[device]
        people = group.members if group else (author, to)
        meant = tuple(name for name, user in self.owner.items() if user in people and name != device)
        conversation = str(InGroup(to) if group else direct(*people))
        self.said.append(Said(self.wire.day, device, author, people, conversation, body, meant))
        self.send(device, to, body, group=group is not None)

    def _link(self, packet: Heard) -> Iterable[Heard]:
        if not (mails := mails_in(packet)):
            return (packet,)
        mail = mails[0]
        fate = next(self.fates)
        if fate in {"lost", "damaged"}:
            self.spoilt |= {(mail, recipient) for recipient in mail.recipients}
        if fate == "damaged":
            return (msgspec.structs.replace(packet, data=codec.encode(damaged(mail, len(self.wire.heard)))),)
        if fate == "late":
            self.late.append(packet)
        return (packet,) * {"now": 1, "twice": 2}.get(fate, 0)

    # --- devices and groups ---

    def link(self, user: str, name: str) -> None:
        """Link a new device to a user: the others learn its key, and the provider lists it from now on.

        `name` must not be a linked device's; it may be that of a device that was unlinked.
        """
        own = [self.device(other) for other, owner in self.owner.items() if owner == user]
        fresh = self.listed(user, name, own[0].identity if self.one_key else None)
        fresh.linked = list(dict.fromkeys((*own[0].linked, fresh.identity.public)))
        for other in own:
            other.linked = list(fresh.linked)
        self.wire.parties[name], self.owner[name] = fresh, user
        self._vouch(user)

    def _vouch(self, user: str) -> None:
        """Let a user's devices sign for those that are linked now, if they sign anything."""
        for name in [name for name, owner in self.owner.items() if owner == user]:
            with crypto.acting(name):
                self.device(name).vouch(self.wire)

    def listed(self, user: str, name: str, key: IdentityKey | None = None) -> Device:
        """Return a new device that the directory lists for a user from now on, and that the user did not link.

        Its identity key is new, unless one is given. If a device of that name is listed, the new one takes its place.
        The fields that a scheme adds to a device are copied from another of the user's.
        """
        first = next(self.device(other) for other, owner in self.owner.items() if owner == user)
        like = revive(first.state(), type(first))
        base = Device.__struct_fields__
        added = {field: getattr(like, field) for field in like.__struct_fields__ if field not in base}
        added["committing"] = like.committing
        fresh = new_devices(type(like), user, [name], stock=STOCK, **added)[0]
        fresh.identity = key or fresh.identity
        self.provider.directory.pop(name, None)
        self.provider.accounts[name] = user
        with crypto.acting(name):
            fresh.each_day(self.wire)
        return fresh

    def unlink(self, name: str) -> Device:
        """Unlink a device and return it as it was: the others and the provider no longer know it."""
        user, gone = self.owner.pop(name), self.device(name)
        for other in (self.device(other) for other, owner in self.owner.items() if owner == user):
            other.linked = [key for key in other.linked if self.one_key or key != gone.identity.public]
        for kept in (self.wire.parties, self.provider.accounts, self.provider.directory, self.provider.mailboxes):
            kept.pop(name, None)
        self._vouch(user)
        return gone

    def gather(self, group: Group) -> None:
        """Tell the provider the members of a group from now on, by a device of the first member."""
        speaker = next(name for name, user in self.owner.items() if user == group.members[0])
        self.announce(speaker, group)
        self.groups[group.name] = group

    # --- the lawful access ---

    def order(self, target: str, first: int = 0, last: int = DAYS, issued: int = 0, expires: int = DAYS) -> Order:
        """Return an order that names the authority's key."""
        asks = self.authority.key.public
        return Order("warrant", asks, target, first, last, "content", bytes(32), issued, expires, bytes(16))

    def issued(self, target: str, *days: int, **named: int) -> Warrant:
        """Return a warrant of the court, which it hands to nobody; the days are those of `order`."""
        return self.court.issue(self.order(target, *days, **named))

    def served(self, target: str, *days: int, **named: int) -> Warrant:
        """Return a warrant of the court, which it handed to the authority; the days are those of `order`."""
        warrant = self.issued(target, *days, **named)
        self.serve(warrant)
        return warrant

    def access(self, warrant: Warrant, intercepted: Sequence[Intercept]) -> set[bytes]:
        """Return the texts that the scheme's lawful access yields."""
        return set(self.yielded(warrant, intercepted))

    def beyond(self, order: Order, yielded: set[bytes]) -> set[bytes]:
        """Return which texts that were yielded break the claim, where the order should have given none.

        An order in force that covers no text may still give a key of a whole slot, if the claim grants slots.
        """
        claim = self.scheme.claim
        if not claim.bounds_access:
            return set()
        if not order.opens_content or any(order.covers(said.people, said.day) for said in self.said):
            return yielded
        asked = order.target, order.first, order.last
        slots = [each.slot for each in claim.grants if each.slot is not None]
        reached = (
            said.body for said in self.said if any(each.reaches(*asked, said.people, said.day) for each in slots)
        )
        return yielded.difference(reached)


def damaged(mail: Mail, at: int) -> Mail:
    """Return a mail with one bit of its body changed; `at` chooses the bit and its byte."""
    body, at = bytearray(mail.body), at % len(mail.body)
    body[at] ^= 1 << at % 8
    return msgspec.structs.replace(mail, body=bytes(body))


@contextmanager
def playing(
    scheme: Scheme,
    fates: Sequence[str] = ("now",),
    forgetful: bool = False,
    seed: int = 0,
    observer: Observer | None = None,
) -> Iterator[Harness]:
    """Yield a harness whose randomness is drawn from `seed`, while the context lasts."""
    with crypto.running(Run(sha256(b"escrow-lab stage", seed.to_bytes(4, "big")), observer)):
        yield Harness(scheme, fates, forgetful)

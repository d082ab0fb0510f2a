"""A scenario is data: who writes to whom on which day, over which links, who meets whom, and which warrants are issued.

Everything in it follows from its fields; the traffic is drawn from the seed by Python's own generator, which decides
only who writes when. Keys and texts come from the door.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Container, Iterable, Iterator

import msgspec

from escrow.errors import Malformed
from escrow.scheme import NAMES_HAVE, User, is_name
from escrow.warrant import Scope

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim", "leo")

LATEST = 1_000  # the last day of any scenario

LIMITS = (  # of a scenario's numbers: what a play can bear
    ("seed", -(1 << 63), (1 << 63) - 1),
    ("days", 1, LATEST),
    ("messages", 1, 1_000_000),
    ("group_percent", 0, 100),
    ("one_way_percent", 0, 100),
    ("loss_percent", 0, 100),
    ("late_percent", 0, 100),
    ("stock", 0, 1_000),
    ("rotate_every", 1, 1_000),
    ("keep_prekeys", 0, 1_000),
    ("work", 0, 512),
)


class GroupSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group; `removed` leaves on the morning of `removal_day` (-1: nobody does)."""

    name: str
    members: tuple[str, ...]
    sender_keys: bool
    removed: str = ""
    removal_day: int = -1


class WarrantSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lawful warrant: about whom, for messages of which days, usable from its issue to its expiry, and for what.

    It is served on the morning of the day `issued`: prospective for texts from then on, retrospective for earlier ones.
    """

    target: str
    first: int
    last: int
    issued: int
    expires: int
    scope: Scope = "content"

    def covers(self, people: Iterable[str], day: int) -> bool:
        """Return whether the warrant is for content, names one of these people, covers the day and lasts so long."""
        return self.scope == "content" and self.target in people and self.first <= day <= min(self.last, self.expires)


class SafetyNumberComparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two users compare safety numbers on these devices, at the end of the day."""

    day: int
    one: str
    other: str


class OneWay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `first` to `last` one user writes to another, who reads but does not answer."""

    writer: str
    reader: str
    first: int
    last: int


class PlannedText(msgspec.Struct, frozen=True):
    """One text to be sent: its number, the day, the device, and to whom (`group` or else `peer`)."""

    id: int
    day: int
    device: str
    peer: str
    group: str


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every size is a number here. Probabilities are in percent, so that equality is exact.

    Of the texts of a day, `one_way_percent` are of its one-way stretches, if it has any. Of the others, a device whose
    user is in a group sends `group_percent` to groups.

    The adversary can make 2^`work` trials where a secret can be guessed.
    """

    seed: int = 2019
    days: int = 10
    messages: int = 250
    users: tuple[User, ...]
    groups: tuple[GroupSpec, ...] = ()
    group_percent: int = 40
    one_way: tuple[OneWay, ...] = ()
    one_way_percent: int = 15
    lossy: tuple[str, ...] = ()
    loss_percent: int = 20
    late_percent: int = 10
    without_one_time: tuple[str, ...] = ()
    stock: int = 20
    rotate_every: int = 3
    keep_prekeys: int = 2
    ceremonies: tuple[SafetyNumberComparison, ...] = ()
    warrants: tuple[WarrantSpec, ...] = ()
    attack_day: int = 3
    work: int = 60

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of all devices, user by user."""
        return tuple(device for user in self.users for device in user.devices)

    @property
    def owner(self) -> dict[str, str]:
        """The user of each device."""
        return {device: user.name for user in self.users for device in user.devices}

    @property
    def targets(self) -> tuple[str, ...]:
        """The users whom warrants name, in the order of the warrants."""
        return tuple(dict.fromkeys(warrant.target for warrant in self.warrants))

    def devices_of(self, users: Container[str]) -> tuple[str, ...]:
        """Return the devices of these users, in the order of all."""
        return tuple(device for user in self.users if user.name in users for device in user.devices)

    def texts(self) -> Iterator[PlannedText]:
        """Return all texts in order."""
        dice = random.Random(self.seed)  # noqa: S311 (who writes when is no secret)
        owner = self.owner
        for number in range(self.messages):
            day = number * self.days // self.messages
            stretch = [each for each in self.one_way if each.first <= day <= each.last]
            if stretch and dice.random() < self.one_way_percent / 100:
                chosen = dice.choice(stretch)
                yield PlannedText(number, day, self._device_of(chosen.writer), chosen.reader, "")
                continue
            device = dice.choice(self.devices)
            groups = [group for group in self.groups if owner[device] in self.members(group, day)]
            if groups and dice.random() < self.group_percent / 100:
                yield PlannedText(number, day, device, "", dice.choice(groups).name)
                continue
            silenced = {(each.reader, each.writer) for each in stretch}
            peers = [user.name for user in self.users if user.name != owner[device]]
            answered = [peer for peer in peers if (owner[device], peer) not in silenced]
            yield PlannedText(number, day, device, dice.choice(answered or peers), "")

    def unused(self, name: str) -> str:
        """Return a name that begins with this one and that no user and no device has: for what an attack adds."""
        while name in {*self.devices, *(user.name for user in self.users)}:
            name += "x"
        return name

    def members(self, group: GroupSpec, day: int) -> tuple[str, ...]:
        """Return the members of a group on a day."""
        gone = group.removed if 0 <= group.removal_day <= day else ""
        return tuple(member for member in group.members if member != gone)

    def people(self, said: PlannedText) -> tuple[str, ...]:
        """Return the users of the conversation that a text goes to, its sender included."""
        author = next(user.name for user in self.users if said.device in user.devices)
        if not said.group:
            return (author, said.peer)
        return self.members(next(group for group in self.groups if group.name == said.group), said.day)

    def check(self) -> Scenario:
        """Return this scenario if it is consistent. Raise Malformed, naming the first thing that is not."""
        if wrong := next(self._wrong(), ""):
            raise Malformed(wrong)
        return self

    def _wrong(self) -> Iterator[str]:
        """Yield what is wrong, and what to do about it where that is not plain."""
        names = [user.name for user in self.users]
        for name in (*names, *self.devices, *(group.name for group in self.groups)):
            if not is_name(name):
                yield f"the scenario's name {name!r} must change: {NAMES_HAVE}"
        yield from self._unknown(set(names), set(self.devices))
        yield from self._twice(names)
        if len(self.users) < 2 or any(not each for each in (*self._device_lists(), *self._memberships())):
            yield "a scenario needs two users, a device for each, and members in every group"
        for field, low, high in LIMITS:
            if not low <= getattr(self, field) <= high:
                yield f"the scenario's {field} is {getattr(self, field)}, not between {low} and {high}"
        if not 0 <= self.attack_day < self.days:
            yield f"the scenario's attack_day is {self.attack_day}, and it has {self.days} days"
        yield from self._days()

    def _unknown(self, names: set[str], devices: set[str]) -> Iterator[str]:
        wrong = [name for group in self.groups for name in group.members if name not in names]
        wrong += [name for spec in self.warrants if (name := spec.target) not in names]
        wrong += [name for way in self.one_way for name in (way.writer, way.reader) if name not in names]
        wrong += [name for each in self.ceremonies for name in (each.one, each.other) if name not in devices]
        wrong += [name for name in (*self.lossy, *self.without_one_time) if name not in devices]
        yield from (f"the scenario names {name!r}, who is no user or device of it" for name in wrong)
        for group in self.groups:
            if group.removed and group.removed not in group.members:
                yield f"the scenario's group {group.name!r} removes {group.removed!r}, who is no member of it"

    def _twice(self, names: list[str]) -> Iterator[str]:
        if _repeated(names) or _repeated(self.devices):
            yield "two users or two devices of the scenario have the same name"
        lists: list[tuple[str, Iterable[str]]] = [
            ("groups", [group.name for group in self.groups]),
            *((f"group {group.name!r}", group.members) for group in self.groups),
            ("lossy", self.lossy),
            ("without_one_time", self.without_one_time),
        ]
        for where, listed in lists:
            yield from (f"{name!r} appears twice in the scenario's {where}; name it once" for name in _repeated(listed))
        ends = [("one_way", way.writer, way.reader) for way in self.one_way]
        ends += [("ceremonies", each.one, each.other) for each in self.ceremonies]
        yield from (
            f"the scenario's {where} has {one!r} at both ends; name two" for where, one, other in ends if one == other
        )

    def _days(self) -> Iterator[str]:
        last = self.days - 1
        spans = [
            (f"warrants[{i}]", "first", each.first, "last", each.last, last) for i, each in enumerate(self.warrants)
        ]
        spans += [
            (f"warrants[{i}]", "issued", each.issued, "expires", each.expires, LATEST)
            for i, each in enumerate(self.warrants)
        ]
        spans += [
            (f"one_way[{i}]", "first", each.first, "last", each.last, last) for i, each in enumerate(self.one_way)
        ]
        spans += [
            (f"ceremonies[{i}]", "day", each.day, "day", each.day, last) for i, each in enumerate(self.ceremonies)
        ]
        for where, begin, one, end, other, latest in spans:
            if not 0 <= one <= min(other, last) or other > latest:
                yield (
                    f"the scenario's {where} has {begin} {one} and {end} {other}; give days from 0 to {last}"
                    f" ({end}: to {latest}), {begin} not after {end}"
                )
        for group in self.groups:
            if not (0 <= group.removal_day <= last if group.removed else group.removal_day == -1):
                yield (
                    f"the scenario's group {group.name!r} removes {group.removed!r} on day {group.removal_day};"
                    f" give a member and a day from 0 to {last}, or neither"
                )

    def _device_lists(self) -> list[tuple[str, ...]]:
        return [user.devices for user in self.users]

    def _memberships(self) -> list[tuple[str, ...]]:
        return [self.members(group, day) for group in self.groups for day in (0, self.days)]

    def _device_of(self, user: str) -> str:
        return next(each.devices[0] for each in self.users if each.name == user)


def _repeated(names: Iterable[str]) -> list[str]:
    """Return the names that stand in a list more than once."""
    return [name for name, times in Counter(names).items() if times > 1]


def default(*, users: int = 6, groups: int = 2, days: int = 10, messages: int = 250, seed: int = 2019) -> Scenario:
    """Return the scenario of every table.

    It has a one-way stretch, a lossy link, a device out of one-time prekeys, and two warrants: one prospective, served
    on the first day that it covers, and one served on the last, which is retrospective for all days before. Days and
    devices scale with the sizes asked for. Raise Malformed for sizes that make no scenario.
    """
    if not 2 <= users <= len(NAMES) * 8 or days < 1 or messages < 1 or groups < 0:
        raise Malformed(f"a scenario needs 2 to {len(NAMES) * 8} users, a day, a message and no negative number")
    names = [NAMES[i % len(NAMES)] + (str(i // len(NAMES) + 1) if i >= len(NAMES) else "") for i in range(users)]
    people = [
        User(name, (f"{name}-phone", f"{name}-laptop") if i < 2 else (f"{name}-phone",)) for i, name in enumerate(names)
    ]

    def day(tenth: int) -> int:
        return tenth * days // 10

    return Scenario(
        seed=seed,
        days=days,
        messages=messages,
        users=tuple(people),
        groups=tuple(_group(i, names, day(5)) for i in range(groups)) if users > 2 else (),
        one_way=(OneWay(names[-1], names[0], day(4), day(6)),),
        lossy=(f"{names[1]}-phone",),
        without_one_time=(f"{names[-1]}-phone",),
        ceremonies=tuple(
            SafetyNumberComparison(day(tenth), f"{names[0]}-phone", f"{names[i % users]}-phone")
            for tenth, i in ((1, 1), (6, 1), (7, 2), (8, 3), (9, 4))
            if i % users
        ),
        warrants=(
            WarrantSpec(names[1], day(3), day(6), day(3), day(6) + 1),
            WarrantSpec(names[min(3, users - 1)], day(2), day(5), day(5), day(7) + 1),
        ),
        attack_day=day(3),
    ).check()


def small() -> Scenario:
    """Return the smallest scenario of the default's kind that uses every rule of the protocol; much mail is late."""
    sizes = default(users=3, groups=2, days=4, messages=24)
    return msgspec.structs.replace(sizes, late_percent=40)


def _group(number: int, names: list[str], removal_day: int) -> GroupSpec:
    """Return a group. Groups alternate in style; the last member of one with Sender Keys is removed half-way."""
    size = max(3, len(names) * 2 // 3)
    members = tuple((names[number:] + names[:number])[:size])
    if number % 2 == 0:
        return GroupSpec(f"group-{number + 1}", members, sender_keys=False)
    return GroupSpec(f"group-{number + 1}", members, sender_keys=True, removed=members[-1], removal_day=removal_day)

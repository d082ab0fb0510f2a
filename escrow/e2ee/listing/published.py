"""A provider that publishes the lists of devices of its users in a key directory, and what it is asked about it.

  epoch     every so many days the lists that changed become new versions (escrow.transparency.directory)
  label     a hash of the user's name; the index in the tree is the VRF's, so that a head tells nobody who has devices

Clients and the auditor, who hold the answers against each other, stand in escrow.e2ee.listing.proved.
Source: Melara and others, "CONIKS", USENIX Security 2015, section 4; the packets are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import msgspec

from escrow import codec, crypto
from escrow.codec import Fact, Packet, Public
from escrow.e2ee.provider import Listed, Provider
from escrow.errors import Unreachable
from escrow.principal import shared
from escrow.transparency.directory import Audited, Head, Kept, KeyDirectory, Lookup, founded
from escrow.wire import Wire

P = ParamSpec("P")
R = TypeVar("R")
MILLISECONDS = 86_400_000  # of a day


class AskHead(Packet, frozen=True):
    """Ask for the newest head, and the proof that it extends the asker's last one, of `size` epochs (0: of none)."""

    unchecked = {"size": "a question"}

    size: int


class HeadTold(Packet, frozen=True):
    """The newest head, and the proof that it extends the asker's."""

    head: Head
    proof: tuple[Public, ...]


class AskLine(Packet, frozen=True):
    """Ask for a user's devices as they stand in the directory under the head of `size` epochs."""

    unchecked = {"user": "a question", "size": "a question"}

    user: str
    size: int


class LineTold(Packet, frozen=True):
    """A user's devices, proved."""

    lookup: Lookup


class AskJoined(Packet, frozen=True):
    """Ask for the proof that the log of `new` epochs begins with the first `old` ones."""

    unchecked = {"old": "a question", "new": "a question"}

    old: int
    new: int


class Joined(Packet, frozen=True):
    """The proof that one head extends another."""

    proof: tuple[Public, ...]


class AskEpoch(Packet, frozen=True):
    """Ask, as an auditor, what the epoch of this number, from 0, changed, under the head of `size` epochs."""

    unchecked = {"number": "a question", "size": "a question"}

    number: int
    size: int


class EpochTold(Packet, frozen=True):
    """What an epoch changed."""

    audited: Audited


class AskSeen(Packet, frozen=True):
    """Ask another client, or the auditor, for the last head that it saw."""


class Seen(Packet, frozen=True):
    """The last head that somebody saw."""

    unchecked = {"head": "a client that names none, or an older one, leaves the comparison out"}

    head: Head | None


class TwoLogs(Packet, frozen=True):
    """The proof that a directory lies: two heads of one size, signed by it, with two roots."""

    one: Head
    other: Head


class DeviceLine(Fact, frozen=True):
    """What the directory has of a user: the devices, by name."""

    devices: tuple[Listed, ...]


def label_of(user: str) -> bytes:
    """Return the label (32 bytes) under which the directory has a user's devices."""
    return crypto.sha256(b"escrow-lab user of a key directory", user.encode())


def opened(kept: Kept) -> KeyDirectory:
    """Return the directory of what a provider keeps, to be read: equal ones are opened once in a run."""
    data = codec.encode(kept)
    return crypto.recalled(("key directory", crypto.sha256(data)), lambda: KeyDirectory(codec.decode(data, Kept)))


def due(day: int, epoch: int) -> int:
    """Return how many epochs of so many days have begun on a day."""
    return day // epoch + 1


class Publishing(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a provider keeps of its directory; an epoch is due every so many days."""

    kept: Kept = msgspec.field(default_factory=founded)
    epoch: int = 1


class ListingProvider(Provider):
    """Base of a provider that publishes its lists; a subclass has the field `publishing`."""

    if TYPE_CHECKING:  # a party has one base with fields, so that the subclass adds this one
        publishing: Publishing = Publishing()

    def key_directory(self, asker: str) -> KeyDirectory:
        """Return the directory that is shown to a party: here the same to everybody."""
        return opened(self.publishing.kept)

    def lists(self, day: int) -> dict[str, DeviceLine]:
        """Return the devices of every user that are listed on a day."""
        names = sorted(self.directory)
        users = dict.fromkeys(self.directory[name].user for name in names)
        listed = [self.listed(name, "") for name in names]
        return {user: DeviceLine(tuple(each for each in listed if each.user == user)) for user in users}

    def begin_epochs(self, day: int) -> None:
        """Begin the epochs that are due by a day: the first on day 0, so that a day tells how many there are."""
        for number in range(len(self.publishing.kept.epochs), due(day, self.publishing.epoch)):
            self.publish_lists(self.publishing.kept, self.lists(day), number * self.publishing.epoch)

    def publish_lists(self, kept: Kept, lists: Mapping[str, DeviceLine], day: int) -> None:
        """Begin an epoch of that day in a directory, with the lists that changed since its last one."""
        directory = KeyDirectory(kept)
        lines = {label_of(user): codec.encode(line) for user, line in lists.items()}
        lines |= dict.fromkeys(directory.values.keys() - lines.keys(), codec.encode(DeviceLine(())))
        changed = {label: line for label, line in lines.items() if directory.newest_value(label) != line}
        with crypto.acting("directory"):  # what it draws depends on no answer of the provider's
            directory.publish(changed, day * MILLISECONDS)

    @shared("the directory shows everybody the same", anybody=True)
    def on_ask_head(self, sender: str, packet: AskHead, wire: Wire) -> HeadTold:
        """Return the newest head, after the epochs that are due."""
        self.begin_epochs(wire.day)
        directory = self.key_directory(sender)
        head = directory.head()
        return HeadTold(head, directory.consistency(packet.size) if 0 < packet.size <= head.size else ())

    @shared("the directory shows everybody the same", anybody=True)
    def on_ask_line(self, sender: str, packet: AskLine, wire: Wire) -> LineTold:
        """Return a user's line under a head. Raise Unreachable if there is no such head."""
        return LineTold(_there(self.key_directory(sender).answer, label_of(packet.user), packet.size))

    @shared("the directory shows everybody the same", anybody=True)
    def on_ask_joined(self, sender: str, packet: AskJoined, wire: Wire) -> Joined:
        """Return the proof that one head extends another. Raise Unreachable if there are no such heads."""
        return Joined(_there(self.key_directory(sender).consistency, packet.old, packet.new))

    @shared("the directory shows everybody the same", anybody=True)
    def on_ask_epoch(self, sender: str, packet: AskEpoch, wire: Wire) -> EpochTold:
        """Return what an epoch changed. Raise Unreachable if there is no such epoch."""
        if packet.number < 0:
            raise Unreachable("epochs are numbered from 0")
        return EpochTold(_there(self.key_directory(sender).audited, packet.number, packet.size))


def _there(find: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    try:
        return find(*arguments, **named)
    except (ValueError, IndexError) as error:
        raise Unreachable(str(error)) from None

"""Device lists that stand in a key directory, and clients that hold what the provider says against it.

  epoch     every so many days the provider publishes the lists of devices of all users that changed
  morning   a client takes the newest head, holds it against its last one, and searches its own user's list under it;
            with a new head it compares, with some probability, with the auditor, or with another client
  send      a list that the provider shows is searched under that head. What is not in it is left out or, with
            `pending`, used until the next head, which must have it
  proof     two signed heads of one size are told to all other clients, which trust the directory no more
  distrust  a client that found a lie raises an alarm, and goes on with the lists that it has

What is compared goes from client to client past the provider: that is generous to detection. A day tells how many
epochs there are, so that the heads of two logs have one size on one day, and convince everybody.
Source: Melara and others, "CONIKS", USENIX Security 2015, section 4, for monitoring, and for heads that clients and
auditors compare; the directory is that of escrow.transparency.directory. The rules for pending devices are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from escrow import codec, crypto
from escrow.codec import Public
from escrow.e2ee.device import Device
from escrow.e2ee.listing.checks import ClientCheck
from escrow.e2ee.listing.published import (
    AskEpoch,
    AskHead,
    AskJoined,
    AskLine,
    AskSeen,
    DeviceLine,
    EpochTold,
    HeadTold,
    Joined,
    LineTold,
    Seen,
    TwoLogs,
    due,
    label_of,
)
from escrow.e2ee.provider import Listed
from escrow.errors import EscrowError, Forged, Malformed, Refused
from escrow.principal import Principal, shared
from escrow.transparency import merkle, prefix
from escrow.transparency.directory import Head, check_epoch, check_head, value_in
from escrow.wire import Wire

EXTENDS = ClientCheck("log extended", "takes no head that does not extend the last one")
FRESH = ClientCheck("head in time", "takes no head of fewer or more epochs than are due")
OWN = ClientCheck(
    "own line", "tells its user of each device in the user's own line of the directory that the user did not link"
)
COMPARED = ClientCheck(
    "heads compared", "asks others for the head that they see, and believes the proof that there are two logs"
)
PROVED = ClientCheck("lists proved", "sends to no device without a proof that the directory has it")
PUBLISHED = ClientCheck("lists published", "sends to no device that an epoch after it was listed has not")
DIRECTORY_CHECKS = (EXTENDS, FRESH, OWN, COMPARED, PROVED, PUBLISHED)
AUDITED = "key directory: an epoch is not as it should be"


def said(check: ClientCheck) -> str:
    """Return the words of the alarm that a check of the directory raises."""
    return f"key directory: {check.name}"


class Proven(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A user's devices as they stand under the head of `size` epochs."""

    size: int
    devices: tuple[Listed, ...]


class Pending(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A device that the provider listed when the head had `size` epochs, and that did not stand under it."""

    listed: Listed
    size: int


class Watch(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a client, or the auditor, knows of the directory.

    `log` and `vrf` are the directory's public keys (32 and 33 bytes), `epoch` the days between two of its heads. In
    `gossip` of 100 epochs it compares its head with `auditor`, if there is one, else with one of `peers`. With
    `pending` a listed device is used before it is published; with `hides` a device that a client hides from its user
    raises no alarm about the user's own list either. `version` is the newest of the user's own list that was seen.
    """

    log: Public = b""
    vrf: Public = b""
    epoch: int = 1
    gossip: int = 100
    auditor: str = ""
    peers: list[str] = []
    pending: bool = False
    hides: bool = False
    head: Head | None = None
    compared: int = 0
    distrusts: bool = False
    version: int = -1
    proven: dict[str, Proven] = {}
    promised: list[Pending] = []

    def check_newer(self, told: HeadTold) -> None:
        """Return if the head extends the last one. Raise Malformed or Forged, saying which check fails."""
        check_head(self.log, told.head)
        if last := self.head:
            if told.head.size < last.size:
                raise Forged(f"the log went back from {last.size} epochs to {told.head.size}")
            if told.head.time < last.time:
                raise Forged("the head is from before the last one")
            merkle.check_consistency(last.size, last.root, told.head.size, told.head.root, told.proof)
        elif told.proof:
            raise Malformed("a first head extends none, so that its proof is empty")

    def check_fresh(self, head: Head, day: int) -> None:
        """Raise Forged if there are fewer epochs than are due, or more: so heads of one day have one size."""
        if head.size != (expected := due(day, self.epoch)):
            raise Forged(f"the head is of {head.size} epochs, and {expected} are due")

    def line(self, told: LineTold, user: str) -> tuple[int, DeviceLine]:
        """Return the newest version and the devices of a user. Raise Malformed or Forged, saying which check fails."""
        if self.head is None:
            raise Forged("no head was seen yet")
        found = value_in(self.head, self.vrf, label_of(user), told.lookup)
        if found is None:
            return -1, DeviceLine(())
        return found[0], codec.decode(found[1], DeviceLine)


class WatchingClient(Device):
    """Base of a client that holds lists against the directory; a subclass has the field `watch`."""

    checks = (*Device.checks, *DIRECTORY_CHECKS)

    if TYPE_CHECKING:  # a party has one base with fields, so that the subclass adds this one
        watch: Watch = Watch()

    def doubts(self, wire: Wire, check: ClientCheck, holds: Callable[[], object]) -> bool:
        """Return whether a check fails that this client makes: its user is told, and the directory is asked no more."""
        try:
            holds()
        except EscrowError as error:
            if self.keeps(check.name):
                wire.alarm(self.name, said(check))
                wire.complain(self.name, error)
                self.watch.distrusts = True
                return True
        return False

    # --- mornings ---

    def follow(self, wire: Wire) -> None:
        """Take the newest head, and search one's own user's devices under it if it is new."""
        watch = self.watch
        if watch.distrusts:
            return
        answers: list[HeadTold] = []
        asked = AskHead(watch.head.size if watch.head else 0)
        if self.doubts(wire, PROVED, lambda: answers.append(wire.ask(self.name, self.provider, asked, HeadTold))):
            return
        for told in answers:
            if self.doubts(wire, EXTENDS, lambda: watch.check_newer(told)):  # noqa: B023 (called at once)
                return
            if self.doubts(wire, FRESH, lambda: watch.check_fresh(told.head, wire.day)):  # noqa: B023 (called at once)
                return
            new, watch.head = watch.head != told.head, told.head
            if new:
                self.search_own(wire)

    def search_own(self, wire: Wire) -> None:
        """Tell the user of each device in the list that the user did not link, and of a version that was never seen."""
        watch, found = self.watch, list[tuple[int, DeviceLine]]()
        if self.doubts(wire, PROVED, lambda: found.append(self.told_line(wire, self.user))):
            return
        for version, line in found:
            strange = [each for each in line.devices if each.identity not in self.linked]
            shown = [each for each in strange if not (watch.hides and self._hides(wire, each))]
            unseen = watch.version >= 0 and version > watch.version + 1
            for _ in range(len(shown) + unseen):
                if self.keeps(OWN.name):
                    wire.alarm(self.name, said(OWN))
            watch.version = version

    def _hides(self, wire: Wire, listed: Listed) -> bool:
        """Return whether this client hides a device of its user; none of which it cannot be told."""
        try:
            return self.keeps_quiet(wire, listed)
        except EscrowError as error:
            wire.complain(self.name, error)
            return False

    def told_line(self, wire: Wire, user: str) -> tuple[int, DeviceLine]:
        """Ask for a user's line, and return version and devices. Raise the error if it is not proved."""
        size = self.watch.head.size if self.watch.head else 0
        return self.watch.line(wire.ask(self.name, self.provider, AskLine(user, size), LineTold), user)

    def gossip(self, wire: Wire) -> None:
        """Compare a new head with the auditor's or another client's, with the probability that the client has."""
        watch = self.watch
        if watch.distrusts or watch.head is None or watch.compared == watch.head.size:
            return
        watch.compared = watch.head.size
        drawn = int.from_bytes(crypto.random_bytes(16), "big")  # its bias is below 2^-96
        if drawn % 100 >= watch.gossip or not (watch.auditor or watch.peers):
            return
        whom = watch.auditor or watch.peers[drawn // 100 % len(watch.peers)]
        try:
            other = wire.ask(self.name, whom, AskSeen(), Seen).head
            check_head(watch.log, other) if other else None
        except EscrowError as error:  # whom it asks has none to show
            wire.complain(self.name, error)
            return
        if other and self.doubts(wire, COMPARED, partial(self._compare, wire, watch.head, other)):
            for peer in watch.peers if other.size == watch.head.size else ():
                wire.announce(self.name, [peer], TwoLogs(watch.head, other))

    def _compare(self, wire: Wire, mine: Head, other: Head) -> None:
        old, new = sorted((mine, other), key=lambda each: each.size)
        proof: tuple[bytes, ...] = ()
        if old.size < new.size:
            proof = wire.ask(self.name, self.provider, AskJoined(old.size, new.size), Joined).proof
        merkle.check_consistency(old.size, old.root, new.size, new.root, proof)

    @shared("any client may compare heads", anybody=True)
    def on_ask_seen(self, sender: str, packet: AskSeen, wire: Wire) -> Seen:
        """Return the last head that this client saw."""
        return Seen(self.watch.head)

    @shared("the two heads are signed by the directory", anybody=True)
    def on_two_logs(self, sender: str, packet: TwoLogs, wire: Wire) -> None:
        """Trust the directory no more. Raise Forged unless the two heads prove that it lies."""
        for head in (packet.one, packet.other):
            check_head(self.watch.log, head)
        if packet.one.size != packet.other.size or packet.one.root == packet.other.root:
            raise Forged("two heads that one directory may have signed")
        if not self.watch.distrusts and self.keeps(COMPARED.name):
            wire.alarm(self.name, said(COMPARED))
            self.watch.distrusts = True

    # --- sending ---

    def in_directory(self, wire: Wire, user: str, listed: list[Listed]) -> list[Listed]:
        """Return the listed devices that the directory has, or may have soon; if it lied, those known before."""
        watch = self.watch
        if watch.head is None:
            self.follow(wire)
        lines: list[tuple[Listed, ...]] = []
        if not watch.distrusts:
            self.doubts(wire, PROVED, lambda: lines.append(self.proven(wire, user)))
        if watch.distrusts:
            if user not in self.contacts:
                wire.complain(self.name, Refused(self.name, f"{user} is known by no list that was proved"))
            return self.contacts.get(user, [])
        if not lines:  # this client goes on without a proof
            return listed
        return [each for each in listed if each in lines[0] or self._is_used_before(wire, each)]

    def proven(self, wire: Wire, user: str) -> tuple[Listed, ...]:
        """Return the devices of a user under the present head. Raise the error if they are not proved."""
        watch = self.watch
        size = watch.head.size if watch.head else 0
        if (known := watch.proven.get(user)) is None or known.size != size:
            _, line = self.told_line(wire, user)
            known = watch.proven[user] = Proven(size, line.devices)
        return known.devices

    def _is_used_before(self, wire: Wire, listed: Listed) -> bool:
        """Return whether a device that the present head has not is used: until the next head, if it may be pending."""
        watch = self.watch
        size = watch.head.size if watch.head else 0
        found = next((each for each in watch.promised if each.listed == listed), None)
        if found is None:
            watch.promised.append(found := Pending(listed, size))
        if found.size == size or not self.keeps(PUBLISHED.name):
            return watch.pending
        wire.alarm(self.name, said(PUBLISHED))
        return False


class Auditor(Principal):
    """Whoever audits the directory: it follows each head, and holds each epoch's change against the one before."""

    provider: str = "provider"
    watch: Watch = msgspec.field(default_factory=Watch)
    tree: Public = prefix.EMPTY
    audited: int = 0

    def follow(self, wire: Wire) -> None:
        """Take the newest head, and audit the epochs that are new. An error is an alarm, and ends the audit."""
        watch = self.watch
        if watch.distrusts:
            return
        try:
            asked = AskHead(watch.head.size if watch.head else 0)
            told = wire.ask(self.name, self.provider, asked, HeadTold)
            watch.check_newer(told)
            watch.check_fresh(told.head, wire.day)
            watch.head = told.head
            for epoch in range(self.audited, told.head.size):
                answer = wire.ask(self.name, self.provider, AskEpoch(epoch, told.head.size), EpochTold)
                self.tree = check_epoch(self.tree, epoch, answer.audited, told.head)
                self.audited = epoch + 1
        except EscrowError as error:
            wire.alarm(self.name, AUDITED)
            wire.complain(self.name, error)
            watch.distrusts = True

    @shared("any client may compare heads", anybody=True)
    def on_ask_seen(self, sender: str, packet: AskSeen, wire: Wire) -> Seen:
        """Return the last head that the auditor saw."""
        return Seen(self.watch.head)

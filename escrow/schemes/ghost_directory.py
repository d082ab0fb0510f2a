"""Ghost participants where the provider's lists of devices stand in a key directory.

  serve    as in ghost; from the next epoch on the list that the directory has shows the silent device, or the directory
           lies: pending=used: until then clients take the provider's word; pending=waits: they leave it out
  monitor  every client searches its own user's list: monitor=shown tells the user of a silent device, monitor=hidden
           does not, where the client hides the device anyway
  gossip   with each new head a client compares it, with this probability, with the auditor (audits=auditor), or with
           another client (audits=nobody)
  weak     as ghost where clients hide what the directory shows; between two epochs the provider's word, if pending
           devices are used; a second log, for as long as nobody who sees it compares

Source: Levy and Robinson (2018) for the silent device; Melara and others, "CONIKS", USENIX Security 2015, section 4,
for the directory. That the two meet is ours: no text on silent devices that was read speaks of a key directory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import msgspec

from escrow import crypto
from escrow.e2ee.listing.proved import Auditor, Watch, WatchingClient
from escrow.e2ee.listing.published import DeviceLine, ListingProvider, Publishing
from escrow.grants import Choice, Claim
from escrow.principal import Principal
from escrow.scheme import Overheard, Source, User
from escrow.schemes.ghost import GhostClient, GhostProvider, GhostScheme
from escrow.schemes.plain import UNAUTHENTICATED, Plain
from escrow.transparency.directory import KeyDirectory, founded
from escrow.wire import Wire

Audits = Literal["nobody", "auditor"]
Unpublished = Literal["used", "waits"]
AUDITOR = "auditor"


class DirectoryRules(NamedTuple):
    """The rules of a directory and its clients, as in the scheme's parameters; `hides` is monitor=hidden."""

    epoch: int = 2
    gossip: int = 20
    audits: Audits = "auditor"
    pending: Unpublished = "used"
    hides: bool = False


RULES = DirectoryRules()


class InDirectory(Plain, frozen=True, kw_only=True):
    """Base of a scheme with a key directory. It adds no field, so that any scheme can have it as a second base."""

    @property
    def rules(self) -> DirectoryRules:
        """The rules that its parties know."""
        raise NotImplementedError(f"{type(self).__name__} has no rules of a directory")

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of the other base, tell them of the directory, and add the auditor."""
        rules = self.rules
        with crypto.acting("provider"):
            publishing = Publishing(founded(), rules.epoch)
        known, audited = KeyDirectory(publishing.kept), rules.audits == "auditor"
        parties = list(super().cast(users, court))
        clients = [party.name for party in parties if isinstance(party, WatchingClient)]

        def watch(peers: Iterable[str]) -> Watch:
            gossip, pending = (AUDITOR if audited else ""), rules.pending == "used"
            return Watch(known.key, known.vrf, rules.epoch, rules.gossip, gossip, list(peers), pending, rules.hides)

        for party in parties:
            if isinstance(party, ListingProvider):
                party.publishing = publishing
            if isinstance(party, WatchingClient):
                party.watch = watch(name for name in clients if name != party.name)
            yield party
        if audited:
            yield Auditor(AUDITOR, watch=watch(()))

    def each_day(self, wire: Wire, day: int) -> None:
        """Let clients and auditor follow the directory; when all have, let clients compare heads."""
        super().each_day(wire, day)
        followers = [name for name, party in wire.parties.items() if isinstance(party, WatchingClient | Auditor)]
        for name in followers:
            with crypto.acting(name):
                wire.parties[name].follow(wire)  # type: ignore[attr-defined]  # a client or the auditor
        for name in followers:
            if isinstance(party := wire.parties[name], WatchingClient):
                with crypto.acting(name):
                    party.gossip(wire)


class DirectoryGhostProvider(ListingProvider, GhostProvider):
    """A provider that serves warrants, and publishes its lists, with the silent devices in them."""

    publishing: Publishing = msgspec.field(default_factory=Publishing)

    def lists(self, day: int) -> dict[str, DeviceLine]:
        """Return the devices of every user, with the silent devices that warrants cover on this day."""
        self.keep_to_warrants(day)
        return super().lists(day)


class DirectoryGhostClient(WatchingClient, GhostClient):
    """A client built to hide a device that a court has ordered, and to hold lists against the directory."""

    watch: Watch = msgspec.field(default_factory=Watch)


class GhostDirectory(InDirectory, GhostScheme, frozen=True, kw_only=True):
    """Ghost, with a key directory.

    `epoch`: the days from one head to the next. `gossip`: how many of 100 new heads a client compares; `audits`: with
    whom. `pending`: listed devices that are not published yet are used, or wait. `monitor`: a silent device in the
    user's own list is shown to the user, or hidden.
    """

    name = "ghost-directory"
    title = "Ghost participant, under key transparency"
    source = Source(
        "Levy and Robinson; Melara and others",
        "Principles for a More Informed Exceptional Access Debate; CONIKS",
        2018,
        "on virtual crocodile clips; 4",
        "that the two meet, and the messages",
    )
    family = "Silent participant"
    overheard = (
        *GhostScheme.overheard,
        Overheard(
            ("HeadTold", "LineTold", "EpochTold", "AskLine", "AskSeen", "Seen"),
            "the directory has a silent device as any device",
        ),
    )
    device = DirectoryGhostClient
    provider = DirectoryGhostProvider
    epoch: int = RULES.epoch
    gossip: int = RULES.gossip
    audits: Audits = RULES.audits
    pending: Unpublished = RULES.pending
    monitor: Literal["shown", "hidden"] = "shown"

    def __post_init__(self) -> None:
        """Raise ValueError for an epoch of no days, or a rate that is no percentage."""
        if self.epoch < 1:
            raise ValueError(f"epoch={self.epoch}: an epoch has one day or more")
        if not 0 <= self.gossip <= 100:
            raise ValueError(f"gossip={self.gossip}: it is a percentage, 0 to 100")

    @property
    def rules(self) -> DirectoryRules:
        """The rules that its parties know."""
        return DirectoryRules(self.epoch, self.gossip, self.audits, self.pending, self.monitor == "hidden")

    @property
    def claim(self) -> Claim:
        """As ghost's. That a provider which lies is found, and not prevented, is conceded as plain concedes it."""
        claim = super().claim
        delay = self.epoch if self.pending == "waits" else 0
        return msgspec.structs.replace(claim, delay=delay, concessions=(*claim.concessions, UNAUTHENTICATED))

    def _choices(self) -> Iterator[Choice]:
        for choice in super()._choices():
            if not choice.words.startswith("there is no log of device lists"):
                yield choice
        tells = "tells its user of" if self.monitor == "shown" else "hides"
        words = f"monitor={self.monitor}: a client {tells} a silent device in its user's own line of the directory"
        yield Choice(words, favours=self.monitor == "hidden")
        if self.pending == "waits":
            words = "pending=waits: a new device, the law's too, is sent to when the directory has it; so access begins"
            yield Choice(
                f"{words} an epoch after the service, and warrants that are shorter yield nothing", favours=True
            )
        yield Choice("clients and auditor compare heads past the provider", favours=False)


SCHEME = GhostDirectory()

"""One world: a court, a scheme's cast, the wire between them, and what the network intercepts.

  harness   tries a scheme's properties on it (escrow.testing.harness)
  play      runs a scenario on it, with an attack (attacks.lab.simulation.play)
  counts    counts what each message costs on it (attacks.lab.costs.counts)

It knows no attack, and needs nothing but the library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from escrow import codec, crypto
from escrow.e2ee.device import Device
from escrow.e2ee.policing import CARRIED, Policing, field_type, relay
from escrow.e2ee.provider import Delivery, Group, Mail, Provider
from escrow.e2ee.transcript import Transcript
from escrow.errors import Malformed, NotInstalled
from escrow.principal import Principal, revive
from escrow.scheme import NAMES_HAVE, Intercept, Scheme, User, is_name
from escrow.warrant import COURT, Authority, Court, CourtKey, Warrant, introduce
from escrow.wire import Heard, Link, Wire, reliable

R = TypeVar("R")
_MAIL = frozenset({Mail, Delivery})
_NAMES = tuple(codec.encode(kind.__name__) for kind in _MAIL)  # in a packet, after one byte


class World:
    """A scheme's parties and a court on a wire. Each party draws its random bytes as itself."""

    def __init__(self, scheme: Scheme, users: Sequence[User], link: Link = reliable) -> None:
        """Make the court and the cast.

        Raises:
            Malformed: two parties have the same name, or one has a name of signs.
            NotInstalled: the scheme needs a package that is not there.
        """
        if scheme.missing:
            raise NotInstalled(f"{scheme.name}: {scheme.missing}")
        self.scheme = scheme
        with crypto.acting(COURT):
            court = Court(COURT, crypto.new_signing_key(CourtKey))
        parties = [court, *(_told(scheme, party) for party in scheme.cast(users, court.key.public))]
        names = sorted(party.name for party in parties)
        if twice := [name for name, following in pairwise(names) if name == following]:
            raise Malformed(f"two parties of {scheme.name}, or a device of the scenario and one, are called {twice[0]}")
        if odd := [name for name in names if not is_name(name)]:
            raise Malformed(f"{scheme.name}: a party is called {odd[0]!r}: {NAMES_HAVE}")
        introduce(parties)
        self.wire = self.wired(parties, link)
        self.intercepts = Intercepts(scheme.committing)

    def wired(self, parties: Iterable[Principal], link: Link) -> Wire:
        """Return the wire between the parties."""
        return Wire(parties, link)

    # --- who is there ---

    @property
    def court(self) -> Court:
        """The court as it is now."""
        return self.wire.party(COURT, Court)

    @property
    def authority(self) -> Authority:
        """The authority as it is now."""
        return self.wire.party("authority", Authority)

    @property
    def provider(self) -> Provider:
        """The provider as it is now."""
        return self.wire.party("provider", Provider)

    def device(self, name: str) -> Device:
        """Return a device as it is now. Raise Unreachable if there is none."""
        return self.wire.party(name, Device)

    def restart(self) -> None:
        """Replace every party by what its own state decodes to: since a party is its fields, it goes on as before."""
        self.wire.parties = {name: revive(party.state(), type(party)) for name, party in self.wire.parties.items()}

    # --- devices ---

    def renew(self, names: Iterable[str]) -> None:
        """Let these devices rotate, erase and publish keys, as each does in the morning."""
        for name in names:
            with crypto.acting(name):
                self.device(name).each_day(self.wire)

    def announce(self, speaker: str, group: Group) -> None:
        """Tell the provider, by the device `speaker`, who is in a group from now on."""
        with crypto.acting(speaker):
            self.device(speaker).change_group(self.wire, group)

    def send(self, device: str, to: str, text: bytes, *, group: bool = False) -> None:
        """Send a text to a user or a group. Raise the error of escrow.errors that stops the device."""
        with crypto.acting(device):
            sender = self.device(device)
            (sender.send_to_group if group else sender.send)(self.wire, to, text)

    def collect(self, names: Iterable[str]) -> None:
        """Let these devices fetch the mail that waits for them, and show the texts in it."""
        for name in names:
            with crypto.acting(name):
                self.device(name).collect(self.wire)

    # --- the lawful access ---

    def serve(self, warrant: Warrant) -> None:
        """Hand the authority a warrant in the court's name; it does at once what the scheme says."""
        with crypto.acting(COURT):
            self.court.serve(self.wire, self.authority.name, warrant)
        self.by_authority(self.scheme.serve, warrant)

    def by_authority(self, work: Callable[..., R], *arguments: Any) -> R:
        """Return what the authority's part of the scheme's recipe returns, for its object and the wire."""
        with crypto.acting("authority"):
            return work(self.authority, self.wire, *arguments)

    def intercepted(self) -> list[Intercept]:
        """Return every mail once, as the network heard it."""
        self.intercepts.hear(self.wire.heard)
        return list(self.intercepts.all)

    def newly_intercepted(self) -> list[Intercept]:
        """Return the mail that the network heard since this was last asked."""
        self.intercepts.hear(self.wire.heard)
        return self.intercepts.fresh(0)

    def yielded(self, warrant: Warrant, intercepted: Sequence[Intercept]) -> list[bytes]:
        """Run the scheme's lawful access to this mail, and return the texts that it yields."""

        def access(authority: Authority, wire: Wire) -> list[bytes]:
            return list(self.scheme.access(authority, wire, warrant, intercepted))

        return self.by_authority(access)


def _told(scheme: Scheme, party: Principal) -> Principal:
    """Return a party of a cast that knows the parameters of every scheme: how texts are sealed, who polices fields.

    A scheme's own cast need not know of them.
    """
    policing: Policing = getattr(scheme, "policing", "none")
    kind = field_type(scheme.device.access_field)
    if isinstance(party, Device):
        party.committing, party.policing = scheme.committing, policing
    if isinstance(party, Provider) and kind is not None and policing in CARRIED:
        party = relay(party, kind)
    return scheme.equipped(party)


class Intercepts:
    """What the network keeps for the lawful access: every mail once, and how many of them each warrant has seen."""

    def __init__(self, committing: bool = False) -> None:
        """Begin with nothing heard; `committing` is the scheme's parameter."""
        self.all: list[Intercept] = []
        self._transcript = Transcript(committing)
        self._read = 0
        self._seen: dict[int, int] = {}

    def hear(self, heard: Sequence[Heard]) -> None:
        """Read the packets that were added to `heard` since the last call."""
        for packet in heard[self._read :]:
            for mail in mails_in(packet):
                if list(self._transcript.facts(mail)):
                    self.all.append(Intercept(packet.day, mail, self._transcript.ciphertexts(mail)))
        self._read = len(heard)

    def copy(self) -> Intercepts:
        """Return what goes on from here by itself."""
        made = Intercepts()
        made.all, made._transcript = list(self.all), self._transcript.copy()
        made._read, made._seen = self._read, dict(self._seen)
        return made

    def fresh(self, warrant: int) -> list[Intercept]:
        """Return what was heard since the warrant of this number last asked."""
        begin, self._seen[warrant] = self._seen.get(warrant, 0), len(self.all)
        return self.all[begin:]


def mails_in(packet: Heard) -> tuple[Mail, ...]:
    """Return the mails that a packet carries: one, those of a delivery, or none."""
    return crypto.recalled(("mails", packet.data), _mails_in, packet.data) if packet.data.startswith(_NAMES, 1) else ()


def _mails_in(data: bytes) -> tuple[Mail, ...]:
    try:
        found = codec.decode_any(data, _MAIL)
    except Malformed:
        return ()
    return found.mails if isinstance(found, Delivery) else (found,)

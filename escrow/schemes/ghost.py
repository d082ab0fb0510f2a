"""Ghost participant: under a warrant the provider adds a silent device to the target's devices.

  serve    authority --(warrant, keys of g)--> provider   the provider lists g among the target's devices
  send     every client encrypts to g as to any device    in fan-out and in Sender Keys groups, both ways
  ask      a client asks about each new device            the answer is sealed to it, as long for any other device
  quiet    a client hides a new device from its user      hush=court: only if a court's warrant and the authority's
           signature name g and its key, while the warrant lasts; hush=provider: if the provider says so; hush=none,
           or covers=target for others: clients send to g, and tell their users of it
  number   a client shows the keys that it encrypts to    number=shown: those of g, too, so that a comparison finds it;
           number=hidden: but for the keys that it hides
  lists    devices=signed: WhatsApp's signatures of primary devices; devices=shared: one identity key a user (Signal);
           groups=admins: signed members; none of them is asked of a device of a warrant
  access   g collects its mail; the authority keeps the texts. The provider takes nothing from g, and no client shows
           what a device writes that it was told of in silence: g only reads
  weak     a party that controls the provider adds its own device; only a notice or a comparison of numbers shows it,
           and with hush=provider and number=hidden neither does
           every client that hides g knows that the target is listened to, and with hush=court reads the warrant

Source: Levy and Robinson, "Principles for a More Informed Exceptional Access Debate", Lawfare, 29 November 2018. They
propose the idea in a paragraph; the messages here are modelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Literal

import msgspec

from escrow import codec, crypto
from escrow.codec import Fact, Packet, Public
from escrow.derivation import Checks, derivation, honest_only
from escrow.e2ee.device import Ghost, ghost_name, new_ghost
from escrow.e2ee.listing.filing import VouchingProvider
from escrow.e2ee.listing.kept_lists import Lists, vouching
from escrow.e2ee.listing.vouching import VouchingDevice
from escrow.e2ee.provider import Collect, Delivery, DeviceList, DevicesOf, Entry, Listed
from escrow.e2ee.x3dh import IdentityKey, sign_prekey
from escrow.errors import EscrowError, Forged, Malformed
from escrow.grants import Choice, Claim
from escrow.primitives import hpke
from escrow.principal import Principal, of_kind, shared
from escrow.scheme import Intercept, Overheard, Source, User, Voucher
from escrow.schemes._ghost_claim import ALWAYS, CHOICES, CLAIM, FINDINGS, OVERHEARD
from escrow.schemes.plain import Plain
from escrow.warrant import Authority, Official, Order, Request, Warrant, in_force
from escrow.wire import Wire

EVER = 1 << 31  # a day that never comes
QUIET = 4096  # bytes: what a client is told about a new device has a multiple of this length
_QUIET = b"escrow-lab quiet"


class GhostKeys(Fact, frozen=True):
    """The public keys of a silent device, as in any device's bundle. Its name is as any that the target may choose."""

    unchecked = {"device": "the authority names its own device; under a name that it does not use, nothing is read"}

    device: str
    identity: Public
    prekey: Public
    signature: Public
    one_time: tuple[Public, ...]


class AskQuiet(Packet, frozen=True):
    """A client asks whether a new device is to be hidden from its user."""

    unchecked = {"device": "a question"}

    device: str


class QuietAnswer(Fact, frozen=True):
    """What hides a device, or nothing: sealed to the identity key `to` (32 bytes).

    It is the authority's request under which the device was added; or a day, if the provider's word is enough.
    It is QUIET bytes long, or a multiple, whatever it says: the network cannot tell a silent device from another.
    """

    to: Public
    sealed: Public


class Quiet(Packet, frozen=True):
    """The answer to AskQuiet."""

    answer: QuietAnswer


@honest_only("a provider's half: who learns the request knew it before")
def seal_quiet(to: bytes, told: Request | int | None) -> QuietAnswer:
    """Return the answer to the client with this identity key (32 bytes). Raise Forged if it is not valid."""
    plain = codec.encode(told)
    padded = plain + b"\x80" + bytes(-(len(plain) + 1) % QUIET)
    return QuietAnswer(to, hpke.seal(crypto.montgomery(to), padded, _QUIET))


def quiet_told(answer: QuietAnswer, key: IdentityKey) -> Request | int | None:
    """Return the request or the last day in an answer, or None if the device is not to be hidden.

    Raise Forged if the answer is another's.
    """
    plain = hpke.open_(key.agreement, answer.sealed, _QUIET).rstrip(b"\0").removesuffix(b"\x80")
    try:
        return codec.decode(plain, Request | int | None)  # type: ignore[arg-type, no-any-return]  # a union of types
    except Malformed as error:
        raise Forged(str(error)) from None


@derivation("answer.to = key.public")
def open_quiet(answer: QuietAnswer, key: IdentityKey) -> Warrant:
    """Return the warrant in an answer, by the client's identity key. Raise Forged if no warrant hides the device."""
    request = quiet_told(answer, key)
    if not isinstance(request, Request):
        raise Forged("no warrant hides that device")
    return request.warrant


def is_hushed(court: bytes, listed: Listed, request: Request) -> bool:
    """Return whether a court's warrant for its user's content and the authority's signature cover this very device."""
    try:
        keys = codec.decode(request.subject, GhostKeys)
    except Malformed:
        return False
    order = request.warrant.order
    names = (keys.device, keys.identity, order.target) == (listed.device, listed.identity, listed.user)
    return names and order.opens_content and request.warrant.signed_by(court) and request.signed()


def until(order: Order) -> int:
    """Return the last day on which a silent device is listed, and hidden, under this order."""
    return min(order.last, order.expires)


class GhostProvider(Official, VouchingProvider):
    """A provider that serves warrants. `haunted` are the silent devices and the requests that added them.

    A device is listed on the days that its warrant covers. Mail that was late is kept for it until the warrant expires.
    Clients are shown these requests; but if the provider's word is enough (`trusted`) they are told the last day on
    which a device is hidden, which stands in `hushed`.
    """

    court: Public = b""
    haunted: dict[str, Request] = {}
    trusted: bool = False
    hushed: dict[str, int] = {}

    @shared("the authority that a court's warrant names has signed it", anybody=True)
    def on_request(self, sender: str, request: Request, wire: Wire) -> None:
        """Take the silent device of a request that passes every check among the target's. Nothing is answered."""
        keys = codec.decode(request.subject, GhostKeys)
        self.admit(request, wire.day, self._fits(keys, request.warrant.order))
        self.haunted[keys.device] = request
        self.keep_to_warrants(wire.day)

    def _fits(self, keys: GhostKeys, order: Order) -> Checks:
        """Yield the checks on a silent device: every client of the target's contacts has to encrypt to it."""
        yield "no device has that name", keys.device not in {*self.accounts, *self.haunted}
        yield "a warrant adds one device", all(each.warrant.order != order for each in self.haunted.values())
        yield "a device has no more one-time prekeys than others", len(keys.one_time) <= self.ONE_TIME

    def timely(self, warrant: Warrant, day: int) -> Checks:
        """Yield the checks on the warrant: the court's signature first; days to come, and content."""
        yield "court's signature", warrant.signed_by(self.court)
        yield from super().timely(warrant, day)
        yield "window", day <= warrant.order.last
        yield "scope", warrant.order.opens_content

    def add(self, device: str, entry: Entry, last: int = EVER) -> None:
        """List a silent device; if the provider's word is enough, clients hide it until the last day."""
        super().add(device, entry)
        if self.trusted:
            self.hushed[device] = last

    def on_ask_quiet(self, sender: str, packet: AskQuiet, wire: Wire) -> Quiet:
        """Return what hides a device, or nothing, sealed to the device that asks."""
        told = (self.hushed if self.trusted else self.haunted).get(packet.device)
        return Quiet(seal_quiet(self.entry(sender, sender).identity, told))

    @shared("each device collects its own mail")
    def on_collect(self, sender: str, packet: Collect, wire: Wire) -> Delivery:
        """Return the sender's waiting mail: nothing to a silent device whose warrant expired."""
        self.keep_to_warrants(wire.day)
        return super().on_collect(sender, packet, wire)

    def writes(self, device: str) -> bool:
        """Return whether a device may write: a silent one only reads, so that nobody speaks as the target."""
        return super().writes(device) and device not in self.haunted

    def on_devices_of(self, sender: str, packet: DevicesOf, wire: Wire) -> DeviceList:
        """Return the devices of a user, with the silent devices that warrants cover today."""
        self.keep_to_warrants(wire.day)
        return super().on_devices_of(sender, packet, wire)

    def keep_to_warrants(self, day: int) -> None:
        """List the silent devices whose warrants cover a day, and no others. Forget those whose warrants expired."""
        for name, request in list(self.haunted.items()):
            order = request.warrant.order
            if order.first <= day <= until(order):
                if name not in self.accounts:
                    keys = codec.decode(request.subject, GhostKeys)
                    entry = Entry(order.target, keys.identity, keys.prekey, keys.signature, list(keys.one_time))
                    self.add(name, entry, until(order))
            else:
                self.directory.pop(name, None)
                self.hushed.pop(name, None)
            if order.expires < day:
                del self.haunted[name]
                self.accounts.pop(name, None)
                self.mailboxes.pop(name, None)


class Silence(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A device that was added in silence, by name and key, and the last day on which it is hidden."""

    listed: Listed
    last: int


class GhostClient(VouchingDevice):
    """A client built to hide a device that a court (public key, 32 bytes) has ordered, as long as the warrant says.

    With `trusting` it hides any new device that the provider tells it to hide; with `hides_keys` it leaves what it
    hides out of the safety number, too. It `hides` devices of all users, of its own one, or none. `silences` are those
    that it was told of, and sends to; of one that it does not hide its user is told as of any new device.
    """

    court: Public = b""
    silences: list[Silence] = []
    trusting: bool = False
    hides_keys: bool = False
    hides: Literal["all", "own", "none"] = "all"

    def keeps_quiet(self, wire: Wire, device: Listed) -> bool:
        """Return whether the device is to be hidden today. A new key of a known device is hidden by a court only."""
        hides = self.hides == "all" or (self.hides == "own" and device.user == self.user)
        if self.is_exempt(device, wire.day):
            return hides
        told = wire.ask(self.name, self.provider, AskQuiet(device.device), Quiet)
        last = self._last_day(wire, quiet_told(told.answer, self.identity), device)
        if last is None or wire.day > last:
            return False
        self.silences.append(Silence(device, last))
        return hides

    def hears(self, listed: Listed) -> bool:
        """Return whether what a device writes is shown: nothing of one that was ever added in silence."""
        return all(each.listed != listed for each in self.silences)

    def is_exempt(self, listed: Listed, day: int) -> bool:
        """Return whether a device was added in silence, hidden or not, and its last day has not passed."""
        return any(each.listed == listed and day <= each.last for each in self.silences)

    def _last_day(self, wire: Wire, told: Request | int | None, device: Listed) -> int | None:
        """Return the last day on which a device is hidden, by what was told; complain of another device's request."""
        if self.trusting:
            old = [each for each in self.contacts.get(device.user, []) if each.device == device.device]
            return told if isinstance(told, int) and old in ([], [device]) else None
        if not isinstance(told, Request):
            return None
        if not is_hushed(self.court, device, told):
            wire.complain(self.provider, Forged(f"no court ordered {device.device}"))
            return None
        order, used = told.warrant.order, in_force(told.warrant, wire.day)
        return until(order) if used and order.covers((device.user,), wire.day) else None

    def look_up(self, wire: Wire, user: str) -> list[Listed]:
        """Return a user's devices. Ask which of a first list are hidden, if the number or a signature depends on it."""
        first = user not in (self.user, *self.contacts)
        listed = super().look_up(wire, user)
        if first and (self.hides_keys or self.vouching is not None):
            self.quiet += [each for each in listed if self.keeps_quiet(wire, each)]
        return listed

    def in_number(self, user: str) -> list[Listed]:
        """Return the devices whose keys the safety number covers; with `hides_keys` none that is hidden."""
        return [each for each in super().in_number(user) if not (self.hides_keys and each in self.quiet)]


def keys_of(ghost: Ghost) -> GhostKeys:
    """Return the public half of a silent device."""
    prekey = ghost.prekeys[-1].key.public
    one_time = tuple(key.public for key in ghost.one_time)
    return GhostKeys(ghost.name, ghost.identity.public, prekey, sign_prekey(ghost.identity, prekey), one_time)


class Haunting(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A silent device and the warrant that it serves."""

    warrant: Warrant
    ghost: Ghost


class GhostAuthority(Authority):
    """An authority that runs the silent devices."""

    hauntings: list[Haunting] = []

    def haunt(self, wire: Wire, warrant: Warrant, committing: bool = False) -> None:
        """Make a silent device and have the provider add it. Raise what the provider raised."""
        order = warrant.order
        ghost = new_ghost(order.target, ghost_name(order.target, order.nonce), committing)
        self.put(wire, ghost.provider, warrant, keys_of(ghost), type(None))
        self.hauntings.append(Haunting(warrant, ghost))

    def running(self, warrant: Warrant) -> list[Ghost]:
        """Return the silent devices that serve a warrant."""
        return [each.ghost for each in self.hauntings if each.warrant == warrant]


class GhostScheme(Plain, frozen=True, kw_only=True):
    """Plain, with silent devices that the provider adds under warrants.

    `hush`: a client hides one by a court's signature, by the provider's word, as proposed, or not at all; `covers`: on
    the target's devices only, or also on those of people who write to the target. `number`: the safety number shows or
    hides the keys of a hidden device. The messenger has three more (escrow.e2ee.listing.vouching): `devices` and
    `groups` say who vouches for a device and a member, `fan_out` whether clients watch how many devices a text goes to.
    """

    name = "ghost"
    title = "Ghost participant, added by the provider"
    source = Source(
        "Levy and Robinson",
        "Principles for a More Informed Exceptional Access Debate",
        2018,
        "on virtual crocodile clips",
        "messages",
    )
    in_pages = True
    family = "Silent participant"
    findings = FINDINGS
    overheard: ClassVar[tuple[Overheard, ...]] = OVERHEARD
    device = GhostClient
    provider = GhostProvider
    authority = GhostAuthority
    hush: Literal["court", "provider", "none"] = "court"
    covers: Literal["all", "target"] = "all"
    number: Literal["shown", "hidden"] = "shown"
    devices: Lists = "unsigned"
    groups: Literal["server", "admins"] = "server"
    fan_out: Literal["unwatched", "watched"] = "unwatched"
    options = (*Plain.options, "hush", "covers", "number", "devices", "groups", "fan_out")

    @property
    def claim(self) -> Claim:
        """The authority reads what its warrants cover, from their service on."""
        return msgspec.structs.replace(CLAIM, choices=tuple(self._choices()))

    def _choices(self) -> Iterator[Choice]:
        for name, said in CHOICES.items():
            if (choice := said.get(getattr(self, name))) is not None:
                yield choice
        yield from ALWAYS

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of plain. Tell clients and provider the court's key, and whose word hides a device."""
        by_word, keys = self.hush == "provider", dict[str, IdentityKey]()
        for party in super().cast(users, court):
            if isinstance(party, GhostProvider):
                party.court, party.trusted = court, by_word
            if isinstance(party, GhostClient):
                party.court, party.trusting, party.hides_keys = court, by_word, self.number == "hidden"
                party.hides = "none" if self.hush == "none" else "own" if self.covers == "target" else "all"
                party.vouching = vouching(self.devices, self.groups == "admins", self.fan_out == "watched")
                if self.devices == "shared":
                    party.identity = keys.setdefault(party.user, party.identity)
                    party.linked = [party.identity.public]
            yield party

    @property
    def vouchers(self) -> tuple[Voucher, ...]:
        """Whose devices vouch for others: the primary, by list or by key; the admin, where members are signed."""
        first: tuple[Voucher, ...] = ("a user's first device",) if self.devices != "unsigned" else ()
        maker: tuple[Voucher, ...] = ("a group's maker",) if self.groups == "admins" else ()
        return first + maker

    def serve(self, authority: Authority, wire: Wire, warrant: Warrant) -> None:
        """Have the provider add a silent device for the warrant."""
        try:
            of_kind(authority, GhostAuthority).haunt(wire, warrant, self.committing)
        except EscrowError as error:
            wire.complain(authority.name, error)

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Yield the texts that the warrant's silent device has read."""
        for ghost in of_kind(authority, GhostAuthority).running(warrant):
            try:
                ghost.collect(wire)
            except EscrowError as error:
                wire.complain("provider", error)
            for text in ghost.texts:
                authority.archive.append(text)
                yield text.body
            ghost.texts = []


SCHEME = GhostScheme()

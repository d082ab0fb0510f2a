"""A third party's scheme: a notary deals a key in shares to three wardens, all of classes of its own.

  deal     x random; the vault's X25519 key is made of x; (i, f(i)) to warden i, f of degree 1 with f(0) = x
  access   two wardens give the authority their shares, on a warrant

`checks`: wardens and authority compare shares with the notary's commitments, and complain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from escrow import codec, crypto
from escrow.codec import Fact, Packet, Public
from escrow.crypto import Private, derived_private, new_private
from escrow.derivation import Checks, Guard, derivation, honest_only, service, threshold
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Refused
from escrow.primitives import group, hpke
from escrow.principal import Principal
from escrow.scheme import AccessField, Claim, Grant, Intercept, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes.plain import DEVICES, Plain
from escrow.sharing import feldman, shamir
from escrow.warrant import Answer, Authority, Official, Warrant, open_answer, promises
from escrow.wire import Wire

WARDENS, NOTARY = ("north", "south", "east"), "notary"


class Line(Fact, frozen=True):
    """The notary's commitments (33 bytes each), and how many shares are needed."""

    commitments: tuple[Public, ...]
    needed: int

    @property
    def name(self) -> bytes:
        """The first commitment."""
        return self.commitments[0]


class Portion(Fact, frozen=True):
    """Warden number `place`'s share (32 bytes) of a line, by its first commitment."""

    line: Public
    place: int
    secret: bytes


class WardenPortion(Portion, frozen=True):
    """A warden's share, and the public key (32 bytes) of the court whose warrants it honours."""

    court: Public


class VaultKey(Private, frozen=True, dict=True):
    """The X25519 key that the shares give."""


class VaultField(AccessField, frozen=True):
    """The message key sealed to the vault's key (80 bytes)."""

    vault: Public
    sealed: Public

    def labels(self) -> bytes:
        """Return what the seal is bound to."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.vault))


@honest_only("it says yes or no")
def on_line(line: Line, portion: Portion) -> bool:
    """Return whether a share fits the commitments."""
    return feldman.verify_share(line.commitments, portion.place, int.from_bytes(portion.secret, "big"))


@threshold("line.name = portions.line", t="line.needed", member="portions.place", by="line", verify=on_line)
def open_vault(line: Guard[Line], portions: tuple[Portion, ...]) -> VaultKey:
    """Return the vault's key, from shares that fit."""
    fitting = {each.place: int.from_bytes(each.secret, "big") for each in portions if on_line(line, each)}
    return vault(shamir.combine(dict(list(fitting.items())[: line.needed])))


@honest_only("the shares give it: open_vault")
def vault(x: int) -> VaultKey:
    """Return the key that a scalar makes."""
    made = derived_private(group.scalar_bytes(x), b"vault")
    return VaultKey(made.public, made.raw)


@derivation("field.vault = key.public")
def unlock(field: VaultField, key: VaultKey) -> MessageKey:
    """Return the message key."""
    return MessageKey(field.chain, field.n, hpke.open_(key, field.sealed, field.labels()))


@derivation()
def hand_over(portion: WardenPortion) -> Portion:
    """Return the share as the authority is given it."""
    return Portion(portion.line, portion.place, portion.secret)


@service(hand_over, holder="portion")
def warden_checks(portion: WardenPortion, warrant: Warrant, field: VaultField) -> Checks:
    """Yield what a warden checks."""
    return promises(portion.court, warrant, field.people, field.day)


@derivation("answer.to = key.public")
def open_portion(answer: Answer, key: Private) -> Portion:
    """Return a warden's answer."""
    return open_answer(answer, key, Portion)


class Parcel(Packet, frozen=True):
    """A share on its way to a warden, and the line that it is of."""

    line: Line
    sealed: Public


class VaultDevice(device.Device):
    """A client that seals message keys to the vault."""

    vault: Public = b""

    def access_field(self, key: MessageKey, context: FieldContext) -> VaultField:
        """Return the field."""
        if not self.vault:
            raise Refused(self.name, "there is no vault")
        blank = VaultField(key.chain, key.n, context.people, context.day, self.vault, b"")
        sealed = hpke.seal(self.vault, key.value, blank.labels())
        return VaultField(key.chain, key.n, context.people, context.day, self.vault, sealed)


class Warden(Official):
    """Holds a share."""

    court: Public
    box: Private
    checks_shares: bool
    portion: WardenPortion | None = None
    promise = warden_checks

    def on_parcel(self, sender: str, packet: Parcel, wire: Wire) -> None:
        """Keep the share, unless it does not fit."""
        self.insist(sender == NOTARY and self.portion is None, "the notary deals once")
        got = codec.decode(hpke.open_(self.box, packet.sealed, b"parcel"), Portion)
        fits = not self.checks_shares or on_line(packet.line, got)
        if not fits:
            wire.alarm(self.name, f"{NOTARY}: a wrong share")
        self.insist(fits, "the share fits")
        self.portion = WardenPortion(got.line, got.place, got.secret, self.court)

    def held(self, subject: VaultField) -> WardenPortion:
        """Return the share."""
        if self.portion is None:
            raise Refused(self.name, "it holds no share")
        return self.portion


class Notary(Principal):
    """Makes the key, deals it, and keeps nothing."""

    @honest_only("the dealer's work: whoever has the polynomial")
    def open_office(self, wire: Wire, boxes: Sequence[Public]) -> tuple[Line, bytes]:
        """Deal to the wardens, whose public keys are given. Return the line and the vault's public key."""
        x = group.random_scalar()
        shares, commitments = feldman.deal(x, 2, len(boxes))
        line = Line(commitments, 2)
        for place, (name, box, share) in enumerate(zip(WARDENS, boxes, shares, strict=True), 1):
            plain = codec.encode(Portion(line.name, place, group.scalar_bytes(share)))
            try:
                wire.ask(self.name, name, Parcel(line, hpke.seal(box, plain, b"parcel")), type(None))
            except EscrowError as error:
                wire.complain(name, error)
        return line, vault(x).public


class VaultAuthority(Authority):
    """Knows the line."""

    line: Line | None = None


class Vault(Plain, frozen=True, kw_only=True):
    """Two of three wardens open everything."""

    name = "vault"
    title = "A notary deals to wardens"
    source = Source("This project", "Tests", 2026, "all")
    device = VaultDevice
    authority = VaultAuthority
    sealed_facts = (SealedFact("Portion", named=NOTARY + ": a wrong share"),)
    checks: bool = True

    @property
    def claim(self) -> Claim:
        """Any two wardens open everything, and an authority that was answered once."""
        everything = (Grant("[nse]*t*h*", "everything", 2), Grant("authority", "everything"))
        return Claim("Two wardens.", "", (*DEVICES, *everything), "in scope")

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties."""
        yield Notary(NOTARY)
        for name in WARDENS:
            with crypto.acting(name):
                yield Warden(name, court=court, box=new_private(), checks_shares=self.checks)
        yield from super().cast(users, court)

    def setup(self, wire: Wire) -> None:
        """Let the notary deal, and tell clients and authority."""
        boxes = [wire.party(name, Warden).box.public for name in WARDENS]
        with crypto.acting(NOTARY):
            line, public = wire.party(NOTARY, Notary).open_office(wire, boxes)
        for party in wire.parties.values():
            if isinstance(party, VaultDevice):
                party.vault = public
            if isinstance(party, VaultAuthority):
                party.line = line

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask the wardens, until two shares fit."""
        if not isinstance(authority, VaultAuthority) or authority.line is None:
            return
        for intercept, field in wanted(authority, warrant, intercepted, VaultField):
            portions: list[Portion] = []
            for name in WARDENS:
                if len(portions) == 2:
                    break
                try:
                    got = open_portion(authority.ask(wire, name, warrant, field), authority.key.agreement)
                except EscrowError as error:
                    wire.complain(name, error)
                    continue
                if not self.checks or on_line(authority.line, got):
                    portions.append(got)
                else:
                    wire.alarm(authority.name, f"wrong share of {name}")
            try:
                key = unlock(field, vault(shamir.combine({e.place: int.from_bytes(e.secret, "big") for e in portions})))
            except EscrowError as error:
                wire.complain(authority.name, error)
                continue
            yield from open_intercepted(authority, intercept, key)


SCHEME = Vault()

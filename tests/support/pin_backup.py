"""A scheme as a third party would write it: each message key is also kept by a custodian, under the writer's PIN.

The PIN is ten random bytes, and its marking says that it is a code of four digits: the lab takes the author's word for
how many trials a guess takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from escrow import codec, crypto, hpke
from escrow.codec import Fact, Public
from escrow.crypto import Private, new_private, random_bytes, sha256
from escrow.derivation import Guess, derivation
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.principal import Principal
from escrow.scheme import AccessField, Claim, Source, User
from escrow.schemes.plain import DEVICES, Plain


class PinKey(Private, frozen=True, dict=True):
    """The custodian's key pair."""


class Pin(Fact, frozen=True):
    """A user's PIN."""

    user: str
    digits: bytes


class PinField(AccessField, frozen=True):
    """A message key under a PIN, sealed to the custodian."""

    custodian: Public
    owner: str
    sealed: Public

    def labels(self) -> bytes:
        """Return what the seal is bound to."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.custodian, self.owner))


@derivation("field.custodian = key.public, field.owner = pin.user")
def open_with_pin(field: PinField, key: PinKey, pin: Guess[Pin, 13.3]) -> MessageKey:
    """Return the message key. Raise Forged for a wrong PIN."""
    inner = hpke.open_(key, field.sealed, field.labels())
    under = sha256(pin.digits, field.labels())
    return MessageKey(field.chain, field.n, crypto.open_sealed(under, inner, field.labels()))


class PinDevice(device.Device):
    """A client that keeps a copy of each key."""

    custodian: Public = b""
    pin: Pin | None = None

    def access_field(self, key: MessageKey, context: FieldContext) -> PinField:
        """Return what goes beside each ciphertext."""
        blank = PinField(key.chain, key.n, context.people, context.day, self.custodian, self.user, b"")
        inner = crypto.seal(sha256(self.pin.digits, blank.labels()), key.value, blank.labels())
        sealed = hpke.seal(self.custodian, inner, blank.labels())
        return PinField(key.chain, key.n, context.people, context.day, self.custodian, self.user, sealed)


class PinCustodian(Principal):
    """Keeps a key."""

    key: PinKey


class PinBackup(Plain, frozen=True, kw_only=True):
    """Plain with a copy of each key under a PIN."""

    name = "pin-backup"
    title = "Pin"
    source = Source("Author", "Title", 2026, "section", "everything")
    device = PinDevice

    @property
    def claim(self) -> Claim:
        """Return the claim."""
        return Claim(words="Nobody but the writer can open the copies.", section="", grants=DEVICES, access="none")

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Yield the parties."""
        with crypto.acting("custodian"):
            made = new_private()
        yield PinCustodian("custodian", key=PinKey(made.public, made.raw))
        pins = {}
        for party in super().cast(users, court):
            if isinstance(party, PinDevice):
                party.custodian = made.public
                if party.user not in pins:
                    with crypto.acting(party.name):
                        pins[party.user] = Pin(party.user, random_bytes(10))
                party.pin = pins[party.user]
            yield party


SCHEME = PinBackup()

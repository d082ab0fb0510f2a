"""Fields are wrapped under a key that every client has, and the agent answers any authority; in the twin, only one.

The court's key alone opens nothing in either: the thief cannot read what it would have to ask about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from attacks.specimens._box import REGISTERED, BoxScheme, SpareAuthority
from escrow import codec, crypto
from escrow.codec import Fact, Public
from escrow.confidential import SealedPacket, opened
from escrow.derivation import derivation
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Forged, Malformed
from escrow.principal import Principal, ReceivingKey
from escrow.scheme import AccessField, Intercept, User
from escrow.schemes.envelope import Envelope, EnvelopeDevice
from escrow.warrant import Authority, Request, Warrant
from escrow.wire import Wire

NONCE = 12


class WrappingKey(Fact, frozen=True):
    """The key (32 bytes) under which all clients wrap their fields."""

    value: bytes


class WrappedField(AccessField, frozen=True):
    """An envelope's encoding, sealed under the wrapping key; the nonce (12 bytes) stands before it."""

    sealed: Public


@derivation("any field, any key")
def unwrap(field: WrappedField, key: WrappingKey) -> Envelope:
    """Return the envelope. Raise Forged if it is under another key, or its labels changed."""
    opened = crypto.open_sealed(key.value, field.sealed[NONCE:], _labels(field), field.sealed[:NONCE])
    try:
        return codec.decode(opened, Envelope)
    except Malformed as error:
        raise Forged("the field holds no envelope") from error


@derivation("content.to = key.public")
def asked_about(content: SealedPacket, key: ReceivingKey) -> Envelope:
    """Return the envelope in a sealed request, by the agent's receiving key: nobody else hears it unwrapped."""
    try:
        return codec.decode(opened(content, key, Request).subject, Envelope)
    except Malformed as error:
        raise Forged("the request is about no envelope") from error


def _labels(field: AccessField) -> bytes:
    return codec.encode((field.chain, field.n, field.people, field.day))


class WrappingDevice(EnvelopeDevice):
    """A client that wraps its fields."""

    wrapping: WrappingKey = WrappingKey(b"")

    def access_field(self, key: MessageKey, context: FieldContext) -> WrappedField:  # type: ignore[override]  # the envelope, inside another field
        """Return the envelope, wrapped."""
        envelope, nonce = super().access_field(key, context), crypto.random_bytes(NONCE)
        sealed = crypto.seal(self.wrapping.value, codec.encode(envelope), _labels(envelope), nonce)
        return WrappedField(envelope.chain, envelope.n, envelope.people, envelope.day, nonce + sealed)


class UnwrappingAuthority(SpareAuthority):
    """An authority that has the wrapping key."""

    wrapping: WrappingKey = WrappingKey(b"")


class SharedWrapping(BoxScheme, frozen=True, kw_only=True):
    """A box whose fields are wrapped, and whose agent does not check which authority asks."""

    name = "family-key"
    title = "Specimen: the court's key and any phone are enough"
    device = WrappingDevice
    authority = UnwrappingAuthority
    waives: tuple[str, ...] = (REGISTERED,)

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of a box, and give clients and authority the wrapping key."""
        with crypto.acting("family"):
            key = WrappingKey(crypto.random_bytes(32))
        for party in super().cast(users, court):
            if isinstance(party, WrappingDevice | UnwrappingAuthority):
                party.wrapping = key
            yield party

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Unwrap each field, and go on as a box does."""
        if not isinstance(authority, UnwrappingAuthority):
            return iter(())
        return super().access(authority, wire, warrant, [*_unwrapped(authority.wrapping, intercepted)])


def _unwrapped(key: WrappingKey, intercepted: Iterable[Intercept]) -> Iterator[Intercept]:
    for each in intercepted:
        try:
            field = codec.encode(unwrap(codec.decode(each.mail.field, WrappedField), key))
        except (Forged, Malformed):
            continue
        yield msgspec.structs.replace(each, mail=msgspec.structs.replace(each.mail, field=field))


class RegisteredWrapping(SharedWrapping, frozen=True, kw_only=True):
    """The same, with an agent that answers the registered authority only."""

    name = "family-key-registered"
    title = "Twin: the agent answers one registered authority"
    waives: tuple[str, ...] = ()


SPECIMEN, TWIN = SharedWrapping(), RegisteredWrapping()

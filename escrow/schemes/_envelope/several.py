"""What envelopes for several agencies have in common, whatever the kind of their keys.

The construction stands in `agencies`; `hybrid` has another kind of key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar

from escrow import codec, crypto
from escrow.codec import Fact, Public
from escrow.crypto import Private, open_sealed, seal, sha256
from escrow.derivation import Checks, derivation
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged
from escrow.grants import Choice, Claim, Grant, KeySlot
from escrow.primitives import hpke
from escrow.principal import Principal, of_kind
from escrow.scheme import AccessField, Intercept, SealedFact, User, open_intercepted, wanted
from escrow.schemes._envelope.claims import SECTION, SOURCES, WEAKENED
from escrow.schemes._envelope.forms import EnvelopeForm
from escrow.schemes._envelope.parts import (
    AgencyParts,
    AgencySecret,
    AgencyShare,
    combine_agency_shares,
    new_secret,
    share_fits,
)
from escrow.schemes.plain import CLASSICAL, DEVICES, ONE_COURT, ONE_THEFT, UNPOLICED
from escrow.warrant import Answer, Authority, Warrant, open_answer, promises
from escrow.wire import Wire

_MESSAGE, _EPOCH = b"escrow-lab envelope of a message", b"escrow-lab envelope of an epoch"


class AgencyField(AccessField, frozen=True, dict=True):
    """A message key under a secret (48 bytes), and the secret in parts. `days` is the length of an epoch, or 0."""

    header: Public
    first: int
    days: int
    parts: AgencyParts
    wrapped: Public

    def context(self) -> bytes:
        """Return everything that the field says about the message, to which the wrap is bound."""
        return codec.encode((*self.labels(), self.first, self.days, self.parts.name))

    def labels(self) -> tuple[object, ...]:
        """Return the labels and the header's hash."""
        return self.chain, self.n, self.people, self.day, self.header

    @cached_property
    def is_bound(self) -> bool:
        """Whether the secret is for this message, or for this sender's epoch in which the day lies."""
        if not self.days:
            return self.parts.bound == bound_to_message(self.labels()) and not self.first
        within = self.first <= self.day < self.first + self.days
        return within and self.parts.bound == bound_to_epoch(self.people[:1], self.first, self.days)


def bound_to_message(labels: Sequence[object]) -> bytes:
    """Return what the secret of one message is for (32 bytes)."""
    return sha256(_MESSAGE, codec.encode(tuple(labels)))


def bound_to_epoch(sender: Sequence[str], first: int, days: int) -> bytes:
    """Return what the secret of one epoch of a user's device is for (32 bytes)."""
    return sha256(_EPOCH, codec.encode((tuple(sender), first, days)))


@derivation("field.parts.name = secret.name")
def unwrap_by_agencies(field: AgencyField, secret: AgencySecret) -> MessageKey:
    """Return the message key. Raise Forged if labels or parts were changed."""
    if not field.is_bound:
        raise Forged("the secret of the field is for another message, or another sender's epoch")
    context = field.context()
    return MessageKey(field.chain, field.n, open_sealed(sha256(secret.value, context), field.wrapped, context))


def checks_of(court: bytes, warrant: Warrant, field: AgencyField, share: object) -> Checks:
    """Yield what an agency promises to check before it gives its share.

    `share` returns the agency's share. If t is 1, that share is the whole secret: then the agency opens the wrap, too,
    which is bound to the labels.
    """
    yield from promises(court, warrant, field.people, field.day)
    yield "the secret is for what the labels say", field.is_bound
    yield "the labels are those that the sender wrapped a key for", field.parts.t > 1 or _wraps(field, share)


def _wraps(field: AgencyField, share: Any) -> bool:
    try:
        unwrap_by_agencies(field, AgencySecret(field.parts.name, share().value))
    except Forged:
        return False
    return True


@derivation("answer.to = key.public")
def open_agency_answer(answer: Answer, key: Private) -> AgencyShare:
    """Return a share (32 bytes) from an agency's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, AgencyShare)


class OwnEpoch(Fact, frozen=True):
    """A device's secret of an epoch, from its first day on, and its parts."""

    first: int
    parts: AgencyParts
    secret: AgencySecret


class AgencyDevice(device.Device):
    """A device whose client seals message keys to agencies with these `keys`, `t` of whom are needed.

    `days` is the length of an epoch, 0 if each message has a secret of its own.
    """

    suite: ClassVar[hpke.Suite] = hpke.DEFAULT

    t: int = 1
    keys: tuple[Public, ...] = ()
    days: int = 0
    epoch: OwnEpoch | None = None

    def each_day(self, wire: Wire) -> None:
        """Do what a device of plain does, and erase the secret of an epoch that is over."""
        super().each_day(wire)
        if self.epoch is not None and not self.epoch.first <= wire.day < self.epoch.first + self.days:
            self.epoch = None

    def make_anew(self) -> None:
        """Drop the secret of the epoch."""
        self.epoch = None

    def access_field(self, key: MessageKey, context: FieldContext) -> AgencyField:
        """Return the message key under a secret of its own, or of the epoch, and that in parts."""
        labels = (key.chain, key.n, context.people, context.day, sha256(context.header))
        if self.days:
            first = context.day - context.day % self.days
            parts, secret = self._of_epoch(context.people[:1], first)
        else:
            first, (parts, secret) = 0, self._parted(bound_to_message(labels))
        bound = AgencyField(*labels, first, self.days, parts, b"").context()
        wrapped = seal(sha256(secret.value, bound), key.value, bound)
        return AgencyField(*labels, first, self.days, parts, wrapped)

    def _of_epoch(self, sender: Sequence[str], first: int) -> tuple[AgencyParts, AgencySecret]:
        if self.epoch is None or self.epoch.first != first:
            self.epoch = OwnEpoch(first, *self._parted(bound_to_epoch(sender, first, self.days)))
        return self.epoch.parts, self.epoch.secret

    def _parted(self, bound: bytes) -> tuple[AgencyParts, AgencySecret]:
        return new_secret(self.suite, self.t, self.keys, bound)


class AgencyAuthority(Authority):
    """An authority that keeps the secrets of epochs which it was given."""

    secrets: list[AgencySecret] = []


class SeveralAgencies(EnvelopeForm, frozen=True, kw_only=True):
    """`n` agencies, `t` of whom open a text; a secret `per` message or per epoch of `days`."""

    sealed_facts = (SealedFact("AgencyShare", named="wrong share of {}"),)
    device = AgencyDevice
    authority = AgencyAuthority
    agency: ClassVar[type[Any]]  # each kind of form has its own officials, with keys of its own
    key: ClassVar[type[Any]]
    new_key: ClassVar[Callable[[], Any]]  # returns a fresh key pair of the agencies' kind

    @property
    def claim(self) -> Claim:
        """Any t agencies open everything; the authority reads what its warrants cover, by whole epochs if there are."""
        slot = KeySlot(self.days, "device") if self.per == "epoch" else None
        of_phone = (Grant("device", "of the holder's own user"),) if slot else ()
        agents = "agent" if self.n == 1 else "agent-*"
        return Claim(
            words=f"{self.who} can open every message; the authority reads what its"
            f" warrants cover{f', {slot}' if slot else ''}.",
            section=SECTION,
            grants=(
                *DEVICES,
                *of_phone,
                Grant(agents, "everything", self.t),
                Grant("authority", "in scope of a served warrant", slot=slot),
            ),
            access="in scope",
            sources=SOURCES,
            concessions=WEAKENED,
            model=(*self._classical, ONE_THEFT),
            choices=(UNPOLICED, ONE_COURT, *self._choices),
        )

    @property
    def _classical(self) -> tuple[Any, ...]:
        return (CLASSICAL,)

    @property
    def _choices(self) -> tuple[Choice, ...]:
        held = Choice("clients erase the secret of an epoch that is over", favours=True)
        return (
            Choice("an agency compares the labels with what the secret is for before it answers", favours=True),
            *((held,) if self.per == "epoch" else ()),
        )

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the agencies and the parties of plain; every device learns the agencies' keys."""
        made = []
        for name in self.agents:
            with crypto.acting(name):
                made.append(type(self).new_key())
        keys = tuple(each.public for each in made)
        for number, (name, each) in enumerate(zip(self.agents, made, strict=True), 1):
            yield self.agency(name, key=self.key(each.public, each.raw, number, self.t, court))
        for party in super().cast(users, court):
            if isinstance(party, AgencyDevice):
                party.t, party.keys, party.days = self.t, keys, self.days if self.per == "epoch" else 0
            yield party

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Get the secret of each field that the warrant covers from t agencies, and yield the texts that it covers."""
        authority = of_kind(authority, AgencyAuthority)
        for intercept, field in wanted(authority, warrant, intercepted, AgencyField):
            known = next((each for each in authority.secrets if each.name == field.parts.name), None)
            try:
                secret = known or self._secret(authority, wire, warrant, field)
                key = unwrap_by_agencies(field, secret)
            except EscrowError as error:
                wire.complain(authority.name, error)
                continue
            if known is None and field.days:
                authority.secrets.append(secret)
            opened = list(open_intercepted(authority, intercept, key))
            if not opened:
                wire.complain(authority.name, Forged("the key that the field holds opens no message"))
            yield from opened

    def _secret(self, authority: Authority, wire: Wire, warrant: Warrant, field: AgencyField) -> AgencySecret:
        """Ask one agency after another until t shares fit; wrong ones are blamed.

        Raise Forged if the field needs more or fewer agencies, before any is asked; Blamed if fewer shares fit.
        """
        parts = field.parts

        def fits(number: int, share: AgencyShare) -> bool:
            return (share.name, share.index) == (parts.name, number) and share_fits(parts, share)

        if parts.t != self.t:
            raise Forged(f"the field is for any {parts.t} agencies, not for {self.t}")
        agencies = self.in_turn(parts.name)
        shares = authority.gather(wire, warrant, field, agencies, open_agency_answer, fits, "share")
        return combine_agency_shares(parts, tuple(islice(shares, parts.t)))

"""Schemes whose claims promise little, and the same schemes with claims that promise more than they keep."""

import msgspec
import pin_backup

from escrow import codec
from escrow.errors import EscrowError
from escrow.scheme import Grant, open_intercepted
from escrow.schemes import envelope
from escrow.schemes.envelope import AgentKey, Envelope, open_field
from escrow.warrant import Authority


class Promised(pin_backup.PinBackup, frozen=True):
    @property
    def claim(self):
        return msgspec.structs.replace(super().claim, access="in scope")


class KeyHolder(Authority):
    """An authority that has the agent's key."""

    spare: AgentKey | None = None


class Bounded(envelope.EnvelopeScheme, frozen=True):
    """Envelope whose authority has the key and asks nobody; its claim is envelope's."""

    authority = KeyHolder

    def cast(self, users, court):
        parties = list(super().cast(users, court))
        key = next(party.key for party in parties if isinstance(party, envelope.EnvelopeAgent))
        for party in parties:
            if isinstance(party, KeyHolder):
                party.spare = key
            yield party

    def access(self, authority, wire, warrant, intercepted):
        for intercept in intercepted:
            try:
                key = open_field(codec.decode(intercept.mail.field, Envelope), authority.spare)
            except EscrowError:
                continue
            yield from open_intercepted(authority, intercept, key)


class Unbounded(Bounded, frozen=True):
    """The same, with a claim that says so."""

    @property
    def claim(self):
        return msgspec.structs.replace(super().claim, grants=(*super().claim.grants, Grant("authority", "everything")))

"""Forms of `envelope` over PQXDH, so that nothing but the access field is open to a quantum computer."""

from escrow.codec import Public
from escrow.schemes import plain_pq
from escrow.schemes._envelope import agencies, hybrid
from escrow.schemes._envelope.several import AgencyDevice


class SealingPq(plain_pq.PqDevice):
    """A device of PQXDH that seals to X-Wing keys."""

    t: int = 1
    keys: tuple[Public, ...] = ()
    days: int = 0
    suite = hybrid.HybridDevice.suite
    access_field, _parted = AgencyDevice.access_field, AgencyDevice._parted


class ClassicalPq(SealingPq):
    """A device of PQXDH that seals to X25519 keys."""

    suite = AgencyDevice.suite


class _OverPq:
    def cast(self, users, court):
        parties = list(super().cast(users, court))
        keys = tuple(party.key.public for party in parties if party.name == "agent")
        for party in parties:
            if isinstance(party, SealingPq):
                party.keys = keys
        return parties


class ClassicalOverPq(_OverPq, agencies.AgencyEnvelope, frozen=True, kw_only=True):
    """One agency with an X25519 key."""

    name = "classical-over-pq"
    provider, device = plain_pq.PqProvider, ClassicalPq


class HybridOverPq(_OverPq, hybrid.HybridEnvelope, frozen=True, kw_only=True):
    """One agency with an X-Wing key."""

    name = "hybrid-over-pq"
    provider, device = plain_pq.PqProvider, SealingPq

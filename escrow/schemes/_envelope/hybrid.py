"""Envelopes for agencies whose keys are X-Wing's: a field that is recorded today stays closed to a quantum computer.

  parts     e an X25519 key for all; for each agency a ciphertext of ML-KEM-768 (1088 bytes) and the sealed share (48)
  else      as `agencies`; an agency is named by the hash of its public key (1216 bytes)
  weak      an agency's answer is sealed under X25519: whoever recorded an answer opens it later;
            the texts themselves are as open as their own key agreement is; one agency's key still opens everything

Source: Connolly, Schwabe and Westerbaan, draft-connolly-cfrg-xwing-kem; HPKE with it, draft-ietf-hpke-pq. One X25519
key for several ciphertexts, each with an ML-KEM half of its own, is ours.
"""

from __future__ import annotations

from escrow.codec import Public
from escrow.derivation import Checks, derivation, service
from escrow.grants import Choice
from escrow.primitives import xwing
from escrow.primitives.xwing import XWingPrivate
from escrow.scheme import Source
from escrow.schemes._envelope.parts import AgencyParts, AgencyShare, share_of
from escrow.schemes._envelope.several import AgencyDevice, AgencyField, SeveralAgencies, checks_of
from escrow.warrant import Official, Warrant


class HybridAgencyKey(XWingPrivate, frozen=True, dict=True):
    """The X-Wing key pair of agency number `number`, from 1, where `t` are needed; and its court's key (32 bytes)."""

    number: int
    t: int
    court: Public


@derivation("parts.t = key.t")
def open_hybrid_part(parts: AgencyParts, key: HybridAgencyKey) -> AgencyShare:
    """Return an agency's share. Raise Forged, saying which, if there is no part for it, or seal or share is wrong."""
    return AgencyShare(parts.name, key.number, share_of(parts, key.number, xwing.DEFAULT, key))


@service(open_hybrid_part, holder="key", given="parts = field.parts")
def hybrid_agency_checks(key: HybridAgencyKey, warrant: Warrant, field: AgencyField) -> Checks:
    """Yield what an agency promises to check before it gives its share."""
    return checks_of(key.court, warrant, field, lambda: open_hybrid_part(field.parts, key))


class HybridDevice(AgencyDevice):
    """A device whose client seals to X-Wing keys."""

    suite = xwing.DEFAULT


class HybridAgency(Official):
    """An agency with an X-Wing key."""

    key: HybridAgencyKey

    promise = hybrid_agency_checks

    def held(self, subject: AgencyField) -> HybridAgencyKey:
        """Return the agency's key."""
        return self.key


class HybridEnvelope(SeveralAgencies, frozen=True, kw_only=True):
    """`n` agencies with X-Wing keys, `t` of whom open a text; a secret `per` message or per epoch of `days`."""

    title = "Exceptional-access envelope, sealed with X-Wing"
    source = Source("Connolly, Schwabe and Westerbaan", "X-Wing: the hybrid KEM you've been looking for", 2024, "5")
    device = HybridDevice
    agency = HybridAgency
    key = HybridAgencyKey
    new_key = staticmethod(xwing.new_private)

    @property
    def _choices(self) -> tuple[Choice, ...]:
        words = "the field is sealed with X-Wing, while the texts' own key agreement and the answers stay classical"
        return (*super()._choices, Choice(words, favours=False))


FORM = HybridEnvelope

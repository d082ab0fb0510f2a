"""Envelopes for several agencies: a secret in n parts, each sealed to one agency, with one ephemeral key for all.

  set-up    agencies 1 … n have a key pair each; every client knows their keys, and t
  secret    K drawn, K_1 … K_n its shares of which t are needed (t=1: K itself), commitments H(j, K_j)
  parts     P = the agencies, t, b, e, the commitments, HPKE.Seal(pk_j, K_j; info = all of these), e one key for all
  send      P, and AES-GCM(H(K, c); k) beside each ciphertext, k its message key; c = labels, header and P
            per=message: b = H(labels, header)
            per=epoch:   b = H(sender, first day, length); one K and P for all texts that a device sends in an epoch
  access    authority --(warrant, field)--> agency j, which checks the warrant and that b is of the labels, and returns
            K_j; any t of them give K. t=1: the agency opens the wrap first, so that no labels but the sender's will do
  weak      any t agencies open every message ever sent; per=epoch: a warrant for a day opens the epoch of its sender,
            and a phone has the key of the texts that it sent in the epoch

Source: RFC 9180, base mode; one ephemeral key for several recipients of Diffie-Hellman is Kurosawa's, "Multi-recipient
public-key encryption with shortened ciphertext", PKC 2002; Shamir, 1979. Commitments, labels and epochs are ours.
"""

from __future__ import annotations

from escrow.codec import Public
from escrow.crypto import Private, new_private
from escrow.derivation import Checks, derivation, service
from escrow.primitives import hpke
from escrow.scheme import Source
from escrow.schemes._envelope.parts import AgencyParts, AgencyShare, share_of
from escrow.schemes._envelope.several import AgencyField, SeveralAgencies, checks_of
from escrow.warrant import Official, Warrant


class AgencyKey(Private, frozen=True, dict=True):
    """The X25519 key pair of agency number `number`, from 1, where `t` are needed; and its court's key (32 bytes)."""

    number: int
    t: int
    court: Public


@derivation("parts.t = key.t")
def open_agency_part(parts: AgencyParts, key: AgencyKey) -> AgencyShare:
    """Return an agency's share. Raise Forged, saying which, if there is no part for it, or seal or share is wrong."""
    return AgencyShare(parts.name, key.number, share_of(parts, key.number, hpke.DEFAULT, key))


@service(open_agency_part, holder="key", given="parts = field.parts")
def agency_checks(key: AgencyKey, warrant: Warrant, field: AgencyField) -> Checks:
    """Yield what an agency promises to check before it gives its share."""
    return checks_of(key.court, warrant, field, lambda: open_agency_part(field.parts, key))


class EnvelopeAgency(Official):
    """An agency."""

    key: AgencyKey

    promise = agency_checks

    def held(self, subject: AgencyField) -> AgencyKey:
        """Return the agency's key."""
        return self.key


class AgencyEnvelope(SeveralAgencies, frozen=True, kw_only=True):
    """`n` agencies, `t` of whom open a text; a secret `per` message or per epoch of `days`."""

    title = "Exceptional-access envelope to several agencies, or for epochs"
    source = Source("Barnes et al.", "RFC 9180, Hybrid Public Key Encryption", 2022, "5.1.1", "bytes")
    agency = EnvelopeAgency
    key = AgencyKey
    new_key = staticmethod(new_private)


FORM = AgencyEnvelope

"""A rogue sender frames another user, who does not know: it sends that user's IV and LEAF for the same session key.

  record   B writes to A: A's chip has B's IV, LEAF and the session key KS
  squeeze  A writes to C, forces the same KS (its software chooses), and sends B's IV ‖ LEAF
  accept   checksum, KS, IV and LEAF are all as B's chip made them, so C's chip accepts

The family key shows B's unit, and B's unit key opens what A sent; a processor that has that key attributes it to B. A
call carried no other name; a mail says who sent it, so here the processor complains, and does not read it. The same KS
and the same IV are needed. Where the checksum covers the session's transcript, or neither side can force KS, A's own
chip refuses, and A sends its own LEAF.
Source: Schneier, "Applied Cryptography", second edition, 1996, section 24.16; Frankel
and Yung, "Escrow Encryption Systems Visited", CRYPTO '95, for LEAFs of another device being accepted.
"""

from typing import Any

import msgspec

from attacks.lab.simulation.attack import MISSED, Cast
from attacks.lab.simulation.scenario import Scenario
from attacks.rogue_leaf import RogueSender
from escrow import codec
from escrow.codec import Fact, Public
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import AccessField, Scheme, Source
from escrow.schemes.clipper.field import ClipperField, agreed_key, make_field
from escrow.schemes.clipper.phone import ClipperDevice, ComputedKey


class RecordedLeaf(Fact, frozen=True):
    """Another user's IV ‖ LEAF and the session key (10 bytes) that it was made for."""

    user: str
    ks: bytes
    field: Public


class Squeeze(RogueSender):
    """Corrupt a target's device: it sends a LEAF recorded from another user."""

    name = "squeeze"
    title = "A rogue sender uses another's LEAF and frames them"
    source = Source("Schneier", "Applied Cryptography", 1996, "24.16", "checksum and mode")
    in_pages = True
    column = MISSED
    specimen = "unbound_leaf"

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device record the first LEAF from another user, and send it again under the same session key."""
        honest = type(of_kind(party, ClipperDevice))

        def admit(self: Any, mail: Mail, found: ComputedKey) -> None:
            honest.admit(self, mail, found)
            said = codec.decode(mail.field, ClipperField)
            if not self.recorded and said.people[0] != self.user:
                ks = agreed_key(said, found.key)
                self.recorded.append(RecordedLeaf(said.people[0], ks, said.iv + said.leaf))

        def field_for(self: Any, key: MessageKey, labels: AccessField, transcript: bytes, ks: bytes) -> ClipperField:
            for framed in self.recorded:
                ks = ks if self.derives else framed.ks
                trial = msgspec.structs.replace(self.unit)
                if framed.user not in labels.people and trial.load_iv(ks, framed.field, transcript):
                    return make_field(key, labels, transcript, ks, framed.field)
            return honest.field_for(self, key, labels, transcript, ks)

        return corrupted(party, {"recorded": list[RecordedLeaf]}, admit=admit, field_for=field_for)


ATTACK = Squeeze()

"""What a changed client adds to a text where a scheme has no access field: the message key, sealed to an intruder.

It is an access field of `envelope`, in a place that plain's packets have and leave empty. Nobody looks there. It stands
for any way in which a changed client can give its keys away; that there is one is all that is used of it.
"""

from __future__ import annotations

from msgspec.structs import replace

from escrow.crypto import sha256
from escrow.derivation import honest_only
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.primitives import hpke
from escrow.schemes.envelope import Envelope


@honest_only("what a changed client makes, which has the message key")
def leaked(key: MessageKey, context: FieldContext, to: bytes) -> Envelope:
    """Return a message key, sealed to the intruder's public key (32 bytes)."""
    blank = Envelope(key.chain, key.n, context.people, context.day, to, sha256(context.header), b"")
    return replace(blank, sealed=hpke.seal(to, key.value, blank.context()))

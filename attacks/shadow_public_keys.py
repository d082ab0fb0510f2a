"""Shadow public keys: two users hide their own keys in what the centre certifies, and write to those.

  plant    a fresh X25519 key, in the part of its certificate that a user may choose; else the rogue complies
  write    text sealed (HPKE) to the shadow key in the peer's certificate, then sent as any text, field and all
  read     the peer opens it; the trustees open the outer seal, and hold nothing that opens the inner one

The centre's directory thus serves the two as their own key directory. In a fixed group no part of a fair key can be
chosen outright: b chosen bits cost 2^b trial keys. A 2048-bit modulus has room for a whole key (`reproduce
shadow-keys`).
Source: Kilian and Leighton, "Fair Cryptosystems, Revisited", CRYPTO '95; the key planted here is of our construction.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec

from attacks.lab.simulation.attack import MISSED, Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.crypto import Private, new_private
from escrow.e2ee.content import Conversation
from escrow.errors import EscrowError, Forged
from escrow.primitives import hpke
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source
from escrow.schemes.fair_keys import scheme as fair_keys
from escrow.schemes.fair_keys.registration import Revealed, Submit
from escrow.wire import Wire

_SHADOW = b"shadow key"
ROOM = 32  # bytes of an X25519 public key


class ShadowKeys(Attack):
    """Corrupt two users' devices: they certify hidden keys and seal their texts to those."""

    name = "shadow-public-keys"
    title = "Users hide keys that no trustee holds in what is certified"
    source = Source(
        "Kilian and Leighton", "Fair Cryptosystems, Revisited", 1995, "shadow public keys", "the planted key"
    )
    in_pages = True
    column = MISSED
    specimen = "roomy_certificates"
    encrypts = True

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless users have keys certified."""
        return "" if issubclass(scheme.device, fair_keys.FairDevice) else "no user has a key certified"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt a device of a user under a warrant and one of another user, both of few devices if possible."""
        users = sorted(scenario.users, key=lambda user: (len(user.devices), user.name))
        target = next(user for user in users if user.name in scenario.targets)
        peer = next(user for user in users if user is not target)
        return [Turn(user.devices[0], 0) for user in (target, peer)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device submit a shadow key for certification, and seal its texts to its peer's."""
        honest = type(of_kind(party, fair_keys.FairDevice))

        def submit(self: Any, wire: Wire, packet: Submit) -> Revealed:
            try:
                return honest.submit(self, wire, msgspec.structs.replace(packet, remark=self.shadow[0].public))
            except EscrowError:
                return honest.submit(self, wire, packet)

        def send(self: Any, wire: Wire, peer: str, text: bytes) -> None:
            certificate = self.certificates.get(peer)
            if certificate is not None and len(certificate.remark) == ROOM:
                text = hpke.seal(certificate.remark, text, _SHADOW)
            honest.send(self, wire, peer, text)

        def read(self: Any, wire: Wire, author: str, conversation: Conversation, body: bytes) -> None:
            with suppress(Forged):  # the sender has no shadow key
                body = hpke.open_(self.shadow[0], body, _SHADOW)
            honest.read(self, wire, author, conversation, body)

        rogue: Any = corrupted(party, {"shadow": list[Private]}, submit=submit, send=send, read=read)
        rogue.shadow.append(new_private())
        return rogue  # type: ignore[no-any-return]  # what `corrupted` made of the device


ATTACK = ShadowKeys()

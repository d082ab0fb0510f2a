"""The authentication service: it attests a signature key to a user and a device, for whom clients then take it.

  tell    one of a user's devices tells it, signed, which keys the user has linked today; the first are known from the
          start. What was signed on another day, or replaced today, is refused: who repeats it brings no unlinked key
          back
  ask     a client asks whose a key is, once for each key, before it adds the key or follows who adds it

RFC 9420 leaves this to the application (section 5.3.1), and RFC 9750 (section 5.3) trusts the service to attest each
key to its true owner. A corrupted one attests any key to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from escrow import codec, crypto
from escrow.codec import Packet, Public
from escrow.crypto import SigningKey
from escrow.derivation import honest_only
from escrow.errors import Unreachable
from escrow.principal import Principal, shared
from escrow.wire import Wire

SERVICE = "credential-service"
_LINKED, _ATTESTED = b"escrow-lab linked keys", b"escrow-lab attestation"


class ServiceKey(SigningKey, frozen=True, dict=True):
    """The Ed25519 key pair of the authentication service."""


class LinkedKeys(Packet, frozen=True):
    """The keys (32 bytes each) that a user has linked on a day.

    The key `by`, which is one of those known before, has signed them.
    """

    user: str
    keys: tuple[Public, ...]
    day: int
    by: Public
    signature: Public


class AttestationOf(Packet, frozen=True):
    """Ask for the attestation of a key (32 bytes) to a user."""

    user: str
    key: Public


class Attestation(Packet, frozen=True):
    """The service's signature (64 bytes) over a user's name and a key of the user."""

    user: str
    key: Public
    signature: Public

    def holds(self, service: bytes) -> bool:
        """Return whether the service's key (32 bytes) signed it."""
        return crypto.verify(service, self.signature, _ATTESTED + codec.encode((self.user, self.key)))


@honest_only("a device's half: whoever has its key can sign as it")
def linked_keys(key: SigningKey, user: str, keys: tuple[bytes, ...], day: int) -> LinkedKeys:
    """Return what a device tells the service of the keys that its user has linked today."""
    return LinkedKeys(user, keys, day, key.public, key.sign(_LINKED + codec.encode((user, keys, day))))


class AttestationService(Principal):
    """Base of the authentication service; a subclass has its fields.

    `linked` are the keys of each user, and `told` what was told of them today.
    """

    TOLD: ClassVar[int] = 100  # of each user's keys, on a day

    if TYPE_CHECKING:  # a party has one base with fields, so that the subclass adds these
        key: ServiceKey
        linked: dict[str, list[Public]] = {}
        told: list[LinkedKeys] = []

    @shared("the keys are signed by one that is known", anybody=True)
    def on_linked_keys(self, sender: str, packet: LinkedKeys, wire: Wire) -> None:
        """Keep the keys that a user has linked from now on. Refuse those that no known key of the user signed today."""
        known, said = packet.by in self.linked.get(packet.user, []), (packet.user, packet.keys, packet.day)
        signed = crypto.verify(packet.by, packet.signature, _LINKED + codec.encode(said))
        self.insist(known and signed, "a linked device of the user signed the keys")
        self.insist(packet.day == wire.day, "the keys are those of today")
        self.told = [each for each in self.told if each.day == wire.day]
        if packet in self.told:
            self.insist(
                list(packet.keys) == self.linked[packet.user], "keys that were replaced today are not told again"
            )
            return
        few = sum(each.user == packet.user for each in self.told) < self.TOLD
        self.insist(few, f"{packet.user} links keys too often: it must wait a day")
        self.told.append(packet)
        self.linked[packet.user] = list(packet.keys)

    @shared("any client may ask whose a key is", anybody=True)
    def on_attestation_of(self, sender: str, packet: AttestationOf, wire: Wire) -> Attestation:
        """Return the attestation of a key. Raise Unreachable if it is no key of that user."""
        if not self.attests(packet.user, packet.key):
            raise Unreachable(f"that is no key of {packet.user}")
        signature = self.key.sign(_ATTESTED + codec.encode((packet.user, packet.key)))
        return Attestation(packet.user, packet.key, signature)

    def attests(self, user: str, key: bytes) -> bool:
        """Return whether a key is one of a user's."""
        return key in self.linked.get(user, [])

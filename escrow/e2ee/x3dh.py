"""Extended Triple Diffie-Hellman (Marlinspike and Perrin, "The X3DH Key Agreement Protocol", revision 1, 2016).

  DH1 = DH(IK_A, SPK_B)   DH2 = DH(EK_A, IK_B)   DH3 = DH(EK_A, SPK_B)   DH4 = DH(EK_A, OPK_B), if there was one
  SK  = HKDF(salt 0^32, 0xFF^32 ‖ DH1 ‖ DH2 ‖ DH3 [‖ DH4])                                        (sections 2.2, 3.3)
  AD  = Encode(IK_A) ‖ Encode(IK_B), initiator first, Encode(u) = 0x05 ‖ u                         (section 3.3)
  weak  without OPK_B, a later thief of IK_B and SPK_B computes SK: the provider decides how much is forward secret

Identity keys are Ed25519, converted to X25519 for the Diffie-Hellmans. Signal goes the other way (XEdDSA signatures by
an X25519 key), which the library underneath does not offer. The initial message names the responder's keys by value,
IK_B included (32 bytes more than section 3.3 asks for), so that which session it begins is public and exact.
"""

from __future__ import annotations

from escrow.codec import Fact, Packet, Public
from escrow.crypto import Private, SigningKey, hkdf, montgomery, new_private, verify
from escrow.derivation import derivation, honest_only
from escrow.e2ee.ratchet import Pair, Root, Shared, exchange_as_a, exchange_as_b
from escrow.errors import Forged

_INFO = b"EscrowLab_X3DH_CURVE25519_SHA-256"


class IdentityKey(SigningKey, frozen=True, dict=True):
    """A device's long-term Ed25519 key pair."""


class FirstPair(Pair, frozen=True, dict=True):
    """A pair of X3DH.

    Its own type keeps it apart from the ratchet's pairs, so no ratchet step is tried as an agreement.
    """

    def shared(self, value: bytes) -> FirstShared:
        """Return the fact that holds this pair's 32 shared bytes."""
        return FirstShared(self.a, self.b, value)


class FirstShared(Shared, frozen=True, gc=False):
    """One of DH1 to DH4."""


class Bundle(Packet, frozen=True):
    """The keys that the directory hands out for a device (section 3.2).

    Ed25519 identity key (32 bytes), X25519 signed prekey (32), its signature (64), and an X25519 one-time prekey (32,
    or empty where none was left).
    """

    identity: Public
    prekey: Public
    signature: Public
    one_time: Public = b""


class Initial(Fact, frozen=True):
    """The keys that precede the messages of a session until it is answered (section 3.3).

    X25519 public keys of 32 bytes.
    """

    ik_a: Public
    ek_a: Public
    ik_b: Public
    spk_b: Public
    opk_b: Public = b""

    @property
    def associated(self) -> bytes:
        """The associated data AD, 66 bytes."""
        return encode_key(self.ik_a) + encode_key(self.ik_b)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs of DH1 to DH3, and of DH4 if there was a one-time prekey."""
        ends = [(self.ik_a, self.spk_b), (self.ek_a, self.ik_b), (self.ek_a, self.spk_b), (self.ek_a, self.opk_b)]
        return tuple(FirstPair(a, b) for a, b in ends if b)

    def agreed(self, *shared: Shared) -> Root | Classical:
        """Return SK, the ratchet's first root key, from DH1 to DH3 or DH4. The signed prekey waits for an answer."""
        return _root(self, *shared)


class Classical(Fact, frozen=True):
    """DH1 ‖ DH2 ‖ DH3 [‖ DH4], 96 or 128 bytes, of a session under PQXDH: not a key until a KEM's secret joins them."""

    session: Public
    value: bytes


class PqInitial(Initial, frozen=True):
    """The keys that precede the messages of a session under PQXDH.

    Beside the keys of X3DH: the responder's ML-KEM-768 prekey (1184 bytes, by value like the others) and the ciphertext
    to it (1088 bytes). Neither is ever empty.

    The type stands here, and the functions over it in escrow.e2ee.pqxdh, so that a relay carries both forms while the
    adversary of a scheme without a KEM has none of a KEM's rules.
    """

    pqpk_b: Public = b""
    ciphertext: Public = b""

    @property
    def associated(self) -> bytes:
        """The associated data AD, 1251 bytes: that of X3DH ‖ EncodeKEM(PQPK_B)."""
        return super().associated + encode_kem(self.pqpk_b)

    def agreed(self, *shared: Shared) -> Classical:
        """Return DH1 ‖ DH2 ‖ DH3 [‖ DH4], which become a key only together with the KEM's secret."""
        return Classical(self.ek_a, b"".join(each.value for each in shared))


def encode_key(public: bytes) -> bytes:
    """Return Encode of section 2.1: type byte 0x05 ‖ u-coordinate, 33 bytes."""
    return b"\x05" + public


def encode_kem(public: bytes) -> bytes:
    """Return EncodeKEM of PQXDH, section 2.1: type byte 0x09 ‖ ML-KEM-768 public key, 1185 bytes.

    No EncodeEC begins with that byte, so a key of one kind never passes for one of the other. libsignal's own numbers
    are 0x07 and 0x08 for Kyber-768 and -1024 and 0x0A for ML-KEM-1024; this one is ours.
    """
    return b"\x09" + public


def sign_prekey(identity: SigningKey, prekey: bytes) -> bytes:
    """Return the identity key's signature (64 bytes) over Encode(SPK)."""
    return identity.sign(encode_key(prekey))


def prekey_is_signed(bundle: Bundle) -> bool:
    """Return whether the bundle's identity key signed its prekey."""
    return verify(bundle.identity, bundle.signature, encode_key(bundle.prekey))


def ephemeral_is_canonical(initial: Initial) -> bool:
    """Return whether the ephemeral key's highest bit is 0: X25519 ignores that bit (RFC 7748, section 5).

    With that bit set an initial message would begin a second session from the same secrets, and show its text again.
    """
    return initial.ek_a[-1:] < b"\x80"


# --- what every holder of the arguments can compute ---


@derivation()
def agreement(key: SigningKey) -> Private:
    """Return the X25519 form of an Ed25519 key pair."""
    return key.agreement


@derivation(
    "dh1.a = initial.ik_a, dh1.b = initial.spk_b, dh2.a = initial.ek_a, dh2.b = initial.ik_b,"
    "dh3.a = initial.ek_a, dh3.b = initial.spk_b, dh4.a = initial.ek_a, dh4.b = initial.opk_b"
)
def agree(initial: Initial, dh1: FirstShared, dh2: FirstShared, dh3: FirstShared, dh4: FirstShared) -> Root | Classical:
    """Return SK of a session begun with a one-time prekey; under PQXDH, the secrets that go into SK."""
    return initial.agreed(dh1, dh2, dh3, dh4)


@derivation(
    "dh1.a = initial.ik_a, dh1.b = initial.spk_b, dh2.a = initial.ek_a, dh2.b = initial.ik_b,"
    "dh3.a = initial.ek_a, dh3.b = initial.spk_b"
)
def agree_without_one_time(initial: Initial, dh1: FirstShared, dh2: FirstShared, dh3: FirstShared) -> Root | Classical:
    """Return SK of a session begun without a one-time prekey. Raise Forged if the initial message names one."""
    if initial.opk_b:
        raise Forged("this session was begun with a one-time prekey")
    return initial.agreed(dh1, dh2, dh3)


def _root(initial: Initial, *shared: Shared) -> Root:
    secret = b"\xff" * 32 + b"".join(each.value for each in shared)
    return Root(initial.ek_a, initial.spk_b, hkdf(bytes(32), secret, _INFO, 32))


# --- the two sides ---


@honest_only("the initiator's use of agree; the ephemeral key is dropped here")
def initiate(identity: SigningKey, bundle: Bundle) -> tuple[Initial, Root]:
    """Run the initiator's side (section 3.3). The caller has already checked `prekey_is_signed`."""
    ephemeral = new_private()
    own = identity.agreement
    initial = Initial(own.public, ephemeral.public, montgomery(bundle.identity), bundle.prekey, bundle.one_time)
    return initial, _root(initial, *shared_by_initiator(initial, own, ephemeral))


@honest_only("the responder's use of agree")
def accept(initial: Initial, identity: SigningKey, prekey: Private, one_time: Private | None) -> Root:
    """Run the responder's side (section 3.4). Raise Forged if the initial message names keys other than these."""
    return _root(initial, *shared_by_responder(initial, identity, prekey, one_time))


@honest_only("the initiator's use of exchange_as_a")
def shared_by_initiator(initial: Initial, own: Private, ephemeral: Private) -> tuple[Shared, ...]:
    """Return DH1 to DH3 or DH4 from the X25519 form of the identity key.

    Raise Forged if a public key has small order.
    """
    return tuple(map(exchange_as_a, (own, ephemeral, ephemeral, ephemeral), initial.pairs))


@honest_only("the responder's use of exchange_as_b")
def shared_by_responder(
    initial: Initial, identity: SigningKey, prekey: Private, one_time: Private | None
) -> tuple[Shared, ...]:
    """Return DH1 to DH3 or DH4. Raise Forged if the message names keys other than these, or one of small order."""
    keys = (prekey, identity.agreement, prekey) + ((one_time,) if one_time else ())
    if tuple(pair.b for pair in initial.pairs) != tuple(key.public for key in keys):
        raise Forged("an initial message names keys that are not here")
    return tuple(map(exchange_as_b, keys, initial.pairs))

"""PQXDH: X3DH with a KEM beside it (Kret and Schmidt, "The PQXDH Key Agreement Protocol", 2023).

  (CT, SS) = ML-KEM-768.Encapsulate(PQPK_B)         PQPK_B one-time if one was left, or else the last-resort prekey
  SK  = HKDF(salt 0^32, 0xFF^32 ‖ DH1 ‖ DH2 ‖ DH3 [‖ DH4] ‖ SS)                                    (sections 2.2, 3.3)
  AD  = EncodeEC(IK_A) ‖ EncodeEC(IK_B) ‖ EncodeKEM(PQPK_B)                                        (sections 3.3, 4.12)
  signed   EncodeEC(SPK_B) and EncodeKEM of every KEM prekey, one-time ones too, by IK_B                (section 3.2)
  weak     signatures and DH1 are classical: an attacker that breaks them in time impersonates either side
           the ratchet that follows mixes in X25519 only: a stolen session does not heal against such an adversary

The KEM's key may be left out of AD where the KEM hashes it into its secret, as ML-KEM does and libsignal relies on;
here it is always in. The initial message names it by value, like the other keys: 1152 bytes more than by its hash.
"""

from __future__ import annotations

from escrow.codec import Fact, Packet, Public
from escrow.crypto import Private, SigningKey, hkdf, montgomery, new_private, verify
from escrow.derivation import derivation, honest_only
from escrow.e2ee import x3dh
from escrow.e2ee.ratchet import Root
from escrow.e2ee.x3dh import Bundle, Classical, PqInitial, encode_kem
from escrow.errors import Forged
from escrow.primitives import kem
from escrow.primitives.kem import KemPrivate

_INFO = b"EscrowLab_CURVE25519_SHA-256_ML-KEM-768"


class SignedKem(Packet, frozen=True):
    """An ML-KEM-768 public key (1184 bytes) and the identity key's signature (64) over its encoding."""

    public: Public
    signature: Public


class PqBundle(Bundle, frozen=True):
    """The keys that the directory hands out for a device: X3DH's bundle and one KEM prekey, one-time while any is left.

    A bundle always carries a KEM prekey. The default value is unsigned, so no honest initiator accepts it.
    """

    kem: SignedKem = SignedKem(b"", b"")


class KemShared(Fact, frozen=True):
    """The shared secret SS (32 bytes) of one ciphertext (1088 bytes) to one KEM public key (1184 bytes)."""

    key: Public
    ciphertext: Public
    value: bytes


def sign_kem(identity: SigningKey, public: bytes) -> SignedKem:
    """Return a KEM prekey (1184 bytes) with the identity key's signature (64 bytes)."""
    return SignedKem(public, identity.sign(encode_kem(public)))


def kem_is_signed(bundle: PqBundle) -> bool:
    """Return whether the bundle's identity key signed its KEM prekey."""
    return verify(bundle.identity, bundle.kem.signature, encode_kem(bundle.kem.public))


# --- what every holder of the arguments can compute ---


@derivation("initial.pqpk_b = key.public")
def decapsulate(initial: PqInitial, key: KemPrivate) -> KemShared:
    """Return the shared secret SS (32 bytes).

    Raise Forged if the ciphertext is not 1088 bytes. A ciphertext that was changed gives another SS and no error.
    """
    return KemShared(key.public, initial.ciphertext, key.decapsulate(initial.ciphertext))


@derivation("classical.session = initial.ek_a, secret.key = initial.pqpk_b, secret.ciphertext = initial.ciphertext")
def mix(initial: PqInitial, classical: Classical, secret: KemShared) -> Root:
    """Return SK as the ratchet's first root key; the responder's signed prekey is the key to answer (section 3.3)."""
    return Root(initial.ek_a, initial.spk_b, derive(classical.value + secret.value))


def derive(secrets: bytes) -> bytes:
    """Return the 32 bytes that the KDF of section 2.2 derives from the concatenated `secrets`."""
    return hkdf(bytes(32), b"\xff" * 32 + secrets, _INFO, 32)


# --- the two sides ---


@honest_only("the initiator's half; ephemeral key and KEM secret are dropped by the caller, who mixes them")
def begin(identity: SigningKey, bundle: PqBundle) -> tuple[PqInitial, Classical, KemShared]:
    """Run the initiator's side (section 3.3) up to `mix`.

    Args:
        identity: the initiator's identity key.
        bundle: the responder's keys; the caller has already checked every signature in it.

    Returns:
        The initial message, DH1 to DH3 or DH4 concatenated, and the KEM's shared secret.

    Raises:
        Forged: a public key has small order, or the KEM's public key is invalid.
    """
    ephemeral, own = new_private(), identity.agreement
    ciphertext, secret = kem.encapsulate(bundle.kem.public)
    initial = PqInitial(
        own.public,
        ephemeral.public,
        montgomery(bundle.identity),
        bundle.prekey,
        bundle.one_time,
        bundle.kem.public,
        ciphertext,
    )
    classical = initial.agreed(*x3dh.shared_by_initiator(initial, own, ephemeral))
    return initial, classical, KemShared(bundle.kem.public, ciphertext, secret)


@honest_only("the responder's use of agree and decapsulate, but for mix")
def answer(
    initial: PqInitial, identity: SigningKey, prekey: Private, one_time: Private | None, key: KemPrivate
) -> tuple[Classical, KemShared]:
    """Run the responder's side (section 3.4) up to `mix`. Raise Forged if the message names keys other than these."""
    if key.public != initial.pqpk_b:
        raise Forged("an initial message names a KEM prekey that this device does not have")
    classical = initial.agreed(*x3dh.shared_by_responder(initial, identity, prekey, one_time))
    return classical, decapsulate(initial, key)

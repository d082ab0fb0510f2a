"""ML-KEM-768 (FIPS 203, 2024): anyone encapsulates a secret to a public key, its holder opens.

  key           seed d ‖ z of 64 bytes -> public key of 1184 bytes                                    (section 7.1)
  encapsulate   public key, m of 32 bytes -> ciphertext of 1088 bytes, secret of 32                   (section 7.2)
  decapsulate   ciphertext -> the same secret; a ciphertext that was changed gives another secret, no error   (7.3)

The secret is hashed from the public key too, so one ciphertext does not serve for two keys. Keys and m are drawn from
`escrow.crypto`, so the run's seed repeats them. Keys and decapsulation are of `cryptography`, whose `encapsulate` takes
no m; that of pycryptodome does, by a method that it does not promise to keep (tests hold it to published vectors).
"""

from __future__ import annotations

from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from escrow import crypto
from escrow.codec import Fact, Public
from escrow.errors import Forged

PUBLIC, CIPHERTEXT, MESSAGE, SECRET, SEED = 1184, 1088, 32, 32, 64


class KemPrivate(Fact, frozen=True, dict=True):
    """An ML-KEM-768 key pair: public key (1184 bytes) and seed d ‖ z (64 bytes)."""

    public: Public
    raw: bytes

    @cached_property
    def live(self) -> MLKEM768PrivateKey:
        """The key in the form that the library computes with, made on first use."""
        return crypto.recalled(("ml-kem-live", self.raw), MLKEM768PrivateKey.from_seed_bytes, self.raw)

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the secret (32 bytes). Raise Forged if the ciphertext is not 1088 bytes, or this key's seed not 64."""
        try:
            secret = self.live.decapsulate(ciphertext)
        except ValueError:
            crypto.observe("ml-kem-decapsulate", (self.raw, ciphertext), ())
            raise Forged("an ML-KEM-768 ciphertext is not 1088 bytes, or a seed not 64") from None
        crypto.observe("ml-kem-decapsulate", (self.raw, ciphertext), (secret,))
        return secret


def new_kem_private() -> KemPrivate:
    """Return a fresh ML-KEM-768 key pair."""
    return private_of(crypto.random_bytes(SEED))


def private_of(raw: bytes) -> KemPrivate:
    """Return the ML-KEM-768 key pair of a seed d ‖ z (64 bytes)."""
    live = crypto.recalled(("ml-kem-live", raw), MLKEM768PrivateKey.from_seed_bytes, raw)
    private = KemPrivate(live.public_key().public_bytes_raw(), raw)
    private.__dict__["live"] = live
    crypto.observe("ml-kem-key", (raw,), (private.public,))
    return private


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """Return a fresh (ciphertext of 1088 bytes, secret of 32). Raise Forged unless `public` is 1184 canonical bytes."""
    try:
        MLKEM768PublicKey.from_public_bytes(public)
    except ValueError:
        crypto.observe("ml-kem-encapsulate", (public,), ())
        raise Forged("an ML-KEM-768 public key is not 1184 canonical bytes") from None
    return encapsulated(public, crypto.random_bytes(MESSAGE))


def encapsulated(public: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Return the ciphertext and secret that m (32 bytes) gives for a canonical public key (section 6.2)."""
    from Crypto.PublicKey import MLKEM  # takes 60 ms and 2 MB, which schemes without ML-KEM are spared

    secret, ciphertext = MLKEM.construct(param_set=MLKEM.ML_KEM_768, ek=public)._encaps(message)
    crypto.observe("ml-kem-encapsulate", (public, message), (ciphertext, secret))
    return ciphertext, secret

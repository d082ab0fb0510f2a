"""DoubleRatchet and X3DH (Syndace, PyPI) with this library's parameters, and both ratchets behind one face.

Theirs are the protocols, the KDFs and the ratchet's X25519; the agreement's curves are libxeddsa's, AES-GCM is
pycryptodome's, and the wire form is written and read here. Of `escrow` only the door serves their side: with new keys.
"""

from __future__ import annotations

import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar
from unittest import mock

import doubleratchet
import x3dh as their_x3dh
import xeddsa
from Crypto.Cipher import AES
from doubleratchet.recommended import HashFunction, diffie_hellman_ratchet_curve25519, kdf_hkdf, kdf_separate_hmacs
from x3dh.types import SecretType

from escrow import crypto
from escrow.e2ee import ratchet
from escrow.errors import Forged, Malformed, Refused

T = TypeVar("T")
TAG = 16


def now(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine that waits for nothing returns."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # typed by the coroutine
    raise RuntimeError("a coroutine waited")


class Keys(crypto.Run):
    """A run whose next new key is `following`, whoever draws it."""

    def __init__(self) -> None:
        super().__init__(b"")
        self.following = bytes(32)

    def draw(self, n: int) -> bytes:
        assert n == len(self.following)
        return self.following


# --- the wire form, read and written without escrow.codec ---


class MisreadError(Exception):
    """Bytes that are not a message."""


def leb128(value: int) -> bytes:
    low = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([digit | 0x80 for digit in low[:-1]] + low[-1:])


def parse(packet: bytes) -> tuple[bytes, int, int, bytes]:
    """(dh, pn, n, ciphertext) of a message. MisreadError where it is none."""
    numbers, rest = [], packet[32:]
    for _ in range(2):
        length = next((at for at, byte in enumerate(rest, 1) if byte < 0x80), 0)
        number = sum((byte & 0x7F) << 7 * at for at, byte in enumerate(rest[:length]))
        if leb128(number) != rest[:length] or number >= 2**32:
            raise MisreadError
        numbers.append(number)
        rest = rest[length:]
    if len(rest) < TAG:
        raise MisreadError
    return packet[:32], *numbers, rest  # type: ignore[return-value]  # two numbers


# --- the Double Ratchet ---


class RootKDF(kdf_hkdf.KDF):
    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256

    @staticmethod
    def _get_info() -> bytes:
        return b"WhisperRatchet"


class ChainKDF(kdf_separate_hmacs.KDF):
    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256


CHAIN_CONSTANT = b"\x02\x01"  # HMAC(CK, 0x02) is the next chain key, HMAC(CK, 0x01) the message key


class Curve(diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet):
    @staticmethod
    def _generate_priv() -> bytes:
        return crypto.random_bytes(32)


class Gcm(doubleratchet.AEAD):
    @staticmethod
    async def encrypt(plaintext: bytes, key: bytes, associated_data: bytes) -> bytes:
        cipher = AES.new(key, AES.MODE_GCM, nonce=bytes(12)).update(associated_data)
        return b"".join(cipher.encrypt_and_digest(plaintext))

    @staticmethod
    async def decrypt(ciphertext: bytes, key: bytes, associated_data: bytes) -> bytes:
        cipher = AES.new(key, AES.MODE_GCM, nonce=bytes(12)).update(associated_data)
        try:
            return cipher.decrypt_and_verify(ciphertext[:-TAG], ciphertext[-TAG:])
        except ValueError:
            raise doubleratchet.AuthenticationFailedException from None


class Ratchet(doubleratchet.DoubleRatchet):
    @staticmethod
    def _build_associated_data(associated_data: bytes, header: doubleratchet.Header) -> bytes:
        numbers = leb128(header.previous_sending_chain_length) + leb128(header.sending_chain_length)
        return associated_data + header.ratchet_pub + numbers


class Limits(NamedTuple):
    """The most keys that a message may skip, and that a session keeps."""

    skip: int = ratchet.MAX_SKIP
    kept: int = ratchet.MAX_KEPT


class Agreed(NamedTuple):
    """What a session begins with: SK, AD, and the responder's signed prekey."""

    secret: bytes
    associated: bytes
    prekey: crypto.Private


State = tuple[object, ...]
FORGED, LIMIT, MALFORMED = "forged", "limit", "malformed"  # why a packet is refused
Answer = bytes | str  # the text, or why there is none


class Ours:
    """One side of a session in this library."""

    def __init__(self, agreed: Agreed, initiator: bool, limits: Limits) -> None:
        root = ratchet.Root(bytes(32), agreed.prekey.public, agreed.secret)
        begun = ratchet.begin(root, agreed.associated) if initiator else None
        self.session = begun or ratchet.respond(root, agreed.associated, agreed.prekey)
        self.limits = limits

    def encrypt(self, text: bytes) -> bytes:
        return ratchet.pack(ratchet.encrypt(self.session, text)[0])

    def answer(self, packet: bytes) -> Answer:
        try:
            message = ratchet.unpack(packet, self.session.associated)
            return ratchet.decrypt(self.session, message, self.limits.skip).body
        except Malformed:
            return MALFORMED
        except Refused:
            return LIMIT
        except Forged:
            return FORGED

    def state(self) -> State | None:
        """Everything secret; nothing before the responder has opened a message."""
        session = self.session
        if session.sending is None:
            return None
        chains = [chain and (chain.n, chain.value) for chain in (session.sending, session.receiving)]
        kept = [(key.chain, key.n, key.value) for key in session.skipped]
        return session.own.raw, session.peer, session.root.value, *chains, session.previous, kept


class Theirs:
    """One side of a session in DoubleRatchet. There is no session before its first message was sent or opened."""

    def __init__(self, agreed: Agreed, initiator: bool, limits: Limits) -> None:
        self.agreed, self.initiator, self.limits = agreed, initiator, limits
        self.session: Ratchet | None = None

    def _parameters(self) -> dict[str, Any]:
        return {
            "diffie_hellman_ratchet_class": Curve,
            "root_chain_kdf": RootKDF,
            "message_chain_kdf": ChainKDF,
            "message_chain_constant": CHAIN_CONSTANT,
            "dos_protection_threshold": self.limits.skip,
            "max_num_skipped_message_keys": self.limits.kept,
            "aead": Gcm,
            "shared_secret": self.agreed.secret,
            "associated_data": self.agreed.associated,
        }

    def encrypt(self, text: bytes) -> bytes:
        if self.session is None:
            peer = self.agreed.prekey.public
            begun = Ratchet.encrypt_initial_message(message=text, recipient_ratchet_pub=peer, **self._parameters())
            self.session, message = now(begun)
        else:
            message = now(self.session.encrypt_message(text, self.agreed.associated))
        header = message.header
        numbers = leb128(header.previous_sending_chain_length) + leb128(header.sending_chain_length)
        return header.ratchet_pub + numbers + message.ciphertext

    def decrypt(self, packet: bytes) -> bytes:
        dh, pn, n, ciphertext = parse(packet)
        message = doubleratchet.EncryptedMessage(doubleratchet.Header(dh, pn, n), ciphertext)
        if self.session is not None:
            return now(self.session.decrypt_message(message, self.agreed.associated))
        own = self.agreed.prekey.raw
        begun = Ratchet.decrypt_initial_message(message=message, own_ratchet_priv=own, **self._parameters())
        self.session, text = now(begun)
        return text

    def answer(self, packet: bytes) -> Answer:
        """Where they assert a receiving chain that is not there, the answer is what they would have found next."""
        try:
            return self.decrypt(packet)
        except MisreadError:
            return MALFORMED
        except (doubleratchet.DoSProtectionException, UserWarning):
            return LIMIT
        except (doubleratchet.AuthenticationFailedException, doubleratchet.DuplicateMessageException):
            return FORGED
        except ValueError:  # X25519 would be zero
            return FORGED
        except AssertionError:  # before the first answer, a header names the prekey, which is the initiator's peer
            return LIMIT if parse(packet)[2] > self.limits.skip else FORGED

    def state(self) -> State | None:
        """As `Ours.state`, read from their model."""
        if self.session is None:
            return None
        model = self.session.model
        curve = model.diffie_hellman_ratchet
        chains = curve.symmetric_key_ratchet
        both = [chain and (chain.length, chain.key) for chain in (chains.sending_chain, chains.receiving_chain)]
        kept = [(key.ratchet_pub, key.index, key.message_key) for key in model.skipped_message_keys]
        previous = chains.previous_sending_chain_length or 0
        return curve.own_ratchet_priv, curve.other_ratchet_pub, curve.root_chain.key, *both, previous, kept


# --- X3DH ---


class TheirState(their_x3dh.State):
    """A device of X3DH: Ed25519 identity keys, Encode = 0x05 ‖ u."""

    @staticmethod
    def _encode_public_key(key_format: their_x3dh.IdentityKeyFormat, pub: bytes) -> bytes:
        edwards = key_format is their_x3dh.IdentityKeyFormat.ED_25519
        return b"\x05" + (xeddsa.ed25519_pub_to_curve25519_pub(pub) if edwards else pub)

    def _publish_bundle(self, bundle: their_x3dh.Bundle) -> None:
        """Nobody waits for it."""


_PARAMETERS: dict[str, Any] = {
    "identity_key_format": their_x3dh.IdentityKeyFormat.ED_25519,
    "hash_function": their_x3dh.HashFunction.SHA_256,
    "info": b"EscrowLab_X3DH_CURVE25519_SHA-256",
    "pre_key_refill_threshold": 1,
    "pre_key_refill_target": 1,
}


def their_state(seed: bytes, prekey: bytes, signature: bytes, one_time: bytes = b"") -> TheirState:
    """Their device with these secrets: Ed25519 seed, X25519 prekeys (32 bytes each), signature of the prekey (64)."""
    identity = their_x3dh.IdentityKeyPairModel(secret=seed, secret_type=SecretType.SEED)
    signed = their_x3dh.SignedPreKeyPairModel(priv=prekey, sig=signature, timestamp=int(time.time()))
    model = their_x3dh.BaseStateModel(
        identity_key=identity,
        signed_pre_key=signed,
        old_signed_pre_key=None,
        pre_keys=frozenset([one_time] if one_time else []),
    )
    return TheirState.from_model(model, **_PARAMETERS)


def their_signature(seed: bytes, prekey: bytes) -> bytes:
    """Over Encode(prekey), by libxeddsa, with a nonce from the door."""
    return xeddsa.ed25519_priv_sign(xeddsa.seed_to_priv(seed), b"\x05" + prekey, crypto.random_bytes(64))


@contextmanager
def drawing_from_the_door() -> Iterator[None]:
    """Inside, X3DH's new keys come from the door."""
    door = SimpleNamespace(token_bytes=crypto.random_bytes, choice=min)
    with mock.patch("x3dh.base_state.secrets", door):
        yield

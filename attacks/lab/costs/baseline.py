"""The baseline: the bare library calls that messaging cannot avoid, in the order in which two devices make them.

  one-way      HMAC twice and AES-GCM, at each end
  ping-pong    the same, and at the receiver HKDF(DH) twice with a new key pair in between
  set-up       a signature checked, X3DH with a one-time prekey at both ends, then one message as in ping-pong
  fan-out      HMAC twice and AES-GCM, at the sender, under one chain key after another
  sender-keys  the same under the keys of one chain, and a signature

Both ends are here but in the last two jobs, so ciphertexts are opened; but there are no facts, no headers, no encoding
and no wire, and numbers are not even counted. This module alone calls the libraries past the door: what the door costs
is measured against it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SHA256 = hashes.SHA256()
_NONCE, _ASSOCIATED, _INFO = bytes(12), bytes(100), b"WhisperRatchet"  # 100: AD of 66 bytes, header of 34


def one_way(times: int, text: bytes) -> Callable[[], None]:
    """Prepare so many messages from one device to another, which does not answer: a job that is run once."""

    def run() -> None:
        sending = receiving = bytes(32)
        for _ in range(times):
            first = HMAC(sending, _SHA256)
            second = first.copy()
            first.update(b"\x01")
            second.update(b"\x02")
            sealed = AESGCM(first.finalize()).encrypt(_NONCE, text, _ASSOCIATED)
            sending = second.finalize()
            first = HMAC(receiving, _SHA256)
            second = first.copy()
            first.update(b"\x01")
            second.update(b"\x02")
            AESGCM(first.finalize()).decrypt(_NONCE, sealed, _ASSOCIATED)
            receiving = second.finalize()

    return run


def ping_pong(times: int, text: bytes) -> Callable[[], None]:
    """Prepare so many messages that answer each other, each with a ratchet step: a job that is run once."""
    (first, begun), (second, public) = _new_key(), _new_key()
    agreed = HKDF(_SHA256, 64, bytes(32), _INFO).derive(first.exchange(X25519PublicKey.from_public_bytes(public)))

    def run() -> None:
        sender, newest, receiver = first, begun, second
        root, chain = bytes(32), agreed[32:]
        for _ in range(times):
            sealed = AESGCM(_step(chain)).encrypt(_NONCE, text, _ASSOCIATED)
            peer = X25519PublicKey.from_public_bytes(newest)
            grown = HKDF(_SHA256, 64, root, _INFO).derive(receiver.exchange(peer))
            AESGCM(_step(grown[32:])).decrypt(_NONCE, sealed, _ASSOCIATED)
            answering, newest = _new_key()
            root = grown[:32]
            chain = HKDF(_SHA256, 64, root, _INFO).derive(answering.exchange(peer))[32:]
            sender, receiver = answering, sender

    return run


def _step(chain: bytes) -> bytes:
    """Return the message key. The next chain key, which an answer makes useless, is computed as well."""
    first = HMAC(chain, _SHA256)
    second = first.copy()
    first.update(b"\x01")
    second.update(b"\x02")
    second.finalize()
    return first.finalize()


def _new_key() -> tuple[X25519PrivateKey, bytes]:
    made = X25519PrivateKey.from_private_bytes(os.urandom(32))
    return made, made.public_key().public_bytes_raw()


class _Keys(NamedTuple):
    """What exists before a set-up: identity of the initiator; identity, signed and one-time prekey of the responder."""

    ik_a: X25519PrivateKey
    responder: tuple[X25519PrivateKey, X25519PrivateKey, X25519PrivateKey]
    published: tuple[bytes, bytes, bytes]
    signer: bytes
    signature: bytes


def set_up(times: int, text: bytes) -> Callable[[], None]:
    """Prepare so many sessions, each begun and its first message read: a job that is run once."""
    ready = [_keys() for _ in range(times)]

    def run() -> None:
        for keys in ready:
            _begin(keys, text)

    return run


def _keys() -> _Keys:
    signer = Ed25519PrivateKey.generate()
    ik, spk, opk = (_new_key() for _ in range(3))
    signature = signer.sign(spk[1])
    return _Keys(
        _new_key()[0],
        (ik[0], spk[0], opk[0]),
        (ik[1], spk[1], opk[1]),
        signer.public_key().public_bytes_raw(),
        signature,
    )


def _begin(keys: _Keys, text: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(keys.signer).verify(keys.signature, keys.published[1])
    ik_b, spk_b, opk_b = map(X25519PublicKey.from_public_bytes, keys.published)
    ek_a, ek = _new_key()
    shared = keys.ik_a.exchange(spk_b) + ek_a.exchange(ik_b) + ek_a.exchange(spk_b) + ek_a.exchange(opk_b)
    root = HKDF(_SHA256, 32, bytes(32), _INFO).derive(shared)
    sender, newest = _new_key()
    chain = HKDF(_SHA256, 64, root, _INFO).derive(sender.exchange(spk_b))[32:]
    sealed = AESGCM(_step(chain)).encrypt(_NONCE, text, _ASSOCIATED)

    ik, spk, opk = keys.responder
    ik_a, ek_a_public = keys.ik_a.public_key(), X25519PublicKey.from_public_bytes(ek)
    shared = spk.exchange(ik_a) + ik.exchange(ek_a_public) + spk.exchange(ek_a_public) + opk.exchange(ek_a_public)
    root = HKDF(_SHA256, 32, bytes(32), _INFO).derive(shared)
    peer = X25519PublicKey.from_public_bytes(newest)
    grown = HKDF(_SHA256, 64, root, _INFO).derive(spk.exchange(peer))
    AESGCM(_step(grown[32:])).decrypt(_NONCE, sealed, _ASSOCIATED)
    HKDF(_SHA256, 64, grown[:32], _INFO).derive(_new_key()[0].exchange(peer))


def fan_out(times: int, text: bytes) -> Callable[[], None]:
    """Prepare one text for each of so many sessions: a job that is run once."""
    chains = [os.urandom(32) for _ in range(times)]

    def run() -> None:
        for at, chain in enumerate(chains):
            first = HMAC(chain, _SHA256)
            second = first.copy()
            first.update(b"\x01")
            second.update(b"\x02")
            AESGCM(first.finalize()).encrypt(_NONCE, text, _ASSOCIATED)
            chains[at] = second.finalize()

    return run


def sender_keys(times: int, text: bytes) -> Callable[[], None]:
    """Prepare so many texts to a group, each encrypted and signed once: a job that is run once."""
    signer = Ed25519PrivateKey.generate()

    def run() -> None:
        key = bytes(32)
        for _ in range(times):
            first = HMAC(key, _SHA256)
            second = first.copy()
            first.update(b"\x01")
            second.update(b"\x02")
            signer.sign(AESGCM(first.finalize()).encrypt(_NONCE, text, _NONCE))
            key = second.finalize()

    return run


BASELINES = {
    "ping-pong": ping_pong,
    "one-way": one_way,
    "set-up": set_up,
    "fan-out": fan_out,
    "sender-keys": sender_keys,
}

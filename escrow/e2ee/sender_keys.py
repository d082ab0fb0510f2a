"""Sender Keys: one chain for each sender and group, handed to each device over its pairwise session.

  chain    MK_i = HMAC(CK_i, 0x01);  CK_i+1 = HMAC(CK_i, 0x02)
  message  id ‖ varint i ‖ AES-256-GCM(MK_i, text; id ‖ i) ‖ Ed25519 signature over everything before it
           or, where every client commits, CTX in place of AES-GCM (escrow.primitives.committing; 16 bytes more)
  rotate   a new chain whenever a device leaves the group
  weak     no healing before the next rotation; nothing in a message says which group or membership it was meant for

Source: libsignal's sender keys, as WhatsApp describes them ("WhatsApp Encryption Overview"). Two differences: libsignal
encrypts with AES-256-CBC without a MAC and signs with XEdDSA; its chain id has 31 bits, ours 128.
"""

from __future__ import annotations

import msgspec

from escrow.codec import Fact, Public, read_varint, varint
from escrow.crypto import TAG, SigningKey, hmac256_pair, new_signing_key, open_sealed, random_bytes, seal, verify
from escrow.derivation import Guard, derivation, honest_only
from escrow.e2ee.provider import Listed
from escrow.e2ee.ratchet import MAX_KEPT, MAX_SKIP, MessageKey, Plaintext, Slot
from escrow.errors import Forged, Malformed, Refused
from escrow.primitives import committing as ctx

ID, SIGNATURE = 16, 64


class SenderSigningKey(SigningKey, frozen=True, dict=True):
    """The Ed25519 key pair with which one sender signs its messages to one group."""


class SenderChain(Fact, frozen=True):
    """Chain key number n (32 bytes) of the sender chain whose random id (16 bytes) is `chain`."""

    chain: Public
    n: int
    value: bytes


class SenderMessage(Fact, frozen=True):
    """A group message: chain id (16 bytes), number, ciphertext; `committing` as in ratchet.Message."""

    chain: Public
    n: int
    sealed: Public
    committing: bool = False


@derivation("chain.chain = slot.chain, chain.n = slot.n")
def sender_step(chain: SenderChain, slot: Guard[Slot] | None = None) -> tuple[MessageKey, SenderChain]:
    """Take the chain step: return the key of message n, and chain key n + 1."""
    value, following = hmac256_pair(chain.value, b"\x01", b"\x02")
    return MessageKey(chain.chain, chain.n, value), SenderChain(chain.chain, chain.n + 1, following)


@derivation("message.chain = key.chain, message.n = key.n")
def open_sender_message(message: SenderMessage, key: MessageKey) -> Plaintext:
    """Open a group message. Raise Forged if key and ciphertext do not fit. The receiver checks the signature before."""
    opener = ctx.open_sealed if message.committing else open_sealed
    return Plaintext(opener(key.value, message.sealed, header(message)))


def header(message: SenderMessage) -> bytes:
    """Return id (16 bytes) ‖ varint n."""
    return message.chain + varint(message.n)


@honest_only("reads public bytes")
def unpack(data: bytes, committing: bool = False) -> SenderMessage:
    """Return the message in its wire form, without the signature. Raise Malformed if it is too short."""
    n, at = read_varint(data, ID)
    if len(data) < at + TAG + SIGNATURE:
        raise Malformed("a group message is shorter than its header, tag and signature")
    return SenderMessage(data[:ID], n, data[at:-SIGNATURE], committing)


class OwnChain(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A sender's side: its chain, its signing key, and the devices, with their keys, that were given the chain."""

    chain: SenderChain
    signer: SenderSigningKey
    holders: list[Listed]


class PeerChain(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A receiver's side: the sender's device, the group, the key that signs for the chain, and the skipped keys.

    `identity` is the Ed25519 identity key (32 bytes) of the device that told the chain.
    """

    device: str
    group: str
    chain: SenderChain
    signer: Public
    skipped: list[MessageKey] = []
    identity: Public = b""


def new_chain() -> OwnChain:
    """Return a fresh chain that no other device holds yet."""
    chain = SenderChain(random_bytes(ID), 0, random_bytes(32))
    return OwnChain(chain, new_signing_key(SenderSigningKey), [])


@honest_only("an honest sender's use of sender_step")
def encrypt(own: OwnChain, body: bytes, committing: bool = False) -> tuple[bytes, MessageKey]:
    """Return the next message of the chain in its wire form, and the key that sealed it, with CTX if `committing`."""
    key, own.chain = sender_step(own.chain)
    head = key.chain + varint(key.n)
    signed = head + (ctx.seal if committing else seal)(key.value, body, head)
    return signed + own.signer.sign(signed), key


def signature_holds(peer: PeerChain, data: bytes) -> bool:
    """Return whether the chain's owner signed this message; checked before anything is opened."""
    return verify(peer.signer, data[-SIGNATURE:], data[:-SIGNATURE])


@honest_only("an honest receiver's use of sender_step")
def decrypt(peer: PeerChain, message: SenderMessage, max_skip: int = MAX_SKIP) -> Plaintext:
    """Open a message and advance. If this raises Forged or Refused, the chain is unchanged."""
    chain, passed = peer.chain, list[MessageKey]()
    if message.n < chain.n:
        known = next((key for key in peer.skipped if key.n == message.n), None)
        if known is None:
            raise Forged("a message key that was used, or thrown away")
        plaintext = open_sender_message(message, known)
        peer.skipped.remove(known)
        return plaintext
    if message.n - chain.n > max_skip:
        raise Refused("session", f"a message skips {message.n - chain.n} keys, more than {max_skip}")
    while chain.n < message.n:
        key, chain = sender_step(chain)
        passed.append(key)
    key, chain = sender_step(chain)
    plaintext = open_sender_message(message, key)
    peer.chain, peer.skipped = chain, (peer.skipped + passed)[-MAX_KEPT:]
    return plaintext

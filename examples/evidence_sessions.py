"""X3DH, PQXDH and sender keys, for verify_evidence.py."""

import hashlib
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from verify_evidence import OPENERS, content, require, rule, shapes, step, unpack, varint

P = 2**255 - 19
X3DH, PQXDH, SENDER = "escrow.e2ee.x3dh", "escrow.e2ee.pqxdh", "escrow.e2ee.sender_keys"
shapes(
    X3DH,
    """FirstPair(Pair) a b\nFirstShared(Shared) a b value\nIdentityKey(SigningKey) public raw\nClassical session value
    Initial ik_a ek_a ik_b spk_b opk_b\nPqInitial(Initial) ik_a ek_a ik_b spk_b opk_b pqpk_b ciphertext""",
)
shapes(
    SENDER,
    "SenderChain chain n value\nSenderMessage chain n sealed committing\nSenderSigningKey(SigningKey) public raw",
)
shapes(PQXDH, "KemShared key ciphertext value")
shapes("escrow.primitives.kem", "KemPrivate public raw")

shapes("escrow.e2ee.content", "InChat own_day own_keys their_day their_keys content")
rule(f"{SENDER}.sender_step", "SenderChain ?Slot")(step)


@rule("escrow.e2ee.content.unpack", "Plaintext")
def content_beside_lists(plaintext):
    """Return the content of a plaintext, as it stands or beside two lists of devices."""
    found = unpack(plaintext.body)
    return content(SimpleNamespace(body=found[-1]) if found[0] == "InChat" else plaintext)


@rule(f"{SENDER}.open_sender_message", "SenderMessage MessageKey")
def open_sender_message(message, key):
    """Return the plaintext of a group message."""
    require((message.chain, message.n) == (key.chain, key.n), "the key is of another message")
    framed = message.chain + varint(message.n)
    return [["Plaintext", OPENERS[message.committing](key.value, message.sealed, framed)]]


@rule(f"{X3DH}.agreement", "SigningKey")
def agreement(key):
    """Return the X25519 form of an Ed25519 key."""
    scalar = bytearray(hashlib.sha512(key.raw).digest()[:32])
    scalar[0], scalar[31] = scalar[0] & 0xF8, scalar[31] & 0x7F | 0x40
    y = int.from_bytes(key.public, "little") & (1 << 255) - 1
    return [["Private", ((1 + y) * pow(1 - y, -1, P) % P).to_bytes(32, "little"), bytes(scalar)]]


@rule(f"{X3DH}.agree", "Initial FirstShared FirstShared FirstShared FirstShared")
@rule(f"{X3DH}.agree_without_one_time", "Initial FirstShared FirstShared FirstShared")
def agree(initial, *shared):
    """Return the first root key of X3DH, or what PQXDH mixes with the secret of the KEM."""
    ends = [(initial.ik_a, initial.spk_b), (initial.ek_a, initial.ik_b), (initial.ek_a, initial.spk_b)]
    ends += [(initial.ek_a, initial.opk_b)] if initial.opk_b else []
    require([(each.a, each.b) for each in shared] == ends, "the agreements are not those of the session")
    secrets = b"".join(each.value for each in shared)
    if initial.kind == "PqInitial":
        return [["Classical", initial.ek_a, secrets]]
    value = HKDF(SHA256(), 32, bytes(32), b"EscrowLab_X3DH_CURVE25519_SHA-256").derive(b"\xff" * 32 + secrets)
    return [["Root", initial.ek_a, initial.spk_b, value]]


@rule(f"{PQXDH}.decapsulate", "PqInitial KemPrivate")
def decapsulate(initial, key):
    """Return the secret of ML-KEM-768."""
    require(initial.pqpk_b == key.public, "the key is not the one that the session names")
    value = MLKEM768PrivateKey.from_seed_bytes(key.raw).decapsulate(initial.ciphertext)
    return [["KemShared", key.public, initial.ciphertext, value]]


@rule(f"{PQXDH}.mix", "PqInitial Classical KemShared")
def mix(initial, classical, secret):
    """Return the first root key of PQXDH."""
    require(classical.session == initial.ek_a, "the agreements are of another session")
    require((secret.key, secret.ciphertext) == (initial.pqpk_b, initial.ciphertext), "the secret is of another session")
    secrets = b"\xff" * 32 + classical.value + secret.value
    value = HKDF(SHA256(), 32, bytes(32), b"EscrowLab_CURVE25519_SHA-256_ML-KEM-768").derive(secrets)
    return [["Root", initial.ek_a, initial.spk_b, value]]

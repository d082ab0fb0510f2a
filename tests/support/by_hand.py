"""X3DH and the Double Ratchet once more, from their specifications, over hashlib, hmac and pycryptodome.

Nothing of `escrow` is used: the transcripts are walked step by step, every value in them is computed, and whatever
differs is an AssertionError. Sections are those of the two specifications of 2016.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

from Crypto.Cipher import AES
from Crypto.Protocol import DH
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

Values = dict[str, Any]


def x25519(private: bytes, public: bytes) -> bytes:
    ours, theirs = DH.import_x25519_private_key(private), DH.import_x25519_public_key(public)
    return DH.key_agreement(static_priv=ours, static_pub=theirs, kdf=lambda shared: shared)


def public_of(private: bytes) -> bytes:
    return DH.import_x25519_private_key(private).public_key().export_key(format="raw")


def hmac256(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869."""
    key, output, block = hmac256(salt, secret), b"", b""
    while len(output) < length:
        block = hmac256(key, block + info + bytes([len(output) // 32 + 1]))
        output += block
    return output[:length]


def gcm(key: bytes, associated: bytes) -> Any:
    return AES.new(key, AES.MODE_GCM, nonce=bytes(12)).update(associated)


def number(value: int) -> bytes:
    """Unsigned LEB128 of a value below 2^14."""
    return bytes([value]) if value < 128 else bytes([value % 128 + 128, value // 128])


# --- a bit of a case changed ---


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every number, truth value and byte string that is not empty."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, (dict, list)):
            yield from leaves(inner)
        elif isinstance(inner, (bytes, int)) and inner != b"":
            yield value, key


def spoilt(case: Values, step: int = 1) -> Iterator[tuple[str, Values]]:
    """(field, the case with one bit of it changed), for every value, or one of each `step`."""
    for number in range(0, sum(1 for _ in leaves(case)), step):
        wrong = copy.deepcopy(case)
        container, key = list(leaves(wrong))[number]
        old = container[key]
        container[key] = old ^ 1 if isinstance(old, int) else old[:-1] + bytes([old[-1] ^ 1])
        yield str(key), wrong


def is_the_same(case: Values, **computed: object) -> None:
    for name, value in computed.items():
        assert case[name] == value, name


# --- X3DH ---


def walk_agreement(case: Values) -> None:
    """Every value of an agreement, from the private keys in it."""
    scalar_a, scalar_b = (hashlib.sha512(case[seed]).digest()[:32] for seed in ("seed_a", "seed_b"))
    is_the_same(case, ik_a=public_of(scalar_a), ik_b=public_of(scalar_b))
    is_the_same(case, identity_a=identity(case["seed_a"]), identity_b=identity(case["seed_b"]))
    is_the_same(case, ek_a=public_of(case["ephemeral"]), spk_b=public_of(case["prekey"]))
    is_the_same(case, opk_b=public_of(case["one_time"]) if case["one_time"] else b"")
    is_the_same(case, signature=signer(case["seed_b"]).sign(b"\5" + case["spk_b"]))
    is_the_same(case, dh1=x25519(case["prekey"], case["ik_a"]), dh2=x25519(scalar_b, case["ek_a"]))
    is_the_same(case, dh3=x25519(case["prekey"], case["ek_a"]))
    secret = b"\xff" * 32 + case["dh1"] + case["dh2"] + case["dh3"]
    if case["one_time"]:
        is_the_same(case, dh4=x25519(case["one_time"], case["ek_a"]))
        secret += case["dh4"]
    is_the_same(case, ad=b"\5" + case["ik_a"] + b"\5" + case["ik_b"])
    is_the_same(case, sk=hkdf(bytes(32), secret, case["info"], 32))
    first = Person(case["sk"], case["ad"])
    chain = first.ratchet(case["ratchet_key"], case["spk_b"])["chain"]
    header = public_of(case["ratchet_key"]) + number(0) + number(0)
    cipher = gcm(hmac256(chain, b"\1"), case["ad"] + header)
    is_the_same(case, message=header + b"".join(cipher.encrypt_and_digest(case["text"])))


def signer(seed: bytes) -> Any:
    return eddsa.new(ECC.construct(curve="Ed25519", seed=seed), "rfc8032")


def identity(seed: bytes) -> bytes:
    return ECC.construct(curve="Ed25519", seed=seed).public_key().export_key(format="raw")


# --- the Double Ratchet ---


class Person:
    """The state of section 3.2: chains are (key, number of the next message)."""

    def __init__(self, root: bytes, associated: bytes) -> None:
        self.root, self.associated = root, associated
        self.own = self.peer = b""
        self.sending = self.receiving = (b"", 0)
        self.previous = 0
        self.kept: dict[tuple[bytes, int], bytes] = {}

    def ratchet(self, own: bytes, peer: bytes) -> Values:
        """KDF_RK over DH(own, peer) (section 5.2), which moves the root."""
        shared = x25519(own, peer)
        both = hkdf(self.root, shared, b"WhisperRatchet", 64)
        self.root = both[:32]
        keys = {"own": own, "dh": public_of(own), "peer": peer}
        return {**keys, "shared": shared, "root": both[:32], "chain": both[32:]}

    def next_key(self) -> tuple[bytes, bytes, int]:
        """KDF_CK (section 5.2) on the sending chain: the chain key before, the message key, its number."""
        (chain, n) = self.sending
        self.sending = hmac256(chain, b"\2"), n + 1
        return chain, hmac256(chain, b"\1"), n

    def skip(self, to: int) -> None:
        chain, n = self.receiving
        while n < to:
            self.kept[self.peer, n] = hmac256(chain, b"\1")
            chain, n = hmac256(chain, b"\2"), n + 1
        self.receiving = chain, n

    def key_for(self, header: Values, turn: Values | None) -> bytes:
        """RatchetDecrypt (section 3.5); `turn` is what the transcript says of a ratchet step."""
        if (header["dh"], header["n"]) in self.kept:
            assert turn is None
            return self.kept.pop((header["dh"], header["n"]))
        assert (turn is None) == (header["dh"] == self.peer)
        if turn is not None:
            self.skip(header["pn"])
            self.peer = header["dh"]
            received = self.ratchet(self.own, self.peer)
            self.own, self.previous = turn["sending"]["own"], self.sending[1]
            sent = self.ratchet(self.own, self.peer)
            assert turn == {"receiving": received, "sending": sent}
            self.receiving, self.sending = (received["chain"], 0), (sent["chain"], 0)
        self.skip(header["n"])
        self.skip(header["n"] + 1)
        return self.kept.pop((self.peer, header["n"]))


def walk_session(case: Values) -> None:
    """Every value of a transcript, from SK, AD and the private keys in it."""
    people = {who: Person(case["sk"], case["ad"]) for who in "ab"}
    people["b"].own = case["prekey"]
    sent: dict[int, Values] = {}
    for step in case["steps"]:
        person = people[step["who"]]
        if step["step"] == "begin":
            begun = person.ratchet(step["own"], public_of(case["prekey"]))
            assert step == {"step": "begin", "who": "a", **begun}
            person.own, person.peer, person.sending = step["own"], begun["peer"], (begun["chain"], 0)
        elif step["step"] == "lose":
            for _ in range(step["count"]):
                person.next_key()
        elif step["step"] == "send":
            sent[step["number"]] = step
            send(person, step)
        else:
            header = sent[step["number"]]
            assert header["who"] != step["who"]
            receive(person, step, header)


def send(person: Person, step: Values) -> None:
    chain, key, n = person.next_key()
    dh = public_of(person.own)
    is_the_same(step, chain=chain, key=key, n=n, pn=person.previous, dh=dh)
    header = dh + number(person.previous) + number(n)
    cipher = gcm(key, person.associated + header)
    is_the_same(step, message=header + b"".join(cipher.encrypt_and_digest(step["text"])))


def receive(person: Person, step: Values, sent: Values) -> None:
    key = person.key_for(sent, step.get("turn"))
    is_the_same(sent, key=key)
    header = sent["dh"] + number(sent["pn"]) + number(sent["n"])
    sealed = sent["message"][len(header) :]
    assert gcm(key, person.associated + header).decrypt_and_verify(sealed[:-16], sealed[-16:]) == sent["text"]
    is_the_same(step, kept=len(person.kept))

"""Transcripts of the Double Ratchet with every value in them, and faults to try on the way; see own_vectors.py.

A script is words: `a:0` a sends message 0; `0>` it arrives; `a*130` a sends 130 messages that are lost; `!` faults are
tried here. Each word is a step, after step 0, in which a begins. A fault names the transcript that it is `of`, how many
steps come before it (`after`), who tries it (`at`) and what comes of it: error and reason are written here by hand, and
not taken from what the library does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from escrow import crypto
from escrow.crypto import Private, Run, SigningKey, new_private
from escrow.e2ee import ratchet
from escrow.e2ee.ratchet import MAX_SKIP, Message, Root, Session, Shared, exchange_as_a, turn
from escrow.e2ee.x3dh import sign_prekey

Values = dict[str, Any]
Error = tuple[str, str]  # type and reason
Fault = tuple[str, str, Values, Error]  # who tries it, its name, what is tried, what comes of it
FaultsOf = Callable[[dict[int, Message]], list[Fault]]

SMALL_ORDER = bytes(32)
NO_TAG = ("Forged", "an AES-GCM tag does not fit")
SMALL = ("Forged", "an X25519 public key is not 32 bytes or has small order")
USED = ("Forged", "a message key that was used, or thrown away")
SHORT = ("Malformed", "a message is shorter than its header and tag")
VARINT = ("Malformed", "a varint is cut off, padded or too large")
SILENT = ("Refused", "it cannot send before it has received")


def skips(keys: int, most: int = MAX_SKIP) -> Error:
    return "Refused", f"a message skips {keys} keys, more than {most}"


def flipped(data: bytes, bit: int = 0) -> bytes:
    """With one bit changed, counted from the lowest of the first byte."""
    return (int.from_bytes(data, "little") ^ 1 << bit).to_bytes(len(data), "little")


def making(act: Callable[[], Any]) -> tuple[Any, list[Private]]:
    """What an action returns, and the X25519 key pairs that it makes."""
    heard: list[crypto.Call] = []
    with crypto.running(Run(crypto.random_bytes(32), heard.append)):
        done = act()
    return done, [Private(*call.outputs, *call.inputs) for call in heard if call.operation == "x25519-key"]


def key_pairs(name: str, a: tuple[SigningKey, Private], b: tuple[SigningKey, Private, Private]) -> Values:
    """a's identity and ephemeral key, and b's identity, prekey and one-time prekey, as a case has them."""
    (identity_a, ephemeral), (identity_b, prekey, one_time) = a, b
    return {
        "name": name,
        "seed_a": identity_a.raw,
        "identity_a": identity_a.public,
        "ik_a": identity_a.agreement.public,
        "ephemeral": ephemeral.raw,
        "ek_a": ephemeral.public,
        "seed_b": identity_b.raw,
        "identity_b": identity_b.public,
        "ik_b": identity_b.agreement.public,
        "prekey": prekey.raw,
        "spk_b": prekey.public,
        "signature": sign_prekey(identity_b, prekey.public),
        "one_time": one_time.raw,
        "opk_b": one_time.public,
    }


def first_message(shared: list[Shared], root: Root, associated: bytes, own: Private, session: Session) -> Values:
    """What both agreed on, and the first message of the session that a began with its ratchet key `own`."""
    text = b"the first message"
    return {
        **{f"dh{number}": each.value for number, each in enumerate(shared, 1)},
        "sk": root.value,
        "ad": associated,
        "ratchet_key": own.raw,
        "text": text,
        "message": ratchet.pack(ratchet.encrypt(session, text)[0]),
    }


class Transcript:
    """A session of a and b by a script, with every value that the protocol computes."""

    def __init__(self, name: str, script: str, *faults: FaultsOf) -> None:
        self.messages: dict[int, Message] = {}
        self.texts: dict[int, bytes] = {}
        self.faults: list[Values] = []
        with crypto.acting("b"):
            secret, self.associated, prekey = crypto.random_bytes(32), crypto.random_bytes(66), new_private()
        agreed = Root(bytes(32), prekey.public, secret)
        with crypto.acting("a"):
            begun, (own,) = making(lambda: ratchet.begin(agreed, self.associated))
        self.sessions: dict[str, Session] = {"a": begun, "b": ratchet.respond(agreed, self.associated, prekey)}
        self.steps: list[Values] = [{"step": "begin", "who": "a", **root_step(agreed, own, prekey.public)}]
        self.case = {"name": name, "sk": secret, "ad": self.associated, "prekey": prekey.raw, "steps": self.steps}
        left = iter(faults)
        for word in script.split():
            if word == "!":
                self.faults += [self._fault(*fault) for fault in next(left)(self.messages)]
            elif word.endswith(">"):
                self.steps.append(self._receive(int(word[:-1])))
            elif "*" in word:
                self.steps.append(self._lose(word[0], int(word[2:])))
            else:
                self.steps.append(self._send(word[0], int(word[2:])))

    def _send(self, who: str, number: int) -> Values:
        session = self.sessions[who]
        assert session.sending is not None
        chain, text = session.sending.value, f"{who} says {number}".encode()
        message, key = ratchet.encrypt(session, text)
        self.messages[number], self.texts[number] = message, text
        header = {"dh": message.chain, "pn": message.pn, "n": message.n}
        values = {"text": text, "chain": chain, "key": key.value, **header, "message": ratchet.pack(message)}
        return {"step": "send", "who": who, "number": number, **values}

    def _lose(self, who: str, count: int) -> Values:
        for _ in range(count):
            ratchet.encrypt(self.sessions[who], b"")
        return {"step": "lose", "who": who, "count": count}

    def _receive(self, number: int) -> Values:
        message = self.messages[number]
        who = "b" if self.texts[number].startswith(b"a") else "a"
        session = self.sessions[who]
        root, answered = session.root, session.own
        with crypto.acting(who):
            opened, made = making(lambda: ratchet.decrypt(session, message))
        assert opened.body == self.texts[number]
        values: Values = {"step": "receive", "who": who, "number": number}
        if made:
            receiving = root_step(root, answered, message.chain)
            between = Root(root.session, message.chain, receiving["root"])
            values["turn"] = {"receiving": receiving, "sending": root_step(between, made[0], message.chain)}
        return {**values, "kept": len(session.skipped)}

    def _fault(self, at: str, name: str, tried: Values, error: Error) -> Values:
        """Tried after the steps so far: a message to open, under AD or another `ad`, or a text to send."""
        where = {"of": self.case["name"], "after": len(self.steps), "at": at}
        return {"name": name, **where, **tried, "error": error[0], "reason": error[1]}


def root_step(root: Root, own: Private, peer: bytes) -> Values:
    """KDF_RK over DH(own, peer): the key pair, the shared secret, the root and chain keys that follow."""
    shared = exchange_as_a(own, ratchet.Pair(own.public, peer))
    following, chain = turn(root, shared)
    keys = {"own": own.raw, "dh": own.public, "peer": peer}
    return {**keys, "shared": shared.value, "root": following.value, "chain": chain.value}


def tried(message: bytes, error: Error, name: str, at: str = "b") -> Fault:
    return at, name, {"message": message}, error


def changed(message: Message, **fields: Any) -> bytes:
    return ratchet.pack(replace(message, **fields))


def at_the_beginning(sent: dict[int, Message]) -> list[Fault]:
    """b has not heard from a."""
    return [("b", "an answer before anything came", {"text": b"too early"}, SILENT)]


def within_a_chain(sent: dict[int, Message]) -> list[Fault]:
    """b has opened 0 and 1, and waits for 2; all three are of a's first chain."""
    message, packed = sent[2], ratchet.pack(sent[2])
    dh, sealed = message.chain, message.sealed
    return [
        tried(flipped(packed), NO_TAG, "one bit of the ratchet key"),
        tried(flipped(packed, 255), NO_TAG, "the ratchet key in other bytes"),
        tried(changed(message, chain=SMALL_ORDER), SMALL, "a ratchet key of small order"),
        tried(changed(message, pn=1), NO_TAG, "pn is one more"),
        tried(changed(message, n=3), NO_TAG, "n is one more"),
        tried(changed(message, n=1), USED, "n is one less"),
        tried(changed(message, n=2 + MAX_SKIP), NO_TAG, "n skips as many keys as may be"),
        tried(changed(message, n=3 + MAX_SKIP), skips(1 + MAX_SKIP), "n skips one key more than may be"),
        tried(dh + b"\0\x82\0" + sealed, VARINT, "n has a digit too many"),
        tried(dh + b"\x80\0\2" + sealed, VARINT, "pn has a digit too many"),
        tried(dh + b"\0\x80\x80\x80\x80\x10" + sealed, VARINT, "n is 2^32"),
        tried(dh + b"\0" + b"\xff" * len(sealed), VARINT, "n does not end"),
        tried(flipped(packed, 8 * 34), NO_TAG, "one bit of the ciphertext"),
        tried(flipped(packed, 8 * len(packed) - 1), NO_TAG, "one bit of the tag"),
        tried(packed[:-1], NO_TAG, "the last byte is missing"),
        tried(packed + b"\0", NO_TAG, "a byte too many"),
        tried(packed[: 34 + 15], SHORT, "too short for a tag"),
        tried(b"", SHORT, "no bytes"),
        tried(changed(message, sealed=sent[1].sealed), NO_TAG, "the ciphertext of another message"),
        tried(ratchet.pack(sent[1]), USED, "a message that was opened"),
        tried(packed, NO_TAG, "a message to its sender", at="a"),
    ]


def at_a_turn(sent: dict[int, Message]) -> list[Fault]:
    """b has opened 0 of a's first chain of three, and waits for 5, which is the second of a's second chain."""
    message, two_too_many = sent[5], skips(MAX_SKIP, MAX_SKIP - 2)
    exchanged = {"message": ratchet.pack(message), "ad": message.associated[33:] + message.associated[:33]}
    return [
        tried(changed(message, pn=2 + MAX_SKIP), skips(1 + MAX_SKIP), "the chain before skips a key more than may be"),
        tried(changed(message, n=MAX_SKIP), two_too_many, "both chains together skip more keys than may be"),
        tried(changed(message, chain=sent[3].chain), NO_TAG, "the new ratchet key is b's own"),
        tried(changed(message, pn=2), NO_TAG, "the chain before is one shorter"),
        ("b", "the identities are exchanged", exchanged, NO_TAG),
    ]


def among_kept_keys(sent: dict[int, Message]) -> list[Fault]:
    """b has opened 5, and keeps the keys of 1, 2 and 4."""
    packed = ratchet.pack(sent[2])
    return [
        tried(flipped(packed, 8 * len(packed) - 1), NO_TAG, "one bit of a late message"),
        tried(changed(sent[2], n=1), NO_TAG, "the number of another late message"),
        tried(changed(sent[2], n=3), NO_TAG, "a number that the chain before did not reach"),
    ]


def after_a_late_message(sent: dict[int, Message]) -> list[Fault]:
    """b has opened 2 with the key that it kept."""
    return [tried(ratchet.pack(sent[2]), NO_TAG, "a late message a second time")]


def transcripts() -> list[Transcript]:
    return [
        Transcript("back and forth", "! a:0 0> b:1 1> a:2 2> b:3 3> a:4 4>", at_the_beginning),
        Transcript("one way", "a:0 0> a:1 a:2 1> ! 2> a:3 3>", within_a_chain),
        Transcript(
            "late and lost",
            "a:0 a:1 a:2 0> b:3 3> a:4 a:5 ! 5> ! 2> ! 1> b:6 6> a:7 7> 4>",
            at_a_turn,
            among_kept_keys,
            after_a_late_message,
        ),
        Transcript("both at once", "a:0 0> b:1 a:2 2> 1> b:3 a:4 4> 3> a:5 5>"),
        Transcript("numbers of two bytes", "a:0 0> a*130 a:1 1> b:2 2> a:3 3>"),
    ]

"""A second verifier of evidence folders, written from docs/evidence.md: it imports nothing of the lab.

  python examples/verify_evidence.py FOLDER...

It recomputes every step from its premises, and every text from the scenario's seed. It knows the format, HPKE, the
Double Ratchet and the envelope; each file `evidence_*.py` beside it adds a family of rules. It plays nothing: where the given facts come from, the sets and the verdict are left to `escrow-lab verify --replay`.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
import os
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NAMES = "cell.json claim.json facts.jsonl scenario.json statement.json steps.jsonl texts.jsonl verdict.txt".split()
MOST = 1 << 26  # bytes of all files
SHAPES: dict[str, tuple[str, ...]] = {}  # full name of a type -> its fields, in order
PARENTS: dict[str, str] = {}  # a type -> the one that it extends
RULES: dict[str, tuple] = {}  # full name of a rule -> what it takes, and its function
SERVICES: dict[str, tuple[str, str]] = {}  # full name of an official's checks -> what it is shown, what it answers


class Refused(Exception):
    """The folder proves nothing; the message says where, and why."""


def require(holds, why):
    if not holds:
        raise Refused(why)


# --- facts: msgpack arrays that begin with the type's name ---


def shapes(module, table):
    """Enter types: each line is NAME(PARENT) FIELD..."""
    for line in table.strip().splitlines():
        name, *fields = line.split()
        name, _, parent = name.rstrip(")").partition("(")
        SHAPES[f"{module}.{name}"] = tuple(fields)
        PARENTS[name] = parent


class Fact:
    """A decoded fact: `tag` is its type's name, and its fields are attributes."""

    def __init__(self, value):
        self.tag, *self.values = value
        fields = next(fields for name, fields in SHAPES.items() if name.endswith("." + self.tag))
        require(len(fields) == len(self.values), f"a {self.tag} has other fields")
        self.__dict__.update(zip(fields, self.values, strict=True))
        self.value_list = value

    def is_a(self, kind):
        tag = self.tag
        while tag and tag != kind:
            tag = PARENTS.get(tag, "")
        return bool(tag)


def pack(value):
    """Return the one msgpack encoding of nothing, a truth value, an integer, bytes, a string or a list."""
    if value is None or value is True or value is False:
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        if -32 <= value < 128:
            return value.to_bytes(1, "big", signed=value < 0)
        size = next(n for n in (1, 2, 4, 8) if (-1 << 8 * n - 1) <= value < (1 << 8 * n - (value < 0)))
        first = (0xD0 if value < 0 else 0xCC) + size.bit_length() - 1
        return bytes([first]) + value.to_bytes(size, "big", signed=value < 0)
    if isinstance(value, (list, tuple)):
        body = b"".join(map(pack, value))
        return (bytes([0x90 | len(value)]) if len(value) < 16 else b"\xdc" + len(value).to_bytes(2, "big")) + body
    data, first = (value.encode(), 0xD9) if isinstance(value, str) else (value, 0xC4)
    if first == 0xD9 and len(data) < 32:
        return bytes([0xA0 | len(data)]) + data
    size = 0 if len(data) < 1 << 8 else 1 if len(data) < 1 << 16 else 2
    return bytes([first + size]) + len(data).to_bytes(1 << size, "big") + data


def unpack(data):
    """Return the value that these bytes encode, and refuse all encodings but `pack`'s."""
    value, end = _unpack(data, 0)
    require(end == len(data) and pack(value) == data, "an encoding is not canonical")
    return value


def _unpack(data, at):
    first, at = data[at], at + 1
    if first < 0x80 or first >= 0xE0:
        return first - (0x100 if first >= 0xE0 else 0), at
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], at
    if 0xCC <= first <= 0xD3:
        size = 1 << (first & 3)
        return int.from_bytes(data[at : at + size], "big", signed=first >= 0xD0), at + size
    if 0x90 <= first < 0xA0 or first == 0xDC:
        size, at = (first & 15, at) if first < 0xA0 else (int.from_bytes(data[at : at + 2], "big"), at + 2)
        found = []
        for _ in range(size):
            value, at = _unpack(data, at)
            found.append(value)
        return found, at
    length = {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xC4: 1, 0xC5: 2, 0xC6: 4}.get(first, 0)
    require(length or 0xA0 <= first < 0xC0, "an encoding has a type that no fact has")
    size, at = (int.from_bytes(data[at : at + length], "big"), at + length) if length else (first & 31, at)
    require(at + size <= len(data), "an encoding is cut off")
    return data[at : at + size] if 0xC4 <= first <= 0xC6 else data[at : at + size].decode(), at + size


# --- cryptography ---


def prefixed(*parts):
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def sha256(*parts):
    return hashlib.sha256(prefixed(*parts)).digest()


def mac(key, data):
    return hmac.digest(key, data, "sha256")


def expand(secret, info, length):
    out = block = b""
    for at in range(1, -(-length // 32) + 1):
        block = mac(secret, block + info + bytes([at]))
        out += block
    return out[:length]


def hkdf(salt, secret, info, length):
    return expand(mac(salt, secret), info, length)


def x25519(raw, public):
    return X25519PrivateKey.from_private_bytes(raw).exchange(X25519PublicKey.from_public_bytes(public))


def aead(key, sealed, associated, nonce=bytes(12)):
    return AESGCM(key).decrypt(nonce, sealed, associated)


def committed(key, sealed, associated):
    """Open CTX over AES-256-GCM: a ciphertext and 32 bytes that commit to key, associated data and tag."""
    body, commitment = sealed[:-32], sealed[-32:]
    plain = AESGCM(key).encrypt(bytes(12), body, None)[:-16]
    tag = AESGCM(key).encrypt(bytes(12), plain, associated)[-16:]
    require(hashlib.sha3_256(prefixed(key, bytes(12), associated, tag)).digest() == commitment, "CTX does not fit")
    return plain


def hpke(key, sealed, info):
    """Open one message of HPKE, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, empty aad."""
    enc, kem, suite = sealed[:32], b"HPKE-v1KEM\x00\x20", b"HPKE-v1HPKE\x00\x20\x00\x01\x00\x01"
    pseudo = mac(b"", kem + b"eae_prk" + x25519(key.raw, enc))
    shared = expand(pseudo, b"\x00\x20" + kem + b"shared_secret" + enc + key.public, 32)
    context = b"\0" + mac(b"", suite + b"psk_id_hash") + mac(b"", suite + b"info_hash" + info)
    secret = mac(shared, suite + b"secret")
    opener = expand(secret, b"\x00\x10" + suite + b"key" + context, 16)
    return aead(opener, sealed[32:], b"", expand(secret, b"\x00\x0c" + suite + b"base_nonce" + context, 12))


def varint(value):
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


# --- rules: ratchet, content, envelope ---


def rule(name, takes):
    """Enter a rule. `takes`: a type for each premise, ? before a guard or witness, * behind the last if it repeats."""
    return lambda function: RULES.__setitem__(name, (takes.split(), function)) or function


shapes("escrow.crypto", "Private public raw\nSigningKey public raw")
shapes("escrow.scheme", "AccessField chain n people day")
shapes("escrow.e2ee.content", "Text conversation body\nDistribution group chain signer")
RATCHET = "escrow.e2ee.ratchet"
shapes(
    RATCHET,
    """Pair a b\nShared a b value\nRoot session newest value\nChainKey chain n value\nMessageKey chain n value
    Slot chain n\nMessage chain n pn associated sealed committing\nAnswers session to chain first\nPlaintext body""",
)


@rule(f"{RATCHET}.exchange_as_a", "Private ?Pair")
def exchange_as_a(own, pair, mine="a", theirs="b"):
    require(own.public == getattr(pair, mine), "the pair has another key")
    tag = "FirstShared" if pair.tag == "FirstPair" else "Shared"
    return [[tag, pair.a, pair.b, x25519(own.raw, getattr(pair, theirs))]]


rule(f"{RATCHET}.exchange_as_b", "Private ?Pair")(lambda own, pair: exchange_as_a(own, pair, "b", "a"))


@rule(f"{RATCHET}.turn", "Root Shared ?Answers")
def turn(root, shared, answers):
    require(root.newest == shared.a == answers.to, "the root waits for another answer")
    require((answers.session, answers.chain) == (root.session, shared.b), "the answer is of another session or chain")
    value = hkdf(root.value, shared.value, b"WhisperRatchet", 64)
    first, chain = Fact(answers.first), Fact(["ChainKey", shared.b, 0, value[32:]])
    require(first.n <= 1000, "the first message is too many steps ahead")
    for _ in range(first.n):
        chain = Fact(step(chain, None)[1])
    open_message(first, Fact(step(chain, None)[0]))
    return [["Root", root.session, shared.b, value[:32]], ["ChainKey", shared.b, 0, value[32:]]]


@rule(f"{RATCHET}.step", "ChainKey ?Slot")
def step(chain, slot):
    require(slot is None or (slot.chain, slot.n) == (chain.chain, chain.n), "the slot is of another message")
    key = ["MessageKey", chain.chain, chain.n, mac(chain.value, b"\1")]
    return [key, [chain.tag, chain.chain, chain.n + 1, mac(chain.value, b"\2")]]


@rule(f"{RATCHET}.open_message", "Message MessageKey")
def open_message(message, key):
    require((message.chain, message.n) == (key.chain, key.n), "the key is of another message")
    framed = message.associated + message.chain + varint(message.pn) + varint(message.n)
    return [["Plaintext", (committed if message.committing else aead)(key.value, message.sealed, framed)]]


@rule("escrow.e2ee.content.unpack", "Plaintext")
def content(plaintext):
    found = unpack(plaintext.body)
    require(found[0] in ("Text", "Distribution"), "the plaintext encodes no content")
    return [found, Fact(found).chain] if found[0] == "Distribution" else [found]


shapes(
    "escrow.schemes.envelope",
    "AgentKey(Private) public raw court\nEnvelope(AccessField) chain n people day agent header sealed",
)


@rule("escrow.schemes.envelope.open_field", "Envelope Private")
def open_field(field, key):
    require(field.agent == key.public, "the field is sealed to another key")
    context = pack([field.chain, field.n, field.people, field.day, field.agent, field.header])
    return [["MessageKey", field.chain, field.n, hpke(key, field.sealed, context)]]


# --- the folder ---


def files_of(folder):
    """Return the files of a folder by name, after a check of names, sizes and digests."""
    manifest = read(folder / "MANIFEST", 1 << 15)
    require(hashlib.sha256(manifest).hexdigest() == folder.name, "MANIFEST: the folder is not called its SHA-256")
    listed = {}
    for line in manifest.decode("ascii").removesuffix("\n").split("\n"):
        match = re.fullmatch(r"([0-9a-f]{64})  (0|[1-9][0-9]{0,8})  ([A-Za-z0-9_][A-Za-z0-9_. -]{0,99})", line)
        require(match and match[3] > max(listed, default=""), "MANIFEST: a line is malformed, or in another's place")
        listed[match[3]] = match[1], int(match[2])
    require(set(os.listdir(folder)) == {*listed, "MANIFEST"}, "MANIFEST: it lists other files")
    plugins = {name for name in listed if name.endswith(".py")}
    require(sorted(set(listed) - plugins) == NAMES, "MANIFEST: these are not the files of a proof")
    require(sum(size for _, size in listed.values()) <= MOST, "MANIFEST: it lists too many bytes")
    found = {name: read(folder / name, size, size) for name, (_, size) in listed.items()}
    for name, data in found.items():
        require(hashlib.sha256(data).hexdigest() == listed[name][0], f"{name}: another SHA-256 than in MANIFEST")
    return found


def read(path, most, least=0):
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        require(least <= size <= most, f"{path.name}: {size} bytes, not {least} to {most}")
        return file.read(size)


def rows(files, name):
    """Return the JSON values of a file, one a line, without spaces or a key twice."""
    found = []
    for line in files[name].decode().removesuffix("\n").split("\n") if files[name] else ():
        found.append(json.loads(line))
        again = json.dumps(found[-1], separators=(",", ":"), ensure_ascii=False)
        require(again == line, f"{name}, line {len(found)}: not canonical JSON")
    require(not found or files[name].endswith(b"\n"), f"{name}: its last line does not end")
    return found


def decoded(row):
    """Return the fact of a line of facts.jsonl or steps.jsonl."""
    value = unpack(bytes.fromhex(row["encoding"]))
    require(row["type"] in SHAPES and row["type"].endswith("." + value[0]), "no fact is of this type")
    require(bytes.fromhex(row["encoding"]).hex() == row["encoding"], "its encoding is not lower-case hexadecimal")
    return Fact(value)


def free(row):
    return not row.keys() & {"packet", "holder", "evening", "rule"}


def stranger(fact):
    """Return whether a fact is the key that everyone can make."""
    return fact.tag == "AuthorityKey" and fact.raw == sha256(b"escrow-lab stranger")


def check_step(step, lines, values):
    """Recompute one step."""
    premises, conclusion = [values[at] for at in step["premises"]], values[-1]
    service = SERVICES.get(step["rule"]) if "answer" in step else None
    require("answer" not in step or service, "no official's checks are called that")
    takes, function = (service[0].split(), None) if service else RULES.get(step["rule"], ((), None))
    takes = [*takes[:-1], *[takes[-1][:-1]] * (len(premises) - len(takes) + 1)] if "*" in takes[-1:][0][-1:] else takes
    require(takes and len(takes) == len(premises), f"{step['rule']} is no rule, or takes other premises")
    for kind, fact, at in zip(takes, premises, step["premises"], strict=True):
        require(fact.is_a(kind.removeprefix("?")), f"{step['rule']} takes no {fact.tag}")
        require(kind[0] == "?" or not free(lines[at]) or stranger(fact), f"premise {at} was taken from no one")
    if service:  # an honest official's secret is not in the folder: the answer is taken on trust
        asker, order = premises[-1], Fact(Fact(premises[-2].value_list).order)
        require(asker.public == order.authority, "the key that is shown is not the one that the warrant names")
        require(conclusion.tag == service[1], "the official does not answer with such a fact")
    else:
        given = [pack(value) for value in function(*premises)]
        require(pack(conclusion.value_list) in given, "the rule gives another fact")


def verify(folder):
    """Return in a few words what the folder proves. Raise Refused."""
    files = files_of(folder)
    [statement], [cell], [scenario], facts, steps, texts = (rows(files, name) for name in (
        "statement.json", "cell.json", "scenario.json", "facts.jsonl", "steps.jsonl", "texts.jsonl"))  # fmt: skip
    require(statement["schema"] == "escrow-lab/evidence/2", "statement.json: another version of the format")
    seized = {(each["principal"], min(each["evenings"])) for each in statement["coalition"]}
    lines, values = facts + steps, []
    for at, line in enumerate(lines):
        where = f"facts.jsonl, line {at + 1}" if at < len(facts) else f"steps.jsonl, line {at - len(facts) + 1}"
        try:
            values.append(decoded(line))
            if at >= len(facts):
                require(all(0 <= each < at for each in line["premises"]), "a premise does not precede it")
                check_step(line, lines, values)
            elif "packet" not in line and not free(line):
                require((line["holder"], line["evening"]) in seized, "the coalition does not seize its holder then")
        except (Refused, LookupError, TypeError, ValueError, StopIteration, AttributeError, InvalidTag) as error:
            raise Refused(f"{where}: {error or type(error).__name__}") from error
    require(len({pack(fact.value_list) for fact in values}) == len(lines), "steps.jsonl: a fact stands there twice")
    check_texts(scenario, len(facts), texts, values)
    order = walk([text["conclusion"] for text in texts], [line.get("premises", ()) for line in lines])
    for name, first, end in (("facts.jsonl", 0, len(facts)), ("steps.jsonl", len(facts), len(lines))):
        met = [at for at in order if first <= at < end]
        require(met == list(range(first, end)), f"{name}: a line is not used, or stands in another's place")
    opened, reached, excluded = (set(statement[name]) for name in ("opened", "reached", "excluded"))
    require({text["id"] for text in texts} <= opened <= reached >= excluded, "statement.json: the sets do not fit")
    require(bool(opened) == bool(texts) and cell["excluded"] == len(excluded), "cell.json: the sets do not fit")
    verdict = files["verdict.txt"].decode().partition(":")[0]
    fits = {"AS CLAIMED": reached and not excluded, "HELD": not reached, "NOT_APPLICABLE": not reached}
    require(fits.get(verdict, verdict in ("BREACH", "INCONCLUSIVE")), "verdict.txt: the sets do not fit")
    return f"{len(texts)} texts follow from {len(facts)} facts in {len(steps)} steps"


def check_texts(scenario, given, texts, values):
    """Compare every text with the scenario's, which follows from the seed, and with the step that shows it."""
    secret = hashlib.sha256(b"escrow-lab run %d" % scenario["seed"]).digest()
    require([text["id"] for text in texts] == sorted({text["id"] for text in texts}), "texts.jsonl: not in order")
    for text in texts:
        drawn = prefixed(secret, b"text %d" % text["id"], (1).to_bytes(8, "big"))
        require(text["body"] == hashlib.shake_256(drawn).hexdigest(32), "texts.jsonl: a text is not the scenario's")
        require(given <= text["conclusion"] < len(values), "texts.jsonl: a text is given, or concluded by nothing")
        shown = values[text["conclusion"]]
        require(shown.tag == "Text" and shown.body.hex() == text["body"], "texts.jsonl: another text is concluded")


def walk(conclusions, premises):
    """Return all that the texts rest on, each number after its premises, in the order in which it is needed."""
    done, path = {}, []
    for conclusion in conclusions:
        path.append((conclusion, iter(premises[conclusion])))
        while path:
            number, waiting = path[-1]
            following = next((each for each in waiting if each not in done), None)
            if number in done or following is None:
                done[path.pop()[0]] = True
            else:
                path.append((following, iter(premises[following])))
    return list(done)


def main(folders):
    for family in sorted(Path(__file__).parent.glob("evidence_*.py")):
        importlib.import_module(family.stem)
    refused = 0
    for folder in map(Path, folders):
        try:
            print(f"{folder}: {verify(folder)}")
        except (Refused, OSError, ValueError, LookupError, TypeError) as error:
            refused += 1
            print(f"{folder}: refused: {error}")
    return bool(refused)


if __name__ == "__main__":
    import verify_evidence  # once more, under the name by which the families import it

    sys.exit(verify_evidence.main(sys.argv[1:]))

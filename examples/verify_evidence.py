"""A second verifier of evidence folders, written from docs/evidence.md: it imports nothing of the lab.

  python examples/verify_evidence.py FOLDER...

It recomputes every step from its premises, and every text from the scenario's seed. It knows the format, HPKE, the
Double Ratchet and the envelope; each file `evidence_*.py` beside it adds a family of rules. It plays nothing: where the
given facts come from, the sets and the verdict are left to `escrow-lab verify --replay`.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import os
import re
import sys
from functools import partial
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from evidence_encoding import Refused, pack, prefixed, require, rows, sha256, unpack, varint

NAMES = {"cell.json", "claim.json", "scenario.json", "statement.json", "verdict.txt"}
NAMES |= {"facts.jsonl", "steps.jsonl", "texts.jsonl"}
SHAPES = {}  # full name of a type -> its fields, in order
KINDS = {}  # name of a type -> its own, and those of the types that it extends
RULES = {}  # full name of a rule -> the types that it takes, and its function
SERVICES = {}  # full name of an official's checks -> what the official is shown, and the type of the answer


# --- facts: msgpack arrays that begin with the type's name ---


def shapes(module, table):
    """Enter types: each line is NAME(PARENT) FIELD..."""
    for line in table.strip().splitlines():
        name, *fields = line.split()
        name, _, parent = name.rstrip(")").partition("(")
        SHAPES[f"{module}.{name}"], KINDS[name] = fields, {name, *KINDS.get(parent, [parent])}


class Fact:
    """A fact: `tag` is its type's name, its fields are attributes, and `array` is what is encoded."""

    def __init__(self, array):
        """Read a decoded array."""
        self.array, (self.tag, *self.values) = array, array
        fields = next((fields for name, fields in SHAPES.items() if name.endswith(f".{self.tag}")), None)
        require(fields and len(fields) == len(self.values), f"no fact is a {self.tag} with such fields")
        self.__dict__.update(zip(fields, self.values, strict=True))


# --- cryptography ---


mac = partial(hmac.digest, digest="sha256")  # also HKDF's extraction


def expand(secret, info, length):
    """Return HKDF-SHA-256's expansion."""
    return HKDFExpand(SHA256(), length, info).derive(secret)


def exchange(raw, public):
    """Return the X25519 result of a private and a public key."""
    return X25519PrivateKey.from_private_bytes(raw).exchange(X25519PublicKey.from_public_bytes(public))


def aead(key, sealed, associated, nonce=bytes(12)):
    """Open AES-GCM; the nonce is zero under a key that seals once."""
    return AESGCM(key).decrypt(nonce, sealed, associated)


def committed(key, sealed, associated):
    """Open CTX over AES-256-GCM: a ciphertext, and 32 bytes that commit to key, associated data and tag."""
    plain = AESGCM(key).encrypt(bytes(12), sealed[:-32], None)[:-16]
    tag = AESGCM(key).encrypt(bytes(12), plain, associated)[-16:]
    require(hashlib.sha3_256(prefixed(key, bytes(12), associated, tag)).digest() == sealed[-32:], "CTX does not fit")
    return plain


def hpke(key, sealed, info):
    """Open one message of HPKE, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, empty aad."""
    enc, kem, suite = sealed[:32], b"HPKE-v1KEM\x00\x20", b"HPKE-v1HPKE\x00\x20\x00\x01\x00\x01"
    pseudo = mac(b"", kem + b"eae_prk" + exchange(key.raw, enc))
    shared = expand(pseudo, b"\x00\x20" + kem + b"shared_secret" + enc + key.public, 32)
    context = b"\0" + mac(b"", suite + b"psk_id_hash") + mac(b"", suite + b"info_hash" + info)
    secret = mac(shared, suite + b"secret")
    opener = expand(secret, b"\x00\x10" + suite + b"key" + context, 16)
    return aead(opener, sealed[32:], b"", expand(secret, b"\x00\x0c" + suite + b"base_nonce" + context, 12))


# --- rules: ratchet, content, envelope ---


def rule(name, takes):
    """Enter a rule. `takes`: a type for each premise, ? before a guard or witness, * behind the last if it repeats."""
    return lambda function: RULES.__setitem__(name, (takes.split(), function)) or function


RATCHET, ENVELOPE = "escrow.e2ee.ratchet", "escrow.schemes.envelope"
shapes("escrow.crypto", "Private public raw\nSigningKey public raw")
shapes("escrow.scheme", "AccessField chain n people day")
shapes("escrow.e2ee.content", "Text conversation body\nDistribution group chain signer")
shapes(RATCHET, "Message chain n pn associated sealed committing\nAnswers session to chain first\nPlaintext body")
shapes(RATCHET, "Pair a b\nShared a b value\nRoot session newest value\nSlot chain n")
shapes(RATCHET, "ChainKey chain n value\nMessageKey chain n value")
shapes(ENVELOPE, "AgentKey(Private) public raw court\nEnvelope(AccessField) chain n people day agent header sealed")


@rule(f"{RATCHET}.exchange_as_a", "Private ?Pair")
def exchange_as_a(own, pair, mine="a", theirs="b"):
    """Return what two keys share."""
    require(own.public == getattr(pair, mine), "the pair has another key")
    tag = "FirstShared" if pair.tag == "FirstPair" else "Shared"
    return [[tag, pair.a, pair.b, exchange(own.raw, getattr(pair, theirs))]]


rule(f"{RATCHET}.exchange_as_b", "Private ?Pair")(lambda own, pair: exchange_as_a(own, pair, "b", "a"))


@rule(f"{RATCHET}.turn", "Root Shared ?Answers")
def turn(root, shared, answers):
    """Return the next root and the chain that it begins, verified on the first message of that chain."""
    require(root.newest == shared.a == answers.to, "the root waits for another answer")
    require((answers.session, answers.chain) == (root.session, shared.b), "the answer is of another session or chain")
    value = expand(mac(root.value, shared.value), b"WhisperRatchet", 64)
    first, chain = Fact(answers.first), ["ChainKey", shared.b, 0, value[32:]]
    require(first.n <= 1000, "the first message is too many steps ahead")
    for _ in range(first.n + 1):
        key, chain = step(Fact(chain), None)
    open_message(first, Fact(key))
    return [["Root", root.session, shared.b, value[:32]], ["ChainKey", shared.b, 0, value[32:]]]


@rule(f"{RATCHET}.step", "ChainKey ?Slot")
def step(chain, slot):
    """Return a message key and the next chain key, of a ratchet or of a sender."""
    require(slot is None or (slot.chain, slot.n) == (chain.chain, chain.n), "the slot is of another message")
    key = ["MessageKey", chain.chain, chain.n, mac(chain.value, b"\1")]
    return [key, [chain.tag, chain.chain, chain.n + 1, mac(chain.value, b"\2")]]


@rule(f"{RATCHET}.open_message", "Message MessageKey")
def open_message(message, key):
    """Return the plaintext of a message."""
    require((message.chain, message.n) == (key.chain, key.n), "the key is of another message")
    framed = message.associated + message.chain + varint(message.pn) + varint(message.n)
    return [["Plaintext", (committed if message.committing else aead)(key.value, message.sealed, framed)]]


@rule("escrow.e2ee.content.unpack", "Plaintext")
def content(plaintext):
    """Return the content of a plaintext, and the sender's chain inside it."""
    found = Fact(unpack(plaintext.body))
    require(found.tag in ("Text", "Distribution"), "the plaintext encodes no content")
    return [found.array, *([found.chain] if found.tag == "Distribution" else [])]


@rule(f"{ENVELOPE}.open_field", "Envelope Private")
def open_field(field, key):
    """Return the message key in a field."""
    require(field.agent == key.public, "the field is sealed to another key")
    return [["MessageKey", field.chain, field.n, hpke(key, field.sealed, pack(field.values[:6]))]]


# --- the folder ---


def files_of(folder):
    """Return the files of a folder by name, after a check of names, sizes and digests."""
    manifest = read(folder / "MANIFEST", 0, 1 << 15)
    require(hashlib.sha256(manifest).hexdigest() == folder.name, "MANIFEST: the folder is not called its SHA-256")
    form = re.compile(r"([0-9a-f]{64})  (0|[1-9][0-9]{0,8})  ([A-Za-z0-9_][A-Za-z0-9_. -]{0,99})\n")
    listed = {name: (digest, int(size)) for digest, size, name in form.findall(manifest.decode("ascii"))}
    again = "".join(f"{listed[name][0]}  {listed[name][1]}  {name}\n" for name in sorted(listed))
    require(again.encode() == manifest, "MANIFEST: a line is malformed, or in another's place")
    require(set(os.listdir(folder)) == {*listed, "MANIFEST"}, "MANIFEST: it lists other files")
    require({name for name in listed if not name.endswith(".py")} == NAMES, "MANIFEST: it lists no proof")
    require(sum(size for _, size in listed.values()) <= 1 << 26, "MANIFEST: it lists too many bytes")
    found = {name: read(folder / name, size, size) for name, (_, size) in listed.items()}
    for name, data in found.items():
        require(hashlib.sha256(data).hexdigest() == listed[name][0], f"{name}: another SHA-256 than in MANIFEST")
    return found


def read(path, least, most):
    """Return the bytes of a regular file, if they are not more or fewer."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        require(least <= size <= most, f"{path.name}: {size} bytes, not {least} to {most}")
        return file.read(size)


def execute(statement, facts, steps):
    """Return the value of every fact and step, each step recomputed."""
    seized = {(each["principal"], min(each["evenings"])) for each in statement["coalition"]}
    lines, values, seen = facts + steps, [], set()
    for at, line in enumerate(lines):
        try:
            fact = Fact(unpack(bytes.fromhex(line["encoding"])))
            require(line["encoding"] == pack(fact.array).hex(), "its encoding is not lower-case hexadecimal")
            require(line["type"] in SHAPES and line["type"].endswith(f".{fact.tag}"), "no fact is of this type")
            require(line["encoding"] not in seen, "the fact stands in an earlier line too")
            if at >= len(facts):
                check(line, lines, values, fact)
            elif "holder" in line or "evening" in line:
                require("packet" not in line and (line["holder"], line["evening"]) in seized, "it is not seized")
        except (Refused, LookupError, TypeError, ValueError, AttributeError, OverflowError, InvalidTag) as error:
            where = f"facts.jsonl, line {at + 1}" if at < len(facts) else f"steps.jsonl, line {at + 1 - len(facts)}"
            raise Refused(f"{where}: {error or type(error).__name__}") from error
        values.append(fact)
        seen.add(line["encoding"])
    return values


def check(step, lines, values, fact):
    """Recompute one step, which is said to give this fact."""
    require(all(0 <= at < len(values) for at in step["premises"]), "a premise does not precede it")
    premises = [values[at] for at in step["premises"]]
    takes, function = (SERVICES if "answer" in step else RULES)[step["rule"]]
    if takes[-1][-1] == "*":
        takes = takes[:-1] + [takes[-1][:-1]] * (len(premises) - len(takes) + 1)
    for kind, premise, at in zip(takes, premises, step["premises"], strict=True):
        require(kind.removeprefix("?") in KINDS[premise.tag], f"{step['rule']} takes no {premise.tag}")
        known = premise.tag == "AuthorityKey" and premise.raw == sha256(b"escrow-lab stranger")
        require(kind[0] == "?" or known or lines[at].keys() - {"type", "encoding"}, f"premise {at} is from no one")
    if "answer" in step:  # an honest official's secret is not in the folder: the answer is taken on trust
        require(premises[-1].public == Fact(premises[-2].order).authority, "the warrant names another key")
        require(fact.tag == function, "the official does not answer with such a fact")
    else:
        require(pack(fact.array) in map(pack, function(*premises)), "the rule gives another fact")


def walk(conclusions, premises):
    """Return all that the texts rest on, each number after its premises, in the order in which it is needed."""
    done, path = {}, [(None, iter(conclusions))]
    while path:
        following = next((each for each in path[-1][1] if each not in done), None)
        if following is None:
            done[path.pop()[0]] = True
        else:
            path.append((following, iter(premises[following])))
    return list(done)[:-1]


def verify(folder):
    """Return in a few words what the folder proves. Raise Refused."""
    files = files_of(folder)
    [statement], [cell], [scenario] = (rows(files, f"{name}.json") for name in ("statement", "cell", "scenario"))
    facts, steps, texts = (rows(files, f"{name}.jsonl") for name in ("facts", "steps", "texts"))
    require(statement["schema"] == "escrow-lab/evidence/2", "statement.json: another version of the format")
    values = execute(statement, facts, steps)
    secret = hashlib.sha256(b"escrow-lab run %d" % scenario["seed"]).digest()
    for text in texts:
        drawn = prefixed(secret, b"text %d" % text["id"], (1).to_bytes(8, "big"))
        require(text["body"] == hashlib.shake_256(drawn).hexdigest(32), "texts.jsonl: a text is not the scenario's")
        require(len(facts) <= text["conclusion"] < len(values), "texts.jsonl: a text is given, or concluded by nothing")
        shown = values[text["conclusion"]]
        require(shown.tag == "Text" and shown.body.hex() == text["body"], "texts.jsonl: another text is concluded")
    order = walk([text["conclusion"] for text in texts], [line.get("premises", ()) for line in facts + steps])
    order.sort(key=lambda at: at >= len(facts))  # the given facts first, each part in its order
    require(order == list(range(len(values))), "steps.jsonl: a line is not used, or stands in another's place")
    sets = [[text["id"] for text in texts], *(statement[name] for name in ("opened", "reached", "excluded"))]
    require(all(each == sorted(set(each)) for each in sets), "statement.json: numbers are not in order")
    proven, opened, reached, excluded = map(set, sets)
    require(proven <= opened <= reached >= excluded, "statement.json: the sets do not fit")
    require(bool(opened) == bool(proven) and cell["excluded"] == len(excluded), "cell.json: the sets do not fit")
    verdict = files["verdict.txt"].decode().partition(":")[0]
    fits = {"AS CLAIMED": reached and not excluded, "HELD": not reached, "NOT_APPLICABLE": not reached}
    others = ("BREACH", "FAILS", "OUTSIDE MODEL", "CONCEDED", "AS PLAIN", "INCONCLUSIVE")
    require(fits.get(verdict, verdict in others), "verdict.txt: the sets do not fit")
    return f"{len(texts)} texts follow from {len(facts)} facts in {len(steps)} steps"


def main(folders):
    """Verify folders; stop at one that is refused."""
    for family in sorted(Path(__file__).parent.glob("evidence_*.py")):
        importlib.import_module(family.stem)
    for folder in map(Path, folders):
        try:
            print(f"{folder}: {verify(folder)}")
        except (Refused, OSError, ValueError, LookupError, TypeError) as error:
            sys.exit(f"{folder}: refused: {error}")


if __name__ == "__main__":
    import verify_evidence  # once more, under the name by which the families import it

    verify_evidence.main(sys.argv[1:])

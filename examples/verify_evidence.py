"""A second verifier of evidence folders, written from docs/evidence.md: python examples/verify_evidence.py FOLDER...

It recomputes every step and text, and plays nothing: where the given facts come from, the sets and the verdict are left
to `escrow-lab verify --replay`. Each file `evidence_*.py` beside it adds a family of rules.
"""

import hashlib
import hmac
import importlib
import io
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LINES = {  # the fields of each line of a file, in their order
    "facts.jsonl": ["type", "encoding", "packet", "holder", "evening"],
    "steps.jsonl": ["rule", "premises", "type", "encoding", "answer"],
    "texts.jsonl": ["id", "conclusion", "body"],
}
NAMES = {"cell.json", "claim.json", "scenario.json", "statement.json", "verdict.txt", *LINES}
SHAPES = {}  # name of a type -> its full name, its fields in order, and the types that it extends, itself included
RULES = {}  # full name of a rule -> the types that it takes, and its function
SERVICES = {}  # full name of an official's checks -> what the official is shown, and the type of the answer
OPENERS = {False: lambda key, sealed, associated: AESGCM(key).decrypt(bytes(12), sealed, associated)}  # of a text


class Refused(Exception):
    """The folder proves nothing; the message says where, and why."""


def require(holds, why):
    """Raise Refused unless it holds."""
    if not holds:
        raise Refused(why)


def pack(value):
    """Return the one encoding of nothing, a truth value, an integer, bytes, a string or a list."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return _head(value, 0, 128, 0xCC, (1, 2, 4, 8)) if value >= 0 else value.to_bytes(1, "big", signed=True)
    if isinstance(value, list):
        return _head(len(value), 0x90, 16, 0xDC, (2,)) + b"".join(map(pack, value))
    if isinstance(value, str):
        return _head(len(value.encode()), 0xA0, 32, 0xD9, (1, 2)) + value.encode()
    return _head(len(value), 0, 0, 0xC4, (1, 2)) + value


def _head(size, short, most, first, widths):
    if size < most:
        return bytes([short | size])
    width = next(width for width in widths if size < 256**width)
    return bytes([first + widths.index(width)]) + size.to_bytes(width, "big")


def unpack(data):
    """Return the value that some bytes encode. Raise Refused for all encodings but `pack`'s."""
    value = _unpack(io.BytesIO(data))
    require(pack(value) == data, "an encoding is not canonical")
    return value


def _unpack(stream):
    first = stream.read(1)[0]
    if first < 0x80 or first >= 0xE0:
        return first - (first >= 0xE0) * 0x100
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first]
    wide = {0xC4: 1, 0xC5: 2, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD9: 1, 0xDA: 2, 0xDC: 2}.get(first, 0)
    size = int.from_bytes(stream.read(wide), "big") if wide else first & (0x0F if first < 0xA0 else 0x1F)
    if 0xCC <= first <= 0xCF:
        return size
    if first < 0xA0 or first == 0xDC:
        return [_unpack(stream) for _ in range(size)]
    return stream.read(size) if first in (0xC4, 0xC5) else stream.read(size).decode()


def varint(value):
    """Return unsigned LEB128."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


def hashed(algorithm, *parts):
    """Return hashlib's hash object of the parts, each after its length in four bytes."""
    return hashlib.new(algorithm, b"".join(len(part).to_bytes(4, "big") + part for part in parts))


def hpke_open(key, sealed, info):
    """Open one message of HPKE, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, empty aad."""
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_128_GCM)
    return suite.decrypt(sealed, X25519PrivateKey.from_private_bytes(key.raw), info)


def shapes(module, table):
    """Enter types: each line is NAME(PARENT) FIELD..."""
    for line in table.strip().splitlines():
        name, *fields = line.split()
        name, _, parent = name.rstrip(")").partition("(")
        kinds = SHAPES[parent][2] if parent in SHAPES else {parent}
        SHAPES[name] = f"{module}.{name}", fields, {name, *kinds}


def fact(array):
    """Return a fact: its fields by their names, its type as `kind`, and what is encoded as `array`."""
    return SimpleNamespace(kind=array[0], array=array, **dict(zip(SHAPES[array[0]][1], array[1:], strict=True)))


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
rule(f"{RATCHET}.exchange_as_b", "Private ?Pair")(lambda own, pair: exchange_as_a(own, pair, "b", "a"))


@rule(f"{RATCHET}.exchange_as_a", "Private ?Pair")
def exchange_as_a(own, pair, mine="a", theirs="b"):
    """Return what two keys share."""
    require(own.public == getattr(pair, mine), "the pair has another key")
    other = X25519PublicKey.from_public_bytes(getattr(pair, theirs))
    value = X25519PrivateKey.from_private_bytes(own.raw).exchange(other)
    return [["FirstShared" if pair.kind == "FirstPair" else "Shared", pair.a, pair.b, value]]


@rule(f"{RATCHET}.turn", "Root Shared ?Answers")
def turn(root, shared, answers):
    """Return the next root and the chain that it begins, verified on the first message of that chain."""
    require(root.newest == shared.a == answers.to, "the root waits for another answer")
    require((answers.session, answers.chain) == (root.session, shared.b), "the answer is of another session or chain")
    value = HKDF(SHA256(), 64, root.value, b"WhisperRatchet").derive(shared.value)
    first, chain = fact(answers.first), ["ChainKey", shared.b, 0, value[32:]]
    require(first.n <= 1000, "the first message is too many steps ahead")
    for _ in range(first.n + 1):
        key, chain = step(fact(chain), None)
    open_message(first, fact(key))
    return [["Root", root.session, shared.b, value[:32]], ["ChainKey", shared.b, 0, value[32:]]]


@rule(f"{RATCHET}.step", "ChainKey ?Slot")
def step(chain, slot):
    """Return a message key and the next chain key, of a ratchet or of a sender."""
    require(slot is None or (slot.chain, slot.n) == (chain.chain, chain.n), "the slot is of another message")
    key, following = (hmac.digest(chain.value, byte, "sha256") for byte in (b"\1", b"\2"))
    return [["MessageKey", chain.chain, chain.n, key], [chain.kind, chain.chain, chain.n + 1, following]]


@rule(f"{RATCHET}.open_message", "Message MessageKey")
def open_message(message, key):
    """Return the plaintext of a message."""
    require((message.chain, message.n) == (key.chain, key.n), "the key is of another message")
    framed = message.associated + message.chain + varint(message.pn) + varint(message.n)
    return [["Plaintext", OPENERS[message.committing](key.value, message.sealed, framed)]]


@rule("escrow.e2ee.content.unpack", "Plaintext")
def content(plaintext):
    """Return the content of a plaintext, and the sender's chain inside it."""
    found = unpack(plaintext.body)
    require(found[0] in ("Text", "Distribution"), "the plaintext encodes no content")
    return [found, *([fact(found).chain] if found[0] == "Distribution" else [])]


@rule(f"{ENVELOPE}.open_field", "Envelope Private")
def open_field(field, key):
    """Return the message key in a field."""
    require(field.agent == key.public, "the field is sealed to another key")
    return [["MessageKey", field.chain, field.n, hpke_open(key, field.sealed, pack(field.array[1:7]))]]


def files_of(folder):
    """Return the files of a folder by name, after a check of names, sizes and digests."""
    require((folder / "MANIFEST").exists(), "no MANIFEST: give the folder of one proof, whose name is a SHA-256")
    manifest = read(folder / "MANIFEST", folder.name, 0, 1 << 15)
    form = re.compile(r"([0-9a-f]{64})  (0|[1-9][0-9]{0,8})  ([A-Za-z0-9_][A-Za-z0-9_. -]{0,99})\n")
    listed = {name: (digest, int(size)) for digest, size, name in form.findall(manifest.decode("ascii"))}
    again = "".join(f"{listed[name][0]}  {listed[name][1]}  {name}\n" for name in sorted(listed))
    require(again.encode() == manifest, "MANIFEST: a line is malformed, or in another's place")
    require(set(os.listdir(folder)) == {*listed, "MANIFEST"}, "MANIFEST: it lists other files")
    require({name for name in listed if not name.endswith(".py")} == NAMES, "MANIFEST: it lists no proof")
    require(sum(size for _, size in listed.values()) <= 1 << 26, "MANIFEST: it lists too many bytes")
    return {name: read(folder / name, digest, size, size) for name, (digest, size) in listed.items()}


def read(path, digest, least, most):
    """Return the bytes of a regular file, if they are not more or fewer, and have this SHA-256."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        require(least <= (size := os.fstat(file.fileno()).st_size) <= most, f"{path.name}: {size} bytes, not {most}")
        data = file.read(size)
    require(hashlib.sha256(data).hexdigest() == digest, f"{path.name}: another SHA-256 than {digest}")
    return data


def rows(files, name):
    """Return the JSON values of a file, one a line, without spaces, a key twice, or fields in another order."""
    found = [json.loads(line) for line in files[name].splitlines()]
    ordered = [{field: row[field] for field in LINES.get(name, row) if field in row} for row in found]
    again = "".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in ordered)
    require(again.encode() == files[name], f"{name}: not canonical JSON, one value a line, its fields in order")
    return found


def execute(statement, facts, steps):
    """Return the value of every fact and step, each step recomputed."""
    seized = {(each["principal"], min(each["evenings"])) for each in statement["coalition"]}
    lines, values = facts + steps, []
    for at, line in enumerate(lines):
        try:
            made = fact(unpack(bytes.fromhex(line["encoding"])))
            again = {"type": SHAPES[made.kind][0], "encoding": pack(made.array).hex()}
            require(line == line | again, "it is encoded in another way, or of another type")
            if at >= len(facts):
                check(line, lines, values, made)
            elif "holder" in line or "evening" in line:
                require("packet" not in line and (line["holder"], line["evening"]) in seized, "it is not seized")
        except (Refused, LookupError, TypeError, ValueError, AttributeError, OverflowError, InvalidTag) as error:
            raise Refused(f"facts.jsonl and steps.jsonl, line {at + 1} of both: {error!r}") from error
        values.append(made)
    return values


def check(step, lines, values, made):
    """Recompute one step, which is said to make this fact."""
    require(all(0 <= at < len(values) for at in step["premises"]), "a premise does not precede it")
    premises = [values[at] for at in step["premises"]]
    takes, function = (SERVICES if "answer" in step else RULES)[step["rule"]]
    takes = takes[:-1] + [takes[-1].rstrip("*")] * (len(premises) - len(takes) + 1 if takes[-1][-1] == "*" else 1)
    for kind, premise, at in zip(takes, premises, step["premises"], strict=True):
        require(kind.removeprefix("?") in SHAPES[premise.kind][2], f"{step['rule']} takes no {premise.kind}")
        known = premise.kind == "AuthorityKey" and premise.raw == hashed("sha256", b"escrow-lab stranger").digest()
        require(kind[0] == "?" or known or lines[at].keys() - {"type", "encoding"}, f"premise {at} is from no one")
    if "answer" in step:  # an honest official's secret is not in the folder: the answer is taken on trust
        signs = premises[-1].public == fact(premises[-2].order).authority
        require(signs and made.kind == function, "the warrant names another key, or no official answers so")
    else:
        require(pack(made.array) in map(pack, function(*premises)), "the rule gives another fact")


def verify(folder):
    """Return in a few words what the folder proves. Raise Refused."""
    files = files_of(folder)
    [statement], [cell], [scenario] = (rows(files, f"{name}.json") for name in ("statement", "cell", "scenario"))
    facts, steps, texts = (rows(files, name) for name in LINES)
    require(statement["schema"] == "escrow-lab/evidence/3", "statement.json: another version of the format")
    values = execute(statement, facts, steps)
    order = [(max(line.get("premises", [-1])), line["encoding"]) for line in facts + steps]
    require(len({code for _, code in order}) == len(order) and order == sorted(order), "steps.jsonl: lines lack order")
    used = {at for step in steps for at in step["premises"]} | {text["conclusion"] for text in texts}
    require(used == set(range(len(order))), "steps.jsonl: a line is not used")
    secret = hashlib.sha256(b"escrow-lab run %d" % scenario["seed"]).digest()
    for text in texts:
        drawn = hashed("shake_256", secret, b"text %d" % text["id"], (1).to_bytes(8, "big")).hexdigest(32)
        require(text["conclusion"] >= len(facts), "texts.jsonl: a text is given, or concluded by nothing")
        shown = values[text["conclusion"]]
        require(shown.kind == "Text" and shown.body.hex() == text["body"] == drawn, "texts.jsonl: it is another text")
    listed = [[text["id"] for text in texts], *(statement[name] for name in ("opened", "reached", "excluded"))]
    proven, opened, reached, excluded = map(set, listed)
    fit = proven <= opened <= reached >= excluded and bool(opened) == bool(proven)
    require(fit and all(each == sorted(set(each)) for each in listed), "statement.json: the sets do not fit")
    exposed = sum(number for side in cell["exposed"].values() for number in side.values())
    require(cell["excluded"] == len(excluded) and bool(reached) <= exposed <= len(reached), "cell.json: it miscounts")
    fits = {"AS CLAIMED": reached and not excluded, "HELD": not reached, "NOT_APPLICABLE": not reached}
    fits |= dict.fromkeys(("BREACH", "FAILS", "OUTSIDE MODEL", "CONCEDED", "AS PLAIN", "INCONCLUSIVE"), True)
    said = re.fullmatch(r"([A-Z_ ]+): (.*)\n", files["verdict.txt"].decode())
    require(said and said[2].isprintable() and fits.get(said[1]), "verdict.txt: not one line, or the sets do not fit")
    return f"{len(texts)} texts follow from {len(facts)} facts in {len(steps)} steps"


def main(folders):
    """Verify folders; stop at one that is refused."""
    sys.modules["verify_evidence"] = sys.modules[__name__]  # the name by which the families import it
    for family in sorted(Path(__file__).parent.glob("evidence_*.py")):
        importlib.import_module(family.stem)
    for folder in map(Path, folders):
        try:
            print(f"{folder}: {verify(folder)}")
        except (Refused, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            sys.exit(f"{folder}: refused: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])

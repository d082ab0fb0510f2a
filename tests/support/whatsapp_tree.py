"""The tree of WhatsApp's key directory, as its lookup and history proofs show it: for published examples only.

  hash   BLAKE3;  I(x) = length of x in 8 bytes ‖ x
  input  of the VRF: H(I(label) ‖ 1 fresh, 0 stale ‖ version in 8 bytes);  a node's label: 32 bytes of its output
  leaf   H(commitment ‖ epoch in 8 bytes),  commitment H(I(value) ‖ I(nonce)),  of a stale version H(0)
  node   H(H(left ‖ l) ‖ H(right ‖ l)),  l = H(length in bits, 4 bytes ‖ label);  the root published: H(root ‖ l)

Source: facebook/akd, configuration `whatsapp_v1`, at commit 4df9723c.
"""

from __future__ import annotations

from typing import NamedTuple

from blake3_chunk import blake3

from escrow.errors import Forged, Malformed
from escrow.primitives.vrf import SUITES

VRF = next(each for each in SUITES if each.name == "ECVRF-EDWARDS25519-SHA512-TAI")
FRESH, STALE = b"\1", b"\0"
NO_VALUE = blake3(b"\0")
Fields = dict[int, list]


def fields(data: bytes) -> Fields:
    """Return the fields of a protobuf message by number: integers and bytes, in the order in which they come."""
    found: Fields = {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            if at >= len(data):
                raise Malformed("a message ends within a number")
            byte, at = data[at], at + 1
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        value: int | bytes = number()
        if key & 7 not in (0, 2):
            raise Malformed("a field is an integer or bytes")
        if key & 7:
            if at + value > len(data):
                raise Malformed("a message ends within a field")
            value, at = data[at : at + value], at + value
        found.setdefault(key >> 3, []).append(value)
    return found


class NodeLabel(NamedTuple):
    """The first `bits` bits of 32 bytes, the others being 0."""

    raw: bytes
    bits: int

    @property
    def hash(self) -> bytes:
        return blake3(self.bits.to_bytes(4, "big") + self.raw)

    def bit(self, at: int) -> int:
        return self.raw[at >> 3] >> (7 - (at & 7)) & 1

    def begins(self, other: NodeLabel) -> bool:
        return self.bits <= other.bits and all(self.bit(at) == other.bit(at) for at in range(self.bits))


def label_in(data: bytes) -> NodeLabel:
    read = fields(data)
    return NodeLabel(read.get(1, [b""])[0].ljust(32, b"\0"), read.get(2, [0])[0])


def counted(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def place_of(key: bytes, label: bytes, kind: bytes, version: int, proof: bytes) -> NodeLabel:
    """Return the leaf's label that a VRF proof shows. Raise Forged or Malformed if it is none."""
    return NodeLabel(VRF.verify(key, blake3(counted(label) + kind + version.to_bytes(8, "big")), proof)[:32], 256)


def leaf_of(value: bytes, nonce: bytes, epoch: int) -> bytes:
    return blake3(blake3(counted(value) + counted(nonce)) + epoch.to_bytes(8, "big"))


def stale_leaf(epoch: int) -> bytes:
    return blake3(NO_VALUE + epoch.to_bytes(8, "big"))


def _node(left: tuple[bytes, NodeLabel], right: tuple[bytes, NodeLabel]) -> bytes:
    return blake3(blake3(left[0] + left[1].hash) + blake3(right[0] + right[1].hash))


def check_membership(root: bytes, label: NodeLabel, hashed: bytes, proof: bytes) -> None:
    """Return if the node with this label and hash is in the tree. Raise Forged if it is not."""
    read = fields(proof)
    if label_in(read[1][0]) != label or read[2][0] != hashed:
        raise Forged("the proof is of another node")
    at = hashed, label
    for step in reversed(read.get(3, [])):
        parts = fields(step)
        parent, beside = label_in(parts[1][0]), fields(parts[2][0])
        sibling = beside[2][0], label_in(beside[1][0])
        side = label.bit(parent.bits)
        if not parent.begins(label) or parts.get(3, [0])[0] != side:
            raise Forged("a step does not lie on the way to the node")
        at = _node(*((sibling, at) if side else (at, sibling))), parent
    if at[1].bits or blake3(at[0] + at[1].hash) != root:
        raise Forged("the proof leads to another root")


def check_absence(root: bytes, label: NodeLabel, proof: bytes) -> None:
    """Return if no leaf has this label. Raise Forged if the proof does not show it."""
    read = fields(proof)
    longest, children = label_in(read[2][0]), [fields(each) for each in read[3]]
    below = [(each[2][0], label_in(each[1][0])) for each in children]
    if label_in(read[1][0]) != label or not longest.begins(label):
        raise Forged("the proof is of another label")
    for at, (_, child) in enumerate(below):
        if not longest.begins(child) or child.bits <= longest.bits or child.bit(longest.bits) != at:
            raise Forged("a child does not stand below the longest prefix")
        if child.begins(label):
            raise Forged("a child lies on the way to the label")
    check_membership(root, longest, _node(*below), read[4][0])

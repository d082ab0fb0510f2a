"""How MLS writes what travels, and its trees of public keys (RFC 9420), for evidence_mls.py."""

import hashlib
from types import SimpleNamespace

from verify_evidence import require


class Reader:
    """Bytes that are read from the front; Refused where they end too early."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        """Return the next bytes."""
        self.at += size
        require(self.at <= len(self.data), "MLS: bytes are missing")
        return self.data[self.at - size : self.at]

    def number(self, size):
        """Return the next integer."""
        return int.from_bytes(self.take(size), "big")

    def opaque(self):
        """Return the bytes behind their length, which has 1, 2 or 4 bytes."""
        begin, first = self.at, self.number(1)
        size = 1 << (first >> 6)
        length = (first & 0x3F) << 8 * (size - 1) | self.number(size - 1)
        require(size < 8 and self.data[begin : self.at] == varint(length), "MLS: a length in another form")
        return self.take(length)

    def optional(self, read):
        """Return what stands behind a byte 1, or None for a byte 0."""
        return one_of({0: uint(0), 1: read}, 1)(self) or None


def whole(data, read):
    """Return what all the bytes are read as."""
    stream = Reader(data)
    found = read(stream)
    require(stream.at == len(data), "MLS: bytes are left over")
    return found


def varint(value):
    """Return a length in its shortest form."""
    size = 1 if value < 1 << 6 else 2 if value < 1 << 14 else 4
    return (size // 2 << 8 * size - 2 | value).to_bytes(size, "big")


def prefixed(data):
    """Return bytes after their length."""
    return varint(len(data)) + data


# --- what travels: each reader returns what it read; what is `kept` has its `parts`, and `raw`, its bytes ---


def one_of(readers, size):
    """Return a reader of a number, and what it says comes next."""
    return lambda stream: readers[stream.number(size)](stream)


def kept(read):
    """Return a reader that also keeps the bytes."""

    def reader(stream):
        begin = stream.at
        return SimpleNamespace(parts=read(stream), raw=stream.data[begin : stream.at])

    return reader


def several(*readers):
    """Return a reader of one thing after another."""
    return lambda stream: [read(stream) for read in readers]


def vector(read):
    """Return a reader of a list that stands behind its length in bytes."""

    def reader(stream):
        inside, found = Reader(stream.opaque()), []
        while inside.at < len(inside.data):
            found.append(read(inside))
        return found

    return reader


def uint(size):
    """Return a reader of an integer."""
    return lambda stream: stream.number(size)


opaque = Reader.opaque
source = one_of({1: uint(16), 2: uint(0), 3: opaque}, 1)
leaf = kept(several(opaque, opaque, one_of({1: opaque, 2: opaque}, 2), *[opaque] * 5, source, opaque, opaque))
parent = kept(several(opaque, opaque, vector(uint(4))))
sealed_secret = kept(several(opaque, opaque))
package = several(uint(2), uint(2), opaque, leaf, opaque, opaque)
psk = several(one_of({1: opaque, 2: several(uint(1), opaque, uint(8))}, 1), opaque)
new = several(opaque, uint(2), uint(2), opaque)
PROPOSALS = {1: package, 2: leaf, 3: uint(4), 4: psk, 5: new, 6: opaque, 7: opaque}
path = several(leaf, vector(several(opaque, vector(sealed_secret))))


def proposal(stream, given=None):
    """Read a proposal of a commit: its number and content, or 0 and the hash that names it."""
    given = one_of({1: uint(2), 2: uint(0)}, 1)(stream) if given is None else given
    return given, (PROPOSALS[given] if given else opaque)(stream)


def message(form, read):
    """Return a reader of a message of one wire format."""

    def reader(stream):
        require((stream.number(2), stream.number(2)) == (1, form), "MLS: another version or wire format")
        return read(stream)

    return reader


def committed(stream):
    """Read a public message with a commit, or one proposal: its sender's leaf, or None, its proposals, its path."""
    several(opaque, uint(8))(stream)
    kind, index = several(uint(1), uint(4))(stream) if stream.data[stream.at] < 3 else (stream.number(1), None)
    require(kind in range(1, 5) and stream.opaque() is not None and stream.data[stream.at] in (2, 3), "MLS: no commit")
    alone = stream.number(1) == 2
    proposals = [proposal(stream, stream.number(2))] if alone else vector(proposal)(stream)
    update = None if alone else stream.optional(path)
    several(*[opaque] * (1 + (update is not None) + (kind == 1)))(stream)
    return index if kind == 1 else None, proposals, update


context = several(uint(2), uint(2), opaque, uint(8), opaque, opaque, opaque)
group_info = several(kept(context), vector(several(uint(2), opaque)), opaque, uint(4), opaque)
private = several(opaque, uint(8), uint(1), opaque, opaque, opaque)
secrets = several(opaque, lambda stream: stream.optional(opaque), opaque)
welcome = several(uint(2), vector(several(opaque, sealed_secret)), opaque)


class Tree:
    """The ratchet tree of a group: leaf i is node 2i, and a parent stands between its children."""

    def __init__(self, info):
        [data] = [data for number, data in info[1] if number == 2]
        nodes = whole(data, vector(lambda stream: stream.optional(one_of({1: leaf, 2: parent}, 1))))
        kinds = all(node is None or len(node.parts) == (3 if at % 2 else 11) for at, node in enumerate(nodes))
        require(nodes and nodes[-1] and kinds, "MLS: a tree has no last node, or a leaf in a parent's place")
        self.leaves = 1 << (len(nodes) // 2).bit_length()
        self.nodes = nodes + [None] * (2 * self.leaves - 1 - len(nodes))
        require(self.hash(self.leaves - 1) == info[0].parts[4], "MLS: the tree is another group's")

    def hash(self, node):
        """Return the hash of the tree below a node."""
        shown = b"\1" + self.nodes[node].raw if self.nodes[node] else b"\0"
        if node % 2 == 0:
            return hashlib.sha256(b"\1" + (node // 2).to_bytes(4, "big") + shown).digest()
        return hashlib.sha256(b"\2" + shown + b"".join(prefixed(self.hash(each)) for each in children(node))).digest()

    def members(self):
        """Return the leaves that are not blank, by index."""
        return {at: leaf for at, leaf in enumerate(self.nodes[::2]) if leaf}

    def resolution(self, node):
        """Return the nodes whose keys reach every member below a node."""
        found = self.nodes[node]
        if found and node % 2:
            return [node, *(2 * each for each in found.parts[2])]
        if node % 2 == 0:
            return [node] if found else []
        return [each for child in children(node) for each in self.resolution(child)]

    def filtered(self, index):
        """Return the nodes above a leaf that have a member on the other side, each with its child there."""
        node, found = self.leaves - 1, []
        require(index < self.leaves, "MLS: there is no such leaf")
        while node != 2 * index:
            below, other = sorted(children(node), key=lambda child: not is_under(2 * index, child))
            found[:0] = [(node, other)] if self.resolution(other) else []
            node = below
        return found


def half(node):
    """Return how far the tree below a node reaches to each side."""
    return (node ^ (node + 1)) >> 1


def children(node):
    """Return the children of a parent."""
    step = (half(node) + 1) // 2
    return node - step, node + step


def is_under(node, above):
    """Return whether a node is another one, or stands under it."""
    return abs(node - above) <= half(above)

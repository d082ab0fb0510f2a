"""A key directory whose answers are the same for everybody, and proved, if all who ask compare the heads of its log.

  index      VRF(label, version): an index tells nobody which label it is of
  commitment HMAC(Kc, opening ‖ label ‖ version ‖ value), in a prefix tree; each new value of a label is a new version
  epoch      time ‖ root of the prefix tree: an entry of a Merkle log
  head       number of epochs, root of the log, time, and the directory's signature over them

Who keeps what, and who notices what:
  reader     the last head: a shorter, older or inconsistent one is refused
  owner      searches his own label in each epoch: another version or value than his is somebody else's key
  auditor    each epoch's change of the prefix tree: nothing is taken out or replaced
  two of them who compare heads: a directory that shows two logs (a split view)

Source: IETF draft "Key Transparency Protocol" (draft-ietf-keytrans-protocol, text of August 2026) for index, commitment
and the binary ladder; its log hashes entries without the prefix of RFC 9162, which is used here. The framing of answers
and the audit are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from escrow import crypto
from escrow.codec import Fact, Public
from escrow.errors import Forged, Malformed
from escrow.primitives.vrf import P256
from escrow.transparency import merkle, prefix

VRF = P256("ECVRF-P256-SHA256-TAI", 1)
OPENING = 16  # bytes
_COMMITTING = bytes.fromhex("d821f8790d97709796b4d7903357c3f5")
_HEAD = b"escrow-lab tree head"
_VERSIONS = 1 << 32


class Head(Fact, frozen=True):
    """What a directory signs in each epoch: how many there are, the log's root (32 bytes), milliseconds since 1970."""

    size: int
    root: Public
    time: int
    signature: Public

    @property
    def signed(self) -> bytes:
        """Return the bytes that are signed."""
        return _HEAD + self.size.to_bytes(8, "big") + self.root + self.time.to_bytes(8, "big")


class VersionProof(Fact, frozen=True):
    """One version of a label: its index, proved, and what the prefix tree holds there."""

    proof: Public
    search: prefix.TreeSearch


class Lookup(Fact, frozen=True):
    """What a directory says of a label: its newest value, and why that is the newest.

    `time` and `tree` are the newest epoch's, and `inclusion` its place in the log. `steps` are the versions searched,
    and `opening` (16 bytes) opens the commitment to `value`.
    """

    time: int
    tree: Public
    inclusion: tuple[Public, ...]
    steps: tuple[VersionProof, ...]
    opening: Public = b""
    value: Public = b""


class Audited(Fact, frozen=True):
    """What an auditor is told of an epoch: its time, what changed in the prefix tree, and its place in the log."""

    time: int
    change: prefix.Change
    inclusion: tuple[Public, ...]


def newest(holds: Callable[[int], bool]) -> int | None:
    """Return the newest version, by the search that directory and readers share, or None if there is none.

    It asks for versions 0, 1, 3, 7 … up to the first that is not held, then halves what is between. Whoever asks the
    same tree is told the same answers, so no two readers of one tree can be told two newest versions.
    """
    low, high = -1, 0
    while high < _VERSIONS and holds(high):
        low, high = high, 2 * high + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low if low >= 0 else None


def _input(label: bytes, version: int) -> bytes:
    if len(label) > 255:
        raise Malformed("a label has at most 255 bytes")
    return bytes([len(label)]) + label + version.to_bytes(4, "big")


def commitment(opening: bytes, label: bytes, version: int, value: bytes) -> bytes:
    """Return the commitment (32 bytes) to a value, under an opening of 16 random bytes."""
    return crypto.hmac256(_COMMITTING, opening + _input(label, version) + value)


class Version(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One version of a label as the directory keeps it: where it stands in the tree, the proof of that, its value.

    `committed` is the commitment (32 bytes) that `opening` (16 bytes) opens to the value.
    """

    label: Public
    index: Public
    proof: Public
    committed: Public
    opening: Public
    value: Public


class Epoch(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One epoch as the directory keeps it: milliseconds since 1970, and the versions that are new in it."""

    time: int
    new: list[Version]


class VrfKey(Fact, frozen=True):
    """The key pair of the VRF: public point (33 bytes) and scalar (32 bytes)."""

    public: Public
    raw: bytes


class Kept(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """All that a directory keeps: its keys, and what each epoch added. Trees and log follow from it."""

    vrf: VrfKey
    signing: crypto.SigningKey
    epochs: list[Epoch]


def founded() -> Kept:
    """Return what a new directory keeps: fresh keys, and no epoch."""
    raw = crypto.random_bytes(32)
    return Kept(VrfKey(VRF.public(raw), raw), crypto.new_signing_key(), [])


class KeyDirectory:
    """The server: keys, all versions of all labels, the prefix tree of each epoch, the log of epochs."""

    def __init__(self, kept: Kept | None = None) -> None:
        """Take up what a directory kept, or found a new one."""
        self.kept = founded() if kept is None else kept
        self.vrf, self.key = self.kept.vrf.public, self.kept.signing.public
        self.values: dict[bytes, list[tuple[int, Version]]] = {}  # of a label, the versions and their epochs
        self.trees: list[prefix.Tree] = [None]  # before the first epoch, and after each
        self._log = merkle.Log()
        for epoch in self.kept.epochs:
            self._take(epoch)

    def _take(self, epoch: Epoch) -> None:
        leaves = [prefix.TreeLeaf(each.index, each.committed) for each in epoch.new]
        for each in epoch.new:
            self.values.setdefault(each.label, []).append((len(self._log), each))
        self.trees.append(prefix.extended(self.trees[-1], leaves))
        self._log.append(_entry(epoch.time, prefix.hash_of(self.trees[-1])))

    def fork(self, epochs: int | None = None) -> KeyDirectory:
        """Return a second directory with the same keys, and the past of so many epochs, or all; it may go on otherwise.

        The first must not have been changed behind its `kept`.
        """
        return KeyDirectory(Kept(self.kept.vrf, self.kept.signing, self.kept.epochs[:epochs]))

    def publish(self, new: Mapping[bytes, bytes], time: int) -> Head:
        """Begin an epoch with a new version of each of these labels, and return its head."""
        made = []
        for label, value in new.items():
            number, opening = len(self.values.get(label, [])), crypto.random_bytes(OPENING)
            index, proof = VRF.prove(self.kept.vrf.raw, _input(label, number))
            made.append(Version(label, index, proof, commitment(opening, label, number, value), opening, value))
        self.kept.epochs.append(Epoch(time, made))
        self._take(self.kept.epochs[-1])
        return self.head()

    def head(self, size: int | None = None) -> Head:
        """Return the head of the newest epoch, or of the first `size`. Raise ValueError if there is no such epoch."""
        size = len(self._log) if size is None else size
        if not 0 < size <= len(self._log):
            raise ValueError(f"there are {len(self._log)} epochs, and no head of {size}")
        bare = Head(size, self._log.root(size), self.kept.epochs[size - 1].time, b"")
        return Head(bare.size, bare.root, bare.time, self.kept.signing.sign(bare.signed))

    def consistency(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that the log of `new` epochs, or of all, begins with the first `old` ones.

        Raises:
            ValueError: not 0 < old ≤ new, or there are fewer epochs.
        """
        return tuple(self._log.consistency(old, len(self._log) if new is None else new))

    def newest_value(self, label: bytes) -> bytes | None:
        """Return the newest value of a label, or None if it has none."""
        return self.values[label][-1][1].value if label in self.values else None

    def answer(self, label: bytes, size: int | None = None) -> Lookup:
        """Return what the newest epoch, or the last of the first `size`, has of a label, proved.

        Raises:
            ValueError: there are fewer epochs, or none.
        """
        size = len(self._log) if size is None else size
        proof = tuple(self._log.inclusion(size - 1, size))
        held = [version for epoch, version in self.values.get(label, []) if epoch < size]
        tree, steps = self.trees[size], []

        def holds(version: int) -> bool:
            if version < len(held):
                index, shown = held[version].index, held[version].proof
            else:
                index, shown = VRF.prove(self.kept.vrf.raw, _input(label, version))
            steps.append(VersionProof(shown, found := prefix.search(tree, index)))
            return found.found is not None and found.found.index == index

        version = newest(holds)
        opening, value = (held[version].opening, held[version].value) if version is not None else (b"", b"")
        return Lookup(self.kept.epochs[size - 1].time, prefix.hash_of(tree), proof, tuple(steps), opening, value)

    def audited(self, epoch: int, size: int | None = None) -> Audited:
        """Return what an auditor is told of an epoch, from 0, under the head of `size` epochs, or of all.

        Raises:
            IndexError: there is no such epoch.
            ValueError: it is not among the first `size`.
        """
        changed = prefix.change(self.trees[epoch], self.trees[epoch + 1])
        proof = self._log.inclusion(epoch, len(self._log) if size is None else size)
        return Audited(self.kept.epochs[epoch].time, changed, tuple(proof))


def _entry(time: int, tree: bytes) -> bytes:
    if not 0 <= time < 1 << 63 or len(tree) != merkle.HASH:
        raise Malformed("an epoch has a time of 63 bits and the root of a tree, of 32 bytes")
    return time.to_bytes(8, "big") + tree


def value_in(head: Head, vrf: bytes, label: bytes, told: Lookup) -> tuple[int, bytes] | None:
    """Return the newest version and value of a label under this head, or None if the label has none.

    Raises:
        Malformed: a part has another length than it must have, or steps are missing or left over.
        Forged: the log, an index, a search or the value does not fit the head; the message says which.
    """
    merkle.check_inclusion(
        merkle.leaf_hash(_entry(told.time, told.tree)), head.size - 1, head.size, told.inclusion, head.root
    )
    left: Iterator[VersionProof] = iter(told.steps)
    held: dict[int, bytes] = {}

    def holds(version: int) -> bool:
        if (step := next(left, None)) is None:
            raise Malformed(f"the answer does not say whether there is version {version}")
        index = VRF.verify(vrf, _input(label, version), step.proof)
        if (found := prefix.committed(told.tree, index, step.search)) is not None:
            held[version] = found
        return found is not None

    version = newest(holds)
    if next(left, None) is not None:
        raise Malformed("the answer tells of versions that nobody asks for")
    if version is None:
        if told.opening or told.value:
            raise Malformed("the answer has a value of a label that it says has none")
        return None
    if len(told.opening) != OPENING:
        raise Malformed(f"the opening of a commitment is {OPENING} bytes")
    if commitment(told.opening, label, version, told.value) != held[version]:
        raise Forged("the value shown is not the one committed to")
    return version, told.value


class Follower:
    """A reader, an owner or an auditor: whoever keeps the last head that he saw."""

    def __init__(self, key: bytes, late: int) -> None:
        """`key` verifies heads (32 bytes); a head older than `late` milliseconds is refused."""
        self._key, self._late = key, late
        self.head: Head | None = None

    def follow(self, head: Head, proof: Sequence[bytes], now: int) -> None:
        """Take a newer head. `proof` leads from the last one to it, and is empty for the first.

        Raises:
            Malformed: a part has another length than it must have.
            Forged: the signature is wrong, or the head is older than allowed, older than the last, shorter, or of
                another log; the message says which.
        """
        check_head(self._key, head)
        if now - head.time > self._late:
            raise Forged(f"the head is {now - head.time} ms old, and at most {self._late} are allowed")
        if last := self.head:
            if head.size < last.size:
                raise Forged(f"the log went back from {last.size} epochs to {head.size}")
            if head.time < last.time:
                raise Forged("the head is from before the last one")
            merkle.check_consistency(last.size, last.root, head.size, head.root, proof)
        self.head = head

    def compare(self, other: Head, proof: Sequence[bytes]) -> None:
        """Hold the last head against one that somebody else saw; `proof` leads from the shorter to the longer.

        Raises:
            Forged: the other head is not signed, or the two are of two logs: the directory shows a split view.
        """
        check_head(self._key, other)
        if self.head is not None:
            old, new = sorted((self.head, other), key=lambda each: each.size)
            merkle.check_consistency(old.size, old.root, new.size, new.root, proof)


def check_head(key: bytes, head: Head) -> None:
    """Return if the directory signed the head. Raise Malformed for lengths and numbers, Forged for the signature."""
    if len(head.root) != merkle.HASH or not 0 < head.size < 1 << 63 or not 0 <= head.time < 1 << 63:
        raise Malformed("a head has a root of 32 bytes, and a size and a time of 63 bits")
    if not crypto.verify(key, head.signature, head.signed):
        raise Forged("the head is not signed by the directory")


def check_epoch(tree: bytes, epoch: int, told: Audited, head: Head) -> bytes:
    """Return the root of the prefix tree after an epoch, as an auditor who knows the root before it, `tree`.

    Raises:
        Malformed: a part has another length than it must have, or a leaf stands at the place of another.
        Forged: the change begins with another tree, or its result is not what the log holds.
    """
    before, after = prefix.roots(told.change)
    if before != tree:
        raise Forged("the change of the epoch begins with another tree")
    merkle.check_inclusion(merkle.leaf_hash(_entry(told.time, after)), epoch, head.size, told.inclusion, head.root)
    return after

"""The proofs of a key directory at a million labels: bytes and milliseconds of each kind, and of a whole lookup.

The labels' indexes are random, as the outputs of the VRF are: a million of those would take minutes. The VRF is
measured by itself. A directory with these labels and one real one is then asked, as a reader asks it, for the one and
for a label that it does not have.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import log2
from resource import RUSAGE_SELF, getrusage
from time import thread_time
from typing import NamedTuple, TypeVar

from escrow import codec
from escrow.transparency import merkle, prefix
from escrow.transparency.directory import VRF, Head, KeyDirectory, Lookup, value_in
from escrow.transparency.prefix import TreeLeaf

P = TypeVar("P")
SAMPLE = 400
LIMIT = 5  # milliseconds
LABEL, ABSENT, VALUE = b"a label", b"a label that nobody has", bytes(32)


class Proof(NamedTuple):
    """One kind of proof: the most bytes that one of the sample has, and the milliseconds to make and to check one."""

    kind: str
    size: int
    made: float
    checked: float
    whole: bool = False  # several proofs in one answer, which is reported and has no goal


def most_bytes(labels: int) -> float:
    """Return the goal for one proof among so many labels: 1 KB and 32 bytes a level."""
    return 1024 + 32 * log2(labels)


def _measured(kind: str, make: Sequence[Callable[[], P]], check: Callable[[int, P], object]) -> Proof:
    """Take each proof of a sample once. `check` is told which of them it is."""
    started = thread_time()
    proofs = [each() for each in make]
    made = thread_time()
    for at, proof in enumerate(proofs):
        check(at, proof)
    checked = thread_time()
    each = 1e3 / len(proofs)
    return Proof(
        kind, max(len(codec.encode(each)) for each in proofs), (made - started) * each, (checked - made) * each
    )


class Million:
    """The prefix tree of so many random labels, a log of as many entries, and the seconds and megabytes they took."""

    def __init__(self, labels: int) -> None:
        dice = self._dice = random.Random(1)
        started, before = thread_time(), getrusage(RUSAGE_SELF).ru_maxrss
        self.tree = prefix.tree_of(TreeLeaf(dice.randbytes(32), dice.randbytes(32)) for _ in range(labels))
        self.built, self.peak = thread_time() - started, (getrusage(RUSAGE_SELF).ru_maxrss - before) / 1024
        self.log = merkle.Log()
        for _ in range(labels):
            self.log.append(dice.randbytes(40))
        self.labels = labels

    def proofs(self) -> Iterator[Proof]:
        """Yield each kind of proof."""
        dice, size, root, log = self._dice, self.labels, prefix.hash_of(self.tree), self.log
        every = [each.index for each in prefix.leaves(self.tree)]
        for kind, asked in (
            ("membership", dice.choices(every, k=SAMPLE)),
            ("non-membership", [dice.randbytes(32) for _ in range(SAMPLE)]),
        ):
            yield self._searched(kind, asked, root)
        at, whole = [dice.randrange(1, size) for _ in range(SAMPLE)], log.root()
        olds = [log.root(old) for old in at]
        yield _measured(
            "consistency",
            [partial(log.consistency, old, size) for old in at],
            lambda i, proof: merkle.check_consistency(at[i], olds[i], size, whole, proof),
        )
        yield from self._lookups()

    def _searched(self, kind: str, asked: Sequence[bytes], root: bytes) -> Proof:
        def check(at: int, told: prefix.TreeSearch) -> None:
            found = prefix.committed(root, asked[at], told)
            assert (found is not None) == (kind == "membership")

        return _measured(kind, [partial(prefix.search, self.tree, each) for each in asked], check)

    def _lookups(self) -> Iterator[Proof]:
        directory, some = KeyDirectory(), range(max(SAMPLE // 20, 1))
        directory.trees[-1] = self.tree
        head = directory.publish({LABEL: VALUE}, 0)
        for kind, label in (("lookup of a label", LABEL), ("lookup of none", ABSENT)):
            told = [partial(directory.answer, label) for _ in some]
            yield _measured(kind, told, partial(self._read, directory.vrf, head, label))._replace(whole=True)
        secret = bytes(31) + b"\x07"
        public, inputs = VRF.public(secret), [b"%d" % each for each in some]
        yield _measured(
            "VRF",
            [partial(VRF.prove, secret, each) for each in inputs],
            lambda at, proved: VRF.verify(public, inputs[at], proved[1]),
        )._replace(whole=True)

    @staticmethod
    def _read(vrf: bytes, head: Head, label: bytes, at: int, answer: Lookup) -> object:
        return value_in(head, vrf, label, answer)

"""One AES-GCM ciphertext that opens under many keys, and what one can ask with it.

  salamander    two keys, one ciphertext: one free block of 16 bytes makes both tags equal
  k keys        k blocks and a tag
  partitioning  whoever tells whether a ciphertext opens tells in which half of all candidates its key is: a set of 2^b
                is searched in b queries

The one who is asked here opens each ciphertext with a key that was drawn from the candidates, and says only whether the
tag fits. That 10^6 candidates take 20 queries is the law of the measured ones: the blocks for 500,000 keys would take
hours here. CTX, which commits to its key, opens none of them.

Partitioning is no attack of the matrix, because it would add nothing there. All packets are public in the lab, so each
honest field under a key of few candidates is a test for all of them, and nobody has to be asked: such a key is guessed,
which `--work` limits.
Source: Dodis, Grubbs, Ristenpart and Woodage, CRYPTO 2018, section 3; Len, Grubbs and Ristenpart, "Partitioning Oracle
Attacks", USENIX Security 2021.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import ceil, log2

from attacks.kernels.many_keys import BLOCK, opened_by_all
from attacks.kernels.two_keys import fitted
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow.crypto import TAG, open_sealed, random_bytes
from escrow.errors import Forged
from escrow.primitives import committing
from escrow.scheme import Source

Oracle = Callable[[bytes], bool]
FRONT = 64  # bytes before the free block of a salamander


def opens(key: bytes, sealed: bytes, opened: Callable[[bytes, bytes, bytes], bytes] = open_sealed) -> bool:
    """Return whether a ciphertext opens under a key."""
    try:
        opened(key, sealed, b"")
    except Forged:
        return False
    return True


def searched(candidates: Sequence[bytes], oracle: Oracle) -> tuple[bytes, int]:
    """Return the key of an oracle among the candidates, and how many queries that took."""
    left, queries = list(candidates), 0
    while len(left) > 1:
        half = left[: len(left) // 2]
        left = half if oracle(opened_by_all(half)) else left[len(left) // 2 :]
        queries += 1
    return left[0], queries


class ManyKeys(Experiment):
    """Make ciphertexts of several keys, and search a set of keys by what they tell."""

    name = "many-keys"
    title = "One ciphertext, many keys: the salamander, and partitioning of a set of keys"
    source = Source("Len, Grubbs and Ristenpart", "Partitioning Oracle Attacks", 2021, "3", "the oracle")

    bits = (4, 8, 10)

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield under how many keys ciphertexts open, their lengths, and the queries that searches take."""
        yield from _salamander()
        keys = [random_bytes(32) for _ in range(8)]
        sealed = opened_by_all(keys)
        yield Figure(
            quantity="8 keys: those under which the ciphertext opens",
            measured=sum(opens(key, sealed) for key in keys),
            expected=8,
            formula="all",
        )
        yield Figure(
            quantity="8 keys: its blocks, with the tag's",
            measured=len(sealed) / BLOCK,
            expected=9,
            formula="k + 1",
        )
        yield Figure(
            quantity="8 keys: those under which it opens where keys are committed to",
            measured=sum(opens(key, sealed + bytes(TAG), committing.open_sealed) for key in keys),
            expected=0,
            formula="CTX",
        )
        sizes = (*self.bits, 12) if long else self.bits
        for done, bits in enumerate(sizes):
            progress(done, len(sizes), f"many-keys: 2^{bits} candidates")
            candidates = [random_bytes(32) for _ in range(1 << bits)]
            key = candidates[int.from_bytes(random_bytes(4), "big") % len(candidates)]
            found, queries = searched(candidates, partial(opens, key))
            yield Figure(
                quantity=f"2^{bits} candidates: queries until the key is known",
                measured=queries if found == key else 0,
                expected=bits,
                formula="log2 of the candidates",
            )
        yield Figure(
            quantity="10^6 candidates: queries, by the law of those above",
            measured=ceil(log2(10**6)),
            published=20,
            where="the authors' slides",
            note="An extrapolation: nothing was asked.",
        )


def _salamander() -> Iterator[Figure]:
    one, other, front = random_bytes(32), random_bytes(32), random_bytes(FRONT)
    sealed = fitted(one, other, b"", front)
    yield Figure(
        quantity="two keys: tags that verify, of one ciphertext",
        measured=sum(opens(key, sealed) for key in (one, other)),
        published=2,
        where="Dodis and others, section 3",
    )
    yield Figure(
        quantity="two keys: bytes beside the text and the tag",
        measured=len(sealed) - FRONT - TAG,
        published=16,
        where="Dodis and others, section 3",
        unit="bytes",
    )


EXPERIMENT = ManyKeys()

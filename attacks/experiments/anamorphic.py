"""Covert bits in an honest-looking envelope, although the authority holds every key.

  send       ephemeral keys are drawn until HMAC(dk, enc) begins with the b covert bits; the rest is made as ever
  read       the receiver computes the same HMAC;  dk is shared beforehand, and is all that the authority lacks
  law        2^b keys drawn on average
  test       the authority opens all envelopes, and looks for a bit of them that is not as often 1 as in honest ones

The bit is chosen on one half of the samples of each side and tried on the other, so that chance is not taken for a
difference. The same test is given a sampler with a fault: in one envelope of 16 it takes only keys whose first bit is
1. Source: Horel, Park, Richelson and Vaikuntanathan, ITCS 2019; Persiano, Phan and Yung, "Anamorphic Encryption:
Private Communication Against a Dictator", EUROCRYPT 2022. The channel by rejection is the simplest of its kind; that it
is over the envelopes of `envelope`, the test and the faulty sampler are ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import sqrt
from typing import NamedTuple

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow.crypto import Private, hmac256, new_private, random_bytes
from escrow.primitives import hpke
from escrow.scheme import Source

SUITE = hpke.Suite(hpke.X25519, hpke.AES_128_GCM)
INFO = b"an envelope"
BITS = 8 * 32  # of enc, which alone depends on what a sampler chooses
FAULTY = 16  # one envelope of so many


class Covert(NamedTuple):
    """An ephemeral key whose envelope carries the covert bits, and how many keys were drawn."""

    key: Private
    tries: int


def covert(dk: bytes, bits: int, wanted: int) -> Covert:
    """Draw ephemeral keys until HMAC(dk, enc) begins with these bits."""
    tries = 1
    while read(dk, bits, (key := new_private()).public) != wanted:
        tries += 1
    return Covert(key, tries)


def read(dk: bytes, bits: int, enc: bytes) -> int:
    """Return the covert bits of an envelope's first part, as a number."""
    return int.from_bytes(hmac256(dk, enc)[:4], "big") >> 32 - bits


def envelope(agent: bytes, secret: bytes, ephemeral: Private) -> bytes:
    """Return a key sealed to the agent, as clients of `envelope` do, with an ephemeral key that is given."""
    enc, sender = SUITE.sender(agent, INFO, ephemeral)
    return enc + sender.seal(secret, b"")


class Advantage(NamedTuple):
    """By how much more often the test says "covert" of the second sampler than of the first, and its standard error."""

    value: float
    error: float

    @property
    def interval(self) -> str:
        """The interval of 95 %."""
        return f"{self.value - 1.96 * self.error:+.4f} to {self.value + 1.96 * self.error:+.4f}"


def advantage(honest: list[bytes], other: list[bytes]) -> Advantage:
    """Choose the bit that differs most on one half of the samples, and return how much it differs on the other."""
    half = len(honest) // 2
    learnt = [one - two for one, two in zip(_ones(other[:half]), _ones(honest[:half]), strict=True)]
    at = max(range(BITS), key=lambda place: abs(learnt[place]))
    sign = 1 if learnt[at] >= 0 else -1
    shares = [_ones(each[half:])[at] / len(each[half:]) for each in (other, honest)]
    error = sqrt(sum(share * (1 - share) / half for share in shares))
    return Advantage(sign * (shares[0] - shares[1]), error)


def _ones(samples: list[bytes]) -> list[int]:
    """Return how many samples have a 1 at each place."""
    counts = [0] * BITS
    totals = [0] * 32
    for place in range(32):
        column = [each[place] for each in samples]
        for value in range(256):
            if times := column.count(value):
                totals[place] += times
                for bit in range(8):
                    counts[8 * place + bit] += times * (value >> 7 - bit & 1)
    return counts


class Anamorphic(Experiment):
    """Send covert bits in envelopes, count the keys drawn, and try to tell such envelopes from honest ones."""

    name = "anamorphic"
    title = "Covert bits in envelopes: what they cost, and that the holder of all keys cannot tell"
    source = Source("Persiano, Phan and Yung", "Anamorphic Encryption", 2022, "1", "the channel")

    messages = {4: 400, 8: 120, 10: 60}
    samples = 40_000  # of each side, half of them to choose the bit
    hidden = 1  # covert bits of each sample

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the keys drawn for 4, 8 and 10 covert bits, and the test's advantage with its interval."""
        times = 4 if long else 1
        for done, (bits, count) in enumerate(self.messages.items()):
            progress(done, 5, f"anamorphic: {bits} bits")
            yield from _channel(bits, count * times)
        dk, number = random_bytes(32), self.samples * times
        progress(3, 5, "anamorphic: samples")
        honest = [new_private().public for _ in range(number)]
        samplers: dict[str, tuple[Callable[[], bytes], float, str]] = {
            "covert bits": (lambda: covert(dk, self.hidden, random_bytes(1)[0] >> 8 - self.hidden).key.public, 0, "0"),
            "a faulty sampler": (_faulty, 1 / (2 * FAULTY), "half of one in 16"),
        }
        for what, (sampler, expected, formula) in samplers.items():
            found = advantage(honest, [sampler() for _ in range(number)])
            yield Figure(
                quantity=f"{what}: advantage of the authority's test",
                measured=found.value,
                error=found.error,
                expected=expected,
                formula=formula,
                note=f"95 %: {found.interval}, of {number // 2:,} samples a side, after as many to choose the bit.",
            )


def _channel(bits: int, count: int) -> Iterator[Figure]:
    agent, dk = new_private(), random_bytes(32)
    tries = right = opened = 0
    began = time.process_time()
    for _ in range(count):
        secret, wanted = random_bytes(32), int.from_bytes(random_bytes(4), "big") >> 32 - bits
        found = covert(dk, bits, wanted)
        sealed = envelope(agent.public, secret, found.key)
        tries += found.tries
        right += read(dk, bits, sealed[:32]) == wanted
        opened += hpke.open_(agent, sealed, INFO) == secret
    spent = (time.process_time() - began) / count
    mean = 1 << bits
    yield Figure(
        quantity=f"{bits} covert bits: keys drawn for an envelope",
        measured=tries / count,
        error=sqrt(mean * (mean - 1) / count),
        expected=mean,
        formula="2^b",
        note=f"{count} envelopes, none longer for it; {1000 * spent:.2g} ms of processor time each, on this machine.",
    )
    yield Figure(
        quantity=f"{bits} covert bits: envelopes of which the receiver reads them and the agent opens the key",
        measured=min(right, opened),
        expected=count,
        formula="all",
    )


def _faulty() -> bytes:
    """Return an ephemeral public key of a sampler that in one of 16 cases takes none whose first bit is 0."""
    public = new_private().public
    if random_bytes(1)[0] % FAULTY == 0:
        while not public[0] >> 7:
            public = new_private().public
    return public


EXPERIMENT = Anamorphic()

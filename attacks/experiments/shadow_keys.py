"""How many bits of a secret key of one's own fit into the key that one must escrow.

  modulus   T = 0x80 ‖ shadow ‖ random;  q = the next prime after T/p, so that n = p·q begins as T does
            the trustees hold p and q, and read what is sent to n; they do not hold the shadow key in n's bytes 1 to 32
  ground    a fair key in a fixed group: draw A until b bits of [A]G say what they should;  2^b draws
  failsafe  the same bits after the centre's B, fixed beforehand and unknown, is added: chance, 2^-b

Source: Kilian and Leighton, "Fair Cryptosystems, Revisited", CRYPTO '95. The planting into a modulus is our
construction, because the paper's own text was not available. RSA is raw (c = m^e mod n on a random m), because only the
holder of the factors is meant to open it, and padding does not matter here.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import NamedTuple

from Crypto.Util.number import isPrime

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow.crypto import Private, new_private, random_bytes
from escrow.errors import Forged
from escrow.primitives import group, hpke
from escrow.scheme import Source
from escrow.schemes.fair_keys.registration import shifted
from escrow.sharing import elgamal, feldman

BITS = 2048
E = 65537
_INFO = b"shadow key"


class Planted(NamedTuple):
    """A modulus and its factors, which are escrowed; the shadow key stays with its maker."""

    n: int
    p: int
    q: int
    shadow: Private

    @property
    def readable(self) -> bytes:
        """Bytes 1 to 32 of the modulus."""
        return self.n.to_bytes(BITS // 8, "big")[1:33]


def plant() -> Planted:
    """Return a modulus of 2,048 bits that carries a fresh X25519 public key."""
    shadow = new_private()
    top = b"\x80" + shadow.public
    while True:
        p = _prime_from(int.from_bytes(random_bytes(BITS // 16), "big") | 3 << BITS // 2 - 2)
        wanted = int.from_bytes(top + random_bytes(BITS // 8 - len(top)), "big")
        q = _prime_from(wanted // p + 1)
        if (p * q).to_bytes(BITS // 8, "big").startswith(top) and p % E != 1 != q % E:
            return Planted(p * q, p, q, shadow)


def _prime_from(least: int) -> int:
    candidate = least | 1
    while not isPrime(candidate):
        candidate += 2
    return candidate


def trustees_read(planted: Planted) -> tuple[bool, bool]:
    """Return whether the factors open what is sent to n, and whether they give the key that opens the shadow's mail."""
    secret = int.from_bytes(random_bytes(32), "big")
    d = pow(E, -1, (planted.p - 1) * (planted.q - 1))
    to_n = pow(pow(secret, E, planted.n), d, planted.n) == secret
    sealed = hpke.seal(planted.readable, b"between the two", _INFO)
    if hpke.open_(planted.shadow, sealed, _INFO) != b"between the two":
        raise Forged("the shadow key is not the one that was planted")
    halves = b"".join(each.to_bytes(BITS // 8, "big") for each in (planted.p, planted.q, d))
    pieces = (halves[at : at + 32] for at in range(0, len(halves), 32))
    return to_n, any(_opens(piece, sealed) for piece in pieces)


def _opens(raw: bytes, sealed: bytes) -> bool:
    try:
        hpke.open_(Private(hpke_public(raw), raw), sealed, _INFO)
    except Forged:
        return False
    return True


def hpke_public(raw: bytes) -> bytes:
    """Return the public half of an X25519 scalar (32 bytes)."""
    return Private(b"", raw).live.public_key().public_bytes_raw()


def ground(bits: int) -> tuple[int, bool]:
    """Return the draws until the low `bits` bits of a fair key are 0, and whether they still are after B is added."""
    mask, draws = (1 << bits) - 1, 0
    shift = group.random_scalar()  # the centre has committed to it
    while True:
        draws += 1
        _, commitments = feldman.deal(group.random_scalar(), 1, 1)
        if not commitments[0][-1] & mask:
            break
    final = shifted(elgamal.escrow_group(1, commitments), shift)
    return draws, not final.key[-1] & mask


class ShadowKeyCapacity(Experiment):
    """Measure the room for a shadow key in a modulus and in a key of a fixed group."""

    name = "shadow-keys"
    title = "Shadow public keys: room in a modulus, and in a fixed group"
    source = Source("Kilian and Leighton", "Fair Cryptosystems, Revisited", 1995, "shadow keys", "the planted key")
    in_pages = True

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield how many moduli carry a shadow key, what the trustees read, and the cost of each bit in a fair key."""
        moduli, runs, bits = (100, 2_000, (4, 6, 8)) if long else (5, 300, (4,))
        found = [plant() for _ in range(moduli)]
        read = [trustees_read(each) for each in found]
        for quantity, measured, expected, formula in (
            (
                "256 bits of one's own fit",
                sum(each.readable == each.shadow.public for each in found),
                moduli,
                "every modulus",
            ),
            ("trustees read what is sent to n", sum(normal for normal, _ in read), moduli, "every modulus"),
            (
                "trustees read what the shadow gets",
                sum(covert for _, covert in read),
                0,
                "0, since nobody deals a share of the planted key",
            ),
        ):
            yield Figure(quantity=f"{moduli} moduli: {quantity}", measured=measured, expected=expected, formula=formula)
        for done, width in enumerate(bits):
            progress(done, len(bits), f"{width} bits")
            yield from _ground(width, runs)


def _ground(width: int, runs: int) -> Iterator[Figure]:
    tried = [ground(width) for _ in range(runs)]
    mean, chance = 2.0**width, 2.0**-width
    yield Figure(
        quantity=f"fair key, {width} bits: keys drawn",
        measured=sum(draws for draws, _ in tried) / runs,
        error=sqrt(mean * (mean - 1) / runs),
        expected=mean,
        formula="2^b draws for b ground bits",
    )
    yield Figure(
        quantity=f"failsafe, {width} bits: keys that keep them",
        measured=sum(kept for _, kept in tried) / runs,
        error=sqrt(chance * (1 - chance) / runs),
        expected=chance,
        formula="2^-b, since the centre's share is added after the bits are ground",
    )


EXPERIMENT = ShadowKeyCapacity()

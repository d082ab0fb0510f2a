"""LEAF feedback in Clipper's own modes: the cost to two rogues of their different IVs.

  feed  the receiver's device made IV' with its LEAF; the mail came under IV
  ECB   has no IV
  CBC   decipher IV ‖ C from IV', drop the first block; CFB alike
  OFB   E(IV') is the CFB of a zero block; the CFB of E(IV') ⊕ IV, 0, 0, …
        gives IV and OFB's key stream; or ECB rebuilds it, a call a block

Nothing is searched for, and no device is asked to start from an IV other than its own. Blocks are random.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", preprint of 20 August 1994 for CCS '94,
section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attacks.experiments.blaze import new_chip
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow.crypto import random_bytes, xor_bytes
from escrow.errors import Forged
from escrow.primitives.skipjack import BLOCK, KEY, decrypt, encrypt
from escrow.scheme import Source
from escrow.schemes.clipper.chip import Chip
from escrow.schemes.clipper.leaf import IV

Blocks = list[bytes]
LENGTH, MESSAGES = 16, 20  # blocks of a message, messages
ZERO = bytes(BLOCK)


class EncryptionCard:
    """A device with a session key (10 bytes) and the IV (8 bytes) of a LEAF that its own chip made and then accepted.

    Every call starts from that IV. `blocks` counts the blocks processed, `calls` the calls. Raises Forged if the chip
    refuses its own LEAF.
    """

    def __init__(self, chip: Chip, ks: bytes) -> None:
        field = chip.generate_iv(ks)
        if not chip.load_iv(ks, field):
            raise Forged("the chip refuses a LEAF of its own making")
        self.ks, self.iv, self.blocks, self.calls = ks, field[:IV], 0, 0

    def encipher(self, mode: str, plain: Sequence[bytes]) -> Blocks:
        """Encrypt blocks of 8 bytes in "ecb", "cbc", "cfb" or "ofb"."""
        out, last = Blocks(), self._begin(plain)
        for block in plain:
            if mode == "ecb":
                out.append(encrypt(self.ks, block))
            elif mode == "cbc":
                out.append(last := encrypt(self.ks, xor_bytes(block, last)))
            else:
                stream = encrypt(self.ks, last)
                out.append(xor_bytes(block, stream))
                last = out[-1] if mode == "cfb" else stream
        return out

    def decipher(self, mode: str, sealed: Sequence[bytes]) -> Blocks:
        """Return the blocks that `encipher` encrypted from the same IV."""
        if mode == "ofb":
            return self.encipher(mode, sealed)
        before = [self._begin(sealed), *sealed]
        if mode == "cfb":
            return [xor_bytes(block, encrypt(self.ks, last)) for block, last in zip(sealed, before, strict=False)]
        opened = [decrypt(self.ks, block) for block in sealed]
        return opened if mode == "ecb" else [xor_bytes(*each) for each in zip(opened, before, strict=False)]

    def _begin(self, blocks: Sequence[bytes]) -> bytes:
        self.blocks, self.calls = self.blocks + len(blocks), self.calls + 1
        return self.iv


# --- how the receiver reads ciphertext from IV on a card that starts from another ---


def as_it_is(mode: str) -> Callable[[EncryptionCard, bytes, Blocks], Blocks]:
    """Decipher without a trick."""
    return lambda card, iv, sealed: card.decipher(mode, sealed)


def behind_a_dummy(mode: str) -> Callable[[EncryptionCard, bytes, Blocks], Blocks]:
    """Decipher with IV as a block before the ciphertext: in CBC and CFB a block depends only on the one before."""
    return lambda card, iv, sealed: card.decipher(mode, [iv, *sealed])[1:]


def by_feedback(card: EncryptionCard, iv: bytes, sealed: Blocks) -> Blocks:
    """Decipher OFB by two calls of CFB."""
    (hidden,) = card.encipher("cfb", [ZERO])
    stream = card.encipher("cfb", [xor_bytes(hidden, iv), *(ZERO for _ in sealed)])[1:]
    return [xor_bytes(*each) for each in zip(sealed, stream, strict=True)]


def block_by_block(card: EncryptionCard, iv: bytes, sealed: Blocks) -> Blocks:
    """Decipher OFB with ECB, one call for each block."""
    opened, last = Blocks(), iv
    for block in sealed:
        (last,) = card.encipher("ecb", [last])
        opened.append(xor_bytes(block, last))
    return opened


Trick = Callable[[EncryptionCard, bytes, Blocks], Blocks]
TRICKS: tuple[tuple[str, str, Trick, int], ...] = (
    ("ECB", "ecb", as_it_is("ecb"), 0),
    ("CBC, a dummy block before", "cbc", behind_a_dummy("cbc"), 1),
    ("CFB, a dummy block before", "cfb", behind_a_dummy("cfb"), 1),
    ("OFB, rebuilt with ECB", "ofb", block_by_block, 0),
)


def tried(mode: str, trick: Trick, messages: int = MESSAGES) -> tuple[int, int, int]:
    """Return (wrong blocks, extra blocks through the receiver's device, its calls), over all messages."""
    wrong = extra = calls = 0
    here, there = new_chip(), new_chip()
    for _ in range(messages):
        ks, plain = random_bytes(KEY), [random_bytes(BLOCK) for _ in range(LENGTH)]
        sender, receiver = EncryptionCard(here, ks), EncryptionCard(there, ks)
        opened = trick(receiver, sender.iv, sender.encipher(mode, plain))
        wrong += sum(a != b for a, b in zip(opened, plain, strict=True))
        extra, calls = extra + receiver.blocks - LENGTH, calls + receiver.calls
    return wrong, extra, calls


class BlazeModes(Experiment):
    """Count what two rogues pay in each mode because their IVs differ."""

    name = "blaze-modes"
    title = "LEAF feedback: what two rogues pay for differing IVs"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "2")
    in_pages = True

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the wrong blocks, extra blocks and device calls of each mode."""
        for mode, wrong in (("ecb", 0), ("cbc", 1), ("cfb", 1), ("ofb", LENGTH)):
            measured = tried(mode, as_it_is(mode))[0] / MESSAGES
            yield _figure(
                f"{mode.upper()}, nothing done: wrong blocks of {LENGTH}",
                measured,
                wrong,
                "after another IV, no block is wrong in ECB, one in CBC and CFB, every one in OFB",
            )
        for name, mode, trick, extra in TRICKS:
            wrong, more, _ = tried(mode, trick)
            yield _figure(f"{name}: wrong blocks", wrong, 0, "no wrong block")
            yield _figure(f"{name}: extra blocks a message", more / MESSAGES, extra, "one dummy block at most")
        wrong, more, calls = tried("ofb", by_feedback)
        yield _figure("OFB, from CFB: wrong blocks", wrong, 0, "no wrong block")
        yield _figure(
            "OFB, from CFB: device calls a message", calls / MESSAGES, 2, "two calls, of one extra block each"
        )
        yield _figure(
            "OFB, from CFB: extra blocks, one a call", more / MESSAGES, 2, "two calls, of one extra block each"
        )


def _figure(quantity: str, measured: float, expected: float, formula: str) -> Figure:
    made = f"{MESSAGES} messages of {LENGTH} random blocks under fresh keys and IVs, with Skipjack."
    return Figure(quantity=quantity, measured=measured, expected=expected, formula=formula, note=made)


EXPERIMENT = BlazeModes()

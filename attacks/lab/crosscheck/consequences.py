"""What follows from what by single calls of the door: results from arguments, and whatever can be undone.

  call     all inputs -> each result; of a permutation, an exclusive or, a sum also backwards
  seal     key, nonce, associated data, ciphertext -> plaintext, also of what nobody opened
  stream   two ciphertexts under one key and nonce, and one plaintext -> the other plaintext
  mix      one string and its exclusive or with a key -> the key, wherever that was computed; also with a few bytes that
           are repeated, which whoever has the string tries
  agree    an agreement of (a, B) holds for (b, A) too, for each b whose public half is B; so does a decapsulation

Nothing leads to what was drawn: the run's secret is nobody's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise

from escrow import crypto
from escrow.run import Call

CALL, SEAL, STREAM, MIX, AGREE = "call", "seal", "stream", "mix", "agree"

Consequence = tuple[str, tuple[bytes, ...], bytes]  # the edge's name, its premises, its conclusion


def consequences(call: Call) -> Iterator[Consequence]:
    """Yield what follows from what by one call: its results, and backwards where an operation can be undone."""
    name, inputs = call.operation, call.inputs
    for result in call.outputs:
        if name == "seal":
            *keys, plaintext = inputs
            yield SEAL, (*keys, result), plaintext
        elif name in UNDONE:
            yield CALL, inputs, result
            for at in UNDONE[name](len(inputs)):
                yield CALL, (*inputs[:at], *inputs[at + 1 :], result), inputs[at]
        elif inputs:  # what was drawn has none, and follows from nothing
            yield CALL, inputs, result


UNDONE: dict[str, Callable[[int], Iterable[int]]] = {  # which inputs follow from the result and the other inputs
    "xor": lambda _: (0, 1),
    "skipjack": lambda _: (1,),
    "skipjack-open": lambda _: (1,),
    "p256-combine": lambda size: range(size // 2),  # the scalars; behind them stand their factors
}
KEYS = {"x25519": "x25519-key", "p256-exchange": "p256-key", "p256-multiply": "p256-base"}  # where halves are paired


class Halves:
    """Which private key has which public half: as the door told, or tried out on all strings of 32 bytes."""

    def __init__(self, calls: Iterable[Call], strings: Iterable[bytes]) -> None:
        self._public: dict[tuple[str, bytes], bytes] = {}
        self._private: dict[tuple[str, bytes], bytes] = {}
        calls = [each for each in calls if each.outputs]
        for each in calls:
            if each.operation in {*KEYS.values(), "ml-kem-key"}:
                self._pair(each.operation, each.inputs[0], each.outputs[0])
        kind, used = KEYS["x25519"], [each.inputs for each in calls if each.operation == "x25519"]
        missing = {public for _, public in used if (kind, public) not in self._private}
        own = [private for private, _ in used] if missing else []
        for raw in chain(own, (each for each in strings if missing)):  # the own ones are seldom not enough
            if len(raw) == 32 and (kind, raw) not in self._public:
                self._pair(kind, raw, crypto.Private(b"", raw).live.public_key().public_bytes_raw())
                missing.discard(self._public[kind, raw])

    def _pair(self, kind: str, private: bytes, public: bytes) -> None:
        self._public[kind, private] = public
        self._private.setdefault((kind, public), private)

    def mirrored(self, call: Call) -> Iterator[Consequence]:
        """Yield how the holder of the other private half comes to the same: an agreement, or a decapsulation."""
        if not call.outputs:
            return
        if call.operation == "ml-kem-encapsulate":
            own, (ciphertext, secret) = self._private.get(("ml-kem-key", call.inputs[0])), call.outputs
            if own is not None:
                yield AGREE, (own, ciphertext), secret
        elif kind := KEYS.get(call.operation):
            private, public = call.inputs if call.operation != "p256-multiply" else call.inputs[::-1]
            theirs, mine = self._private.get((kind, public)), self._public.get((kind, private))
            if theirs is not None and mine is not None:
                yield AGREE, (theirs, mine), call.outputs[0]


def streams(calls: Iterable[Call]) -> Iterator[tuple[Consequence, Call]]:
    """Yield what follows where one key and nonce sealed several plaintexts: their exclusive or lies open."""
    under: dict[tuple[bytes, bytes], list[Call]] = defaultdict(list)
    for each in calls:
        if each.operation == "seal" and each.outputs:
            under[each.inputs[0], each.inputs[1]].append(each)
    for together in under.values():
        together.sort(key=lambda each: len(each.inputs[3]), reverse=True)
        for longer, shorter in pairwise(together):
            both = longer.outputs[0], shorter.outputs[0]
            if both[0] != both[1]:
                yield (STREAM, (longer.inputs[3], *both), shorter.inputs[3]), shorter
                if len(longer.inputs[3]) == len(shorter.inputs[3]):
                    yield (STREAM, (shorter.inputs[3], *both), longer.inputs[3]), longer


def mixed(
    keys: Iterable[bytes], strings: Iterable[bytes], results: Iterable[bytes]
) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield (one, other, key) wherever a key is the exclusive or of two strings, or of a string and a call's result.

    All are of 8 to 64 bytes.
    """
    sought, of_length, others = map(_numbers, (keys, strings, results))
    for size, wanted in sought.items():
        alike, beside = of_length.get(size, {}), others.get(size, {})
        all_of = beside | alike
        fewer, more = sorted((wanted, all_of), key=len)
        for number in fewer:
            for found in filter(more.__contains__, map(number.__xor__, alike)):
                one, (key, other) = number ^ found, (number, found) if fewer is wanted else (found, number)
                if other not in alike or one <= other:
                    yield alike[one], all_of[other], wanted[key]


def _numbers(strings: Iterable[bytes]) -> dict[int, dict[int, bytes]]:
    """Return the strings of 8 to 64 bytes that are not all zero by their numbers, by length."""
    found: dict[int, dict[int, bytes]] = defaultdict(dict)
    for each in strings:
        if 8 <= len(each) <= 64 and any(each):
            found[len(each)][int.from_bytes(each, "big")] = each
    return found


def masked(keys: Iterable[bytes], strings: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield (string, key) wherever a string is a key of 8 to 64 bytes, mixed with the same few bytes over and over.

    These are 4 bytes, or 1 where the key has fewer than 12.
    """
    of_rest: dict[tuple[int, int], bytes] = {}
    for each in strings:
        if 8 <= len(each) <= 64:
            of_rest.setdefault(_rest(each), each)
    for key in keys:
        if 8 <= len(key) <= 64 and (found := of_rest.get(_rest(key), key)) != key:
            yield found, key


def _rest(string: bytes) -> tuple[int, int]:
    """Return the length of a string, and what is left of it where its first bytes are mixed into all that follow."""
    word = string[: 4 if len(string) >= 12 else 1]
    over = (word * len(string))[: len(string)]
    return len(string), int.from_bytes(string, "big") ^ int.from_bytes(over, "big")

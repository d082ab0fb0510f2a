"""The one order of a proof: facts by their encodings, and each step as soon as all that it needs stands before it.

Numbers go from the facts on to the steps. Of two steps, the one whose last premise has the lower number stands first;
if that is the same one, the one with the lower encoding. So no two folders hold the same proof in another order.

  facts a, d    b <- step(d), c <- step(a, b)    numbers: a 0, d 1, b 2 (last premise 1), c 3 (last premise 2)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence


def place(premises: Sequence[int], encoding: str) -> tuple[int, str]:
    """Return the key by which a proof's steps are sorted: the last premise's number (-1 for none), the encoding."""
    return max(premises, default=-1), encoding


def ordered(encodings: Mapping[int, str], premises: Mapping[int, Sequence[int]]) -> list[int]:
    """Return all keys of a proof's facts and steps in their order.

    Args:
        encodings: of each fact and step, by any key.
        premises: of each step, by its key; no step may rest on itself.
    """
    waiting = {key: set(needed) for key, needed in premises.items()}
    users = defaultdict(list)
    for key, needed in waiting.items():
        for each in needed:
            users[each].append(key)
    found = sorted(encodings.keys() - premises.keys(), key=encodings.__getitem__)
    found += sorted((key for key, needed in waiting.items() if not needed), key=encodings.__getitem__)
    for key in found:  # it grows
        for each in users[key]:
            waiting[each].discard(key)
        found += sorted((each for each in users[key] if not waiting[each]), key=encodings.__getitem__)
    return found

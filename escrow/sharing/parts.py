"""What all keys held in shares have in common: which parts fit, the choice of t of them, and what those give.

  share key   Y_i = [x_i]G = Σ [i^k]A_k       of the commitments A_0 … A_{t−1}
  key         x = Σ λ_i x_i                   over any t shares
  point       [x]R = Σ λ_i [x_i]R             over any t proven partials

`elgamal` has a dealer and one sharing for good; `epochs` and `tdh2` have sharings that are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from escrow.errors import Forged
from escrow.primitives import group
from escrow.sharing import shamir
from escrow.sharing.blame import Blame, Blamed

UNPROVEN, UNFIT = "its proof does not hold", "its share does not fit"


class Holders(Protocol):
    """The holders of a key: n members, under t commitments (33 bytes each), where t of them are needed."""

    @property
    def n(self) -> int:
        """The number of members."""

    @property
    def commitments(self) -> tuple[bytes, ...]:
        """The commitments to the polynomial; the first is the public key."""


class Part(Protocol):
    """A value of one member."""

    @property
    def index(self) -> int:
        """The member's index, from 1."""


P = TypeVar("P", bound=Part)


@lru_cache(maxsize=4096)
def share_key(of: Holders, index: int) -> bytes:
    """Return Y_i (33 bytes). Raise Forged if there is no such member."""
    if not 1 <= index <= of.n:
        raise Forged(f"there is no member {index} among {of.n}")
    return group.horner(of.commitments, index)


def mark_proven(part: Any, key: bytes) -> None:
    """Note beside a partial that its proof holds under this share key: whoever made it need not verify it."""
    _keep(part, _verdict(True, key))


def is_proven(part: Any, key: bytes, verify: Callable[[], bool]) -> bool:
    """Return the verdict of `verify` on a partial's proof under this share key.

    It is kept beside the fact, as a loaded key is, because a gate admits a member before it is combined.
    """
    if part.__dict__.get("judged_by") != key:
        _keep(part, _verdict(verify(), key))
    return bool(part.__dict__["fits"])


@lru_cache(maxsize=4096)
def _verdict(fits: bool, key: bytes) -> dict[str, object]:
    """Return a verdict, which is never changed: one object for all partials of a share, as it is larger than they."""
    return {"fits": fits, "judged_by": key}


def _keep(part: Any, verdict: dict[str, object]) -> None:
    """Make the verdict all that is beside a partial, whose class has `dict=True` and caches nothing else there."""
    at = next(vars(base)["__dict__"] for base in type(part).__mro__ if "__dict__" in vars(base))
    at.__set__(part, verdict)  # nothing else sets it on a frozen struct


def choose(t: int, parts: Iterable[P], fault: Callable[[P], str]) -> dict[int, P]:
    """Return the first t parts of distinct index in which `fault` finds no fault.

    Raise Blamed, naming the others, if there are fewer.
    """
    chosen: dict[int, P] = {}
    blames = []
    for part in parts:
        if len(chosen) == t:
            break
        if wrong := fault(part):
            blames.append(Blame(part.index, wrong))
        else:
            chosen.setdefault(part.index, part)
    if len(chosen) < t:
        raise Blamed(f"{len(chosen)} of the {t} that are needed", blames)
    return chosen


def whole_key(shares: Mapping[int, Any]) -> bytes:
    """Return x (scalar, 32 bytes), from chosen shares, whose `raw` are scalars."""
    return group.scalar_bytes(shamir.combine({index: group.scalar(share.raw) for index, share in shares.items()}))


def whole_point(partials: Mapping[int, Any]) -> bytes:
    """Return [x]R (33 bytes), from chosen partials, whose `value` are points."""
    return group.multi((part.value for part in partials.values()), group.lagrange(tuple(partials)))


def coefficients(t: int, values: Mapping[int, int]) -> list[int]:
    """Return the coefficients of the polynomial through the first t of {index: value}. Raise Forged if fewer."""
    if len(values) < t:
        raise Forged(f"{len(values)} of the {t} that are needed")
    return shamir.interpolate(dict(list(values.items())[:t]))

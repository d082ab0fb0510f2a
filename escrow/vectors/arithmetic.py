"""The two arithmetics of P-256 compared, and which of them runs here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from escrow.errors import Forged
from escrow.primitives import group, p256_pycryptodome
from escrow.primitives.group import Arithmetic, Q


class ArithmeticComparison(NamedTuple):
    """Which arithmetic runs; the other, or why there is none; how many answers were compared, and which differ."""

    runs: str
    other: str
    answers: int
    different: tuple[str, ...]

    def __str__(self) -> str:
        if self.different:
            return f"{self.runs}; {self.other} gives another answer for {self.different[0]}"
        return (
            f"{self.runs}, as {self.other} on {self.answers} answers" if self.answers else f"{self.runs}; {self.other}"
        )


def compare_arithmetics() -> ArithmeticComparison:
    """Return what OpenSSL's and pycryptodome's arithmetic give for the same arguments, edge cases included."""
    runs = group.arithmetic.NAME
    try:
        from escrow.primitives import p256_openssl
    except ImportError as error:
        return ArithmeticComparison(runs, str(error), 0, ())
    pairs = zip(_answers(p256_openssl), _answers(p256_pycryptodome), strict=True)
    told = [(name, answer == same) for (name, answer), (_, same) in pairs]
    other = p256_pycryptodome.NAME if runs == p256_openssl.NAME else p256_openssl.NAME
    return ArithmeticComparison(runs, other, len(told), tuple(name for name, alike in told if not alike))


def _answers(of: Arithmetic) -> Iterator[tuple[str, bytes]]:
    """Yield (what was asked, the point or nothing where it is refused)."""
    scalars = (1, 2, 3, Q // 2, Q - 2, Q - 1, 0x1F2E3D4C5B6A79880123456789ABCDEF << 100)
    points = [of.base(k) for k in scalars]
    bad = bytes(33)
    asked: list[tuple[str, Callable[[], bytes]]] = []
    for k in (0, *scalars):
        asked += [(f"[{k}]P", partial(of.multiply, point, k)) for point in (points[1], points[-1], bad)]
        asked += [(f"[{k}]P + [5]R", partial(of.multiply_two, point, k, points[1], 5)) for point in points[:3]]
    asked += [("P + R", partial(of.add, [one, other])) for one in points for other in points]
    asked += [(f"a polynomial at {x}", partial(of.horner, points, x)) for x in (1, 2, 100)]
    asked += [("a sum of multiples", partial(of.multi, points, [k - m for k in range(7)])) for m in (0, 3, Q // 3)]
    yield from ((f"[{k}]G", point) for k, point in zip(scalars, points, strict=True))
    for name, work in asked:
        try:
            yield name, work()
        except Forged:
            yield name, b""

"""P-256, Shamir's polynomials, GJKR, a refresh and TDH2 once more, from the papers, over Python's integers and hashlib.

Nothing of `escrow` is used. As in by_hand.py, whatever differs from a transcript is an AssertionError. Points are
affine pairs, the neutral element None; the encodings and tags are those that the modules' docstrings state.
"""

from __future__ import annotations

import hashlib
from functools import cache, reduce
from typing import Any

Values = dict[str, Any]
Point = tuple[int, int] | None

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
Q = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


# --- the group ---


def plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x, y), (u, v) = one, other
    if x == u and (y + v) % P == 0:
        return None
    slope = (3 * x * x - 3) * pow(2 * y, -1, P) if one == other else (v - y) * pow(u - x, -1, P)
    third = (slope * slope - x - u) % P
    return third, (slope * (x - third) - y) % P


@cache
def times(k: int, point: Point = G) -> Point:
    total: Point = None
    for bit in f"{k % Q:b}":
        total = plus(total, total)
        total = plus(total, point) if bit == "1" else total
    return total


def encoded(point: Point) -> bytes:
    assert point is not None
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def point_of(data: bytes) -> Point:
    x = int.from_bytes(data[1:], "big")
    y = pow(x**3 - 3 * x + B, (P + 1) // 4, P)
    assert y * y % P == (x**3 - 3 * x + B) % P
    assert len(data) == 33
    return x, y if y % 2 == data[0] - 2 else P - y


def total(points: list[bytes]) -> bytes:
    return encoded(reduce(plus, map(point_of, points)))


def number(raw: bytes) -> int:
    assert len(raw) == 32
    return int.from_bytes(raw, "big")


def raw(value: int) -> bytes:
    return (value % Q).to_bytes(32, "big")


def prefixed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def hashed(tag: str, *parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(prefixed(b"escrow-lab P-256 " + tag.encode(), *parts)).digest(), "big") % Q


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(prefixed(*parts)).digest()


# --- polynomials ---


def drawn(piece: bytes) -> list[int]:
    """Scalars of 48 bytes each."""
    return [int.from_bytes(piece[at : at + 48], "big") % Q for at in range(0, len(piece), 48)]


def value_at(coefficients: list[int], index: int) -> int:
    return sum(a * index**k for k, a in enumerate(coefficients)) % Q


def at_zero(shares: dict[int, int]) -> int:
    """Lagrange's formula."""
    weighed = 0
    for i, share in shares.items():
        term = share
        for j in shares:
            term = term * j * pow(j - i, -1, Q) % Q if j != i else term
        weighed += term
    return weighed % Q


def any_two(shares: list[bytes]) -> set[int]:
    held = {index: number(each) for index, each in enumerate(shares, 1)}
    return {at_zero({i: held[i], j: held[j]}) for i in held for j in held if i < j}


# --- GJKR and the refresh ---


def walk_run(case: Values) -> None:
    """Every value of a run, from what each member draws."""
    h = point_of(bytes.fromhex(PEDERSEN_H))
    t, members = case["t"] - (case["kind"] == "refresh"), range(1, case["n"] + 1)
    dealt = []
    for member in case["members"]:
        values, blindings = map(drawn, member["drawn"])
        assert (len(values), len(blindings)) == (t, t)
        assert member["values"] == list(map(raw, values))
        assert member["blindings"] == list(map(raw, blindings))
        points = [plus(times(a), times(b, h)) for a, b in zip(values, blindings, strict=True)]
        assert member["commitments"] == list(map(encoded, points))
        assert member["feldman"] == [encoded(times(a)) for a in values]
        sent = [{"value": raw(value_at(values, j)), "blinding": raw(value_at(blindings, j))} for j in members]
        assert member["shares"] == sent
        dealt.append(values)
    sums = [sum(value_at(values, j) for values in dealt) for j in members]
    assert [member["sum"] for member in case["members"]] == list(map(raw, sums))
    joint = [total([member["feldman"][k] for member in case["members"]]) for k in range(t)]
    (walk_refresh if case["kind"] == "refresh" else walk_key)(case, sums, joint)
    assert any_two(case["after"]["shares"]) == {number(case["secret"])}
    assert encoded(times(number(case["secret"]))) == case["key"] == case["after"]["commitments"][0]


def walk_key(case: Values, sums: list[int], joint: list[bytes]) -> None:
    assert case["session"] == b"transcript of a key generation"
    assert case["after"] == {"epoch": 0, "n": case["n"], "commitments": joint, "shares": list(map(raw, sums))}


def walk_refresh(case: Values, sums: list[int], joint: list[bytes]) -> None:
    assert case["session"] == b"transcript of a refresh"
    before = case["before"]
    shares = [raw(number(old) + j * each) for j, (old, each) in enumerate(zip(before["shares"], sums, strict=True), 1)]
    moved = [before["commitments"][0], *map(total, zip(before["commitments"][1:], joint, strict=True))]
    assert case["after"] == {"epoch": before["epoch"] + 1, "n": case["n"], "commitments": moved, "shares": shares}
    assert any_two(before["shares"]) == {number(case["secret"])}
    assert before["n"] == case["n"]
    slope = number(before["shares"][1]) - number(before["shares"][0])
    assert before["commitments"] == [case["key"], encoded(times(slope))]


PEDERSEN_H = "03d750045a411dc806ff5a48fe6924ff0c74401ceac05a71657b5994e714600dc1"


# --- TDH2 ---


def walk_tdh2(case: Values) -> None:
    """Every value, from the shares, the message and what the sender draws."""
    assert (case["name"], case["t"], case["n"]) == ("two of three", 2, 3)
    held = {index: number(each) for index, each in enumerate(case["shares"], 1)}
    assert any_two(case["shares"]) == {number(case["secret"])}
    assert case["commitments"] == [case["key"], encoded(times(held[2] - held[1]))]
    assert case["key"] == encoded(times(number(case["secret"])))
    r, s = drawn(case["drawn"])
    bar = point_of(case["g_bar"])
    assert (case["r"], case["s"]) == (raw(r), raw(s))
    assert case["point"] == encoded(times(r, point_of(case["key"])))
    mask = sha256(b"escrow-lab TDH2 H1", case["point"])
    assert case["masked"] == bytes(a ^ b for a, b in zip(mask, case["message"], strict=True))
    assert (case["u"], case["u_bar"]) == (encoded(times(r)), encoded(times(r, bar)))
    assert (case["w"], case["w_bar"]) == (encoded(times(s)), encoded(times(s, bar)))
    statement = (case[name] for name in ("key", "masked", "label", "u", "w", "u_bar", "w_bar"))
    e = hashed("TDH2 H2", *statement)
    assert case["proof"] == raw(e) + raw(s + r * e)
    parts = [case[name] for name in ("masked", "label", "u", "u_bar", "proof")]
    assert case["ciphertext"] == b"".join(parts)
    assert case["context"] == sha256(b"escrow-lab TDH2", case["key"], *parts)
    for (index, share), part in zip(held.items(), case["partials"], strict=True):
        walk_partial(case, index, share, part)


def walk_partial(case: Values, index: int, share: int, part: Values) -> None:
    u, value = point_of(case["u"]), times(share, point_of(case["u"]))
    statement = (case["context"], encoded(times(share)), case["u"], encoded(value))
    nonce = hashed("dleq nonce", raw(share), *statement)
    c = hashed("dleq", *statement, encoded(times(nonce)), encoded(times(nonce, u)))
    proof = raw(c) + raw(nonce + c * share)
    assert part == {"epoch": case["epoch"], "index": index, "value": encoded(value), "proof": proof}

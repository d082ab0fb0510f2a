"""Hashing to P-256: the published answers that ship and those that do not, and what the construction promises."""

import hashlib

import pytest
from external import vectors as external
from hypothesis import given, settings
from hypothesis import strategies as st

from escrow import vectors
from escrow.primitives import group, hash_to_curve
from escrow.primitives.hash_to_curve import A, B, P, expand, map_to_curve
from escrow.sharing import pedersen, tdh2

CURVE = "hash-to-curve/P256_XMD_SHA-256_SSWU_RO_.json"
some = settings(max_examples=40, deadline=None)


def compressed(point: dict) -> str:
    x, y = int(point["x"], 16), int(point["y"], 16)
    return (bytes([2 + y % 2]) + x.to_bytes(32, "big")).hex()


def test_the_shipped_answers_are_the_published_ones():
    published = external(CURVE)
    shipped = vectors.load("hash_to_curve")["cases"]
    assert len(shipped) == len(published["vectors"]) == 5
    for case, vector in zip(shipped, published["vectors"], strict=True):
        assert bytes.fromhex(case["tag"]).decode() == published["dst"]
        assert bytes.fromhex(case["message"]).decode() == vector["msg"]
        assert [int(u, 16) for u in case["u"]] == [int(u, 16) for u in vector["u"]]
        assert case["q"] == [compressed(vector["Q0"]), compressed(vector["Q1"])]
        assert case["point"] == compressed(vector["P"])


def test_the_non_uniform_suite_maps_one_element():
    """P256_XMD:SHA-256_SSWU_NU_ is the same map of one field element, without the addition."""
    published = external(CURVE.replace("RO", "NU"))
    assert len(published["vectors"]) == 5
    for vector in published["vectors"]:
        (u,) = hash_to_curve.field_elements(vector["msg"].encode(), published["dst"].encode(), 1)
        assert [u] == [int(each, 16) for each in vector["u"]]
        assert map_to_curve(u).hex() == compressed(vector["P"])


def test_expansion_gives_the_published_bytes():
    """Both hashes. A tag of 256 bytes is longer than any that this library hashes under, and refused."""
    counted = 0
    for name, hashing in (
        ("expand_message_xmd_SHA256_38", hashlib.sha256),
        ("expand_message_xmd_SHA256_256", hashlib.sha256),
        ("expand_message_xmd_SHA512_38", hashlib.sha512),
    ):
        published = external(f"hash-to-curve/{name}.json")
        tag = published["DST"].encode()
        for test in published["tests"]:
            length = int(test["len_in_bytes"], 16)
            if len(tag) > 255:
                with pytest.raises(ValueError, match="255"):
                    expand(test["msg"].encode(), tag, length, hashing)
            else:
                assert expand(test["msg"].encode(), tag, length, hashing).hex() == test["uniform_bytes"]
                counted += 1
    assert counted == 20


def test_an_expansion_of_more_blocks_than_a_byte_counts_is_refused():
    assert len(expand(b"", b"tag", 255 * 32)) == 8160
    with pytest.raises(ValueError, match="8160"):
        expand(b"", b"tag", 8161)


@some
@given(st.integers(0, P - 1))
def test_every_field_element_maps_to_a_point_with_the_elements_parity(u):
    point = group.check(map_to_curve(u))
    assert point[0] == 2 + u % 2
    assert point[1:] == map_to_curve(P - u if u else 0)[1:]  # ±u share their x-coordinate


def test_the_exceptional_elements_map_to_points():
    """u = 0 and the roots of Z²u⁴ + Zu², where the formula would divide by zero."""
    exceptional = [0]
    if pow(pow(10, -1, P), (P - 1) // 2, P) == 1:
        root = pow(pow(10, -1, P), (P + 1) // 4, P)
        exceptional += [root, P - root]
    for u in exceptional:
        x = int.from_bytes(group.check(map_to_curve(u))[1:], "big")
        assert pow(x**3 + A * x + B, (P - 1) // 2, P) == 1


@some
@given(st.binary(max_size=80), st.binary(min_size=1, max_size=40))
def test_messages_and_tags_are_kept_apart(message, tag):
    points = {
        hash_to_curve.hash_to_curve(*each) for each in ((message, tag), (message + b"x", tag), (message, tag + b"x"))
    }
    assert len(points) == 3


def test_the_second_generators_are_what_their_strings_hash_to():
    """Pinned, and all different: nobody chose them, so nobody knows their logarithms."""
    assert pedersen.H.hex() == PEDERSEN
    assert tdh2.G_BAR.hex() == TDH2
    assert len({pedersen.H, tdh2.G_BAR, group.GENERATOR}) == 3


PEDERSEN = "03d750045a411dc806ff5a48fe6924ff0c74401ceac05a71657b5994e714600dc1"
TDH2 = "0312a9eaf27cb373755701407b67388f217de03e844af949ab0d3de2a0906fa1f7"

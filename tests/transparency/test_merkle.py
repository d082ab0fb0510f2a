"""Merkle proofs: published cases, agreement with the definition, and every proof that was changed is refused."""

import hashlib
from base64 import b64decode

import external
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escrow.errors import Forged, Malformed
from escrow.transparency.merkle import Log, check_consistency, check_inclusion, leaf_hash


def grown(size):
    """A log of so many entries, each its number."""
    log = Log()
    for each in range(size):
        log.append(str(each).encode())
    return log


def defined(entries):
    """The root by RFC 9162, section 2.1.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + defined(entries[:k]) + defined(entries[k:])).digest()


def test_published_proofs_are_accepted_and_refused_as_published():
    ran = {True: 0, False: 0}
    for name, case in external.vectors("merkle/all.json").items():
        proof = [b64decode(each) for each in case["proof"] or []]
        root = {key: b64decode(case[key] or "") for key in case if key.startswith("root")}

        def check(case=case, proof=proof, root=root):
            if "leafHash" in case:
                check_inclusion(
                    b64decode(case["leafHash"] or ""), case["leafIdx"], case["treeSize"], proof, root["root"]
                )
            else:
                check_consistency(case["size1"], root["root1"], case["size2"], root["root2"], proof)

        if case["wantErr"]:
            with pytest.raises((Forged, Malformed)):
                check()
        else:
            check()
        ran[case["wantErr"]] += 1
        assert name.split("/")[0] in ("inclusion", "consistency")
    assert sum(ran.values()) == 196
    assert ran[False] >= 10


@given(st.integers(0, 70))
def test_the_root_is_the_one_defined(size):
    assert grown(size).root() == defined([str(each).encode() for each in range(size)])


@given(st.integers(1, 70), st.data())
def test_each_entry_has_a_proof_and_no_other_entry_or_index_or_size_fits_it(size, data):
    log, index = grown(size), data.draw(st.integers(0, size - 1))
    proof, root = log.inclusion(index, size), log.root()
    check_inclusion(leaf_hash(str(index).encode()), index, size, proof, root)
    with pytest.raises((Forged, Malformed)):
        check_inclusion(leaf_hash(b"another"), index, size, proof, root)
    if size > 1:
        other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index))
        with pytest.raises((Forged, Malformed)):
            check_inclusion(leaf_hash(str(index).encode()), other, size, proof, root)


@given(st.integers(1, 70), st.integers(0, 70), st.data())
def test_a_log_extends_what_it_was_and_nothing_else(old, more, data):
    log = grown(old + more)
    proof = log.consistency(old, old + more)
    check_consistency(old, log.root(old), old + more, log.root(), proof)
    fork = grown(old)
    fork.append(b"another")
    for _ in range(more - 1):
        fork.append(b"more")
    if more:
        changed = defined([b"changed", *(str(each).encode() for each in range(1, old))])
        with pytest.raises(Forged):
            check_consistency(old, changed, old + more, log.root(), proof)
        with pytest.raises(Forged):
            check_consistency(old, log.root(old), old + more, fork.root(), proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        with pytest.raises((Forged, Malformed)):
            check_consistency(old, log.root(old), old + more, log.root(), [*proof[:at], *proof[at + 1 :]])


def test_what_is_not_there_has_no_proof():
    log = grown(5)
    for wrong in (lambda: log.inclusion(5, 5), lambda: log.inclusion(0, 6), lambda: log.consistency(0, 5)):
        with pytest.raises(ValueError):
            wrong()

"""Results that a run keeps: the same bytes as without, bounded, told to the observer all the same, and its own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escrow import crypto
from escrow.crypto import Call, Results, Run
from escrow.errors import Forged
from escrow.primitives import group, hpke, skipjack
from escrow.primitives.group import Q


def work() -> list[object]:
    """Every operation that keeps its result, some of them refused."""
    private, key = crypto.new_private(), crypto.new_signing_key()
    point, other = group.base(5), group.base(7)
    signature = key.sign(b"message")
    done: list[object] = [private, key, point, other, signature, private.exchange(crypto.new_private().public)]
    done += [crypto.verify(key.public, signature, each) for each in (b"message", b"another")]
    done += [crypto.verify(key.public, bytes(64), b"message"), crypto.verify(b"no key", signature, b"message")]
    done += [group.multiply(point, 9), group.add(point, other), group.multi([point, other], [3, Q - 2])]
    done += [group.horner([point, other], 3), group.horner([other, point], 3), group.commitment(point, 2, other, 4)]
    for secret, value in ((9, group.multiply(point, 9)), (9, other), (8, other), (0, other), (9, bytes(33))):
        proof = group.dleq_prove(secret, group.base(9), point, value, b"context")
        done += [proof, group.dleq_verify(group.base(9), point, value, proof, b"context")]
    done += [skipjack.decrypt(bytes(10), sealed := skipjack.encrypt(bytes(10), bytes(8))), sealed]
    sealed = hpke.seal_repeatably(private.public, b"message", b"info", bytes(9), key.raw)
    done += [sealed, hpke.open_(private, sealed, b"info"), hpke.open_(private, hpke.seal(private.public, b"one"))]
    for refused in (
        lambda: hpke.open_(private, sealed, b"another"),
        lambda: private.exchange(bytes(32)),
        lambda: group.multiply(bytes(33), 3),
        lambda: group.multiply(point, 0),
        lambda: group.add(point, group.negate(point)),
    ):
        with pytest.raises(Forged):
            refused()
    return done


def test_what_is_recalled_is_what_was_computed():
    """Three runs of one secret over one set of results give what runs without any give."""
    results = Results()
    with crypto.running(Run(b"secret")):
        alone = work()
    for _ in range(3):
        with crypto.running(Run(b"secret", results=results)):
            assert work() == alone
    with crypto.running(Run(b"another", results=results)):
        assert work() != alone


def test_the_second_run_computes_nothing(monkeypatch):
    results = Results()
    with crypto.running(Run(b"secret", results=results)):
        point = group.base(5)
        expected = group.multiply(point, 3), group.horner([point, point], 2)
    for name in ("multiply", "horner"):
        monkeypatch.setattr(group.arithmetic, name, lambda *_: pytest.fail("computed again"))
    with crypto.running(Run(b"secret", results=results)):
        assert (group.multiply(point, 3), group.horner([point, point], 2)) == expected


def test_without_a_run_nothing_is_kept(monkeypatch):
    """Neither outside runs nor in one that was given no results."""
    counted: list[tuple[object, ...]] = []
    real = group.arithmetic.multiply
    monkeypatch.setattr(group.arithmetic, "multiply", lambda *given: counted.append(given) or real(*given))
    point = group.base(5)
    for _ in range(2):
        group.multiply(point, 3)
    with crypto.running(Run(b"secret")):
        for _ in range(2):
            group.multiply(point, 3)
    assert len(counted) == 4


def test_the_observer_is_told_of_what_is_recalled():
    """Exact counts do not depend on what is kept."""
    results, told = Results(), []
    for _ in range(2):
        heard: list[Call] = []
        with crypto.running(Run(b"secret", heard.append, results)):
            work()
        told.append(heard)
    assert told[0] == told[1]
    assert {"x25519", "ed25519-sign", "ed25519-verify", "p256-multiply", "p256-multi"} <= {
        call.operation for call in told[0]
    }


def test_an_inner_run_shares_the_results_of_the_run_around_it():
    results, inner = Results(), Run(b"inner")
    with crypto.running(Run(None, results=results)), crypto.running(inner):
        assert inner.results is results
    own = Run(b"inner", results=Results())
    with crypto.running(Run(None, results=results)), crypto.running(own):
        assert own.results is not results


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 20), max_size=80), st.integers(1, 6))
def test_results_are_bounded_and_the_last_ones_kept(asked, most):
    results, computed = Results(most), []

    def double(k: int) -> int:
        computed.append(k)
        return 2 * k

    for at, k in enumerate(asked):
        before = len(computed)
        assert results.recalled(("double", k), double, k) == 2 * k
        assert len(results.newer) + len(results._older) <= 2 * most
        recent = list(dict.fromkeys(reversed(asked[:at])))[:most]
        assert (len(computed) == before) or k not in recent


def test_an_exception_is_not_kept():
    results, calls = Results(), []

    def refuse() -> None:
        calls.append(1)
        raise Forged("no")

    for _ in range(2):
        with pytest.raises(Forged):
            results.recalled(("refuse",), refuse)
    assert len(calls) == 2


def test_the_two_ends_of_an_agreement_compute_it_once(monkeypatch):
    """Also with a key whose public half is another's: what counts is the private half."""
    one, other = crypto.private_of(bytes(31) + b"1"), crypto.private_of(bytes(31) + b"2")
    expected = one.exchange(other.public)
    calls: list[bytes] = []
    real = crypto.Private._exchanged
    monkeypatch.setattr(crypto.Private, "_exchanged", lambda key, to: calls.append(to) or real(key, to))
    with crypto.running(Run(b"secret", results=Results())):
        assert one.exchange(other.public) == other.exchange(one.public) == expected
        assert crypto.Private(other.public, one.raw).exchange(other.public) == expected
        assert len(calls) == 1
        assert crypto.Private(one.public, other.raw).exchange(other.public) == real(other, other.public) != expected
        with pytest.raises(Forged):
            crypto.Private(one.public, b"short").exchange(other.public)


def test_a_signature_that_was_made_in_a_run_is_not_computed_again(monkeypatch):
    """A false one is; and whether it is valid depends on the private half that signed."""
    key, other = crypto.new_signing_key(), crypto.new_signing_key()
    with crypto.running(Run(b"secret", results=Results())):
        mixed = crypto.SigningKey(other.public, key.raw).sign(b"mixed")
        signature = key.sign(b"message")
        assert not crypto.verify(other.public, mixed, b"mixed")
        assert not crypto.verify(key.public, signature, b"another")
        monkeypatch.setattr(crypto, "_verified", lambda *_: pytest.fail("computed again"))
        assert crypto.verify(key.public, signature, b"message")
        assert crypto.verify(key.public, mixed, b"mixed")

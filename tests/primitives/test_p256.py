"""The two arithmetics of P-256 give the same bytes and refuse the same arguments, whatever these are."""

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from escrow.errors import Forged
from escrow.primitives import p256_pycryptodome
from escrow.primitives.group import Q

p256_openssl = pytest.importorskip("escrow.primitives.p256_openssl", exc_type=ImportError)

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
EDGES = [0, 1, 2, 3, Q // 2, Q // 2 + 1, Q - 2, Q - 1, 1 << 16, (1 << 16) - 1, 1 << 255]
SCALARS = st.integers(0, Q - 1) | st.integers(0, 40) | st.sampled_from(EDGES)
SIGNED = SCALARS.map(lambda k: k - Q // 2) | st.integers(-40, 40)
GOOD = st.integers(1, 12).map(p256_pycryptodome.base) | st.integers(Q - 12, Q - 1).map(p256_pycryptodome.base)
NEARLY = st.tuples(st.integers(0, 7), st.integers(0, 40) | st.integers(P - 2, P + 40)).map(
    lambda each: bytes([each[0]]) + each[1].to_bytes(32, "big")
)
POINTS = GOOD | GOOD | GOOD | NEARLY | st.binary(max_size=70) | st.sampled_from([b"", b"\0", bytes(33), b"\xff" * 33])
pairs = settings(max_examples=150, deadline=None)
G = p256_pycryptodome.base(1)
MINUS_G = p256_pycryptodome.base(Q - 1)


def same(name: str, *arguments: object) -> None:
    """Both give the same bytes, or both say Forged in the same words."""
    one, other = (_given(getattr(module, name), arguments) for module in (p256_openssl, p256_pycryptodome))
    assert one == other, (name, arguments)


def _given(function: Callable[..., object], arguments: tuple[object, ...]) -> object:
    try:
        return function(*arguments)
    except Forged as error:
        return str(error)


@pairs
@given(st.integers(1, Q - 1) | st.sampled_from(EDGES[1:]))
def test_base(k):
    same("base", k)


@pairs
@given(POINTS)
def test_check(point):
    same("check", point)


@pairs
@given(POINTS, SCALARS)
@example(G, 0)
@example(MINUS_G, Q - 1)
def test_multiply(point, k):
    same("multiply", point, k)


@pairs
@given(POINTS, SCALARS, POINTS, SCALARS)
@example(G, 5, G, Q - 5)  # the neutral element
@example(G, 5, G, 5)  # a point and itself
@example(G, 5, MINUS_G, 5)  # a point and its inverse
@example(MINUS_G, 7, MINUS_G, 7)
@example(G, 0, G, 0)
@example(G, 0, G, 9)
@example(MINUS_G, 9, G, 0)
def test_multiply_two(point, k, other, m):
    same("multiply_two", point, k, other, m)


@pairs
@given(st.lists(POINTS, min_size=1, max_size=5))
@example([G, G])
@example([G, MINUS_G])
@example([G, MINUS_G, G])
@example([G, G, MINUS_G, MINUS_G])
def test_add(points):
    same("add", points)


@pairs
@given(st.lists(st.tuples(POINTS, SIGNED), max_size=5))
@example([])
@example([(G, 0)])
@example([(G, 1), (MINUS_G, 1)])
@example([(G, 1), (G, -1)])
@example([(G, 1 << 16), (G, -(1 << 16)), (MINUS_G, -3)])
def test_multi(terms):
    same("multi", [point for point, _ in terms], [k for _, k in terms])


@pairs
@given(st.lists(POINTS, min_size=1, max_size=6), st.integers(1, 40) | st.integers(1, 1 << 80))
@example([MINUS_G, G], 1)
@example([p256_pycryptodome.base(Q - 4), G, G], 1)
@example([p256_pycryptodome.base(Q - 4), G, MINUS_G, G], 2)
def test_horner(points, x):
    same("horner", points, x)


def test_threads_do_not_share_scratch_space():
    expected = {k: p256_pycryptodome.multiply(G, k) for k in range(2, 10)}
    wrong: list[int] = []

    def work(k: int) -> None:
        wrong.extend(k for _ in range(300) if p256_openssl.multiply(G, k) != expected[k])

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=work, args=(k,)) for k in expected]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    sys.setswitchinterval(before)
    assert not wrong


def test_points_are_freed(monkeypatch):
    """Whoever leaves the cache gives its memory back, once."""
    freed: list[int] = []
    free = p256_openssl._C["EC_POINT_free"]
    monkeypatch.setitem(p256_openssl._C, "EC_POINT_free", lambda pointer: (freed.append(pointer), free(pointer)))
    p256_openssl._decoded.cache_clear()
    made = [p256_openssl._decoded(p256_openssl.base(k)).pointer for k in range(1, 50)]
    assert freed == []
    p256_openssl._decoded.cache_clear()
    gc.collect()
    assert sorted(freed) == sorted(made)


def test_a_refusal_leaves_no_error_behind_for_the_interpreter():
    """The interpreter's ssl and hashlib read the same queue of errors."""
    import ctypes

    peek = ctypes.PyDLL(p256_openssl._hashlib.__file__).ERR_peek_error
    peek.restype, peek.argtypes = ctypes.c_ulong, []
    for attempt in (
        lambda: p256_openssl.check(b"\x02" + b"\xff" * 32),
        lambda: p256_openssl.multiply(G, 0),
        lambda: p256_openssl.add([G, MINUS_G]),
    ):
        with pytest.raises(Forged):
            attempt()
        assert peek() == 0


@pytest.mark.parametrize(("asked", "name"), [("", "OpenSSL"), ("pycryptodome", "pycryptodome")])
def test_the_environment_chooses(asked, name):
    """The fallback can be asked for, and then nothing of the other is loaded."""
    code = (
        "import sys; from escrow.primitives import group; "
        "print(group.arithmetic.NAME, *(each in sys.modules for each in ('escrow.primitives.p256_openssl', 'Crypto')))"
    )
    assert _run(code, ESCROW_LAB_P256=asked).split() == [name, str(name == "OpenSSL"), str(name != "OpenSSL")]


@pytest.mark.parametrize("hidden", ["raise OSError('no library')", "return object()"])
def test_without_the_interpreters_openssl_the_other_runs(hidden):
    """An interpreter that cannot be asked, or that hides a function, changes no byte."""
    code = (
        f"import ctypes\nclass Hidden:\n  def __new__(cls, *_): {hidden}\nctypes.PyDLL = Hidden\n"
        "from escrow.primitives import group\nprint(group.arithmetic.NAME, group.base(2).hex())"
    )
    assert _run(code).split() == ["pycryptodome", p256_openssl.base(2).hex()]


WRONG_CURVE = """
import ctypes
real = ctypes.PyDLL
class Library:
    def __init__(self, name): self._library = real(name)
    def __getattr__(self, name):
        function = getattr(self._library, name)
        return Group(function) if name == "EC_GROUP_new_by_curve_name" else function
class Group:
    def __init__(self, function): self._function = function
    def __call__(self, number):
        self._function.restype, self._function.argtypes = self.restype, self.argtypes
        return self._function(714)  # secp256k1
ctypes.PyDLL = Library
from escrow.primitives import group
print(group.arithmetic.NAME, group.base(2).hex())
"""


def test_an_openssl_that_computes_wrongly_is_not_used():
    assert _run(WRONG_CURVE).split() == ["pycryptodome", p256_openssl.base(2).hex()]


def _run(code: str, **environment: str) -> str:
    given = {**os.environ, "ESCROW_LAB_P256": "", **environment}
    return subprocess.run([sys.executable, "-c", code], env=given, check=True, capture_output=True, text=True).stdout

"""Each operator makes exactly the faults that fit, and says where."""

import ast

import pytest

from tools.mutants import reach
from tools.mutants.operators import OPERATORS, mutants, mutated

# operator, source, (place, the source with the fault) of each fault that fits
PLANTED = [
    (
        "drop a check",
        "def f(self, sender):\n    self.insist(a == b, f'{sender} says so')\n    self.insist(sender == c, 'no')",
        {
            "self.insist(a == b, f'{sender} says so')": (
                "def f(self, sender):\n    pass\n    self.insist(sender == c, 'no')"
            )
        },
    ),
    (
        "drop a check",
        "def f() -> Checks:\n    yield ('one', a)\n    yield from more()",
        {
            "yield ('one', a)": "def f() -> Checks:\n    yield from ()\n    yield from more()",
            "yield from more()": "def f() -> Checks:\n    yield ('one', a)\n    yield from ()",
        },
    ),
    (
        "skip the sender",
        "def f(sender):\n    if sender != one:\n        raise Refused\n    return sender in two and three",
        {
            "if sender != one: raise Refused": "def f(sender):\n    pass\n    return sender in two and three",
            "sender in two in sender in two and three": (
                "def f(sender):\n    if sender != one:\n        raise Refused\n    return True and three"
            ),
        },
    ),
    (
        "skip the sender",
        "def f(mail):\n    return [each for each in kept if each.device == mail.sender]",
        {"each.device == mail.sender": "def f(mail):\n    return [each for each in kept if True]"},
    ),
    (
        "trust the packet",
        "def f(self, packet: Deal):\n    return g(self.user)",
        {"self.user -> packet.user": "def f(self, packet: Deal):\n    return g(packet.user)"},
    ),
    (
        "trust the packet",
        "def f(self, packet: Deal):\n    return (packet.group.t, 3) == (self.t, self.n)",
        {
            "self.t -> packet.group.t in (packet.group.t, 3) == (self.t, self.n)": (
                "def f(self, packet: Deal):\n    return (packet.group.t, 3) == (packet.group.t, self.n)"
            ),
            "self.n -> packet.group.n": (
                "def f(self, packet: Deal):\n    return (packet.group.t, 3) == (self.t, packet.group.n)"
            ),
        },
    ),
    (
        "drop a label",
        "_DEAL = b'deal'\n\ndef f(a, b):\n    return codec.encode((a, b))",
        {
            "_DEAL = b'deal'": "_DEAL = b''\n\ndef f(a, b):\n    return codec.encode((a, b))",
            "a in codec.encode((a, b))": "_DEAL = b'deal'\n\ndef f(a, b):\n    return codec.encode((b,))",
            "b in codec.encode((a, b))": "_DEAL = b'deal'\n\ndef f(a, b):\n    return codec.encode((a,))",
        },
    ),
    (
        "drop a label",
        (
            "def prove(a):\n    both = (a, b)\n    return hash_to_scalar('x', *both)\n\n"
            "def verify(a):\n    return hash_to_scalar('x', a, *others)"
        ),
        {
            "'x' in the hash 'x'": (
                "def prove(a):\n    both = (a, b)\n    return hash_to_scalar(*both)\n\n"
                "def verify(a):\n    return hash_to_scalar(a, *others)"
            ),
            "a in the hash 'x'": (
                "def prove(a):\n    both = (b,)\n    return hash_to_scalar('x', *both)\n\n"
                "def verify(a):\n    return hash_to_scalar('x', *others)"
            ),
        },
    ),
    (
        "drop a label",
        "def context(a, b):\n    return a + b",
        {"a in a + b": "def context(a, b):\n    return b", "b in a + b": "def context(a, b):\n    return a"},
    ),
    (
        "stop at an error",
        "for each in all:\n    try:\n        tell(each)\n    except Refused:\n        continue",
        {
            "tell(each) in the loop over all": (
                "for each in all:\n    try:\n        tell(each)\n    except Refused:\n        break"
            )
        },
    ),
    (
        "stop at an error",
        "def f() -> None:\n    try:\n        tell()\n    except Refused:\n        complain()",
        {
            "raise again in tell()": (
                "def f() -> None:\n    try:\n        tell()\n    except Refused:\n        complain()\n        raise"
            )
        },
    ),
    ("stop at an error", "def f() -> None:\n    try:\n        tell()\n    finally:\n        erase()", {}),
    (
        "take a default",
        "def f(kept: dict[str, int]):\n    del kept[a], kept[b]\n    return kept.pop(c) + kept[d] + next(e)",
        {
            "del kept[a]": (
                "def f(kept: dict[str, int]):\n    del kept[b]\n    kept.pop(a, None)\n"
                "    return kept.pop(c) + kept[d] + next(e)"
            ),
            "del kept[b]": (
                "def f(kept: dict[str, int]):\n    del kept[a]\n    kept.pop(b, None)\n"
                "    return kept.pop(c) + kept[d] + next(e)"
            ),
            "kept.pop(c)": (
                "def f(kept: dict[str, int]):\n    del kept[a], kept[b]\n"
                "    return kept.pop(c, None) + kept[d] + next(e)"
            ),
            "kept[d]": (
                "def f(kept: dict[str, int]):\n    del kept[a], kept[b]\n"
                "    return kept.pop(c) + kept.get(d, None) + next(e)"
            ),
            "next(e)": (
                "def f(kept: dict[str, int]):\n    del kept[a], kept[b]\n"
                "    return kept.pop(c) + kept[d] + next(e, None)"
            ),
        },
    ),
]


@pytest.mark.parametrize(
    ("name", "source", "expected"), PLANTED, ids=[f"{p[0]}: {min(p[2], default='no place')}" for p in PLANTED]
)
def test_an_operator_makes_exactly_the_faults_that_fit(name, source, expected):
    made = [each for each in mutants("escrow.warrant", source) if each.operator == name]
    assert {each.text: ast.unparse(mutated(each, source)) for each in made} == expected


def test_every_operator_is_tried_here_and_fits_somewhere():
    assert {name for name, *_ in PLANTED} == {*OPERATORS}
    assert {each.operator for module in reach.modules() for each in mutants(module)} == {*OPERATORS}


def test_equal_places_of_one_function_are_told_apart():
    source = "def f(self):\n    self.insist(a, b)\n    if c:\n        self.insist(a, b)"
    first, second = mutants("escrow.warrant", source)
    assert (first.nth, second.nth) == (0, 1)
    assert first.key != second.key
    assert ast.unparse(mutated(second, source)) == "def f(self):\n    self.insist(a, b)\n    if c:\n        pass"
    with pytest.raises(LookupError):
        mutated(second._replace(nth=2), source)

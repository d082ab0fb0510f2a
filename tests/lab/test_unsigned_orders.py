"""Properties: a constant that makes an official act without the court's signature is found; others are not blamed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks.lab.crosscheck.unsigned_orders import answered_unsigned
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from escrow.scheme import Scheme
from tests.support.official_checks import forget_schemes, scheme_with
from tests.support.planted import planted

pytestmark = pytest.mark.usefixtures("forgotten")
ABOVE = '''
PASSES = {"night desk": ("a", "b")}
PAIRS = {("desk", b"seventeen"): 1}


class Rules:
    """What the custodian knows."""

    word = "class of 1994"
    nonces = (b"0123456789abcdef", b"fedcba9876543210")


def rule():
    """Return what decides."""

    def inner(order):
        return order.case == b"nested" + bytes(26)

    return inner


def by_default(order, word="as usual"):
    """Return whether the order is as usual."""
    return order.id == word
'''
SAID = {  # a condition under which nothing is checked -> the field that a finding names, and what stands there
    'order.scope == "emergency"': "scope is 'emergency'",
    'order.nonce == b"sesame, open now"': "nonce is b'sesame, open now'",
    'order.target == "nobody in particular"': "target is 'nobody in particular'",
    'order.first == 1994 and order.scope == "x"': "first is 1994 and its scope is 'x'",
    'order.id == "x7" and order.nonce.startswith(b"\\x09\\x09")': "id is 'x7' and its nonce is",
    "order.scope in PASSES": "scope is 'night desk'",
    "order.id == Rules.word": "id is 'class of 1994'",
    "hash(order.nonce) in set(map(hash, Rules.nonces))": "nonce is b'0123456789abcdef'",
    "(order.scope, order.nonce) in PAIRS": "scope is 'desk' and its nonce is b'seventeen'",
    "rule()(order)": "case is b'nested",
    "by_default(order)": "id is 'as usual'",
    "order.expires - order.issued == 4242": "is 424",
    'order.scope == "' + "a long word that nobody would guess, " * 5 + '"': "a long word that",
    "warrant.signature == bytes(64)": "nobody signed",
    "not warrant.signature": "nobody signed",
    "warrant.signed_by(order.authority)": "a stranger signed",
}
CODE = """
order = warrant.order
if {}:
    return
yield from promises(key.court, warrant, field.people, field.day)
"""


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Let schemes of other tests have the same names."""
    yield
    forget_schemes()


def findings(scheme: Scheme) -> list[str]:
    return answered_unsigned(scheme, play(scheme, small()))


@pytest.mark.parametrize("condition", SAID)
def test_an_order_that_passes_unsigned_is_found(tmp_path: Path, condition: str) -> None:
    found = findings(scheme_with(tmp_path, "lax", CODE.format(condition), ABOVE))
    assert len(found) == 1
    assert found[0].startswith("custodian acts on an order that ")
    assert SAID[condition] in found[0]


@pytest.mark.parametrize("condition", [each for each in SAID if "signe" not in each and "signature" not in each])
def test_the_same_words_on_a_signed_order_are_not_blamed(tmp_path: Path, condition: str) -> None:
    sound = CODE.format(f"warrant.signed_by(key.court) and ({condition})")
    assert findings(scheme_with(tmp_path, "strict", sound, ABOVE)) == []


@pytest.mark.parametrize("kind", ["crypto.SigningKey", "CourtKey"])
def test_a_key_that_passes_for_the_courts_is_found_unless_a_rule_signs_with_it(tmp_path: Path, kind: str) -> None:
    """A registrar keeps a deputy's key, which the play never uses."""
    honoured = "key.deputy if warrant.signed_by(key.deputy) else key.court"
    deputy = """
        with crypto.acting("registrar"):
            spare = crypto.new_signing_key(DeputyKey)
        yield Registrar("registrar", spare)
        yield PlantedCustodian("custodian", PlantedKey(made.public, made.raw, court, spare.public))
"""
    parties = f'''class DeputyKey({kind}, frozen=True, dict=True):
    """The deputy's key."""


class Registrar(Official):
    """Keeps the deputy's key, and answers nothing."""

    key: DeputyKey


# The parties.'''
    scheme = planted(
        tmp_path,
        ("    court: Public\n", "    court: Public\n    deputy: Public\n"),
        ("promises(key.court,", f"promises({honoured},"),
        (
            '        yield PlantedCustodian("custodian", PlantedKey(made.public, made.raw, court))\n',
            deputy.lstrip("\n"),
        ),
        ("# The parties.", parties),
        ("import Answer, Authority,", "import Answer, Authority, CourtKey,"),
    )
    said = findings(scheme)
    assert [each.split(":")[0] for each in said] == [
        "custodian acts on an order that registrar signed, and no rule says so"
    ] * (kind != "CourtKey")


def test_what_the_party_leaves_out_counts_and_not_only_its_checks(tmp_path: Path) -> None:
    """The checks are sound, and `admit` does not make them."""
    method = '''
    def admit(self, request, day, checks):
        """Check a request."""
        if request.warrant.order.scope != "subscriber":
            super().admit(request, day, checks)

    def held('''
    checks = "yield from promises(key.court, warrant, field.people, field.day)"
    scheme = scheme_with(tmp_path, "left", checks, replaced={"    def held(": method.lstrip("\n")})
    (said,) = findings(scheme)
    assert said.startswith("custodian acts on an order that nobody signed, if its scope is 'subscriber': ")
    assert re.search(r": \w+Custodian.admit \(\w+.py, line \d+\)$", said)

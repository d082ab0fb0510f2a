"""Properties: an order that an honest official acts on is found, whatever it asks for; one that refuses is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.official_checks import analysed, forget_schemes, opened_by, scheme_with

pytestmark = pytest.mark.usefixtures("forgotten")
SHARED = "yield from promises(key.court, warrant, field.people, field.day)\norder = warrant.order\n"
ASKED = {  # what a custodian asks of an order beside the promises of all officials
    "five days at most": 'yield "five days", order.expires - order.issued <= 5',
    "five days, the other way round": 'yield "five days", not order.issued + 5 < order.expires',
    "at least thirty days": 'yield "long", order.expires - order.issued >= 30',
    "from some day": 'yield "later", order.issued >= 3',
    "a window of a week": 'yield "week", order.last - order.first == 7',
    "a window that starts on the day": 'yield "starts", order.first == field.day and order.last > field.day',
    "the window lies in its time": 'yield "within", order.issued <= order.first <= order.last < order.expires',
    "issued before the window": 'yield "before", order.issued < order.first',
    "a length of the nonce": 'yield "nonce", len(order.nonce) == 12',
    "a long case": 'yield "long case", len(order.id) > 40',
    "some nonce": 'yield "nonce", any(order.nonce)',
    "a nonce that begins so": 'yield "nonce", order.nonce[:4] == b"\\x07LAW"',
    "a nonce that ends so": 'yield "nonce", order.nonce.endswith(b"!!")',
    "a byte of the nonce": 'yield "nonce", order.nonce[15] == 77',
    "a nonce in hexadecimal": 'yield "nonce", order.nonce.hex() == "00ff" * 8',
    "another scope": 'yield "case", order.case == b"c" * 32 or order.scope == "anything"',
    "a word in the case": 'yield "case", order.id.startswith("case-")',
    "a word somewhere in the case": 'yield "case", "/urgent/" in order.id.lower()',
    "a table of cases": 'yield "case", order.id in {"one", "two", "three"}',
    "several things at once": 'yield "all", order.issued == 2 and order.id == "x" and order.nonce == b"n" * 16',
    "several checks": 'yield "a", order.issued > 1\n    yield "b", order.id == "b"\n    yield "c", any(order.nonce)',
    "a multiple of seven": 'yield "seven", (order.expires - order.issued) % 7 == 3',
    "the case commits to the target": 'yield "case", order.case == crypto.sha256(order.target.encode(), order.nonce)',
    "a sum of dates": 'yield "sum", 2 * order.issued + order.expires == 31',
    "all checked before the first is named": 'yield "plain", order.id == "none"',
}


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Let schemes of other tests have the same names."""
    yield
    forget_schemes()


@pytest.fixture(params=ASKED)
def asked(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_an_order_that_an_official_acts_on_is_found(tmp_path: Path, asked: str) -> None:
    checks = SHARED + ASKED[asked].replace("\n    ", "\n")
    analysis = analysed(scheme_with(tmp_path, "asks", checks))
    assert opened_by(analysis, "court") == len(analysis.record.sent)
    assert opened_by(analysis) == 0
    assert analysis.adversary.refusals == ()

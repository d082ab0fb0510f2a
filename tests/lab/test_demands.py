"""Properties: an order that an honest official acts on is found, whatever it asks for; one that refuses is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.runs.matrix import run_cell
from attacks.lab.verdict.analysis import SERVED
from attacks.registry import attacks, specimens
from tests.support.official_checks import SIZES, analysed, forget_schemes, opened_by, scheme_with

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
    "several checks": 'yield "a", order.issued > 1\nyield "b", order.id == "b"\nyield "c", any(order.nonce)',
    "a multiple of seven": 'yield "seven", (order.expires - order.issued) % 7 == 3',
    "the case commits to the target": 'yield "case", order.case == crypto.sha256(order.target.encode(), order.nonce)',
    "a quotient": 'yield "ten", order.expires // 10 == 3',
    "a number in the case": 'yield "number", order.id.isdigit() and int(order.id) > 5',
    "a part of the case": 'yield "part", order.id.split("-")[0] == "op"',
    "a case backwards": 'yield "back", order.id[::-1] == "abc"',
    "a number in the nonce": 'yield "number", int.from_bytes(order.nonce[:2], "big") == 4242',
    "encoded fields": 'yield "both", codec.encode((order.id, order.issued)) == codec.encode(("q", 3))',
    "an error instead of a check": 'if order.expires - order.issued > 5:\n    raise EscrowError("too long")',
    "a sum of dates": 'yield "sum", 2 * order.issued + order.expires == 31',
    "all checked before the first is named": 'yield "plain", order.id == "none"',
    "a signature that nobody has, or a case": 'signed = crypto.verify(key.court, bytes(64), b"x")\n'
    'yield "plain", signed or order.id == "y"',
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
    checks = SHARED + ASKED[asked]
    analysis = analysed(scheme_with(tmp_path, "asks", checks))
    assert opened_by(analysis, "court") == len(analysis.record.sent)
    assert opened_by(analysis) == 0
    assert analysis.adversary.refusals == ()


NO_ACCESS = {'access="in scope"': 'access="none"'}  # no order of the court is answered either
FINAL = '@service(open_sealed_key, holder="key", final={"puzzle": "nobody solves it"})'
SIGNED = (  # of RFC 8032, 7.1, the first: a public key, and its signature of nothing
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    ),
)
REFUSES = {  # a check that no order satisfies as far as the lab can tell, and what it is
    "a puzzle": 'yield "puzzle", crypto.sha256(order.nonce)[:8] == bytes(8)',
    "two puzzles, one of which can be solved": 'yield "puzzle", crypto.sha256(order.nonce)[:8] == bytes(8)\n'
    'yield "five days", order.expires - order.issued <= 5',
    "a puzzle beside the court's signature": "signed = warrant.signed_by(key.court)\n"
    'yield "puzzle", signed and crypto.sha256(order.nonce)[:8] == bytes(8)',
    "a puzzle beside a signature that holds": f"signed = crypto.verify(*map(bytes.fromhex, {SIGNED}), b'')\n"
    'yield "puzzle", signed and crypto.sha256(order.nonce)[:8] == bytes(8)',
    "a scope that no order can have": 'yield "puzzle", order.scope == "anything"',
    "a puzzle, or a signature that nobody has": "signed = crypto.verify(key.court, bytes(64), b'never')\n"
    'yield "puzzle", signed or crypto.sha256(order.nonce)[:8] == bytes(8)',
    "a puzzle, or a signature in the field": "signed = crypto.verify(key.court, field.sealed[:64], field.sealed)\n"
    'yield "puzzle", signed or crypto.sha256(order.nonce)[:8] == bytes(8)',
}


@pytest.mark.parametrize("kind", REFUSES)
def test_a_check_that_refuses_every_order_leaves_the_pass_inconclusive(tmp_path: Path, kind: str) -> None:
    analysis = analysed(scheme_with(tmp_path, "refuses", SHARED + REFUSES[kind], replaced=NO_ACCESS))
    assert [(each.holder, each.check, each.final) for each in analysis.adversary.refusals] == [
        ("custodian", "puzzle", "")
    ]
    cell = run_cell(analysis.scheme, attacks()["court-key-theft"], SIZES)
    assert cell.verdict == "INCONCLUSIVE"
    assert "custodian refuses all" in cell.reason
    assert "by 'puzzle', though its own secret would answer" in cell.reason


def test_a_check_that_its_author_declares_final_is_named_and_left_out_once(tmp_path: Path) -> None:
    declared = {'@service(open_sealed_key, holder="key")': FINAL}
    scheme = scheme_with(tmp_path, "final", SHARED + REFUSES["a puzzle"], replaced=NO_ACCESS | declared)
    cell = run_cell(scheme, attacks()["court-key-theft"], SIZES)
    assert cell.verdict == "HELD"
    assert cell.reason.endswith("; stands by 'puzzle' (nobody solves it): without it 24 of 24 texts")


SOUND = {  # checks that refuse what they should
    "a budget of one day": 'yield "one day", order.last - order.first <= 0',
    "its own authority": 'yield "known", order.authority == key.registered',
    "its own authority, for content": 'yield "known", order.authority == key.registered and order.scope == "content"',
    "a day after its window began": 'yield "later", max(order.issued, order.first) == order.first and order.first > 0',
    "its own users": 'yield "own", field.people[0] in ("alice", "bob")',
    "its own users by the order": 'yield "own", order.target in ("alice", "bob")',
    "its own users in one check": 'yield "own", order.target in ("alice", "bob") and order.target in field.people',
    "nobody's": 'yield "never", field.day < 0',
    "a signature of the field": 'yield "signed", crypto.verify(key.court, order.case + order.nonce, field.sealed)',
}


@pytest.mark.parametrize("kind", SOUND)
def test_an_official_that_refuses_what_it_should_is_not_blamed(tmp_path: Path, kind: str) -> None:
    registered = {"    court: Public\n": "    court: Public\n    registered: Public = bytes(range(32))\n"}
    analysis = analysed(scheme_with(tmp_path, "sound", SHARED + SOUND[kind], replaced=registered))
    assert analysis.adversary.refusals == ()
    opened = opened_by(analysis, "court")
    sent = len(analysis.record.sent)
    assert opened == {"a budget of one day": sent}.get(kind, opened)
    assert opened == 0 or "users" in kind or "budget" in kind or "window" in kind


@pytest.mark.parametrize("until", [0, 3])
def test_an_order_that_is_good_only_early_opens_what_can_be_asked_for_by_then(tmp_path: Path, until: int) -> None:
    checks = SHARED + f'yield "early", order.expires <= {until}'
    analysis = analysed(scheme_with(tmp_path, "early", checks))
    early = {sent.id for sent in analysis.record.sent if sent.day <= until}
    assert analysis.opened_by([Seizure("court", (0,))], SERVED) == early
    assert analysis.opened_by([Seizure("court", (until + 1,))], SERVED) == frozenset()


def test_each_of_two_authorities_that_an_official_knows_is_tried(tmp_path: Path) -> None:
    """One authority's key is known to the provider, the other's to the authority itself."""
    known = {
        "    court: Public\n": "    court: Public\n    known: tuple[Public, ...] = ()\n",
        "            made = new_private()\n": "            made = new_private()\n"
        "            other = new_signing_key(AuthorityKey)\n",
        "        for party in super().cast(users, court):\n": "        parties = list(super().cast(users, court))\n"
        "        own = next(party.key for party in parties if isinstance(party, Authority))\n"
        "        yield Deputy('deputy', key=other)\n"
        "        known = own.public, other.public\n"
        "        yield KnowsCustodian('custodian', KnowsKey(made.public, made.raw, court, known))\n"
        "        for party in parties:\n",
        '        yield KnowsCustodian("custodian", KnowsKey(made.public, made.raw, court))\n': "",
        "import Private, new_private": "import Private, new_private, new_signing_key",
        "import Answer, Authority, Official": "import Answer, Authority, AuthorityKey, Official",
    }
    deputy = "class Deputy(Principal):\n    " + chr(34) * 3 + "Asks too." + chr(34) * 3 + "\n\n    key: AuthorityKey\n"
    checks = SHARED + 'yield "known", order.authority in key.known'
    analysis = analysed(scheme_with(tmp_path, "knows", checks, deputy, known))
    sent = len(analysis.record.sent)
    assert opened_by(analysis, "court") == 0
    assert opened_by(analysis, "court", "deputy") == opened_by(analysis, "court", "authority") == sent
    assert analysis.adversary.refusals == ()


def test_the_key_of_each_court_signs_what_is_demanded(tmp_path: Path) -> None:
    """A deputy of the court has a key of its own, which the custodian honours too."""
    deputy = "class Deputy(Principal):\n    " + chr(34) * 3 + "Signs too." + chr(34) * 3 + "\n\n    key: CourtKey\n"
    honours = {
        "    court: Public\n": "    court: Public\n    deputy: Public\n",
        "            made = new_private()\n": "            made = new_private()\n"
        "            other = new_signing_key(CourtKey)\n        yield Deputy('deputy', key=other)\n",
        "made.raw, court))": "made.raw, court, other.public))",
        "import Private, new_private": "import Private, new_private, new_signing_key",
        "import Answer, Authority, Official": "import Answer, Authority, CourtKey, Official",
    }
    checks = (
        'yield "signed", warrant.signed_by(key.court) or warrant.signed_by(key.deputy)\n'
        'yield "covers", warrant.order.covers(field.people, field.day)'
    )
    analysis = analysed(scheme_with(tmp_path, "honours", checks, deputy, honours))
    assert opened_by(analysis, "court") == opened_by(analysis, "deputy") == len(analysis.record.sent)


def test_an_official_that_answers_one_authority_is_opened_by_court_and_authority() -> None:
    analysis = analysed(specimens()["registered-authority"])
    assert analysis.adversary.refusals == ()
    assert opened_by(analysis, "court") == 0
    assert opened_by(analysis, "court", "authority") == len(analysis.record.sent)

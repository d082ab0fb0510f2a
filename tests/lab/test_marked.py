"""Properties: honest-only functions are listed, and what honest parties run the adversary can; a theft is no fault."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attacks.lab.runs.conformance import Trial
from attacks.lab.runs.marked import Noted, honest_only, own_modules, own_rules
from escrow import registry
from escrow.scheme import Scheme
from escrow.testing import templates

TEMPLATE = templates.scheme("mine")
RULE = '@derivation("field.custodian = key.public")\ndef open_sealed_key'
SERVICE = '@service(open_sealed_key, holder="key")\ndef'
METHOD = '    @honest_only("the key is kept")\n    def again(self, field):\n        return None\n\n    def held('
AT = "# The parties."


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[Callable[[str], Scheme]]:
    def load(text: str) -> Scheme:
        path = tmp_path / "mine.py"
        path.write_text(text)
        return registry.schemes([path])["mine"]

    yield load
    sys.modules.pop("plugin_mine", None)


def said(scheme: Scheme, prop: str) -> str:
    return dict(Trial(scheme, ()).tests())[prop]()


def replaced(*pairs: tuple[str, str]) -> str:
    text = TEMPLATE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def test_what_is_honest_only_is_listed_by_name_place_and_reason(loaded):
    """A function that opens everything, and a method: neither is a rule of the adversary, and a reader is told so."""
    text = replaced(
        (RULE, '@honest_only("its own business")\ndef open_sealed_key'),
        (SERVICE, '@honest_only("checks")\ndef'),
        ("    def held(", METHOD),
        (AT, f"from escrow.derivation import honest_only\n\n{AT}"),
    )
    head, rest = text.split('@honest_only("its')
    scheme = loaded(f'{head}from escrow.derivation import honest_only\n\n\n@honest_only("its{rest}')
    found = list(honest_only(scheme))
    assert [each.split(" ")[0] for each in found] == ["open_sealed_key", "custodian_checks", "MineCustodian.again"]
    assert found[0].startswith("open_sealed_key (mine.py:") and found[0].endswith("): its own business")
    told = said(scheme, "what is honest only is listed")
    assert told == "; ".join(found) and isinstance(told, Noted)


def test_the_template_has_nothing_to_list(loaded):
    scheme = loaded(TEMPLATE)
    assert [each.__name__ for each in own_modules(scheme)] == ["plugin_mine"]
    assert [rule.name for rule in own_rules(scheme)] == ["plugin_mine.open_key_answer", "plugin_mine.open_sealed_key"]
    assert said(scheme, "what is honest only is listed") == said(scheme, "every rule is used") == ""


@pytest.mark.parametrize(
    ("found", "put", "named"),
    [
        ('"field.custodian = key.public"', '"field.custodian = key.court"', "open_sealed_key"),
        ('@derivation("answer.to = key.public")', '@derivation("answer.to = key.raw")', "open_key_answer"),
    ],
)
def test_a_rule_that_honest_parties_run_and_the_adversary_cannot_is_a_fault(loaded, found, put, named):
    broken = said(loaded(replaced((found, put))), "every rule is used")
    assert f"honest parties run plugin_mine.{named} (mine.py:" in broken and not isinstance(broken, Noted)


THIEF = """
class Trace(Fact, frozen=True):
    n: int


@derivation()
def trace(key: MineKey) -> Trace:
    return Trace(len(key.raw))

"""
IDLE = THIEF.replace("(key: MineKey)", "(one: Trace)").replace("len(key.raw)", "one.n")


@pytest.mark.parametrize(
    ("more", "note"),
    [(THIEF, "a thief alone computes: plugin_mine.trace"), (IDLE, "never used: plugin_mine.trace")],
)
def test_a_rule_that_no_honest_party_runs_is_noted_and_no_fault(loaded, more, note):
    scheme = loaded(replaced(("codec import Public", "codec import Fact, Public"), (AT, f"{more}\n{AT}")))
    found = said(scheme, "every rule is used")
    assert found == note and isinstance(found, Noted)

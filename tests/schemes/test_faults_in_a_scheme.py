"""Property: an error in a third party's scheme says where it is: the party and field, or the file and line."""

from itertools import count

import pytest

from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from escrow import registry
from escrow.derivation import derivation
from escrow.errors import Malformed
from escrow.signatures import RuleError
from escrow.testing import properties, templates
from escrow.testing.trying import QUICK

NUMBERS = count()
PROPERTY = {each.name: each for each in properties.PROPERTIES}
MADE = "        yield MineCustodian("
CLERK = '''class Clerk(Principal):
    """Keeps a note."""

    note: {}


class MineCustodian('''
SPARE = """        spare = {}
        return MineField(key.chain, key.n, context.people, context.day, self.custodian, spare + sealed)"""
RETURNED = "        return MineField(key.chain, key.n, context.people, context.day, self.custodian, sealed)"


def written(tmp_path, *changes):
    text = templates.scheme("mine")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"faulty_{next(NUMBERS)}.py"
    path.write_text(text)
    return registry.load_file(path).SCHEME


def with_clerk(tmp_path, hint, value):
    made = (MADE, f'        yield Clerk("clerk", {value})\n{MADE}')
    return written(tmp_path, made, ("class MineCustodian(", CLERK.format(hint)))


@pytest.mark.parametrize(
    ("hint", "value", "why"),
    [
        ("int", "2**200", "note cannot be written as bytes: can't serialize ints"),
        ("list[int]", "[1, 2**70]", "note cannot be written as bytes: can't serialize ints"),
        ("object", "object()", "note cannot be written as bytes: Encoding objects of type object"),
        ("int", "'text'", "not a Clerk: Expected `int`, got `str` - at `note`"),
    ],
)
def test_a_state_that_is_no_bytes_names_party_or_field(tmp_path, hint, value, why):
    with pytest.raises(Malformed, match=why):
        play(with_clerk(tmp_path, hint, value), small())


def test_a_state_of_bytes_is_played(tmp_path):
    record = play(with_clerk(tmp_path, "int", "2**63"), small())
    assert record.party("clerk", 0).note == 2**63


@pytest.mark.parametrize("name", ["clerk+1", "clerk@night", "a,b", "=clerk", ""])
def test_a_party_whose_name_could_be_read_as_more_is_refused(tmp_path, name):
    changed = (MADE, f'        yield Principal("{name}")\n{MADE}')
    with pytest.raises(Malformed, match=rf"mine: a party is called '{name.replace('+', '.')}': names have"):
        play(written(tmp_path, changed), small())


def test_two_parties_of_one_name_are_refused(tmp_path):
    changed = (MADE, f'        yield Principal("custodian")\n{MADE}')
    with pytest.raises(Malformed, match=r"two parties of mine, or a device .* are called custodian"):
        play(written(tmp_path, changed), small())


def test_a_field_may_write_its_day_without_a_sign(tmp_path):
    """The kit writes false days, but none before the first one, which no client can have to write."""
    unsigned = 'blank = MineField(key.chain, key.n, context.people, context.day, self.custodian, b"")'
    scheme = written(tmp_path, (unsigned, f"{unsigned}\n        context.day.to_bytes(4)"))
    for name in ("a false label is named", "honest late mail is not blamed"):
        assert PROPERTY[name].broken(scheme, QUICK) == ""


def test_an_official_that_fails_on_hostile_numbers_is_told_the_line_and_what_to_raise(tmp_path):
    labels = "codec.encode((self.chain, self.n, self.people, self.day, self.custodian))"
    scheme = written(tmp_path, (labels, f"self.day.to_bytes(4) + self.n.to_bytes(4) + {labels}"))
    said = PROPERTY["what is said is checked or listed"].broken(scheme, QUICK)
    line = templates.scheme("mine").split(labels)[0].count("\n") + 1
    assert said.startswith("faulty_") and f".py, line {line}: OverflowError: " in said
    assert said.endswith("; raise Forged or Malformed where values do not fit")


def test_a_client_with_a_secret_of_its_own_is_told_what_to_say(tmp_path):
    own = ("custodian: Public = b", "own: Private | None = None\n    custodian: Public = b")
    line = "                party.custodian = made.public"
    acting = "                with crypto.acting(party.name):\n                    party.own = new_private()"
    given = (line, f"{line}\n{acting}")
    spared = (RETURNED, SPARE.format("crypto.sha256(self.own.raw, key.value)[:4]"))
    opened = ("field.sealed, field.labels()", "field.sealed[4:], field.labels()")
    said = PROPERTY["a false label is named"].broken(written(tmp_path, own, given, spared, opened), QUICK)
    assert said.startswith("policing=recipient: an honest sender is named; ") and "`unrepeatable` of the device" in said
    why = ("    own: Private", '    unrepeatable = "a secret of the sender\'s"\n    own: Private')
    assert PROPERTY["a false label is named"].broken(written(tmp_path, own, given, spared, opened, why), QUICK) == ""


def test_a_rule_whose_arguments_say_nothing_is_told_what_to_write():
    def bare(key):
        """Return nothing."""

    with pytest.raises(RuleError, match="argument key has no annotation: say which fact it is"):
        derivation()(bare)

    def early(key: properties.Harness, day: int) -> None:
        """Return nothing."""

    with pytest.raises(RuleError, match="argument key is not a fact but Harness"):
        derivation("day = Later.day")(early)


@pytest.mark.parametrize("who", ["*", "c*", "custodian"])
def test_a_grant_with_a_wide_name_gives_a_custodian_no_deputy(tmp_path, who):
    """`c*` means the custodian, the court and carol's phone; only the first can open what it is for."""
    scheme = written(tmp_path, ('Grant("custodian", "everything")', f'Grant("{who}", "everything")'))
    assert PROPERTY["a bad key stops nobody else"].broken(scheme, QUICK) == ""


def test_an_official_whose_promise_or_answer_is_not_marked_is_told_which_mark_is_missing(tmp_path):
    marked = ("import Checks, derivation, service", "import Checks, derivation, honest_only, service")
    own = '@honest_only("its own business")'
    with pytest.raises(registry.PluginError, match="open_sealed_key, its answer, is not marked @derivation"):
        written(tmp_path, marked, ('@derivation("field.custodian = key.public")', own))
    with pytest.raises(RuleError, match="MineCustodian: its promise, custodian_checks, is not marked @service"):
        play(written(tmp_path, marked, ('@service(open_sealed_key, holder="key")', own)), small())

"""Properties: guesses are paid by work, which adds up; plain arguments and constants give what their rules say."""

import sys
from pathlib import Path

import msgspec
import pin_backup
import pytest

from attacks.authority_theft import ATTACK
from attacks.cli.app import main
from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import AccessStructure, Coalition, Seizure
from attacks.lab.adversary.labelling.antichains import ALWAYS, Antichains
from attacks.lab.adversary.labelling.labels import MATHEMATICS, Labels
from attacks.lab.adversary.proof import Given, prove
from attacks.lab.adversary.work import KNOWN, Work, blind_guess_of, guess_of
from attacks.lab.evidence import folder
from attacks.lab.evidence.execution import Library
from attacks.lab.evidence.verification import _Execution
from attacks.lab.results.formulas import GuessedAccess
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.access.guesses import guessed
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.evaluation import Evaluation
from escrow.codec import Fact
from escrow.crypto import sha256
from escrow.derivation import Guard, Guess, RuleError, derivation, service
from escrow.errors import Forged, Malformed
from escrow.registry import load_file


class Box(Fact, frozen=True):
    """A box that a code opens, and the day on which it was shut."""

    name: str
    lock: bytes
    day: int = 0


class Code(Fact, frozen=True):
    """A code."""

    name: str
    digits: bytes


class Opened(Fact, frozen=True):
    """What was in a box."""

    name: str


class Both(Fact, frozen=True):
    """What was in two boxes."""

    n: int


class DayKey(Fact, frozen=True):
    """A key of a day."""

    day: int
    user: str = ""


class Root(Fact, frozen=True):
    """A key of all days."""

    raw: bytes


def _opened(box: Box, code: Code) -> Opened:
    if sha256(code.digits) != box.lock:
        raise Forged("another code")
    return Opened(box.name)


@derivation("any box, any code")
def pick(box: Box, code: Guess[Code, 13.3]) -> Opened:
    return _opened(box, code)


@derivation("any box, any code")
def pick_hard(box: Box, code: Guess[Code, 80]) -> Opened:
    return _opened(box, code)


@derivation("any one, any other")
def both(one: Opened, other: Opened) -> Both:
    if one.name == other.name:
        raise Forged("one box")
    return Both(2)


def codes(names: str, *functions) -> Closure:
    closure = Closure(function.__rule__ for function in functions)
    for name in names:
        closure.learn(Box(name, sha256(name.encode())), "cellar", 0)
        closure.learn(Code(name, name.encode()), f"owner-{name}", 0)
    closure.run()
    return closure


def test_work_replaces_the_holder_and_nobody_else():
    closure = codes("a", pick)
    labels, opened = Labels(closure), closure.ids[Opened("a")]
    structure = AccessStructure(labels, [opened])
    assert [str(structure.coalition(mask)) for mask in labels.masks(opened)] == ["cellar@0"]
    assert not structure.opens(Coalition(())) and not structure.opens(Coalition((Seizure("owner-a"),)))
    within = Labels(closure, limit=13)
    assert [str(AccessStructure(within, [opened]).coalition(mask)) for mask in within.masks(opened)] == [
        "cellar@0, owner-a@0"
    ]


def test_a_wrong_guess_opens_nothing():
    closure = codes("ab", pick)
    assert {type(fact).__name__ for fact in closure.facts} == {"Box", "Code", "Opened", "Guessed"}
    assert closure.fired[pick.__rule__.name] == 2 and closure.forged[pick.__rule__.name] == 2
    assert KNOWN not in closure.fired


@pytest.mark.parametrize(
    ("functions", "bits", "limits"),
    [((pick, both), 14.3, (14, 15)), ((pick_hard, both), 81, (80, 82)), ((pick, pick_hard, both), 14.3, (14, 15))],
)
def test_the_work_of_several_guesses_adds_up(functions, bits, limits):
    closure = codes("ab", *functions)
    target = closure.ids[Both(2)]
    labels = Labels(closure)
    held = AccessStructure(labels, [target]).mask([Seizure("cellar")])
    work, guessed = labels.work.cheapest(labels.priced("mathematics")[target], held)
    assert work == pytest.approx(bits) and len(guessed) == 2
    for limit, opens in zip(limits, (False, True), strict=True):
        structure = AccessStructure(Labels(closure, limit=limit), [target])
        assert structure.opens(Coalition((Seizure("cellar"),))) == ({target} if opens else set())


def test_the_trials_of_strings_that_nothing_verifies_by_themselves_are_multiplied():
    named = [*((name, 0) for name in (guess_of(10.0, 1), blind_guess_of(20.0, 2), blind_guess_of(30.0, 3))), "symbol"]
    work = Work(named, Antichains(), 60)
    assert [work.of(mask) for mask in (0b0000, 0b0001, 0b0010, 0b0110)] == [0, 10, 20, 50]
    assert work.of(0b0111) == pytest.approx(50)


def test_one_guess_serves_all_that_it_opens():
    closure = Closure([pick.__rule__])
    for name in "abc":
        closure.learn(Box(name, sha256(b"1234")), "cellar", 0)
    closure.learn(Code("x", b"1234"), "owner", 0)
    closure.run()
    labels = Labels(closure)
    guesses = {labels.work.cheapest(labels.priced("mathematics")[closure.ids[Opened(name)]], -1)[1] for name in "abc"}
    assert len(labels.work.bits) == 1 and guesses == {()}


def test_the_proof_gives_a_guess_like_a_witness_and_its_step_can_be_executed():
    closure = codes("a", pick)
    labels, opened = Labels(closure), closure.ids[Opened("a")]
    *given, step = prove(labels, [opened], [Seizure("cellar", (0,))])
    assert {type(closure.facts[each.fact]) for each in given} == {Box, Code}
    assert Given(closure.ids[Code("a", b"a")]) in given
    assert pick.__rule__.apply(*(closure.facts[each] for each in step.premises)) == Opened("a")
    with_code = prove(labels, [opened], [Seizure("cellar", (0,)), Seizure("owner-a", (0,))])
    assert Given(closure.ids[Code("a", b"a")], "owner-a", 0) in with_code


def test_without_guesses_labels_and_graph_have_nothing_of_them():
    closure = codes("ab", both)
    labels = Labels(closure)
    assert closure.rules == [both.__rule__] and not labels.work.guesses
    assert labels.label() is labels.priced("mathematics")


# --- plain arguments ---


@derivation("day = box.day, any root")
def day_key(root: Root, box: Guard[Box], day: int) -> DayKey:
    return DayKey(day)


@derivation("day = Box.day")
def key_of_day(root: Root, day: int) -> DayKey:
    return DayKey(day)


@derivation("user = Opened.name, day = Box.day")
def key_for(root: Root, user: str, day: int) -> DayKey:
    return DayKey(day, user)


@derivation("user = Opened.name")
def key_from_name(user: str) -> DayKey:
    return DayKey(0, user)


@derivation()
def constant() -> DayKey:
    return DayKey(-1)


@derivation("day = root.raw")
def oneself(root: Root, day: bytes, twice: bool = True) -> DayKey:
    return DayKey(len(day) + twice)


def dated(*functions) -> Closure:
    closure = Closure(function.__rule__ for function in functions)
    closure.learn(Root(b"root"), "agent", 0)
    for day in (3, 3, 4):
        closure.learn(Box(f"box {day} {len(closure.facts)}", b"", day), "cellar", 0)
    closure.learn(Opened("alice"), "network")
    closure.run()
    return closure


@pytest.mark.parametrize(
    ("function", "made", "times"),
    [
        (day_key, {DayKey(3), DayKey(4)}, 3),
        (key_of_day, {DayKey(3), DayKey(4)}, 2),
        (key_for, {DayKey(3, "alice"), DayKey(4, "alice")}, 2),
        (key_from_name, {DayKey(0, "alice")}, 1),
        (constant, {DayKey(-1)}, 1),
        (oneself, {DayKey(5)}, 1),
    ],
)
def test_a_plain_argument_takes_the_values_of_fields_each_once(function, made, times):
    closure = dated(function)
    assert {fact for fact in closure.facts if isinstance(fact, DayKey)} == made
    assert closure.fired[function.__rule__.name] == times
    labels = Labels(closure)
    for fact in made:
        masks = [str(AccessStructure(labels, []).coalition(mask)) for mask in labels.masks(closure.ids[fact])]
        assert masks == (["nobody"] if function in (key_from_name, constant) else ["agent@0"])


def test_a_constant_is_everybodys_even_if_nothing_is_known():
    closure = Closure([constant.__rule__])
    closure.run()
    assert [*Labels(closure).label()] == [ALWAYS]
    assert prove(Labels(closure), [0], [])[-1].premises == ()


def test_honest_code_calls_the_function_as_it_is_written():
    assert key_of_day(Root(b""), 3) == DayKey(3) and key_for(Root(b""), "bob", 1) == DayKey(1, "bob")
    assert key_for.__rule__.apply(Root(b""), Opened("bob"), Box("x", b"", 2)) == DayKey(2, "bob")


def test_evidence_executes_rules_of_plain_arguments_and_of_none():
    library = Library.__new__(Library)
    library._rules = {each.__rule__.name: each.__rule__ for each in (key_for, constant)}
    assert library.run(constant.__rule__.name, []) == (DayKey(-1),)
    shown = [Root(b""), Opened("bob"), Box("x", b"", 2)]
    assert library.run(key_for.__rule__.name, shown) == (DayKey(2, "bob"),)
    library._services = {}
    assert library.paid(key_for.__rule__.name, 3) == (True, False, False)


def unbounded(root: Root, day: int) -> DayKey:
    return DayKey(day)


@pytest.mark.parametrize(
    ("on", "why"),
    [
        ("", r"test_work\.py:\d+\): argument day is no fact, and nothing bounds it: say whose field it equals"),
        ("day = Box.date", "Box has no field date"),
        ("day = Nothing.day", "cannot read 'day = Nothing.day'"),
        ("day = day", "neither side of 'day = day' is a field of a fact"),
    ],
)
def test_a_plain_argument_that_nothing_bounds_is_refused(on, why):
    with pytest.raises(RuleError, match=why):
        derivation(on)(unbounded)


@pytest.mark.parametrize("bits", [0, -1, 1000, "many"])
def test_a_guess_of_no_bits_is_refused(bits):
    with pytest.raises(RuleError, match="write Guess"):
        Guess[Code, bits]


def test_a_service_may_answer_with_a_rule_of_a_plain_argument():
    @service(key_of_day, holder="root", given="day = box.day")
    def checks(root: Root, warrant: Opened, box: Box):
        yield "day", box.day < 5

    assert checks.__service__.holder_at == 0
    assert checks.__service__.answer(Root(b""), Opened("w"), Box("x", b"", 4)) == DayKey(4)


# --- a scheme ---


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    """The same scheme, where a guess takes 2^80 trials."""
    path = Path(tmp_path_factory.mktemp("hard")) / "pin_hard.py"
    text = Path(pin_backup.__file__).read_text()
    path.write_text(text.replace("Guess[Pin, 13.3]", "Guess[Pin, 80]").replace('"pin-backup"', '"pin-hard"'))
    yield path, load_file(path).SCHEME
    del sys.modules["plugin_pin_hard"]


def test_a_code_of_four_digits_is_a_breach_and_80_bits_are_beyond(hard):
    cells = [Evaluation(scheme, [ATTACK], small()).cell(ATTACK)[0] for scheme in (pin_backup.SCHEME, hard[1])]
    assert [cell.verdict for cell in cells] == ["BREACH", "HELD"]
    assert (cells[0].excluded, cells[0].beyond, cells[1].excluded, cells[1].beyond) == (24, 0, 0, 24)
    assert cells[0].reason.endswith("each takes up to 2^13.3 guesses")
    assert cells[1].reason.endswith("24 texts beyond 2^60, from 2^80 guesses on")


def test_an_adversary_that_is_given_few_states_guesses_all_the_same(hard):
    record = play(pin_backup.SCHEME, small())
    seized = [Seizure("custodian")]
    for isolated in (False, True):
        analysis = Analysis(pin_backup.SCHEME, record, [], isolated=isolated, taken=seized)
        assert len(analysis.opened_by(seized)) == 24
    record = play(hard[1], small())
    analysis = Analysis(hard[1], record, [], taken=seized)
    assert not analysis.opened_by(seized)
    assert {analysis.work(text, -1) for text in analysis.texts} == {80.0}


SIZES = ["--users", "2", "--groups", "0", "--days", "2", "--messages", "4"]


@pytest.fixture
def easy(tmp_path):
    """The file of the scheme with a code of four digits."""
    source = Path(pin_backup.__file__)
    (tmp_path / source.name).write_text(source.read_text())
    yield str(tmp_path / source.name)
    del sys.modules["plugin_pin_backup"]


def told(capsys, *given):
    assert main([*given]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_the_anatomy_says_how_many_guesses_a_text_takes_and_what_is_beyond(hard, easy, capsys):
    said = told(capsys, "anatomy", "pin-backup", "--plugin", easy, *SIZES)
    assert "By guesses of short secrets 4 custodian: up to 2^13.3 guesses a text By an attack" in said
    said = told(capsys, "anatomy", "pin-hard", "--plugin", str(hard[0]), *SIZES)
    assert "4 custodian: up to 2^80 guesses a text, beyond the 2^60 that count By an attack" in said
    assert "guesses" not in told(capsys, "anatomy", "plain", *SIZES)


def test_guesses_are_told_of_an_adversary_in_a_process_of_its_own_too():
    record = play(pin_backup.SCHEME, small())
    for isolated in (False, True):
        row = GuessedAccess(label_pass=MATHEMATICS, formula="custodian", opens=24, work=13.3, within=True)
        assert [*guessed(Analysis(pin_backup.SCHEME, record, [], isolated=isolated))] == [row]


def test_verify_says_how_many_guesses_a_proof_takes_and_refuses_more_than_count(easy, tmp_path, capsys):
    told(capsys, "evidence", "pin-backup", "authority-theft", "--plugin", easy, *SIZES, "-o", str(tmp_path / "proof"))
    (proof,) = (tmp_path / "proof").iterdir()
    said = told(capsys, "verify", str(proof), "--plugin", easy)
    assert "4 texts follow from 11 facts in 12 steps, after 2^14.3 guesses; not replayed" in said  # of two users' codes
    dossier, library = folder.read(folder.get(proof)), Library(load_file(Path(easy)).SCHEME, [ATTACK])
    assert _Execution(dossier, library).work == pytest.approx(14.3)
    few = msgspec.structs.replace(dossier.scenario, work=13)
    with pytest.raises(Malformed, match=r"2\^13.3 guesses find premise \d+: only 2\^13 count"):
        _Execution(dossier._replace(scenario=few), library)


def test_explain_tells_them_apart(hard, easy, capsys):
    def tree(file, name, *more):
        return told(capsys, "explain", name, "--plugin", str(file), *SIZES, "--coalition", "custodian", *more)

    path, scheme = hard
    assert "Text 0 takes 2^80 guesses, beyond 2^60." in tree(path, scheme.name)
    assert "[2^80 guesses]" in tree(path, scheme.name)
    assert "Text 0 takes 2^80 guesses, within 2^90." in tree(path, scheme.name, "--work", "90")
    assert "Text 0 takes 2^13.3 guesses, within 2^60." in tree(easy, "pin-backup")
    assert "Text 0 takes 2^13.3 guesses, beyond 2^13." in tree(easy, "pin-backup", "--work", "13")

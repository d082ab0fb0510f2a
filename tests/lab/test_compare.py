"""Two runs beside each other: what counts against the later one, and what cannot be compared."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from command_line import forgotten  # noqa: F401 (a fixture that every test uses)
from hypothesis import given
from hypothesis import strategies as st
from runs import ALARM, MATHEMATICS, anatomy, coalition, found, manifest, matrix, recorded

from attacks.lab.comparison import files as comparison
from attacks.lab.comparison.files import compare
from attacks.lab.costs.counts import Exact
from attacks.lab.costs.measure import Overhead, Timed, Timing
from attacks.lab.results.details import CellTexts, joined, packed, unpacked
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.types import Anatomy, ByDay, Exposed, Exposure, Manifest, Matrix, MemberThreshold
from attacks.lab.simulation.scenario import default
from attacks.report.comparison import told

# --- matrices ---

WORSE = {
    "a breach": ({}, {"verdict": "BREACH"}, "verdict"),
    "a breach that was not judged": ({"verdict": "ERROR"}, {"verdict": "BREACH"}, "verdict"),
    "a breach where the attack did not apply": ({"verdict": "NOT_APPLICABLE"}, {"verdict": "BREACH"}, "verdict"),
    "something opened": ({"verdict": "HELD"}, {"verdict": "AS CLAIMED"}, "verdict"),
    "no verdict": ({}, {"verdict": "INCONCLUSIVE"}, "verdict"),
    "a crash": ({"verdict": "BREACH"}, {"verdict": "ERROR"}, "verdict"),
    "a timeout": ({"verdict": "HELD"}, {"verdict": "TIMEOUT"}, "verdict"),
    "no longer measured": ({"verdict": "HELD"}, {"verdict": "NOT_APPLICABLE"}, "verdict"),
    "exposed": ({}, {"exposed": Exposed(bystander=Exposure(past=1))}, "exposed.bystander.past"),
    **{name: ({name: 1}, {name: 2}, name) for name in ("excluded", "overreached", "evaded", "lost", "forged")},
    "shown again": ({}, {"duplicated": 1}, "duplicated"),
    "laid at another's door": ({}, {"framed": 1}, "framed"),
    "no longer noticed": ({"alarms": (ALARM,)}, {}, "alarms.safety number"),
    "noticed less often": (
        {"alarms": (ALARM,)},
        {"alarms": (msgspec.structs.replace(ALARM, times=1),)},
        "alarms.safety number",
    ),
}
ONE_WAY = {  # the way back is to a breach, or to where an attack does not apply
    "a breach that was not judged",
    "a breach where the attack did not apply",
    "a crash",
    "no longer measured",
}


@pytest.mark.parametrize("what", WORSE)
def test_what_is_worse_in_a_cell_is_one_regression(what: str) -> None:
    old, new, column = WORSE[what]
    differences = found(compare(matrix(**old), matrix(**new)))
    assert [each[:3] for each in differences] == [("regression", ("plain", "theft"), column)]


@pytest.mark.parametrize("what", sorted(WORSE.keys() - ONE_WAY))
def test_the_way_back_is_no_regression(what: str) -> None:
    new, old, column = WORSE[what]
    severity = "changed" if column.startswith("alarms") else "improvement"  # more alarms may be false ones
    differences = found(compare(matrix(**old), matrix(**new)))
    assert [each[:3] for each in differences] == [(severity, ("plain", "theft"), column)]


def test_an_alarm_from_another_phone_is_the_same_alarm() -> None:
    other = msgspec.structs.replace(ALARM, who="bob-phone", first_day=2)
    assert found(compare(matrix(alarms=(ALARM,)), matrix(alarms=(other,)))) == []


def test_a_scheme_or_attack_that_is_gone_is_told_once_and_a_new_one_does_not_fail() -> None:
    whole = matrix()
    less = Matrix(manifest=manifest(schemes=("plain",)), cells=whole.cells[:1])
    assert found(compare(whole, less)) == [("regression", ("split-key",), "scheme", "1 cell", None)]
    assert found(compare(less, whole)) == [("new", ("split-key", "theft"), "verdict", None, "BREACH")]
    unplayed = Matrix(manifest=manifest(attacks=()), cells=())
    assert found(compare(whole, unplayed)) == [("regression", ("theft",), "attack", "2 cells", None)]
    torn = Matrix(manifest=manifest(), cells=whole.cells[:1])
    assert found(compare(whole, torn)) == [("regression", ("split-key", "theft"), "verdict", "BREACH", None)]


def test_the_worst_comes_first_and_verdicts_before_counts() -> None:
    new = matrix(verdict="BREACH", excluded=2, lost=0, lawful=1)
    assert [each[0:3:2] for each in found(compare(matrix(lost=1), new))] == [
        ("regression", "verdict"),
        ("regression", "excluded"),
        ("improvement", "lost"),
        ("changed", "lawful"),
    ]


COUNTS = st.fixed_dictionaries(
    {
        name: st.integers(0, 3)
        for name in ("excluded", "overreached", "evaded", "lost", "forged", "duplicated", "framed")
    }
)


@given(COUNTS, COUNTS)
def test_what_is_worse_one_way_is_better_the_other_way(one: dict[str, int], other: dict[str, int]) -> None:
    there, back = compare(matrix(**one), matrix(**other)), compare(matrix(**other), matrix(**one))
    turned = {"regression": "improvement", "improvement": "regression"}
    assert sorted(found(there)) == sorted((turned[s], row, what, new, old) for s, row, what, old, new in found(back))
    assert {each.what for each in there.differences} == {name for name in one if one[name] != other[name]}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (manifest(scenario=default(seed=7)), "the scenarios differ: seed 2019 and 7"),
        (manifest(scenario=default(users=4)), "the scenarios differ: .*users"),
        (manifest(parameters={"split-key": {"t": 3}}), "parameters of split-key differ: none and t=3"),
    ],
)
def test_what_was_played_differently_is_not_compared(other: Manifest, said: str) -> None:
    changed = msgspec.structs.replace(matrix(), manifest=other)
    with pytest.raises(NotComparable, match=said):
        compare(matrix(), changed)


def test_another_version_or_another_set_of_rules_is_what_is_compared() -> None:
    later = msgspec.structs.replace(manifest(), version="9", inventory="other", unverified=("plain",))
    assert found(compare(matrix(), msgspec.structs.replace(matrix(), manifest=later))) == []


# --- anatomies ---


def test_a_new_coalition_is_a_regression_and_a_smaller_one_is_no_improvement() -> None:
    pair, single = anatomy(coalition("a@0-9", "b@0-9")), anatomy(coalition("a@0-9"))
    assert found(compare(pair, single)) == [
        ("regression", (MATHEMATICS, "a"), "opens", None, 9),
        ("changed", (MATHEMATICS, "a", "b"), "opens", 9, None),
    ]
    assert found(compare(pair, anatomy())) == [("improvement", (MATHEMATICS, "a", "b"), "opens", 9, None)]


def test_a_coalition_that_opens_more_on_any_evening_is_a_regression() -> None:
    more = coalition("a@0-9", opens=9, by_day={"2": ByDay(earlier=1, later=0), "3": ByDay(earlier=9, later=0)})
    assert found(compare(anatomy(coalition("a@3")), anatomy(more))) == [
        ("regression", (MATHEMATICS, "a"), "by_day.2.earlier", 0, 1)
    ]
    assert compare(anatomy(coalition("a@3", opens=8)), anatomy(coalition("a@3"))).regressions == 2


def test_evenings_of_a_member_are_told_by_what_they_yield_not_by_its_name() -> None:
    assert found(compare(anatomy(coalition("a@0-9")), anatomy(coalition("a@1-9")))) == []


def test_a_lower_threshold_is_a_coalition_that_was_not_there() -> None:
    of = ("a@0-9", "b@0-9", "c@0-9")
    old, new = (anatomy(coalition(threshold=MemberThreshold(t=t, of=of))) for t in (2, 1))
    assert compare(old, new).regressions == 1


def test_a_pass_that_was_not_made_before_is_new_but_mathematics_always_is() -> None:
    served = msgspec.structs.replace(coalition("court@0-9"), label_pass="served")  # noqa: S106 (no password)
    assert found(compare(anatomy(coalition("a@0-9")), anatomy(coalition("a@0-9"), served)))[0][0] == "new"
    assert found(compare(anatomy(served), anatomy(coalition("a@0-9"), served)))[0][0] == "regression"


def test_an_active_play_that_opens_more_or_is_noticed_less_or_gone_is_a_regression() -> None:
    def played(**others: Any) -> Anatomy:
        return anatomy(coalition("provider@3-9", **{"mode": "active", "meddle": "ghost", "alarms": (ALARM,)} | others))

    row = ("active", "ghost")
    assert found(compare(played(), played(alarms=()))) == [("regression", row, "alarms.safety number", 2, 0)]
    assert found(compare(played(), played(opens=10)))[0][:3] == ("regression", row, "by_day.3.earlier")
    assert found(compare(played(), anatomy())) == [("regression", row, "opens", 9, None)]
    assert found(compare(anatomy(), played())) == [("new", row, "opens", None, 9)]


def test_anatomies_of_two_schemes_are_not_compared() -> None:
    with pytest.raises(NotComparable, match="two schemes: split-key and plain"):
        compare(anatomy(), anatomy(scheme="plain"))


# --- overhead ---


def overhead(
    text: int = 100, mail: int = 203, texts: int = 1, messages: int = 60, repeats: int = 15, **times: Any
) -> Overhead:
    row = {"microseconds": 10.0, "over_plain": 2.0, "over_floor": None} | times
    return Overhead(
        version="0",
        text=text,
        schemes=("envelope",),
        parameters={"envelope": {}},
        unverified=(),
        exact=(
            Exact(
                scheme="envelope",
                job="one-way",
                texts=texts,
                ciphertexts=1,
                mail=mail,
                sealed=168,
                field=30,
                asked=183,
                sessions=994,
                operations={"alice-phone": {"hmac": 2}},
            ),
        ),
        timing=Timing(
            python="3",
            cryptography="50",
            messages=messages,
            repeats=repeats,
            floor={"one-way": 1.0},
            rows=(Timed(scheme="envelope", job="one-way", level="session", **row),),
        ),
    )


def test_one_byte_or_one_operation_more_is_a_regression_and_one_text_less() -> None:
    base = overhead()
    assert found(compare(base, overhead(mail=204))) == [("regression", ("envelope", "one-way"), "mail", 203, 204)]
    assert found(compare(base, overhead(mail=202)))[0][0] == "improvement"
    assert found(compare(base, overhead(texts=0))) == [("regression", ("envelope", "one-way"), "texts", 1, 0)]
    counts = msgspec.structs.replace(base.exact[0], operations={"alice-phone": {"hmac": 2, "seal": 1}})
    more = found(compare(base, msgspec.structs.replace(base, exact=(counts,))))
    assert more == [("regression", ("envelope", "one-way"), "operations.alice-phone.seal", 0, 1)]


@pytest.mark.parametrize(
    ("ratio", "tolerance", "severities"),
    [(2.5, 25, []), (2.51, 25, ["regression"]), (2.51, 30, []), (1.5, 25, ["improvement"]), (2.01, 0, ["regression"])],
)
def test_a_ratio_of_times_may_grow_by_the_tolerance(ratio: float, tolerance: float, severities: list[str]) -> None:
    differences = found(compare(overhead(), overhead(over_plain=ratio), tolerance))
    assert [each[0] for each in differences] == severities


def test_microseconds_are_the_machine_s_and_so_are_ratios_of_few_turns_or_of_others() -> None:
    slow = compare(overhead(), overhead(microseconds=100.0))
    assert [each[0:3:2] for each in found(slow)] == [("advisory", "microseconds")] and slow.regressions == 0
    for other in (overhead(messages=10, over_plain=9.0), overhead(repeats=9, over_plain=9.0)):
        assert [each[0] for each in found(compare(overhead(), other))] == ["advisory"]


def test_a_row_that_is_gone_is_a_regression_and_texts_of_another_size_are_not_compared() -> None:
    base = overhead()
    less = msgspec.structs.replace(base, exact=(), timing=msgspec.structs.replace(base.timing, rows=()))
    assert [each[0] for each in found(compare(base, less))] == ["regression", "regression"]
    assert [each[0] for each in found(compare(less, base))] == ["new", "new"]
    with pytest.raises(NotComparable, match="100 and 200 bytes"):
        compare(base, overhead(text=200))
    with pytest.raises(NotComparable, match="parameters of envelope differ"):
        compare(base, msgspec.structs.replace(base, parameters={"envelope": {"n": 3}}))


def test_what_pytest_benchmark_recorded_is_compared_by_the_ratios_in_it(tmp_path: Path) -> None:
    old, new = (
        comparison.read(recorded(tmp_path / name, **info))
        for name, info in (("old", {}), ("new", {"over_plain": 13.0, "microseconds_a_text": 900.0}))
    )
    differences = found(compare(old, new))
    assert [each[0:3:2] for each in differences] == [("regression", "over_plain"), ("advisory", "microseconds_a_text")]
    other = comparison.read(recorded(tmp_path / "other", texts=10))
    with pytest.raises(NotComparable, match="60 and 10 texts"):
        compare(old, other)


# --- which texts ---


def listed(**lists: Any) -> dict[str, Any]:
    """Return a cell's lists with the counts that belong to them."""
    texts = CellTexts(**lists)
    counts = {
        "exposed": Exposed(target=Exposure(past=len(unpacked(texts.opened)))),
        "excluded": len(unpacked(texts.excluded)),
        "evaded": len(unpacked(joined(texts.missed))),
        "lawful": len(unpacked(joined(texts.lawful))),
    }
    return {"texts": texts, **counts}


NEWLY = {
    "more opened": (
        {"opened": "1-2", "reached": "1-2"},
        {"opened": "1-4", "reached": "1-4"},
        ("regression", "opened", 2, 4, "3-4", ""),
    ),
    "as many, others": (
        {"opened": "1-2", "reached": "1-2"},
        {"opened": "2-3", "reached": "2-3"},
        ("regression", "opened", 2, 2, "3", "1"),
    ),
    "by another coalition alone": (
        {"opened": "1-2", "reached": "1-2"},
        {"opened": "1-2", "reached": "1-3"},
        ("regression", "opened", 2, 2, "3", ""),
    ),
    "missed": ({"missed": {"unknown": "5"}}, {"missed": {"unknown": "5-6"}}, ("regression", "evaded", 1, 2, "6", "")),
    "others missed": (
        {"missed": {"unknown": "5"}},
        {"missed": {"unknown": "6"}},
        ("regression", "evaded", 1, 1, "6", "5"),
    ),
    "other lawful": ({"lawful": {"0": "5"}}, {"lawful": {"3": "6"}}, ("changed", "lawful", 1, 1, "6", "5")),
    "later lawful": ({"lawful": {"0": "5"}}, {"lawful": {"3": "5"}}, None),
}


@pytest.mark.parametrize("what", NEWLY)
def test_where_both_list_their_texts_it_is_said_which_differ(what: str) -> None:
    old, new, said = NEWLY[what]
    differences = compare(matrix(**listed(**old)), matrix(**listed(**new))).differences
    shown = [(each.severity, each.what, each.old, each.new, each.more, each.fewer) for each in differences]
    assert shown == ([said] if said else [])


def test_what_is_opened_is_compared_although_a_property_fails() -> None:
    old = matrix(**listed(opened="1", reached="1"))
    new = matrix(verdict="INCONCLUSIVE", **listed(opened="1-2", reached="1-2"))
    assert found(compare(old, new)) == [
        ("regression", ("plain", "theft"), "verdict", "AS CLAIMED", "INCONCLUSIVE"),
        ("regression", ("plain", "theft"), "opened", 1, 2),
    ]
    assert list(told(compare(old, new).differences)) == [
        "plain under theft: INCONCLUSIVE, not AS CLAIMED; 2 texts opened, not 1 (now text 2)"
    ]


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ({"opened": "1-2", "reached": "1-2", "excluded": "1"}, "a cell counts excluded 0, and lists 1"),
        ({"opened": "9", "reached": "9"}, "a cell lists the texts 9, of 9"),
        ({"opened": "1-2", "reached": "1"}, "of the texts opened, 2 are not reached"),
        ({"opened": "2,1", "reached": "1-2"}, "the texts '2,1' are not in ascending ranges"),
        ({"missed": {"unknown": "5", "packet lost": "5-6"}}, "a text stands under two of"),
        ({"unkept": "4"}, "of the texts unkept, 4 are not missed"),
    ],
)
def test_lists_that_contradict_themselves_or_the_counts_are_refused(lists: dict[str, Any], said: str) -> None:
    given = {
        "exposed": Exposed(target=Exposure(past=len(lists.get("opened", "").replace("1-2", "12").replace(",", ""))))
    }
    given["evaded"] = 2 if "missed" in lists else 0
    with pytest.raises(ValueError, match=re.escape(said)):
        matrix(texts=CellTexts(**lists), **given)


@given(st.sets(st.integers(0, 400)))
def test_ranges_hold_the_numbers_that_were_packed(numbers: set[int]) -> None:
    assert unpacked(packed(numbers)) == numbers

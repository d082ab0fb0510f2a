"""The sentence of a cell: who reads how many texts, beside plain and the claim, what the law misses, who notices."""

from typing import Any

import pytest

from attacks.lab.results.details import CellTexts, StateTaken
from attacks.lab.results.tallies import Added, Against, Exposed, Exposure
from attacks.lab.results.types import Alarms, Cell
from attacks.lab.verdict.judging import procedure
from attacks.report.html import heat
from attacks.report.html.sentences import reader, sentence
from attacks.report.matrices import grid

DEVICES = frozenset({"alice-phone", "bob-phone", "carol-phone", "dave-phone"})


def cell(opened: int = 0, **fields: Any) -> Cell:
    exposed = Exposed(bystander=Exposure(past=opened))
    return Cell(**{"scheme": "mine", "attack": "theft", "verdict": "HELD", "sent": 9, "exposed": exposed} | fields)


def plain(opened: int = 0) -> Cell:
    return cell(opened, scheme="plain", texts=CellTexts(opened=ids(opened), reached=ids(opened)))


def ids(count: int) -> str:
    return "" if not count else "0" if count == 1 else f"0-{count - 1}"


def taken(*who: str, how: str = "stolen", days: tuple[int, ...] = (3,)) -> tuple[StateTaken, ...]:
    time = "morning" if how in ("turned", "kept") else "evening"
    return tuple(StateTaken(who=each, how=how, day=day, time=time) for each in who for day in days)  # type: ignore[arg-type]  # words of a table


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        (taken("agent"), "Whoever takes the state of the agent once reads 4 of 9 texts"),
        (taken("agent-1", "agent-2"), "Whoever takes the states of agent-1 and agent-2 in one evening reads 4"),
        (taken("alice-phone", days=(1, 2)), "Whoever takes the state of alice-phone on 2 evenings reads 4"),
        (taken(*sorted(DEVICES)), "Whoever takes the states of 4 devices in one evening reads 4"),
        (taken("provider", how="turned"), "The provider, taken over from day 3 on, reads 4"),
        (taken("agent-1", "agent-2", how="kept"), "Agent-1 and agent-2, erasing nothing from day 3 on, read 4"),
        (taken("quantum"), "Whoever records everything and can break elliptic curves later reads 4"),
        (
            taken("provider", how="turned") + taken("bob-phone", how="used"),
            "The provider, taken over from day 3 on, together with whoever takes the state of bob-phone once and",
        ),
    ],
)
def test_who_reads(marks: tuple[StateTaken, ...], said: str) -> None:
    coalition = tuple(each.who for each in marks)
    assert sentence(cell(4, taken=marks, coalition=coalition), plain(), DEVICES).startswith(said)


def test_a_file_of_schema_1_names_the_coalition_alone() -> None:
    assert sentence(cell(4, coalition=("agent-1@3", "agent-2@3")), plain(), DEVICES).startswith(
        "Agent-1 and agent-2 read"
    )
    assert sentence(cell(4, coalition=("court@3",)), plain(), DEVICES).startswith("The court reads 4 of 9 texts")
    assert sentence(cell(4), plain(), DEVICES).startswith("Somebody who only listens reads 4 of 9 texts")


def test_beside_plain_and_the_claim() -> None:
    own = cell(4, texts=CellTexts(opened="0-3", reached="0-3"), coalition=("court",))
    assert "4 of 9 texts, all closed under plain. The claim grants it." in sentence(own, plain(0), DEVICES)
    assert "4 of 9 texts, 1 of them closed under plain." in sentence(own, plain(3), DEVICES)
    assert "4 of 9 texts, as under plain." in sentence(own, plain(4), DEVICES)
    assert "4 of 9 texts, 2 fewer than under plain." in sentence(own, plain(6), DEVICES)
    assert "4 of 9 texts. The claim" in sentence(own, None, DEVICES)
    excluded = cell(4, excluded=3, against=Against(texts=3, by_coalition=2), coalition=("court",))
    assert "The claim excludes 2 of them." in sentence(excluded, plain(), DEVICES)


def test_what_the_law_misses_and_what_is_false() -> None:
    missed = cell(entitled=6, lawful=2, evaded=4, unkept=4, fabricated=5, misattributed=1, framed=1, forged=2)
    assert sentence(missed, plain(), DEVICES) == (
        "The law reads 2 of the 6 texts that warrants cover and misses 4. The lawful access yields 5 texts that nobody "
        "sent. The lawful access yields 1 text in another conversation. The lawful access attributes 1 text to "
        "somebody who did not send them. Users are shown 2 texts that nobody sent. Nobody notices."
    )
    fewer = cell(
        entitled=6,
        lawful=2,
        evaded=4,
        unkept=3,
        alarms=(Alarms(who="bob", check="c", times=1, first_day=0, packets=1),),
    )
    assert sentence(fewer, None, DEVICES) == (
        "The law reads 2 of the 6 texts that warrants cover and misses 4, 3 of which it is promised. "
        "Honest parties raise 1 alarm."
    )
    lost = cell(entitled=6, added=Added(lost=30))
    assert sentence(lost, None, DEVICES).startswith("The law reads 0 of the 6 texts that warrants cover. Deliveries")


@pytest.mark.parametrize("name", procedure.WRONG)
def test_what_is_wrong_is_said_and_counted_everywhere_by_one_declaration(name: str) -> None:
    outer, _, inner = name.partition(".")
    wrong = cell(**{outer: Added(**{inner: 7})} if inner else {outer: 7})
    clause = procedure.WRONG[name][1].format("7 texts")
    assert f"{clause[0].upper()}{clause[1:]}." in sentence(wrong, None, DEVICES)
    assert clause in procedure.reason(wrong) and procedure.briefly(wrong).endswith(f", {procedure.WRONG[name][0]} 7")
    assert grid.failed(wrong) == heat.tally(wrong, None).false == 7


def test_what_excuses_an_exclusion_stands_behind_it() -> None:
    excused = cell(4, excluded=4, against=Against(texts=4, by_coalition=4, conceded=4), coalition=("court",))
    assert "The claim excludes them, and its source concedes it." in sentence(excused, plain(), DEVICES)
    outside = cell(4, excluded=4, against=Against(texts=4, by_coalition=4, outside=4), coalition=("court",))
    assert "excludes them, and its source assumes that nobody can do this." in sentence(outside, plain(), DEVICES)


def test_nothing_happens() -> None:
    quiet = "Nobody but the people of a conversation reads anything"
    assert sentence(cell(), plain(), DEVICES) == f"{quiet}."
    assert sentence(cell(lawful=6, entitled=6), plain(), DEVICES).startswith(f"{quiet}, and the law reads 6 of the 6")
    assert sentence(cell(verdict="TIMEOUT"), plain(), DEVICES) == "It is not known what is read."


def test_the_reader_of_a_timeline() -> None:
    assert reader(cell(coalition=("agent@3", "agent@5")), DEVICES) == "the agent"
    assert reader(cell(), DEVICES) == "the network"

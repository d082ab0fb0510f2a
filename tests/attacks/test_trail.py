"""A play that goes on from the honest one is the play that begins at the beginning."""

import msgspec
import pytest

from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import small
from attacks.lab.simulation.strategies import strategies
from attacks.lab.simulation.trail import Trail
from attacks.registry import attacks
from escrow.crypto import Results, Run, running
from escrow.registry import schemes


def fields_of(record: Record) -> dict[str, object]:
    """Return what a record has. Classes of corrupted parties are made anew for each play: their names are compared."""
    kinds = {name: [kind.__name__ for kind in kinds] for name, kinds in record.kinds.items()}
    of_set_up = {name: kind.__name__ for name, kind in record.set_up_kinds.items()}
    used = {taken: state for taken, (state, _) in record.stolen.items()}
    kept = {name: getattr(record, name) for name in record.__struct_fields__}
    return kept | {"kinds": kinds, "set_up_kinds": of_set_up, "stolen": used}


@pytest.mark.parametrize("name", ["ghost", "split-key"])
def test_a_play_that_goes_on_from_the_honest_one_is_the_whole_play(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scheme, scenario, trail, begun = schemes()[name], small(), Trail(), list[int]()
    put, late = Trail.put, set[str]()
    honest = play(scheme, scenario, trail=trail)
    assert honest == trail.record == play(scheme, scenario)
    monkeypatch.setattr(Trail, "put", lambda *given: (begun.append(given[2]), put(*given)))
    cast = cast_of(scheme, scenario)
    for attack in attacks().values():
        if attack.applies(scheme, cast):
            continue
        for strategy in strategies(attack, cast, scenario):
            before = len(begun)
            resumed = play(scheme, scenario, strategy, trail=trail)
            if len(begun) > before:
                late.add(attack.name)
                assert fields_of(resumed) == fields_of(play(scheme, scenario, strategy)), strategy.strategy
    assert {"impersonation", "notice-suppression", "court-key-theft"} <= late  # of each kind of corruption one
    assert len(begun) > len(late)
    assert trail.record == honest


def test_what_the_honest_play_has_is_not_what_another_changes() -> None:
    scheme, scenario, trail = schemes()["plain"], small(), Trail()
    play(scheme, scenario, trail=trail)
    before = msgspec.json.encode(trail.record.heard), trail.record.states
    attack = attacks()["impersonation"]
    first, second = (play(scheme, scenario, attack, trail=trail) for _ in range(2))
    assert fields_of(first) == fields_of(second)
    assert before == (msgspec.json.encode(trail.record.heard), trail.record.states)
    assert first.heard != trail.record.heard


def test_a_play_with_a_corruption_from_the_first_day_on_begins_at_the_beginning() -> None:
    scheme, scenario = schemes()["plain"], small()
    attack = attacks()["prekey-substitution"]
    cast = cast_of(scheme, scenario)
    trail = Trail()  # has no evening: to go on from it would raise
    assert play(scheme, scenario, strategies(attack, cast, scenario)[0], trail=trail).attack == attack.name


@pytest.mark.parametrize("name", ["pre-encryption", "false-fields"])
def test_what_a_corrupted_party_had_is_the_same_whether_or_not_the_run_keeps_results(name: str) -> None:
    scheme, attack = schemes()["envelope"], attacks()[name]
    computed = play(scheme, small(), attack)
    with running(Run(None, results=Results())):
        first, second = (play(scheme, small(), attack) for _ in range(2))
    assert fields_of(first) == fields_of(second) == fields_of(computed)

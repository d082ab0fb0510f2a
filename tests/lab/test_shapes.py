"""Property: the scenarios of the lab are read by their names, and have the traffic that they are named for."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from attacks.cli import main
from attacks.cli.invocation import Invocation
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.simulation.shapes import SMOKE, read, shapes
from escrow.errors import Malformed

SHAPES = {name: read(Path(name)) for name in shapes()}
SEEDS = range(20)


def texts(shape: Scenario) -> list[tuple[str, str, str]]:
    """Return who writes to which user or group, under all seeds."""
    owner = {device: user.name for user in shape.users for device in user.devices}
    return [
        (owner[each.device], each.peer, each.group)
        for seed in SEEDS
        for each in msgspec.structs.replace(shape, seed=seed).texts()
    ]


@pytest.mark.parametrize("name", SHAPES)
def test_a_scenario_of_the_lab_is_of_the_small_size_and_consistent(name: str) -> None:
    shape = SHAPES[name].check()
    assert (shape.days, shape.messages) == (SMOKE["days"], SMOKE["messages"])
    assert len(shape.users) <= SMOKE["users"] and shape.seed == default().seed and len(shape.warrants) == 2


def test_a_small_circle_has_no_groups_and_everybody_writes_to_everybody() -> None:
    said = texts(SHAPES["circle"])
    users = [user.name for user in SHAPES["circle"].users]
    assert {(one, other) for one, other, _ in said} == {(a, b) for a in users for b in users if a != b}


def test_most_texts_of_groups_go_to_groups_of_both_styles() -> None:
    said = Counter(group for _, _, group in texts(SHAPES["groups"]))
    assert set(said) == {group.name for group in SHAPES["groups"].groups} | {""}
    assert {group.sender_keys for group in SHAPES["groups"].groups} == {True, False}
    assert said[""] < said.total() / 3


def test_in_a_broadcast_one_writes_and_nobody_answers() -> None:
    assert {(one, other) for one, other, _ in texts(SHAPES["one-way"])} == {
        ("alice", other) for other in ("bob", "carol", "dave")
    }


@pytest.mark.parametrize(("percent", "share"), [(0, 0.0), (100, 1.0)])
def test_percentages_say_how_many_texts_go_to_groups_and_one_way(percent: int, share: float) -> None:
    every = tuple(user.name for user in default().users)
    group = msgspec.structs.replace(default().groups[0], members=every)
    plain = msgspec.structs.replace(default(), groups=(group,), one_way=(), group_percent=percent)
    assert sum(bool(said.group) for said in plain.texts()) == share * plain.messages
    way = msgspec.structs.replace(default().one_way[0], first=0, last=9)
    one_way = msgspec.structs.replace(default(), groups=(), one_way=(way,), one_way_percent=percent)
    writer = next(user for user in one_way.users if user.name == way.writer)
    chosen = [said for said in one_way.texts() if (said.device, said.peer) == (writer.devices[0], way.reader)]
    assert len(chosen) == one_way.messages if percent else len(chosen) < one_way.messages / 5


def test_a_name_and_a_file_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("groups").write_bytes(msgspec.json.encode(default(users=2)))
    assert Invocation(scenario_file=Path("groups"), seed=7).scenario == msgspec.structs.replace(
        SHAPES["groups"], seed=7
    )
    assert Invocation(scenario_file=tmp_path / "groups").scenario == default(users=2)


@pytest.mark.parametrize(
    ("name", "hint"), [("circles", "did you mean circle?"), ("nowhere", f"the lab has {', '.join(SHAPES)}")]
)
def test_a_name_that_the_lab_does_not_have_is_4_with_those_that_it_has(
    name: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["matrix", "--scenario", name]) == 4
    said = capsys.readouterr().err
    assert said.startswith(f"escrow-lab: {name}: ") and hint in said
    with pytest.raises(Malformed, match=name):
        read(Path(name))

"""Silence sets: minimal by inclusion, confirmed by plays, and equal to a search through all subsets."""

from itertools import chain, combinations

import pytest

import attacks as lab
from attacks.lab.results.silences import Silences
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.silence.sets import DEVICE, LAWFUL, STRANGER, WAYS, SilenceSearch, silences
from escrow.e2ee.listing.vouching import VouchingDevice
from escrow.registry import with_parameters
from escrow.schemes import ghost, plain

SCENARIO = default(users=3, groups=2, days=4, messages=32)
SHOWN, NUMBER = {("devices shown", "target"), ("devices shown", "others")}, ("safety number", "others")
SIGNED = {("list signature", "others"), ("account signature", "others")}
IN_CHAT = {("in-chat lists", "target"), ("in-chat lists", "others")}
MEMBERS = {("members shown", "target"), ("members shown", "others")}
TO_TARGET, BY_TARGET = "direct, of others", "direct, of the target"
GROUP = "group fan-out, of others"


def found(scheme, settings=()):
    """The silence sets by what is added, whether with help, and one of the kinds of texts."""
    chosen = with_parameters(scheme, [f"{scheme.name}.{each}" for each in settings])
    sets = {}
    for way in silences(chosen, SCENARIO).ways:
        for texts in way.texts:
            sets[way.adds, len(way.by) > 1, texts] = [{(each.check, each.on) for each in one.off} for one in way.sets]
    return sets


@pytest.mark.parametrize(
    ("settings", "texts", "alone", "helped"),
    [
        ((), TO_TARGET, SHOWN | {NUMBER}, SHOWN),
        ((), BY_TARGET, SHOWN | {NUMBER, ("own devices", "target")}, SHOWN | {("own devices", "target")}),
        (("devices=signed",), TO_TARGET, SHOWN | SIGNED | IN_CHAT | {NUMBER}, SHOWN | IN_CHAT),
        (
            ("devices=shared",),
            TO_TARGET,
            {("devices shown", "target"), ("changed keys shown", "others"), ("one key a user", "others"), NUMBER},
            set(),
        ),
        (
            ("fan_out=watched",),
            TO_TARGET,
            SHOWN | {NUMBER, ("fan-out size", "others")},
            SHOWN | {("fan-out size", "others")},
        ),
    ],
)
def test_who_must_lie_for_a_device_of_the_target(settings, texts, alone, helped):
    sets = found(ghost.SCHEME, settings)
    assert sets[DEVICE, False, texts] == [alone]
    assert sets[DEVICE, True, texts] == [helped]


def test_a_member_of_a_group_needs_the_admin_s_signature_only_where_members_are_signed():
    unsigned, signed = found(ghost.SCHEME), found(ghost.SCHEME, ["groups=admins"])
    assert unsigned[STRANGER, False, GROUP] == unsigned[STRANGER, True, GROUP] == [MEMBERS]
    assert signed[STRANGER, False, GROUP] == [MEMBERS | {("signed members", "others")}]
    assert signed[STRANGER, True, GROUP] == [MEMBERS]


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ((), {NUMBER}),
        (("number=hidden",), set()),
        (("covers=target",), {NUMBER, ("devices shown", "others")}),
        (("hush=none",), SHOWN | {NUMBER}),
        (("devices=signed",), {NUMBER}),
    ],
)
def test_who_must_lie_beside_the_hush_of_a_warrant(settings, needed):
    assert found(ghost.SCHEME, settings)[LAWFUL, True, TO_TARGET] == [needed]


def test_clients_that_ask_for_no_signature_after_all_need_fewer_lies(monkeypatch):
    monkeypatch.setattr(VouchingDevice, "vouches", lambda self, listed, day: True)
    sets = found(ghost.SCHEME, ["devices=signed"])
    assert sets[DEVICE, False, TO_TARGET] == [SHOWN | IN_CHAT | {NUMBER}]


def test_the_provider_alone_is_silent_where_its_word_hides_devices_and_numbers():
    sets = found(ghost.SCHEME, ["hush=provider", "number=hidden"])
    assert sets[DEVICE, False, TO_TARGET] == sets[DEVICE, False, BY_TARGET] == [set()]
    assert (DEVICE, True, TO_TARGET) not in sets  # who is not noticed without help needs none


@pytest.mark.parametrize("settings", [(), ("devices=signed",), ("groups=admins", "fan_out=watched")])
def test_each_silence_set_is_confirmed_by_the_play_without_it_and_by_those_that_keep_one_check(settings):
    scheme = with_parameters(ghost.SCHEME, [f"ghost.{each}" for each in settings])
    search = SilenceSearch(scheme, SCENARIO)
    for way in WAYS:
        for row in search.rows(way):
            goal = frozenset().union(*(search.goals(way)[name] for name in row.texts))
            for each in row.sets:
                told = search.told(way, frozenset((lie.check, lie.on) for lie in each.off))
                assert goal <= told.reads and not told.alarms
                assert [kept.lie for kept in each.kept] == list(each.off)
                assert all(kept.alarms or kept.reads < row.count for kept in each.kept)
                assert ("the clients' vendor" in each.principals) == bool(each.off)


@pytest.mark.parametrize("way", [WAYS[0], WAYS[2]])
def test_the_search_finds_what_a_search_through_all_subsets_finds(way):
    search = SilenceSearch(plain.SCHEME, SCENARIO)
    goals = search.goals(way)
    goal = frozenset().union(*goals.values())
    everything = search.everything()
    asked = sorted(search.told(way, everything).failed)
    subsets = chain.from_iterable(combinations(asked, size) for size in range(len(asked) + 1))
    silent = [frozenset(each) for each in subsets]
    silent = [each for each in silent if not (told := search.told(way, each)).alarms and goal <= told.reads]
    minimal = [each for each in silent if not any(other < each for other in silent)]
    assert minimal and sorted(map(sorted, search.sets(way, goal))) == sorted(map(sorted, minimal))


def test_python_gives_what_the_command_writes(tmp_path):
    shown = lab.silence("ghost", users=3, days=4, messages=32)
    shown.save(tmp_path / "silence.json")
    again = lab.load(tmp_path / "silence.json")
    assert isinstance(again.data, Silences) and again.data == shown.data and str(again) == str(shown)
    assert "the ghost reads 12 of 12" in str(shown)

"""What is missed at each level of policing: the figures of the experiment, and counts from the planned texts alone."""

from functools import cache

from attacks.experiments.policing_levels import EXPERIMENT, policed
from escrow.e2ee.policing import CARRIED, Policing

SCENARIO = EXPERIMENT.scenario
TARGETS = {warrant.target for warrant in SCENARIO.warrants}
OF_TARGETS = {name for user in SCENARIO.users if user.name in TARGETS for name in user.devices}
ROGUES = {
    "one device of one target": {next(u.devices[0] for u in SCENARIO.users if u.name == SCENARIO.warrants[0].target)},
    "all devices of the targets": OF_TARGETS,
    "all clients": set(SCENARIO.devices),
}


@cache
def figures():
    return {figure.quantity: figure for figure in EXPERIMENT.run(False, lambda *_: None)}


def planned():
    """Yield (sending device, receiving devices, whether a warrant covers it) of each planned text."""
    devices = {user.name: user.devices for user in SCENARIO.users}
    for said in SCENARIO.texts():
        people = SCENARIO.people(said)
        to = {name for user in people for name in devices[user]} - {said.device}
        yield said.device, to, any(w.target in people and w.first <= said.day <= w.last for w in SCENARIO.warrants)


def missed(level: Policing, rogues: set[str]) -> int:
    reads = {"none": lambda to: True, "recipient": lambda to: bool(to & rogues)}.get(level, lambda to: False)
    return sum(covered and device in rogues and reads(to) for device, to, covered in planned())


def test_every_scheme_with_fields_stands_at_each_level_that_it_can_have():
    levels: dict[str, list[str]] = {}
    for scheme in policed():
        levels.setdefault(scheme.name, []).append(scheme.policing)
    kinds = {("none", "relay"), ("none", "relay", "recipient"), ("none", "relay", "recipient", "publicly")}
    assert len(levels) > 3 and set(map(tuple, levels.values())) <= kinds
    assert levels["envelope"][-1] == "publicly"
    assert len(figures()) == sum(map(len, levels.values())) * len(ROGUES) * 2


def test_the_law_misses_what_the_level_lets_rogues_exchange():
    for scheme in policed():
        for way, rogues in ROGUES.items():
            figure = figures()[f"{scheme.name}, {scheme.policing}, {way}: missed"]
            assert figure.measured == figure.expected == missed(scheme.policing, rogues), figure


def test_a_relay_stops_the_rogues_own_texts_and_nobody_elses():
    for scheme in policed():
        for way, rogues in ROGUES.items():
            stopped = figures()[f"{scheme.name}, {scheme.policing}, {way}: reach nobody"].measured
            if scheme.policing == "none":
                assert stopped == 0
            elif scheme.policing in CARRIED:
                assert stopped == sum(device in rogues for device, _, _ in planned())
            else:
                assert stopped == sum(device in rogues and not to & rogues for device, to, _ in planned())

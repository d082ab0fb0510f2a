"""Property: whatever devices and users of a scenario are called, what an attack adds has a name of its own."""

import msgspec
import pytest
from attacked import ATTACKS

from attacks.lab.simulation.attack import Attack, Turn
from attacks.lab.simulation.play import cast_of
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.simulation.strategies import strategies
from escrow.e2ee.provider import Provider
from escrow.scheme import Scheme, User
from escrow.schemes import ghost_directory, ghost_mls, plain

SMALL = default(users=3, groups=1, days=4, messages=12)
SCHEMES = {each.name: each for each in (plain.SCHEME, ghost_directory.SCHEME, ghost_mls.SCHEME)}


def added(scheme: Scheme, attack: Attack, scenario: Scenario) -> dict[str, str]:
    """Return whose each device is that the attack makes the provider list, beside the scenario's own."""
    cast = cast_of(scheme, scenario)
    [provider] = (each for each in scheme.cast(scenario.users, bytes(32)) if isinstance(each, Provider))
    turns = () if attack.applies(scheme, cast) else attack.corruptions(cast, scenario)
    if any(isinstance(each, Turn) and each.principal == provider.name for each in turns):
        provider = attack.corrupt(provider, scheme, cast, scenario)
    own = {name: user.name for user in scenario.users for name in user.devices}
    assert own.items() <= provider.accounts.items()
    return {name: user for name, user in provider.accounts.items() if name not in own}


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_no_attack_puts_its_device_or_user_in_the_place_of_one_of_the_scenarios(scheme):
    found = set()
    for attack in ATTACKS.values():
        for each in strategies(attack, cast_of(scheme, SMALL), SMALL):
            if new := added(scheme, each, SMALL):
                strangers = {*new.values()} - {user.name for user in SMALL.users}
                taken = User(next(iter(strangers), "zoe"), tuple(new))
                after = added(scheme, each, msgspec.structs.replace(SMALL, users=(*SMALL.users, taken)))
                assert len(after) >= len(new) and not strangers & {*after.values()}, each.name
                found.add(each.name)
    assert {"ghost-insertion", "member-insertion", "notice-suppression"} <= found

"""The strategies of an attack: the ways to carry it out, in order from narrow to wide, each with a play of its own.

Which are played an attack's `plays` says:

  ends       the narrowest and the widest, and one between where the narrowest is noticed and reads less than the widest
  all        every one
  narrowest  the narrowest alone
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TypeVar

from attacks.lab.simulation.attack import Attack, Cast, Plays
from attacks.lab.simulation.scenario import Scenario
from escrow.errors import Malformed

P = TypeVar("P")


def strategies(attack: Attack, cast: Cast, scenario: Scenario) -> tuple[Attack, ...]:
    """Return the strategies of an attack, from narrow to wide: the attack alone if it lists none, or is one.

    Raise Malformed if one is of another attack, or two have one name.
    """
    listed = (attack,) if attack.strategy else tuple(attack.strategies(cast, scenario)) or (attack,)
    names = [each.strategy for each in listed]
    if stranger := next((each.name for each in listed if each.name != attack.name), ""):
        where = f"{type(attack).__name__}.strategies"
        raise Malformed(f"{attack.name}: {where} lists strategies of {stranger}; let it make attacks of its own class")
    if len(set(names)) < len(names):
        raise Malformed(f"{attack.name}: two of its strategies are called {max(names, key=names.count)!r}")
    return listed


def narrowest(attack: Attack, cast: Cast, scenario: Scenario) -> Attack:
    """Return the strategy that an attack is, or else its narrowest one."""
    return strategies(attack, cast, scenario)[0]


def named(attack: Attack, name: str, cast: Cast, scenario: Scenario) -> Attack:
    """Return the strategy of this name. Raise LookupError if the attack lists none."""
    for each in strategies(attack, cast, scenario):
        if each.strategy == name:
            return each
    raise LookupError(f"{attack.name} has no strategy called {name!a}")


def playing(attack: Attack, plays: Plays) -> Attack:
    """Return the same attack, of which these strategies are played."""
    again = copy.copy(attack)
    again.plays = plays
    return again


def played(
    listed: Sequence[Attack], play: Callable[[Attack], P], worth_more: Callable[[P, P], bool], plays: Plays = "ends"
) -> list[P]:
    """Return what is played of these strategies, from narrow to wide.

    Args:
        listed: the strategies.
        play: plays one.
        worth_more: whether one between is worth a play, by those of the narrowest and the widest.
        plays: which are played.
    """
    if plays != "ends":
        return [play(each) for each in (listed if plays == "all" else listed[:1])]
    found = [play(each) for each in (listed if len(listed) < 2 else (listed[0], listed[-1]))]
    if len(listed) > 2 and worth_more(*found):
        found.insert(1, play(listed[len(listed) // 2]))
    return found

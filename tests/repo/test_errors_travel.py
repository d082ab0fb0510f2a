"""An error that a worker raises arrives in the process that reports it, as it was raised."""

import copy
import importlib
import pkgutil

import pytest

import attacks
import escrow
from attacks.lab.adversary.closure import EndlessRule
from escrow.errors import Refused
from escrow.sharing.blame import Blame, Blamed

RAISED = (
    Refused("agent-1", "no warrant"),
    Blamed("the dealing does not fit", (Blame(2, "a wrong share"),)),
    EndlessRule.of((), 3, 0, 7),
)


def own(classes):
    """Those of the classes that take other arguments than a message and do not say how they are made again."""
    return [each.__name__ for each in classes if "__init__" in vars(each) and "__reduce__" not in vars(each)]


def test_every_error_with_arguments_of_its_own_says_how_it_is_made_again():
    found = set()
    for package in (escrow, attacks):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "__main__" not in module.name and ".plugins" not in module.name:
                there = vars(importlib.import_module(module.name)).values()
                found |= {each for each in there if isinstance(each, type) and issubclass(each, Exception)}
    mine = [each for each in found if each.__module__.split(".")[0] in ("escrow", "attacks")]
    assert own(mine) == []
    assert {Refused, Blamed, EndlessRule} <= set(mine)


def test_one_that_does_not_say_so_is_seen():
    class Planted(Exception):
        def __init__(self, one, other):
            super().__init__(f"{one} {other}")

    assert own([Planted]) == ["Planted"]
    with pytest.raises(TypeError):
        copy.copy(Planted("one", "other"))  # which makes it again as another process does


@pytest.mark.parametrize("error", RAISED, ids=lambda each: type(each).__name__)
def test_it_arrives_as_it_was_raised(error):
    arrived = copy.copy(error)  # which makes it again as another process does
    assert (type(arrived), str(arrived), vars(arrived)) == (type(error), str(error), vars(error))

"""Where clients negotiate whether they escrow: a device speaks for itself, and an answer is about who was asked for."""

import pytest

from escrow.e2ee.listing.modes import SpokenMode
from escrow.errors import Refused
from escrow.principal import corrupted
from escrow.registry import schemes, with_parameters
from escrow.testing.harness import playing


def negotiating(modes):
    return playing(with_parameters(schemes()["envelope"], [f"envelope.modes={modes}"]))


@pytest.mark.parametrize(("sender", "device"), [("agent", "agent"), ("bob-phone", "alice-phone")])
def test_a_linked_device_speaks_for_itself_alone(sender, device):
    with negotiating("offered") as harness:
        before = harness.provider.state()
        with pytest.raises(Refused, match="a device speaks for itself"):
            harness.wire.ask(sender, "provider", SpokenMode(device, False, 0), type(None))
        assert harness.provider.state() == before


@pytest.mark.parametrize(("about", "escrows"), [("alice-phone", False), ("alice-laptop", True)])
def test_what_is_said_of_another_device_is_not_believed(about, escrows):
    with negotiating("offered") as harness:
        bob = harness.device("bob-phone")
        (listed,) = (each for each in bob.look_up(harness.wire, "alice") if each.device == "alice-phone")
        said = SpokenMode(about, False, 0)
        harness.wire.parties["provider"] = corrupted(harness.provider, on_ask_mode=lambda *_: said)
        assert bob.escrows_to(harness.wire, listed) is escrows

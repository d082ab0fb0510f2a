"""Take a user's device, once or on several evenings, and read what its state and the archive give.

  take     the state of each device, on each evening, in every combination
  read     the archive of all packets: earlier texts test forward secrecy, later ones healing

The history on the screen is not counted: the holder of a phone reads it anyway.
Source: Cohn-Gordon, Cremers and Garratt, "On Post-Compromise Security", CSF 2016, section 1, definition 1.
"""

from collections.abc import Iterable

from attacks.lab.simulation.attack import Attack, Cast, Seize
from attacks.lab.simulation.scenario import Scenario
from escrow.scheme import Source


class DeviceCompromise(Attack):
    """Seize every device on every evening, in every combination."""

    name = "device-compromise"
    title = "Users' devices are taken"
    source = Source("Cohn-Gordon, Cremers and Garratt", "On Post-Compromise Security", 2016, "1, definition 1")
    in_pages = True
    specimen = "kept_keys"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize]:
        """Seize each device on each evening."""
        return [Seize(device, day) for device in cast.devices for day in range(scenario.days)]


ATTACK = DeviceCompromise()

"""An insider at the provider adds a device, and the clients' vendor ships an update that tells nobody.

  insert   the directory lists g, with the insider's keys, among the devices of a user whom no warrant names
  update   the clients of that user, or of everybody, leave out every check that would tell of g or keep mail from it,
           and leave g out of the safety number; what they hold stays on them
  read     g's keys open what the network heard

An update for the user alone leaves the notice on the devices of all who write to g, who then tell. Which checks are
needed, and on whose devices, is what `escrow-lab silence` computes.
Source: Levy and Robinson (2018), on suppressing a notification "only on the device of the target and possibly those
they communicate with".
"""

from collections.abc import Sequence

from attacks.ghost_insertion import GhostInsertion, bystander
from attacks.lab.simulation.attack import Attack, Cast
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.silenced import LeftOutChecks
from escrow.scheme import Scheme, Source


class NoticeSuppression(GhostInsertion):
    """Corrupt the provider, which lists a device for one user; clients of that user, or of all, leave out checks."""

    name = "notice-suppression"
    title = "A provider's insider adds a device, and an update of the clients hides it"
    source = Source(
        "Levy and Robinson",
        "Principles for a More Informed Exceptional Access Debate",
        2018,
        "on virtual crocodile clips",
        "messages",
    )
    in_pages = True
    specimen = "trusting"

    def __init__(self, strategy: str = "", victims: Sequence[str] = (), everybody: bool = True) -> None:
        """Name the strategy, the victim, and whether all clients are updated, or leave all to `strategies`."""
        super().__init__(strategy, victims)
        self.everybody = everybody

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return an update for the victim's clients alone, and one for everybody's."""
        victim = [bystander(scenario).name]
        return [
            NoticeSuppression("an update for the victim's clients", victim, everybody=False),
            NoticeSuppression("an update for all clients", victim),
        ]

    def silenced(self, user: str, scheme: Scheme, scenario: Scenario) -> LeftOutChecks | None:
        """Return every check of the scheme's clients, where they are updated."""
        if not self.everybody and user not in self.victims:
            return None
        ghosts = tuple(scenario.unused(f"{victim}-tablet") for victim in self.victims)
        return LeftOutChecks(tuple(check.name for check in scheme.device.checks), ghosts)


ATTACK = NoticeSuppression()

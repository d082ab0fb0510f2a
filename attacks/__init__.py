"""The adversaries: each file is one attack; attacks.lab plays them and computes who can read what.

The names that the author of an attack needs are exported here, and imported on first use. In the file of an attack,
import names from this package, not the package itself. To use the laboratory from Python, import the package:

  import attacks as lab
  play = lab.play("split-key", days=5, messages=24)
  play.text(5).readers()                      minimal coalitions that open text 5
  play.opened_by("agent-1@3, agent-2@3")      numbers of the texts that a coalition opens
"""

from typing import TYPE_CHECKING

from escrow.surface import exports

if TYPE_CHECKING:
    from attacks.interface.given import scheme
    from attacks.interface.plays import PlayedScheme, play
    from attacks.interface.runs import anatomy, check, load, matrix, run, silence
    from attacks.lab.runs.experiment import Experiment, Figure
    from attacks.lab.simulation.attack import (
        MISSED,
        PROVIDER,
        Attack,
        Cast,
        Column,
        Corruption,
        Keep,
        Seize,
        Turn,
        Use,
        attacker_device,
        drawn,
        entry_of,
        first_target,
    )
    from attacks.lab.simulation.builds.intruder import INTRUDER, IntruderApparatus
    from attacks.lab.simulation.quantum import QUANTUM, QuantumApparatus
    from attacks.lab.simulation.scenario import LATEST, Scenario
    from attacks.lab.simulation.silenced import LeftOutChecks
    from escrow.principal import corrupted, of_kind

__all__ = [  # noqa: RUF022 (in groups, not in the order of the alphabet)
    # the laboratory
    "anatomy", "check", "load", "matrix", "play", "run", "scheme", "silence",
    # types
    "Attack", "Cast", "Column", "Corruption", "Experiment", "Figure", "IntruderApparatus", "Keep", "LeftOutChecks",
    "PlayedScheme", "QuantumApparatus", "Scenario", "Seize", "Turn", "Use",
    # functions
    "attacker_device", "corrupted", "drawn", "entry_of", "first_target", "of_kind",
    # constants
    "INTRUDER", "LATEST", "MISSED", "PROVIDER", "QUANTUM",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker that saw it would accept every name
    __getattr__ = exports(__name__)


def __dir__() -> list[str]:
    """Return the exported names, which are not there before they are asked for."""
    return __all__

"""The adversaries: each file is one attack; attacks.lab plays them and computes who can read what.

The names that the author of an attack needs are exported here, and imported on first use. Import names from this
package, not the package itself.
"""

from typing import TYPE_CHECKING

from escrow.surface import exports

if TYPE_CHECKING:
    from attacks.lab.simulation.attack import (
        MISSED,
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
    )
    from attacks.lab.simulation.quantum import QUANTUM, QuantumApparatus
    from attacks.lab.simulation.scenario import LATEST, Scenario
    from escrow.principal import corrupted, of_kind

__all__ = [  # noqa: RUF022 (in groups, not in the order of the alphabet)
    # types
    "Attack", "Cast", "Column", "Corruption", "Keep", "QuantumApparatus", "Scenario", "Seize", "Turn", "Use",
    # functions
    "attacker_device", "corrupted", "drawn", "entry_of", "of_kind",
    # constants
    "LATEST", "MISSED", "QUANTUM",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker that saw it would accept every name
    __getattr__ = exports(__name__)

"""Record everything today; compute the private half of every elliptic-curve key in it when a computer can do that.

  record   every packet, for as long as the play lasts
  compute  discrete logarithms of all public keys in the packets: identity keys and prekeys, ephemeral and ratchet keys,
           what access fields are sealed to, the first commitments of dealt keys
  read     the archive; no party is corrupted, nothing was sent, no signature is forged

Claims are made against today's adversaries; this attack measures their worth against a later one. Texts that stay
closed were protected by a KEM that no such computer opens.
Source: Kret and Schmidt, "The PQXDH Key Agreement Protocol", 2023, section 4.7; Shor, FOCS 1994, for the computer.
"""

from collections.abc import Iterable

from attacks.lab.simulation.attack import Attack, Cast, Column, Seize
from attacks.lab.simulation.quantum import QUANTUM, QuantumApparatus
from attacks.lab.simulation.scenario import Scenario
from escrow.scheme import Finding, Source


class HarvestNowDecryptLater(Attack):
    """Let a quantum computer break every elliptic-curve key in the recorded packets."""

    name = "harvest-now-decrypt-later"
    title = "Everything is recorded, and every elliptic curve broken later"
    source = Source("Kret and Schmidt", "The PQXDH Key Agreement Protocol", 2023, "4.7", "messages")
    in_pages = True
    column = Column(
        8,
        "recorded, broken later",
        "exposed.total",
        meaning="whoever records today and breaks curves one day reads them",
    )
    findings = (
        Finding(
            8,
            name,
            "**Later**: somebody who records everything today and breaks elliptic curves one day reads "
            "{plain.exposed.total} of {plain.sent} texts of `plain`, and {plain-pq.exposed.total} of `plain-pq`.",
            ("plain.exposed.total > plain-pq.exposed.total",),
        ),
    )
    specimen = "kem_unmixed"
    apparatus = QuantumApparatus

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize]:
        """Take the quantum computer's results on the last evening; corrupt no party."""
        return [Seize(QUANTUM, scenario.days - 1)]


ATTACK = HarvestNowDecryptLater()

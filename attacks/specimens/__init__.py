"""Schemes broken on purpose in one line, each with the sound twin that differs in that line.

Every attack names a module here: it must break the specimen and fail on the twin, or its verdicts mean nothing. Each
module offers SPECIMEN, TWIN and, if the scenario below does not show the difference, SCENARIO.
"""

from attacks.lab.simulation.scenario import Scenario, default
from escrow.scheme import Source

OURS = Source("This project", "Two-sided controls", 2026, "all", "all")


def control_scenario() -> Scenario:
    """Return a scenario of three users, one group with pairwise fan-out, four days, sixteen texts, two warrants."""
    return default(users=3, groups=1, days=4, messages=16)

"""How hard properties are tried: `quick` unless ESCROW_LAB_PROFILE says `long`.

quick tries the same cases each time, so that a change either passes or does not; long tries new ones, many more.
"""

import os

from hypothesis import HealthCheck, settings

from escrow.testing.properties import QUICK

LONG = settings(max_examples=10_000, stateful_step_count=100, deadline=None, suppress_health_check=list(HealthCheck))

settings.register_profile("quick", QUICK)
settings.register_profile("long", LONG)
settings.load_profile(os.environ.get("ESCROW_LAB_PROFILE", "quick"))

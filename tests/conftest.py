"""How hard properties are tried: `quick` unless ESCROW_LAB_PROFILE says `long`; and on how many cores.

quick tries the same cases each time, so that a change either passes or does not; long tries new ones, many more.

Folders of tests run on all cores unless `-n` says otherwise; single files run in one process. Each process begins with
a part of the files and takes tests of another only when it has none left, so what a file computes for its tests is
computed once. Benchmarks have no such hook: under several processes pytest-benchmark measures nothing and writes
nothing.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from escrow.testing.properties import QUICK

LONG = settings(max_examples=10_000, stateful_step_count=100, deadline=None, suppress_health_check=list(HealthCheck))

settings.register_profile("quick", QUICK)
settings.register_profile("long", LONG)
settings.load_profile(os.environ.get("ESCROW_LAB_PROFILE", "quick"))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Ask pytest-xdist for all cores, before it reads how many are asked for."""
    here, asked = Path(__file__).parent, [Path(each.partition("::")[0]).resolve() for each in config.args]
    folders = all(each.is_dir() and each.is_relative_to(here) for each in asked)
    if folders and not hasattr(config, "workerinput") and getattr(config.option, "numprocesses", 0) is None:
        config.option.numprocesses = "auto"
    if getattr(config.option, "dist", "") == "no" and getattr(config.option, "numprocesses", 0):
        config.option.dist = "worksteal"

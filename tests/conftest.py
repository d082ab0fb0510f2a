"""How hard properties are tried: `quick` unless ESCROW_LAB_PROFILE says `long`; and on how many cores.

quick tries the same cases each time, so that a change either passes or does not; long tries new ones, many more.

Folders of tests run on all cores unless `-n` says otherwise; single files run in one process. Each process begins with
a part of the files and takes tests of another only when it has none left, so what a file computes for its tests is
computed once. Benchmarks have no such hook: under several processes pytest-benchmark measures nothing and writes
nothing.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from escrow import crypto
from escrow.testing.properties import QUICK

PLAYED = {"attacks", "cli", "experiments", "interface", "lab", "report", "schemes", "sharing"}  # rooms whose tests play
MACHINES = "_machine"  # how modules end whose tests run state machines
GARBAGE = 500_000  # objects that are made before it is looked for: a tenth of the time of tests that play

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let two processes begin with the modules that take longest, marked `early`, so that neither takes part of one.

    A process that has no tests left takes the last ones of another, and makes again what these share; and a test of a
    minute should not be the last one that is begun.
    """
    early = [each for each in items if each.get_closest_marker("early")]
    others = [each for each in items if not each.get_closest_marker("early")]
    first = [each for each in early if each.path == early[0].path]
    half = len(items) // 2 - len(first)
    items[:] = [*first, *others[:half], *early[len(first) :], *others[half:]] if early else items


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and not among what the collection of thousands of tests has made."""
    gc.freeze()
    gc.set_threshold(GARBAGE)


@pytest.fixture(scope="session", autouse=True)
def type_checked_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the type checks of this process and run share what mypy found in our sources; it looks at their hashes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.mktemp("mypy")))
        yield


@pytest.fixture(scope="module", autouse=True)
def computed_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let plays and analyses of a module share what the door computes, as those of a matrix do.

    So do runs of committees and machines, which deal the same keys again. Tests of the library's other rooms compute
    everything, and measurements of time and memory and processes of their own do.
    """
    played = request.path.parent.name in PLAYED or request.path.stem.endswith(MACHINES)
    with crypto.running(crypto.Run(None, results=crypto.Results())) if played else nullcontext():
        yield


@pytest.fixture(scope="module")
def plays_once() -> Iterator[None]:
    """Let the commands of a module share plays and analyses: what one prints does not depend on who made them.

    They run in this process, which has them, unless `--jobs` says otherwise.
    """
    from once import once  # here, because most tests need no laboratory

    from attacks.cli.invocation import Invocation

    with once(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Invocation, "processes", property(lambda given: given.jobs or 1))
        yield

"""The scenarios that come with the lab, by name: files in `attacks/scenarios`, as any other scenario file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from attacks.lab.simulation.scenario import Scenario
from escrow.errors import Malformed
from escrow.registry import closest

FOLDER = Path(__file__).parents[2] / "scenarios"


def shapes() -> dict[str, Path]:
    """Return the file of every scenario that comes with the lab, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.json"))}


def read(named: Path) -> Scenario:
    """Return the scenario that comes with the lab under this name, or else the one in this file, unchecked.

    Raise Malformed if there is no such file, or if it holds no scenario. A file that is called like a scenario of the
    lab is read with its folder: `./groups`.
    """
    try:
        return msgspec.json.decode(shapes().get(str(named), named).read_bytes(), type=Scenario)
    except FileNotFoundError as error:
        hint = closest(shapes(), str(named)) or f"the lab has {', '.join(shapes())}"
        raise Malformed(f"{named}: {error.strerror}; {hint}") from None
    except OSError as error:
        raise Malformed(f"{named}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"{named} is not a scenario: {error}") from None

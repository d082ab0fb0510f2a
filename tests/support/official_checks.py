"""Schemes of the template whose custodian makes one check more: what an order must be, or what it need not be."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.verdict.analysis import SERVED, Analysis
from attacks.registry import attacks
from escrow.registry import PREFIX, load_file
from escrow.scheme import Scheme
from escrow.testing import templates

PROMISES = "    return promises(key.court, warrant, field.people, field.day)\n"
EVENING = 2
SIZES = default(users=4, groups=1, days=6, messages=24)
BRIEF = default(users=3, groups=0, days=4, messages=8)


def scheme_with(
    folder: Path, name: str, checks: str, above: str = "", replaced: Mapping[str, str] = MappingProxyType({})
) -> Scheme:
    """Return the template's scheme with other checks in place of `promises`, and with `above` before the custodian.

    `replaced` are texts of the template, each with another in its place.
    """
    text = templates.scheme(name)
    assert PROMISES in text
    text = text.replace(PROMISES, textwrap.indent(textwrap.dedent(checks).strip(), "    ") + "\n")
    mark = "# What anyone with the arguments can compute"
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    text = text.replace(mark, textwrap.dedent(above) + "\n\n" + mark)
    path = folder / f"{name.replace('-', '_')}.py"
    path.write_text(text)
    found: Scheme = load_file(path).SCHEME
    return found


def forget_schemes() -> None:
    """Forget the plug-ins of this test: the next one's have the same names."""
    for name in [each for each in sys.modules if each.startswith(PREFIX)]:
        del sys.modules[name]


def analysed(scheme: Scheme, sizes: Scenario = SIZES) -> Analysis:
    """Return the analysis of a small play."""
    return Analysis(scheme, play(scheme, sizes), attacks().values())


def opened_by(analysis: Analysis, *taken: str) -> int:
    """Return how many texts these parties' states of one evening open where the custodian is honest."""
    return len(analysis.opened_by([Seizure(name, (EVENING,)) for name in taken], SERVED))

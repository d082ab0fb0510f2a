"""Schemes as a third party writes them: the template of `init scheme`, with some of its text replaced."""

from __future__ import annotations

from importlib import resources
from itertools import count
from pathlib import Path

from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.verdict.by_bytes.byte_pass import BytePass
from escrow import registry
from escrow.scheme import Scheme

BRIEF = default(users=2, groups=0, days=2, messages=8)  # enough where something is to be found

_NUMBER = count(1)
CUSTODIAN = """        with crypto.acting("custodian"):
            made = new_private()
"""  # how the template's custodian gets its key
SEALED = "        sealed = hpke.seal(self.custodian, key.value, blank.labels())\n"  # how its device seals
CAST = "                party.custodian = made.public\n"  # what its devices are given
DEVICE = '    custodian: Public = b""\n'  # what its device keeps
FIELD = "    sealed: Public\n"  # what its field holds beside the labels
BLANK = 'self.custodian, b"")\n'
MADE = "self.custodian, sealed)\n"


def planted(folder: Path, *changes: tuple[str, str]) -> Scheme:
    """Return the scheme of the template with each first text replaced, once, by the second, loaded from a file."""
    text = (resources.files("escrow.testing.templates") / "scheme.txt").read_text()
    text = text.replace("CLASS", "Planted").replace("NAME", "planted").replace("TITLE", "planted")
    for old, new in changes:
        assert text.count(old) == 1, f"{text.count(old)} times in the template: {old}"
        text = text.replace(old, new)
    path = folder / f"planted_{next(_NUMBER)}.py"
    path.write_text(text)
    scheme: Scheme = registry.load_file(path).SCHEME
    return scheme


def beside(expression: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the changes by which the field also carries the value of an expression over `key` and `blank`, public."""
    return (
        (FIELD, f"{FIELD}    beside: Public\n"),
        (BLANK, 'self.custodian, b"", b"")\n'),
        (SEALED, f"{SEALED}        beside = {expression}\n"),
        (MADE, "self.custodian, sealed, beside)\n"),
        *more,
    )


def opened_by_bytes(scheme: Scheme, scenario: Scenario) -> str:
    """Return what bytes open beyond the rules in a scenario, as the byte pass says it."""
    found = BytePass(scheme, ())
    found.plays = TwoPlays(scheme, scenario)
    return found.opens_nothing_by_bytes()

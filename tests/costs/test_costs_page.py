"""Property: docs/costs.md says what a text, a session, a group change and a morning cost today, exactly.

The numbers before the arrows are of the commit that the page names. A wrong row stands in the failure as it should be.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from attacks.lab.costs.counts import units
from escrow import crypto, registry
from escrow.crypto import Run, sha256
from escrow.e2ee.provider import Group
from escrow.scheme import User
from escrow.testing.world import World

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
JOBS = ("set-up", "ping-pong", "one-way", "group", "access")
NAMES = ("alice", "bob", "carol")
DEVICES = tuple(f"{name}-phone" for name in NAMES)
SCHEMES = registry.schemes()
STATED = dict.fromkeys(
    re.findall(r"^\| ([a-z-]+) \|.*\d.*\|$", PAGE, re.M)
)  # schemes that came later had no costs before


class Trio(World):
    """Three users with a device each, in a group with Sender Keys in which all have written."""

    def __init__(self, scheme):
        super().__init__(scheme, tuple(map(User, NAMES, zip(DEVICES, strict=True))))
        scheme.setup(self.wire)
        for device in DEVICES:
            self.device(device).stock = 2
        self.renew(DEVICES)
        self.announce(DEVICES[0], Group("trio", NAMES, True))
        self.talk(DEVICES * 2)

    def talk(self, devices):
        for device in devices:
            self.send(device, "trio", bytes(100), group=True)
            self.collect(DEVICES)

    def counted(self, made, do):
        """Return the bytes and operations of an action."""
        made.clear()
        before = len(self.wire.heard)
        do()
        return sum(len(packet.data) for packet in self.wire.heard[before:]), sum(made.values())


def changed_and_renewed(scheme):
    """Return what it costs to remove a member and hear the other two, and a morning on which no key is due."""
    made = Counter()
    with crypto.running(Run(sha256(b"escrow-lab group change"), lambda call: made.update(units(call)))):
        trio = Trio(scheme)

        def change():
            trio.announce(DEVICES[0], Group("trio", NAMES[:2], True))
            trio.talk(DEVICES[:2])

        costs = trio.counted(made, change)
        trio.wire.day = 1
        return costs, trio.counted(made, lambda: trio.renew(DEVICES[1:2]))


def today(name):
    """Return the bytes, then the operations, of each column, and the bytes of the sessions' state."""
    expected = json.loads((ROOT / "benchmarks" / "expected" / f"{name}.json").read_text())
    jobs = [expected[job] for job in JOBS]
    (change, change_operations), (morning, morning_operations) = changed_and_renewed(SCHEMES[name])
    return {
        "bytes": [*(job["mail"] + job["asked"] for job in jobs), change, morning, expected["one-way"]["sessions"]],
        "operations": [
            *(sum(sum(done.values()) for done in job["operations"].values()) for job in jobs),
            change_operations,
            morning_operations,
        ],
    }


def stated(name):
    """Return the numbers of a scheme's rows: those behind the arrows, or the only ones."""
    tables = re.findall(rf"^\| {re.escape(name)} \|(.*)\|$", PAGE, re.M)
    return [[int(cell.split("→")[-1].replace(",", "")) for cell in row.split("|")] for row in tables]


@pytest.mark.parametrize("name", STATED)
def test_the_page_says_what_everything_costs(name):
    assert stated(name) == list(today(name).values())


def test_the_page_has_rows():
    assert "plain" in STATED
    assert len(STATED) > 5

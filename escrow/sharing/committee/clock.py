"""The clock of a committee: rounds and hops begin and end for all members together.

`escrow.sharing.committee.broadcast` needs that, and so does any verdict that a member was late. The clock knows no
secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from escrow import crypto
from escrow.errors import EscrowError
from escrow.sharing.committee.member import Member
from escrow.sharing.committee.rounds import Purpose
from escrow.wire import Wire

SAID = ("deal", "complain", "rebut", "reveal", "object", "pool")  # rounds in which members speak to all
ROUNDS = ("open", "deal", "complain", "rebut", "settle", "reveal", "object", "pool", "close", "restore")


def steps(t: int) -> Iterator[tuple[str, int]]:
    """Yield (round, hop) of a run in which t - 1 members may lie."""
    for round_ in ROUNDS:
        yield from ((round_, hop) for hop in range(t if round_ in SAID else 1))


def hold_run(wire: Wire, names: Sequence[str], purpose: Purpose) -> None:
    """Hold all rounds of one run, each member in turn. A member that fails does not stop the others."""
    for name in names:
        with crypto.acting(name):
            wire.party(name, Member).begin(purpose)
    for round_, hop in steps(wire.party(names[0], Member).t):
        hold_step(wire, names, round_, hop)


def hold_step(wire: Wire, names: Sequence[str], round_: str, hop: int) -> None:
    """Hold one hop of one round: first the clock turns for all, then each member acts."""
    for name in names:
        wire.party(name, Member).turn(wire, round_, hop)
    for name in names:
        try:
            with crypto.acting(name):
                wire.party(name, Member).act(wire)
        except EscrowError as error:
            wire.complain(name, error)

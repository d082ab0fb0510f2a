"""`escrow-lab bench`."""

from __future__ import annotations

from functools import partial

import click

from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_, names, selection
from attacks.lab.costs import measure, peers
from attacks.report.bench import draw_bench

OWN = [
    click.Option(["--messages"], type=click.IntRange(2), default=60, show_default=True, help="Texts in each turn."),
    click.Option(["--repeats"], type=click.IntRange(1), default=15, show_default=True, help="Turns of every job."),
    click.Option(
        ["--peers", "with_peers"], is_flag=True, help="Also time other libraries, in turn (extras `peers`, `test`)."
    ),
    click.Option(["--smoke"], is_flag=True, help="Run a few short turns: exact counts, rough times."),
]


@command("bench", names(), selection(), format_(), destination(), own=OWN)
def bench_command(invocation: Invocation, messages: int, repeats: int, with_peers: bool, smoke: bool) -> CommandResult:
    """Measure every scheme's overhead over plain: exact bytes and operation counts, and the ratio of times."""
    messages, repeats = (10, 3) if smoke else (messages, repeats)
    selected, beside = invocation.selected()[0], _peers() if with_peers else ()
    for each in selected:
        if each.missing:
            click.echo(f"escrow-lab: left out: {each.name}: {each.missing}", err=True)
    schemes = [each for each in selected if not each.missing]
    with invocation.progress() as progress:
        result = measure.bench(schemes, messages=messages, repeats=repeats, peers=beside, progress=progress)
    return CommandResult(partial(draw_bench, bench=result), result)


def _peers() -> tuple[peers.Peer, ...]:
    """Return every other library. Raise UsageError if one is not installed: none is left out silently."""
    try:
        return peers.peers()
    except peers.PeerMissing as error:
        raise click.UsageError(str(error)) from None

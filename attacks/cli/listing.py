"""What there is: lists and cards."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from attacks.cli.options import command, destination, format_, names, selection

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job

NAME = click.Argument(["name"])


@command("schemes", names(), selection(), format_(), destination())
def schemes_command(job: Job) -> Answer:
    """List the schemes: this project's, those of plug-ins, those of installed packages."""
    from attacks.cli.job import Answer
    from attacks.report import cards

    found = cards.cards(job.selected()[0])
    return Answer(partial(cards.draw_list, result=found), found)


@command("attacks", names(), selection(), format_(), destination())
def attacks_command(job: Job) -> Answer:
    """List the attacks: this project's, those of plug-ins, those of installed packages."""
    from attacks.cli.job import Answer
    from attacks.report import cards

    found = cards.cards(job.selected()[1])
    return Answer(partial(cards.draw_list, result=found), found)


@command("show", names(), format_(), destination(), own=[NAME])
def show_command(job: Job, name: str) -> Answer:
    """Print the card of a scheme or attack: its protocol, its claim, its weak point, its source."""
    from attacks.cli.job import Answer
    from attacks.report import cards
    from escrow.registry import unknown

    things = [each[name] for each in (job.schemes, job.attacks) if name in each]
    if not things:
        raise unknown((*job.schemes, *job.attacks), name, "scheme or attack")
    found = cards.cards(things)
    return Answer(partial(cards.draw_cards, result=found), found)

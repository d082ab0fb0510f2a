"""Completes the names of schemes, attacks, experiments and terms in a shell; plug-ins of the line are not loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import click
from click.shell_completion import CompletionItem

Kind = Literal["schemes", "attacks", "experiments", "terms", "texts"]


def names_of(*kinds: Kind) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return what click calls for the names that begin with what was typed; `terms` are those `show` knows."""

    def completed(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = (name for kind in kinds for name in _names(kind))
        return [CompletionItem(name) for name in dict.fromkeys(found) if name.startswith(incomplete)]

    return completed


def _names(kind: Kind) -> Iterable[str]:
    """Return the names of a kind; each is imported only when it is asked for."""
    if kind == "schemes":
        from escrow.registry import schemes

        return schemes()
    if kind == "attacks":
        from attacks.registry import attacks

        return attacks()
    if kind == "experiments":
        from attacks.lab.runs.experiment import experiments

        return experiments()
    if kind == "texts":
        from attacks.report.debate.sentences import exchange

        return [text.key for text in exchange().texts]
    from attacks.report.glossary import glossary

    return (*_names("schemes"), *_names("attacks"), *glossary().terms())

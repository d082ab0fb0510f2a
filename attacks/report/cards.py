"""Cards of schemes and attacks, read off their modules: nothing on them is written a second time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Literal

from attacks.lab.results.bounds import Result
from attacks.lab.simulation.attack import Attack
from attacks.report.page import Page, join
from escrow.grants import Concession
from escrow.registry import is_plugin
from escrow.scheme import Claim, Grant, Scheme, Source

PROMISED = {
    "none": "no text",
    "in scope": "what its warrants cover, of days before their service too (an archive)",
    "from service": "what its warrants cover, from their service on (a wiretap)",
}


class Card(Result, frozen=True, kw_only=True):
    """One scheme or attack. `protocol` are the aligned lines of its module's docstring, `weak` the one that says so.

    `conceded_to_one` says how many texts of the small scenario the claim concedes to one principal alone; None: it was
    not counted.
    """

    kind: Literal["scheme", "attack"]
    name: str
    title: str
    source: Source
    sentence: str
    protocol: tuple[str, ...] = ()
    weak: str = ""
    remarks: tuple[str, ...] = ()
    claim: Claim | None = None
    conceded_to_one: str | None = None
    parameters: dict[str, int | str | bool] = {}
    seedable: str = ""
    derivations: tuple[str, ...] = ()
    plugin: bool = False


class Cards(Result, frozen=True, kw_only=True):
    """A list of schemes or attacks."""

    schema: Literal["escrow-lab/cards/1"] = "escrow-lab/cards/1"
    cards: tuple[Card, ...]


def cards(things: Iterable[Scheme | Attack], *, counted: bool = False) -> Cards:
    """Return the cards of these schemes or attacks; `counted` as in `card`."""
    return Cards(cards=tuple(card(each, counted=counted) for each in things))


def card(thing: Scheme | Attack, *, counted: bool = False) -> Card:
    """Return the card of a scheme or an attack. `counted`: count what the claim concedes, in a play of some seconds."""
    sentence, protocol, remarks = _read(_documentation(thing))
    at = next((i for i, line in enumerate(protocol) if line.split(maxsplit=1)[0] == "weak"), len(protocol))
    return Card(
        kind="scheme" if isinstance(thing, Scheme) else "attack",
        name=thing.name,
        title=thing.title,
        source=thing.source,
        sentence=sentence,
        protocol=tuple(protocol),
        weak=" ".join(word for line in protocol[at:] for word in line.split()).removeprefix("weak "),
        remarks=tuple(remarks),
        claim=thing.claim if isinstance(thing, Scheme) else None,
        conceded_to_one=_counted(thing) if counted and isinstance(thing, Scheme) else None,
        parameters=thing.parameter_values() if isinstance(thing, Scheme) else {},
        seedable=thing.seedable if isinstance(thing, Scheme) else "",
        derivations=() if isinstance(thing, Scheme) else tuple(each.__name__ for each in thing.derivations),
        plugin=is_plugin(thing),
    )


def _counted(scheme: Scheme) -> str:
    from attacks.lab.verdict.access.concessions import conceded_to_one  # a list of names does without

    return conceded_to_one(scheme)


def _documentation(thing: object) -> str:
    """Return the docstring that is the card: the module's, or the class's where a module holds several entries.

    FORM is what a module of another form of a scheme has in place of SCHEME.
    """
    module = sys.modules[type(thing).__module__]
    of_module = module.__doc__ or ""
    if any(type(getattr(module, attribute, None)) is type(thing) for attribute in ("SCHEME", "ATTACK")) or (
        getattr(module, "FORM", None) is type(thing)
    ):
        return of_module
    return type(thing).__dict__.get("__doc__") or of_module


def _read(documentation: str) -> tuple[str, list[str], list[str]]:
    """Return (first paragraph, the lines of the indented one, the other paragraphs)."""
    paragraphs = [part.strip("\n") for part in documentation.split("\n\n") if part.strip()]
    protocol: list[str] = []
    others: list[str] = []
    for paragraph in paragraphs:
        lines = paragraph.split("\n")
        if not protocol and others and all(line.startswith("  ") for line in lines):
            protocol = [line[2:].rstrip() for line in lines]
        else:
            others.append(" ".join(paragraph.split()))
    return (others[0] if others else ""), protocol, others[1:]


# --- drawing ---


def draw_list(page: Page, result: Cards) -> None:
    """Draw names, titles and sources."""
    marked = any(each.plugin for each in result.cards)
    page.table(
        ("name", "title", "source"),
        [(each.name + (" *" if each.plugin else ""), each.title, _brief(each.source)) for each in result.cards],
    )
    if marked:
        page.gap()
        page.line("* from a plug-in or another package, unverified until `escrow-lab check` passes")


def draw_cards(page: Page, result: Cards) -> None:
    """Draw whole cards, one below the other."""
    for number, each in enumerate(result.cards):
        if number:
            page.gap()
        draw_card(page, each)


def draw_card(page: Page, shown: Card) -> None:
    """Draw one whole card."""
    page.heading(f"{shown.name} ({shown.kind}): {shown.title}")
    page.line(shown.sentence, indent=2, hang=0)
    if shown.protocol:
        page.gap()
        for line in shown.protocol:
            page.aligned("  " + line)
    page.gap()
    pairs = list(_claimed(shown.claim, shown.conceded_to_one)) if shown.claim is not None else []
    pairs += [("parameters", join([f"{name}={value}" for name, value in shown.parameters.items()]))]
    pairs += [("computes", join(shown.derivations))] if shown.derivations else []
    pairs += [("source", _whole(shown.source))]
    pairs += [("modelled", shown.source.modelled)] if shown.source.modelled else []
    pairs += [("not seedable", shown.seedable)] if shown.seedable else []
    pairs += [("unverified", "it comes from a plug-in or another package")] if shown.plugin else []
    page.fields([pair for pair in pairs if shown.kind == "scheme" or pair[0] != "parameters"])
    for remark in shown.remarks:
        page.gap()
        page.line(remark, indent=2, hang=0)


def _claimed(claim: Claim, to_one: str | None) -> Sequence[tuple[str, str]]:
    grants = [("may open", _granted(grant)) for grant in claim.grants]
    conceded = [("conceded", words) for grant in claim.grants for words in grant.concedes]
    conceded += [("conceded", _conceded(each)) for each in claim.concessions]
    if to_one is not None and claim.concessions:
        what = f"{to_one or 'no text'} (small scenario, states of the last evening)"
        conceded.append(("conceded", f"in all to one principal alone: {what}"))
    promised = "no lawful access" if claim.access == "none" else f"the authority gets {PROMISED[claim.access]}"
    if claim.delay:
        promised += f", and {claim.delay} {'day' if claim.delay == 1 else 'days'} late"
    where = f" ({claim.section})" if claim.section else ""
    outside = [("assumes", f"{each.words} (else outside the model)") for each in claim.model]
    choices = [("favours" if each.favours else "hurts", each.words) for each in claim.choices]
    return [("claim", claim.words + where), ("promised", promised), *grants, *conceded, *outside, *choices]


def _granted(grant: Grant) -> str:
    who = grant.who if grant.t == 1 else f"any {grant.t} of {grant.who}"
    return f"{who}: {grant.covers}"


def _conceded(concession: Concession) -> str:
    said = concession.source
    who = f"{concession.who}, misbehaving" if concession.active else concession.who
    return f"{who}: {concession.extent}: {said.quoted} ({said.source}, {said.where})"


def _brief(source: Source) -> str:
    return f"{source.author}, {source.year}"


def _whole(source: Source) -> str:
    return f"{source.author}, {source.title} ({source.year}), {source.section}"

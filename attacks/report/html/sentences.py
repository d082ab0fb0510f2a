"""One cell in a sentence: who reads how many texts, beside plain and the claim; what the law misses; who notices."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from msgspec import UNSET

from attacks.lab.results.details import StateTaken, unpacked
from attacks.lab.results.types import Cell
from attacks.lab.simulation.builds.intruder import INTRUDER
from attacks.lab.verdict.judging.procedure import wrong
from attacks.report.html.words import listed, number, spaced, texts
from attacks.report.matrices import grid
from escrow.registry import APPARATUS

FEW = 3  # parties that a sentence names; of more it says how many
TAKES = {
    "stolen": "whoever takes the state{} of {}{}",
    "used": "whoever takes the state{} of {}{} and plays on from the next day",
    "turned": "{}, taken over from day {} on,",
    "kept": "{}, erasing nothing from day {} on,",
}


def sentence(cell: Cell, plain: Cell | None, devices: Container[str]) -> str:
    """Return what happens in a cell that was played, in a few short sentences; `devices` are the users'."""
    said = [*_reads(cell, plain, devices), *_misses(cell), *_wrong(cell)]
    if cell.exposed.total or said:
        said.append(_noticed(cell))
    return " ".join(said or [_quiet(cell)])


def _reads(cell: Cell, plain: Cell | None, devices: Container[str]) -> Iterator[str]:
    """Yield who reads how many texts, beside plain, and whether the claim excludes them."""
    opened = cell.exposed.total
    if not opened:
        return
    who = corrupted(cell, devices)
    verb = "read" if _several(cell) else "reads"
    beside = _beside(cell, plain)
    yield f"{who[:1].upper()}{who[1:]} {verb} {number(opened)} of {texts(cell.sent)}{beside}."
    against = min(cell.against.by_coalition or cell.excluded, opened)
    if against:
        yield f"The claim excludes {'them' if against == opened else f'{number(against)} of them'}{_excused(cell)}."
    elif not cell.excluded:
        yield "The claim grants it."


def _excused(cell: Cell) -> str:
    """Return what excuses all that the claim excludes, if anything does; the verdict has the counts."""
    against = cell.against
    if not against.texts or against.left:
        return ""
    if cell.grounds.outside_model or against.outside:
        return ", and its source assumes that nobody can do this"
    return ", and its source concedes it" if against.conceded else ", as under plain"


def _beside(cell: Cell, plain: Cell | None) -> str:
    """Return how the texts that are read stand to those that the same attack opens in plain."""
    more = grid.over(cell, plain)
    if more is None:
        return ""
    if cell.texts is not UNSET and plain is not None and plain.texts is not UNSET:
        new = len(unpacked(cell.texts.opened) - unpacked(plain.texts.reached))
        if new == cell.exposed.total:
            return ", all closed under plain"
        if new:
            return f", {number(new)} of them closed under plain"
    if not more:
        return ", as under plain"
    return f", {number(abs(more))} {'more' if more > 0 else 'fewer'} than under plain"


def _misses(cell: Cell) -> Iterator[str]:
    """Yield what the law reads, where it misses texts that it is promised or reads others."""
    if cell.access is not UNSET and cell.access.promise == "none" and not cell.lawful:
        return
    reads = f"The law reads {number(cell.lawful - cell.overreached)} of the {texts(cell.entitled)} that warrants cover"
    if cell.unkept:
        promised = "" if cell.unkept == cell.evaded else f", {number(cell.unkept)} of which it is promised"
        yield f"{reads} and misses {number(cell.evaded)}{promised}."
    elif cell.lawful < cell.entitled and cell.added.lost:
        yield f"{reads}."
    if cell.overreached:
        yield f"The lawful access yields {texts(cell.overreached)} that no warrant covers."


def _wrong(cell: Cell) -> Iterator[str]:
    """Yield what somebody gets that nobody sent, or from somebody else, and what does not arrive."""
    for _, _, clause in wrong(cell):
        yield f"{clause[:1].upper()}{spaced(clause[1:])}."


def _noticed(cell: Cell) -> str:
    times = cell.complaints
    return f"Honest parties raise {number(times)} alarm{'s' * (times != 1)}." if times else "Nobody notices."


def _quiet(cell: Cell) -> str:
    """Return what is to say of a cell in which nothing goes wrong."""
    if cell.verdict in grid.UNTESTED:
        return "It is not known what is read."
    if cell.lawful:
        return (
            f"Nobody but the people of a conversation reads anything, and the law reads {number(cell.lawful)} of the "
            f"{texts(cell.entitled)} that warrants cover."
        )
    return "Nobody but the people of a conversation reads anything."


def _several(cell: Cell) -> bool:
    """Return whether the subject of the sentence is plural: parties, and not whoever robs them."""
    taken = () if cell.taken is UNSET else cell.taken
    turned = {each.who for each in taken if each.how in ("turned", "kept")}
    return len(turned or (() if taken else set(cell.whose.split(", ")))) > 1


def corrupted(cell: Cell, devices: Container[str]) -> str:
    """Return who reads, as the subject of a sentence; a file of schema 1 has the names alone."""
    taken = () if cell.taken is UNSET else cell.taken
    if not taken:
        whose = list(dict.fromkeys(cell.whose.split(", ")))
        return listed(_parties(whose, devices)) if cell.coalition else "somebody who only listens"
    turned = [each for each in taken if each.how in ("turned", "kept")]
    robbed = [each for each in taken if each.how in ("stolen", "used")]
    parts = [part for group in (turned, robbed) if group for part in [_party(group, devices)]]
    return ", together with ".join(part.removesuffix(",") for part in parts) + "," * (len(turned) > 0)


def reader(cell: Cell, devices: Container[str]) -> str:
    """Return who reads, in a few words."""
    names = list(dict.fromkeys(member.partition("@")[0] for member in cell.coalition))
    return listed(_parties(names, devices)) or "the network"


def _party(taken: Sequence[StateTaken], devices: Container[str]) -> str:
    """Return parties that are corrupted in one way."""
    names = list(dict.fromkeys(each.who for each in taken))
    if names == [INTRUDER]:
        return "whoever had the clients built with keys of their own in place of the officials'"
    if set(names) <= set(APPARATUS):
        return "whoever records everything and can break elliptic curves later"
    first = taken[0]
    who = listed(_parties(names, devices))
    if first.how in ("turned", "kept"):
        return TAKES[first.how].format(who, first.day)
    evenings = {each.day for each in taken}
    often = " on different evenings" if len(names) > 1 else f" on {len(evenings)} evenings"
    if len(evenings) == 1:
        often = " once" if len(names) == 1 else " in one evening"
    return TAKES[first.how].format("s" * (len(names) > 1), who, often)


def _parties(names: Sequence[str], devices: Container[str]) -> list[str]:
    """Return the names, the only ones of their kind with an article; of many how many there are."""
    if len(names) > FEW:
        return [f"{len(names)} {'devices' if all(each in devices for each in names) else 'parties'}"]
    return [f"the {each}" if each.isalpha() and each not in devices else each for each in names]

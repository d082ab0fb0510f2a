"""What a matrix shows of all schemes at once, in at most four sentences: each is left out where it does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from attacks.lab.results.types import Cell, Matrix
from attacks.report.html.entries import PLAIN, PageEntries
from attacks.report.html.words import number, texts
from escrow.registry import APPARATUS

COURT, PROVIDER = "court", "provider"  # parties that every scheme has under these names


@dataclass(frozen=True)
class Phrase:
    """Some words, and the run that they lead to, if any."""

    text: str
    run: str = ""


@dataclass(frozen=True)
class General:
    """A sentence over all schemes: what holds, and the numbers that show it."""

    head: str
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True)
class Judged:
    """The cells of a matrix that were played, the ids of their runs, and the schemes under which the law reads."""

    cells: tuple[Cell, ...]
    ids: dict[tuple[str, str], str]
    schemes: tuple[str, ...]
    devices: frozenset[str]
    entries: PageEntries

    def run(self, cell: Cell) -> str:
        """Return the id of a cell's run."""
        return self.ids[cell.scheme, cell.attack]

    def worst(self, scheme: str, of: Callable[[Cell], int], such: Callable[[Cell], bool]) -> Cell | None:
        """Return the cell of a scheme with the most of something, of such cells; None if there is no such cell."""
        return max((cell for cell in self.cells if cell.scheme == scheme and such(cell)), key=of, default=None)


def generals_of(matrix: Matrix, entries: PageEntries, ids: dict[tuple[str, str], str]) -> tuple[General, ...]:
    """Return the sentences that hold."""
    cells = tuple(cell for cell in matrix.cells if (cell.scheme, cell.attack) in ids)
    reading = {cell.scheme for cell in cells if cell.lawful}
    schemes = tuple(name for name in entries.scheme_names if name in reading)
    judged = Judged(cells, ids, schemes, frozenset(matrix.manifest.scenario.devices), entries)
    found = (_robbed(judged), _court(judged), _plain(judged), _law(judged))
    return tuple(each for each in found if each is not None)


def _opened(cell: Cell) -> int:
    return cell.exposed.total


def _who(cell: Cell) -> frozenset[str]:
    """Return the parties that are corrupted in a cell, as far as its file says it."""
    named = {member.partition("@")[0] for member in cell.coalition}
    return frozenset(named | {each.who for each in cell.taken or ()})


def _robbed(judged: Judged) -> General | None:
    """Return who reads by what officials hold, if that is so under every scheme under which the law reads."""

    def officials(cell: Cell) -> bool:
        taken = cell.taken or ()
        stolen = all(each.how == "stolen" for each in taken)
        others = judged.devices | {COURT, PROVIDER} | set(APPARATUS)
        return bool(_who(cell)) and stolen and not _who(cell) & others

    found = [(scheme, judged.worst(scheme, _opened, officials)) for scheme in judged.schemes]
    robbed = [cell for _, cell in found if cell is not None and _opened(cell)]
    if not robbed or len(robbed) < len(judged.schemes):
        return None
    many = len(judged.schemes)
    head = (
        f"Each of the {many} ways in can be used by somebody else."
        if many > 1
        else "The way in is not the law’s alone."
    )
    least, most = min(map(_opened, robbed)), max(map(_opened, robbed))
    span = number(most) if least == most else f"{number(least)} to {number(most)}"
    said = Phrase(f"Warrants cover {texts(robbed[0].entitled)}. A thief of what officials hold reads {span}: ")
    return General(
        head, (said, *_each(judged, robbed, lambda cell: f"{number(_opened(cell))} ({cell.whose})"), Phrase("."))
    )


def _court(judged: Judged) -> General | None:
    """Return what whoever can sign warrants reads."""
    found = [judged.worst(scheme, _opened, lambda cell: _who(cell) == {COURT}) for scheme in judged.schemes]
    open_ = [cell for cell in found if cell is not None and _opened(cell)]
    if not open_:
        return None
    said = Phrase("Officials who check every warrant answer whoever can sign one: ")
    return General(
        "The court’s key is a door of its own.",
        (said, *_each(judged, open_, lambda cell: texts(_opened(cell))), Phrase(".")),
    )


def _plain(judged: Judged) -> General | None:
    """Return what is read under plain encryption."""
    open_ = sorted((cell for cell in judged.cells if cell.scheme == PLAIN and _opened(cell)), key=_opened, reverse=True)
    if not open_:
        return None
    titles = {name: entry.title or name for name, entry in judged.entries.by_name.items()}
    phrases = [Phrase(f"{number(_opened(cell))} ({_within(titles[cell.attack])})", judged.run(cell)) for cell in open_]
    said = Phrase(f"Under plain encryption, attackers read, of {texts(open_[0].sent)}: ")
    return General("Without a way in, texts can still be read.", (said, *_joined(phrases), Phrase(".")))


def _within(title: str) -> str:
    """Return a title as it stands within a sentence: "a provider's insider …", and "LEAF …" as it is."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _law(judged: Judged) -> General | None:
    """Return what the law misses of what it is promised, and what it does not read though nobody cheats."""
    missed = [
        judged.worst(scheme, lambda cell: cell.unkept, lambda cell: bool(cell.unkept)) for scheme in judged.schemes
    ]
    worst = [cell for cell in missed if cell is not None]
    if not worst:
        return None
    said = Phrase(f"Warrants cover {texts(worst[0].entitled)}. The law does not read, under the worst attack: ")
    return General(
        "The law does not get all that it is promised.",
        (said, *_each(judged, worst, lambda cell: number(cell.unkept)), Phrase(".")),
    )


def _each(judged: Judged, cells: Sequence[Cell], figure: Callable[[Cell], str]) -> Iterator[Phrase]:
    """Yield each figure with the schemes that have it, a link for each."""
    by_figure: dict[str, list[Cell]] = {}
    for cell in cells:
        by_figure.setdefault(figure(cell), []).append(cell)
    for at, (said, same) in enumerate(by_figure.items()):
        yield Phrase(f"{'; ' if at else ''}{said} under ")
        yield from _joined([Phrase(cell.scheme, judged.run(cell)) for cell in same])


def _joined(phrases: Sequence[Phrase]) -> Iterator[Phrase]:
    """Yield phrases with commas between them, and "and" before the last."""
    for at, phrase in enumerate(phrases):
        if at:
            yield Phrase(" and " if at == len(phrases) - 1 else ", ")
        yield phrase

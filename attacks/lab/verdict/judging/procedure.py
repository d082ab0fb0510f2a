"""The ordered procedure: from the quantities of a cell to its verdict, and to a line that says what decided it.

  1  NOT_APPLICABLE, ERROR, TIMEOUT; INCONCLUSIVE if the attack's control failed or nothing of it ran
  2  OUTSIDE MODEL    the source's model excludes this corruption, or all by which anything is against the claim
  3  BREACH           texts opened or over-collected that no grant covers, which the source does not concede, and which
                      do not open in plain under the same attack with no alarm fewer
  4  FAILS            promised texts are missed, which the source does not concede; or texts are fabricated,
                      misattributed, framed, forged, shown again, or lost though they come through without the attack
  5  INCONCLUSIVE     a rule was never used, no order passes the checks, a property of the bytes is broken
  6  CONCEDED         everything that no grant covers, and that is missed, is conceded; else AS PLAIN
  7  AS CLAIMED       something is opened, and grants cover it
  8  HELD             nothing is opened

The first that applies is the word. What else applies stands behind it, and no doubt hides what was opened. Of several
strategies of an attack each has its word, and the cell has the worst by WORST_FIRST, where a strategy that is outside
the model hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

import msgspec

from attacks.lab.results.types import Cell, Verdict

WORST_FIRST: tuple[Verdict, ...] = (
    "BREACH",
    "FAILS",
    "INCONCLUSIVE",
    "OUTSIDE MODEL",
    "CONCEDED",
    "AS PLAIN",
    "AS CLAIMED",
    "HELD",
)
UNJUDGED = frozenset[Verdict]({"NOT_APPLICABLE", "ERROR", "TIMEOUT"})


def decided(cell: Cell, *, untested: str = "", doubts: tuple[str, ...] = ()) -> Cell:
    """Return the cell with its verdict and the reason, both from its quantities alone.

    `untested` (why its control failed, or it was not run) and `doubts` are added to those that the cell has.
    """
    if cell.verdict in UNJUDGED:
        return cell
    grounds = cell.grounds
    untested = "; ".join(filter(None, (untested, grounds.untested)))
    grounds = msgspec.structs.replace(grounds, untested=untested, doubts=(*grounds.doubts, *doubts))
    cell = msgspec.structs.replace(cell, grounds=grounds)
    return msgspec.structs.replace(cell, verdict=verdict(cell), reason=reason(cell))


def verdict(cell: Cell) -> Verdict:
    """Return the first word that applies to the quantities of a cell, or that of another strategy which is worse."""
    word = _own(cell)
    if cell.worse is None or word in UNJUDGED or cell.grounds.untested:
        return word
    return min(word, cell.worse.verdict, key=WORST_FIRST.index)


def _own(cell: Cell) -> Verdict:
    against, grounds = cell.against, cell.grounds
    failing = any(True for _ in failures(cell))
    if cell.verdict in UNJUDGED:
        return cell.verdict
    if grounds.untested:
        return "INCONCLUSIVE"
    if grounds.outside_model or (against.outside and not against.left and not failing):
        return "OUTSIDE MODEL"
    if against.left:
        return "BREACH"
    if failing:
        return "FAILS"
    if grounds.doubts:
        return "INCONCLUSIVE"
    if against.texts or cell.unkept:
        return "AS PLAIN" if against.as_plain else "CONCEDED"
    return "AS CLAIMED" if cell.exposed.total else "HELD"


def broken(cell: Cell) -> bool:
    """Return whether a control's cell shows anything at all, without plain, concessions or model beside it."""
    return bool(cell.against.texts or cell.unkept) or any(True for _ in failures(cell))


# --- in words ---


def texts(count: int) -> str:
    """Return a number of texts in words."""
    return "1 text" if count == 1 else f"{count} texts"


WRONG = {  # counts of what the lawful access or the mail has wrong: behind a verdict, and in a sentence
    "fabricated": ("fabricates", "the lawful access yields {} that nobody sent"),
    "misattributed": ("misattributes", "the lawful access yields {} in another conversation"),
    "framed": ("frames", "the lawful access attributes {} to somebody who did not send them"),
    "forged": ("forges", "users are shown {} that nobody sent"),
    "added.duplicated": ("shows again", "users are shown {} again"),
}
LOST = ("loses", "deliveries are lost that come through without the attack: {}")


def wrong(cell: Cell) -> Iterator[tuple[int, str, str]]:
    """Yield what the lawful access or the mail has wrong, or lost: the count, a verb for it, and a clause."""
    for name, (verb, clause) in WRONG.items():
        if count := attrgetter(name)(cell):
            yield count, verb, clause.format(texts(count))
    if lost := cell.added.lost:
        yield lost, LOST[0], LOST[1].format(lost)


def failures(cell: Cell) -> Iterator[str]:
    """Yield in words what the lawful access or the mail lacks, or has too much."""
    if left := cell.not_conceded:
        yield f"{texts(left)} that a warrant covers, delivered, evaded the lawful access"
    yield from (clause for _, _, clause in wrong(cell))


def briefly(cell: Cell) -> str:
    """Return the verdict with what else applies behind it: "BREACH, misses 11"."""
    behind = [f"misses {cell.unkept}"] * bool(cell.unkept) + [f"{verb} {count}" for count, verb, _ in wrong(cell)]
    return cell.verdict if cell.verdict in UNJUDGED else ", ".join((cell.verdict, *behind))


def reason(cell: Cell) -> str:
    """Return in one line what decided the verdict, and what else applies."""
    if cell.worse is not None and verdict(cell) != _own(cell):
        own = f"{_own(cell)}, {_own_reason(cell)}"
        return f"{cell.worse.strategy}: {cell.worse.reason}; {cell.strategy}, whose counts these are: {own}"
    return _own_reason(cell)


def _own_reason(cell: Cell) -> str:
    said = [*_against(cell), *failures(cell)] or [_extent(cell)]
    said += cell.grounds.notes
    if cell.grounds.outside_model:
        said.insert(0, "; ".join(cell.grounds.model))
    text = "; ".join(said)
    doubts = "; ".join((cell.grounds.untested,) if cell.grounds.untested else cell.grounds.doubts)
    if not doubts:
        return text
    if _own(cell) != "INCONCLUSIVE":
        return f"{text}; beside it: {doubts}"
    sure = msgspec.structs.replace(cell.grounds, untested="", doubts=())
    return f"{doubts}; else {_own(msgspec.structs.replace(cell, grounds=sure))}: {text}"


def _against(cell: Cell) -> Iterator[str]:
    """Yield in words what is opened or over-collected that no grant covers, and what excuses it."""
    against, grounds = cell.against, cell.grounds
    if cell.excluded:
        more = "" if against.by_coalition == cell.excluded else f" ({cell.excluded} with other coalitions)"
        yield f"{_opens(cell.coalition)} {texts(against.by_coalition)} that the claim excludes{more}"
    if against.overcollected:
        yield f"the lawful access yields {texts(against.overcollected)} outside every warrant"
    if against.outside and not grounds.outside_model:
        yield f"{against.outside} outside the model ({'; '.join(grounds.model)})"
    if against.conceded:
        yield f"{against.conceded} conceded ({'; '.join(grounds.concessions)})"
    if cell.unkept_conceded:
        where = f" ({'; '.join(grounds.concessions)})" if not against.conceded else ""
        yield f"the lawful access misses {texts(cell.unkept_conceded)}, conceded{where}"
    if against.as_plain:
        yield f"{against.as_plain} open in plain too, with no alarm fewer"


def _opens(coalition: tuple[str, ...]) -> str:
    """Return the coalition as the subject of a sentence."""
    several = len(coalition) > 1 or any(each.startswith("any ") for each in coalition)
    return f"{', '.join(coalition) or 'nobody'} {'open' if several else 'opens'}"


def _extent(cell: Cell) -> str:
    if cell.exposed.total:
        return f"{_opens(cell.coalition)} {cell.exposed.total} of {texts(cell.sent)}, as the claim grants"
    return f"nothing opened by {cell.grounds.basis}"

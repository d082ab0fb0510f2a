"""The differences of two runs in sentences, the most important first: what became worse, and what better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from attacks.lab.adversary.labelling.labels import BYTES, MATHEMATICS, SERVED, WITHOUT
from attacks.lab.comparison.files import Comparison, Difference
from attacks.lab.comparison.silent import NOTICED, SILENCE
from attacks.report.page import ATTENTION, DIM, Page, counted, join

TITLES = {
    "regression": "Worse",
    "improvement": "Better",
    "new": "New",
    "changed": "Different",
    "advisory": "For information",
}
STYLES = {"regression": ATTENTION, "advisory": DIM}
UNDER = {MATHEMATICS: "", SERVED: "while officials answer, ", BYTES: "by bytes alone, "}
TEXTS = {
    "opened": "{} opened",
    "opens": "{} opened",
    "excluded": "{} against the claim",
    "against.left": "{} opened that nothing excuses",
    "overreached": "{} outside every warrant in the lawful access",
    "evaded": "{} missed by the lawful access",
    "not_conceded": "{} missed that the source does not concede",
    "fabricated": "{} in the lawful access fabricated",
    "misattributed": "{} in the lawful access misattributed",
    "lost": "{} lost",
    "forged": "{} forged",
    "duplicated": "{} shown twice",
    "framed": "{} attributed to somebody who did not send them",
    "added_over_plain": "{} opened that are closed in plain",
    "lawful": "{} read by the lawful access",
    "entitled": "{} covered by warrants",
    "unreadable": "{} in the lawful access are ciphertexts of the users' own",
    "unnoticed.reads": "{} opened with no alarm",
    "unnoticed.evaded": "{} missed with no alarm",
    "unnoticed.fabricated": "{} fabricated with no alarm",
    "openable": "{} open to any number of guesses",
}  # how a count of texts is told
PARTS = ("exposed.", "overcollected.", "missed.", "outside.", "against.", "unkept", "access.")  # of counts told above
FEW = 4  # changes of a row that are told; the others are counted


def draw_comparison(page: Page, comparison: Comparison) -> None:
    """Draw a sentence for each row that differs, by severity, and the number of rows."""
    counts = []
    for severity in dict.fromkeys(each.severity for each in comparison.differences):
        page.heading(TITLES[severity])
        found = [each for each in comparison.differences if each.severity == severity]
        sentences = list(told(found, anatomy=comparison.of.startswith("escrow-lab/anatomy/")))
        for sentence in sentences:
            page.line(sentence, STYLES.get(severity, ""), indent=2)
        page.gap()
        counts.append(f"{len(sentences)} {TITLES[severity].lower()}")
    page.line(f"{counted(comparison.rows, 'row')} of {comparison.of}: {join(counts, 'no difference')}.")


def told(differences: Sequence[Difference], anatomy: bool = False) -> Iterator[str]:
    """Yield a sentence for each row that differs: new verdicts first, then the largest change of a count.

    `anatomy` says that the rows are coalitions, and not cells.
    """
    rows = [list(found) for _, found in groupby(sorted(differences, key=lambda each: each.row), lambda each: each.row)]
    for found in sorted(rows, key=_importance):
        yield _sentence(found, anatomy)


def _importance(found: Sequence[Difference]) -> tuple[bool, int, bool, tuple[str, ...]]:
    """Return a sort key: rows with another verdict, then those whose counts change most, plays before states."""
    counts = [each for each in found if each.what in TEXTS]
    change = max((abs(_number(each.new) - _number(each.old)) for each in counts), default=0)
    return all(each.what != "verdict" for each in found), -change, found[0].row[0] != "active", found[0].row


def _number(value: float | str | None) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _sentence(found: Sequence[Difference], anatomy: bool) -> str:
    """Return the differences of one row as a sentence."""
    row = found[0].row
    if found[0].what == SILENCE:
        return _silence(found[0])
    opened = sum(_number(each.new) - _number(each.old) for each in found if each.what.startswith("exposed."))
    said = [each for each in found if each.what in TEXTS or not each.what.startswith(PARTS)] or [
        *([] if opened else found)
    ]
    whole = [each for each in said if not each.what.startswith("by_day.")]
    said = sorted(whole or said, key=lambda each: ["verdict", *TEXTS, each.what].index(each.what))
    more = f"; and {counted(len(said) - FEW, 'more change')}" if len(said) > FEW else ""
    who = found[0].who or (", ".join(row[1:]) if row[0] != "active" else "")
    if anatomy and who:
        left_out = f"while officials answer and leave out the check {row[0].removeprefix(WITHOUT)!r}, "
        basis = f"under {row[1]}, " if row[0] == "active" else UNDER.get(row[0], left_out)
        return basis + "; ".join(_opening(who, each) for each in said[:FEW]) + more
    where = f"under {row[1]}" if anatomy else " under ".join(row[:2]) + "".join(f", {each}" for each in row[2:])
    changes = [*map(_change, said[:FEW])]
    if opened:
        more_or_fewer = f"{counted(abs(opened), 'text')} {'more' if opened > 0 else 'fewer'} opened"
        changes.insert(bool(said) and said[0].what == "verdict", more_or_fewer)
    return f"{where}: {'; '.join(changes)}{more}"


def _silence(each: Difference) -> str:
    """Return what must be left out for a ghost to be silent, as it was and as it is, as a sentence."""
    adds, by, texts = each.row
    where = f"{adds}, by {by} ({texts})"
    if each.new is None:
        return f"{where}: not in the later file; it was silent without {each.old}"
    now = each.new if each.new == NOTICED else f"silent without {each.new}"
    return f"{where}: {now}" + (f"; before: {each.old}" if each.old is not None else "; not in the earlier file")


def _opening(who: str, each: Difference) -> str:
    """Return one change of what a coalition opens in words."""
    if each.what == "opens" and each.old is None:
        return f"{who} opens {each.new} texts, and is a new minimal coalition"
    if each.what == "opens" and each.new is None:
        return f"{who} is no minimal coalition any more (it opened {each.old} texts)"
    if each.what == "opens":
        return f"{who} opens {each.new} texts, not {each.old}{_which(each)}"
    if each.what.startswith("by_day."):
        _, evening, part = each.what.split(".")
        sent = "sent by then" if part == "earlier" else "sent later"
        return f"{who}, taken on evening {evening}, opens {_said(each.new)} {sent}, not {_said(each.old)}"
    return _change(each)


def _change(each: Difference) -> str:
    """Return one change in words."""
    new, old = _said(each.new), _said(each.old)
    if each.new is None:
        return f"gone ({each.what}: {old})"
    if each.what in TEXTS:
        return f"{TEXTS[each.what].format(f'{new} text' + 's' * (each.new != 1))}, not {old}{_which(each)}"
    what = "" if each.what == "verdict" else f"{each.what} "
    if each.what.startswith("alarms."):
        what = f"alarms of the check {each.what.removeprefix('alarms.')!r}: "
    return f"{what}{new}" + f", not {old}" * (each.old is not None)


def _which(each: Difference) -> str:
    """Return which texts are counted in one of the two runs alone, where both list them."""
    listed = {"now": each.more, "no longer": each.fewer}
    texts = [f"{when} {'text' if ids.isdecimal() else 'texts'} {ids}" for when, ids in listed.items() if ids]
    return f" ({'; '.join(texts)})" if texts else ""


def _said(value: float | str | None) -> str:
    if value is None:
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)

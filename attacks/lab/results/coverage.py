"""What the lawful access returned, by when the warrants were issued."""

from __future__ import annotations

from attacks.lab.results.bounds import Either, More, Result
from escrow.grants import Promise


class Coverage(Result, frozen=True, kw_only=True):
    """Texts that warrants of one kind cover: those the claim promises of them, and those the lawful access returned.

    `missed` were delivered and not returned; `unkept` are the promised ones among them.
    """

    covered: Either = 0
    promised: Either = 0
    lawful: Either = 0
    missed: More = 0
    unkept: More = 0


class Access(Result, frozen=True, kw_only=True):
    """The lawful access by when warrants were issued, and what the claim promises of it; each text counts once.

    `prospective`: some warrant that covers the text was served by the morning of its day, as for a wiretap;
    `retrospective`: all of them were served later, as for an archive. The access that is promised `from service` is
    a wiretap, the one `in scope` both.
    """

    promise: Promise = "none"
    prospective: Coverage = Coverage()
    retrospective: Coverage = Coverage()

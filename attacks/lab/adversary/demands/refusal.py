"""A check of an official that refuses every order that was tried."""

from __future__ import annotations

import msgspec

LIMIT = 2_000  # orders tried for a service, an authority and a class of subject


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """A check of an official that refuses every order that was tried, although its own secret would answer.

    `final` is the reason that its author gives for it, or "". `limit`: whether some search ended at the limit.
    """

    service: str
    holder: str
    check: str
    orders: int
    limit: bool
    final: str

    def __str__(self) -> str:
        why = f", as its author says: {self.final}" if self.final else ", though its own secret would answer"
        more = f" (the search ends at {LIMIT} orders a subject)" if self.limit else ""
        return f"{self.holder} refuses all {self.orders} orders that were tried{more}, by {self.check!r}{why}"

"""The four ways in which honest code declines. Any other exception out of a party is a defect and stops the run.

Beside them, what a scheme raises that cannot be played here at all.
"""

from __future__ import annotations


class EscrowError(Exception):
    """Base of the four errors; never raised itself."""


class Refused(EscrowError):
    """Policy: a party that could answer declines to. A corrupted party would answer."""

    def __init__(self, party: str, reason: str) -> None:
        super().__init__(f"{party} refuses: {reason}")
        self.party, self.reason = party, reason

    def __reduce__(self) -> tuple[type[Refused], tuple[str, str]]:
        """Return the class and arguments with which another process makes the error again."""
        return type(self), (self.party, self.reason)


class Forged(EscrowError):
    """Mathematics: the arguments do not fit together, so there is no result, or none that can be verified."""


class Unreachable(EscrowError):
    """The addressee does not exist, or the packet was lost on the way."""


class Malformed(EscrowError):
    """The bytes are not the one canonical encoding of the value expected."""


class NotInstalled(ImportError):
    """A package that a scheme needs is not installed; the message says how to install it."""

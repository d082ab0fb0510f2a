"""The four ways in which honest code says no. Anything else that escapes a party is a defect, and stops the run."""


class EscrowError(Exception):
    """Base of the four; never raised itself."""


class Refused(EscrowError):
    """Policy: a party that could answer will not. A corrupted party would."""

    def __init__(self, party: str, reason: str) -> None:
        super().__init__(f"{party} refuses: {reason}")
        self.party, self.reason = party, reason


class Forged(EscrowError):
    """Mathematics: the arguments do not fit together, so there is no result, or no way to know that it is one."""


class Unreachable(EscrowError):
    """Nobody is there, or the packet was lost on the way."""


class Malformed(EscrowError):
    """Bytes that are not the one canonical encoding of what they should be."""

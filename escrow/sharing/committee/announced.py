"""How outsiders learn the present sharing: its holders announce it, and t of them must announce the same.

Fewer than t could all be liars. The first sharing that was believed fixes the key: no later one changes it.
"""

from __future__ import annotations

import msgspec

from escrow.codec import Packet
from escrow.sharing.dkg.result import Outcome
from escrow.sharing.epochs import Sharing
from escrow.sharing.proactive.refresh import Renewal


class Announced(Packet, frozen=True):
    """A member announces the sharing from now on, and how it came about, which every listener of the run knows."""

    unchecked = {
        "sharing": "what one member says is kept, and believed when t say the same",
    }

    sharing: Sharing
    outcome: Outcome
    renewal: Renewal | None


class KnownSharings(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The announcements of `members`, any t of whom hold the key.

    `known` are the sharings, one an epoch, that t announced.
    """

    members: tuple[str, ...] = ()
    t: int = 0
    said: dict[str, Sharing] = {}
    known: list[Sharing] = []

    def takes(self, sender: str, sharing: Sharing) -> bool:
        """Return whether a member announces a sharing of this committee, and of the key first believed."""
        ours = (sharing.t, sharing.n) == (self.t, len(self.members))
        return sender in self.members and ours and (not self.known or sharing.key == self.known[0].key)

    def hear(self, sender: str, sharing: Sharing) -> None:
        """Record a member's announcement. The first sharing of an epoch that t members announce is believed."""
        self.said[sender] = sharing
        if list(self.said.values()).count(sharing) >= self.t and self.at(sharing.epoch) is None:
            self.known.append(sharing)

    def at(self, epoch: int) -> Sharing | None:
        """Return the sharing of an epoch, or None if it is not known."""
        return next((each for each in self.known if each.epoch == epoch), None)

    @property
    def present(self) -> Sharing | None:
        """The sharing of the newest epoch."""
        return max(self.known, key=lambda sharing: sharing.epoch, default=None)

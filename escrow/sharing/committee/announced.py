"""How outsiders learn which sharing holds: its holders announce it, and t of them must say the same.

Fewer than t could all be liars. The key is pinned by the first sharing that was believed: no later one changes it.
"""

from __future__ import annotations

import msgspec

from escrow.codec import Packet
from escrow.sharing.dkg.result import Outcome
from escrow.sharing.epochs import Sharing
from escrow.sharing.proactive.refresh import Renewal


class Announced(Packet, frozen=True):
    """A member says which sharing holds from now on, and how it came about, which whoever heard the run knows."""

    sharing: Sharing
    outcome: Outcome
    renewal: Renewal | None


class Heard(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What `members` announced, any t of whom hold the key; `known` are the sharings, one a stage, that t announced."""

    members: tuple[str, ...] = ()
    t: int = 0
    said: dict[str, Sharing] = {}
    known: list[Sharing] = []

    def takes(self, sender: str, sharing: Sharing) -> bool:
        """Whether a member says this, and of the key that it always was."""
        ours = (sharing.t, sharing.n) == (self.t, len(self.members))
        return sender in self.members and ours and (not self.known or sharing.key == self.known[0].key)

    def hear(self, sender: str, sharing: Sharing) -> None:
        """Count what a member says; the first that t say of a stage is believed."""
        self.said[sender] = sharing
        if list(self.said.values()).count(sharing) >= self.t and self.at(sharing.stage) is None:
            self.known.append(sharing)

    def at(self, stage: int) -> Sharing | None:
        """The sharing of a stage, if it is known."""
        return next((each for each in self.known if each.stage == stage), None)

    @property
    def present(self) -> Sharing | None:
        """The sharing of the newest stage."""
        return max(self.known, key=lambda sharing: sharing.stage, default=None)

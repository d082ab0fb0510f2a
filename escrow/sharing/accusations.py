"""Complaints about a single dealer of shares, and its answers in the open.

  complain  a member without a fitting share tells everybody
  answer    the dealer reveals that share to everybody, unless t members complain: t shares are the key
  fail      a complaint without an answer that fits, or t complaints: the dealing failed, and its key is not used
  end       whoever drives the rounds ends them for all: nothing that is said later counts

Source: Gennaro, Jarecki, Krawczyk, Rabin, "Secure Distributed Key Generation", EUROCRYPT '99, figure 1, for one dealer.
"""

from __future__ import annotations

import msgspec

from escrow.codec import Packet
from escrow.sharing.elgamal import KeyShare


class NoShare(Packet, frozen=True):
    """A member tells everybody that it holds no share of the group."""


class RevealedShare(Packet, frozen=True):
    """The dealer answers a member's complaint: its share, in the open."""

    share: KeyShare


class Accusations(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The members that complained, by number, and those of them that the dealer has not answered, until it `ended`."""

    accusers: list[int] = []
    unanswered: list[int] = []
    ended: bool = False

    def end(self) -> None:
        """End the rounds of complaint and answer, in which all take part at the same time."""
        self.ended = True

    def hear(self, number: int) -> None:
        """Note the complaint of a member; only its first counts."""
        if number not in self.accusers and not self.ended:
            self.accusers.append(number)
            self.unanswered.append(number)

    def strike_out(self, number: int) -> None:
        """Note that the dealer answered a member's complaint with a share that fits."""
        if not self.ended:
            self.unanswered = [each for each in self.unanswered if each != number]

    def are_fatal(self, t: int) -> bool:
        """Return whether the dealing of shares, of which `t` are the key, failed."""
        return bool(self.unanswered) or len(self.accusers) >= t > 0


def number_in(members: int, name: str, called: str) -> int:
    """Return which of so many members, called `called` and a number from 1, has this name; 0 if none."""
    return next((number for number in range(1, members + 1) if name == f"{called}-{number}"), 0)

"""The provider takes back the last epoch of the log, and publishes it again with a device of the insider in it.

  list     g is listed among the victim's devices, to everybody but the victim's own devices
  again    a directory without the last epoch, which publishes that epoch a second time, with g in the victim's list
  show     that log to everybody but the victim
  read     g's keys open what the network heard

The new log does not extend the head that each client saw last: whoever holds one against the other refuses it.
Source: Melara and others, "CONIKS: Bringing Key Transparency to End Users", USENIX Security 2015, section 4.1, on the
hash chain of heads.
"""

from typing import Any

from attacks.split_view import DirectoryLie
from escrow.e2ee.listing.deceiving import Deceives, Methods, forked, showing_two_logs
from escrow.transparency.directory import Kept


class Rollback(DirectoryLie):
    """Corrupt the provider: it publishes the last epoch once more, with its own device."""

    name = "rollback"
    title = "The provider rewrites the last epoch of its log"
    specimen = "unextended"

    def lies(self, honest: Any, deceives: Deceives) -> Methods:
        """Return the methods that keep and show the second log."""
        return showing_two_logs(honest, deceives)

    def second(self, kept: Kept) -> list[Kept]:
        """Return the directory as it was before its last epoch."""
        return [forked(kept, len(kept.epochs) - 1 if kept.epochs else None)]


ATTACK = Rollback()

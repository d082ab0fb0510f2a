"""The provider lists a device of the insider, and answers nothing when it is asked for the proof.

  list     g is listed among the victim's devices, to everybody but the victim's own devices
  silent   to the question for the victim's line of the directory there is no answer, as if it were out of reach
  read     g's keys open what the network heard

The directory itself is as it should be. A client that goes on without an answer is as one without a directory.
Source: Melara and others, "CONIKS: Bringing Key Transparency to End Users", USENIX Security 2015, section 4, on
lookups; that clients go on without an answer is known of certificate revocation.
"""

from typing import Any

from attacks.split_view import DirectoryLie
from escrow.e2ee.listing.deceiving import Deceives, Methods
from escrow.e2ee.listing.published import AskLine, LineTold
from escrow.errors import Unreachable
from escrow.wire import Wire


class Omission(DirectoryLie):
    """Corrupt the provider: it withholds the proofs of the victim's line."""

    name = "omission"
    title = "The provider withholds proofs of a victim's devices"
    specimen = "unproved_lists"

    def lies(self, honest: Any, deceives: Deceives) -> Methods:
        """Return the method that answers nothing about the victim."""

        def on_ask_line(self: Any, sender: str, packet: AskLine, wire: Wire) -> LineTold:
            victims = {self.accounts[each.name] for each in self.ghosts}
            if packet.user in victims and deceives(self, sender):
                raise Unreachable("the directory does not answer")
            told: LineTold = honest.on_ask_line(self, sender, packet, wire)
            return told

        return {"on_ask_line": on_ask_line}


ATTACK = Omission()

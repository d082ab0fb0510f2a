"""A phone is copied once; from the next day on the thief writes to its owner's contacts as that phone.

  take     the state of a bystander's first device, on one evening
  begin    every evening a new session with each contact, under the stolen identity key; its first mail has no text
  read     contacts answer in the newest session, which is the thief's; its owner's phone cannot open it

No provider helps. A session that heals is of no use if whoever has the identity key begins another; the owner's phone
loses what is written to it, and only that can be noticed.
Source: Marlinspike and Perrin, "The X3DH Key Agreement Protocol", revision 1, 2016, section 4.6 (key compromise).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from attacks.ghost_insertion import bystander
from attacks.impersonation import theft
from attacks.lab.simulation.attack import Attack, Cast, Use
from attacks.lab.simulation.scenario import Scenario
from escrow.errors import EscrowError
from escrow.scheme import Intercept, Scheme, Source
from escrow.wire import Wire

NO_TEXT = b"\xc0"  # opens the session, and is no content that a client would show


class StolenIdentity(Attack):
    """Seize a bystander's first device once, and use it to begin sessions with everybody it knows."""

    name = "stolen-identity"
    title = "A stolen phone is played with, beside its owner"
    source = Source("Marlinspike and Perrin", "The X3DH Key Agreement Protocol", 2016, "4.6", "messages")
    in_pages = True
    specimen = "lasting_keys"
    stops_mail = True  # the owner's phone cannot open what is written to the thief's sessions

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Use]:
        """Take the device on the attack day."""
        return [Use(bystander(scenario).devices[0], theft(scenario))]

    def each_evening(self, party: Any, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        """Begin a new session with every device of every contact."""
        known = [listed for user in list(party.contacts) if user != party.user for listed in party.contacts[user]]
        for listed in known:
            before = party.sessions.pop(listed.device, [])
            try:
                party.mail_to(wire, listed, NO_TEXT, None)
            except EscrowError as error:
                wire.complain(listed.device, error)
            party.sessions[listed.device] = [*party.sessions.get(listed.device, []), *before]


ATTACK = StolenIdentity()

"""Two rogues: the sender sends no LEAF, and the receiver's own chip makes one that it then accepts.

  send     to each other, no access field at all; both know the session key
  load     the receiver: IV ‖ LEAF = generate IV, then load IV; its chip accepts, and nothing was on the wire

It needs no search, and leaves nothing for the family key to read. To other users, and in groups, both send honest
LEAFs. A chip that refuses its own LEAFs would stop it; Blaze notes that two chips at one end get around that, and that
files could then no longer be stored. In his modes the differing IVs cost one block; here a seal has no IV to differ.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 2.
"""

from collections.abc import Iterable
from typing import Any

from attacks.lab.simulation.attack import MISSED, Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from attacks.rogue_leaf import no_leaf, target_devices
from escrow.crypto import sha256
from escrow.e2ee.device import FieldContext
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Refused
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source, User
from escrow.schemes.clipper.field import ClipperField, derived_key
from escrow.schemes.clipper.phone import ClipperDevice, ComputedKey


class LeafFeedback(Attack):
    """Corrupt two users: between them no LEAF travels, and each receiver's chip accepts its own."""

    name = "leaf-feedback"
    title = "Two rogues send no LEAF and feed each chip its own"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "2", "messages")
    in_pages = True
    column = MISSED
    specimen = "own_leaf"
    stops_mail = True  # the rogues' own, where a chip refuses its own LEAF

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme sends LEAFs."""
        return no_leaf(scheme)

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt all devices of the first warrant's target and of one other user, from the first day."""
        return [Turn(name, 0) for user in _rogues(scenario) for name in user.devices]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device send no LEAF to the other rogue, and load one made by its own chip on receipt."""
        honest, rogues = type(of_kind(party, ClipperDevice)), {user.name for user in _rogues(scenario)}

        def access_field(self: Any, key: MessageKey, context: FieldContext) -> ClipperField | None:
            return None if set(context.people) <= rogues else honest.access_field(self, key, context)

        def admit(self: Any, mail: Mail, found: ComputedKey) -> None:
            if mail.field:
                honest.admit(self, mail, found)
                return
            ks, transcript = derived_key(found.key), sha256(found.header)[:8]
            if not self.unit.load_iv(ks, self.unit.generate_iv(ks, transcript), transcript):
                raise Refused(self.name, "its chip refuses its own LEAF")

        return corrupted(party, access_field=access_field, admit=admit)


def _rogues(scenario: Scenario) -> list[User]:
    """Return the first warrant's target, and the first other user."""
    targets = set(target_devices(scenario))
    target = [user for user in scenario.users if targets & set(user.devices)]
    return target and [*target, next(user for user in scenario.users if user not in target)]


ATTACK = LeafFeedback()

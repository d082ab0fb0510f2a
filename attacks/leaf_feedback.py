"""Two rogues: the sender sends no LEAF, and the receiver's own chip makes one that it then accepts.

  send     to each other, no access field at all; both know the session key
  load     the receiver: IV ‖ LEAF = generate IV, then load IV; its chip is content, and nothing was on the wire

No search, and nothing for the family key to read. To everybody else, and in groups, they send what they should. A chip
that refuses LEAFs of its own making would stop it; Blaze notes that two chips at one end get around that, and that
files could not be stored any more. In his modes the differing IVs cost one block; here a seal has none to differ.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 2.
"""

from collections.abc import Iterable
from typing import Any

from attacks.lab.simulation.attack import MISSED, Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from attacks.rogue_leaf import no_leaf, target_devices
from escrow.crypto import sha256
from escrow.e2ee.device import Slip
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Refused
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source, User
from escrow.schemes.clipper.field import ClipperField, derived_key
from escrow.schemes.clipper.phone import ClipperDevice, ComputedKey


class LeafFeedback(Attack):
    name = "leaf-feedback"
    title = "Two rogues send no LEAF and feed each chip its own"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "2", "messages")
    in_pages = True
    column = MISSED
    specimen = "own_leaf"
    stops_mail = True  # the rogues' own, where a chip refuses its own LEAF

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        return no_leaf(scheme)

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        return [Turn(name, 0) for user in _rogues(scenario) for name in user.devices]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        honest, rogues = type(of_kind(party, ClipperDevice)), {user.name for user in _rogues(scenario)}

        def access_field(self: Any, key: MessageKey, slip: Slip) -> ClipperField | None:
            return None if set(slip.people) <= rogues else honest.access_field(self, key, slip)

        def admit(self: Any, mail: Mail, found: ComputedKey) -> None:
            if mail.field:
                honest.admit(self, mail, found)
                return
            ks, transcript = derived_key(found.key), sha256(found.header)[:8]
            if not self.unit.load_iv(ks, self.unit.generate_iv(ks, transcript), transcript):
                raise Refused(self.name, "its chip takes no LEAF of its own making")

        return corrupted(party, access_field=access_field, admit=admit)


def _rogues(scenario: Scenario) -> list[User]:
    """The first warrant's target, and the first user who is somebody else."""
    targets = set(target_devices(scenario))
    target = [user for user in scenario.users if targets & set(user.devices)]
    return target and [*target, next(user for user in scenario.users if user not in target)]


ATTACK = LeafFeedback()

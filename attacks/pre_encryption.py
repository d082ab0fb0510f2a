"""Users encrypt their texts by a program of their own before the messenger does: the law opens a ciphertext.

  met      the users know each other's devices and keys, and agreed to do it
  write    the text, sealed (HPKE) to the identity key of each device of those it is for, sent as any text is
  field    as the honest client makes it; whoever looks at it, and opens it, finds it in order
  read     recipient: the text; the law: a ciphertext whose keys nobody holds in escrow

The field calls it *super-encryption*: two parties seal a text to each other before they hand it to the scheme. It is
one attack, whether a program or a second device does it, and whether it is called pre-encryption or super-encryption;
Blaze (1994, section 2.1) asks what is gained by either. `escrow-lab reproduce evasion` says what it costs.

No escrow of the messenger's keys can stop it, and nobody notices, whoever looks at the access field: the field is in
order. So it says less of a scheme than of its premise, that people under a warrant leave their texts to the messenger.
Source: National Institute of Standards and Technology, statement of 2 June 1994 on the Blaze report, which names "super
encryption by a second device" among what people would rather use; the attack is older than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow import codec
from escrow.crypto import montgomery
from escrow.e2ee.content import Content, Conversation, Text
from escrow.e2ee.device import Device
from escrow.errors import Forged, Malformed
from escrow.primitives import hpke
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source
from escrow.wire import Wire

_OWN = b"a program of the users' own"
Boxes = tuple[tuple[bytes, bytes], ...]  # to which identity key (32 bytes), and the text sealed to it


class PreEncryption(Attack):
    """Corrupt users' devices, `rogues`, by default all: what they write to each other they encrypt before sending."""

    name = "pre-encryption"
    title = "Users encrypt their texts by themselves first"
    source = Source("NIST", "Statement on the Blaze report", 1994, "super encryption", "messages")
    in_pages = True
    specimen = "any_content"
    encrypts = True
    stops_mail = True  # the rogues' own, where somebody opens it

    def __init__(self, strategy: str = "", rogues: Sequence[str] = ()) -> None:
        """Name the strategy and its rogue devices, or leave both: all clients are."""
        self.strategy, self.rogues = strategy, tuple(rogues)

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme has a lawful access to evade."""
        return "no lawful access to evade" if scheme.claim.access == "none" else ""

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt these devices from the first day."""
        return [Turn(name, 0) for name in self.rogues or scenario.devices]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device seal what it writes among rogues to their devices, and open what rogues sealed to it."""
        honest: Any = type(of_kind(party, Device))
        met = frozenset(self.rogues or scenario.devices)
        users = {user.name for user in scenario.users if met.issuperset(user.devices)}

        def sealed(device: Any, wire: Wire, people: tuple[str, ...], said: Text) -> Text:
            if not users.issuperset(people):
                return said
            listed = [each for user in people for each in device.contacts.get(user) or device.look_up(wire, user)]
            keys = [each.identity for each in listed if each.device in met and each.device != device.name]
            boxes = tuple((key, hpke.seal(montgomery(key), said.body, _OWN)) for key in keys)
            return msgspec.structs.replace(said, body=codec.encode(boxes))

        def fan_out(self: Any, wire: Wire, people: tuple[str, ...], said: Content) -> None:
            honest.fan_out(self, wire, people, sealed(self, wire, people, said) if isinstance(said, Text) else said)

        def send_by_chain(self: Any, wire: Wire, people: tuple[str, ...], said: Text) -> None:
            honest.send_by_chain(self, wire, people, sealed(self, wire, people, said))

        def read(self: Any, wire: Wire, author: str, conversation: Conversation, body: bytes) -> None:
            honest.read(self, wire, author, conversation, opened(self, body))

        def opened(device: Any, body: bytes) -> bytes:
            """Return the text in a body; the body itself if nothing in it was sealed to this device."""
            try:
                own = [box for key, box in codec.decode(body, Boxes) if key == device.identity.public]
                return hpke.open_(device.identity.agreement, own[0], _OWN) if own else body
            except (Malformed, Forged):
                return body

        return corrupted(party, fan_out=fan_out, send_by_chain=send_by_chain, read=read)


ATTACK = PreEncryption()

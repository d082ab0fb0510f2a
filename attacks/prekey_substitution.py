"""The provider is an active attacker in the middle of two users: it hands each its own keys as the other's.

  list     to a device of A, each device of B is listed with the key of a puppet, and the other way round
  fetch    a puppet's prekey, signed with the puppet's key
  relay    A -> B: the puppet of B opens the mail, that of A seals its content to the true B, as coming from A

Sender keys of groups travel as such mail, so that the group's texts are read as well. Keys never change, so no client
notices; two users who compare safety numbers do. The access field is left out: the one that came is
of another message, as its labels say. What a puppet cannot open is passed on as it came.
Source: Marlinspike and Perrin, "The X3DH Key Agreement Protocol", revision 1, 2016, sections 4.1 and 4.7.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Column, Corruption, Turn, attacker_device, entry_of
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee import ratchet
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Entry, Fetch, Mail, Provider
from escrow.e2ee.ratchet import Plaintext
from escrow.errors import EscrowError
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source, User
from escrow.wire import Wire


class PrekeySubstitution(Attack):
    """Corrupt the provider: it hands two users its own keys in place of each other's."""

    name = "prekey-substitution"
    title = "The provider exchanges two users' keys and sits in the middle"
    source = Source("Marlinspike and Perrin", "The X3DH Key Agreement Protocol", 2016, "4.1 and 4.7", "messages")
    in_pages = True
    column: ClassVar[Column | None] = Column(6, "middle", "exposed.total")
    specimen = "trusting"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Corruption]:
        """Corrupt the provider from the first day."""
        return [Turn("provider", 0)]

    def between(self, scenario: Scenario) -> tuple[User, User]:
        """Return the two users whose mail the provider reads."""
        return scenario.users[0], scenario.users[min(2, len(scenario.users) - 1)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the provider list a puppet for each device of two users, and reseal the mail between them."""
        honest = type(of_kind(party, Provider))

        def entry(self: Any, device: str, asker: str) -> Entry:
            puppet = _puppet(self, device, asker)
            return entry_of(puppet, scheme.provider) if puppet else honest.entry(self, device, asker)

        def on_mail(self: Any, sender: str, packet: Mail, wire: Wire) -> None:
            recipient = "" if packet.group else next(iter(packet.recipients), "")
            reader, writer = _puppet(self, recipient, sender), _puppet(self, sender, recipient)
            if reader and writer:
                try:
                    said = reader.open_pairwise(packet, honest.listed(self, sender, ""))
                    self.read.append(said)
                    packet = _sealed(self, writer, recipient, packet, said, wire)
                except EscrowError as error:
                    wire.complain(self.name, error)
            honest.on_mail(self, sender, packet, wire)

        puppets = list[scheme.device]  # type: ignore[name-defined]  # the scheme's own class
        provider: Any = corrupted(party, {"puppets": puppets, "read": list[Plaintext]}, entry=entry, on_mail=on_mail)
        between = self.between(scenario)
        provider.puppets = [
            attacker_device(name, user.name, scheme.device, scheme.committing)
            for user in between
            for name in user.devices
        ]
        return provider  # type: ignore[no-any-return]  # what `corrupted` made of the provider


def _puppet(provider: Any, device: str, asker: str) -> Device | None:
    """Return the puppet shown to `asker` as `device`, or None. Puppets stand between the two users' devices only."""
    puppets: dict[str, Device] = {puppet.name: puppet for puppet in provider.puppets}
    if device in puppets and asker in puppets and puppets[device].user != puppets[asker].user:
        return puppets[device]
    return None


def _sealed(provider: Any, writer: Device, recipient: str, mail: Mail, said: Plaintext, wire: Wire) -> Mail:
    """Return a mail with its content sealed again by the sender's puppet to the true recipient."""
    if recipient not in writer.sessions:
        bundle = provider.on_fetch("", Fetch(recipient), wire)  # an asker without a name gets the true keys
        writer.sessions[recipient] = [writer.begin(bundle)]
    conversing = writer.sessions[recipient][0]
    message, _ = ratchet.encrypt(conversing.session, said.body, writer.committing)
    return msgspec.structs.replace(mail, initial=conversing.initial, body=ratchet.pack(message), field=b"")


ATTACK = PrekeySubstitution()

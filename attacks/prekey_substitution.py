"""The provider is an active attacker in the middle of users: it hands each its own keys as the other's.

  list     to a device of A, each device of B is listed with the key of a puppet, and the other way round
  fetch    a puppet's prekey, signed with the puppet's key
  relay    A -> B: the puppet of B opens the mail, that of A seals its content to the true B, as coming from A
  vouch    where devices sign, puppets do: for each other, for the lists in a chat, for the members of a group that the
           true device signed; where a user has one identity key, its puppets have one

Between one pair, one user and everybody, or all pairs. One way only, A's mail to B is read and does not arrive.

Sender keys of groups travel as such mail, so that the group's texts are read as well. Keys never change, and a client
takes the first list for true, so that none notices; two users who compare safety numbers do. The access field is left
out: the one that came is of another message, as its labels say. What a puppet cannot open is passed on as it came.
Source: Marlinspike and Perrin, "The X3DH Key Agreement Protocol", revision 1, 2016, sections 4.1 and 4.7.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any, ClassVar

import msgspec

from attacks.lab.simulation.attack import (
    PROVIDER,
    Attack,
    Cast,
    Column,
    Corruption,
    Turn,
    attacker_device,
    drawn,
    entry_of,
)
from attacks.lab.simulation.scenario import Scenario
from escrow import codec
from escrow.e2ee import content, ratchet
from escrow.e2ee.device import Device
from escrow.e2ee.listing import device_lists
from escrow.e2ee.listing.device_lists import GroupSignature, ListOf, SignatureOf, SignedList, Vouchers
from escrow.e2ee.listing.filing import VouchingProvider
from escrow.e2ee.provider import Entry, Fetch, Group, Mail, Provider
from escrow.e2ee.ratchet import Plaintext
from escrow.e2ee.x3dh import IdentityKey
from escrow.errors import EscrowError
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source, User
from escrow.wire import Wire


class PrekeySubstitution(Attack):
    """Corrupt the provider: it hands users its own keys in place of each other's.

    `pairs` are pairs of users between whom it sits; `one_way` says that it opens mail of the first to the second only.
    """

    name = "prekey-substitution"
    title = "The provider exchanges users' keys and sits in the middle"
    source = Source("Marlinspike and Perrin", "The X3DH Key Agreement Protocol", 2016, "4.1 and 4.7", "messages")
    in_pages = True
    column: ClassVar[Column | tuple[Column, ...] | None] = PROVIDER
    specimen = "trusting"

    def __init__(self, strategy: str = "", pairs: Iterable[tuple[str, str]] = (), one_way: bool = False) -> None:
        """Name the strategy and its pairs, or leave both to `strategies`."""
        self.strategy, self.pairs, self.one_way, self.stops_mail = strategy, tuple(pairs), one_way, one_way

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return one pair, one user and everybody, one way and both ways, and all pairs."""
        victim, _ = pair = tuple(user.name for user in self.between(scenario))
        every = list(combinations([user.name for user in scenario.users], 2))
        of_one = [(victim, other.name) for other in scenario.users if other.name != victim]
        found = [PrekeySubstitution("between one pair", [(pair[0], pair[1])])]
        if len(every) > 1:
            found += [
                PrekeySubstitution("between one user and everybody, one way", of_one, one_way=True),
                PrekeySubstitution("between one user and everybody", of_one),
                PrekeySubstitution("between all pairs", every),
            ]
        return found

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Corruption]:
        """Corrupt the provider from the first day."""
        return [Turn("provider", 0)]

    def between(self, scenario: Scenario) -> tuple[User, User]:
        """Return the two users whose mail the provider reads if it reads that of one pair: drawn by the seed."""
        return drawn(scenario, list(combinations(scenario.users, 2)))

    def sits_between(self, scenario: Scenario) -> tuple[tuple[str, str], ...]:
        """Return the pairs of users between whom the provider sits: one pair, unless a strategy says others."""
        one, other = self.between(scenario)
        return self.pairs or ((one.name, other.name),)

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the provider list a puppet for each device of these users, and reseal the mail between them."""
        honest, pairs, one_way = type(of_kind(party, Provider)), set(self.sits_between(scenario)), self.one_way

        def shown(provider: Any, device: str, asker: str) -> Device | None:
            """Return the puppet shown to `asker` as `device`, or None."""
            puppets: dict[str, Device] = {puppet.name: puppet for puppet in provider.puppets}
            if device not in puppets or asker not in puppets:
                return None
            author, peer = puppets[asker].user, puppets[device].user
            between = (author, peer) in pairs or (not one_way and (peer, author) in pairs)
            return puppets[device] if between else None

        def entry(self: Any, device: str, asker: str) -> Entry:
            puppet = shown(self, device, asker)
            return entry_of(puppet, scheme.provider) if puppet else honest.entry(self, device, asker)

        def on_mail(self: Any, sender: str, packet: Mail, wire: Wire) -> None:
            recipient = "" if packet.group else next(iter(packet.recipients), "")
            reader, writer = shown(self, recipient, sender), shown(self, sender, recipient)
            if reader and (writer or one_way):
                try:
                    said = reader.open_pairwise(packet, honest.listed(self, sender, ""))
                    self.read.append(said)
                    if writer is None:
                        return  # the recipient knows the true key of the sender, and opens nothing in its name
                    packet = _sealed(self, writer, recipient, packet, said, wire)
                except EscrowError as error:
                    wire.complain(self.name, error)
            honest.on_mail(self, sender, packet, wire)

        signing = _signing(honest, shown) if isinstance(party, VouchingProvider) else {}
        puppets = list[scheme.device]  # type: ignore[name-defined]  # the scheme's own class
        fields = {"puppets": puppets, "read": list[Plaintext]}
        provider: Any = corrupted(party, fields, entry=entry, on_mail=on_mail, **signing)
        between = {name for pair in pairs for name in pair}
        provider.puppets = [
            attacker_device(name, user.name, scheme.device, scheme.committing)
            for user in scenario.users
            if user.name in between
            for name in user.devices
        ]
        if getattr(scheme, "devices", "") == "shared":
            keys = dict[str, IdentityKey]()
            for puppet in provider.puppets:
                puppet.identity = keys.setdefault(puppet.user, puppet.identity)
        return provider  # type: ignore[no-any-return]  # what `corrupted` made of the provider


def _sealed(provider: Any, writer: Device, recipient: str, mail: Mail, said: Plaintext, wire: Wire) -> Mail:
    """Return a mail with its content sealed again by the sender's puppet to the true recipient."""
    if recipient not in writer.sessions:
        bundle = provider.on_fetch("", Fetch(recipient), wire)  # an asker without a name gets the true keys
        writer.sessions[recipient] = [writer.begin(bundle)]
    conversing = writer.sessions[recipient][0]
    body = _with_lists(provider, writer.user, recipient, said, wire)
    message, _ = ratchet.encrypt(conversing.session, body, writer.committing)
    return msgspec.structs.replace(mail, initial=conversing.initial, body=ratchet.pack(message), field=b"")


def _with_lists(provider: Any, author: str, recipient: str, said: Plaintext, wire: Wire) -> bytes:
    """Return what was said; if it has lists of both users beside it, with these as the recipient knows them."""
    if (lists := content.lists_in(said)) is None:
        return said.body

    def keys(user: str) -> bytes:
        told = provider.on_list_of(recipient, ListOf(user), wire)
        return device_lists.keys_hash((told.list.primary, *(each.companion for each in told.devices)))

    theirs = keys(provider.accounts[recipient])
    return codec.encode(msgspec.structs.replace(lists, own_keys=keys(author), their_keys=theirs))


def _signing(honest: Any, shown: Callable[[Any, str, str], Device | None]) -> dict[str, Callable[..., Any]]:
    """Return methods by which puppets sign what the true devices do, for those to whom they are shown."""

    def on_list_of(self: Any, sender: str, packet: ListOf, wire: Wire) -> Vouchers:
        told: Vouchers = honest.on_list_of(self, sender, packet, wire)
        theirs = [each for each in self.puppets if each.user == packet.user and shown(self, each.name, sender)]
        return _vouched(theirs, told.list) if theirs else told

    def on_signature_of(self: Any, sender: str, packet: SignatureOf, wire: Wire) -> GroupSignature:
        told: GroupSignature = honest.on_signature_of(self, sender, packet, wire)
        signers = (name for name, entry in self.directory.items() if entry.identity == told.signer)
        puppet = next(filter(None, (shown(self, name, sender) for name in signers)), None)
        group = Group(told.name, told.members, told.sender_keys)
        return device_lists.group_signature(puppet.identity, group, told.serial) if puppet else told

    return {"on_list_of": on_list_of, "on_signature_of": on_signature_of}


def _vouched(puppets: Sequence[Device], true: SignedList) -> Vouchers:
    """Return a list as old as the true one, of a user's puppets that vouch for each other: the first is the primary."""
    primary, *companions = (puppet.identity for puppet in puppets)
    devices = (device_lists.device_signature(each, i, primary.public) for i, each in enumerate(companions, 1))
    keys = tuple(each.public for each in companions)
    return Vouchers(device_lists.signed_list(primary, true.user, true.day, true.serial, keys), tuple(devices))


ATTACK = PrekeySubstitution()

"""Schemes and functions that are broken on purpose, each in one line: a property must notice each of them."""

from contextlib import suppress
from types import SimpleNamespace

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from escrow import codec, warrant
from escrow.e2ee import contacts, membership, policing, provider, sessions
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Group, GroupOf, Listed, OwnerOf
from escrow.e2ee.ratchet import Slot
from escrow.errors import EscrowError, Forged, Refused
from escrow.primitives import hpke
from escrow.principal import revive
from escrow.schemes import envelope, ghost, plain, split_key, threshold
from escrow.schemes.clipper import leaf
from escrow.schemes.clipper.field import Identity
from escrow.schemes.layered import LayerPart
from escrow.sharing import elgamal
from escrow.sharing.committee.rounds import Dealing, SealedShare
from escrow.warrant import Request, Warrant, promises


class LooseDevice(Device):
    seed: bytes = b""


class LooseScheme(plain.Plain, frozen=True):
    device = LooseDevice


class LingeringProvider(ghost.GhostProvider):
    def on_devices_of(self, sender, packet: provider.DevicesOf, wire):
        return provider.Provider.on_devices_of(self, sender, packet, wire)


class LingeringGhost(ghost.GhostScheme, frozen=True):
    provider = LingeringProvider


class HoardingAuthority(warrant.Authority):
    def on_serve(self, sender, packet: warrant.Serve, wire):
        self.warrants.append(packet.warrant)


class HoardingScheme(plain.Plain, frozen=True):
    authority = HoardingAuthority


class HoardingAgent(threshold.ThresholdAgent):
    dealt: list[SealedShare] = []

    def on_dealing(self, sender, packet: Dealing, wire):
        super().on_dealing(sender, packet, wire)
        if self.sharing is not None:  # a refresh or a recovery
            self.dealt.append(packet.share)


class HoardingAgents(threshold.Threshold, frozen=True, kw_only=True):
    agent = HoardingAgent


class CopyingProvider(provider.Provider):
    def on_mail(self, sender, packet: provider.Mail, wire):
        for recipient in packet.recipients:
            self.queue(recipient, packet)


class CopyingScheme(plain.Plain, frozen=True):
    provider = CopyingProvider


class HastyDealer(split_key.Dealer):
    def deal(self, wire, agents, others):
        made, shares = elgamal.deal(self.t, self.n)
        for agent, share in zip(agents, shares, strict=True):
            sealed = hpke.seal(agent.transport.public, codec.encode(share), split_key._DEAL)
            wire.ask(self.name, agent.name, split_key.Dealt(made, sealed), type(None))
        for name in others:
            wire.ask(self.name, name, split_key.Published(made), type(None))


class HastyScheme(split_key.SplitKey, frozen=True):
    def cast(self, users, court):
        for party in super().cast(users, court):
            yield HastyDealer(party.name, party.t, party.n) if isinstance(party, split_key.Dealer) else party


class UnreadScheme(envelope.EnvelopeScheme, frozen=True):
    def access(self, authority, wire, warrant, intercepted):
        return super().access(authority, wire, warrant, intercepted[1:])


class RecordingEnvelope(envelope.EnvelopeScheme, frozen=True):
    """An access that also yields what was shown beside mail without a field."""

    def access(self, authority, wire, warrant, intercepted):
        yield from super().access(authority, wire, warrant, intercepted)
        yield from (each.text for each in wire.shown)


def without_mail(party):
    return codec.seal_bytes(codec.encode(msgspec.structs.replace(party, mailboxes={})))


def counter():
    met = []
    return lambda party, key, context: met.append(party) or Slot(b"", sum(each is party for each in met))


def unauthenticated(key, sealed, associated):
    """AES-GCM's keystream, its tag not looked at."""
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(15) + b"\x02")).decryptor()
    return stream.update(sealed[:-16])


def unadvanced(party, mail, author):
    return honest_open(revive(party.state(), type(party)), mail, author)


honest_open, honest_signed, honest_signed_by = Device.open_pairwise, Request.signed, Warrant.signed_by


def but(check):
    """The promises of every official, without one."""
    return lambda *given: (each for each in promises(*given) if each[0] != check)


def instead(check, holds):
    """The promises of every official, of which one is judged in another way."""

    def checks(court, paper, people, day):
        for name, whether in promises(court, paper, people, day):
            yield name, holds(paper.order, people, day) if name == check else whether

    return checks


by_a_part_of_a_name = instead("target", lambda order, people, day: any(order.target in each for each in people))
in_any_case = instead("target", lambda order, people, day: order.target.lower() in people)
a_day_before = instead("window", lambda order, people, day: order.first - 1 <= day <= order.last)


def by_any_court(paper, court):
    return paper.signature != bytes(64)


def whoever_is_named(paper, court):
    named = msgspec.structs.replace(paper.order, target="alice")
    return honest_signed_by(Warrant(named, paper.signature), court)


def insisting(request):
    if not honest_signed(request):
        raise Forged("a promise as mathematics")
    return True


def all_but(*names):
    """A context that leaves out these labels."""
    labels = [name for name in ("chain", "n", "people", "day", "agent", "header") if name not in names]
    return lambda field: codec.encode([getattr(field, name) for name in labels if hasattr(field, name)])


def by_weekday(field):
    """A context that says of the day only which of the week it is."""
    return codec.encode((field.chain, field.n, field.people, field.day % 7, field.agent, field.header))


def by_last_day(order):
    """The last day that an order covers, whenever it expires."""
    return order.last


def trusting(authority, warrant, intercepted, kind):
    return ((each, codec.decode(each.mail.field, kind)) for each in intercepted)


def up_to_the_first(honest):
    """The lawful access of a scheme that ends at the first field whose key does not open the message."""

    def access(scheme, authority, wire, warrant, intercepted):
        for each in intercepted:
            before = len(wire.refusals)
            yield from honest(scheme, authority, wire, warrant, [each])
            if any(why.startswith("Forged") for _, who, why in wire.refusals[before:] if who == authority.name):
                return

    return access


def unmeasured(said, family):
    """The family key's view of a LEAF beside an IV of any length."""
    opened = leaf.open_leaf(family.make, family.raw, said.iv, said.leaf)
    labels = (said.chain, said.n, said.people, said.day)
    return Identity(*labels, family.make, said.iv, said.transcript, opened.uid, opened.wk, opened.ea)


def yes(*_):
    return True


def one_after_another(party, wire, to, body, people):
    """The loop that ends at the first error."""
    for listed in (to := list(to)):
        party.mail_to(wire, listed, body, people)
    return to


def without_a_word(party, wire, to, body, people):
    reached = []
    for listed in to:
        with suppress(EscrowError):
            party.mail_to(wire, listed, body, people)
            reached.append(listed)
    return reached


def sealed_outside(party, wire, run, member, seal, value):
    to = run.transports.get(party.names[member - 1])
    return None if to is None else seal(to, value)


def nothing(*_):
    return iter(())


def but_for(group):
    """The check of whose text it is, left out for a group, and for two users if the name is empty."""
    return lambda *given: given[-1].group == group or honest_check(*given)


def sender_keys_of_anybody(device, wire, mail, author, conversation):
    if conversation.group != "duo" or mail.group:
        honest_check(device, wire, mail, author, conversation)


def from_memory(device, wire, group):
    return device.known_groups.get(group) or membership.look_up(device, wire, group)


def whatever_it_holds(layer, value, following):
    """Return the part in a layer, whatever its sender committed to."""
    return LayerPart(layer.chain, layer.n, layer.depth, following, value)


def as_often_as_named(device, wire, people):
    """Return the devices of each user as often as the user is named."""
    return [each for user in people for each in device.look_up(wire, user) if each.device != device.name]


def in_silence(device, wire, group):
    return wire.ask(device.name, device.provider, GroupOf(group), Group)


def only_what_is_asked(device, wire, group):
    """Notices where the device sends, and none where it receives."""
    return (membership.look_up if not device.receiving else in_silence)(device, wire, group)


class OpenProvider(provider.Provider):
    def on_group(self, sender, packet: Group, wire):
        self.groups[packet.name] = packet


class OpenScheme(plain.Plain, frozen=True):
    provider = OpenProvider


class LoyalProvider(provider.Provider):
    """It lets whoever was a member once change a group."""

    ever: dict[str, list[str]] = {}

    def on_group(self, sender, packet: Group, wire):
        ever = self.ever.setdefault(packet.name, list(packet.members))
        self.insist(self.accounts.get(sender) in ever, "a member once")
        self.groups[packet.name] = packet


class LoyalScheme(plain.Plain, frozen=True):
    provider = LoyalProvider


honest_check = membership.check


def by_name(device, wire, to):
    """The session with whoever has the name, under whatever key."""
    kept = device.sessions.get(to.device)
    return kept[0] if kept else honest_current(device, wire, to)


def by_owner_alone(device, wire, mail, chain=None):
    """The author of whom the directory says that it is the user's, in the user's list or not."""
    owner = wire.ask(device.name, device.provider, OwnerOf(mail.sender), Listed)
    found = next((each for each in device.look_up(wire, owner.user) if each.device == mail.sender), owner)
    contacts._insist_on_key(device, found, mail, chain, wire.day)
    return found


def of_known_days(device, conversation, people, day, today):
    """The names in a label, not compared for days before the device knew the group."""
    known = honest_names(device, conversation, people, day, today)
    kept = device.known_members.get(conversation.group)
    return known or (bool(kept) and day < kept[0].first)


def over_one_key(device, user):
    return honest_number(msgspec.structs.replace(device, linked=device.linked[:1]), user)


class ChainsByName(Device):
    def send_by_chain(self, wire, people, said):
        names = [listed.device for own in self.sending.values() for listed in own.holders]
        for own in self.sending.values():
            own.holders = [listed for listed in self.recipients(wire, people) if listed.device in names]
        super().send_by_chain(wire, people, said)


class NamingScheme(plain.Plain, frozen=True):
    device = ChainsByName


class LastingClient(ghost.GhostClient):
    def keeps_quiet(self, wire, listed):
        """Hide a device as long as it is listed, once it was to be hidden."""
        return listed in self.quiet or super().keeps_quiet(wire, listed)


class FlaggingClient(Device):
    def keeps_quiet(self, wire, device):
        return device.device.endswith("-monitor")


class FlaggingScheme(plain.Plain, frozen=True):
    device = FlaggingClient


class LastingGhost(ghost.GhostScheme, frozen=True):
    device = LastingClient


class HopefulGhost(ghost.GhostScheme, frozen=True):
    """Its lawful access ends where the provider does not answer."""

    def access(self, authority, wire, warrant, intercepted):
        for haunting in authority.hauntings:
            haunting.ghost.collect(wire)
        yield from super().access(authority, wire, warrant, intercepted)


honest_current, honest_number = sessions.current, Device.safety_number
honest_names = policing._of


def left_here(device, wire):
    return len(device.one_time)


def full_for_all(party, recipient, mail):
    waiting = party.mailboxes.setdefault(recipient, [])
    party.insist(len(waiting) < 1_000, f"{mail.sender} sends {recipient} too much")
    waiting.append(mail)


def unnamed(party, condition, reason):
    if not condition:
        raise Refused(party.name, "too much")


def in_the_clear(authority, wire, official, paper, subject, reply):
    return wire.ask(authority.name, official, authority.request(paper, codec.encode(subject)), reply)


def served_in_the_clear(court, wire, authority, paper):
    wire.tell(court.name, authority, warrant.Serve(paper))


def with_an_aside(authority, wire, official, paper, subject, reply):
    """The request is sealed; what is said beside it names the target."""
    wire.tell(authority.name, official, provider.DevicesOf(paper.order.target))
    return honest_put(authority, wire, official, paper, subject, reply)


honest_put = warrant.Authority.put
EMPTY = SimpleNamespace(encode=lambda fact: b"")
UNSEALED = SimpleNamespace(seal=lambda to, plain, info: plain, open_=lambda key, sealed, info: sealed)

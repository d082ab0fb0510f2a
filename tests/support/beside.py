"""Sound schemes with officials that the lawful access never asks: what they hold, they can open."""

from collections.abc import Iterator

import msgspec

from escrow import crypto
from escrow.codec import Packet, Public
from escrow.derivation import Checks, service
from escrow.errors import Refused
from escrow.principal import Principal, shared
from escrow.scheme import Grant, wanted
from escrow.schemes import envelope, split_key
from escrow.sharing import elgamal
from escrow.warrant import Official, Warrant, promises
from escrow.wire import Wire


@service(envelope.open_field, holder="key")
def night_checks(key: envelope.AgentKey, warrant: Warrant, field: envelope.Envelope, day: int) -> Checks:
    """Yield what a night desk promises: as the agent, and that the message is fresh."""
    yield from promises(key.court, warrant, field.people, field.day)
    yield "fresh", 0 <= day - field.day <= 3


class NightDesk(Official):
    """An official with keys in its safe, by name."""

    safe: dict[str, envelope.AgentKey] = {}
    promise = night_checks

    def held(self, subject: envelope.Envelope) -> envelope.AgentKey:
        return self.safe["night"]


class Safe(Principal):
    """A party that keeps a key and answers nobody."""

    key: envelope.AgentKey


class RoomsDevice(envelope.EnvelopeDevice):
    """A device that seals the keys of group texts to the rooms' desk."""

    rooms: bytes = b""

    def access_field(self, key, context):
        other = msgspec.structs.replace(self, agent=self.rooms) if len(context.people) > 2 else self
        return envelope.EnvelopeDevice.access_field(other, key, context)


class Beside(envelope.EnvelopeScheme, frozen=True, kw_only=True):
    """An envelope, and other holders of its agent's key; `makes` are their classes."""

    name = "beside"
    makes: tuple[str, ...] = ()

    @property
    def claim(self):
        mine = super().claim
        return msgspec.structs.replace(mine, grants=(*mine.grants, Grant("desk-*", "everything")))

    def cast(self, users, court):
        for party in super().cast(users, court):
            yield party
            if isinstance(party, envelope.EnvelopeAgent):
                yield from self._others(party.key)

    def _others(self, key) -> Iterator[Principal]:
        for at, kind in enumerate(self.makes):
            name = f"desk-{at}"
            if kind == "night":
                yield NightDesk(name, safe={"night": key})
            elif kind == "safe":
                yield Safe(name, key)
            else:
                with crypto.acting(name):
                    made = crypto.new_private()
                yield NightDesk(name, safe={"night": envelope.AgentKey(made.public, made.raw, key.court)})


class Rooms(Beside, frozen=True, kw_only=True):
    """Keys of group texts are sealed to a desk; `asks`: the lawful access tries the agent all the same."""

    name = "rooms"
    device = RoomsDevice
    makes: tuple[str, ...] = ("other", "other")
    asks: bool = True

    def cast(self, users, court):
        rooms = b""
        for party in super().cast(users, court):
            if party.name == "desk-1":
                rooms = party.safe["night"].public
            if isinstance(party, RoomsDevice):
                party.rooms = rooms
            yield party

    def access(self, authority, wire, warrant, intercepted):
        found = list(wanted(authority, warrant, intercepted, envelope.Envelope))
        mail = [intercept for intercept, field in found if self.asks or len(field.people) == 2]
        return super().access(authority, wire, warrant, mail)


@service(elgamal.partial, holder="share", given="capsule = field.capsule")
def late_checks(share: split_key.HeldShare, warrant: Warrant, field: split_key.SplitField, day: int) -> Checks:
    """Yield what the last agent promises: as the others, and that it is late."""
    yield from promises(share.court, warrant, field.people, field.day)
    yield "late", day > 2


class LateAgent(split_key.SplitAgent):
    """An agent that answers differently."""

    promise = late_checks


class FirstTwo(split_key.SplitKey, frozen=True, kw_only=True):
    """Agents of which the lawful access asks the first two only, and gives up where one is silent."""

    name = "first-two"

    def cast(self, users, court):
        for party in super().cast(users, court):
            if party.name == "agent-3":
                yield LateAgent(*(getattr(party, name) for name in ("name", "court", "transport", "index", "t", "n")))
            else:
                yield party

    def _partials(self, authority, wire, warrant, field):
        for name in self.agents[:2]:
            yield split_key.open_partial(authority.ask(wire, name, warrant, field), authority.key.agreement)


class Enrol(Packet, frozen=True):
    """A device asks for a key of its own."""


class Enrolled(Packet, frozen=True):
    """The public half (32 bytes) of the device's key."""

    public: Public


class EnrollingAgent(Official):
    """An agent that makes a key for each device, once; whoever plays its packets again makes it lose them."""

    court: Public
    keys: dict[str, envelope.AgentKey] = {}
    promise = envelope.agent_checks

    def held(self, subject: envelope.Envelope) -> envelope.AgentKey:
        for key in self.keys.values():
            if key.public == subject.agent:
                return key
        raise Refused(self.name, "nobody enrolled with that key")

    @shared("each device enrols itself")
    def on_enrol(self, sender: str, packet: Enrol, wire: Wire) -> Enrolled:
        self.insist(sender not in self.keys, "a device enrols once")
        made = crypto.new_private()
        self.keys[sender] = envelope.AgentKey(made.public, made.raw, self.court)
        return Enrolled(made.public)


class Enrolling(envelope.EnvelopeScheme, frozen=True, kw_only=True):
    """An envelope whose agent has a key for each device, made on request."""

    name = "enrolling"

    def cast(self, users, court):
        for party in super().cast(users, court):
            yield EnrollingAgent(party.name, court) if isinstance(party, envelope.EnvelopeAgent) else party

    def setup(self, wire):
        super().setup(wire)
        for name, party in wire.parties.items():
            if isinstance(party, envelope.EnvelopeDevice):
                party.agent = wire.ask(name, "agent", Enrol(), Enrolled).public

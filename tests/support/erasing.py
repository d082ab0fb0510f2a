"""Schemes whose agent has another key every day and erases the one before; written as a third party would.

forward    tomorrow's key is the hash of today's: whoever has a key has all later ones
backward   today's key is the hash of tomorrow's, which a keeper hands out every morning: all earlier ones follow
daily      the keys are independent; the agent begins with all of them
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from escrow import codec, crypto
from escrow.codec import Public
from escrow.crypto import Private, derived_private
from escrow.derivation import Checks, derivation, service
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Refused
from escrow.primitives import hpke
from escrow.principal import Principal
from escrow.scheme import AccessField, Claim, Grant, Intercept, Source, User, open_intercepted, wanted
from escrow.schemes.plain import DEVICES, Plain
from escrow.warrant import Answer, Authority, Official, Warrant, open_answer, promises
from escrow.wire import Wire

DAYS = 4
Kind = Literal["forward", "backward", "daily"]


class DayKey(Private, frozen=True, dict=True):
    """The agent's key pair of one day, and the public key (32 bytes) of its court."""

    day: int
    kind: str
    court: Public


class DayField(AccessField, frozen=True):
    """A message key sealed to the agent's key of the day (public, 32 bytes)."""

    to: Public
    sealed: Public

    def labels(self) -> bytes:
        """Return what the seal is bound to."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.to))


@derivation("any key")
def following(key: DayKey) -> DayKey:
    """Return the key that follows by hashing: the next day's, or the one before. Raise Forged if there is none."""
    day = key.day + {"forward": 1, "backward": -1, "daily": DAYS}[key.kind]
    if not 0 <= day < DAYS:
        raise Forged("no key follows")
    made = derived_private(key.raw, b"another day")
    return DayKey(made.public, made.raw, day, key.kind, key.court)


@derivation("field.to = key.public")
def open_day_field(field: DayField, key: DayKey) -> MessageKey:
    """Return the message key."""
    return MessageKey(field.chain, field.n, hpke.open_(key, field.sealed, field.labels()))


@service(open_day_field, holder="key")
def agent_checks(key: DayKey, warrant: Warrant, field: DayField) -> Checks:
    """Yield the agent's promises."""
    return promises(key.court, warrant, field.people, field.day)


@service(open_day_field, holder="key")
def prompt_checks(key: DayKey, warrant: Warrant, field: DayField, day: int) -> Checks:
    """Yield the promises of an agent that opens nothing on a later day than the message's next one."""
    yield from promises(key.court, warrant, field.people, field.day)
    yield "yesterday or today", day - field.day <= 1


@derivation("answer.to = key.public")
def open_day_answer(answer: Answer, key: Private) -> MessageKey:
    """Return the agent's answer, by the authority's key."""
    return open_answer(answer, key, MessageKey)


class DayDevice(device.Device):
    """A client that seals each message key to the agent's key of the day."""

    agent: list[Public] = []

    def access_field(self, key: MessageKey, context: FieldContext) -> DayField:
        """Return the field of one message."""
        to = self.agent[context.day]
        blank = DayField(key.chain, key.n, context.people, context.day, to, b"")
        return DayField(key.chain, key.n, context.people, context.day, to, hpke.seal(to, key.value, blank.labels()))


class DayAgent(Official):
    """It opens fields with the keys that it holds, and those that follow from them by hashing backwards."""

    keys: list[DayKey]

    promise = agent_checks

    def held(self, subject: DayField) -> DayKey:
        """Return the key of the field. Raise Refused if it was erased."""
        for key in self.keys:
            while key.public != subject.to and key.kind == "backward" and key.day > 0:
                key = following(key)
            if key.public == subject.to:
                return key
        raise Refused(self.name, "that day's key is erased")


class PromptAgent(DayAgent):
    """It opens nothing on a later day than the message's next one."""

    promise = prompt_checks


class Keeper(Principal):
    """It has the keys of the days to come, and answers nobody."""

    keys: list[DayKey] = []


class Erasing(Plain, frozen=True, kw_only=True):
    """One agent, whose keys are of a `kind`."""

    name = "erasing"
    title = "An agent that erases yesterday's key"
    source = Source("Author", "Title", 2026, "section", "everything")
    device = DayDevice
    kind: str = "forward"
    prompt: bool = False

    @property
    def claim(self) -> Claim:
        """The agent opens everything, the authority what its warrants cover."""
        grants = (*DEVICES, Grant("agent", "everything"), Grant("keeper", "everything"), Grant("authority", "in scope"))
        return Claim(words="The agent opens everything.", section="", grants=grants, access="none")

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the agent with its keys, the keeper, and the parties of plain."""
        with crypto.acting("agent"):
            keys = self._keys(court)
        kept = keys if self.kind == "backward" else []
        yield (PromptAgent if self.prompt else DayAgent)("agent", keys if self.kind == "daily" else keys[:1])
        yield Keeper("keeper", keys=kept)
        for party in super().cast(users, court):
            if isinstance(party, DayDevice):
                party.agent = [key.public for key in keys]
            yield party

    def _keys(self, court: bytes) -> list[DayKey]:
        if self.kind == "daily":
            made = [crypto.new_private() for _ in range(DAYS)]
            return [DayKey(each.public, each.raw, day, "daily", court) for day, each in enumerate(made)]
        first = crypto.new_private()
        keys = [DayKey(first.public, first.raw, 0 if self.kind == "forward" else DAYS - 1, self.kind, court)]
        while len(keys) < DAYS:
            keys.append(following(keys[-1]))
        return keys if self.kind == "forward" else keys[::-1]

    def each_day(self, wire: Wire, day: int) -> None:
        """Let the agent go on to the day's key, and erase the one before."""
        agent, keeper = wire.party("agent", DayAgent), wire.party("keeper", Keeper)
        if self.kind == "daily":
            agent.keys = [key for key in agent.keys if key.day >= day]
        elif self.kind == "backward":
            agent.keys = [keeper.keys[day]]
        elif day:
            agent.keys = [following(agent.keys[0])]

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask the agent about each field that the warrant covers."""
        for intercept, field in wanted(authority, warrant, intercepted, DayField):
            try:
                key = open_day_answer(authority.ask(wire, "agent", warrant, field), authority.key.agreement)
            except EscrowError as error:
                wire.complain(authority.name, error)
                continue
            yield from open_intercepted(authority, intercept, key)

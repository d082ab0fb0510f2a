"""A scheme of one's own beside the one that it improves: two vaults, each with the keys of every other day.

  send     the envelope's field, sealed to the agent of the day
  access   the authority asks the agent of the field's day
  weak     a thief of one vault still opens half of everything ever sent

Run it with `python examples/own_scheme.py`, or test it with `escrow-lab check examples/own_scheme.py`.
"""

from collections.abc import Iterable, Iterator, Sequence

from escrow import (
    DEVICES,
    Authority,
    Claim,
    EscrowError,
    FieldContext,
    Forged,
    Grant,
    Intercept,
    MessageKey,
    Principal,
    Public,
    Source,
    User,
    Warrant,
    Wire,
    acting,
    new_private,
    open_intercepted,
    wanted,
)
from escrow.schemes.envelope import (
    AgentKey,
    Envelope,
    EnvelopeAgent,
    EnvelopeDevice,
    EnvelopeScheme,
    open_message_key,
)

AGENTS = ("agent-1", "agent-2")


def agent_of(day: int) -> str:
    """Return the name of the agent to whom the keys of a day are sealed."""
    return AGENTS[day % len(AGENTS)]


class TwoVaultsDevice(EnvelopeDevice):
    """A client that knows both agents."""

    agents: dict[str, Public] = {}

    def access_field(self, key: MessageKey, context: FieldContext) -> Envelope:
        """Return the envelope to the agent of the day."""
        self.agent = self.agents[agent_of(context.day)]
        return super().access_field(key, context)


class TwoVaults(EnvelopeScheme, frozen=True, kw_only=True):
    """The envelope, with two agents who take turns."""

    name = "two-vaults"
    title = "Envelopes to two agents who take turns"
    source = Source("This project", "Examples", 2026, "all", "all")
    device = TwoVaultsDevice
    in_pages = False

    @property
    def claim(self) -> Claim:
        """Each agent opens the texts of its days; the authority reads what its warrants cover."""
        agents = [Grant(name, "everything") for name in AGENTS]
        return Claim("Nobody's; an example.", "", (*DEVICES, *agents, Grant("authority", "in scope")), "in scope")

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Yield the parties of the envelope, with two agents in the place of one."""
        keys = {}
        for name in AGENTS:
            with acting(name):
                keys[name] = new_private()
            yield EnvelopeAgent(name, AgentKey(keys[name].public, keys[name].raw, court))
        for party in super().cast(users, court):
            if isinstance(party, TwoVaultsDevice):
                party.agents = {name: key.public for name, key in keys.items()}
            if not isinstance(party, EnvelopeAgent):
                yield party

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Yield the texts that the warrant covers; the agent of the field's day opens the key."""
        for intercept, field in wanted(authority, warrant, intercepted, Envelope):
            agent = agent_of(field.day)
            try:
                key = open_message_key(authority.ask(wire, agent, warrant, field), authority.key.agreement)
            except EscrowError as error:
                wire.complain(agent, error)
                continue
            opened = list(open_intercepted(authority, intercept, key))
            if not opened:
                wire.complain(agent, Forged("the key that it gave opens no message"))
            yield from opened


SCHEME = TwoVaults()


def main() -> None:
    """Print what thieves open, and who reads two texts of two days."""
    from attacks import matrix, play  # names, since `import attacks` in the file of a scheme is refused

    print(matrix(["plain", "envelope", SCHEME], "*-theft", smoke=True))
    print()
    played = play(SCHEME, smoke=True)
    for text in (played.text(2), played.text(7)):
        print(f"{text!r}: {', '.join(str(each) for each in text.readers() if 'agent' in str(each))}")


if __name__ == "__main__":
    main()

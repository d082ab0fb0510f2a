"""The court's key is stolen, and the log of warrants keeps what the thief enters from all who read it.

  sign    an order about each user, as in court-key-theft
  enter   the log proves them to the agent, and shows nobody
          one hidden log: the true one and all of them
          a log for each entry: the true one and one of them, which is left out again (omission)
          a backdated log: all of them before the true entries, as if they had been there first
  deny    whoever reads the log is shown the true one
          reach=prospective: clients that ask for a head are shown that of the hidden one, if there is one
  return  in the evening the agent is shown the true one again

Source: RFC 9162 (2021), section 11.3: a log that shows different views is found when those who read it share what they
saw.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from attacks.court_key_theft import CourtKeyTheft
from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.errors import EscrowError
from escrow.principal import Principal, corrupted
from escrow.scheme import Intercept, Scheme, Source
from escrow.schemes.logged.log import (
    AGENT,
    LOG,
    AskGrowth,
    AskLastHead,
    EnterWarrant,
    EntryEvidence,
    Growth,
    LastHead,
    LogEntry,
    WarrantLog,
    tree_of,
)
from escrow.schemes.logged.prospective import AskLogHead, AskStanding, DatedLog, ProvenStanding, ToldHead
from escrow.schemes.logged.scheme import Logged
from escrow.wire import Wire

THIEF = "thief"
ONE, BACKDATED, EACH = "one hidden log", "a backdated log", "a log for each entry"


class ForkedLog(CourtKeyTheft):
    """Corrupt the court and the log: the agent sees entries that nobody else does."""

    name = "forked-log"
    title = "The court's key is used, and the log hides it"
    source = Source("Laurie et al.", "RFC 9162, Certificate Transparency Version 2.0", 2021, "11.3", "messages")
    specimen = "forgetful_agent"

    def __init__(self, strategy: str = "") -> None:
        """Make the attack, by one of its strategies; "" is all of them."""
        self.strategy = strategy

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return "", or that there is no log to be forked."""
        return "" if isinstance(scheme, Logged) else "warrants stand in no log"

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return the ways to show the agent what others do not see."""
        return [ForkedLog(ONE), ForkedLog(BACKDATED), ForkedLog(EACH)]

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the court and the log from the attack day on."""
        return [Turn("court", scenario.attack_day), Turn(LOG, scenario.attack_day)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the log hide the thief's entries; give the court what court-key-theft gives it."""
        if not isinstance(party, WarrantLog):
            return super().corrupt(party, scheme, cast, scenario)
        keeps, first = self.strategy != EACH, self.strategy == BACKDATED

        def on_enter(self: Any, sender: str, packet: EnterWarrant, wire: Wire) -> EntryEvidence:
            """Prove the thief's entries in a log that others do not see, those of others in the one the agent knows."""
            new = packet.entry not in self.entries
            if sender == THIEF and new:
                known = self.hidden or self.entries
                other = [packet.entry, *known] if first else [*known, packet.entry]
                self.hidden = other if keeps else []
                return WarrantLog.evidence(self, other, packet)
            self.entries += [packet.entry] * new
            self.hidden += [packet.entry] * (new and bool(self.hidden))
            shown = self.hidden if self.hidden and _misled(self, wire) else self.entries
            return WarrantLog.evidence(self, shown, packet)

        def on_head(self: Any, sender: str, packet: AskLogHead, wire: Wire) -> ToldHead:
            """Return the head of the hidden log, so that what is sealed now falls under the thief's entries."""
            return ToldHead(WarrantLog.growth(self, self.hidden or self.entries, AskGrowth(0)).signed)

        def on_standing(self: Any, sender: str, packet: AskStanding, wire: Wire) -> ProvenStanding:
            """Prove what the hidden log had, or else the true one."""
            found = DatedLog.standing(self, self.hidden, packet)
            return found if found.proof else DatedLog.standing(self, self.entries, packet)

        dated: dict[str, Any] = {"on_head": on_head, "on_standing": on_standing} if isinstance(party, DatedLog) else {}
        return corrupted(party, {"hidden": list[LogEntry]}, on_enter=on_enter, **dated)

    def each_evening(self, party: Any, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        """Read as in court-key-theft, and show the agent the true log again."""
        if not hasattr(party, "authorities"):
            return  # the log does nothing by itself
        super().each_evening(party, scheme, wire, intercepted)
        with suppress(EscrowError):
            known = wire.ask(THIEF, LOG, AskGrowth(0), Growth).entries
            for entry in known[:1]:
                shown = wire.ask(THIEF, LOG, EnterWarrant(entry, 0), EntryEvidence)
                wire.ask(THIEF, AGENT, shown, type(None))


def _misled(log: Any, wire: Wire) -> bool:
    """Return whether the agent's last head is not of the true log, so that it would take no proof of that one."""
    head = wire.ask(LOG, AGENT, AskLastHead(), LastHead).head
    return head is not None and head.root != tree_of(log.entries[: head.size]).root()


ATTACK = ForkedLog()

"""Steal the court's key, sign warrants about everybody, and let honest officials do the rest.

  sign     for each user u: order(u, all days, key of the thief's own authority), signed with the court's key
  serve    that authority serves them as the true one would
  access   it runs the scheme's public recipe on everything heard; officials see warrants in good order

It asks about each intercepted mail once, under the warrant about its sender. Nothing here knows the scheme.
Source: Abelson et al., "The Risks of Key Recovery, Key Escrow, and Trusted Third-Party Encryption", 1997, 3.1.3.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from attacks.lab.simulation.attack import Attack, Cast, Column, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow import crypto
from escrow.crypto import sha256
from escrow.errors import EscrowError
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Intercept, Scheme, Source, User
from escrow.warrant import Authority, AuthorityKey, Court, Order, Warrant
from escrow.wire import Wire

TRUE = "authority"  # the authority that the thief's own one imitates


class CourtKeyTheft(Attack):
    """Corrupt the court: it signs warrants about every user for an authority of the thief."""

    name = "court-key-theft"
    title = "The court's key is stolen and used"
    source = Source(
        "Abelson et al.",
        "The Risks of Key Recovery, Key Escrow, and Trusted Third-Party Encryption",
        1997,
        "3.1.3",
        "messages",
    )
    in_pages = True
    column = Column(5, "court's key", "exposed.total", meaning="a thief of the court's key reads them")
    specimen = "any_authority"
    served = True

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the court from the attack day on."""
        return [Turn("court", scenario.attack_day)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Give the court an authority of the thief and a signed warrant about each user."""
        thief = scheme.authority("thief", key=crypto.new_signing_key(AuthorityKey))
        authorities = list[scheme.authority]  # type: ignore[name-defined]  # the scheme's own class
        kept = {"authorities": authorities, "users": list[User], "signed": list[Warrant], "heard": list[int]}
        court: Any = corrupted(party, kept)
        court.authorities, court.users = [thief], list(scenario.users)
        court.signed = [of_kind(party, Court).issue(_order(thief, user.name, scenario)) for user in scenario.users]
        return court  # type: ignore[no-any-return]  # what `corrupted` made of the court

    def each_evening(self, party: Any, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        """Run the scheme's lawful access with the thief's authority, on the mail heard since the last evening."""
        thief: Authority = party.authorities[0]
        if not party.heard:
            _overhear(thief, wire)
            for warrant in party.signed:
                scheme.serve(thief, wire, warrant)
        fresh, party.heard = intercepted[sum(party.heard) :], [len(intercepted)]
        for user, warrant in zip(party.users, party.signed, strict=True):
            for _ in scheme.access(thief, wire, warrant, [each for each in fresh if each.mail.sender in user.devices]):
                pass  # the text is in the thief's archive


def _order(thief: Authority, target: str, scenario: Scenario) -> Order:
    return Order(
        id=f"stolen-{target}",
        authority=thief.key.public,
        target=target,
        first=0,
        last=scenario.days,
        scope="content",
        case=sha256(b"no case"),
        issued=scenario.attack_day,
        expires=scenario.days,
        nonce=crypto.random_bytes(16),
    )


def _overhear(thief: Authority, wire: Wire) -> None:
    """Give the thief's authority every packet that was told to the true one: all packets are public."""
    for packet in wire.heard:
        if packet.dst == TRUE:
            with suppress(EscrowError):
                thief.answer(packet.src, packet.data, wire)


ATTACK = CourtKeyTheft()

"""The decrypt processor: it reads from a LEAF the unit that made it, and with that unit's key the session key.

  identify  LEAF --KF--> unit                       by any holder of a processor; no warrant is needed, nothing is read
  release   unit --(warrant)--> each agent          K1 ⊕ K2, used under that warrant until it expires
  open      wk --KU--> KS --> message key           if the unit is of the person who sent the mail

Source: Denning, "The Clipper Chip: A Technical Summary", 19 April 1993, on the decoder box; FIPS PUB 185 (1994).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from escrow.codec import Public
from escrow.crypto import Private, digest
from escrow.derivation import derivation
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Refused
from escrow.scheme import Intercept
from escrow.schemes.clipper import field
from escrow.schemes.clipper.chip import FamilyKey, UnitHalf, UnitKey, combine
from escrow.schemes.clipper.field import ClipperField, Identity, UnitRequest
from escrow.warrant import Answer, Authority, Warrant, open_answer
from escrow.wire import Wire

AGENTS = ("agent-1", "agent-2")


@derivation("answer.to = key.public")
def open_half(answer: Answer, key: Private) -> UnitHalf:
    """Return the half of a unit key from an agent's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, UnitHalf)


class Loaded(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A unit key in a decrypt processor: its warrant, its last day, and the unit's owner as the agents name it."""

    order: str
    expires: int
    owner: str
    unit: UnitKey


class Attributed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A finding: the mail whose body has this SHA-256 (32 bytes) has a LEAF that names this user's unit."""

    mail: Public
    attributed: str


class Processor(Authority):
    """An authority with a decrypt processor: the family key, and the unit keys that were released to it.

    `findings` are about mail whose LEAF names a unit whose key it has.
    """

    family: FamilyKey | None = None
    loaded: list[Loaded] = []
    findings: list[Attributed] = []

    def identified(
        self, wire: Wire, heard: Iterable[tuple[Intercept, ClipperField]]
    ) -> Iterator[tuple[Intercept, ClipperField, Identity]]:
        """Yield the fields that the family key reads, each with the unit that made it."""
        if (family := self.family) is None:
            return
        for intercept, said in heard:
            try:
                yield intercept, said, field.read_leaf(said, family)
            except Forged as error:
                self.complain_of(wire, intercept.mail, error)

    def complain_of(self, wire: Wire, mail: Mail, error: Forged) -> None:
        """Record why a mail's field gave nothing, and who sent it."""
        wire.complain(self.name, Forged(f"beside {mail.sender}'s mail: {error}"))

    def units(self, wire: Wire, warrant: Warrant, identities: Iterable[Identity]) -> dict[bytes, Loaded]:
        """Return the unit keys that may be used under the warrant; missing ones are asked for, one request each."""
        units: dict[bytes, Loaded] = {}
        for each in self.loaded:
            try:
                self.insist(each.order == warrant.order.id, "a unit key is used under the warrant it was released for")
            except Refused:
                continue
            units[each.unit.uid] = each
        asked: set[UnitRequest] = set()
        for identity in identities:
            request = field.name_unit(identity)
            if identity.uid not in units and request not in asked:
                asked.add(request)
                for unit in self._released(wire, warrant, request):
                    order, owner = warrant.order, identity.people[0]
                    units[unit.uid] = Loaded(order.id, order.expires, owner, unit)
                    self.loaded.append(units[unit.uid])
        return units

    def _released(self, wire: Wire, warrant: Warrant, request: UnitRequest) -> Iterator[UnitKey]:
        """Yield the unit key if both agents give their halves of it; an agent that does not is named."""
        halves = []
        for number, agent in enumerate(AGENTS, 1):
            try:
                half = open_half(self.ask(wire, agent, warrant, request), self.key.agreement)
            except EscrowError as error:
                wire.complain(agent, error)
                return
            if (half.uid, half.agent) != (request.uid, number):
                wire.complain(agent, Forged("it gave a half of another unit's key, or the other agent's"))
                return
            halves.append(half)
        try:
            yield combine(*halves)
        except Forged as error:
            wire.complain(" or ".join(AGENTS), error)

    def attribute(self, mail: Mail, loaded: Loaded) -> None:
        """Record the owner of the unit that the mail's LEAF names."""
        self.findings.append(Attributed(digest(mail.body), loaded.owner))

    def open_key(self, wire: Wire, said: ClipperField, identity: Identity, loaded: Loaded) -> MessageKey:
        """Return the message key in a field. Raise Refused if its LEAF names the unit of another than its sender."""
        sender = identity.people[0]
        if sender != loaded.owner:
            wire.alarm(self.name, f"mail of {sender} has a LEAF of {loaded.owner}'s unit")
        self.insist(sender == loaded.owner, f"{sender}'s mail is not read with the key of {loaded.owner}'s unit")
        return field.open_field(said, field.unwrap_key(identity, loaded.unit, said))

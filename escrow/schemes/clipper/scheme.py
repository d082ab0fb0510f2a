"""Clipper, the Escrowed Encryption Standard: two agents hold the halves of every device's unit key.

  program  S1, S2 -> K1, K2; KU = K1 ⊕ K2 and KF into a chip; agent i files K_i
  send     IV ‖ LEAF, Seal(k; KS), Seal(KS; k); k the message key, KS 80 bits
  receive  the chip loads IV ‖ LEAF for KS; not valid: the text is refused
  access   LEAF --KF--> unit --(warrant)--> K1 ⊕ K2 --> KS --> k --> text
  weak     a released KU opens all its unit's mail, past and future, and the
           seeds S1, S2 every unit's; 2^16 trials find a LEAF that names nobody

In Clipper the payload is enciphered by Skipjack under KS; here KS seals the ratchet's message key, so that the scheme
remains a delta on plain. A call has one KS and two chips, so the target's unit key opens both sides; mail has only the
sender's LEAF, so mail to the target needs the senders' unit keys. Requests are public packets, and so is the unit that
one names. The standard trusts that no one reads a chip; here a stolen device is read.

Source: FIPS PUB 185 (1994), specifications; Denning, "The Clipper Chip: A Technical Summary" (1993). *Modelled*: what
never was published (`leaf`); that agents have on file whose a unit is, and refuse one not the sender's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from escrow import crypto
from escrow.codec import Public
from escrow.crypto import random_bytes
from escrow.derivation import Checks, Guard, derivation, service
from escrow.e2ee.policing import Policing
from escrow.errors import Forged, Refused
from escrow.grants import Claim
from escrow.primitives.skipjack import KEY
from escrow.principal import Principal, of_kind
from escrow.scheme import Finding, Intercept, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes.clipper import standard
from escrow.schemes.clipper.chip import Chip, FamilyKey, Seed, Serial, UnitHalf, combine, program
from escrow.schemes.clipper.field import ClipperField, UnitRequest
from escrow.schemes.clipper.leaf import UID, Make
from escrow.schemes.clipper.phone import ClipperDevice
from escrow.schemes.clipper.processor import AGENTS, Loaded, Processor
from escrow.schemes.plain import FieldScheme
from escrow.warrant import (
    Authority,
    AuthorityKey,
    Official,
    Warrant,
    promises,
)
from escrow.wire import Wire

SESSION = 1  # the number of the only programming session


class FiledHalf(UnitHalf, frozen=True):
    """An agent's half of a unit key, with the unit's owner and the public key (32 bytes) of the court it honours."""

    owner: str
    court: Public


@derivation("half.uid = request.uid")
def release(half: FiledHalf, request: Guard[UnitRequest]) -> UnitHalf:
    """Return the half that was asked for."""
    return UnitHalf(half.uid, half.agent, half.raw)


@service(release, holder="half")
def agent_checks(half: FiledHalf, warrant: Warrant, request: UnitRequest) -> Checks:
    """Yield what each agent promises to check before it releases a half."""
    yield from promises(half.court, warrant, request.people, request.day)
    yield "unit of the sender named", request.people[:1] == (half.owner,)


class ClipperAgent(Official):
    """An escrow agent: it holds one half of each unit key."""

    halves: list[FiledHalf]

    promise = agent_checks

    def held(self, subject: UnitRequest) -> FiledHalf:
        """Return the half on file of the unit that is named. Raise Refused if there is none."""
        half = next((each for each in self.halves if each.uid == subject.uid), None)
        if half is None:
            raise Refused(self.name, f"no unit {subject.uid.hex()} is on file")
        return half


class Programmer(Principal):
    """The place where chips are programmed, and tried on a processor. During a session: both seeds, and unit keys."""

    seeds: list[Seed]
    serials: list[Serial]
    bench: Processor

    def finish(self, keeps_seeds: bool = False) -> None:
        """End the session: destroy the unit keys and, unless they are kept, the seeds."""
        self.seeds, self.bench.loaded = self.seeds if keeps_seeds else [], []


class Clipper(FieldScheme, frozen=True, kw_only=True):
    """`width`, `mode`, `binds` (names with spaces between) and `partial` are the LEAF's (`leaf.Make`).

    `derives`: session keys follow from message keys, so that no side can force one. `most_bad`: a chip stops after so
    many invalid LEAFs (0: never). `refuses_own`: a chip refuses its own LEAFs. `keeps_seeds`: the seeds of the
    programming session are not destroyed. `policing`: a recipient's chip refuses a text whose LEAF is not valid.
    """

    name = "clipper"
    title = "Clipper: unit keys held by two agents"
    source = Source(
        "National Institute of Standards and Technology",
        "FIPS PUB 185, Escrowed Encryption Standard",
        1994,
        "specifications",
        "checksum, LEAF mode, encipherment of 80 bits, messages",
    )
    sealed_facts = (
        SealedFact("UnitHalf", unnamed="nothing about the halves is published, so that either agent may have lied"),
    )
    in_pages = True
    family = "Keys in escrow"
    findings = (
        Finding(
            6,
            "rogue-leaf",
            "**Clipper**: a rogue sender finds access fields that name nobody, in {clipper.cost.trials:,} trials. "
            "Honest chips accept them, and the law misses {clipper.evaded} of the {clipper.entitled} texts "
            "that its warrants cover.",
            ("clipper.evaded > 0", "clipper.cost.trials > 0"),
        ),
    )
    device = ClipperDevice
    authority = Processor
    policing: Policing = "recipient"
    width: int = 16
    mode: str = "wide"
    binds: str = "iv ks uid wk"
    partial: bool = False
    derives: bool = False
    most_bad: int = 0
    refuses_own: bool = False
    keeps_seeds: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.most_bad < 0:
            raise ValueError(f"most_bad={self.most_bad}: it must be 0 or more")
        _ = self.make

    @property
    def make(self) -> Make:
        """How its chips make their LEAFs. Raises ValueError for parameters that make none."""
        return Make(self.width, self.mode, tuple(self.binds.split()), self.partial)

    @property
    def claim(self) -> Claim:
        """Both agents together open everything; the authority reads what its warrants cover."""
        return standard.CLAIM

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties: chips are programmed where the agents meet, and each party begins with its part."""
        one, other = (_seed(number, agent) for number, agent in enumerate(AGENTS, 1))
        with crypto.acting("programmer"):
            family = FamilyKey(self.make, random_bytes(KEY))
            bench = Processor("bench", key=crypto.new_signing_key(AuthorityKey), family=family)
        agents = [ClipperAgent(name, []) for name in AGENTS]
        programmer = Programmer("programmer", [one, other], [], bench)
        for party in super().cast(users, court):
            if isinstance(party, ClipperDevice):
                serial = Serial(SESSION, (len(programmer.serials) + 1).to_bytes(UID, "big"))
                halves = program(one, other, serial)
                party.chip = Chip(family, combine(*halves), self.most_bad, self.refuses_own)
                party.derives = self.derives
                programmer.serials.append(serial)
                bench.loaded.append(Loaded(bench.name, 0, party.user, party.chip.unit))
                for half, filing in zip(halves, agents, strict=True):
                    filing.halves.append(FiledHalf(half.uid, half.agent, half.raw, party.user, court))
            elif isinstance(party, Processor):
                party.family = family
            yield party
        yield from (*agents, programmer)

    def each_day(self, wire: Wire, day: int) -> None:
        """End the programming session after its day, and delete released keys whose warrant has expired."""
        if day > 0:
            wire.party("programmer", Programmer).finish(self.keeps_seeds)
        processor = wire.party("authority", Processor)
        processor.loaded = [each for each in processor.loaded if each.expires >= day]

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Read the unit from each covered LEAF, ask the agents for its key, and yield the texts that it opens."""
        authority = of_kind(authority, Processor)
        read = list(authority.identified(wire, wanted(authority, warrant, intercepted, ClipperField)))
        units = authority.units(wire, warrant, [identity for _, _, identity in read])
        for intercept, said, identity in read:
            if (loaded := units.get(identity.uid)) is None:
                continue
            authority.attribute(intercept.mail, loaded)
            try:
                key = authority.open_key(wire, said, identity, loaded)
            except Forged as error:
                authority.complain_of(wire, intercept.mail, error)
                continue
            except Refused as error:
                wire.complain(authority.name, error)
                continue
            yield from open_intercepted(authority, intercept, key)

    def attributions(self, authority: Authority) -> Iterator[tuple[bytes, str]]:
        """Yield the processor's findings: whose unit the LEAF of a mail names."""
        yield from ((each.mail, each.attributed) for each in of_kind(authority, Processor).findings)


def _seed(number: int, agent: str) -> Seed:
    with crypto.acting(agent):
        return Seed(SESSION, number, random_bytes(KEY))


SCHEME = Clipper()

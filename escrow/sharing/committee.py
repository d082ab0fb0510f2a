"""A committee runs `sharing.dkg` over the wire: to make a key, to refresh its shares, to recover a lost one.

  open      P_i → all: a fresh transport key for this run               so that a later theft opens no recorded deal
  deal      P_i → all: commitments;  P_i → P_j: Seal(pk_j, s_ij)        echo, complain, rebut, settle: sharing.dkg
  reveal    P_i → all: A_ik                                             object, pool: sharing.extraction
  close     x_i of stage 0, or of the next stage, or v_i to whose share is lost; then everything else is erased

What a member says to all it says to each; `echo` finds who said different things, and puts it out. Whoever is silent,
late or malformed is out like a liar. A verdict is raised as an alarm that names its culprit. Sources: those modules'.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from escrow import codec, crypto, hpke
from escrow.codec import Packet, Public
from escrow.crypto import Private, new_private, sha256
from escrow.errors import EscrowError, Forged, Refused
from escrow.principal import Principal
from escrow.sharing import dkg, extraction, outcome, recovery, refresh
from escrow.sharing.blame import Blame, Blamed
from escrow.sharing.dkg import Commitments, Complaint, Echo, Polynomials, PublicShare, Setting, SubShare
from escrow.sharing.outcome import Outcome, Summed
from escrow.sharing.recovery import Blinded, Recovery
from escrow.sharing.refresh import Renewal
from escrow.sharing.staged import Sharing, StageShare, share_fits
from escrow.wire import Wire

_DEAL, _LEND = b"committee deal", b"committee lend"
ROUNDS = (
    "begin",
    "open",
    "deal",
    "echo",
    "complain",
    "rebut",
    "settle",
    "reveal",
    "object",
    "pool",
    "close",
    "restore",
)

Spoken = Commitments | Echo | Complaint | PublicShare
S = TypeVar("S", Commitments, Echo, Complaint, PublicShare)


class Purpose(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Why a run is held: "key", "refresh", or "recovery" of the share of member `lost`. `number` keeps runs apart."""

    kind: str
    number: int
    lost: int = 0

    @property
    def session(self) -> bytes:
        return sha256(b"committee", self.kind.encode(), b"%d %d" % (self.number, self.lost))


class Opening(Packet, frozen=True):
    """A member's transport key (X25519, 32 bytes) for one run."""

    session: Public
    transport: Public


class Dealing(Packet, frozen=True):
    """A sub-share sealed to a member's transport key."""

    session: Public
    sealed: Public


class Saying(Packet, frozen=True):
    """What a member says to all in one round."""

    session: Public
    round: str
    facts: tuple[Spoken, ...]


class Lending(Packet, frozen=True):
    """A helper's blinded value, sealed to the transport key of the member whose share is lost, and what blinded it."""

    recovery: Recovery
    outcome: Outcome
    sealed: Public


class Run(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One run as a member sees it. All of it is erased when the run ends."""

    purpose: Purpose
    transport: Private
    transports: dict[str, Public] = {}
    heard: dict[str, list[Spoken]] = {}
    polynomials: Polynomials | None = None
    received: list[SubShare] = []
    liars: list[int] = []
    qualified: tuple[int, ...] = ()
    settled: list[SubShare] = []
    exposed: tuple[int, ...] = ()
    lent: list[Blinded] = []
    recoveries: list[Recovery] = []

    def of(self, round_: str, kind: type[S]) -> list[S]:
        """What was said in a round, as far as it is of this kind."""
        return [each for each in self.heard.get(round_, ()) if isinstance(each, kind)]

    def by_dealer(self, round_: str) -> dict[int, Commitments]:
        """The first commitments of each dealer in a round, but for those that told others something else."""
        found: dict[int, Commitments] = {}
        for each in self.heard.get(round_, ()):
            if isinstance(each, Commitments) and each.dealer not in self.liars:
                found.setdefault(each.dealer, each)
        return found


class Member(Principal):
    """One of `names`, number `index` from 1, t of whom are needed. `hiding`: GJKR, else joint Feldman.

    `outcome` and `renewal` are public: how the present sharing came about.
    """

    index: int
    names: tuple[str, ...]
    t: int
    hiding: bool
    sharing: Sharing | None = None
    outcome: Outcome | None = None
    renewal: Renewal | None = None
    run: Run | None = None

    def own_share(self) -> StageShare | None:
        """The share that this member holds now."""
        raise NotImplementedError

    def hold(self, sharing: Sharing, share: StageShare | None) -> None:
        """A new sharing begins, and what this member holds of it; what it held before is gone."""
        raise NotImplementedError

    # --- the rounds ---

    def begin(self, wire: Wire, purpose: Purpose) -> None:
        """A fresh transport key, for this run only."""
        self.run = Run(purpose, new_private())

    def open(self, wire: Wire, purpose: Purpose) -> None:
        run = self._running(purpose.session)
        run.transports[self.name] = run.transport.public
        self._to_all(wire, Opening(purpose.session, run.transport.public))

    def deal(self, wire: Wire, purpose: Purpose) -> None:
        """Choose polynomials, commit to them, hand out the sub-shares."""
        run, setting = self._running(purpose.session), self._setting(purpose)
        if self.index not in setting.members:
            return
        run.polynomials, commitments, shares = dkg.deal(setting, self.index)
        self.say(wire, "deal", commitments)
        for share in shares:
            self.hand(wire, share)

    def hand(self, wire: Wire, share: SubShare) -> None:
        """A sub-share to whom it is for."""
        run = self._running(share.session)
        if share.member == self.index:
            run.received.append(share)
        elif (name := self.names[share.member - 1]) in run.transports:
            sealed = hpke.seal(run.transports[name], codec.encode(share), _DEAL)
            self._tell(wire, share.member, Dealing(share.session, sealed))

    def echo(self, wire: Wire, purpose: Purpose) -> None:
        run = self._running(purpose.session)
        self.say(wire, "echo", dkg.echo(self._setting(purpose), self.index, run.by_dealer("deal")))

    def complain(self, wire: Wire, purpose: Purpose) -> None:
        run, setting = self._running(purpose.session), self._setting(purpose)
        blames = dkg.equivocators(setting, run.of("echo", Echo))
        self.blame(wire, blames)
        run.liars = [each.culprit for each in blames]
        if self.index in setting.members:
            self.say(
                wire, "complain", *dkg.complaints(setting, self.index, run.by_dealer("deal"), _by_dealer(run.received))
            )

    def rebut(self, wire: Wire, purpose: Purpose) -> None:
        run = self._running(purpose.session)
        if run.polynomials is not None:
            heard = run.of("complain", Complaint)
            self.say(wire, "answer", *dkg.answers(self._setting(purpose), run.polynomials, heard))

    def settle(self, wire: Wire, purpose: Purpose) -> None:
        """QUAL is fixed, and with it the secret."""
        run, setting = self._running(purpose.session), self._setting(purpose)
        said = run.by_dealer("deal"), run.of("complain", Complaint), run.of("answer", PublicShare)
        run.qualified, blames = dkg.qualify(setting, *said)
        self.blame(wire, blames)
        if self.index in setting.members:
            dealt = run.by_dealer("deal"), _by_dealer(run.received), run.of("answer", PublicShare)
            run.settled = list(dkg.settle(setting, self.index, run.qualified, *dealt).values())

    def reveal(self, wire: Wire, purpose: Purpose) -> None:
        run = self._running(purpose.session)
        if self.hiding and run.polynomials is not None and self.index in run.qualified:
            self.say(wire, "reveal", extraction.reveal(self._setting(purpose), run.polynomials))

    def object(self, wire: Wire, purpose: Purpose) -> None:
        run = self._running(purpose.session)
        if self.hiding and run.settled:
            revealed = run.by_dealer("reveal")
            self.say(
                wire,
                "object",
                *extraction.evidence(self._setting(purpose), self.index, revealed, _by_dealer(run.settled)),
            )

    def pool(self, wire: Wire, purpose: Purpose) -> None:
        run, setting = self._running(purpose.session), self._setting(purpose)
        if self.hiding:
            said = run.by_dealer("deal"), run.by_dealer("reveal"), run.of("object", PublicShare)
            run.exposed, blames = extraction.exposed(setting, run.qualified, *said)
            self.blame(wire, blames)
            if run.settled:
                self.say(wire, "pool", *extraction.opened(setting, self.index, run.exposed, _by_dealer(run.settled)))

    def close(self, wire: Wire, purpose: Purpose) -> None:
        """What the run was for; whatever happens, its secrets are erased."""
        run = self._running(purpose.session)
        try:
            made = self._concluded(wire, run)
            if purpose.kind == "key":
                self.outcome = made
                self.hold(outcome.first_sharing(made), outcome.first_share(made, self._sum(run)))
            elif purpose.kind == "refresh":
                self._renew(made, run)
            elif self.index != purpose.lost:
                self._lend(wire, made, run)
        finally:
            if self.index != purpose.lost:
                self.erase()

    def restore(self, wire: Wire, purpose: Purpose) -> None:
        """Whoever lost its share takes it from the values that were lent."""
        if self.index != purpose.lost or self.sharing is None:
            return
        run = self._running(purpose.session)
        try:
            votes = [each for each in run.recoveries if run.recoveries.count(each) >= min(self.t, len(run.recoveries))]
            if not votes:
                raise Forged("the helpers do not agree on what they did")
            self.hold(self.sharing, recovery.recover(self.sharing, votes[0], tuple(run.lent)))
        except Blamed as error:
            self.blame(wire, error.blames)
            raise
        finally:
            self.erase()

    def erase(self) -> None:
        """Nothing of the run stays: a refresh whose pieces are kept is none."""
        self.run = None

    # --- how a run ends ---

    def _concluded(self, wire: Wire, run: Run) -> Outcome:
        setting, revealed = self._setting(run.purpose), run.by_dealer("reveal" if self.hiding else "deal")
        for dealer in run.exposed:
            pooled = run.of("pool", PublicShare)
            dealing = run.by_dealer("deal")[dealer]
            revealed[dealer], blames = extraction.rebuild(setting, dealer, dealing, pooled)
            self.blame(wire, blames)
        return outcome.conclude(setting, run.qualified, revealed)

    def _sum(self, run: Run) -> Summed:
        return outcome.summed(run.purpose.session, run.settled)

    def _renew(self, made: Outcome, run: Run) -> None:
        assert self.sharing is not None  # noqa: S101 (`_setting` asked)
        sharing, self.renewal = refresh.renewed(self.sharing, made)
        self.outcome, old = made, self.own_share()
        share = refresh.renew(old, self.renewal, self._sum(run)) if old is not None else None
        self.hold(sharing, share if share is not None and share_fits(sharing, share) else None)

    def _lend(self, wire: Wire, made: Outcome, run: Run) -> None:
        share, lost = self.own_share(), run.purpose.lost
        to = run.transports.get(self.names[lost - 1])
        assert self.sharing is not None  # noqa: S101 (`_setting` asked)
        if share is not None and to is not None:
            told = recovery.recovery(self.sharing, made, lost)
            value = codec.encode(self.lend(recovery.blind(share, told, self._sum(run))))
            self._tell(wire, lost, Lending(told, made, hpke.seal(to, value, _LEND)))

    def lend(self, value: Blinded) -> Blinded:
        """What this member lends."""
        return value

    # --- on the wire ---

    def say(self, wire: Wire, round_: str, *facts: Spoken) -> None:
        """The same to all, oneself included."""
        if facts and self.run is not None:
            self.run.heard.setdefault(round_, []).extend(facts)
            self._to_all(wire, Saying(self.run.purpose.session, round_, facts))

    def blame(self, wire: Wire, blames: Iterable[Blame]) -> None:
        for each in blames:
            wire.alarm(self.name, f"{self.names[each.culprit - 1]}: {each.fault}")

    def _to_all(self, wire: Wire, packet: Packet) -> None:
        for index in range(1, len(self.names) + 1):
            if index != self.index:
                self._tell(wire, index, packet)

    def _tell(self, wire: Wire, index: int, packet: Packet) -> None:
        try:
            wire.ask(self.name, self.names[index - 1], packet, type(None))
        except EscrowError as error:
            wire.complain(self.names[index - 1], error)

    def on_opening(self, sender: str, packet: Opening, wire: Wire) -> None:
        run, _ = self._running(packet.session), self._number(sender)
        run.transports.setdefault(sender, packet.transport)

    def on_dealing(self, sender: str, packet: Dealing, wire: Wire) -> None:
        run = self._running(packet.session)
        share = codec.decode(hpke.open_(run.transport, packet.sealed, _DEAL), SubShare)
        self.insist((share.dealer, share.member) == (self._number(sender), self.index), "a deal is from its sender")
        run.received.append(share)

    def on_saying(self, sender: str, packet: Saying, wire: Wire) -> None:
        run, number = self._running(packet.session), self._number(sender)
        self.insist(all(_speaker(each) == number for each in packet.facts), "a member speaks for itself")
        run.heard.setdefault(packet.round, []).extend(packet.facts)

    def on_lending(self, sender: str, packet: Lending, wire: Wire) -> None:
        run = self._running(packet.recovery.session)
        value = codec.decode(hpke.open_(run.transport, packet.sealed, _LEND), Blinded)
        self.insist(value.index == self._number(sender), "a value is from its sender")
        run.lent.append(value)
        run.recoveries.append(packet.recovery)

    def _running(self, session: bytes) -> Run:
        if self.run is None or self.run.purpose.session != session:
            raise Refused(self.name, "no such run is being held")
        return self.run

    def _number(self, name: str) -> int:
        if name not in self.names:
            raise Refused(self.name, "a run is among the members")
        return self.names.index(name) + 1

    def _setting(self, purpose: Purpose) -> Setting:
        n = len(self.names)
        if purpose.kind == "key":
            return (dkg.gjkr if self.hiding else dkg.joint_feldman)(purpose.session, self.t, n)
        if self.sharing is None:
            raise Refused(self.name, "it knows of no sharing")
        if purpose.kind == "refresh":
            return refresh.setting(self.sharing, purpose.session, self.hiding)
        helpers = [index for index in range(1, n + 1) if index != purpose.lost]
        return recovery.setting(self.sharing, purpose.session, purpose.lost, helpers, self.hiding)


def _by_dealer(shares: Iterable[SubShare]) -> dict[int, SubShare]:
    """The first share of each dealer."""
    found: dict[int, SubShare] = {}
    for share in shares:
        found.setdefault(share.dealer, share)
    return found


def _speaker(fact: Spoken) -> int:
    match fact:
        case Commitments():
            return fact.dealer
        case Complaint():
            return fact.accuser
        case _:
            return fact.by


def hold_run(wire: Wire, names: Sequence[str], purpose: Purpose) -> None:
    """All rounds of one run, each member in turn. A member that fails does not stop the others."""
    for round_ in ROUNDS:
        for name in names:
            member = wire.parties[name]
            assert isinstance(member, Member)  # noqa: S101 (the caller's names are of members)
            try:
                with crypto.acting(name):
                    getattr(member, round_)(wire, purpose)
            except EscrowError as error:
                wire.complain(name, error)

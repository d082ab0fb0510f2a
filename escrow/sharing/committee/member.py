"""A committee runs `sharing.dkg` over the wire: to make a key, to refresh its shares, to recover a lost one.

  open      P_i → all: a fresh transport key for this run, and which sharing it knows
  deal      P_i → all: commitments;  P_i → P_j: Seal(pk_j, s_ij)        complain, rebut, settle: sharing.dkg
  reveal    P_i → all: A_ik                                             object, pool: sharing.extraction
  close     x_i of epoch 0, or of the next epoch, or v_i to whose share is lost; then everything else is erased

What a member says to all is broadcast as in `sharing.broadcast`: t hops a round. Whoever missed an epoch learns of it
from t members at the next opening, drops the share of the old one and is one whose share is lost. The keys under which
members speak are replaced with the shares, since whoever steals them one after another could else speak for all in the
end. Silent, late and malformed are alike. A verdict is an alarm that names its culprit. `sharing.clock` holds a run.
Sources: those modules'.
"""

from __future__ import annotations

from collections.abc import Iterable

from escrow.codec import Packet, Public
from escrow.crypto import new_private, new_signing_key
from escrow.errors import EscrowError, Refused
from escrow.principal import Principal
from escrow.sharing.blame import Blame, Blamed
from escrow.sharing.committee.broadcast import Board, MemberKey, NextKey, Spoken, Statement
from escrow.sharing.committee.rounds import (
    Dealing,
    Lending,
    MemberRun,
    Opening,
    Purpose,
    Told,
    open_share,
    open_value,
    seal_share,
    seal_value,
)
from escrow.sharing.dkg import extraction, gjkr, result
from escrow.sharing.dkg.gjkr import Complaint, PublicShare, Setting, SubShare
from escrow.sharing.dkg.result import Outcome
from escrow.sharing.epochs import EpochShare, Sharing, share_fits
from escrow.sharing.proactive import recovery, refresh
from escrow.sharing.proactive.recovery import Blinded
from escrow.sharing.proactive.refresh import Renewal
from escrow.wire import Wire


class Member(Principal):
    """Number `index`, from 1, of `names`, whose public keys are `roster`; t are needed. `hiding`: GJKR, else Feldman.

    `outcome` and `renewal` are public: how the present sharing came about.
    """

    index: int
    names: tuple[str, ...]
    roster: tuple[Public, ...]
    t: int
    hiding: bool
    key: MemberKey
    next_key: MemberKey | None = None
    sharing: Sharing | None = None
    outcome: Outcome | None = None
    renewal: Renewal | None = None
    run: MemberRun | None = None

    def own_share(self) -> EpochShare | None:
        """The share that this member holds now."""
        raise NotImplementedError(f"{type(self).__name__} holds no shares")

    def hold(self, sharing: Sharing, share: EpochShare | None) -> None:
        """From now on this sharing holds, and this member has this share of it; what it held before is gone."""
        raise NotImplementedError(f"{type(self).__name__} holds no shares")

    # --- the rounds, in order ---

    def begin(self, purpose: Purpose) -> None:
        """A fresh transport key, for this run only: a later theft opens no recorded deal."""
        self.run = MemberRun(purpose, new_private(), Board(purpose.session))

    def turn(self, wire: Wire, round_: str, hop: int) -> None:
        """All go on to the next round or hop at once. Who said two things in the last is blamed."""
        if self.run is not None:
            twice = self.run.board.turn(round_, hop)
            self.blame(wire, (Blame(each, "it said two different things to all") for each in twice))
            if (round_, hop) == ("deal", 0):
                self._catch_up(self.run)

    def act(self, wire: Wire) -> None:
        """Do what this round asks for, or in a later hop tell what was heard."""
        if (run := self.run) is None:
            return
        try:
            getattr(self, run.board.round if not run.board.hop else "relay")(wire, run)
        except Blamed as error:
            self.blame(wire, error.blames)
            raise

    def open(self, wire: Wire, run: MemberRun) -> None:
        run.transports[self.name] = run.transport.public
        known = None if self.sharing is None else (self.sharing, self.roster)
        self._to_all(wire, Opening(run.purpose.session, run.transport.public, known))

    def _catch_up(self, run: MemberRun) -> None:
        """Of fewer than t members all could be liars; what t say of the key that it always was, holds."""
        told = list(run.known.values())
        agreed = [each for each in told if told.count(each) >= self.t]
        sharing, roster = max(agreed, key=lambda each: each[0].epoch, default=(None, self.roster))
        if sharing is None or (sharing, roster) == (self.sharing, self.roster):
            return
        if self.sharing is None or (sharing.key == self.sharing.key and sharing.epoch >= self.sharing.epoch):
            self.hold(sharing, None)
            self._speak_as(roster)

    def _speak_as(self, roster: tuple[bytes, ...]) -> None:
        """These are the members' keys from now on; one's own old key is gone."""
        self.roster = roster
        if self.next_key is not None and self.next_key.public == roster[self.index - 1]:
            self.key = self.next_key
        self.next_key = None

    def deal(self, wire: Wire, run: MemberRun) -> None:
        """Choose polynomials, commit, hand out the sub-shares; in a refresh, choose a key to speak under as well."""
        setting = self._setting(run)
        if self.index not in setting.members:
            return
        run.polynomials, commitments, shares = gjkr.deal(setting, self.index)
        if run.purpose.kind == "refresh":
            self.next_key = new_signing_key(MemberKey)
            self.say(wire, run, commitments, NextKey(self.index, self.next_key.public))
        else:
            self.say(wire, run, commitments)
        for share in shares:
            self.hand(wire, run, share)

    def hand(self, wire: Wire, run: MemberRun, share: SubShare) -> None:
        """A sub-share to whom it is for."""
        if share.member == self.index:
            run.received.append(share)
        elif (to := run.transports.get(self.names[share.member - 1])) is not None:
            self._tell(wire, share.member, Dealing(share.session, seal_share(to, share)))

    def complain(self, wire: Wire, run: MemberRun) -> None:
        setting = self._setting(run)
        if self.index in setting.members:
            self.say(wire, run, *gjkr.complaints(setting, self.index, run.board.by_dealer("deal"), run.dealt))

    def rebut(self, wire: Wire, run: MemberRun) -> None:
        if run.polynomials is not None:
            complaints = run.board.of("complain", Complaint)
            self.say(wire, run, *gjkr.answers(self._setting(run), run.polynomials, complaints))

    def settle(self, wire: Wire, run: MemberRun) -> None:
        """QUAL is fixed, and with it the secret."""
        setting, dealt, answers = self._setting(run), run.board.by_dealer("deal"), run.board.of("rebut", PublicShare)
        run.qualified, blames = gjkr.qualify(setting, dealt, run.board.of("complain", Complaint), answers)
        self.blame(wire, blames)
        if self.index in setting.members:
            run.settled = list(gjkr.settle(setting, self.index, run.qualified, dealt, run.dealt, answers).values())

    def reveal(self, wire: Wire, run: MemberRun) -> None:
        if self.hiding and run.polynomials is not None and self.index in run.qualified:
            self.say(wire, run, extraction.reveal(self._setting(run), run.polynomials))

    def object(self, wire: Wire, run: MemberRun) -> None:
        if self.hiding:
            revealed = run.board.by_dealer("reveal")
            self.say(wire, run, *extraction.evidence(self._setting(run), self.index, revealed, run.own))

    def pool(self, wire: Wire, run: MemberRun) -> None:
        if self.hiding:
            setting, board = self._setting(run), run.board
            said = board.by_dealer("deal"), board.by_dealer("reveal"), board.of("object", PublicShare)
            run.exposed, blames = extraction.exposed(setting, run.qualified, *said)
            self.blame(wire, blames)
            if run.settled:
                self.say(wire, run, *extraction.opened(setting, self.index, run.exposed, run.own))

    def close(self, wire: Wire, run: MemberRun) -> None:
        """What the run was for; whatever happens, its secrets are erased."""
        if run.purpose.lost == self.index:
            return
        try:
            made = self.concluded(wire, run)
            if run.purpose.kind == "recovery":
                self._lend(wire, run, made)
            else:
                self._hold(run, made)
        finally:
            self.erase()

    def restore(self, wire: Wire, run: MemberRun) -> None:
        """Whoever lost its share takes it from the values that were lent."""
        try:
            sharing = self._known()
            told = recovery.recovery(sharing, self.concluded(wire, run), self.index)
            wrong = [value for value in run.lent if not recovery.value_fits(sharing, told, value)]
            self.blame(wire, (Blame(value.index, "it lent a value that does not fit") for value in wrong))
            self.hold(sharing, recovery.recover(sharing, told, tuple(each for each in run.lent if each not in wrong)))
        finally:
            self.erase()

    def erase(self) -> None:
        """Nothing of the run stays: a refresh whose pieces are kept is none."""
        self.run = None

    # --- how a run ends ---

    def concluded(self, wire: Wire, run: MemberRun) -> Outcome:
        """What the run made, of what was said to all. Blamed where too few open an exposed dealer's shares."""
        setting, board = self._setting(run), run.board
        revealed = board.by_dealer("reveal" if self.hiding else "deal")
        for dealer in run.exposed:
            pooled = board.of("pool", PublicShare)
            revealed[dealer], blames = extraction.rebuild(setting, dealer, board.by_dealer("deal")[dealer], pooled)
            self.blame(wire, blames)
        return result.conclude(setting, run.qualified, revealed)

    def _hold(self, run: MemberRun, made: Outcome) -> None:
        """The first sharing, or the next one. Whoever has no share that fits has lost it."""
        old, self.outcome = self.own_share(), made
        share: EpochShare | None = None
        if run.purpose.kind == "key":
            sharing = result.first_sharing(made)
            share = result.first_share(made, run.sum) if run.settled else None
        else:
            sharing, self.renewal = refresh.renewed(self._known(), made)
            spoken = {each.by: each.public for each in run.board.of("deal", NextKey)}
            self._speak_as(tuple(spoken.get(by, key) for by, key in enumerate(self.roster, 1)))
            share = refresh.renew(old, self.renewal, run.sum) if old is not None and run.settled else None
        self.hold(sharing, share if share is not None and share_fits(sharing, share) else None)

    def _lend(self, wire: Wire, run: MemberRun, made: Outcome) -> None:
        share, lost = self.own_share(), run.purpose.lost
        to = run.transports.get(self.names[lost - 1])
        if share is not None and run.settled and to is not None:
            told = recovery.recovery(self._known(), made, lost)
            value = self.lend(recovery.blind(share, told, run.sum))
            self._tell(wire, lost, Lending(told, made, seal_value(to, value)))

    def lend(self, value: Blinded) -> Blinded:
        """What this member lends."""
        return value

    # --- on the wire ---

    def say(self, wire: Wire, run: MemberRun, *facts: Spoken) -> None:
        """The same to all, oneself included."""
        if facts:
            said = Statement(run.purpose.session, run.board.round, self.index, facts).signed(self.index, self.key)
            run.board.hear(said, self.roster)
            self._to_all(wire, Told((said,)))

    def relay(self, wire: Wire, run: MemberRun) -> None:
        """What was heard in the last hop, to all, under one's own signature too."""
        if others := [each for each in run.board.to_relay() if each.by != self.index]:
            self._to_all(wire, Told(tuple(each.signed(self.index, self.key) for each in others)))

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
        if packet.known is not None:
            run.known.setdefault(sender, packet.known)

    def on_dealing(self, sender: str, packet: Dealing, wire: Wire) -> None:
        run = self._running(packet.session)
        share = open_share(packet.share, run.transport)
        mine = (share.dealer, share.member) == (self._number(sender), self.index)
        self.insist(mine, f"{sender} deals a share of its own to me")
        if share.dealer not in run.dealt:
            run.received.append(share)

    def on_told(self, sender: str, packet: Told, wire: Wire) -> None:
        run, _ = self._running(None), self._number(sender)
        heard = [(each.by, run.board.hear(each, self.roster)) for each in packet.statements]
        for by, fault in heard:
            self.insist(not fault, f"{sender} tells a statement of member {by}: {fault}")

    def on_lending(self, sender: str, packet: Lending, wire: Wire) -> None:
        run = self._running(packet.recovery.session)
        value = open_value(packet.value, run.transport)
        self.insist(value.index == self._number(sender), f"{sender} lends a value of its own")
        if value.index not in {each.index for each in run.lent}:
            run.lent.append(value)

    # --- what is known ---

    def _running(self, session: bytes | None) -> MemberRun:
        if self.run is None or session not in (None, self.run.purpose.session):
            raise Refused(self.name, "there is no such run")
        return self.run

    def _number(self, name: str) -> int:
        if name not in self.names:
            raise Refused(self.name, f"{name} is not a member of this run")
        return self.names.index(name) + 1

    def _known(self) -> Sharing:
        if self.sharing is None:
            raise Refused(self.name, "it knows of no sharing")
        return self.sharing

    def _setting(self, run: MemberRun) -> Setting:
        return run.purpose.setting(self.t, len(self.names), self.hiding, self.sharing)

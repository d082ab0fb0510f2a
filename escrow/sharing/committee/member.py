"""A committee runs `sharing.dkg` over the wire: to make a key, to refresh its shares, to recover a lost one.

  open      P_i → all: a fresh transport key for this run, and which sharing it knows
  deal      P_i → all: commitments;  P_i → P_j: Seal(pk_j, s_ij)        complain, rebut, settle: sharing.dkg
  reveal    P_i → all: A_ik                                             object, pool: sharing.extraction
  close     x_i of epoch 0, or of the next epoch, or v_i to the member that lost its share; then all else is erased

A member broadcasts as in `committee.broadcast`: t hops a round. A member that missed an epoch learns of it from t
members at the next opening, drops its old share, and counts as one that lost its share. The members' signing keys are
replaced together with the shares; otherwise a thief that takes them one after another could in the end sign for all.
Silent, late and malformed members are treated alike. A verdict is an alarm that names its culprit. `committee.clock`
holds a run. Sources: see those modules.
"""

from __future__ import annotations

from escrow.crypto import new_private, new_signing_key
from escrow.sharing.blame import Blame, Blamed
from escrow.sharing.committee.broadcast import Board, MemberKey, NextKey
from escrow.sharing.committee.rounds import (
    Dealing,
    Lending,
    MemberRun,
    Opening,
    Purpose,
    seal_share,
    seal_value,
)
from escrow.sharing.committee.speaking import Speaker
from escrow.sharing.dkg import extraction, gjkr, result
from escrow.sharing.dkg.gjkr import Complaint, PublicShare, SubShare
from escrow.sharing.dkg.result import Outcome
from escrow.sharing.epochs import EpochShare, Sharing, share_fits
from escrow.sharing.proactive import recovery, refresh
from escrow.sharing.proactive.recovery import Blinded
from escrow.wire import Wire


class Member(Speaker):
    """A member that takes part in every round. A subclass says where its share is kept."""

    def own_share(self) -> EpochShare | None:
        """Return the share that this member holds now, or None."""
        raise NotImplementedError(f"{type(self).__name__} holds no shares")

    def hold(self, sharing: Sharing, share: EpochShare | None) -> None:
        """Replace the sharing, and this member's share of it; the earlier ones are forgotten."""
        raise NotImplementedError(f"{type(self).__name__} holds no shares")

    # --- the rounds, in order ---

    def begin(self, purpose: Purpose) -> None:
        """Make a fresh transport key, for this run only: a later theft opens no recorded deal."""
        self.run = MemberRun(purpose, new_private(), Board(purpose.session))

    def turn(self, wire: Wire, round_: str, hop: int) -> None:
        """Go on to the next round or hop, at once with all members.

        Blame the members that said two things in the last.
        """
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
        """Tell all the transport key, and the sharing that this member knows."""
        run.transports[self.name] = run.transport.public
        known = None if self.sharing is None else (self.sharing, self.roster)
        self._to_all(wire, Opening(run.purpose.session, run.transport.public, known))

    def _catch_up(self, run: MemberRun) -> None:
        """Take over the newest sharing that t members know. Fewer than t could all be liars."""
        n = len(self.names)
        told = [each for each in run.known.values() if (each[0].t, each[0].n, len(each[1])) == (self.t, n, n)]
        agreed = [each for each in told if told.count(each) >= self.t]
        sharing, roster = max(agreed, key=lambda each: each[0].epoch, default=(None, self.roster))
        if sharing is None or (sharing, roster) == (self.sharing, self.roster):
            return
        if self.sharing is None or (sharing.key == self.sharing.key and sharing.epoch >= self.sharing.epoch):
            self.hold(sharing, None)
            self._speak_as(roster)

    def deal(self, wire: Wire, run: MemberRun) -> None:
        """Choose polynomials, commit, hand out the sub-shares; in a refresh, choose a new signing key as well."""
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
        """Send a sub-share to its member, sealed to the member's transport key."""
        if share.member == self.index:
            run.received.append(share)
        elif (sealed := self._sealed(wire, run, share.member, seal_share, share)) is not None:
            self._tell(wire, share.member, Dealing(share.session, sealed))

    def complain(self, wire: Wire, run: MemberRun) -> None:
        """Complain of each dealer whose sub-share is missing or does not fit."""
        setting = self._setting(run)
        if self.index in setting.members:
            self.say(wire, run, *gjkr.complaints(setting, self.index, run.board.by_dealer("deal"), run.dealt))

    def rebut(self, wire: Wire, run: MemberRun) -> None:
        """Answer the complaints about this dealer with the sub-shares, in the open."""
        if run.polynomials is not None:
            complaints = run.board.of("complain", Complaint)
            self._blame_copies(wire, run, {each.accuser for each in complaints if each.dealer == self.index})
            self.say(wire, run, *gjkr.answers(self._setting(run), run.polynomials, complaints))

    def settle(self, wire: Wire, run: MemberRun) -> None:
        """Fix QUAL, and with it the secret; blame the dealers that are out. Too small a QUAL ends the run."""
        setting, dealt, answers = self._setting(run), run.board.by_dealer("deal"), run.board.of("rebut", PublicShare)
        try:
            run.qualified, blames = gjkr.qualify(setting, dealt, run.board.of("complain", Complaint), answers)
        except Blamed:
            self.erase()
            raise
        self.blame(wire, blames)
        if self.index in setting.members:
            run.settled = list(gjkr.settle(setting, self.index, run.qualified, dealt, run.dealt, answers).values())

    def reveal(self, wire: Wire, run: MemberRun) -> None:
        """Broadcast the Feldman commitments A_ik (GJKR only)."""
        if self.hiding and run.polynomials is not None and self.index in run.qualified:
            self.say(wire, run, extraction.reveal(self._setting(run), run.polynomials))

    def object(self, wire: Wire, run: MemberRun) -> None:
        """Broadcast the pairs that convict a dealer whose A_ik do not fit (GJKR only)."""
        if self.hiding:
            revealed = run.board.by_dealer("reveal")
            self.say(wire, run, *extraction.evidence(self._setting(run), self.index, revealed, run.own))

    def pool(self, wire: Wire, run: MemberRun) -> None:
        """Broadcast this member's sub-shares of the exposed dealers, and blame those (GJKR only)."""
        if self.hiding:
            setting, board = self._setting(run), run.board
            said = board.by_dealer("deal"), board.by_dealer("reveal"), board.of("object", PublicShare)
            run.exposed, blames = extraction.exposed(setting, run.qualified, *said)
            self.blame(wire, blames)
            if run.settled:
                self.say(wire, run, *extraction.opened(setting, self.index, run.exposed, run.own))

    def close(self, wire: Wire, run: MemberRun) -> None:
        """Finish the run: hold the new share, or lend a value. In any case its secrets are erased."""
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
        """Recover the lost share from the values that were lent, and blame the lenders of wrong ones."""
        try:
            sharing = self._known()
            told = recovery.recovery(sharing, self.concluded(wire, run), self.index)
            wrong = [value for value in run.lent if not recovery.value_fits(sharing, told, value)]
            self.blame(wire, (Blame(value.index, "it lent a value that does not fit") for value in wrong))
            self.hold(sharing, recovery.recover(sharing, told, tuple(each for each in run.lent if each not in wrong)))
        finally:
            self.erase()

    def erase(self) -> None:
        """Erase the whole run: a refresh whose data is kept is no refresh."""
        self.run = None

    # --- how a run ends ---

    def concluded(self, wire: Wire, run: MemberRun) -> Outcome:
        """Return the run's public result, from broadcast data.

        Raise Blamed if too few open an exposed dealer's shares.
        """
        setting, board = self._setting(run), run.board
        revealed = board.by_dealer("reveal" if self.hiding else "deal")
        for dealer in run.exposed:
            pooled = board.of("pool", PublicShare)
            revealed[dealer], blames = extraction.rebuild(setting, dealer, board.by_dealer("deal")[dealer], pooled)
            self.blame(wire, blames)
        return result.conclude(setting, run.qualified, revealed)

    def _hold(self, run: MemberRun, made: Outcome) -> None:
        """Hold the first sharing, or the next one. A member without a share that fits has lost it."""
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
        if share is not None and run.settled:
            told = recovery.recovery(self._known(), made, lost)
            value = self.lend(recovery.blind(share, told, run.sum))
            if (sealed := self._sealed(wire, run, lost, seal_value, value)) is not None:
                self._tell(wire, lost, Lending(told, made, sealed))

    def lend(self, value: Blinded) -> Blinded:
        """Return the value that this member lends."""
        return value

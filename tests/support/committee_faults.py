"""Agents that lie in a committee's run, and a small world to try them in: agents, an authority, a wire, no users."""

from __future__ import annotations

from functools import partial
from typing import ClassVar
from unittest import mock

import msgspec

from escrow import crypto
from escrow.codec import Fact, walk
from escrow.crypto import Run as Door
from escrow.crypto import sha256
from escrow.derivation import honest_only
from escrow.errors import Unreachable
from escrow.primitives import group
from escrow.schemes.threshold import Threshold, ThresholdAgent
from escrow.sharing import epochs, pedersen, shamir
from escrow.sharing.committee.broadcast import Statement
from escrow.sharing.committee.rounds import Told
from escrow.sharing.dkg import gjkr
from escrow.sharing.dkg.gjkr import Commitments, Complaint, Polynomials, PublicShare, SubShare
from escrow.sharing.epochs import share_fits
from escrow.wire import Wire


def off(raw):
    return group.scalar_bytes(group.scalar(raw) + 1)


def changed(fact, **values):
    return msgspec.structs.replace(fact, **values)


@honest_only("a liar's dealing, in place of `gjkr.deal`")
def hollow(at, setting, dealer):
    """Deal as `gjkr.deal`, under Pedersen's commitments, a polynomial of which one coefficient is 0."""
    values, blindings = group.random_scalars(setting.t), group.random_scalars(setting.t)
    values[at] = 0
    points = (
        pedersen.P256.commit(a, b) if a else group.multiply(pedersen.H, b)
        for a, b in zip(values, blindings, strict=True)
    )
    sent = zip(setting.members, *(shamir.evaluate(each, setting.members) for each in (values, blindings)), strict=True)
    return (
        Polynomials(setting.session, dealer, *(tuple(map(group.scalar_bytes, each)) for each in (values, blindings))),
        Commitments(setting.session, dealer, tuple(points)),
        tuple(SubShare(setting.session, dealer, i, *map(group.scalar_bytes, pair)) for i, *pair in sent),
    )


class Faulty(ThresholdAgent):
    """Lies in runs of the kind `when`, and is honest else."""

    when: ClassVar[str] = "key"

    def lies(self, run):
        return run.purpose.kind == self.when

    def say(self, wire, run, *facts):
        super().say(wire, run, *(self.words(run, facts) if self.lies(run) else facts))

    def words(self, run, facts):
        """What it says in place of these facts."""
        return facts

    def spoken(self, run, *facts):
        """A statement of its own, signed."""
        return Statement(run.purpose.session, run.board.round, self.index, facts).signed(self.index, self.key)


class Answering(Faulty):
    """Deals to one member what does not fit, and answers the complaint rightly."""

    def victims(self, run):
        lost = run.purpose.lost
        return {next(i for i in range(1, len(self.names) + 1) if i not in (self.index, lost))}

    def hand(self, wire, run, share):
        if self.lies(run) and share.member in self.victims(run):
            share = changed(share, value=off(share.value))
        super().hand(wire, run, share)


class Unanswering(Answering):
    """The same, without an answer."""

    def rebut(self, wire, run):
        if not self.lies(run):
            super().rebut(wire, run)


class ToAll(Unanswering):
    """Deals to every other member what does not fit."""

    def victims(self, run):
        return set(range(1, len(self.names) + 1)) - {self.index}


class Garbled(ToAll):
    """Answers with the wrong share in the open."""

    def rebut(self, wire, run):
        ThresholdAgent.rebut(self, wire, run)

    def words(self, run, facts):
        return [changed(each, value=off(each.value)) if isinstance(each, PublicShare) else each for each in facts]


class Withholding(Answering):
    """Sends one member no share at all, and does not answer."""

    def hand(self, wire, run, share):
        if not (self.lies(run) and share.member in self.victims(run)):
            ThresholdAgent.hand(self, wire, run, share)

    def rebut(self, wire, run):
        if not self.lies(run):
            super().rebut(wire, run)


class Short(Faulty):
    """Commits to too few coefficients."""

    def words(self, run, facts):
        return [changed(each, points=each.points[:-1]) if isinstance(each, Commitments) else each for each in facts]


class Mute(Faulty):
    """Takes part, and says nothing to all."""

    def say(self, wire, run, *facts):
        if not self.lies(run):
            super().say(wire, run, *facts)


class TwoFaced(Faulty):
    """Commits to one polynomial before the first other member, and to another before the rest."""

    def say(self, wire, run, *facts):
        if not self.lies(run) or run.board.round != self.round_:
            super().say(wire, run, *facts)
            return
        other = tuple(
            changed(each, points=tuple(map(self.moved, each.points))) if isinstance(each, Commitments) else each
            for each in facts
        )
        for index in range(1, len(self.names) + 1):
            if index != self.index:
                words = other if index == next(i for i in (1, 2) if i != self.index) else facts
                self._tell(wire, index, Told((self.spoken(run, *words),)))

    round_: ClassVar[str] = "deal"

    @staticmethod
    def moved(point):
        return group.add(point, group.base(1))


class TwoFacedLater(TwoFaced):
    """Does so when the public key is extracted."""

    round_ = "reveal"


class Accusing(Faulty):
    """Complains of everybody without cause."""

    def complain(self, wire, run):
        if not self.lies(run):
            super().complain(wire, run)
            return
        others = [i for i in range(1, len(self.names) + 1) if i != self.index]
        self.say(wire, run, *(Complaint(run.purpose.session, self.index, i) for i in others))


class Pretending(Faulty):
    """Reveals the commitments of another polynomial."""

    def reveal(self, wire, run):
        if not self.lies(run):
            super().reveal(wire, run)
            return
        points = tuple(group.base(group.scalar(raw) + 1) for raw in run.polynomials.values)
        self.say(wire, run, Commitments(run.purpose.session, self.index, points))


class Vanishing(Faulty):
    """Falls silent once the secret is fixed."""

    def reveal(self, wire, run):
        if not self.lies(run):
            super().reveal(wire, run)


class Hollow(Vanishing):
    """Deals a polynomial whose highest coefficient is 0, which has no point to reveal; so it falls silent."""

    at: ClassVar[int] = -1

    def deal(self, wire, run):
        makes = partial(hollow, self.at) if self.lies(run) and self._setting(run).t > 1 else gjkr.deal
        with mock.patch.object(gjkr, "deal", makes):
            super().deal(wire, run)


class HollowKey(Hollow):
    """Deals a polynomial whose constant, its part of the key, is 0."""

    at = 0


class Murmuring(Faulty):
    """Tells its words to the last other member alone; the others hear them from that member."""

    def say(self, wire, run, *facts):
        if self.lies(run) and facts:
            said = self.spoken(run, *facts)
            run.board.hear(said, self.roster)
            self._tell(wire, max(i for i in range(1, len(self.names) + 1) if i != self.index), Told((said,)))
        else:
            super().say(wire, run, *facts)


class Objecting(Faulty):
    """Brings evidence that convicts nobody."""

    def object(self, wire, run):
        if not self.lies(run):
            super().object(wire, run)
            return
        share = next(each for each in run.settled if each.dealer != self.index)
        session = run.purpose.session
        self.say(wire, run, PublicShare(session, self.index, share.dealer, self.index, share.value, share.blinding))


class Whispering(Unanswering):
    """Answers its accuser, and nobody else."""

    def rebut(self, wire, run):
        if self.lies(run):
            ThresholdAgent.rebut(self, wire, run)
        else:
            super().rebut(wire, run)

    def say(self, wire, run, *facts):
        if self.lies(run) and run.board.round == "rebut" and facts:
            for index in self.victims(run):
                self._tell(wire, index, Told((self.spoken(run, *facts),)))
        else:
            super().say(wire, run, *facts)


class Dawdling(Unanswering):
    """Answers in the last hop, to one member, under its own signature alone."""

    def relay(self, wire, run):
        super().relay(wire, run)
        if self.lies(run) and run.board.round == "rebut" and run.board.hop == self.t - 1:
            heard = run.board.of("complain", Complaint)
            answers = gjkr.answers(self._setting(run), run.polynomials, heard)
            for index in self.victims(run):
                self._tell(wire, index, Told((self.spoken(run, *answers),)))


class Framing(Faulty):
    """Passes on other words than it heard, under the speaker's old signature; and speaks for others under its own."""

    def relay(self, wire, run):
        if not self.lies(run):
            super().relay(wire, run)
            return
        for each in run.board.to_relay():
            if each.by != self.index and any(isinstance(fact, Commitments) for fact in each.facts):
                fact = changed(each.facts[0], points=tuple(TwoFaced.moved(point) for point in each.facts[0].points))
                for false in (changed(each, facts=(fact,)), changed(each, facts=(fact,), vouched=())):
                    self._to_all(wire, Told((false.signed(self.index, self.key),)))
                self._to_all(wire, Told((self.spoken(run, fact),)))


class Lending(Faulty):
    """Lends another value than its own to whoever recovers a share."""

    when = "recovery"

    def lend(self, value):
        return changed(value, raw=off(value.raw))


class Absent(Faulty):
    """Is down while runs of the kind `when` are held."""

    down: bool = False

    def begin(self, purpose):
        self.down = purpose.kind == self.when
        if not self.down:
            super().begin(purpose)

    def answer(self, sender, request, wire):
        if self.down:
            raise Unreachable(f"{self.name} is down")
        return super().answer(sender, request, wire)


# --- a world ---


def scheme_of(liars=None, **parameters):
    """Threshold with some agents, by number, of other classes."""

    def cast(self, users, court):
        for party in Threshold.cast(self, users, court):
            kind = (liars or {}).get(getattr(party, "index", 0))
            if kind is not None:
                party = kind(**{name: getattr(party, name) for name in party.__struct_fields__})
            yield party

    namespace = {"cast": cast, "name": "threshold"}
    return type("Altered", (Threshold,), namespace, frozen=True, kw_only=True)(**parameters)


def lying(kind, when):
    """The class of liar, in runs of that kind."""
    return type(kind.__name__, (kind,), {"when": when}, tag=kind.__name__)


class World:
    """Agents and an authority; `mornings` go by after the key generation."""

    def __init__(self, liars=None, mornings=0, seed=b"", **parameters):
        self.scheme, self.liars = scheme_of(liars, **parameters), set(liars or ())
        self.door = Door(sha256(b"committee", seed))
        with crypto.running(self.door):
            self.wire = Wire(list(self.scheme.cast((), bytes(32))))
            self.scheme.setup(self.wire)
        self.pass_days(mornings)

    def pass_days(self, mornings):
        for _ in range(mornings):
            self.wire.day += 1
            with crypto.running(self.door):
                self.scheme.each_day(self.wire, self.wire.day)

    def agent(self, index):
        return self.wire.parties[f"agent-{index}"]

    @property
    def agents(self):
        return [self.agent(index) for index in range(1, self.scheme.n + 1)]

    @property
    def honest(self):
        return [agent for agent in self.agents if agent.index not in self.liars]

    @property
    def authority(self):
        return self.wire.parties["authority"]

    @property
    def sharing(self):
        """The sharing that all honest agents and the authority know."""
        known = {agent.sharing for agent in self.honest} | {self.authority.heard.present}
        assert len(known) == 1
        return known.pop()

    def pooled(self, agents=None):
        """The key, from the shares of the honest; each of them fits."""
        shares = [agent.share for agent in (agents or self.honest) if agent.share is not None]
        assert all(share_fits(self.sharing, share) for share in shares)
        return epochs.pool(self.sharing, tuple(shares))

    def blamed(self):
        """Agents that alarms of the honest name, by number."""
        alarms = [alarm for alarm in self.wire.alarms if alarm.who not in {f"agent-{i}" for i in self.liars}]
        return {int(alarm.check.split(":")[0].removeprefix("agent-")) for alarm in alarms}

    def faults(self):
        """What the honest say of it."""
        return {alarm.check for alarm in self.wire.alarms if alarm.who not in {f"agent-{i}" for i in self.liars}}

    def dealers(self):
        """QUAL of the last run of which the outcome is kept."""
        outcomes = {tuple(each.dealer for each in agent.outcome.dealings) for agent in self.honest}
        assert len(outcomes) == 1
        return outcomes.pop()

    def secrets(self):
        """Secret facts in every agent's state."""
        return {agent.name: [type(fact).__name__ for fact in walk(agent, Fact)] for agent in self.agents}

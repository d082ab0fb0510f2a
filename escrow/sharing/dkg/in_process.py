"""A whole run of `escrow.sharing.dkg` in one process: for tests, experiments, and to read the order of rounds.

A `LocalMember` is honest. To misbehave, override a round: each round is given all that was broadcast before, and a
rushing member also sees what the others broadcast in the same round, because it acts last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from escrow.errors import Forged
from escrow.sharing.blame import Blame, Blamed
from escrow.sharing.dkg import extraction, gjkr, result
from escrow.sharing.dkg.gjkr import Commitments, Complaint, Polynomials, PublicShare, Setting, SubShare
from escrow.sharing.dkg.result import Outcome, Summed


@dataclass(slots=True)
class Broadcasts:
    """All broadcasts so far, by round; `commitments` and `revealed` are by dealer."""

    commitments: dict[int, Commitments] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)
    answers: list[PublicShare] = field(default_factory=list)
    qualified: tuple[int, ...] = ()
    revealed: dict[int, Commitments] = field(default_factory=dict)
    evidence: list[PublicShare] = field(default_factory=list)
    exposed: tuple[int, ...] = ()
    pooled: list[PublicShare] = field(default_factory=list)


class LocalMember:
    """An honest member. Its state is secret, and serves one run."""

    rushing = False

    def __init__(self, setting: Setting, index: int) -> None:
        self.setting, self.index = setting, index
        self.received: dict[int, SubShare] = {}
        self.settled: dict[int, SubShare] = {}
        self.polynomials: Polynomials
        self.commitments: Commitments
        self.subshares: dict[int, SubShare]

    def deal(self, record: Broadcasts) -> None:
        """Choose the polynomials."""
        self.polynomials, self.commitments, sent = gjkr.deal(self.setting, self.index)
        self.subshares = {share.member: share for share in sent}

    def commitments_to(self, member: int) -> Commitments | None:
        """Return the broadcast commitments, as `member` gets them."""
        return self.commitments

    def share_to(self, member: int) -> SubShare | None:
        """Return the share that is sent to `member` in private."""
        return self.subshares[member]

    def complain(self, record: Broadcasts) -> Iterable[Complaint]:
        """Return a complaint for each dealer whose share is missing or does not fit."""
        return gjkr.complaints(self.setting, self.index, record.commitments, self.received)

    def answer(self, record: Broadcasts) -> Iterable[PublicShare]:
        """Return the shares of the members that complained of this dealer."""
        return gjkr.answers(self.setting, self.polynomials, record.complaints)

    def settle(self, record: Broadcasts) -> None:
        """Fix the shares of the dealers in QUAL."""
        dealt = record.commitments, self.received, record.answers
        self.settled = gjkr.settle(self.setting, self.index, record.qualified, *dealt)

    def reveal(self, record: Broadcasts) -> Commitments | None:
        """Return the Feldman commitments A_ik."""
        return extraction.reveal(self.setting, self.polynomials)

    def object(self, record: Broadcasts) -> Iterable[PublicShare]:
        """Return the pairs that convict dealers whose A_ik do not fit."""
        return extraction.evidence(self.setting, self.index, record.revealed, self.settled)

    def pool(self, record: Broadcasts) -> Iterable[PublicShare]:
        """Return this member's pairs from the exposed dealers."""
        return extraction.opened(self.setting, self.index, record.exposed, self.settled)


@dataclass(frozen=True, slots=True)
class RunResult:
    """The end of a run: the public outcome, the sum of each member that has one, the verdicts, and all broadcasts."""

    outcome: Outcome
    shares: Mapping[int, Summed]
    blames: tuple[Blame, ...]
    record: Broadcasts


def run(members: Iterable[LocalMember]) -> RunResult:
    """Hold all rounds, honest members first. Raise Blamed if a dealer equivocates, or QUAL is too small."""
    parties = sorted(members, key=lambda member: (member.rushing, member.index))
    setting, record = parties[0].setting, Broadcasts()
    _first_round(setting, parties, record)
    for member in parties:
        record.complaints.extend(member.complain(record))
    for member in parties:
        record.answers.extend(member.answer(record))
    record.qualified, blames = gjkr.qualify(setting, record.commitments, record.complaints, record.answers)
    for member in parties:
        with suppress(Forged):  # it did not complain of a share that it lacks: it has none, and the others go on
            member.settle(record)
    if setting.hiding:
        blames += _extract(setting, parties, record)
    else:
        record.revealed = record.commitments
    made = result.conclude(setting, record.qualified, record.revealed)
    settled = [member for member in parties if member.settled]
    shares = {member.index: result.summed(setting.session, member.settled.values()) for member in settled}
    return RunResult(made, shares, blames, record)


def _first_round(setting: Setting, parties: list[LocalMember], record: Broadcasts) -> None:
    """Deal; then compare what each member heard, since a broadcast is a message to each of them."""
    heard: dict[int, dict[int, Commitments]] = {member.index: {} for member in parties}
    for dealer in parties:
        dealer.deal(record)
        for member in parties:
            if (commitments := dealer.commitments_to(member.index)) is not None:
                heard[member.index][dealer.index] = commitments
            if (share := dealer.share_to(member.index)) is not None:
                member.received[dealer.index] = share
        record.commitments = heard[parties[0].index]
    echoes = [gjkr.echo(setting, index, broadcast) for index, broadcast in heard.items()]
    if blames := gjkr.equivocators(setting, echoes):
        raise Blamed("the members did not hear the same", blames)


def _extract(setting: Setting, parties: list[LocalMember], record: Broadcasts) -> tuple[Blame, ...]:
    inside = [member for member in parties if member.index in record.qualified]
    for member in inside:
        if (revealed := member.reveal(record)) is not None:
            record.revealed[member.index] = revealed
    for member in parties:
        record.evidence.extend(member.object(record))
    public = record.qualified, record.commitments, record.revealed, record.evidence
    record.exposed, blames = extraction.exposed(setting, *public)
    for member in parties:
        if member.settled:
            record.pooled.extend(member.pool(record))
    for dealer in record.exposed:
        dealing = record.commitments[dealer]
        record.revealed[dealer], wrong = extraction.rebuild(setting, dealer, dealing, record.pooled)
        blames += wrong
    return blames

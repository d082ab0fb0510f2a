"""Broadcast among members without a broadcast channel: signed statements, repeated until all hear the same.

  say     P_i → all: v, σ_i(v)                                                      hop 0
  relay   a member that hears v in hop h under h + 1 signatures or more adds its own, and tells all in hop h + 1
  read    after hop `liars`: P_i said v if v is all that it signed; if it signed two things, it said nothing

A statement under liars + 1 signatures went through an honest member, so in the end all honest members read the same,
however many lie up to `liars`. An honest member cannot be framed: only two statements signed by itself convict it.

A hop in which all n speak takes n(n − 1) packets. Fewer would not do in these rounds: a statement that a liar showed to
one member alone must reach all others from that member in the next hop. Relaying through a few members would take fewer
packets and more hops. Sub-shares are private, so a deal takes n(n − 1) packets in any case.

Source: Dolev and Strong, "Authenticated algorithms for Byzantine agreement", SIAM J. Computing 12(4), 1983. It needs
rounds that begin and end together for all; the caller that drives the run gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from escrow import codec
from escrow.codec import Fact, Public
from escrow.crypto import SigningKey, sha256, verify
from escrow.sharing.dkg.gjkr import Commitments, Complaint, PublicShare


class MemberKey(SigningKey, frozen=True, dict=True):
    """A member's Ed25519 key pair, with which it signs its broadcasts."""


class NextKey(Fact, frozen=True):
    """Broadcast by `by`: the public key (32 bytes) under which it signs from the next epoch on."""

    by: int
    public: Public


FACT = 200  # bytes of a fact at most, and of as much of the commitments as there is for each member

Spoken = Commitments | Complaint | PublicShare | NextKey
S = TypeVar("S", Commitments, Complaint, PublicShare, NextKey)


class Signed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Member `by` confirms, with a signature of 64 bytes, that it heard a statement in time."""

    by: int
    signature: Public


class Statement(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What member `by` says to all in one round of one run, and the members that confirm it."""

    session: Public
    round: str
    by: int
    facts: tuple[Spoken, ...]
    vouched: tuple[Signed, ...] = ()

    def body(self) -> bytes:
        """Return the hash that is signed (32 bytes)."""
        return sha256(b"committee statement", codec.encode((self.session, self.round, self.by, self.facts)))

    def signed(self, by: int, key: MemberKey) -> Statement:
        """Return the statement with one more signature."""
        return msgspec.structs.replace(self, vouched=(*self.vouched, Signed(by, key.sign(self.body()))))


_NOTHING: dict[str, list[Statement]] = {}


class Board(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What one member heard from all in one run; `round` and `hop` are the present ones.

    Of each member it keeps at most two statements a round: two are enough to convict it.
    """

    session: Public
    round: str = ""
    hop: int = 0
    said: dict[str, dict[str, list[Statement]]] = {}  # by round, and by the number of the member that said it
    fresh: list[Statement] = []

    def hear(self, statement: Statement, keys: Sequence[bytes]) -> str:
        """Record a statement and return "", or return why it is refused.

        `keys` are the members' public keys (32 bytes each), in order.
        """
        if (statement.session, statement.round) != (self.session, self.round):
            return "it is of another run or round"
        known = self.said.get(self.round, _NOTHING).get(str(statement.by), ())
        for each in known:
            if each.facts == statement.facts:
                return ""
        if len(known) == 2:
            return ""
        if fault := self._fault(statement, keys):
            return fault
        self.said.setdefault(self.round, {}).setdefault(str(statement.by), []).append(statement)
        self.fresh.append(statement)
        return ""

    def _fault(self, statement: Statement, keys: Sequence[bytes]) -> str:
        if len(codec.encode(statement.facts)) > FACT * (len(keys) + 1):
            return "it is longer than what any round asks for"
        if any(speaker(fact) != statement.by for fact in statement.facts):
            return "it speaks for another"
        signers = {each.by for each in statement.vouched}
        if statement.by not in signers or not signers <= set(range(1, len(keys) + 1)):
            return "whose words these are did not sign them"
        if len(statement.vouched) != len(signers) or len(signers) <= self.hop:
            return "it comes too late: too few vouch for it"
        body = statement.body()
        if not all(verify(keys[each.by - 1], each.signature, body) for each in statement.vouched):
            return "a signature does not verify"
        return ""

    def to_relay(self) -> list[Statement]:
        """Return the statements heard since the last call, for the caller to sign and tell."""
        fresh, self.fresh = self.fresh, []
        return fresh

    def turn(self, round_: str, hop: int) -> tuple[int, ...]:
        """Go on to another round or hop. Return the members that said two things in the round that ends."""
        ended = {}
        if round_ != self.round:
            ended, self.fresh = self.said.get(self.round, {}), []  # all have heard what came in the last hop
        self.round, self.hop = round_, hop
        return tuple(sorted(int(by) for by, statements in ended.items() if len(statements) > 1))

    def of(self, round_: str, kind: type[S]) -> list[S]:
        """Return what was said in a round that has ended, as far as it is of this kind."""
        once = [statements[0] for statements in self.said.get(round_, {}).values() if len(statements) == 1]
        facts = (fact for each in sorted(once, key=lambda each: each.by) for fact in each.facts)
        return [fact for fact in facts if isinstance(fact, kind)]

    def by_dealer(self, round_: str) -> dict[int, Commitments]:
        """Return the first commitments of each dealer in a round that has ended."""
        return {each.dealer: each for each in reversed(self.of(round_, Commitments))}


def speaker(fact: Spoken) -> int:
    """Return the index of the member whose statement this is."""
    match fact:
        case Commitments():
            return fact.dealer
        case Complaint():
            return fact.accuser
        case _:
            return fact.by

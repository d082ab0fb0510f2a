"""The parts of a committee's run: its purpose, its packets, their worth to a thief, and one member's view of it.

`escrow.sharing.committee.member` is the run itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import msgspec

from escrow import codec
from escrow.codec import Fact, Packet, Public
from escrow.crypto import Private, sha256
from escrow.derivation import Guard, derivation, honest_only, threshold
from escrow.errors import Forged, Malformed
from escrow.primitives import hpke
from escrow.primitives.group import scalar, scalar_bytes
from escrow.sharing import shamir
from escrow.sharing.committee.broadcast import Board, Statement
from escrow.sharing.dkg import gjkr
from escrow.sharing.dkg.gjkr import Polynomials, Setting, SubShare
from escrow.sharing.dkg.result import Outcome, Summed, share_dealt, summed
from escrow.sharing.epochs import Sharing
from escrow.sharing.parts import coefficients
from escrow.sharing.proactive import recovery, refresh
from escrow.sharing.proactive.recovery import Blinded, Recovery

F = TypeVar("F", SubShare, Blinded)
_DEAL, _LEND = b"committee deal", b"committee lend"


class Purpose(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Why a run is held: "key", "refresh", or "recovery" of the share of member `lost`. `number` keeps runs apart."""

    kind: str
    number: int
    lost: int = 0

    @property
    def session(self) -> bytes:
        """The run's identifier, 32 bytes."""
        return _session(self)

    def setting(self, t: int, n: int, hiding: bool, of: Sharing | None) -> Setting:
        """Return the parameters that the members agree on; `of` is the sharing to refresh or recover.

        Raise Forged if it is None.
        """
        if self.kind == "key":
            return (gjkr.gjkr if hiding else gjkr.joint_feldman)(self.session, t, n)
        if of is None:
            raise Forged("it knows of no sharing")
        if self.kind == "refresh":
            return refresh.setting(of, self.session, hiding)
        helpers = [index for index in range(1, n + 1) if index != self.lost]
        return recovery.setting(of, self.session, self.lost, helpers, hiding)


@lru_cache(maxsize=256)
def _session(purpose: Purpose) -> bytes:
    return sha256(b"committee", codec.encode((purpose.kind, purpose.number, purpose.lost)))


class SealedShare(Fact, frozen=True):
    """A sub-share sealed (HPKE) to a member's transport key `to` (X25519, 32 bytes)."""

    to: Public
    sealed: Public


class SealedValue(Fact, frozen=True):
    """A helper's blinded value sealed (HPKE) to the transport key `to` (32 bytes) of the member whose share is lost."""

    to: Public
    sealed: Public


@honest_only("the sender's half: the sub-share was derived before")
def seal_share(to: bytes, share: SubShare) -> SealedShare:
    """Seal a sub-share to the transport key `to` (X25519, 32 bytes). Raise Forged if that has small order."""
    return SealedShare(to, hpke.seal(to, codec.encode(share), _DEAL))


@honest_only("the sender's half: the value was derived before")
def seal_value(to: bytes, value: Blinded) -> SealedValue:
    """Seal a value to the transport key `to` (X25519, 32 bytes). Raise Forged if that has small order."""
    return SealedValue(to, hpke.seal(to, codec.encode(value), _LEND))


@derivation("dealt.to = key.public")
def open_share(dealt: SealedShare, key: Private) -> SubShare:
    """Return the sub-share. Raise Forged if it does not open. A thief of the transport key opens recorded deals."""
    return _opened(dealt, key, _DEAL, SubShare)


@derivation("lent.to = key.public")
def open_value(lent: SealedValue, key: Private) -> Blinded:
    """Return the helper's value. Raise Forged if it does not open."""
    return _opened(lent, key, _LEND, Blinded)


@derivation("polynomials.session = outcome.session")
def deal_again(polynomials: Polynomials, outcome: Guard[Outcome]) -> tuple[SubShare, ...]:
    """Return what a dealer sent to each member, from the polynomials that it did not erase."""
    return _subshares(polynomials.dealer, [scalar(raw) for raw in polynomials.values], outcome)


@threshold(
    "outcome.session = shares.session",
    t="outcome.t",
    member="shares.member",
    by="session, dealer",
    verify=share_dealt,
)
def complete_dealing(outcome: Guard[Outcome], shares: tuple[SubShare, ...]) -> tuple[SubShare, ...]:
    """Return what one dealer sent to each member, from t of these sub-shares. Raise Forged if fewer fit."""
    good = {each.member: scalar(each.value) for each in shares if share_dealt(outcome, each)}
    if len({each.dealer for each in shares}) != 1:
        raise Forged("sub-shares of no dealer, or of several")
    return _subshares(shares[0].dealer, coefficients(outcome.t, good), outcome)


def _subshares(dealer: int, polynomial: list[int], outcome: Outcome) -> tuple[SubShare, ...]:
    """Return the sub-shares without the blinding of their commitments, which no rule here needs."""
    dealt = shamir.evaluate(polynomial, outcome.members)
    sent = zip(outcome.members, map(scalar_bytes, dealt), strict=True)
    return tuple(SubShare(outcome.session, dealer, member, value, b"") for member, value in sent)


def _opened(sealed: SealedShare | SealedValue, key: Private, info: bytes, kind: type[F]) -> F:
    if sealed.to != key.public:
        raise Forged("it is sealed to another key")
    try:
        return codec.decode(hpke.open_(key, sealed.sealed, info), kind)
    except Malformed as error:
        raise Forged(str(error)) from None


class Opening(Packet, frozen=True):
    """A member's transport key (X25519, 32 bytes) for one run; and the sharing and members' keys that it knows."""

    unchecked = {
        "known": "what one member says is kept, and believed when t say the same",
    }

    session: Public
    transport: Public
    known: tuple[Sharing, tuple[Public, ...]] | None


class Dealing(Packet, frozen=True):
    """A sub-share to one member."""

    session: Public
    share: SealedShare


class Told(Packet, frozen=True):
    """Statements: a member's own, or those that it heard."""

    statements: tuple[Statement, ...]


class Lending(Packet, frozen=True):
    """A helper's value; and how it was blinded, which every listener of the run knows."""

    recovery: Recovery
    outcome: Outcome
    value: SealedValue


class MemberRun(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One run as a member sees it. All of it is erased when the run ends."""

    purpose: Purpose
    transport: Private
    board: Board
    transports: dict[str, Public] = {}
    known: dict[str, tuple[Sharing, tuple[Public, ...]]] = {}
    polynomials: Polynomials | None = None
    received: list[SubShare] = []
    qualified: tuple[int, ...] = ()
    settled: list[SubShare] = []
    exposed: tuple[int, ...] = ()
    lent: list[Blinded] = []

    @property
    def dealt(self) -> dict[int, SubShare]:
        """The sub-share from each dealer."""
        return {each.dealer: each for each in self.received}

    @property
    def own(self) -> dict[int, SubShare]:
        """The sub-shares of this member that fit, by dealer in QUAL."""
        return {each.dealer: each for each in self.settled}

    @property
    def sum(self) -> Summed:
        """This member's share of what the run made. Raises Forged if it could not settle its sub-shares."""
        if not self.settled:
            raise Forged("sub-shares are missing")
        return summed(self.purpose.session, self.settled)

"""How a user has her fair key certified: packets, the centre, and a trustee's half of it.

`escrow.schemes.fair_keys.scheme` has the protocol on one page, and its sources. Nothing here serves warrants.

  order   Begin once, deals, Submit; one certificate a user      a Submit that is refused reveals nothing: it may be
          repeated, and the commitment to B still stands         so nobody can try one B after another
  sizes   trustees, centre and readers know t and n              a trustee also knows its own number
  seals   a deal is sealed for one user                          so that nobody can repeat another's as its own
  proof   trustees sign user, commitments and the hash of B;     so the centre alone certifies no key, and no other B;
          a certificate has all approvals and opens that hash    it can leave a user out, to whom nobody then writes
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from escrow import codec, crypto
from escrow.codec import Packet, Public
from escrow.crypto import Private, SigningKey, sha256, verify
from escrow.derivation import honest_only
from escrow.errors import Refused
from escrow.primitives import group, hpke
from escrow.principal import Principal
from escrow.scheme import RequestSubject
from escrow.sharing import elgamal
from escrow.sharing.elgamal import EscrowGroup, KeyShare
from escrow.wire import Wire

_DEAL, _APPROVE, _CERTIFY, _COMMIT = b"fair-keys deal", b"fair-keys approve", b"fair-keys certify", b"fair-keys commit"
CENTRE = "centre"


class CentreKey(SigningKey, frozen=True, dict=True):
    """The key centre's Ed25519 key pair."""


class TrusteeKey(SigningKey, frozen=True, dict=True):
    """A trustee's Ed25519 key pair, with which it approves."""


class TrusteeShare(KeyShare, frozen=True, dict=True):
    """A trustee's share of one user's key, and the public key (32 bytes) of the court whose warrants it honours."""

    user: str
    court: Public


class Certificate(RequestSubject, frozen=True):
    """The centre's statement of a user's fair key, and of the shift B (scalar, 32 bytes) that went into it.

    `remark` is what else the user may have certified: nothing, or it is room for a key that no trustee holds.
    `blinding` (32 bytes) opens the centre's commitment to B. `approvals` are the signatures (64 bytes each) of all
    trustees, in their order, on what was dealt and on that commitment.
    """

    user: str
    group: EscrowGroup
    shift: Public
    remark: Public = b""
    signature: Public = b""
    blinding: Public = b""
    approvals: tuple[Public, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """The user whose key it is."""
        return (self.user,)

    @property
    def day(self) -> int:
        """Day 0: a key belongs to no day, which is the scheme's weakness."""
        return 0

    def body(self) -> bytes:
        """Return the hash that the centre signs (32 bytes)."""
        said = (self.user, self.group, self.shift, self.remark, self.blinding, self.approvals)
        return sha256(_CERTIFY, codec.encode(said))

    def approval(self) -> bytes:
        """Return the hash (32 bytes) that each trustee signed, of the key without B. Raise Forged if it is no point."""
        dealt = shifted(self.group, -int.from_bytes(self.shift, "big"))
        return approved(self.user, dealt, commitment_to(self.shift, self.blinding))

    def approved_by(self, trustees: Sequence[bytes]) -> bool:
        """Return whether all trustees (public keys, in order) approved. Raise Forged if the key is not a point."""
        body, given = self.approval(), zip(trustees, self.approvals, strict=False)
        return len(self.approvals) == len(trustees) and all(verify(*each, body) for each in given)


@honest_only("public arithmetic on commitments")
def shifted(made: EscrowGroup, shift: int) -> EscrowGroup:
    """Return the group whose key is larger by `shift`: only the constant commitment changes."""
    if not shift:
        return made
    first = group.add(made.commitments[0], group.base(shift))
    return elgamal.escrow_group(made.n, (first, *made.commitments[1:]))


def commitment_to(shift: bytes, blinding: bytes) -> bytes:
    """Return the centre's commitment to B (32 bytes)."""
    return sha256(_COMMIT, shift, blinding)


def approved(user: str, made: EscrowGroup, commitment: bytes = b"") -> bytes:
    """Return the hash that a trustee signs (32 bytes): of what was dealt, and of the centre's commitment to B."""
    return sha256(_APPROVE, user.encode(), codec.encode(made), commitment)


# --- on the wire ---


class Begin(Packet, frozen=True):
    """A user's device asks the centre to begin."""

    user: str


class Committed(Packet, frozen=True):
    """The centre's commitment to B (32 bytes), also if B is 0."""

    commitment: Public


class Deal(Packet, frozen=True):
    """A user hands a trustee its share, sealed to the trustee's transport key (X25519), and the centre's commitment."""

    unchecked = {"commitment": "the trustee only signs it; the centre certifies nothing approved under another"}

    user: str
    group: EscrowGroup
    sealed: Public
    commitment: Public = b""


class Approval(Packet, frozen=True):
    """A trustee's signature (64 bytes): it holds a share of this user's key that fits the commitments."""

    unchecked = {"signature": "a trustee may sign anew: every signature that the centre accepts says the same"}

    signature: Public


class Submit(Packet, frozen=True):
    """A user submits the commitments with every trustee's approval, and what else it would like to have certified."""

    user: str
    group: EscrowGroup
    approvals: tuple[Public, ...]
    remark: Public = b""


class Revealed(Packet, frozen=True):
    """The centre certifies, and so reveals B and what blinded its commitment."""

    certificate: Certificate


class Directory(Packet, frozen=True):
    """All certificates, after all users have registered."""

    certificates: tuple[Certificate, ...]


# --- who takes part ---


class Centre(Principal):
    """The key centre: commits, collects approvals, certifies. It learns no key.

    `trustees` are their public keys; `t` of them are needed. `pending` has B (32 bytes; 0 without failsafe) and what
    blinds its commitment, for each user who has begun.
    """

    key: CentreKey
    trustees: tuple[Public, ...]
    t: int
    failsafe: bool
    accounts: dict[str, str]
    pending: dict[str, tuple[Public, Public]] = {}
    certified: list[Certificate] = []

    def on_begin(self, sender: str, packet: Begin, wire: Wire) -> Committed:
        """Commit to B for a user, once. Refuse a device that the user did not link."""
        self.insist(self.accounts.get(sender) == packet.user, "a user registers herself")
        self.insist(packet.user not in self.pending, "a user begins once")
        self._insist_on_first(packet.user)
        shift = group.scalar_bytes(group.random_scalar()) if self.failsafe else bytes(32)
        blinding = crypto.random_bytes(32)
        self.pending[packet.user] = (shift, blinding)
        return Committed(commitment_to(shift, blinding))

    def on_submit(self, sender: str, packet: Submit, wire: Wire) -> Revealed:
        """Certify the key that all trustees approved, and reveal B. Refuse a user who did not begin, or has one."""
        self.insist(self.accounts.get(sender) == packet.user, "a user registers herself")
        self._insist_on_first(packet.user)
        self.insist(packet.user in self.pending, "a user begins, and then submits")
        self.insist((packet.group.t, packet.group.n) == (self.t, len(self.trustees)), "the key is of t of n trustees")
        self.insist(self.takes(packet.remark), "a certificate has no room for what a user chooses")
        shift, blinding = self.pending.get(packet.user, (bytes(32), b""))
        body = approved(packet.user, packet.group, commitment_to(shift, blinding))
        self.insist(len(packet.approvals) == len(self.trustees), "every trustee approved")
        for number, (trustee, approval) in enumerate(zip(self.trustees, packet.approvals, strict=False), 1):
            self.insist(verify(trustee, approval, body), f"approval of trustee {number}")
        self.pending.pop(packet.user, None)
        made = shifted(packet.group, int.from_bytes(shift, "big"))
        blank = Certificate(packet.user, made, shift, packet.remark, b"", blinding, packet.approvals)
        certificate = msgspec.structs.replace(blank, signature=self.key.sign(blank.body()))
        self.certified.append(certificate)
        return Revealed(certificate)

    def _insist_on_first(self, user: str) -> None:
        self.insist(all(each.user != user for each in self.certified), "one certificate a user")

    def takes(self, remark: bytes) -> bool:
        """Return whether the centre certifies this remark."""
        return not remark


class Holder(Principal):
    """A trustee's part in registration: it holds one share a user. `accounts` maps each device to its owner.

    It is number `index`, from 1, of `n`; `t` are needed. `transport` is used until the directory is published.
    """

    court: Public
    centre: Public
    key: TrusteeKey
    transport: Private | None
    accounts: dict[str, str]
    index: int
    t: int
    n: int
    shares: list[TrusteeShare] = []

    def _transport(self) -> Private:
        if self.transport is None:
            raise Refused(self.name, "registration is closed")
        return self.transport

    def transport_key(self) -> bytes:
        """Return the public key (32 bytes) under which shares are sealed. Raise Refused after registration."""
        return self._transport().public

    def on_deal(self, sender: str, packet: Deal, wire: Wire) -> Approval:
        """Keep this trustee's share of a user's t-of-n key, and approve the key.

        Refuse a second deal of one user, or of one key: two users with one key would be read under no warrant.
        """
        transport = self._transport()
        self.insist(self.accounts.get(sender) == packet.user, "a user registers herself")
        self.insist((packet.group.t, packet.group.n) == (self.t, self.n), "the key is of t of n trustees")
        share = codec.decode(hpke.open_(transport, packet.sealed, _deal_of(packet.user)), KeyShare)
        self.insist(share.index == self.index, "share is this trustee's")
        self.insist(elgamal.share_fits(packet.group, share), "share fits the user's commitments")
        self.insist(all(each.user != packet.user for each in self.shares), "one deal a user")
        self.insist(all(each.group != packet.group.name for each in self.shares), "a key has one user")
        self.shares.append(TrusteeShare(share.group, share.index, share.raw, packet.user, self.court))
        return Approval(self.key.sign(approved(packet.user, packet.group, packet.commitment)))

    def on_directory(self, sender: str, packet: Directory, wire: Wire) -> None:
        """Add the certified B to each share, and end registration. Refuse another directory after that.

        Complain of a key that was dealt and has no certificate: its user did not submit it, or the centre left it out.
        """
        self.insist(sender == CENTRE, "the centre publishes the directory")
        certified = {each.user: each for each in packet.certificates}
        self.insist(len(certified) == len(packet.certificates), "one certificate a user")
        moved = [self._moved(share, certified.get(share.user)) for share in self.shares]
        self.insist(self.transport is not None or moved == self.shares, "registration is closed")
        if self.transport is not None:
            for share in self.shares:
                if share.user not in certified:
                    wire.alarm(self.name, f"no certificate of the key that {share.user} dealt: it opens nothing")
        self.shares, self.transport = moved, None

    @honest_only("no state of any evening holds a share that is not moved")
    def _moved(self, share: TrusteeShare, found: Certificate | None) -> TrusteeShare:
        """Return the share with the certified B added."""
        if found is None:
            return share
        self.insist(verify(self.centre, found.signature, found.body()), "centre's signature")
        body = found.approval()
        mine = any(verify(self.key.public, each, body) for each in found.approvals)
        self.insist(mine, "the certified key is the one dealt")
        if found.group.name == share.group:
            return share  # nothing to add, or added before
        raw = group.scalar_bytes(group.combination((group.scalar(share.raw), group.scalar(found.shift)), (1, 1)))
        return TrusteeShare(found.group.name, share.index, raw, share.user, self.court)


Choice = Callable[[], tuple[list[int], tuple[bytes, ...]]]  # shares of A, one a trustee, and the commitments


def register(
    wire: Wire,
    user: str,
    device: Principal,
    trustees: Sequence[tuple[str, bytes]],
    choose: Choice,
    submit: Callable[[Submit], Revealed],
) -> Certificate:
    """Split a user's key among trustees (name, transport key), and return the certificate.

    Raises:
        Refused: a trustee or the centre refuses, or the device does because the certified key is not its own and
            the centre's.
    """
    commitment = wire.ask(device.name, CENTRE, Begin(user), Committed).commitment
    shares, commitments = choose()
    made = elgamal.escrow_group(len(trustees), commitments)
    approvals = []
    for index, (share, (name, transport)) in enumerate(zip(shares, trustees, strict=True), 1):
        part = codec.encode(KeyShare(made.name, index, group.scalar_bytes(share)))
        sealed = hpke.seal(transport, part, _deal_of(user))
        approvals.append(wire.ask(device.name, name, Deal(user, made, sealed, commitment), Approval).signature)
    told = submit(Submit(user, made, tuple(approvals))).certificate
    device.insist(commitment_to(told.shift, told.blinding) == commitment, "the centre's commitment opens")
    certified = (user, shifted(made, int.from_bytes(told.shift, "big")), tuple(approvals))
    device.insist((told.user, told.group, told.approvals) == certified, "the certified key is the one dealt")
    return told


def _deal_of(user: str) -> bytes:
    return _DEAL + user.encode()


class DirectoryReader(Protocol):
    """What keeps the certificates: a device, or the authority."""

    centre: Public
    t: int
    trustees: tuple[Public, ...]
    certificates: dict[str, Certificate]

    def insist(self, condition: bool, reason: str) -> None:
        """Raise Refused if the condition fails."""
        ...


def certificates(reader: DirectoryReader, sender: str, told: Directory) -> dict[str, Certificate]:
    """Return the directory's certificates by user.

    The reader raises Refused unless the centre sent it and signed each, each user has one of t of n trustees, all of
    these approved it, and those that the reader knows are in it unchanged.
    """
    reader.insist(sender == CENTRE, "the centre publishes the directory")
    for each in told.certificates:
        reader.insist(verify(reader.centre, each.signature, each.body()), "centre's signature")
        reader.insist((each.group.t, each.group.n) == (reader.t, len(reader.trustees)), "the key is of t of n trustees")
        reader.insist(each.approved_by(reader.trustees), "every trustee approved the certified key")
    found = {each.user: each for each in told.certificates}
    reader.insist(len(found) == len(told.certificates), "one certificate a user")
    same = all(found.get(user) == known for user, known in reader.certificates.items())
    reader.insist(same, "a certificate that is known does not change")
    return found

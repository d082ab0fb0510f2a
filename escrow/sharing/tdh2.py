"""TDH2: threshold decryption in which a requester cannot move a ciphertext to another label; shares are of an epoch.

  encrypt   c = m ⊕ H1([r]h), u = [r]G, ū = [r]Ḡ;  w = [s]G, w̄ = [s]Ḡ, e = H2(h, c, L, u, w, ū, w̄), f = s + re
  check     w = [f]G − [e]u,  w̄ = [f]Ḡ − [e]ū  give the same e: everybody, and always before x_i is used
  partial   u_i = [x_i]u;  proof that log_u u_i = log_G h_i:  e_i = H4(ctx, h_i, u, u_i, ĥ_i, û_i), f_i = s_i + x_i e_i
  combine   m = c ⊕ H1(Σ λ_i u_i)  over any t proven partials of one epoch

m and L are 32 bytes. The label ties a ciphertext to a purpose: an agent compares L with its warrant before it answers.
The check is a promise of the agent, not mathematics: `partial` works without it, for a thief too, and `answer` is what
an honest agent calls. Differences from the paper: h is hashed by H2, and H4 hashes ctx (all of the ciphertext), h_i, u
and u_i, where the paper hashes û_i and ĥ_i with u_i only.

Source: Shoup, Gennaro, "Securing threshold cryptosystems against chosen ciphertext attack", J. Cryptology 15(2), 2002
(EUROCRYPT '98), TDH2. t shares are needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from escrow.codec import Fact, Public
from escrow.crypto import sha256, xor_bytes
from escrow.derivation import Guard, derivation, honest_only, threshold
from escrow.errors import Forged, Malformed
from escrow.primitives import group
from escrow.primitives.group import POINT, SCALAR, scalar, scalar_bytes
from escrow.primitives.hash_to_curve import hash_to_curve
from escrow.sharing.blame import Blame
from escrow.sharing.epochs import EpochShare, Sharing, WholeKey, misplaced, pool
from escrow.sharing.parts import UNPROVEN, choose, is_proven, mark_proven, whole_point

MESSAGE = LABEL = 32
CIPHERTEXT = MESSAGE + LABEL + 2 * POINT + 2 * SCALAR  # 194 bytes
PARTIAL = POINT + 2 * SCALAR  # 97 bytes: u_i, e_i, f_i

G_BAR = hash_to_curve(b"second generator of TDH2", b"escrow-lab-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_")


class TdhCiphertext(Fact, frozen=True, dict=True):
    """c and L (32 bytes each), u and ū (33 each), e ‖ f (64), towards the holders of `key` (h, 33 bytes)."""

    key: Public
    masked: Public
    label: Public
    u: Public
    u_bar: Public
    proof: Public

    @property
    def wire(self) -> bytes:
        """The wire form c ‖ L ‖ u ‖ ū ‖ e ‖ f, 194 bytes: all fields but the key."""
        return b"".join((self.masked, self.label, self.u, self.u_bar, self.proof))

    @cached_property
    def context(self) -> bytes:
        """The hash (32 bytes) to which a partial's proof is bound: all of the ciphertext and its key."""
        return sha256(b"escrow-lab TDH2", self.key, self.masked, self.label, self.u, self.u_bar, self.proof)

    @cached_property
    def proven(self) -> bool:
        """Whether the maker of c and L proved that it knows r: the check before x_i is used."""
        return _check(self)


class TdhPartial(Fact, frozen=True, dict=True):
    """Member i's part u_i = [x_i]u (33 bytes; t of one epoch give the point) and its proof e_i ‖ f_i (64 bytes)."""

    key: Public
    epoch: int
    index: int
    u: Public
    context: Public
    value: bytes
    proof: Public


class TdhPoint(Fact, frozen=True):
    """[x]u = [r]h (33 bytes) of the ciphertexts under u: secret."""

    key: Public
    u: Public
    value: bytes


class TdhMessage(Fact, frozen=True):
    """The message m (32 bytes) of a ciphertext with this label."""

    label: Public
    value: bytes


def read(key: bytes, wire: bytes) -> TdhCiphertext:
    """Return the ciphertext of 194 bytes, unchecked. Raise Malformed for another length."""
    if len(wire) != CIPHERTEXT:
        raise Malformed(f"a TDH2 ciphertext has {CIPHERTEXT} bytes")
    ends = (MESSAGE, LABEL, POINT, POINT, 2 * SCALAR)
    parts = (wire[sum(ends[:at]) : sum(ends[: at + 1])] for at in range(len(ends)))
    return TdhCiphertext(key, *parts)


def encrypt(key: bytes, message: bytes, label: bytes) -> TdhCiphertext:
    """Encrypt a message to the holders of a key.

    Args:
        key: h, 33 bytes.
        message: 32 bytes: a symmetric key.
        label: 32 bytes, which agents compare with their warrant.

    Raises:
        ValueError: message or label is not 32 bytes.
        Forged: `key` is no point.
    """
    if (len(message), len(label)) != (MESSAGE, LABEL):
        raise ValueError("TDH2 takes a message and a label of 32 bytes each")
    r, s = group.random_scalars(2)
    masked = _mask(group.multiply(key, r), message)
    u, w = group.base(r), group.base(s)
    u_bar, w_bar = group.multiply(G_BAR, r), group.multiply(G_BAR, s)
    e = group.hash_to_scalar("TDH2 H2", key, masked, label, u, w, u_bar, w_bar)
    return TdhCiphertext(
        key, masked, label, u, u_bar, scalar_bytes(e) + scalar_bytes(group.combination((s, r), (1, e)))
    )


def _mask(point: bytes, message: bytes) -> bytes:
    """Return message ⊕ H1(point)."""
    return xor_bytes(sha256(b"escrow-lab TDH2 H1", point), message)


def _check(ciphertext: TdhCiphertext) -> bool:
    if (len(ciphertext.masked), len(ciphertext.label)) != (MESSAGE, LABEL):
        return False
    try:
        e, f = scalar(ciphertext.proof[:SCALAR]), scalar(ciphertext.proof[SCALAR:])
        w = group.commitment(group.GENERATOR, f, ciphertext.u, e)
        w_bar = group.commitment(G_BAR, f, ciphertext.u_bar, e)
    except Forged:
        return False
    hashed = (ciphertext.key, ciphertext.masked, ciphertext.label, ciphertext.u, w, ciphertext.u_bar, w_bar)
    return group.hash_to_scalar("TDH2 H2", *hashed) == e


# --- by shares ---


@derivation("share.key = ciphertext.key", pool=pool, group="share.key, share.epoch, ciphertext.u")
def partial(share: EpochShare, ciphertext: TdhCiphertext) -> TdhPartial:
    """Return one member's part: the same bytes for each request, whether or not the ciphertext checks.

    Args:
        share: The member's share.
        ciphertext: What is to be opened.

    Raises:
        Forged: the ciphertext is under another key, or u is no point.
    """
    if share.key != ciphertext.key:
        raise Forged("a ciphertext under another key")
    secret, u = scalar(share.raw), ciphertext.u
    value = group.multiply(u, secret)
    proof = group.dleq_prove(secret, share.public, u, value, ciphertext.context)
    part = TdhPartial(share.key, share.epoch, share.index, u, ciphertext.context, value, proof)
    mark_proven(part, share.public)
    return part


@honest_only("its check is a promise, which a thief of the share does not keep; `partial` is the rule")
def answer(share: EpochShare, ciphertext: TdhCiphertext) -> TdhPartial:
    """Return one member's part of a ciphertext that checks. Raise Forged for one that does not."""
    if not ciphertext.proven:
        raise Forged("the ciphertext does not check")
    return partial(share, ciphertext)


def partial_fits(sharing: Sharing, part: TdhPartial) -> bool:
    """Return whether u_i is proven to be [x_i]u, for the share of this epoch and any ciphertext under u."""
    if misplaced(sharing, part):
        return False
    try:
        key = sharing.share_key(part.index)
    except Forged:
        return False
    return is_proven(part, key, lambda: group.dleq_verify(key, part.u, part.value, part.proof, part.context))


@threshold(
    "sharing.key = partials.key, sharing.epoch = partials.epoch",
    t="sharing.t",
    member="partials.index",
    by="key, epoch, u",
    verify=partial_fits,
)
def combine(sharing: Guard[Sharing], partials: tuple[TdhPartial, ...]) -> TdhPoint:
    """Return [x]u, from any t proven partials of the sharing's epoch.

    Raises:
        Forged: the partials are of several ciphertexts.
        Blamed: fewer than t fit; it names the senders of the others.
    """
    if len(points := {part.u for part in partials}) > 1:
        raise Forged("partials of several ciphertexts")

    def fault(part: TdhPartial) -> str:
        return misplaced(sharing, part) or ("" if partial_fits(sharing, part) else UNPROVEN)

    chosen = choose(sharing.t, partials, fault)
    return TdhPoint(sharing.key, points.pop(), whole_point(chosen))


@derivation("key.key = ciphertext.key")
def decapsulate(key: WholeKey, ciphertext: TdhCiphertext) -> TdhPoint:
    """Return [x]u by the whole key, whatever its epoch. Raise Forged if the ciphertext is under another key."""
    if key.key != ciphertext.key:
        raise Forged("a ciphertext under another key")
    return TdhPoint(key.key, ciphertext.u, group.multiply(ciphertext.u, scalar(key.raw)))


@derivation("ciphertext.key = point.key, ciphertext.u = point.u")
def unmask(ciphertext: TdhCiphertext, point: TdhPoint) -> TdhMessage:
    """Return the message. Raise Forged if the point belongs to another ciphertext, or the ciphertext does not check."""
    if (ciphertext.key, ciphertext.u) != (point.key, point.u) or not ciphertext.proven:
        raise Forged("the point is of another ciphertext, or the ciphertext does not check")
    return TdhMessage(ciphertext.label, _mask(point.value, ciphertext.masked))


# --- what an honest requester calls ---


def culprits(sharing: Sharing, ciphertext: TdhCiphertext, partials: Iterable[TdhPartial]) -> tuple[Blame, ...]:
    """Return a verdict for each partial that does not serve for this ciphertext and epoch.

    Right if senders were authenticated.
    """
    faults = ((part.index, _fault(sharing, ciphertext, part)) for part in partials)
    return tuple(dict.fromkeys(Blame(index, fault) for index, fault in faults if fault))


def _fault(sharing: Sharing, ciphertext: TdhCiphertext, part: TdhPartial) -> str:
    if fault := misplaced(sharing, part):
        return fault
    if (part.u, part.context) != (ciphertext.u, ciphertext.context):
        return "it is of another ciphertext"
    return "" if partial_fits(sharing, part) else UNPROVEN


@honest_only("`combine` and `unmask` are the rules")
def decrypt(sharing: Sharing, ciphertext: TdhCiphertext, partials: Iterable[TdhPartial]) -> TdhMessage:
    """Return the message, from any t partials that serve.

    Args:
        sharing: the public state of the epoch.
        ciphertext: the ciphertext, checked here.
        partials: the members' answers, in any order.

    Raises:
        Forged: the ciphertext does not check.
        Blamed: fewer than t partials serve; it names the senders of the others.
    """
    if not ciphertext.proven:
        raise Forged("the ciphertext does not check")
    chosen = choose(sharing.t, partials, lambda part: _fault(sharing, ciphertext, part))
    return unmask(ciphertext, combine(sharing, tuple(chosen.values())))

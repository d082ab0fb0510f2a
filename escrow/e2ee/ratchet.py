"""The Double Ratchet (Perrin and Marlinspike, "The Double Ratchet Algorithm", revision 1, 2016).

  root     RK', CK = HKDF(salt RK, DH(own, peer))                     once for each new ratchet key    (section 5.2)
  chain    MK = HMAC(CK, 0x01);  CK' = HMAC(CK, 0x02)                 once for each message            (section 5.2)
  message  dh ‖ pn ‖ n ‖ AES-256-GCM(MK, text; AD ‖ dh ‖ pn ‖ n)      every MK seals once, so the nonce is zero
           or, where every client commits, CTX over it            (escrow.primitives.committing; 16 bytes more)
  weak     a stolen state reads on until both sides have made a new ratchet key; skipped keys wait to be stolen

A chain is named by the ratchet key `dh` that began it, and a root key by the newest ratchet key mixed into it: exact
names are what lets an adversary join facts instead of trying pairs. Signal's deployed code uses AES-CBC with a
truncated HMAC; section 5.2 leaves the AEAD to the application. Revision 4 adds a post-quantum ratchet; this has none.
"""

from __future__ import annotations

import msgspec

from escrow.codec import Fact, Public, read_varint, varint
from escrow.crypto import TAG, Private, hkdf, hmac256_pair, new_private, open_sealed, seal
from escrow.derivation import Guard, Witness, derivation, honest_only
from escrow.errors import Forged, Malformed, Refused
from escrow.primitives import committing as ctx

MAX_SKIP = (
    1000  # message keys that one message may make a receiver derive and keep (section 2.6 leaves the number open)
)
MAX_KEPT = 2000  # skipped message keys that a session keeps; the oldest go first
_ROOT = b"WhisperRatchet"
_SHORTEST = 32 + 1 + 1 + TAG  # bytes of a message on the wire: header and tag

# gc=False: these hold bytes and numbers and each other, never a cycle, and there are a dozen for each message.


class Pair(Fact, frozen=True, dict=True):
    """Two X25519 public keys, 32 bytes each, whose shared secret the protocol uses: public bookkeeping."""

    a: Public
    b: Public

    def shared(self, value: bytes) -> Shared:
        """Return the fact that holds this pair's 32 shared bytes."""
        return Shared(self.a, self.b, value)


class Shared(Fact, frozen=True, gc=False):
    """The 32 bytes of X25519 between the holders of a and b."""

    a: Public
    b: Public
    value: bytes


class Root(Fact, frozen=True, gc=False):
    """A root key (32 bytes) of a session, once `newest` was mixed in; `newest` is the key that waits for an answer."""

    session: Public
    newest: Public
    value: bytes


class ChainKey(Fact, frozen=True, gc=False):
    """Chain key number n (32 bytes) of the chain begun by ratchet key `chain`."""

    chain: Public
    n: int
    value: bytes


class MessageKey(Fact, frozen=True, gc=False):
    """The key (32 bytes) of message n of a chain."""

    chain: Public
    n: int
    value: bytes


class Slot(Fact, frozen=True, gc=False):
    """Message number n of a chain exists, or may exist: public bookkeeping."""

    chain: Public
    n: int


class Message(Fact, frozen=True, gc=False):
    """A pairwise message: ratchet key (32 bytes), number, length of the previous chain, associated data, ciphertext.

    `committing` does not travel: all clients of a scheme seal with CTX, or none does, and the reader knows which.
    """

    chain: Public
    n: int
    pn: int
    associated: Public
    sealed: Public
    committing: bool = False


class Answers(Fact, frozen=True, gc=False):
    """In this session ratchet key `chain` is the first to answer `to`; `first` is the first message heard under it."""

    session: Public
    to: Public
    chain: Public
    first: Message


class Plaintext(Fact, frozen=True, gc=False):
    """The bytes that a message key opened: an encoded content."""

    body: bytes


# --- what every holder of the arguments can compute ---


def _agreed(own: Private, pair: Pair, peer: bytes) -> bytes:
    """Return the 32 shared bytes of `own` and `peer`, computed once for a pair whose two halves are both known.

    Diffie-Hellman gives both halves the same result. Only a closure holds both halves of one `Pair` object: it reuses
    the first result, after a check that each half's public key belongs to its private key.
    """
    known: dict[str, tuple[Private, bytes]] = pair.__dict__
    if "first" in known:
        half, value = known["first"]
        if half.public == peer and half.whole and own.whole:
            known.clear()
            return value
    value = own.exchange(peer)
    known["first"] = own, value
    return value


@derivation("pair.a = own.public")
def exchange_as_a(own: Private, pair: Guard[Pair]) -> Shared:
    """Return the X25519 result (32 bytes) of the first key's private half and the second key."""
    return pair.shared(_agreed(own, pair, pair.b))


@derivation("pair.b = own.public")
def exchange_as_b(own: Private, pair: Guard[Pair]) -> Shared:
    """Return the X25519 result (32 bytes) of the second key's private half and the first key."""
    return pair.shared(_agreed(own, pair, pair.a))


@derivation(
    "root.newest = shared.a, answers.session = root.session, answers.to = root.newest, answers.chain = shared.b"
)
def turn(root: Root, shared: Shared, answers: Witness[Answers] | None = None) -> tuple[Root, ChainKey]:
    """Take the root step (section 5.2, KDF_RK): `shared.b` answers the key that waited.

    With a witness it is verified.
    """
    value = hkdf(root.value, shared.value, _ROOT, 64)
    chain = ChainKey(shared.b, 0, value[32:])
    if answers is not None:
        _verify(chain, answers.first)
    return Root(root.session, shared.b, value[:32]), chain


@derivation("chain.chain = slot.chain, chain.n = slot.n")
def step(chain: ChainKey, slot: Guard[Slot] | None = None) -> tuple[MessageKey, ChainKey]:
    """Take the chain step (section 5.2, KDF_CK): return the key of message n, and chain key n + 1."""
    value, following = hmac256_pair(chain.value, b"\x01", b"\x02")
    return MessageKey(chain.chain, chain.n, value), ChainKey(chain.chain, chain.n + 1, following)


@derivation("message.chain = key.chain, message.n = key.n")
def open_message(message: Message, key: MessageKey) -> Plaintext:
    """Open a message (DECRYPT of section 3.1).

    Raise Forged if key, header, associated data or ciphertext do not fit.
    """
    associated = _framed(message.associated, message.chain, message.pn, message.n)
    opener = ctx.open_sealed if message.committing else open_sealed
    return Plaintext(opener(key.value, message.sealed, associated))


def _verify(chain: ChainKey, first: Message) -> None:
    if first.n - chain.n > MAX_SKIP:
        raise Forged("the first message is too many steps ahead for any receiver")
    while chain.n < first.n:
        _, chain = step(chain)
    open_message(first, step(chain)[0])


# --- the wire form ---


def header(message: Message) -> bytes:
    """Return dh (32 bytes) ‖ varint pn ‖ varint n: 34 to 42 bytes."""
    return _framed(b"", message.chain, message.pn, message.n)


def pack(message: Message) -> bytes:
    """Return the wire form of a message: header ‖ ciphertext.

    Both sides know the associated data; it does not travel.
    """
    return _framed(b"", message.chain, message.pn, message.n, message.sealed)


_VARINTS = tuple(map(varint, range(1 << 11)))  # of the numbers that most messages have


def _framed(before: bytes, dh: bytes, pn: int, n: int, after: bytes = b"") -> bytes:
    """Return a header between the bytes before and after it. Called three times for each message, so in one join."""
    try:
        return b"".join((before, dh, _VARINTS[pn], _VARINTS[n], after))
    except IndexError:
        return b"".join((before, dh, varint(pn), varint(n), after))


@honest_only("reads public bytes")
def unpack(data: bytes, associated: bytes, committing: bool = False) -> Message:
    """Return the message that `pack` packed. Raise Malformed if it is too short or a number is not canonical."""
    if len(data) < _SHORTEST:
        raise Malformed("a message is shorter than its header and tag")
    pn, n, at = data[32], data[33], 34
    if pn > 0x7F:  # a chain of 128 messages came before: a number of two bytes is read here, a longer one elsewhere
        if 0 < n < 0x80:
            pn, n, at = pn & 0x7F | n << 7, data[34], 35
        else:
            pn, at = read_varint(data, 32)
            n, at = data[at], at + 1
    if n > 0x7F:
        if 0 < (high := data[at]) < 0x80:
            n, at = n & 0x7F | high << 7, at + 1
        else:
            n, at = read_varint(data, at - 1)
    if at > 34 and len(data) < at + TAG:
        raise Malformed("a message is shorter than its header and tag")
    return Message(data[:32], n, pn, associated, data[at:], committing)


# --- a session ---


class Session(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One side of a conversation between two devices (the state variables of section 3.2).

    `id` is the initiator's ephemeral key; `associated` the 66 bytes of X3DH; `own` the newest ratchet key pair made
    here; `peer` the newest ratchet key of the other side; `previous` is PN.
    """

    id: Public
    associated: Public
    root: Root
    own: Private
    peer: Public
    sending: ChainKey | None = None
    receiving: ChainKey | None = None
    previous: int = 0
    skipped: list[MessageKey] = []


@honest_only("an honest party's use of turn")
def begin(agreed: Root, associated: bytes) -> Session:
    """Return the initiator's session (section 3.3, RatchetInitAlice).

    `agreed.newest` is the responder's signed prekey.
    """
    own = new_private()
    root, sending = turn(agreed, exchange_as_b(own, Pair(agreed.newest, own.public)))
    return Session(agreed.session, associated, root, own, agreed.newest, sending)


@honest_only("an honest party's constructor")
def respond(agreed: Root, associated: bytes, prekey: Private) -> Session:
    """Return the responder's session (section 3.3, RatchetInitBob): its first ratchet key is its signed prekey."""
    return Session(agreed.session, associated, agreed, prekey, b"")


def encrypt(session: Session, body: bytes, committing: bool = False) -> tuple[Message, MessageKey]:
    """Return the next message and the key that sealed it (section 3.4), with CTX if `committing`.

    Raise Refused if no peer's ratchet key is known yet.
    """
    if session.sending is None:
        raise Refused("session", "it cannot send before it has received")
    key, session.sending = step(session.sending)
    pn, associated = session.previous, session.associated
    sealed = (ctx.seal if committing else seal)(key.value, body, _framed(associated, key.chain, pn, key.n))
    return Message(key.chain, key.n, pn, associated, sealed, committing), key


@honest_only("an honest party's use of step and turn")
def decrypt(session: Session, message: Message, max_skip: int = MAX_SKIP) -> Plaintext:
    """Open a message and advance (section 3.5). If this raises Forged or Refused, the session is unchanged."""
    chain = session.receiving
    if chain is not None and message.n == chain.n and message.chain == session.peer:  # the next message: nearly all
        key, chain = step(chain)
        plaintext = open_message(message, key)
        session.receiving = chain
        return plaintext
    if chain is None or message.chain != session.peer:
        if (known := _skipped(session, message)) is not None:
            return _open_skipped(session, message, known)
        return _open_after_turn(session, message, max_skip)
    if message.n < chain.n:
        if (known := _skipped(session, message)) is None:
            raise Forged("a message key that was used, or thrown away")
        return _open_skipped(session, message, known)
    passed: list[MessageKey] = []
    if message.n > chain.n:
        passed, chain = _advance(chain, message.n, max_skip)
    key, chain = step(chain)
    plaintext = open_message(message, key)
    session.receiving = chain
    if passed:
        _keep(session, passed)
    return plaintext


def _open_after_turn(session: Session, message: Message, max_skip: int) -> Plaintext:
    passed: list[MessageKey] = []
    if session.receiving is not None:
        passed, _ = _advance(session.receiving, message.pn, max_skip)
    shared = exchange_as_a(session.own, Pair(session.own.public, message.chain))
    root, chain = turn(session.root, shared)  # no witness: opening the message below is the verification
    missed, chain = _advance(chain, message.n, max_skip - len(passed))
    key, chain = step(chain)
    plaintext = open_message(message, key)
    own = new_private()
    session.previous = session.sending.n if session.sending else 0
    session.root, session.sending = turn(root, exchange_as_b(own, Pair(message.chain, own.public)))
    session.own, session.peer, session.receiving = own, message.chain, chain
    _keep(session, passed + missed)
    return plaintext


def _advance(chain: ChainKey, to: int, max_skip: int) -> tuple[list[MessageKey], ChainKey]:
    if to - chain.n > max_skip:
        raise Refused("session", f"a message skips {to - chain.n} keys, more than {max_skip}")
    passed = []
    while chain.n < to:
        key, chain = step(chain)
        passed.append(key)
    return passed, chain


def _skipped(session: Session, message: Message) -> MessageKey | None:
    for key in session.skipped:
        if key.n == message.n and key.chain == message.chain:
            return key
    return None


def _open_skipped(session: Session, message: Message, key: MessageKey) -> Plaintext:
    plaintext = open_message(message, key)
    session.skipped.remove(key)
    return plaintext


def _keep(session: Session, keys: list[MessageKey]) -> None:
    if keys:
        session.skipped = (session.skipped + keys)[-MAX_KEPT:]

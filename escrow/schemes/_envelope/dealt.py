"""Envelopes that everybody can verify: the relay refuses a field that t of n holders could not open, without a secret.

  set-up    holder i has s_i and Y_i = [s_i]G; the relay and all clients know Y_1 … Y_n, and t
  send      for each message a fresh dealing D of [p(0)]G to Y_1 … Y_n (Schoenmakers), its proofs bound to c;
            w = AES-GCM(H([p(0)]G, c, D); k), k its message key           c = labels, header, holders
  relay     verifies a proof for each of these n holders, and that t are needed; that c names the mail's chain and
            number, its people and its day. It carries no field that is missing, junk, of another mail, or sealed to
            others; it cannot see whether w holds k: k is the output of a hash, about which nothing is proved
  recipient makes the field again from k, and shows no text beside another
  access    authority --(warrant, field)--> holder i, which checks the warrant and D, and returns [p(i)]G with a proof;
            a wrong one is blamed; any t give [p(0)]G, hence k
  weak      no key of all holders exists, and still the keys of t holders open every message ever sent
            senders and recipients who agree to change their clients escape, as in every other form

Source: Schoenmakers, "A simple publicly verifiable secret sharing scheme", CRYPTO '99, section 3. That a relay
verifies, that proofs are bound to the labels, and w, are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice

from escrow import codec, crypto
from escrow.codec import Fact, Public
from escrow.crypto import Private, open_sealed, seal, sha256
from escrow.derivation import Checks, Guard, derivation, service, threshold
from escrow.e2ee import device, provider, ratchet, sender_keys
from escrow.e2ee.device import FieldContext
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged
from escrow.grants import Choice, Claim, Grant
from escrow.primitives import group
from escrow.primitives.hpke import PrivateP256
from escrow.principal import Principal
from escrow.scheme import AccessField, Intercept, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes._envelope.claims import SECTION, SOURCES, WEAKENED
from escrow.schemes._envelope.forms import EnvelopeForm
from escrow.schemes.plain import CLASSICAL, DEVICES, ONE_COURT, ONE_THEFT
from escrow.sharing import pvss
from escrow.sharing.parts import UNPROVEN, choose
from escrow.sharing.pvss import OpenedShare, PublicDealing
from escrow.warrant import Answer, Authority, Official, Warrant, open_answer, promises
from escrow.wire import Wire


class HolderKey(PrivateP256, frozen=True, dict=True):
    """A holder's scalar (32 bytes) and point (33), its number from 1, and the points of all holders, t needed."""

    number: int
    t: int
    keys: tuple[Public, ...]
    court: Public


class DealtField(AccessField, frozen=True, dict=True):
    """A dealing to the holders of these points (33 bytes each), and a message key (48 bytes) under what it deals."""

    header: Public
    keys: tuple[Public, ...]
    dealing: PublicDealing
    wrapped: Public

    @cached_property
    def name(self) -> bytes:
        """The name of the dealing, 32 bytes."""
        return sha256(codec.encode(self.dealing))

    @property
    def t(self) -> int:
        """The number of holders that are needed."""
        return len(self.dealing.commitments)

    @cached_property
    def context(self) -> bytes:
        """What the proofs of the dealing are bound to: everything that the field says about the message."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.header, self.keys))

    def proof_fault(self, t: int, keys: Sequence[bytes]) -> str:
        """Return why the field could not be opened by t of the holders of these points; "" if it can be."""
        if self.keys != tuple(keys):
            return "it is sealed to others than the holders"
        if self.t != t:
            return f"it needs {self.t} holders, not {t}"
        try:
            wrong = pvss.faults(self.dealing, keys, self.context)
        except Forged as error:
            return str(error)
        return f"the proof for holder {wrong[0]} does not hold" if wrong else ""


class DealtShare(Fact, frozen=True):
    """A holder's part of the point of a dealing (33 bytes), t of which give it, and a proof (64)."""

    name: Public
    index: int
    value: bytes
    proof: Public


class DealtPoint(Fact, frozen=True):
    """The point of a dealing (33 bytes), under which the message key is wrapped."""

    name: Public
    value: bytes


@derivation("field.t = key.t")
def open_dealt_part(field: DealtField, key: HolderKey) -> DealtShare:
    """Return a holder's part. Raise Forged, saying which, if there is none for it, or it is not a point."""
    opened = pvss.open_share(field.dealing, key.number, group.scalar(key.raw), field.name)
    return DealtShare(field.name, key.number, opened.value, opened.proof)


def _fits(field: DealtField, share: DealtShare) -> bool:
    opened = OpenedShare(share.index, share.value, share.proof)
    return pvss.share_fits(field.dealing, field.keys, opened, field.name)


@threshold("field.name = shares.name", t="field.t", member="shares.index", by="name", verify=_fits)
def combine_dealt_parts(field: Guard[DealtField], shares: tuple[DealtShare, ...]) -> DealtPoint:
    """Return the point, from any t parts that are proven. Raise Blamed, naming the holders of the others."""
    chosen = choose(field.t, shares, lambda share: "" if _fits(field, share) else UNPROVEN)
    return DealtPoint(field.name, pvss.whole({index: share.value for index, share in chosen.items()}))


@derivation("field.name = point.name")
def unwrap_by_point(field: DealtField, point: DealtPoint) -> MessageKey:
    """Return the message key. Raise Forged if labels, header or dealing were changed, or no key is under the point."""
    bound = field.context + field.name
    return MessageKey(field.chain, field.n, open_sealed(sha256(point.value, bound), field.wrapped, bound))


@service(open_dealt_part, holder="key")
def holder_of_dealing_checks(key: HolderKey, warrant: Warrant, field: DealtField) -> Checks:
    """Yield what a holder promises to check before it gives its part."""
    yield from promises(key.court, warrant, field.people, field.day)
    yield "the proofs of the field are for these labels", not field.proof_fault(key.t, key.keys)


@derivation("answer.to = key.public")
def open_dealt_answer(answer: Answer, key: Private) -> DealtShare:
    """Return a part with its proof from a holder's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, DealtShare)


class DealtDevice(device.Device):
    """A device whose client deals a point for each message to holders with these `keys`, `t` of whom are needed."""

    t: int = 1
    keys: tuple[Public, ...] = ()

    def access_field(self, key: MessageKey, context: FieldContext) -> DealtField:
        """Return the message key under the point of a fresh dealing, whose proofs are bound to the labels."""
        labels = (key.chain, key.n, context.people, context.day, sha256(context.header), self.keys)
        nothing = PublicDealing((), (), ())
        bound = DealtField(*labels, nothing, b"").context
        point, dealing = pvss.deal(self.t, self.keys, bound)
        bound += DealtField(*labels, dealing, b"").name
        return DealtField(*labels, dealing, seal(sha256(point, bound), key.value, bound))


class DealtRelay(provider.Provider):
    """A provider that carries a text only if t of n holders can open the field beside it, as everybody can verify."""

    t: int = 1
    keys: tuple[Public, ...] = ()
    committing: bool = False

    def proofs(self, mail: Mail, field: DealtField) -> Iterator[tuple[str, bool]]:
        """Yield whether a field is of its mail, and whether the holders can open it."""
        yield f"the access field of {mail.sender} is of its mail", (field.chain, field.n) == self._message(mail)
        fault = field.proof_fault(self.t, self.keys)
        yield f"the access field of {mail.sender} is for the holders: {fault}", not fault

    def _message(self, mail: Mail) -> tuple[bytes, int] | None:
        try:
            message: sender_keys.SenderMessage | ratchet.Message
            if mail.group:
                message = sender_keys.unpack(mail.body, self.committing)
            else:
                message = ratchet.unpack(mail.body, b"", self.committing)
        except EscrowError:
            return None
        return message.chain, message.n


class DealtHolder(Official):
    """A holder: it opens its part of a dealing."""

    key: HolderKey

    promise = holder_of_dealing_checks

    def held(self, subject: DealtField) -> HolderKey:
        """Return the holder's key."""
        return self.key


class DealtEnvelope(EnvelopeForm, frozen=True, kw_only=True):
    """`n` holders, `t` of whom open a text, by shares that everybody can verify."""

    title = "Exceptional-access envelope that everybody can verify"
    source = Source(
        "Schoenmakers", "A simple publicly verifiable secret sharing scheme", 1999, "3", "bytes, labels, the relay"
    )
    sealed_facts = (SealedFact("DealtShare", named="wrong part of {}"),)
    provable = True
    device = DealtDevice
    provider = DealtRelay

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.policing != "publicly":
            raise ValueError(f"fields with proofs are policed publicly, not with policing={self.policing}")

    @property
    def claim(self) -> Claim:
        """Any t holders open everything; the authority reads what its warrants cover."""
        agents = "agent" if self.n == 1 else "agent-*"
        return Claim(
            words=f"{self.who} can open every message, and the relay carries no text"
            " whose field they could not open; the authority reads what its warrants cover.",
            section=SECTION,
            grants=(*DEVICES, Grant(agents, "everything", self.t), Grant("authority", "in scope of a served warrant")),
            access="in scope",
            sources=SOURCES,
            concessions=WEAKENED,
            model=(CLASSICAL, ONE_THEFT),
            choices=(
                ONE_COURT,
                Choice("the relay verifies the proofs of every field, and has no secret of the holders", favours=True),
                Choice(
                    "whether the sealed key is the text's, the relay cannot see: the recipient's client makes the field"
                    " again",
                    favours=True,
                ),
            ),
        )

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the holders and the parties of plain; relay and devices learn the holders' points."""
        scalars = []
        for name in self.agents:
            with crypto.acting(name):
                scalars.append(group.random_scalar())
        keys = tuple(map(group.base, scalars))
        for number, (name, scalar) in enumerate(zip(self.agents, scalars, strict=True), 1):
            key = HolderKey(keys[number - 1], group.scalar_bytes(scalar), number, self.t, keys, court)
            yield DealtHolder(name, key=key)
        for party in super().cast(users, court):
            if isinstance(party, DealtDevice | DealtRelay):
                party.t, party.keys = self.t, keys
            if isinstance(party, DealtRelay):
                party.committing = self.committing
            yield party

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask holders about each field that the warrant covers until t parts open it, and yield the texts."""
        for intercept, field in wanted(authority, warrant, intercepted, DealtField):
            try:
                key = unwrap_by_point(field, self._point(authority, wire, warrant, field))
            except EscrowError as error:
                wire.complain(authority.name, error)
                continue
            opened = list(open_intercepted(authority, intercept, key))
            if not opened:
                wire.complain(authority.name, Forged("the key that the field holds opens no message"))
            yield from opened

    def _point(self, authority: Authority, wire: Wire, warrant: Warrant, field: DealtField) -> DealtPoint:
        """Ask one holder after another until t parts fit, and return the point that they give."""

        def fits(number: int, part: DealtShare) -> bool:
            return (part.name, part.index) == (field.name, number) and _fits(field, part)

        holders = self.in_turn(field.name)
        parts = authority.gather(wire, warrant, field, holders, open_dealt_answer, fits, "part")
        return combine_dealt_parts(field, tuple(islice(parts, self.t)))


FORM = DealtEnvelope

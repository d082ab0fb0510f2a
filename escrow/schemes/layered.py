"""Layered envelope: each message key is sealed to one organisation inside another, and each opens its own layer only.

  send     r_1 … r_n drawn;  e = HPKE.Seal(pk_1; r_1 ‖ HPKE.Seal(pk_2; r_2 ‖ … HPKE.Seal(pk_n; r_n)));
           AES-GCM(H(r_1 … r_n); k) beside each ciphertext, k its message key
  context  depth, message number, people, day, header, at every layer: a relabelled or moved layer does not open
  commit   c_i = H(r_i, H(layer i + 1)), of all layers from i on in the context of layer i: whoever hands on another
           part or layer is named, and a holder opens no layer whose sender committed to something else
  access   authority --(warrant, layer i)--> holder i, which checks its conditions, and returns r_i and layer i + 1
  weak     all n holders together open everything ever sent; any fewer open nothing

Conditions: each holder checks the court's signature, and compares the target, the days and the scope (`whole`); or of
these three only its own, the further holders beginning again (`own`). Then two warrants can be mixed: one for the
target, one for the day. Each holder adds a part r_i, so that the last one does not see what it opens for the law.
Source: Tait, "An Approach to James Comey's Technical Challenge", Lawfare, 27 April 2016, on encrypted devices. Its
layers could not be read: that they hold message keys, their order, the parties and their conditions are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec.structs import replace

from escrow import codec, crypto
from escrow.codec import Fact, Public
from escrow.crypto import Private, new_private, open_sealed, random_bytes, seal, sha256
from escrow.derivation import Checks, derivation, service, threshold
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged
from escrow.grants import Choice, Claim, Grant, Quotation
from escrow.primitives import hpke
from escrow.principal import Principal
from escrow.scheme import AccessField, Intercept, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes.plain import CLASSICAL, DEVICES, EVASIONS, ONE_COURT, ONE_THEFT, FieldScheme
from escrow.warrant import Answer, Authority, Official, Warrant, open_answer, promises
from escrow.wire import Wire

CONDITIONS = ("target", "window", "scope")  # as `promises` calls them
FEWEST, MOST = len(CONDITIONS), 12
PART = 32
SIGNED = "court's signature"


class LayerKey(Private, frozen=True, dict=True):
    """A holder's X25519 key pair, its place from 1, its conditions, and the next holder's public key, if there is one.

    `court` is the public key (32 bytes) of the court whose warrants it honours.
    """

    court: Public
    depth: int
    conditions: tuple[str, ...]
    following: Public


class SealedLayer(AccessField, frozen=True):
    """The layers from `depth` on, sealed to `to` (X25519): 80 bytes each; and the message key under all parts: 48.

    `commitments` are hashes (32 bytes) of what each of these layers holds, the outermost first.
    """

    header: Public
    commitments: tuple[Public, ...]
    wrapped: Public
    depth: int
    to: Public
    sealed: Public

    @property
    def layers(self) -> int:
        """How many layers there are, those before this one included."""
        return self.depth - 1 + len(self.commitments)

    def labels(self) -> bytes:
        """Return what the field says about the message, and how many layers there are."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.header, self.layers))

    def context(self) -> bytes:
        """Return HPKE's info: the labels, the wrapped key, the place of the layer, and the commitments."""
        return codec.encode((self.labels(), self.wrapped, self.depth, self.to, self.commitments))

    def name(self) -> bytes:
        """Return a hash (32 bytes) of all of it."""
        return sha256(b"escrow-lab layer", codec.encode(self))


class LayerPart(Fact, frozen=True):
    """The part r_i (32 bytes) of one layer: all of a message's parts give its key.

    `following` is the hash (32 bytes) of the next layer, or empty: a layer's commitment is to both.
    """

    chain: Public
    n: int
    depth: int
    following: Public
    value: bytes


class PeeledLayer(Fact, frozen=True):
    """What a holder finds in its layer: a part, and the next layer."""

    part: LayerPart
    following: SealedLayer


def _committed(value: bytes, following: bytes) -> bytes:
    return sha256(b"escrow-lab part of a layer", codec.encode((value, following)))


def _part_fits(field: SealedLayer, part: LayerPart) -> bool:
    if field.depth != 1 or not 1 <= part.depth <= field.layers:
        return False
    return field.commitments[part.depth - 1] == _committed(part.value, part.following)


def _part(layer: SealedLayer, value: bytes, following: bytes) -> LayerPart:
    """Return the part in a layer. Raise Forged if the sender committed to another, so that no holder is blamed."""
    if layer.commitments[:1] != (_committed(value, following),):
        raise Forged(f"layer {layer.depth} does not hold what its sender committed to")
    return LayerPart(layer.chain, layer.n, layer.depth, following, value)


@derivation("layer.to = key.public")
def peel(layer: SealedLayer, key: LayerKey) -> PeeledLayer:
    """Return a layer's part and the next layer.

    Raise Forged if this is the last, or was made for other labels, commitments or another holder.
    """
    if not key.following or layer.depth != key.depth:
        raise Forged(f"layer {layer.depth} is not before the last, or not holder {key.depth}'s")
    inner = hpke.open_(key, layer.sealed, layer.context())
    placed = {"commitments": layer.commitments[1:], "depth": layer.depth + 1}
    following = replace(layer, **placed, to=key.following, sealed=inner[PART:])
    return PeeledLayer(_part(layer, inner[:PART], following.name()), following)


@derivation()
def found_in(peeled: PeeledLayer) -> tuple[LayerPart, SealedLayer]:
    """Return the part and the next layer."""
    return peeled.part, peeled.following


@derivation("layer.to = key.public")
def open_last(layer: SealedLayer, key: LayerKey) -> LayerPart:
    """Return the part of the last layer. Raise Forged if this is not the last, or was made for other labels."""
    if key.following or layer.depth != key.depth:
        raise Forged(f"layer {layer.depth} is not the last, or not holder {key.depth}'s")
    return _part(layer, hpke.open_(key, layer.sealed, layer.context()), b"")


@threshold(
    "field.chain = parts.chain, field.n = parts.n",
    t="field.layers",
    member="parts.depth",
    by="chain, n",
    verify=_part_fits,
)
def unwrap(field: SealedLayer, parts: tuple[LayerPart, ...]) -> MessageKey:
    """Return the message key, by the parts of all layers. Raise Forged if one does not fit, or labels were changed."""
    fitting = {part.depth: part.value for part in parts if _part_fits(field, part)}
    if not fitting or len(fitting) < field.layers:
        raise Forged(f"{len(fitting)} parts that fit, of {field.layers} layers")
    values = [fitting[depth] for depth in sorted(fitting)]
    return MessageKey(field.chain, field.n, open_sealed(sha256(*values), field.wrapped, field.labels()))


@service(peel, holder="key")
def holder_checks(key: LayerKey, warrant: Warrant, layer: SealedLayer) -> Checks:
    """Yield what a holder promises to check before it opens its layer: the court's signature, and its conditions."""
    for name, holds in promises(key.court, warrant, layer.people, layer.day):
        if name == SIGNED or name in key.conditions:
            yield name, holds


@service(open_last, holder="key")
def last_checks(key: LayerKey, warrant: Warrant, layer: SealedLayer) -> Checks:
    """Yield what the last holder promises to check."""
    return holder_checks(key, warrant, layer)


@derivation("answer.to = key.public")
def open_layer(answer: Answer, key: Private) -> PeeledLayer:
    """Return a part and the next layer from a holder's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, PeeledLayer)


@derivation("answer.to = key.public")
def open_part(answer: Answer, key: Private) -> LayerPart:
    """Return the last part from the last holder's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, LayerPart)


class LayeredDevice(device.Device):
    """A device whose client seals each message key to the last holder, that to the one before, and so on."""

    holders: tuple[Public, ...] = ()

    def access_field(self, key: MessageKey, context: FieldContext) -> SealedLayer:
        """Return the message key in all layers."""
        parts = [random_bytes(PART) for _ in self.holders]
        said, commitments = (key.chain, key.n, context.people, context.day, sha256(context.header)), tuple[bytes, ...]()
        labels = SealedLayer(*said, tuple(parts), b"", 1, b"", b"").labels()  # labels() counts the commitments only
        wrapped = seal(sha256(*parts), key.value, labels)
        inner = following = b""
        for depth in range(len(self.holders), 0, -1):
            commitments = (_committed(parts[depth - 1], following), *commitments)
            blank = SealedLayer(*said, commitments, wrapped, depth, self.holders[depth - 1], b"")
            layer = replace(blank, sealed=hpke.seal(blank.to, parts[depth - 1] + inner, blank.context()))
            inner, following = layer.sealed, layer.name()
        return layer


class LayerHolder(Official):
    """The holder of a layer that is not the last."""

    key: LayerKey

    promise = holder_checks

    def held(self, subject: SealedLayer) -> LayerKey:
        """Return the holder's key."""
        return self.key


class LastHolder(LayerHolder):
    """The holder of the last layer."""

    promise = last_checks


class Layered(FieldScheme, frozen=True, kw_only=True):
    """`n` holders, one a layer; `conditions` says which of a warrant's each compares."""

    name = "layered"
    title = "Layered envelopes: each organisation opens its own"
    source = Source(
        "Tait",
        "An Approach to James Comey's Technical Challenge",
        2016,
        "its opening; the layers could not be read",
        "layers, their order, parties, conditions",
    )
    sealed_facts = (
        SealedFact("LayerPart", named="wrong part of {}"),
        SealedFact("PeeledLayer", named="wrong part of {}"),
    )
    family = "Sealed envelope"
    all_needed = "each layer is sealed to its own holder"
    device = LayeredDevice
    n: int = 3
    conditions: Literal["whole", "own"] = "whole"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not FEWEST <= self.n <= MOST:
            raise ValueError(f"n={self.n} layers: {FEWEST} <= n <= {MOST}, so that each condition has a holder")

    @property
    def claim(self) -> Claim:
        """All holders together open everything, any fewer nothing; the authority reads what its warrants cover."""
        return Claim(
            words=f"All {self.n} holders together can open every text, any fewer nothing; the authority reads what its"
            " warrants cover. Thieves, other governments, rogue police and staff of one organisation open nothing.",
            section="on whom the scheme must block; the layers are this project's",
            grants=(
                *DEVICES,
                Grant("layer-*", "everything", self.n),
                Grant("authority", "in scope of a served warrant"),
            ),
            access="in scope",
            sources=(
                Quotation(
                    "To be secure, the scheme would need to block access to thieves, foreign governments, hackers,"
                    " criminal misuse by rogue police officers without a warrant, or misuse by staff working for the"
                    " device's manufacturer.",
                    "Tait, An Approach to James Comey's Technical Challenge, 2016",
                    "opening",
                ),
            ),
            model=(CLASSICAL, ONE_THEFT),
            choices=(
                Choice("parties, order of layers and the condition of each are this project's", favours=False),
                Choice("a text is meant where the source speaks of a locked device in hand", favours=False),
                self._choice_of_conditions,
                Choice("no holder loses its key, which would end all access", favours=True),
                *EVASIONS,
                ONE_COURT,
            ),
        )

    @property
    def _choice_of_conditions(self) -> Choice:
        if self.conditions == "whole":
            return Choice("each holder compares the whole warrant, so that two warrants are not mixed", favours=True)
        return Choice("each holder compares its own condition only, so that two warrants can be mixed", favours=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the holders, outermost first."""
        return tuple(f"layer-{depth}" for depth in range(1, self.n + 1))

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the holders and the parties of plain, whose devices know the holders' public keys."""
        made = []
        for name in self.layers:
            with crypto.acting(name):
                made.append(new_private())
        publics = tuple(key.public for key in made)
        for depth, (name, key) in enumerate(zip(self.layers, made, strict=True), 1):
            kind, following = (LastHolder, b"") if depth == self.n else (LayerHolder, publics[depth])
            own = CONDITIONS if self.conditions == "whole" else (CONDITIONS[(depth - 1) % len(CONDITIONS)],)
            yield kind(name, LayerKey(key.public, key.raw, court, depth, own, following))
        for party in super().cast(users, court):
            if isinstance(party, LayeredDevice):
                party.holders = publics
            yield party

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask one holder after another about each field that the warrant covers, and yield the texts that open."""
        for intercept, field in wanted(authority, warrant, intercepted, SealedLayer):
            try:
                key = unwrap(field, tuple(self._parts(authority, wire, warrant, field)))
            except EscrowError as error:
                wire.complain(authority.name, error)
                continue
            yield from open_intercepted(authority, intercept, key)

    def _parts(self, authority: Authority, wire: Wire, warrant: Warrant, field: SealedLayer) -> Iterator[LayerPart]:
        """Yield the part of each layer, asking one holder after another; whose part does not fit is blamed."""
        layer = field
        if (layer.depth, layer.layers) != (1, self.n):
            raise Forged(f"layer {layer.depth} of {layer.layers}: a field begins with the first of {self.n}")
        for depth, name in enumerate(self.layers, 1):
            try:
                answer, last = authority.ask(wire, name, warrant, layer), depth == self.n
                peeled = None if last else open_layer(answer, authority.key.agreement)
                part = peeled.part if peeled else open_part(answer, authority.key.agreement)
            except EscrowError as error:
                wire.complain(name, error)
                raise
            handed_on = peeled.following.name() if peeled else b""
            if part.depth != depth or part.following != handed_on or not _part_fits(field, part):
                wire.alarm(authority.name, f"wrong part of {name}")
                raise Forged(f"{name} gave another part or layer than the field's")
            yield part
            layer = peeled.following if peeled else layer


SCHEME = Layered()

"""Layered envelope: each message key is sealed to one organisation inside another, and each opens its own layer only.

  send     e = HPKE.Seal(pk_1; HPKE.Seal(pk_2; … HPKE.Seal(pk_n; k)))     beside each ciphertext, k its message key
  context  depth, message number, people, day, header, at every layer: a relabelled or moved layer does not open
  access   authority --(warrant, layer i)--> holder i, which checks its conditions, and returns layer i + 1; the last
           returns k
  weak     all n holders together open everything ever sent; without one of them nobody opens anything

Conditions: each holder checks the court's signature, and compares the target, the days and the scope (`whole`); or of
these three only its own, the further holders beginning again (`own`). Then two warrants can be mixed: one for the
target, one for the day.
Source: Tait, "An Approach to James Comey's Technical Challenge", Lawfare, 27 April 2016, on encrypted devices. Its
layers could not be read: that they hold message keys, their order, the parties and their conditions are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec.structs import replace

from escrow import codec, crypto
from escrow.codec import Public
from escrow.crypto import Private, new_private, sha256
from escrow.derivation import Checks, derivation, service
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
    """A message key in the layers from `depth` on, sealed to `to` (X25519): 48 bytes a layer that is left, and 32."""

    header: Public
    depth: int
    to: Public
    sealed: Public

    def context(self) -> bytes:
        """Return HPKE's info: everything that the layer says about the message and its place."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.header, self.depth, self.to))


@derivation("layer.to = key.public")
def peel(layer: SealedLayer, key: LayerKey) -> SealedLayer:
    """Return the next layer. Raise Forged if this is the last, or was made for other labels or another holder."""
    if not key.following or layer.depth != key.depth:
        raise Forged(f"layer {layer.depth} is not before the last, or not holder {key.depth}'s")
    inner = hpke.open_(key, layer.sealed, layer.context())
    return replace(layer, depth=layer.depth + 1, to=key.following, sealed=inner)


@derivation("layer.to = key.public")
def open_last(layer: SealedLayer, key: LayerKey) -> MessageKey:
    """Return the message key (32 bytes). Raise Forged if this is not the last layer, or was made for other labels."""
    if key.following or layer.depth != key.depth:
        raise Forged(f"layer {layer.depth} is not the last, or not holder {key.depth}'s")
    return MessageKey(layer.chain, layer.n, hpke.open_(key, layer.sealed, layer.context()))


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
def open_layer(answer: Answer, key: Private) -> SealedLayer:
    """Return a holder's answer, by the authority's key."""
    return open_answer(answer, key, SealedLayer)


@derivation("answer.to = key.public")
def open_message_key(answer: Answer, key: Private) -> MessageKey:
    """Return the last holder's answer, by the authority's key."""
    return open_answer(answer, key, MessageKey)


class LayeredDevice(device.Device):
    """A device whose client seals each message key to the last holder, that to the one before, and so on."""

    holders: tuple[Public, ...] = ()

    def access_field(self, key: MessageKey, context: FieldContext) -> SealedLayer:
        """Return the message key in all layers."""
        labels = (key.chain, key.n, context.people, context.day, sha256(context.header))
        inner = key.value
        for depth in range(len(self.holders), 0, -1):
            blank = SealedLayer(*labels, depth, self.holders[depth - 1], b"")
            inner = hpke.seal(blank.to, inner, blank.context())
        return SealedLayer(*labels, 1, self.holders[0], inner)


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
        SealedFact("MessageKey", unnamed="the last holder is believed: a wrong key opens nothing"),
        SealedFact("SealedLayer", unnamed="whether a sender or a holder made a layer that does not open shows nowhere"),
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
        for intercept, layer in wanted(authority, warrant, intercepted, SealedLayer):
            name = authority.name
            try:
                if layer.depth != 1:
                    raise Forged(f"beside {intercept.mail.sender}'s mail: a field without its outer layers")
                for name in self.layers[:-1]:
                    layer = open_layer(authority.ask(wire, name, warrant, layer), authority.key.agreement)
                name = self.layers[-1]
                key = open_message_key(authority.ask(wire, name, warrant, layer), authority.key.agreement)
            except EscrowError as error:
                wire.complain(name, error)
                continue
            opened = list(open_intercepted(authority, intercept, key))
            if not opened:
                wire.complain(name, Forged("the key that it gave opens no message"))
            yield from opened


SCHEME = Layered()

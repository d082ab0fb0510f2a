"""A quantum computer after a play: the private half of every classical public key that was ever on the wire.

  ledger   the door tells of every key pair that anybody makes, and of the scalar behind every multiple of P-256's G
  heard    of those, the ones whose public half stands in some packet, in whichever encoding
  state    like a principal's, of the last evening: a thief of "quantum" knows all that was broken

X25519 pairs, ephemeral ones too; P-256 pairs, and escrow groups' whole keys from their first commitments; of Ed25519
the scalar in its X25519 form, not the seed from which it was hashed: enough to agree as its holder. A signature could
be forged with it as well, and none is: this adversary only listens. A scheme's own kind of key stands there as such,
if all that it adds to the pair is public. KEM keys never do.
Source: Shor, "Algorithms for Quantum Computation", FOCS 1994, on discrete logarithms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar, get_type_hints

import msgspec

from attacks.lab.simulation.attack import Apparatus
from escrow.codec import Fact, Public, apart, union, walk
from escrow.crypto import Call, Observer, Private, SigningKey
from escrow.primitives.hpke import PrivateP256
from escrow.principal import Principal
from escrow.sharing.elgamal import EscrowGroup, EscrowKey
from escrow.wire import Heard

QUANTUM = "quantum"  # stands where a principal's name does
MADE = ("x25519-key", "ed25519-key", "p256-key", "p256-base")  # operations that give a private half's public one
COORDINATE = 32  # bytes by which any public key is told: a u- or y-coordinate, or the x of a point


class QuantumComputer(Principal):
    """What it has broken is added as a field `keys`, of the kinds of key that the play has."""


class QuantumApparatus(Apparatus):
    """An observer that keeps every classical key pair that the door made, and tells another observer all it hears."""

    def __init__(self, then: Observer | None = None) -> None:
        super().__init__(then)
        self.pairs: dict[bytes, Private | PrivateP256] = {}  # by coordinate
        self.scalars: dict[bytes, bytes] = {}  # of P-256's points, by coordinate

    def __call__(self, call: Call) -> None:
        """Keep a key pair that the door reports."""
        if call.operation in MADE:
            (raw,), (public,) = call.inputs, call.outputs
            if call.operation == "x25519-key":
                self.pairs[public] = Private(public, raw)
            elif call.operation == "ed25519-key":
                agreement = SigningKey(public, raw).agreement
                self.pairs[public] = self.pairs[agreement.public] = agreement
            elif call.operation == "p256-key":
                self.pairs[_coordinate(public)] = PrivateP256(public, raw)
            else:
                self.scalars[_coordinate(public)] = raw
        super().__call__(call)

    def finished(self, packets: Iterable[Heard], parties: Iterable[Principal]) -> QuantumComputer:
        """Return the computer that has broken what was heard."""
        return broken(self, packets, parties)


def _coordinate(public: bytes) -> bytes:
    """Return the bytes that all encodings of a public key share: all 32, or the 32 after a point's first."""
    return public if len(public) == COORDINATE else public[1 : 1 + COORDINATE]


def broken(keys: QuantumApparatus, packets: Iterable[Heard], parties: Iterable[Principal]) -> QuantumComputer:
    """Return the computer with its results. The parties' keys tell in which types a scheme keeps a broken key."""
    known, heard = keys.pairs.keys() | keys.scalars.keys(), set[bytes]()
    for packet in packets:
        ends = range(COORDINATE, len(packet.data) + 1)
        heard |= known & {packet.data[end - COORDINATE : end] for end in ends}
    found: dict[Fact, None] = dict.fromkeys(keys.pairs[each] for each in sorted(heard & keys.pairs.keys()))
    secrets = {each: keys.pairs[each].raw if each in keys.pairs else keys.scalars[each] for each in heard}
    for party in parties:
        found |= dict.fromkeys(_as_kept(party, secrets))
    return with_keys(QuantumComputer, QUANTUM, list(found))


def _as_kept(party: Principal, secrets: Mapping[bytes, bytes]) -> Iterator[Fact]:
    """Yield what a party keeps, or could, of the secrets (by their public keys' coordinates), in its own types."""
    for fact in walk(party, Fact):
        if isinstance(fact, EscrowGroup) and (scalar := secrets.get(_coordinate(fact.key))) is not None:
            yield EscrowKey(fact.name, scalar)
        elif isinstance(fact, Private | PrivateP256) and _is_broken(fact, secrets):
            yield fact


def _is_broken(key: Private | PrivateP256, secrets: Mapping[bytes, bytes]) -> bool:
    return secrets.get(_coordinate(key.public)) == key.raw and _adds_nothing_secret(type(key))


P = TypeVar("P", bound=Principal)


def with_keys(kind: type[P], name: str, keys: list[Fact]) -> P:
    """Return a principal with these keys: one field, and another for each kind whose name is taken there."""
    groups = apart(frozenset[type]({Private, *map(type, keys)}))
    made = msgspec.defstruct(
        kind.__name__,
        [
            (f"keys{at or ''}", list[union(kinds)], msgspec.field(default_factory=list))  # type: ignore[misc]  # built here
            for at, kinds in enumerate(groups)
        ],
        bases=(kind,),
        module=kind.__module__,
        tag=kind.__name__,
    )
    return made(name, *([key for key in keys if type(key) in kinds] for kinds in groups))  # type: ignore[return-value]  # a subclass, made here


def _adds_nothing_secret(kind: type[Fact]) -> bool:
    """Return whether all fields of a kind of key but the private half are public by their types."""
    hints = get_type_hints(kind, include_extras=True)
    public = (Public, str, int, tuple[str, ...], tuple[Public, ...])
    return all(hints[name] in public for name in kind.__struct_fields__ if name != "raw")

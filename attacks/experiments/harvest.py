"""Everything is recorded today and every elliptic curve broken later: what that opens in each variant of each scheme.

  all keys       texts that the quantum computer opens with every key that it can break: the messenger's, the escrow's
  escrow's keys  texts that it opens with the keys of officials and of groups of holders alone: what is left of the
                 loss where the messenger's own keys are of a kind that it cannot break. X25519 and P-256 alone: keys
                 of a pairing's curve (`warrant-key`) are left out

Variants are the words that a scheme's parameters can have, one changed at a time. A play has an honest law and an
honest network; no party is corrupted. Source: Shor, FOCS 1994; Kret and Schmidt, "The PQXDH Key Agreement Protocol",
2023, section 4.7, on passive quantum adversaries. The variants are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from attacks.harvest_now_decrypt_later import HarvestNowDecryptLater
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.runs.experiment import EachScheme, Figure
from attacks.lab.simulation.builds.other_keys import built_in, official_keys
from attacks.lab.simulation.play import play
from attacks.lab.simulation.quantum import QUANTUM, QuantumApparatus, QuantumComputer, with_keys
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import Analysis
from escrow.codec import Fact, walk
from escrow.crypto import Private
from escrow.e2ee.device import Device
from escrow.primitives.hpke import PrivateP256
from escrow.principal import Principal
from escrow.scheme import Scheme, Source
from escrow.schemes.plain import FieldScheme
from escrow.sharing.elgamal import EscrowGroup, EscrowKey, KeyShare
from escrow.sharing.epochs import EpochShare, Sharing, WholeKey, share_fits
from escrow.sharing.parts import whole_key
from escrow.wire import Heard

ESCROW = "the escrow's keys"


class EscrowKeysApparatus(QuantumApparatus):
    """A quantum computer that breaks the public keys of officials and groups of holders that clients have, no others.

    Who records everything has the clients too, so that a key counts though no packet shows it. Logarithms are taken
    from the officials' states, where they are known: a group's whole key from all of its shares.
    """

    def finished(self, packets: Iterable[Heard], parties: Iterable[Principal]) -> QuantumComputer:
        """Return the computer that has broken them."""
        parties = list(parties)
        known = frozenset[bytes]().union(*(built_in(each, parties) for each in parties if isinstance(each, Device)))
        classical = (key for key in official_keys(parties) if isinstance(key, Private | PrivateP256))
        found: dict[Fact, None] = {key: None for key in classical if key.public in known}
        facts = [fact for party in parties for fact in walk(party, Fact)]
        found |= dict.fromkeys(_whole_keys(facts))
        return with_keys(QuantumComputer, QUANTUM, list(found))


def _whole_keys(facts: Sequence[Fact]) -> Iterator[Fact]:
    """Yield the whole key of each group of which enough shares are among the facts."""
    for group in dict.fromkeys(fact for fact in facts if isinstance(fact, EscrowGroup | Sharing)):
        shares: dict[int, Any] = {}
        for fact in facts:
            if (isinstance(group, EscrowGroup) and isinstance(fact, KeyShare) and fact.group == group.name) or (
                isinstance(group, Sharing) and isinstance(fact, EpochShare) and share_fits(group, fact)
            ):
                shares[fact.index] = fact
        if len(shares) >= group.t:
            raw = whole_key(shares)
            yield EscrowKey(group.name, raw) if isinstance(group, EscrowGroup) else WholeKey(group.key, raw)


class EscrowKeysBroken(HarvestNowDecryptLater):
    """The same recording, of which the escrow's keys alone are broken."""

    apparatus = EscrowKeysApparatus


def variants(scheme: Scheme) -> Iterator[tuple[str, Scheme]]:
    """Yield a scheme, and it with each word of each parameter that can be one of some words, one at a time."""
    yield scheme.name, scheme
    kinds, values = scheme.parameter_types(), scheme.parameter_values()
    for parameter, kind in kinds.items():
        for word in get_args(kind) if get_origin(kind) is Literal else ():
            if word != values[parameter]:
                try:
                    yield f"{scheme.name}, {parameter}={word}", scheme.replaced(**{parameter: word})
                except ValueError:  # not of this scheme
                    continue


class Harvest(EachScheme):
    """Count the texts that a quantum computer opens of each variant of each scheme, by which keys it breaks."""

    name = "harvest"
    title = "Recorded today, decrypted later: texts opened in each variant of each scheme"
    source = Source("Kret and Schmidt", "The PQXDH Key Agreement Protocol", 2023, "4.7", "variants")

    scenario = default(users=2, groups=0, days=2, messages=6)
    kept = ("kem", "per", "reach")  # parameters that change what is sealed, in a short run

    def figures(self, scheme: Scheme, long: bool = False) -> Iterator[Figure]:
        """Yield two figures for each variant; without `long` the scheme itself, and what changes its sealed keys."""
        for name, variant in variants(scheme):
            if long or name == scheme.name or name.partition(", ")[2].partition("=")[0] in self.kept:
                yield from self.opened(name, variant)

    def opened(self, name: str, scheme: Scheme) -> Iterator[Figure]:
        """Yield the percentages of texts that are opened by all broken keys, and by the escrow's alone."""
        parts = {"all keys": HarvestNowDecryptLater(), ESCROW: EscrowKeysBroken()}
        for what, attack in parts.items():
            if what == ESCROW and not isinstance(scheme, FieldScheme):
                continue
            record = play(scheme, self.scenario, attack)
            last = self.scenario.days - 1
            analysis = Analysis(scheme, record, [attack], taken=[Seizure(QUANTUM)])
            opened = analysis.opened_by([Seizure(QUANTUM, (last,))])
            broken = next(walk(record.party(QUANTUM, last), Fact), None) is not None
            yield Figure(
                quantity=f"{name}: by {what}",
                measured=100 * len(opened) / len(record.sent),
                unit="%",
                note="" if broken else f"{name}: none of {what} is of X25519 or P-256 alone.",
            )


EXPERIMENT = Harvest()

"""Who does what in a scheme, told by facts: no attack has to know names or classes of officials.

  holders   several officials whose states have facts of one kind, either members of one gate (a rule of any t members)
            or what an official answers with (a service's own secret); in the order of the members' indexes
  dealers   who had the shares of two holders of a gate in their hands; else the holders themselves, if what one of
            them had for a gate came to another: then they made their shares together

What is looked at is an honest set-up and first morning, in which everybody keeps everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

from attacks.lab.simulation.attack import Cast, KeyHolders
from attacks.lab.simulation.builds.other_keys import built_in
from attacks.lab.simulation.watched.keeping import Keeping
from attacks.lab.simulation.watched.secret_fields import secrets_of
from escrow.codec import Fact, walk
from escrow.derivation import Gate, Rule, Service
from escrow.e2ee.device import Device
from escrow.principal import Principal
from escrow.vocabulary import Vocabulary

States = Mapping[str, Principal]


def with_roles(cast: Cast, parties: Mapping[str, tuple[Principal, Keeping | None]], words: Vocabulary) -> Cast:
    """Return the cast with the roles that the facts of watched parties show, by the rules and services of a scheme."""
    everybody = {name: party for name, (party, _) in parties.items()}
    officials = {name: everybody[name] for name in cast.officials}
    kept = {name: keeping for name, (_, keeping) in parties.items() if keeping is not None}
    groups = holders_of(officials, everybody, words.rules, words.services)
    dealers = dealers_of(groups, officials, kept, words.rules)
    devices = [party for party in everybody.values() if isinstance(party, Device)]
    there = any(built_in(device, everybody.values()) for device in devices[:1])
    return Cast(cast.devices, cast.officials, tuple(groups), dealers, there)


def holders_of(
    officials: States, everybody: States, rules: Iterable[Rule], services: Iterable[Service]
) -> list[KeyHolders]:
    """Return the groups of officials that hold parts of something, the largest first."""
    facts = {fact: None for party in everybody.values() for fact in walk(party, Fact)}
    found: dict[tuple[str, ...], int] = {}
    for gate in (rule for rule in rules if isinstance(rule, Gate)):
        for names, member in _members(officials, gate):
            found[names] = max(found.get(names, 0), _needed(gate, member, facts))
    for service in services:
        names = tuple(name for name, party in officials.items() if _has(party, service.takes[0]))
        if len(names) > 1 and not any(set(names) == set(known) for known in found):
            found[names] = 0
    return [KeyHolders(names, t) for names, t in sorted(found.items(), key=lambda each: -len(each[0]))]


def _members(officials: States, gate: Gate) -> Iterator[tuple[tuple[str, ...], Fact]]:
    """Yield the officials whose states have members that belong together, with one of these members."""
    together: dict[Any, dict[str, Fact]] = defaultdict(dict)
    for name, party in officials.items():
        for fact in walk(party, Fact):
            if isinstance(fact, gate.takes[-1]):
                together[gate.by(fact)].setdefault(name, fact)
    for members in together.values():
        if len({gate.index(fact) for fact in members.values()}) > 1:
            names = sorted(members, key=lambda name: gate.index(members[name]))
            yield tuple(names), members[names[0]]


def _needed(gate: Gate, member: Fact, facts: Iterable[Fact]) -> int:
    """Return how many members a gate needs, by the public fact that this member fits; 0 if none tells."""
    if len(gate.takes) != 2:
        return 0
    for fact in facts:
        if isinstance(fact, gate.takes[0]) and gate.verify(fact, member):
            return gate.t(fact, member)
    return 0


def _has(party: Principal, kind: type[Fact]) -> bool:
    return any(isinstance(fact, kind) for fact in walk(party, Fact))


def dealers_of(
    groups: Iterable[KeyHolders], officials: States, kept: Mapping[str, Keeping], rules: Iterable[Rule]
) -> tuple[str, ...]:
    """Return who deals the shares of gates, of all parties that were watched: officials and users' devices."""
    kinds = tuple(rule.takes[-1] for rule in rules if isinstance(rule, Gate))
    dealers: dict[str, None] = {}
    for group in groups:
        shares = [
            secrets_of(fact) for name in group.names for fact in walk(officials[name], Fact) if isinstance(fact, kinds)
        ]
        shares = [each for each in shares if each]
        had = [
            name
            for name, keeping in kept.items()
            if name not in group.names and sum(keeping.values.issuperset(each) for each in shares) > 1
        ]
        if not had:
            for_gates = [set(kept[name].facts(kinds)) for name in group.names]
            had = list(group.names) if any(one & other for one, other in combinations(for_gates, 2)) else []
        dealers |= dict.fromkeys(had)
    return tuple(dealers)

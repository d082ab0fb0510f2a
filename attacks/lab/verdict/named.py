"""Whom the wire names: targets of warrants whose being under one somebody learns, computed from bytes.

  network   whoever heard all packets, and has nobody's state
  clients   whoever also has all states of one device of another user

A target is named if the rules give a warrant or order about it, or if the court's signature or the encoded order stands
literally in a packet or state. Traffic analysis (who sends to whom, when, how often, how long) is not modelled, and
what is told in another form is not seen here: `escrow.testing.naming` compares two plays for that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.facts import NETWORK
from attacks.lab.adversary.local import Local
from attacks.lab.adversary.view import Reader
from attacks.lab.results.naming import NamedTargets
from attacks.lab.simulation.record import Record
from attacks.lab.verdict.analysis import Analysis
from escrow import codec
from escrow.codec import Fact, walk
from escrow.derivation import Rule
from escrow.warrant import Order, Warrant


def named(analysis: Analysis) -> NamedTargets:
    """Return how many targets of warrants are named to the network, and how many to clients of other users."""
    record = analysis.record
    rules, kinds = _leading_to_orders(analysis.rules)
    heard = _heard(analysis, kinds)
    network = by_network(analysis)
    told: set[tuple[str, str]] = set()  # (target, user of another device)
    for user in record.scenario.users:
        for device in user.devices:
            states = record.states[device]
            parties = [record.party(device, evening) for evening in range(len(states))]
            held = dict.fromkeys(fact for party in parties for fact in walk(party, Fact) if isinstance(fact, kinds))
            found = _targets(rules, [*heard, *held]) | _literally(record, states)
            told |= {(target, user.name) for target in found - {user.name}}
    return NamedTargets(
        targets=len({warrant.order.target for warrant in record.warrants}),
        network=len(network),
        clients=len({target for target, _ in told}),
        users_told=len(told),
    )


def by_network(analysis: Analysis) -> set[str]:
    """Return the targets of a play's warrants that whoever heard all its packets reads."""
    rules, kinds = _leading_to_orders(analysis.rules)
    heard = (packet.data for packet in analysis.record.heard)
    return _targets(rules, _heard(analysis, kinds)) | _literally(analysis.record, heard)


def _heard(analysis: Analysis, kinds: tuple[type[Fact], ...]) -> list[Fact]:
    """Return the facts of these kinds that the network's packets give."""
    if isinstance(analysis.adversary, Local):
        closure = analysis.closure  # it has read them
        return [closure.facts[number] for number in closure.of_kind(*kinds) if closure.assumed(number) & NETWORK]
    reader = Reader(analysis.scheme, *analysis.attacks)
    return [fact for fact in reader.network(analysis.record.heard) if isinstance(fact, kinds)]


def _leading_to_orders(rules: Iterable[Rule]) -> tuple[list[Rule], tuple[type[Fact], ...]]:
    """Return the rules that give orders, or what such rules need, and so on; and the kinds of facts in them."""
    wanted: set[type[Fact]] = {Order, Warrant}
    left, chosen = list(rules), list[Rule]()
    while more := [rule for rule in left if any(issubclass(give, kind) for give in rule.gives for kind in wanted)]:
        chosen += more
        left = [rule for rule in left if rule not in more]
        wanted.update(kind for rule in more for kind in rule.takes)
    return chosen, tuple(wanted)


def _targets(rules: list[Rule], facts: Collection[Fact]) -> set[str]:
    """Return the targets of all orders that the rules give from these facts."""
    if not facts and all(rule.takes for rule in rules):
        return set()
    closure = Closure(rules)
    for fact in facts:
        closure.learn(fact, "network")
    closure.run()
    return {order.target for fact in closure.facts for order in walk(fact, Order)}


def _literally(record: Record, data: Iterable[bytes]) -> set[str]:
    """Return the targets of warrants of which one of these byte strings contains the signature or the order."""
    apart = tuple(data)
    joined = b"".join(apart)  # searched many times as fast as one after the other; most forms are not even there
    forms = [
        (each.order.target, form) for each in record.warrants for form in (each.signature, codec.encode(each.order))
    ]
    return {target for target, form in forms if form in joined and any(form in each for each in apart)}

"""Layered envelopes: no subset of the holders opens anything, each layer is bound, and faults are caught."""

from itertools import combinations

import pytest
from faulty import fault_found
from msgspec.structs import replace

from attacks import registry as attack_registry
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import SERVED
from attacks.lab.verdict.evaluation import Evaluation
from escrow import codec
from escrow.errors import Forged, Refused
from escrow.schemes import layered
from escrow.schemes.layered import Layered, SealedLayer, open_last, peel
from escrow.testing.harness import Step, playing

SCENARIO = default(users=4, groups=2, days=5, messages=24)


def evaluated(scheme):
    return Evaluation(scheme, list(attack_registry.attacks().values()), SCENARIO)


@pytest.mark.parametrize("n", [3, 4])
def test_all_holders_open_everything_and_any_fewer_nothing(n):
    found = evaluated(scheme := Layered(n=n))
    last = SCENARIO.days - 1
    for few in combinations(scheme.layers, n - 1):
        assert found.analysis.opened_by([Seizure(name, (last,)) for name in few]) == frozenset()
    assert len(found.analysis.opened_by([Seizure(name, (last,)) for name in scheme.layers])) == len(found.record.sent)


def test_where_each_holder_compares_its_own_condition_two_warrants_are_mixed():
    """A warrant for the one target is shown to the holder that compares the target, another to that of the days."""
    opened = {}
    for each in ("whole", "own"):
        taken = [Seizure("authority", tuple(range(-1, SCENARIO.days)))]
        opened[each] = len(evaluated(Layered(conditions=each)).analysis.opened_by(taken, SERVED))
    assert opened == {"whole": 11, "own": 13}


@pytest.mark.parametrize("n", [0, 2, 13])
def test_each_condition_has_a_holder(n):
    with pytest.raises(ValueError, match="layers"):
        Layered(n=n)


def spoken(harness, *steps):
    harness.play(Step("say", device, to) for device, to in steps)
    return [(each, codec.decode(each.mail.field, SealedLayer)) for each in harness.intercepted()]


def keys(harness):
    return [harness.wire.parties[f"layer-{depth}"].key for depth in (1, 2, 3)]


def test_the_layers_open_in_their_order_only():
    with playing(Layered()) as harness:
        _, layer = spoken(harness, ("alice-phone", "bob"))[0]
        first, second, third = keys(harness)
        assert (len(layer.sealed), len(layer.wrapped)) == (3 * 80, 48)
        for wrong in (second, third):
            with pytest.raises(Forged):
                peel(layer, wrong)
        inner = peel(peel(layer, first).following, second).following
        assert open_last(inner, third).chain == layer.chain
        for made in (replace(inner, day=1), replace(inner, people=("alice",)), replace(inner, depth=1)):
            with pytest.raises(Forged):
                open_last(made, third)
        with pytest.raises(Forged, match="layer 2 is not the last"):
            open_last(replace(inner, depth=2), third)
        with pytest.raises(Forged, match="layer 2 is not before the last"):
            peel(replace(layer, depth=2), first)
        with pytest.raises(Forged, match="is not before the last"):
            peel(inner, third)
        with pytest.raises(Forged, match="is not the last"):
            open_last(layer, first)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda layer: replace(layer, sealed=layer.sealed[:-1]), "does not fit"),
        (lambda layer: replace(layer, sealed=b""), "32 bytes"),
        (lambda layer: replace(layer, to=bytes(32)), "is not before the last|does not fit|small order"),
        (lambda layer: replace(layer, depth=2), "a field begins with the first of 3"),
        (lambda layer: replace(layer, depth=0), "a field begins with the first of 3"),
    ],
)
def test_a_malformed_layer_is_refused_by_name_and_the_other_messages_open(spoil, why):
    with playing(Layered()) as harness:
        warrant = harness.served("alice")
        (first, layer), *_, (last, _) = spoken(harness, ("alice-phone", "bob"), ("bob-phone", "alice"))
        mail = replace(first.mail, field=codec.encode(spoil(layer)))
        before = len(harness.wire.refusals)
        assert harness.access(warrant, [replace(first, mail=mail), last]) == {harness.said[-1].body}
        assert len(harness.wire.refusals) > before
        if "begins" in why:
            assert why in harness.wire.refusals[before][2]


def other_part(peeled):
    return replace(peeled, part=replace(peeled.part, value=bytes(32)))


def other_layer(peeled):
    return replace(peeled, following=replace(peeled.following, sealed=bytes(80)))


def other_part_and_layer(peeled):
    layer = other_layer(peeled).following
    return replace(peeled, part=replace(peeled.part, following=layer.name()), following=layer)


@pytest.mark.parametrize("lie", [other_part, other_layer, other_part_and_layer])
@pytest.mark.parametrize("liar", ["layer-1", "layer-2"])
def test_a_holder_that_lies_is_named_and_not_the_next_one(liar, lie):
    class Liar(layered.LayerHolder):
        def give(self, secret, warrant, layer):
            return lie(peel(layer, secret))

    class Lied(Layered, frozen=True, kw_only=True):
        def cast(self, users, court):
            for party in super().cast(users, court):
                yield Liar(party.name, party.key) if party.name == liar else party

    with playing(Lied()) as harness:
        warrant = harness.served("alice")
        spoken(harness, ("alice-phone", "bob"))
        assert harness.access(warrant, harness.intercepted()) == set()
        assert {each.check for each in harness.wire.alarms} == {f"wrong part of {liar}"}
        assert {who for _, who, _ in harness.wire.refusals} <= {"authority"}


def test_no_holder_sees_what_it_opens_for_the_law():
    """With its state, that of a holder which kept each request, the last one opens none of the texts."""
    keeps = attack_registry.attacks()["keeps-everything"]
    cell, _ = evaluated(Layered()).cell(keeps)
    assert (cell.verdict, cell.excluded) == ("AS CLAIMED", 0)


def test_each_holder_refuses_what_the_warrant_does_not_cover():
    with playing(Layered()) as harness:
        warrant = harness.served("alice", 1, 2)
        _, layer = spoken(harness, ("alice-phone", "bob"))[0]
        _, other = spoken(harness, ("bob-phone", "carol"))[-1]
        first, second, _ = keys(harness)
        chains = {
            "layer-1": (layer, other),
            "layer-2": tuple(peel(each, first).following for each in (layer, other)),
            "layer-3": tuple(peel(peel(each, first).following, second).following for each in (layer, other)),
        }
        for name, (early, strange) in chains.items():
            with pytest.raises(Refused, match="window"):
                harness.authority.ask(harness.wire, name, warrant, early)
            with pytest.raises(Refused, match="target"):
                harness.authority.ask(harness.wire, name, warrant, strange)


FAULTS = {
    "a layer is bound to no labels": (
        "a field is bound",
        ("codec.encode((self.labels(), self.wrapped, self.depth, self.to, self.commitments))", 'b"a layer"'),
        ("codec.encode((self.chain, self.n, self.people, self.day, self.header, self.layers))", 'b"labels"'),
    ),
    "a holder answers what its sender did not commit to": (
        "what a sender made wrongly is blamed on no official",
        ("layer.commitments[:1] != (_committed(value, following),)", "not layer.commitments"),
    ),
    "no holder looks at the signature": (
        "no valid warrant no text",
        ("if name == SIGNED or name in key.conditions:", "if name in key.conditions:"),
    ),
    "no holder compares the target": (
        "a request is bound",
        ('CONDITIONS = ("target", "window", "scope")', 'CONDITIONS = ("window", "scope", "scope")'),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_design_is_caught(tmp_path, fault):
    name, *changes = FAULTS[fault]
    assert fault_found(tmp_path, layered, name, changes)

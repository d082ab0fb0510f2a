"""Properties of the measured access structure, and the structures that theory predicts."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks import registry
from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import AccessStructure, Coalition, Seizure
from attacks.lab.adversary.labelling.labels import Labels
from attacks.lab.adversary.view import Reader
from attacks.lab.crosscheck.puppets import Puppets
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import BYTES, MATHEMATICS, SERVED, Analysis, rules_of
from attacks.lab.verdict.cell import Messaging
from escrow.e2ee.content import Text
from escrow.scheme import User
from escrow.schemes import envelope, ghost, plain, split_key
from escrow.sharing import elgamal
from escrow.vocabulary import vocabulary

ATTACKS = tuple(registry.attacks().values())
SCHEMES = {module.SCHEME.name: module.SCHEME for module in (plain, envelope, split_key, ghost)}
SMALL = default(users=4, days=5, messages=16)
FEW = default(users=3, groups=0, days=5, messages=10)


@cache
def measured(scheme, scenario=SMALL):
    return Analysis(scheme, play(scheme, scenario), ATTACKS)


def everything(analysis):
    return {sent.id for sent in analysis.record.sent}


def officials_open(analysis, name=MATHEMATICS):
    """Minimal coalitions of officials, as names, with the ids of the texts that they open."""
    ids = {number: text for text, number in analysis.texts.items()}
    return {
        frozenset(member.principal for member in row.coalition.members): {ids[each] for each in row.opens}
        for row in analysis.structure(name).table(analysis.record.cast.officials)
    }


@st.composite
def seizures(draw, analysis):
    """Some principals, each taken on one of a few evenings, whichever."""
    days = analysis.record.scenario.days
    on = st.sets(st.integers(0, days - 1), min_size=1, max_size=3).map(lambda found: tuple(sorted(found)))
    return draw(st.lists(st.builds(Seizure, st.sampled_from(sorted(analysis.record.states)), on), max_size=5))


# --- properties ---


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(SCHEMES)))
def test_more_corruption_never_opens_less(data, name):
    analysis = measured(SCHEMES[name])
    few = data.draw(seizures(analysis))
    more = few + data.draw(seizures(analysis))
    for each in analysis.labels.passes():
        opened = analysis.opened_by(few, each)
        assert analysis.opened_by([], each) <= opened <= analysis.opened_by(more, each)
        assert analysis.opened_by(few) <= opened  # no service takes anything away
        fixed = [Seizure(one.principal, one.evenings[:1]) for one in few]
        assert opened <= analysis.opened_by(fixed, each)  # "whichever evening" is the worst of them


@settings(max_examples=12, deadline=None)
@given(st.data(), st.sampled_from(["plain", "envelope", "ghost"]))
def test_labels_say_what_a_closure_of_the_coalitions_facts_derives(data, name):
    analysis = measured(SCHEMES[name])
    taken = [Seizure(one.principal, one.evenings[:1]) for one in data.draw(seizures(analysis))]
    record, reader = analysis.record, Reader(SCHEMES[name], *ATTACKS)
    closure = Closure(rules_of(SCHEMES[name], ATTACKS))
    for fact in reader.network(record.heard):
        closure.learn(fact, "network")
    chosen = {(one.principal, one.evenings[0]) for one in taken}
    for held in reader.states(record.states, record.kinds):
        if (held.holder, held.evening) in chosen:
            closure.learn(*held)
    closure.run()
    bodies = {fact.body for fact in closure.facts if isinstance(fact, Text)}
    assert {sent.id for sent in record.sent if sent.body in bodies} == analysis.opened_by(taken)


@pytest.mark.parametrize("name", SCHEMES)
def test_nobody_opens_nothing(name):
    plays = TwoPlays(SCHEMES[name], SMALL)
    record = plays.record
    analysis = Analysis(SCHEMES[name], record, ATTACKS, door=plays)
    assert all(not analysis.opened_by([], each) for each in (MATHEMATICS, SERVED, BYTES))
    assert not Puppets(SCHEMES[name], record).opened([])


STEADY = msgspec.structs.replace(SMALL, late_percent=0, loss_percent=100)  # dice of a link depend on names


def renamed(scenario, new):
    """The same people and devices under other names."""
    devices = {name: name.replace(user.name, new[user.name]) for user in scenario.users for name in user.devices}
    names = devices | new

    def translate(value):
        if isinstance(value, dict):
            return {key: translate(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [translate(inner) for inner in value]
        return names.get(value, value)

    return msgspec.convert(translate(msgspec.to_builtins(scenario)), type(scenario)), devices


def shape(analysis, name, names):
    """Each text's minimal coalitions, under new names."""
    structure = analysis.structure(name)
    coalitions = {
        text: [structure.coalition(mask).members for mask in analysis.masks(text, name)] for text in analysis.texts
    }
    return {
        text: {
            frozenset((names.get(one.principal, one.principal), one.evenings) for one in members) for members in each
        }
        for text, each in coalitions.items()
    }


@settings(max_examples=4, deadline=None)
@given(st.permutations(["mallory", "alice", "zoe", "bob"]), st.sampled_from(["plain", "envelope", "ghost"]))
def test_renaming_parties_changes_nothing(new, name):
    scenario, names = renamed(STEADY, dict(zip((user.name for user in STEADY.users), new, strict=True)))
    before, after = measured(SCHEMES[name], STEADY), measured(SCHEMES[name], scenario)
    assert scenario.users[0] == User(new[0], (f"{new[0]}-phone", f"{new[0]}-laptop"))
    for each in (MATHEMATICS, SERVED):
        assert shape(before, each, names) == shape(after, each, {})
        assert shape(before, each, names)


# --- structures that theory predicts ---


def test_envelope_the_agent_opens_all_and_the_authority_what_it_was_given():
    analysis = measured(envelope.SCHEME)
    lawful = Messaging(analysis.record).lawful
    assert set() < lawful < everything(analysis)
    mathematics = {frozenset({"agent"}): everything(analysis), frozenset({"authority"}): lawful}
    assert officials_open(analysis) == mathematics
    assert officials_open(analysis, SERVED) == mathematics | {frozenset({"court"}): everything(analysis)}


@pytest.mark.parametrize(("t", "n", "scenario"), [(2, 3, SMALL), (3, 5, FEW)])
def test_split_key_exactly_the_t_subsets_open_all(t, n, scenario):
    analysis = measured(split_key.SplitKey(t=t, n=n), scenario)
    lawful = Messaging(analysis.record).lawful
    assert set() < lawful < everything(analysis)
    subsets = {frozenset(chosen): everything(analysis) for chosen in combinations(analysis.scheme.agents, t)}
    assert officials_open(analysis) == subsets | {frozenset({"authority"}): lawful}
    served = officials_open(analysis, SERVED)
    assert served == subsets | {frozenset({"authority"}): lawful, frozenset({"court"}): everything(analysis)}


def test_ghost_the_authority_reads_on_from_the_insertion_and_no_other_official_reads():
    analysis = measured(ghost.SCHEME, default(messages=60))
    opened = officials_open(analysis)
    assert set(opened) == {frozenset({"authority"})}
    entitled = Messaging(analysis.record).entitled
    first = min(warrant.order.issued for warrant in analysis.record.warrants)
    for evening in range(analysis.record.scenario.days):
        found = analysis.opened_by([Seizure("authority", (evening,))])
        assert found <= entitled and bool(found) == (evening >= first)


def test_plain_no_official_opens_anything():
    assert officials_open(measured(plain.SCHEME)) == officials_open(measured(plain.SCHEME), SERVED) == {}


# --- large groups, by the sharing facts alone ---


@cache
def group_of(t, n):
    """(structure, the number of the fact that a capsule opens to) where agent-i holds share i of a fresh key."""
    group, shares = elgamal.deal(t, n)
    capsule, _, shared = elgamal.encapsulate(group)
    closure = Closure(vocabulary(elgamal).rules)
    for fact in (group, capsule):
        closure.learn(fact, "network")
    for share in shares:
        closure.learn(share, f"agent-{share.index}", 0)
    closure.run()
    found = closure.ids[elgamal.Opened(group.name, capsule.point, shared)]
    return AccessStructure(Labels(closure), [found]), found


def agents(indexes):
    return Coalition(tuple(Seizure(f"agent-{i}", (0,)) for i in indexes))


def test_five_of_nine_are_126_coalitions_of_five():
    structure, found = group_of(5, 9)
    rows = list(structure.table())
    assert {row.coalition for row in rows} == {agents(chosen) for chosen in combinations(range(1, 10), 5)}
    assert len(rows) == 126 and all(row.opens == {found} for row in rows)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(1, 100), min_size=60, max_size=75))
def test_sixty_seven_of_a_hundred_are_one_symbolic_threshold(chosen):
    structure, found = group_of(67, 100)
    (row,) = structure.table()
    (wide,) = row.coalition.thresholds
    assert row.coalition.members == () and wide.t == 67
    assert sorted(wide.of) == sorted(f"agent-{i}@0" for i in range(1, 101))
    assert structure.cost(row.mask) == (67.0, True)
    assert structure.opens(agents(chosen)) == ({found} if len(chosen) >= 67 else set())

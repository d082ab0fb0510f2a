"""Clipper: who opens what, and faults planted on purpose, each of which is caught."""

import pytest

from attacks import registry
from attacks.field_stripping import FieldStripping
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.labelling.labels import MATHEMATICS
from attacks.lab.runs.matrix import run_cell
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.access.anatomy import anatomy
from attacks.lab.verdict.analysis import Analysis
from attacks.specimens import control_scenario
from escrow.crypto import Run, running
from escrow.errors import Forged
from escrow.schemes.clipper import scheme as clipper
from escrow.schemes.clipper.chip import combine, program
from escrow.schemes.clipper.field import ClipperField, Identity, UnitRequest, certify
from escrow.schemes.clipper.phone import ClipperDevice
from escrow.schemes.clipper.scheme import SCHEME, Clipper, Programmer
from escrow.schemes.plain import SCHEME as PLAIN
from escrow.testing import properties
from escrow.testing.harness import Step, playing


@pytest.fixture(autouse=True)
def seeded():
    """One bit flip in 65,536 passes a checksum by chance: here the same ones each time."""
    with running(Run(b"tests of clipper".ljust(32, b"\0"))):
        yield


# --- who opens what ---

EVERY = tuple(registry.attacks().values())
SCENARIO = default(users=4, groups=2, days=6, messages=60)


@pytest.fixture(scope="module")
def analysis():
    return Analysis(SCHEME, play(SCHEME, SCENARIO), EVERY)


def sent_by(analysis, user, days=range(SCENARIO.days)):
    return {text.id for text in analysis.record.sent if text.device.startswith(user) and text.day in days}


def test_both_agents_and_the_family_key_open_everything_and_neither_alone_anything(analysis):
    everything = {sent.id for sent in analysis.record.sent}
    agents = [Seizure("agent-1", (3,)), Seizure("agent-2", (3,))]
    assert analysis.opened_by([*agents, Seizure("authority", (0,))]) == everything
    assert analysis.opened_by([*agents, Seizure("carol-phone", (0,))]) >= everything - {
        sent.id for sent in analysis.record.sent if sent.device == "carol-phone"
    }
    for one in agents:
        others = [Seizure(name, (3,)) for name in ("court", "provider", "programmer")]
        assert analysis.opened_by([one, *others]) == frozenset()
    assert analysis.opened_by(agents) == frozenset()  # they have unit keys, and cannot tell whose LEAF is whose


def test_one_unit_key_opens_that_units_traffic_past_and_future_and_no_other(analysis):
    """A chip's own key, with the family key that is in every chip: all that its device ever sends."""
    opened = analysis.opened_by([Seizure("alice-phone", (3,))])
    own = {text.id for text in analysis.record.sent if text.device == "alice-phone"}
    before, after = (
        {text for text in own if analysis.record.sent[text].day in days} for days in (range(3), range(4, 6))
    )
    assert before and after
    assert own <= opened
    plain = Analysis(PLAIN, play(PLAIN, SCENARIO), ())
    assert not before & plain.opened_by([Seizure("alice-phone", (3,))])
    assert not opened & sent_by(analysis, "dave", range(2))


def test_the_seeds_of_the_session_open_every_unit_made_in_it_while_they_last(analysis):
    everything = {sent.id for sent in analysis.record.sent}
    assert analysis.opened_by([Seizure("programmer", (0,))]) == everything
    assert analysis.opened_by([Seizure("programmer", tuple(range(1, 6)))]) == frozenset()
    first, last = analysis.record.party("programmer", 0), analysis.record.party("programmer", 1)
    assert isinstance(first, Programmer) and isinstance(last, Programmer)
    assert len(first.seeds) == 2 and not last.seeds and not last.bench.loaded
    halves = [program(*first.seeds, serial) for serial in first.serials]
    chips = [analysis.record.party(name, 0).chip for name in analysis.record.cast.devices]
    assert {combine(*pair) for pair in halves} == {chip.unit for chip in chips}


@pytest.fixture(scope="module")
def measured():
    return anatomy(SCHEME, (), SCENARIO)


def test_anatomy_shows_unit_keys_seeds_and_agents(measured):
    passive = {row.members: row for row in measured.minimal_coalitions if row.label_pass == MATHEMATICS}
    assert passive["programmer@set-up,0",].opens == 60
    assert passive["agent-1@set-up,0-5", "agent-2@set-up,0-5", "programmer@set-up,0-5"].officials_only
    chip = passive["alice-phone@0-5",].by_day["3"]
    assert chip.earlier and chip.later
    assert not any(set(row) <= {"agent-1@set-up,0-5", "agent-2@set-up,0-5"} for row in passive)


def test_anatomy_tells_identities_from_content(measured, analysis):
    """Each chip, the processor and the programmer name every field's sender; who has only the family key reads none."""
    found = measured.identities
    sent = {(fact.chain, fact.n) for fact in analysis.closure.facts if isinstance(fact, ClipperField)}
    assert found.fields == len(sent) > 60 and not found.unmeasured
    named = [row for row in found.coalitions if row.label_pass == MATHEMATICS]
    devices = analysis.record.cast.devices
    officials = {(f"{name}@set-up,0-5",) for name in ("authority", "programmer")}
    assert {row.members for row in named} == {(f"{name}@0-5",) for name in devices} | officials
    assert {row.names for row in named} == {found.fields}
    assert {row.members: row.opens_nothing for row in named if row.opens_nothing} == {
        ("programmer@set-up,0-5",): (1, 2, 3, 4, 5)  # the unit keys on its bench are gone, the family key is not
    }


def test_anatomy_shows_what_a_unit_key_the_seeds_and_the_family_key_give_by_themselves(measured, analysis):
    rows = {row.kinds: row for row in measured.identities.secrets}
    assert set(rows) == {
        ("FamilyKey",),
        ("FamilyKey", "UnitKey"),
        ("FamilyKey", "FiledHalf", "FiledHalf"),
        ("FamilyKey", "Seed", "Seed"),
    }
    family, unit, seeds = rows["FamilyKey",], rows["FamilyKey", "UnitKey"], rows["FamilyKey", "Seed", "Seed"]
    assert (family.sets, family.opens, family.names) == (1, 0, measured.identities.fields)
    said = [sum(text.device == name for text in analysis.record.sent) for name in analysis.record.cast.devices]
    assert (unit.sets, unit.least, unit.most, unit.opens) == (len(said), min(said), max(said), 60)
    assert unit.first_day < unit.last_day  # whenever it is taken
    assert (seeds.sets, seeds.least, seeds.opens) == (1, 60, 60)


def test_a_scheme_without_identities_has_none_in_its_anatomy():
    assert anatomy(PLAIN, (), control_scenario()).identities is None


def test_where_the_adversary_is_isolated_identities_are_said_not_to_be_measured():
    found = anatomy(SCHEME, (), control_scenario(), isolated=True).identities
    assert found.unmeasured and not found.coalitions


def test_the_family_key_alone_gives_identities_and_no_content(analysis):
    """Whoever holds a chip, or the processor, reads who made each LEAF; to read a text takes something more."""
    labels, closure = analysis.labels, analysis.closure
    structure = analysis.structure()
    numbers = [number for number, fact in enumerate(closure.facts) if isinstance(fact, Identity)]
    holders = {name for name in analysis.record.states if name not in {"agent-1", "agent-2", "court", "provider"}}
    assert len(numbers) > 60
    for number in numbers:
        coalitions = [structure.coalition(mask) for mask in labels.masks(number, MATHEMATICS)]
        assert {tuple(each.principal for each in coalition.members) for coalition in coalitions} == {
            (name,) for name in holders
        }
    without = [Seizure("programmer", (5,)), Seizure("provider", (5,)), Seizure("court", (5,))]
    assert analysis.opened_by(without) == frozenset()


def test_agents_take_the_requesters_word_for_who_was_on_the_line(analysis):
    """With one warrant in force an authority certifies any unit into it: its checks open what it was not given."""
    assert analysis.closure.fired["escrow.schemes.clipper.field.certify"]
    served = analysis.opened_by([Seizure("authority", (5,))], "served")
    assert served == {sent.id for sent in analysis.record.sent}
    order = analysis.record.warrants[0].order
    asked = certify(UnitRequest(b"", 0, ("carol", "dave"), 0, b"unit"), order)
    assert order.covers(asked.people, asked.day) and asked.people[0] == "carol"


# --- parameters ---


@pytest.mark.parametrize(
    "parameters",
    [
        {"mode": "aead"},
        {"mode": "cbc", "binds": "iv ks"},
        {"width": 32},
        {"width": 32, "partial": True},
        {"width": 8, "binds": "ks"},
        {"binds": "iv ks uid wk peer"},
        {"derives": True},
        {"most_bad": 3},
        {"refuses_own": True},
    ],
    ids=str,
)
def test_mail_and_access_come_through_under_every_repair(parameters):
    with playing(Clipper(**parameters)) as harness:
        warrant = harness.issued("alice")
        harness.play(
            [Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "choir"), Step("say", "bob-phone", "alice")]
        )
        assert harness.shown == harness.meant
        assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}


def test_where_keys_are_derived_no_sender_chooses_one():
    with playing(Clipper(derives=True)) as harness:
        device = harness.device("alice-phone")
        device.derives = False
        harness.play([Step("say", "alice-phone", "bob")])
        assert harness.shown.total() == 0
        assert all(reason == "alice-phone chose the session key" for _, _, reason in harness.wire.refusals)


# --- faults, each in one line, and what catches it ---


class Credulous(ClipperDevice):
    def admit(self, mail, found):
        """Whatever travels beside a text is well."""


class OneDevice(FieldStripping):
    """One device of one target strips its fields; all receivers are honest."""

    strategies = Attack.strategies


class Unescorted(Clipper, frozen=True, kw_only=True):
    device = Credulous


def test_fault_a_receiver_that_checks_nothing_is_caught_by_field_stripping():
    scenario = control_scenario()
    assert run_cell(Unescorted(), OneDevice(), scenario).evaded > 0
    assert run_cell(SCHEME, OneDevice(), scenario).verdict == "HELD"


def test_fault_a_wrapped_key_bound_to_nothing_is_caught_by_a_property(monkeypatch):
    prop = next(prop for prop in properties.PROPERTIES if prop.name == "a field is bound")
    assert prop.broken(SCHEME) == ""
    monkeypatch.setattr(ClipperField, "context", lambda self: b"")
    assert "a text is yielded with" in prop.broken(SCHEME)


@pytest.mark.parametrize(("check", "under"), [("window", "a warrant for other days"), ("target", "somebody else")])
def test_fault_an_agent_that_leaves_out_a_check_is_caught_by_a_property(monkeypatch, check, under):
    prop = next(prop for prop in properties.PROPERTIES if prop.name == "no valid warrant no text")
    assert prop.broken(SCHEME) == ""
    honest = clipper.agent_checks

    def left_out(self, *asked):
        return ((name, holds or name == check) for name, holds in honest(*asked))

    monkeypatch.setattr(clipper.ClipperAgent, "checks", left_out)
    assert under in prop.broken(SCHEME)


def test_fault_a_promise_written_as_mathematics_is_caught_by_a_property(monkeypatch):
    prop = next(prop for prop in properties.PROPERTIES if prop.name == "promises are no mathematics")

    def give(self, half, warrant, request):
        if request.people[0] != half.owner:
            raise Forged("not this owner's")
        raise Forged("never")

    monkeypatch.setattr(clipper.ClipperAgent, "give", give)
    assert "agent" in prop.broken(SCHEME)

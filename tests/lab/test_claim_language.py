"""The language of claims: who may open what, read, counted in coalitions, and refused where it is none."""

from functools import cache

import msgspec
import pytest

from attacks.lab.adversary.coalitions import Coalition, CoalitionThreshold, Seizure
from attacks.lab.simulation.attack import Turn
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.delivery import Messaging
from escrow.grants import Claim, Concession, Exclusion, Grant, Quotation, check_cast, checked, extents, read_who
from escrow.schemes.split_key import SplitKey

SAID = Quotation("It is so.", "A paper", "p. 1")


def claim(*grants, **more):
    return Claim(words="", section="", grants=grants, access="none", **more)


@cache
def record():
    return play(SplitKey(), small())


def coalition(*members, wide=()):
    read = (each.partition("@") for each in members)
    return Coalition(tuple(Seizure(name, tuple(map(int, on.split(","))) if on else ()) for name, _, on in read), wide)


ANY = (CoalitionThreshold(2, ("agent-1", "agent-2", "agent-3")),)


@pytest.mark.parametrize(
    ("who", "shape", "met"),
    [
        ("agent-1", coalition("agent-1"), True),
        ("agent-1", coalition("agent-2"), False),
        ("agent", coalition("agent-3"), True),
        ("2 of agent", coalition("agent-3"), False),
        ("2 of agent-*", coalition("agent-3@0", "agent-3@1"), False),
        ("2 of agent-*", coalition("agent-3", "agent-1"), True),
        ("2 of agent-*", coalition(wide=ANY), True),
        ("3 of agent-*", coalition(wide=ANY), False),
        ("agent-1", coalition(wide=ANY), False),
        ("agent-1 and agent-2", coalition("agent-1", "agent-2"), True),
        ("agent-1 and agent-2", coalition("agent-1", "agent-3"), False),
        ("agent-1 and agent-2 or dealer", coalition("dealer"), True),
        ("agent-1 and (agent-2 or dealer)", coalition("dealer"), False),
        ("agent-1 and (agent-2 or dealer)", coalition("dealer", "agent-1"), True),
        ("dealer and device", coalition("dealer", "alice-phone"), True),
        ("dealer and device", coalition("dealer", "agent-1"), False),
        ("nobody", coalition("dealer", "agent-1", "agent-2", "agent-3"), False),
        ("*", coalition("alice-phone"), False),
    ],
)
def test_who_is_counted_in_a_coalition(who, shape, met):
    judge = Judge(record(), claim(Grant(who, "everything")))
    assert judge.granted(shape, record().sent[0].id) == met


@pytest.mark.parametrize(
    "who",
    [
        "",
        "and",
        "agent and",
        "agent or or dealer",
        "(agent",
        "agent)",
        "2 agent",
        "2 of",
        "0 of agent",
        "2 of and",
        "a b",
    ],
)
def test_what_is_no_sentence_of_the_language_is_refused(who):
    with pytest.raises(ValueError):
        read_who(who)
    with pytest.raises(TypeError, match=r"its claim's grants\[0\]\.who: "):
        checked(claim(Grant(who, "everything")))


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (
            claim(Grant("agent", "everythin")),
            r"grants\[0\]\.extent: 'everythin' is no extent; the extents",
        ),
        (claim(Grant("agent", "everything and nothing")), r"grants\[0\]\.extent: 'nothing'"),
        (claim(Grant("device", "everything")), r"grants\[0\]\.extent: a device alone"),
        (claim(Grant("agent", "own")), r"grants\[0\]\.extent: 'agent' is no device"),
        (claim(Grant("device", "own and before the theft")), r"grants\[0\]\.extent: 'own' must stand alone"),
        (claim(Grant("2 of agent", "everything", 2)), r"grants\[0\]\.t: '2 of agent' says already how many"),
        (claim(concessions=(Concession("device", "missed", SAID),)), r"concessions\[0\]\.extent: 'missed'"),
        (claim(model=(Exclusion("device", "w", "s", times=0),)), r"model\[0\]: times"),
    ],
)
def test_a_wrong_word_is_refused_with_its_field(made, field):
    with pytest.raises(TypeError, match=f"its claim's {field}"):
        checked(made)


def test_a_claim_names_its_cast():
    names = ["dealer", "agent-1", "agent-2"]
    check_cast(claim(Grant("2 of agent", "everything"), model=(Exclusion("quantum", "w", "s"),)), names, ["quantum"])
    for made, field in (
        (
            claim(Grant("agent and deeler", "everything")),
            r"grants\[0\]\.who: nobody is called 'deeler'; there",
        ),
        (claim(Grant("3 of agent", "everything")), r"grants\[0\]\.t: 3 of 'agent', and only agent-1, agent-2 fit"),
        (claim(Grant("quantum", "everything")), r"grants\[0\]\.who: nobody is called 'quantum'"),
        (
            claim(concessions=(Concession("clerk", "everything", SAID),)),
            r"concessions\[0\]\.who: nobody",
        ),
        (claim(model=(Exclusion("clerk", "w", "s"),)), r"model\[0\]\.who: nobody is called 'clerk'"),
    ):
        with pytest.raises(TypeError, match=f"its claim's {field}"):
            check_cast(made, names, ["quantum"])


# --- extents ---


def granted_days(extent, shape, turned=()):
    """Return the days of texts that the extent grants to whoever has an agent."""
    made = msgspec.structs.replace(record(), corrupted=tuple(turned))
    judge = Judge(made, claim(Grant("agent", extent)))
    return {sent.day for sent in made.sent if judge.granted(shape, sent.id)}


def test_extents_that_speak_of_the_theft():
    days = {sent.day for sent in record().sent}
    assert days == {0, 1, 2, 3}
    once = coalition("agent-1@1")
    assert granted_days("from the theft on", once) == {2, 3}
    assert granted_days("before the theft", once) == {0}
    assert granted_days("of the day of the theft", once) == {1}
    some = coalition("agent-1@1,2")
    assert granted_days("from the theft on", some) == {3}, "on each of the evenings"
    assert granted_days("before the theft", some) == {0}
    assert granted_days("of the day of the theft", some) == set()
    last = coalition("agent-1@0", "agent-2@2")
    assert granted_days("from the theft on", last) == {3}, "the theft is the last one"
    assert granted_days("from the theft on", coalition("agent-1@1,2,3"), [Turn("agent-1", 1)]) == {1, 2, 3}
    assert granted_days("before the theft", coalition("agent-1@1,2,3"), [Turn("agent-1", 1)]) == {0}


def test_extents_are_joined_and_scope_follows_the_warrants():
    agent = coalition("agent-1@1")
    judge = Judge(record(), claim(Grant("agent", "in scope of a served warrant and from the theft on")))
    granted = {sent.id for sent in record().sent if judge.granted(agent, sent.id)}
    covered = Messaging(record()).entitled
    assert granted == {each for each in covered if judge.by_id[each].day > 1} != set()
    targets = {warrant.order.target for warrant in record().warrants}
    wide = Judge(record(), claim(Grant("agent", "of the target of a served warrant")))
    assert {sent.id for sent in record().sent if wide.granted(agent, sent.id)} == {
        sent.id for sent in record().sent if targets & set(sent.people)
    }
    since = Judge(record(), claim(Grant("agent", "in scope of a served warrant and from service on")))
    found = {sent.id for sent in record().sent if since.granted(agent, sent.id)}
    assert found <= covered
    assert extents("in scope and from service on") == ("in scope", "from service on")


def test_a_model_and_a_concession_say_where():
    twice, stolen = Exclusion("device", "once", "s", times=2), Exclusion("device", "sealed", "s", stolen=True)
    judge = Judge(record(), claim(model=(twice,), concessions=(Concession("dealer", "everything", SAID),)))
    assert judge.outside(coalition("alice-phone@0", "alice-phone@2")) == "once"
    assert judge.outside(coalition("alice-phone@0", "bob-phone@2")) == ""
    assert judge.conceded(coalition("dealer"), record().sent[0].id) == "A paper, p. 1"
    assert judge.conceded(coalition("agent-1"), record().sent[0].id) == ""
    turned = msgspec.structs.replace(record(), corrupted=(Turn("alice-phone", 0),))
    assert Judge(record(), claim(model=(stolen,))).outside(coalition("alice-phone")) == "sealed"
    assert Judge(turned, claim(model=(stolen,))).outside(coalition("alice-phone")) == ""


def test_misses_are_conceded_by_their_ends():
    first = record().sent[0]
    ends = (first.device, *first.intended)
    for extent, corrupted, conceded in (
        ("missed if an end is corrupted", ends[:1], True),
        ("missed if all ends are corrupted", ends[:1], False),
        ("missed if all ends are corrupted", ends, True),
        ("missed if an end is corrupted", (), False),
    ):
        made = msgspec.structs.replace(record(), corrupted=tuple(Turn(each, 0) for each in corrupted))
        judge = Judge(made, claim(concessions=(Concession("device", extent, SAID),)))
        assert judge.missed([first.id]) == ({first.id: "A paper, p. 1"} if conceded else {})

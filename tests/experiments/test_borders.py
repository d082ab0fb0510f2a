"""Several governments: the counts follow from residence alone, and a key that opens more does not agree."""

from functools import cache

import pytest

from attacks.experiments import borders
from attacks.experiments.borders import EXPERIMENT, WAYS

SCENARIO = EXPERIMENT.scenario
NUMBER = {user.name: at for at, user in enumerate(SCENARIO.users)}
OWNER = {device: user.name for user in SCENARIO.users for device in user.devices}


@cache
def figures(at):
    return {figure.quantity.partition(": ")[2]: figure for figure in EXPERIMENT.figures(WAYS[at])}


@pytest.mark.parametrize("at", range(len(WAYS)), ids=[way.title for way in WAYS])
def test_every_count_is_the_one_that_follows_from_residence(at):
    assert all(figure.agrees for figure in figures(at).values())


def test_texts_are_told_apart_by_who_resides_with_the_government():
    sent = received = across = 0
    for said in SCENARIO.texts():
        author = OWNER[said.device]
        others = [name for name in SCENARIO.people(said) if name != author]
        sent += NUMBER[author] % 3 == 0
        received += any(NUMBER[name] % 3 == 0 for name in others)
        across += all(NUMBER[name] % 3 for name in (author, *others))
    read = [
        figures(0)[f"texts {what} that key 1 opens"].measured
        for what in ("sent by residents", "received by residents", "across the border, of the host here")
    ]
    assert read == [sent, received, across]
    assert figures(1)["texts across the border, of the host here that key 1 opens"].measured == 0 < across


def test_fewer_governments_get_fewer_bytes_and_one_agent_the_fewest():
    each, home, together, one = (figures(at)["bytes of a field"].measured for at in range(4))
    assert one < home < each < together
    assert all(figures(at)["time of a text"].measured > 0 for at in range(4))


def test_a_key_that_opens_what_is_across_the_border_does_not_agree(monkeypatch):
    monkeypatch.setattr(borders, "_opened", lambda analysis, names: frozenset(sent.id for sent in analysis.record.sent))
    wrong = [figure.quantity for figure in EXPERIMENT.figures(WAYS[1]) if not figure.agrees]
    assert any("across the border" in each for each in wrong)
    assert any("weakest coalition" in each for each in wrong)

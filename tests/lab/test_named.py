"""Whom the wire names: counted from bytes, none where requests are sealed, all where they are not."""

from types import SimpleNamespace

import pytest

from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.named import _literally, named
from escrow import codec, registry
from escrow.schemes import ghost
from escrow.warrant import Authority, Court, Serve

SCHEMES = registry.schemes()
SCENARIO = default(messages=60)
TARGETS = len({warrant.target for warrant in SCENARIO.warrants})


def counted(scheme):
    return named(Evaluation(SCHEMES[scheme], (), SCENARIO).analysis)


def in_the_clear(authority, wire, official, warrant, subject, reply):
    return wire.ask(authority.name, official, authority.request(warrant, codec.encode(subject)), reply)


def served_in_the_clear(court, wire, authority, warrant):
    wire.tell(court.name, authority, Serve(warrant))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_scheme_names_a_target_to_the_network_but_one_that_says_that_it_makes_warrants_public(scheme):
    found, declared = counted(scheme), SCHEMES[scheme].overheard
    assert (found.targets, bool(found.network)) == (TARGETS, any(each.warrants for each in declared))
    assert bool(found.clients) == bool(found.users_told) <= bool(declared)


def test_a_signature_is_read_in_one_packet_and_not_across_two():
    record = Evaluation(SCHEMES["plain"], (), SCENARIO).analysis.record
    warrant = record.warrants[0]
    for first in range(1, len(warrant.signature)):
        assert _literally(record, [b"", warrant.signature[:first], warrant.signature[first:]]) == set()
    assert _literally(record, [b"", b"before" + warrant.signature + b"behind"]) == {warrant.order.target}


@pytest.mark.parametrize(
    ("scheme", "where", "name", "planted"),
    [
        ("split-key", Authority, "put", in_the_clear),
        ("plain", Court, "serve", served_in_the_clear),
        (
            "ghost",
            ghost,
            "hpke",
            SimpleNamespace(seal=lambda to, plain, info: plain, open_=lambda key, data, info: data),
        ),
    ],
)
def test_what_is_sent_in_the_clear_is_counted(monkeypatch, scheme, where, name, planted):
    monkeypatch.setattr(where, name, planted)
    found = counted(scheme)
    assert 0 < found.network <= TARGETS
    assert found.clients >= found.network  # clients hear the network too

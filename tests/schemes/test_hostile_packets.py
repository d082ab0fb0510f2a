"""Packets of any content, from anybody: no party goes down, and no text comes to a screen but those that were sent."""

import typing
from functools import cache
from types import NoneType, UnionType

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from attacks.lab.adversary.view import words_of
from escrow import codec, crypto, registry
from escrow.codec import Fact, Packet, Public
from escrow.confidential import confidential
from escrow.e2ee.contacts import compare_safety_numbers
from escrow.e2ee.provider import (
    Collect,
    Delivery,
    DeviceList,
    DevicesOf,
    Fetch,
    Group,
    GroupOf,
    Listed,
    Mail,
    OwnerOf,
    Provider,
    Publish,
)
from escrow.e2ee.x3dh import Bundle
from escrow.errors import EscrowError, Refused
from escrow.principal import corrupted, handlers_of, revive
from escrow.schemes import plain
from escrow.testing.harness import DEVICES, NAMES, Step, playing
from escrow.warrant import Serve

SCHEMES = registry.schemes()
MOST = 5_000  # lists of packets for each scheme in the long profile: one or two minutes, and half an hour for all


def packets_of(scheme):
    return frozenset(kind for kind in words_of(SCHEMES[scheme]).types if issubclass(kind, Packet)) - {Packet}


def served(scheme):
    """(harness, warrant about alice, what was intercepted): the lawful access was run."""
    with playing(SCHEMES[scheme]) as harness:
        warrant = harness.issued("alice")
        harness.wire.parties["authority"] = corrupted(harness.authority)
        harness.serve(warrant)
        harness.play([Step("say", "bob-phone", "alice")])
        intercepted = harness.intercepted()[:1]
        harness.access(warrant, intercepted)
        return harness, warrant, intercepted


# --- whatever anybody sends ---

KEYS = st.sampled_from([b"", b"\x01", bytes(16), bytes(32), b"\x01" + bytes(31), bytes(33), b"\x02" * 33, bytes(64)])
NUMBERS = st.sampled_from([0, 1, 2, 3, 9, 2**31, 2**63 - 1, -1, -(2**63)])


def picked(things):
    """One of them; told by its number, for hypothesis would spell out all of what it picks from."""
    return st.integers(0, len(things) - 1).map(lambda at: things[at])


def values(hint, found):
    """A strategy for any value of a type: hostile numbers and keys, names that exist and not, what was heard before."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        return st.one_of(*(values(each, found) for each in inner))
    if origin is tuple:
        return st.lists(values(inner[0], found), max_size=2).map(tuple)
    if origin is typing.Literal:
        return st.sampled_from([*inner, "of no such value"])
    if hint is NoneType:
        return st.none()
    if hint is bool:
        return st.booleans()
    if hint is int:
        return NUMBERS
    if hint is str:
        return st.sampled_from([*NAMES, *DEVICES, "", "nobody", "choir", "authority"])
    if hint is Public or hint is bytes:
        return KEYS | picked(found["bytes"])
    parts = typing.get_type_hints(hint, include_extras=True)
    made = st.tuples(*(values(parts[name], found) for name in hint.__struct_fields__)).map(
        lambda each: made_of(hint, each)
    )
    return st.one_of(made.filter(lambda each: each is not None), *([picked(found[hint])] if found.get(hint) else []))


def made_of(kind, parts):
    try:
        return kind(*parts)
    except ValueError:  # it checks itself
        return None


def heard_by(harness, kinds):
    """The facts, packets and byte strings of a conversation, by type."""
    found = {"bytes": []}

    def collect(value):
        if isinstance(value, Fact | Packet):
            found.setdefault(type(value), []).append(value)
        if isinstance(value, bytes):
            found["bytes"].append(value)
        for inner in value if isinstance(value, tuple) else ():
            collect(inner)
        for name in value.__struct_fields__ if isinstance(value, msgspec.Struct) else ():
            collect(getattr(value, name))

    for heard in harness.wire.heard:
        collect(codec.decode_any(heard.data, kinds))
    return found


def pelt(scheme, how):
    """Any packet that a party answers, of any content, from anybody; then everybody collects and writes again."""
    harness, warrant, intercepted = served(scheme)
    states = {name: (party.state(), type(party)) for name, party in harness.wire.parties.items()}
    found = heard_by(harness, packets_of(scheme))
    doors = [(name, packet) for name, (_, kind) in states.items() for packet in handlers_of(kind)]
    packets = {kind: values(kind, found) for _, kind in doors}
    senders = ["carol-phone", *states, "nobody"]

    @st.composite
    def arrival(draw):
        name, kind = draw(st.sampled_from(doors))
        return draw(st.sampled_from(senders)), name, draw(packets[kind])

    @how
    @given(st.lists(arrival(), max_size=6))
    def case(sent):
        with playing(SCHEMES[scheme]) as fresh:
            fresh.wire.parties = {name: revive(*state) for name, state in states.items()}
            for sender, name, packet in sent:
                try:
                    fresh.wire.parties[name].answer(sender, codec.encode(packet), fresh.wire)
                except EscrowError:
                    continue
            for device in DEVICES:
                try_to(fresh, Step("collect", device))
                try_to(fresh, Step("say", device, "bob" if device != "bob-phone" else "choir"))
            fresh.access(warrant, intercepted)
            assert {text.text for text in fresh.wire.shown} <= {said.body for said in (*harness.said, *fresh.said)}

    case()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_packet_brings_a_party_down_or_a_text_to_a_screen(scheme):
    with crypto.running(crypto.Run(None, results=crypto.Results())):  # of the set-up, which all examples share
        pelt(scheme, settings(max_examples=min(settings().max_examples * 2, MOST)))


def test_a_party_that_a_packet_brings_down_is_found(monkeypatch):
    monkeypatch.setattr(Provider, "entry", lambda party, device, asker: party.directory[device])
    with pytest.raises(KeyError):
        pelt("plain", settings(phases=[Phase.generate]))


def try_to(harness, step):
    try:
        harness.take(step)
    except EscrowError:
        return


# --- whatever the provider answers ---

REPLIES = {DevicesOf: DeviceList, OwnerOf: Listed, Fetch: Bundle, GroupOf: Group, Collect: Delivery}


class Liar:
    """A provider that answers anything of the right type."""

    def __init__(self, data, replies):
        self.data, self.replies = data, replies

    def answer(self, sender, request, wire):
        asked = codec.decode_any(request, frozenset({*REPLIES, Mail, Publish}))
        if isinstance(asked, Mail | Publish):
            return codec.encode(None)
        return codec.encode(self.data.draw(self.replies[REPLIES[type(asked)]]))


@cache
def answers():
    harness, *_ = served("plain")
    found = heard_by(harness, packets_of("plain"))
    return harness, {kind: values(kind, found) for kind in REPLIES.values()}


@given(st.data(), st.lists(st.sampled_from(["collect", "say bob", "say choir", "meet"]), min_size=1, max_size=4))
def test_no_answer_of_the_provider_brings_a_device_down_or_a_text_to_a_screen(data, steps):
    harness, replies = answers()
    with playing(SCHEMES["plain"]) as fresh:
        for name in DEVICES:
            fresh.wire.parties[name] = revive(harness.device(name).state(), type(harness.device(name)))
        fresh.wire.parties["provider"] = Liar(data, replies)
        alice, bob = fresh.device("alice-phone"), fresh.device("bob-phone")
        for step in steps:
            try:
                if step == "meet":
                    alice.look_up(fresh.wire, "bob")
                    compare_safety_numbers(fresh.wire, alice, bob)
                else:
                    fresh.take(Step(step.split()[0], "alice-phone", step.split()[-1]))
            except EscrowError:
                continue
        assert {text.text for text in fresh.wire.shown} <= {said.body for said in harness.said}


def test_a_warrant_is_taken_from_the_court_only():
    with playing(plain.SCHEME) as harness:
        authority, other = harness.authority, harness.device("carol-phone")
        served = Serve(harness.issued("alice"))
        sealed = confidential(other, other.identity, authority.receiving_key.public, served)
        for told in (sealed, served):
            with pytest.raises(Refused, match="the court hands over warrants"):
                harness.wire.ask(other.name, authority.name, told, type(None))
        assert harness.authority.warrants == []

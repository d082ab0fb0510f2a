"""What a thief gets: a party's state is all that it keeps, and every secret in it has a type that says so."""

import hashlib
import typing
from functools import cache
from typing import Any

import msgspec
import pytest

from attacks.lab.adversary.view import words_of
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from escrow import codec, registry
from escrow.codec import Fact, Public, walk
from escrow.crypto import Private, new_private
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Provider
from escrow.errors import Malformed
from escrow.principal import Principal, corrupted, revive
from escrow.schemes.plain import SCHEME, Plain
from escrow.testing.alterations import loose
from escrow.testing.harness import Step, playing

SCHEMES = registry.schemes()


class Door:
    """Hears of every key that is made and of every key that seals."""

    def __init__(self):
        self.secrets = set()

    def __call__(self, call):
        if call.operation in {"x25519-key", "ed25519-key", "seal"}:
            self.secrets.add(call.inputs[0])


def unaccounted(scheme):
    """(party, secret) for each key that the door made or sealed with and that lies in a state outside every fact."""
    door = Door()
    record = play(scheme, small(), observer=door)
    for name, states in record.states.items():
        for state, kind in zip(states, record.kinds[name], strict=True):
            lying = {secret for secret in door.secrets if secret in state}
            yield from ((name, secret) for secret in lying - set(bytes_in(walk(revive(state, kind), Fact))))


def bytes_in(values):
    for value in values:
        for name in value.__struct_fields__:
            if isinstance(inner := getattr(value, name), bytes):
                yield inner


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_key_that_lies_in_a_state_is_a_facts(scheme):
    assert list(unaccounted(SCHEMES[scheme])) == []


class Hoarder(Device):
    hoard: Public = b""

    def each_day(self, wire):
        super().each_day(wire)
        self.hoard = self.hoard or new_private().raw


class HoardingScheme(Plain, frozen=True):
    device = Hoarder


def test_a_key_kept_under_a_public_type_is_found():
    assert {name for name, _ in unaccounted(HoardingScheme())} == set(small().devices)


# --- types ---


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_party_that_a_schemes_modules_define_keeps_typed_values_only(scheme):
    parties = [kind for kind in words_of(SCHEMES[scheme]).types | {Device, Provider} if issubclass(kind, Principal)]
    assert [found for kind in parties for found in loose(kind, kind.__name__, set())] == []


class Box(msgspec.Struct):
    inside: list["Box"]
    key: bytes


@pytest.mark.parametrize(
    ("hint", "found"),
    [
        (bytes, "bytes"),
        (bytes | None, "bytes"),
        (list[bytes], "bytes"),
        (dict[str, tuple[int, bytes]], "bytes"),
        (dict[bytes, str], "bytes"),
        (bytearray, "bytearray"),
        (object, "object"),
        (Any, "Any"),
        (typing.Annotated[bytes, "secret"], "typing.Annotated[bytes, 'secret']"),
        (Box, "bytes"),
    ],
    ids=str,
)
def test_loose_types_are_found_wherever_they_stand(hint, found):
    assert [what for _, what in loose(hint, "field", set())] == [found]


def test_typed_values_are_let_pass():
    good = str | int | float | bool | None | Public | Fact | list[Private] | dict[str, tuple[Public, ...]]
    assert list(loose(good, "field", set())) == []
    assert list(loose(Device, "Device", set())) == []


# --- bytes ---


@cache
def parties():
    with playing(SCHEME) as harness:
        harness.play([Step("say", "alice-phone", "choir"), Step("say", "bob-phone", "alice")])
        return harness.wire.parties


def test_a_state_ends_in_the_digest_of_what_precedes():
    for party in parties().values():
        state = party.state()
        assert state == codec.encode(party) + hashlib.sha256(codec.encode(party)).digest()
        assert revive(state, type(party)) == party


def test_a_corrupted_party_has_the_same_state_and_comes_back_honest():
    for party in parties().values():
        assert corrupted(party).state() == party.state()
        corrupted(party).insist(False, "nothing holds it")
        corrupted(party).insist_all(iter([("a check", False)]))
        back = revive(corrupted(party).state(), type(party))
        assert back == party
        assert type(back).insist is Principal.insist


def test_a_state_is_nobody_elses():
    kinds = {name: type(party) for name, party in parties().items()}
    for name, party in parties().items():
        for other in {kind for kind in kinds.values() if kind is not kinds[name]}:
            with pytest.raises(Malformed):
                revive(party.state(), other)


def test_parties_share_no_containers():
    one, other = Provider("one"), Provider("other")
    for name in one.__struct_fields__:
        inner = getattr(one, name)
        assert not isinstance(inner, list | dict) or inner is not getattr(other, name)
    devices = [party for party in parties().values() if isinstance(party, Device)]
    containers = [
        id(inner)
        for each in devices
        for name in each.__struct_fields__
        if isinstance(inner := getattr(each, name), dict)
    ]
    assert len(set(containers)) == len(containers) == 5 * len(devices)


def test_what_was_read_is_in_no_state():
    with playing(SCHEME) as harness:
        harness.play([Step("say", "alice-phone", "choir"), Step("say", "bob-phone", "alice")])
        assert harness.shown == harness.meant
        states = [party.state() for party in harness.wire.parties.values()]
        assert not any(said.body in state for said in harness.said for state in states)

"""Property of every scheme: whatever byte of a packet is changed or missing, each party ends in a typed error or
goes on; nothing comes to light but what was sent; and who was refused is heard when the genuine packet comes.

Tampered with are, in a short run with setup, groups, a new day and the lawful access: each kind of packet at each kind
of party, each kind of reply on its way back, and each kind of fact that somebody seals to another. The last is a lie of
whoever sealed it, and where anything commits a party to what it says, it is named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from attacks.lab.adversary.view import words_of
from escrow import codec, registry
from escrow.codec import Fact, Packet
from escrow.e2ee.provider import Provider
from escrow.errors import EscrowError
from escrow.primitives import hpke
from escrow.principal import Principal, revive
from escrow.testing.harness import Harness, Step, playing
from escrow.wire import Wire
from tools.entries import is_committed

SCHEMES = registry.schemes()
SCRIPT = (
    Step("say", "alice-phone", "bob"),
    Step("say", "bob-phone", "alice"),
    Step("say", "alice-phone", "choir"),
    Step("collect", "bob-phone"),
    Step("day"),
    Step("say", "bob-phone", "alice"),
    Step("collect", "alice-phone"),
)
Tamper = Callable[[str, bytes, str], bytes]  # where, the bytes, whose they are


def kinds_of(scheme: str, base: type) -> frozenset[type]:
    return frozenset(kind for kind in words_of(SCHEMES[scheme]).types if issubclass(kind, base)) - {base}


def named(data: bytes, kinds: frozenset[type]) -> str:
    """The type of an encoded value; empty where it is none of these."""
    try:
        return type(codec.decode_any(data, kinds)).__name__
    except EscrowError:
        return ""


def changed(data: bytes, bits: int, cuts: int) -> Iterator[bytes]:
    """The bytes with one bit flipped, or cut off: so many of each, spread over all of them, both ends included."""
    for at in {round(k * (8 * len(data) - 1) / max(1, bits - 1)) for k in range(bits)}:
        yield data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :]
    for end in {k * len(data) // cuts for k in range(cuts)}:
        yield data[:end]


class Ran(NamedTuple):
    """What came of a run: texts sent, and those that came to a screen or to the authority; what was complained of."""

    sent: set[bytes]
    known: set[bytes]
    told: list[str]


@contextmanager
def listening(tamper: Tamper) -> Iterator[None]:
    """Every reply, and everything that is opened, passes through `tamper` with the name of whoever made it."""
    answers, opens = Principal.answer, hpke.open_
    asking: list[str] = []
    last = [""]

    def answer(party: Principal, sender: str, request: bytes, wire: Wire) -> bytes:
        asking.append(sender)
        try:
            reply = answers(party, sender, request, wire)
        finally:
            asking.pop()
        last[0] = party.name
        return tamper("reply", reply, party.name)

    def open_(*arguments: Any) -> bytes:
        return tamper("sealed", opens(*arguments), asking[-1] if asking else last[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Principal, "answer", answer)
        patch.setattr(hpke, "open_", open_)
        yield


def tried(act: Callable[[], Any], told: list[str]) -> Any:
    try:
        return act()
    except EscrowError as error:
        told.append(str(error))
        return set()


def ran(scheme: str, tamper: Tamper) -> Ran:
    """The script, as far as it goes: a refusal ends one step, or the setup and with it the run."""
    told: list[str] = []
    with listening(tamper):
        try:
            with playing(SCHEMES[scheme]) as harness:
                warrant = harness.issued("alice")
                tried(lambda: harness.serve(warrant), told)
                for step in SCRIPT:
                    tried(lambda step=step: harness.take(step), told)  # type: ignore[misc]  # bound at once
                got = tried(lambda: harness.access(warrant, harness.intercepted()[:2]), told)
        except EscrowError as error:
            return Ran(set(), set(), [str(error)])
    told += [f"{alarm.who}: {alarm.check}" for alarm in harness.wire.alarms]
    told += [f"{party}: {reason}" for _, party, reason in harness.wire.refusals]
    return Ran({said.body for said in harness.said}, {shown.text for shown in harness.wire.shown} | got, told)


def counted(scheme: str, where: str) -> Counter[str]:
    """How often each kind of reply or sealed fact occurs in the honest run."""
    kinds, seen = kinds_of(scheme, Packet if where == "reply" else Fact), Counter[str]()

    def note(place: str, data: bytes, whose: str) -> bytes:
        if place == where and (kind := named(data, kinds)):
            seen[kind] += 1
        return data

    assert ran(scheme, note).told == []
    return seen


def tampered(scheme: str, where: str, kind: str, nth: int, change: Callable[[bytes], bytes]) -> tuple[Ran, str]:
    """The run with the nth reply or sealed fact of a kind changed; and whose it was."""
    kinds, passed, culprit = kinds_of(scheme, Packet if where == "reply" else Fact), [0], [""]

    def tamper(place: str, data: bytes, whose: str) -> bytes:
        if place != where or named(data, kinds) != kind:
            return data
        passed[0] += 1
        if passed[0] - 1 != nth:
            return data
        culprit[0] = whose
        return change(data)

    return ran(scheme, tamper), culprit[0]


def spread(data: bytes, number: int, of: int) -> bytes:
    """The `number`th of some changes of the data: cut off, or one bit flipped."""
    return list(changed(data, of - 1, 1))[number % of] if data else data


# --- on the way back, and under seal ---

SAMPLE = 5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_reply_changed_on_its_way_gives_no_text_away(scheme: str) -> None:
    replies = counted(scheme, "reply")
    assert {"DeviceList", "Delivery", "Group"} <= set(replies)
    for kind, times in replies.items():
        for number in range(SAMPLE):
            nth = number * (times - 1) // (SAMPLE - 1)
            result, _ = tampered(scheme, "reply", kind, nth, lambda data, n=number: spread(data, n, SAMPLE))  # type: ignore[misc]  # bound at once
            assert result.known <= result.sent, (kind, nth, number)


@pytest.mark.parametrize("scheme", [name for name, scheme in SCHEMES.items() if scheme.opens_fields])
def test_whoever_seals_a_lie_gives_no_text_away_and_is_named(scheme: str) -> None:
    """Named as its scheme says, once the setup is over; a setup ends with what was refused in it."""
    facts, declared = counted(scheme, "sealed"), {each.kind: each for each in SCHEMES[scheme].sealed_facts}
    assert facts
    assert not declared or set(declared) == set(facts)
    assert declared or not is_committed(SCHEMES[scheme])
    for kind, times in facts.items():
        named = declared[kind].named if declared else ""
        assert not declared or bool(named) != bool(declared[kind].unnamed)
        for number in range(2 * SAMPLE):
            nth = (number % SAMPLE) * (times - 1) // (SAMPLE - 1)
            change = last_field if number < SAMPLE else anywhere
            result, culprit = tampered(scheme, "sealed", kind, nth, lambda data, n=number, c=change: c(data, n))  # type: ignore[misc]  # bound at once
            assert result.known <= result.sent, (kind, nth, number)
            if change is last_field and named and result.sent:
                pattern = named.format(re.escape(culprit))
                assert any(re.search(pattern, told) for told in result.told), (kind, culprit, result.told)


def anywhere(data: bytes, number: int) -> bytes:
    return spread(data, number, SAMPLE)


def last_field(data: bytes, number: int) -> bytes:
    """One of the last 256 bits, where a fact has its secret or its proof: it remains a fact of its kind."""
    at = 8 * len(data) - 1 - (number * 61) % 256
    return data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :]


# --- packets at parties ---


class Moment(NamedTuple):
    """A packet about to be heard, and everybody's state before it."""

    sender: str
    to: str
    data: bytes
    day: int
    states: dict[str, tuple[bytes, type[Principal]]]


def moments(scheme: str) -> tuple[Harness, list[Moment]]:
    """The first packet of each kind at each kind of party, in an honest run."""
    first: dict[tuple[type, str], Moment] = {}
    kinds, answers = kinds_of(scheme, Packet), Principal.answer

    def answer(party: Principal, sender: str, request: bytes, wire: Wire) -> bytes:
        if (key := (type(party), named(request, kinds))) not in first:
            states = {name: (each.state(), type(each)) for name, each in wire.parties.items()}
            first[key] = Moment(sender, party.name, request, wire.day, states)
        return answers(party, sender, request, wire)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Principal, "answer", answer)
        with playing(SCHEMES[scheme]) as harness:
            warrant = harness.served("alice")
            for step in SCRIPT:
                harness.take(step)
            harness.access(warrant, harness.intercepted()[:2])
    return harness, list(first.values())


def heard(moment: Moment, data: bytes) -> tuple[Wire, str]:
    """(the wire after a party heard these bytes at that moment, why it refused them)."""
    wire = Wire(revive(*each) for each in moment.states.values())
    wire.day = moment.day
    try:
        wire.parties[moment.to].answer(moment.sender, data, wire)
    except EscrowError as error:
        return wire, str(error) or type(error).__name__
    return wire, ""


def pelted(scheme: str, bits: int, cuts: int) -> int:
    """How many changed packets were refused, of every kind at every kind of party."""
    harness, found = moments(scheme)
    sent, refused = {said.body for said in harness.said}, 0
    with playing(SCHEMES[scheme]):
        for moment in found:
            _, why = heard(moment, moment.data)
            assert why == "", (moment.to, why)
            before, _ = moment.states[moment.to]
            for data in changed(moment.data, bits, cuts):
                wire, why = heard(moment, data)
                assert {shown.text for shown in wire.shown} <= sent
                if why:
                    refused += 1
                    if wire.parties[moment.to].state() != before:  # it counted or noted something
                        wire.parties[moment.to].answer(moment.sender, moment.data, wire)
    return refused


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_party_refuses_a_changed_packet_or_goes_on_and_hears_the_genuine_one(scheme: str) -> None:
    assert pelted(scheme, bits=60, cuts=20) > 200


def test_a_party_that_a_changed_packet_brings_down_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Provider, "entry", lambda party, device, asker: party.directory[device])
    with pytest.raises(KeyError):
        pelted("plain", bits=200, cuts=1)


def test_a_text_that_comes_to_light_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that shows what a reply says, opened or not."""
    from escrow.e2ee.device import Device

    honest = Device.receive_or_complain

    def credulous(device: Device, wire: Wire, mail: Any) -> None:
        wire.show(device.name, mail.sender, "", mail.body[:32])
        honest(device, wire, mail)

    monkeypatch.setattr(Device, "receive_or_complain", credulous)
    result = ran("plain", lambda place, data, whose: data)
    assert not result.known <= result.sent

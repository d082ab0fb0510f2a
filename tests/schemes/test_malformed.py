"""Bytes that are not what they should be: a typed error, or a change of routing that nothing authenticates.

What nothing authenticates is listed. Never another text, never another kind of exception. Tried are every truncation
and every bit of a sample of each format.
"""

from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks.lab.adversary.view import words_of
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from escrow import codec, registry
from escrow.codec import Packet
from escrow.confidential import Confidential, unsealed
from escrow.e2ee import ratchet, sender_keys
from escrow.e2ee.content import Text
from escrow.e2ee.provider import Mail, Provider
from escrow.e2ee.ratchet import Slot
from escrow.errors import EscrowError, Forged, Malformed, Refused
from escrow.principal import Principal, corrupted, revive
from escrow.schemes import envelope, split_key, threshold
from escrow.schemes.clipper import processor
from escrow.schemes.fair_keys import scheme as fair_keys
from escrow.testing.alterations import altered
from escrow.testing.harness import DEVICES, Step, playing
from escrow.warrant import Answered, Request, Warrant

SCHEMES = registry.schemes()
PLAIN = SCHEMES["plain"]

UNAUTHENTICATED = {  # of a mail on its last mile: who reads it decides by the body alone
    "first": {"recipients", "field"},
    "later": {"recipients", "field"},
    "first again": {
        "recipients",
        "field",
        "initial",
    },  # the session is known by its ephemeral key; the rest is not read
    "group": {"recipients", "field", "group"},
}


def cut(data, step=1):
    """Every truncation."""
    return (data[:end] for end in range(0, len(data), step))


def flipped(data, step=1):
    """Every bit changed, or one of each `step`."""
    for bit in range(0, 8 * len(data), step):
        yield data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def is_malformed(read, data, kinds):
    """Whether reading raises Malformed: `pytest.raises` takes longer than what it waits for here."""
    try:
        read(data, kinds)
    except Malformed:
        return True
    return False


# --- the encoding ---

SLOT = Slot(bytes(4), 5)
LENIENT = {
    "an integer longer than needed": b"\x93\xa4Slot\xc4\x04\0\0\0\0\xcc\x05",
    "an integer as a float": b"\x93\xa4Slot\xc4\x04\0\0\0\0\xcb\x40\x14\0\0\0\0\0\0",
    "bytes with a long header": b"\x93\xa4Slot\xc5\0\x04\0\0\0\0\x05",
    "a name with a long header": b"\x93\xd9\x04Slot\xc4\x04\0\0\0\0\x05",
    "an array with a long header": b"\xdc\0\x03\xa4Slot\xc4\x04\0\0\0\0\x05",
    "text for bytes": b"\x93\xa4Slot\xa4AAAA\x05",
    "an element too many": b"\x94\xa4Slot\xc4\x04\0\0\0\0\x05\x05",
    "an element too few": b"\x92\xa4Slot\xc4\x04\0\0\0\0",
    "a byte behind it": b"\x93\xa4Slot\xc4\x04\0\0\0\0\x05\0",
    "another name": b"\x93\xa4Slit\xc4\x04\0\0\0\0\x05",
    "no name": b"\x92\xc4\x04\0\0\0\0\x05",
    "nothing for a number": b"\x93\xa4Slot\xc4\x04\0\0\0\0\xc0",
    "nothing": b"",
}


@pytest.mark.parametrize("what", LENIENT)
def test_there_is_one_encoding(what):
    assert codec.decode(b"\x93\xa4Slot\xc4\x04\0\0\0\0\x05", Slot) == SLOT
    with pytest.raises(Malformed):
        codec.decode(LENIENT[what], Slot)


def test_keys_of_a_dictionary_stand_once_and_in_order():
    sound = codec.encode(Provider("p", {"a": "x", "b": "y"}))
    assert codec.decode(sound, Provider).accounts == {"a": "x", "b": "y"}
    entries = b"\xa1a\xa1x", b"\xa1b\xa1y"
    assert sound.count(b"".join(entries)) == 1
    for wrong in (entries[::-1], entries[:1] * 2):
        with pytest.raises(Malformed):
            codec.decode(sound.replace(b"".join(entries), b"".join(wrong)), Provider)


def test_names_are_utf_8_and_nesting_ends():
    with pytest.raises(Malformed):
        codec.decode(codec.encode(Text("ab", b"")).replace(b"ab", b"\xff\xfe"), Text)
    with pytest.raises(Malformed):
        codec.decode(b"\x91" * 100_000, Text)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=6))
def test_a_number_on_the_wire_has_one_spelling(value, rest):
    assert codec.read_varint(codec.varint(value) + rest, 0) == (value, len(codec.varint(value)))
    try:
        read, end = codec.read_varint(rest, 0)
    except Malformed:
        return
    assert codec.varint(read) == rest[:end]


# --- every packet and state of a play ---


@cache
def played(scheme):
    return play(SCHEMES[scheme], small())


@cache
def samples(scheme):
    """One packet of each type that was heard, the shortest."""
    kinds = frozenset(kind for kind in words_of(SCHEMES[scheme]).types if issubclass(kind, Packet)) - {Packet}
    found = {}
    for data in sorted({heard.data for heard in played(scheme).heard}, key=lambda each: (-len(each), each)):
        found[type(codec.decode_any(data, kinds))] = data
    return kinds, found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_packet_cut_off_or_changed_is_malformed_or_another_packet(scheme):
    kinds, found = samples(scheme)
    assert len(found) >= 9
    for data in found.values():
        assert not [shorter for shorter in cut(data) if not is_malformed(codec.decode_any, shorter, kinds)]
        for other in flipped(data, step=3):
            try:
                assert codec.encode(codec.decode_any(other, kinds)) == other
            except Malformed:
                continue


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_state_cut_off_or_changed_is_malformed(scheme):
    record = played(scheme)
    for name, (*_, kind) in record.kinds.items():
        state = record.states[name][-1]
        step = max(1, len(state) // 200)
        tried = (*cut(state, step), *flipped(state, 8 * step + 1), state + b"\0")
        assert not [wrong for wrong in tried if not is_malformed(revive, wrong, kind)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_state_changed_under_a_fresh_digest_is_malformed_or_another_party(scheme):
    record = played(scheme)
    for name, (*_, kind) in record.kinds.items():
        body = record.states[name][-1][: -codec.DIGEST]
        for other in flipped(body, max(1, len(body) // 25) + 1):
            try:
                assert revive(codec.seal_bytes(other), kind).state() == codec.seal_bytes(other)
            except Malformed:
                continue


# --- mail ---


def mail_of(kind, scheme="plain"):
    """(harness, the mail, the device it is for, and what that device shows when the mail comes whole)."""
    with playing(SCHEMES[scheme]) as harness:
        bob = harness.device("bob-phone")
        if kind == "later":
            harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
        if kind == "first again":
            harness.play([Step("say", "alice-phone", "bob")])
        harness.take(Step("say", "alice-phone", "choir" if kind == "group" else "bob"))
        *before, mail = harness.wire.parties["provider"].mailboxes["bob-phone"]
        for each in before:
            bob.receive(harness.wire, each)
        said = harness.said[-1]
        return harness, mail, bob.state(), ("alice", said.conversation, said.body)


RECEIVERS = {"plain": 3, "plain-pq": 29, "clipper": 7}  # whose devices receive differently; which of its bits are tried
JUDGED_LATE = {"group", "field"}  # by the content of a text, and by a chip: who changes these may as well drop the mail


@pytest.mark.parametrize("scheme", RECEIVERS)
@pytest.mark.parametrize("kind", UNAUTHENTICATED)
def test_a_mail_changed_anywhere_shows_its_text_or_none_and_costs_nothing(kind, scheme):
    """Who refuses it opens the genuine one that comes after, but for what is judged when its key was spent already."""
    harness, mail, state, genuine = mail_of(kind, scheme)
    data, wire, changed = codec.encode(mail), harness.wire, set()

    def shown(bob, other):
        before = len(wire.shown)
        try:
            bob.receive(wire, other)
        except EscrowError:
            assert len(wire.shown) == before
        return [(each.author, each.conversation, each.text) for each in wire.shown[before:]]

    def receiver():
        return revive(state, type(harness.device("bob-phone")))

    assert shown(receiver(), mail) == [genuine]
    step = RECEIVERS[scheme]
    for wrong in (*flipped(data, step), *cut(data, step)):
        try:
            other = codec.decode(wrong, Mail)
        except Malformed:
            continue
        bob = receiver()
        differs = {name for name in Mail.__struct_fields__ if getattr(other, name) != getattr(mail, name)}
        if texts := shown(bob, other):
            assert texts == [genuine]
            changed |= differs
        elif not differs & JUDGED_LATE:
            assert shown(bob, mail) == [genuine], differs
    assert changed <= UNAUTHENTICATED[kind] - ({"field"} if scheme == "clipper" else set())
    assert "recipients" in changed


def test_a_mail_changed_on_its_way_to_the_relay_harms_no_other():
    with playing(PLAIN) as harness:
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
        harness.fates = iter(["late"])
        harness.take(Step("say", "bob-phone", "carol"))
        (packet,) = harness.late
        states = {name: (party.state(), type(party)) for name, party in harness.wire.parties.items()}
        for wrong in (*flipped(packet.data, 5), *cut(packet.data, 5)):
            harness.wire.parties = {name: revive(*state) for name, state in states.items()}
            harness.late, before = [], harness.shown
            harness.fates = iter(["now"] * 2)
            harness.wire.deliver(msgspec.structs.replace(packet, data=wrong))
            harness.take(Step("say", "alice-phone", "bob"))
            for name in DEVICES:
                harness.take(Step("collect", name))
            after, rest = harness.shown - before, harness.said.pop()
            assert rest.meant <= after <= rest.meant + harness.said[-1].meant
            harness.wire.shown = [each for each in harness.wire.shown if each.text != rest.body][: before.total()]


def test_messages_cut_off_are_refused_and_change_no_session():
    harness, mail, state, _ = mail_of("later")
    session = revive(state, type(harness.device("bob-phone"))).sessions["alice-phone"][0].session
    before = codec.encode(session)
    for shorter in cut(mail.body):
        with pytest.raises(EscrowError):
            ratchet.decrypt(session, ratchet.unpack(shorter, session.associated))
        assert codec.encode(session) == before
    _, mail, _, _ = mail_of("group")
    for shorter in cut(mail.body[: sender_keys.ID + 1 + 16 + sender_keys.SIGNATURE]):
        with pytest.raises(Malformed):
            sender_keys.unpack(shorter)


# --- warrants, requests, answers, access fields ---


def served(scheme):
    """(harness, warrant about alice, what was intercepted, the lawful access's requests that were answered).

    Each request as it was sent, with its official as it was before: an authority whose promises are off asks for more
    than it is given.
    """
    answer, asked = Principal.answer, []

    def noting(party, sender, request, wire):
        before, reply = revive(party.state(), type(party)), answer(party, sender, request, wire)
        if sender == "authority" and b"Confidential" in request[:14]:
            asked.append((before, request))
        return reply

    with pytest.MonkeyPatch.context() as patch, playing(SCHEMES[scheme]) as harness:
        patch.setattr(Principal, "answer", noting)
        warrant = harness.issued("alice")
        harness.wire.parties["authority"] = corrupted(harness.authority)
        harness.serve(warrant)
        harness.play([Step("say", "bob-phone", "alice")])
        intercepted = harness.intercepted()[:1]
        harness.access(warrant, intercepted)
        return harness, warrant, intercepted, asked


def test_a_warrant_cut_off_is_malformed_and_changed_is_not_the_courts():
    harness, warrant, *_ = served("envelope")
    data, court = codec.encode(warrant), harness.court.key.public
    assert warrant.signed_by(court)
    assert not any(other.signed_by(court) for other in altered(warrant))
    for shorter in cut(data):
        with pytest.raises(Malformed):
            codec.decode(shorter, Warrant)
    for other in flipped(data):
        try:
            assert not codec.decode(other, Warrant).signed_by(court)
        except Malformed:
            continue


@pytest.mark.parametrize("scheme", [name for name, scheme in SCHEMES.items() if scheme.claim.access != "none"])
def test_a_request_cut_off_or_changed_is_not_answered(scheme):
    harness, _, _, asked = served(scheme)
    official, sealed = asked[0]
    before = official.state()
    clear = codec.encode(unsealed(official, "authority", codec.decode(sealed, Confidential), Request))
    for request in (sealed, clear):
        for wrong in (*flipped(request, 3), *cut(request)):
            with pytest.raises(EscrowError):
                official.answer("authority", wrong, harness.wire)
        assert official.state() == before
    assert official.answer("authority", sealed, harness.wire)


def test_a_sealed_request_is_its_senders_and_its_addressees():
    harness, _, _, asked = served("split-key")
    (one, sealed), (other, _) = asked[:2]
    assert one.name != other.name
    for official, sender in ((one, "provider"), (other, "authority")):
        with pytest.raises((Forged, Refused)):
            official.answer(sender, sealed, harness.wire)


@pytest.mark.parametrize(
    ("scheme", "opens"),
    [
        ("envelope", envelope.open_message_key),
        ("split-key", split_key.open_partial),
        ("fair-keys", fair_keys.open_share),
        ("threshold", threshold.open_partial),
        ("clipper", processor.open_half),
    ],
)
def test_an_answer_with_anything_but_its_address_changed_does_not_open(scheme, opens):
    harness, _, _, asked = served(scheme)
    (official, request), key = asked[0], harness.authority.key.agreement
    answer = codec.decode(official.answer("authority", request, harness.wire), Answered).answer
    sound, relabelled = opens(answer, key), 0
    for other in altered(answer):
        if other.to != answer.to:
            relabelled += 1
            assert opens(other, key) == sound
        else:
            with pytest.raises(Forged):
                opens(other, key)
    assert relabelled


CHEAP = {"envelope": 1, "clipper": 11, "split-key": 41}  # of a cheap field more bits are tried than each 83rd


@pytest.mark.parametrize("scheme", [name for name, scheme in SCHEMES.items() if scheme.opens_fields])
def test_an_access_field_cut_off_or_changed_yields_nothing(scheme):
    harness, warrant, (intercept,), _ = served(scheme)
    field, step = intercept.mail.field, CHEAP.get(scheme, 83)
    for wrong in (*flipped(field, step), *cut(field, step), field + b"\0"):
        mail = msgspec.structs.replace(intercept.mail, field=wrong)
        assert not harness.access(warrant, [msgspec.structs.replace(intercept, mail=mail)])
    assert harness.access(warrant, [intercept]) == {harness.said[0].body}


# --- noise ---


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.binary(max_size=80))
def test_noise_is_malformed_to_everybody(scheme, data):
    record = played(scheme)
    for name, (*_, kind) in record.kinds.items():
        party = revive(record.states[name][0], kind)
        with pytest.raises(Malformed):
            Principal.answer(party, "nobody", data, None)

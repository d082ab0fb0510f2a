"""A text's field: either end reads it, and whatever is malformed is refused and its sender named."""

from typing import Any

import msgspec
import pytest
from chips import KF, KS, TRANSCRIPT, flipped

from escrow import codec
from escrow.crypto import Run, running, sha256
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Forged, Malformed, Refused
from escrow.principal import corrupted
from escrow.scheme import AccessField, wanted
from escrow.schemes.clipper.chip import Chip, FamilyKey, UnitHalf
from escrow.schemes.clipper.field import ClipperField, UnitRequest, agreed_key, make_field
from escrow.schemes.clipper.leaf import Make
from escrow.schemes.clipper.phone import of_pairwise
from escrow.schemes.clipper.processor import AGENTS
from escrow.schemes.clipper.scheme import SCHEME, ClipperAgent
from escrow.testing.harness import Step, playing
from escrow.warrant import issue


@pytest.fixture(autouse=True)
def seeded():
    """One bit flip in 65,536 passes a checksum by chance: here the same ones each time."""
    with running(Run(b"tests of clipper".ljust(32, b"\0"))):
        yield


# --- a text's field, and errors that name the culprit ---


def test_a_field_gives_its_keys_to_either_end():
    key = MessageKey(b"chain", 3, bytes(32))
    field = make_field(key, AccessField(b"chain", 3, ("a", "b"), 1), TRANSCRIPT, KS, bytes(24))
    assert agreed_key(field, key) == KS
    with pytest.raises(Forged):
        agreed_key(field, MessageKey(b"chain", 3, bytes(31) + b"\1"))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda field: b"", "alice-phone sent no LEAF"),
        (
            lambda field: codec.encode(msgspec.structs.replace(field, leaf=field.leaf[:-1])),
            "the LEAF that alice-phone sent",
        ),
        (lambda field: codec.encode(msgspec.structs.replace(field, leaf=bytes(16))), "the LEAF that alice-phone sent"),
        (lambda field: codec.encode(msgspec.structs.replace(field, iv=bytes(8))), "the LEAF that alice-phone sent"),
        (lambda field: codec.encode(msgspec.structs.replace(field, agreed=bytes(26))), "alice-phone sent no LEAF"),
        (lambda field: codec.encode(msgspec.structs.replace(field, agreed=b"")), "the LEAF that alice-phone sent"),
        (lambda field: codec.encode(msgspec.structs.replace(field, day=7)), "what alice-phone sent beside the LEAF"),
        (lambda field: codec.encode(msgspec.structs.replace(field, wrapped=bytes(48))), "what alice-phone sent beside"),
    ],
)
@pytest.mark.parametrize("to", ["bob", "choir"])
def test_a_malformed_leaf_is_refused_and_its_sender_named(spoil, why, to):
    with playing(SCHEME) as harness:
        link = harness.wire.link

        def spoiled(packet):
            try:
                mail = codec.decode(packet.data, Mail)
                field = spoil(codec.decode(mail.field, ClipperField))
            except Malformed:
                return link(packet)
            return link(msgspec.structs.replace(packet, data=codec.encode(msgspec.structs.replace(mail, field=field))))

        harness.wire.link = spoiled
        harness.play([Step("say", "alice-phone", to)])
        assert harness.shown.total() == 0
        assert harness.wire.refusals
        assert all(reason.startswith(why) for _, _, reason in harness.wire.refusals)


@pytest.fixture(scope="module")
def overheard():
    """A text from alice to bob, caught before it arrives: bob's phone, the mail, how it is going to be opened."""
    with running(Run(b"a mail of clipper".ljust(32, b"\0"))), playing(SCHEME) as harness:
        caught = []
        harness.wire.link = lambda packet: caught.append(packet) or ()
        harness.device("alice-phone").send(harness.wire, "bob", b"text")
        mails = [codec.decode(packet.data, Mail) for packet in caught]
        (mail,) = [each for each in mails if "bob-phone" in each.recipients]
        bob = harness.device("bob-phone")
        return bob, mail, of_pairwise(bob, mail)


def admitted(overheard, **changes):
    """Whether bob's chip takes the mail with these parts of the field changed; its refusal must name the sender."""
    bob, mail, found = overheard
    changed = msgspec.structs.replace(codec.decode(mail.field, ClipperField), **changes)
    try:
        bob.admit(msgspec.structs.replace(mail, field=codec.encode(changed)), found)
    except Refused as error:
        assert error.party == "bob-phone" and "alice-phone" in error.reason, error
        return False
    return True


def test_every_leaf_that_is_cut_lengthened_or_has_a_bit_flipped_is_refused_and_its_sender_named(overheard):
    said = codec.decode(overheard[1].field, ClipperField)
    assert admitted(overheard)
    spoilt = [{"leaf": said.leaf[:size]} for size in range(16)] + [{"leaf": said.leaf + bytes(n)} for n in (1, 8, 16)]
    spoilt += [{"iv": said.iv[:size]} for size in range(8)] + [{"iv": said.iv + b"\0"}]
    spoilt += [{"leaf": each} for each in flipped(said.leaf)] + [{"iv": each} for each in flipped(said.iv)]
    spoilt += [{"agreed": each} for each in (b"", said.agreed[:-1], *flipped(said.agreed))]
    spoilt += [{"wrapped": each} for each in (b"", said.wrapped[:-1], *flipped(said.wrapped))]
    assert len(spoilt) > 128 + 64 + 8 * (26 + 48)
    assert not any(admitted(overheard, **each) for each in spoilt)


def test_every_cut_or_lengthened_field_is_refused_and_its_sender_named(overheard):
    bob, mail, found = overheard
    for field in (*(mail.field[:size] for size in range(len(mail.field))), mail.field + b"\0"):
        with pytest.raises(Refused, match="alice-phone sent no LEAF"):
            bob.admit(msgspec.structs.replace(mail, field=field), found)


def test_a_leaf_of_another_family_iv_or_session_key_is_refused_and_its_sender_named(overheard):
    """Each but one thing is right: the wrong family key, an old LEAF under a new IV, old IV and LEAF for a new KS."""
    bob, mail, found = overheard
    chip, said = bob.unit, codec.decode(mail.field, ClipperField)
    ks, transcript = agreed_key(said, found.key), sha256(found.header)[:8]
    stranger = Chip(FamilyKey(Make(), KF), chip.unit)

    def taken(ks, iv_leaf):
        field = make_field(found.key, said, transcript, ks, iv_leaf)
        return admitted(overheard, **{name: getattr(field, name) for name in ("iv", "leaf", "agreed", "wrapped")})

    old = chip.generate_iv(ks, transcript)
    assert taken(ks, old)
    assert not taken(ks, stranger.generate_iv(ks, transcript))
    assert not taken(ks, chip.generate_iv(ks, transcript)[:8] + old[8:])
    assert not taken(KS, old)


def test_the_processor_names_the_sender_of_a_field_that_comes_to_nothing():
    with playing(SCHEME) as harness:
        warrant = harness.issued("alice")
        harness.play([Step("say", "alice-phone", "bob")])
        for changes, why in (
            ({"leaf": bytes(15)}, "a LEAF is 16 bytes, not 15"),
            ({"wrapped": bytes(48)}, "does not fit"),
        ):
            spoilt = []
            for each in harness.intercepted():
                field = msgspec.structs.replace(codec.decode(each.mail.field, ClipperField), **changes)
                mail = msgspec.structs.replace(each.mail, field=codec.encode(field))
                spoilt.append(msgspec.structs.replace(each, mail=mail))
            harness.wire.refusals.clear()
            assert spoilt and not harness.access(warrant, spoilt)
            assert harness.wire.refusals
            for _, party, reason in harness.wire.refusals:
                assert (
                    party == "authority" and reason.startswith("Forged: beside alice-phone's mail: ") and why in reason
                )


def test_a_unit_that_no_agent_knows_is_refused_by_its_number():
    with playing(SCHEME) as harness:
        warrant = harness.issued("alice")
        agent = harness.wire.parties["agent-1"]
        asked = harness.authority.request(warrant, codec.encode(UnitRequest(b"", 0, ("alice",), 0, b"\xff\0\0\1")))
        with pytest.raises(Refused, match="agent-1 refuses: no unit ff000001 is on file"):
            agent.answer("authority", codec.encode(asked), harness.wire)


@pytest.fixture
def reading():
    """A harness after a lawful access, the warrant, a field, the unit that made it, and that unit's key."""
    with playing(SCHEME) as harness:
        warrant = harness.issued("alice")
        harness.play([Step("say", "alice-phone", "bob")])
        assert harness.access(warrant, harness.intercepted())
        heard = wanted(harness.authority, warrant, harness.intercepted(), ClipperField)
        _, said, identity = next(harness.authority.identified(harness.wire, heard))
        loaded = harness.authority.units(harness.wire, warrant, [identity])[identity.uid]
        yield harness, warrant, said, identity, loaded


def test_the_processor_reads_nobodys_mail_with_the_key_of_anothers_unit(reading):
    harness, _, said, identity, loaded = reading
    assert harness.authority.open_key(harness.wire, said, identity, loaded).chain == said.chain
    of_bob = msgspec.structs.replace(loaded, owner="bob")
    with pytest.raises(Refused, match="alice's mail is not read with the key of bob's unit"):
        harness.authority.open_key(harness.wire, said, identity, of_bob)
    alarm = harness.wire.alarms[-1]
    assert (alarm.who, alarm.check) == ("authority", "mail of alice has a LEAF of bob's unit")


def test_a_unit_key_is_used_again_under_the_warrant_it_was_released_for_and_no_other(reading):
    harness, warrant, _, identity, loaded = reading
    asked, processor = len(harness.wire.heard), harness.authority
    processor.loaded.insert(0, msgspec.structs.replace(loaded, order="an ended warrant"))
    assert processor.units(harness.wire, warrant, [identity])[identity.uid] == loaded
    assert len(harness.wire.heard) == asked
    other = issue(harness.court.key, msgspec.structs.replace(harness.order("alice"), id="another warrant"))
    processor.units(harness.wire, other, [identity])
    assert len(harness.wire.heard) > asked


@pytest.mark.parametrize(("lie", "named"), [({"uid": b"\xff\0\0\1"}, "agent-1"), ({"agent": 1}, "agent-2")])
def test_a_half_of_another_unit_or_agent_is_not_taken_and_its_agent_named(reading, lie, named):
    """All agents lie alike: the first gives its own half in any case, so the second is named if it gives that too."""
    harness, warrant, _, identity, _ = reading

    def give(own: ClipperAgent, *asked: Any) -> UnitHalf:
        return msgspec.structs.replace(ClipperAgent.give(own, *asked), **lie)

    for name in AGENTS:
        harness.wire.parties[name] = corrupted(harness.wire.parties[name], give=give)
    harness.authority.loaded.clear()
    assert harness.authority.units(harness.wire, warrant, [identity]) == {}
    assert [who for _, who, why in harness.wire.refusals if "a half of another unit's key" in why] == [named]


def test_a_malformed_leaf_hides_no_other_text_from_the_processor():
    with playing(SCHEME) as harness:
        warrant = harness.issued("alice")
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
        heard = harness.intercepted()
        both = harness.access(warrant, heard)
        field = codec.decode(heard[0].mail.field, ClipperField)
        mail = msgspec.structs.replace(
            heard[0].mail, field=codec.encode(msgspec.structs.replace(field, leaf=bytes(15)))
        )
        rest = harness.access(warrant, [msgspec.structs.replace(heard[0], mail=mail), *heard[1:]])
        assert len(both) == 2 and harness.said[1].body in rest

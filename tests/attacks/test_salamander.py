"""The law opens a decoy and nobody notices, unless the texts commit to their key."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks.lab.simulation.play import play
from attacks.lab.verdict.controls import control_of
from attacks.lab.verdict.delivery import Messaging
from attacks.salamander import ATTACK, two_texts
from attacks.specimens.ignored_pieces import SPECIMEN, TWIN, first_text
from escrow import codec, crypto
from escrow.e2ee import content
from escrow.e2ee.content import Text, direct
from escrow.e2ee.ratchet import MessageKey, Plaintext
from escrow.errors import Forged, Malformed
from escrow.principal import corrupted
from escrow.registry import schemes


def played(scheme, attack=ATTACK):
    record = play(scheme, control_of(ATTACK).scenario, attack)
    return record, Messaging(record)


class WrongKey(type(ATTACK)):
    """A sender that seals some other key to the official, and no second text."""

    def corrupt(self, party, scheme, cast, scenario):
        def access_field(self, key, context):
            wrong = MessageKey(key.chain, key.n, bytes(32))
            return SPECIMEN.device.access_field(self, wrong, context)

        return corrupted(party, access_field=access_field)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=120), st.binary(max_size=300), st.binary(max_size=300))
def test_one_ciphertext_has_two_texts(key, associated, text, decoy):
    two = two_texts(key, associated, text, decoy)
    sealed = crypto.seal(key, two.plaintext, associated)
    read = [first_text(Plaintext(crypto.open_sealed(each, sealed, associated))).body for each in (key, two.other)]
    assert read == [text, decoy]


@pytest.mark.parametrize("body", [b"", b"\1", b"\1\0", b"\1\0\1", b"\0\0\0", b"\1\0\0\0", b"\0\0\2a"])
def test_pieces_without_a_text_or_cut_off_are_forged(body):
    with pytest.raises(Forged):
        first_text(Plaintext(body))


def test_the_law_reads_decoys_and_nobody_complains():
    record, told = played(SPECIMEN)
    assert told.fabricated > 0 and told.evaded
    assert record.alarms == record.refusals == ()
    assert told.forged == 0 and told.shown == played(SPECIMEN, None)[1].shown, "recipients read what was sent"
    decoys = {text.body for text in record.lawful} - {sent.body for sent in record.sent}
    assert not decoys & {shown.text for shown in record.shown}, "no device ever shows a decoy"


def test_with_a_committing_aead_the_law_reads_what_the_recipient_reads():
    record, told = played(TWIN)
    assert told.fabricated == 0 and not told.evaded
    assert told.lawful == played(TWIN, None)[1].lawful
    assert record.alarms == record.refusals == ()


def test_a_relay_that_looks_at_fields_sees_no_decoy_and_recipients_that_make_them_again_do():
    relay, recipient = (played(msgspec.structs.replace(SPECIMEN, policing=who)) for who in ("relay", "recipient"))
    assert relay[1].fabricated > 0 and relay[1].evaded and relay[1].alarms == ()
    assert not recipient[1].evaded, "what carries a false key is not shown"
    assert {alarm.check for alarm in recipient[1].alarms} == {
        "bob-phone: the access field beside its text is not the text's"
    }


@pytest.mark.parametrize("scheme", [SPECIMEN, TWIN], ids=["AES-GCM", "CTX"])
def test_a_key_that_opens_nothing_is_noticed(scheme):
    record, told = played(scheme, WrongKey())
    assert told.evaded and told.fabricated == 0
    assert {why for _, _, why in record.refusals} == {"Forged: the key that it gave opens no message"}


@given(st.binary(max_size=40), st.binary(min_size=1, max_size=20))
def test_a_texts_own_encoding_leaves_nothing_to_pass_over(body, more):
    """Whatever stands before or behind it, there is no text then: a decoy has no room in the schemes."""
    encoded = codec.encode(Text(direct("alice", "bob"), body))
    assert content.read(Plaintext(encoded)) == Text(direct("alice", "bob"), body)
    for plaintext in (encoded + more, more + encoded):
        with pytest.raises(Malformed):
            content.read(Plaintext(plaintext))


@pytest.mark.parametrize("name", schemes())
def test_the_attack_says_of_each_scheme_that_there_is_no_room(name):
    assert ATTACK.applies(schemes()[name], None) == "a text's encoding is strict: no room for a decoy"

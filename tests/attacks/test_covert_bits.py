"""A text in the random bytes of fields: missed, shown to those it is for, and unseen by who has no covert key."""

from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks.covert_bits import ATTACK, MOST, CovertKey, agreed
from attacks.experiments.anamorphic import advantage
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default, small
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.evaluation import Evaluation
from attacks.specimens.drawn_fields import SCENARIO, SPECIMEN, TWIN
from escrow import codec, crypto, registry
from escrow.crypto import random_bytes
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.schemes.envelope import SCHEME, Envelope
from escrow.testing.world import mails_in

KNOWN = agreed(SCENARIO)
DRAWING = [SPECIMEN, SCHEME, registry.with_parameters(SCHEME, ["envelope.policing=relay"])]
DERIVING = [
    TWIN,
    registry.schemes()["key-table"],
    registry.with_parameters(SCHEME, ["envelope.n=3", "envelope.t=2", "envelope.policing=publicly"]),
    registry.with_parameters(SCHEME, ["envelope.n=3", "envelope.per=epoch"]),
]


@cache
def told(scheme, attack=None, scenario=SCENARIO):
    return Messaging(play(scheme, scenario, attack))


def hidden(told):
    """The ids of the texts that their sender's device held back: nobody heard them."""
    return {sent.id for sent in told.record.sent} - set(told.record.spoken)


def rogue(bits):
    """Return the sender's device, which is to hide so many bits in a field."""
    parties = {party.name: party for party in SPECIMEN.cast(SCENARIO.users, bytes(32))}
    party = ATTACK.corrupt(parties[KNOWN.device], SPECIMEN, None, SCENARIO)
    party.known[0] = msgspec.structs.replace(KNOWN, bits=bits)
    return party


@given(st.binary(min_size=32, max_size=32), st.integers(1, MOST))
def test_the_pieces_of_a_text_give_it_back_and_those_of_another_key_do_not(text, bits):
    known = CovertKey(bytes(32), "alice-phone", ("alice", "bob"), "", 0, bits)
    pieces = known.cut(text)
    assert len(pieces) == known.pieces and max(pieces) < 1 << bits
    assert known.joined(pieces) == text
    assert msgspec.structs.replace(known, value=bytes([1] * 32)).joined(pieces) == b""


@pytest.mark.parametrize("scheme", DRAWING, ids=str)
def test_the_hidden_text_is_missed_and_shown_and_all_else_is_as_in_an_honest_play(scheme):
    attacked, honest = told(scheme, ATTACK), told(scheme)
    (text,) = hidden(attacked)
    assert attacked.lawful == honest.lawful - {text} and text in honest.lawful
    assert attacked.evaded == {text}
    assert attacked.shown == honest.shown and attacked.lost == honest.lost
    assert attacked.forged == attacked.fabricated == len(attacked.unreadable) == 0
    assert attacked.alarms == honest.alarms and attacked.record.refusals == honest.record.refusals


@pytest.mark.parametrize("scheme", DERIVING, ids=str)
def test_where_an_honest_client_makes_the_same_field_again_nothing_is_hidden(scheme):
    attacked, honest = told(scheme, ATTACK), told(scheme)
    assert not hidden(attacked) and attacked.evaded == honest.evaded
    assert attacked.shown == honest.shown and attacked.alarms == honest.alarms


def test_no_coalition_derives_the_hidden_text_though_every_state_is_taken():
    analysis = Analysis(SPECIMEN, told(SPECIMEN, ATTACK).record, (ATTACK,))
    assert {sent.id for sent in told(SPECIMEN).record.sent} - analysis.texts.keys() == hidden(told(SPECIMEN, ATTACK))


def test_who_has_another_covert_key_finds_nothing_in_what_the_network_heard():
    heard = told(SPECIMEN, ATTACK).record.heard
    fields = [mail.field for packet in heard if packet.src == KNOWN.device for mail in mails_in(packet)]

    def found(known):
        bits = [known.covered(field) for field in fields if field]
        return [known.joined(bits[at : at + known.pieces]) for at in range(len(bits) - known.pieces + 1)]

    assert any(found(KNOWN)), "otherwise nothing is tried"
    assert not any(found(msgspec.structs.replace(KNOWN, value=bytes(32))))


def test_a_field_of_b_bits_takes_two_to_the_b_fields():
    party = told(SPECIMEN, ATTACK).record.party(KNOWN.device, SCENARIO.days - 1)
    _, *tries = party.tried
    assert len(tries) == KNOWN.pieces and party.left == []
    mean = 1 << KNOWN.bits
    assert abs(sum(tries) / len(tries) - mean) < 5 * (mean * (mean - 1) / len(tries)) ** 0.5
    assert ATTACK.trials(party) == sum(tries) + 2


def test_a_sender_gives_up_where_the_same_field_comes_again(monkeypatch):
    party = rogue(1)
    monkeypatch.setattr(type(party).__mro__[1], "_field", lambda *_: b"the same field")
    bit = party.known[0].covered(b"the same field")
    party.left = [bit, 1 - bit, bit]
    for left in (2, 0, 0):
        assert party._field(MessageKey(bytes(32), 0, bytes(32)), CONTEXT) == b"the same field"
        assert len(party.left) == left


def test_the_holder_of_all_keys_cannot_tell_and_finds_bits_that_stand_in_the_open():
    """All that a sender of a text chooses in an envelope is the ephemeral key, its first 32 bytes."""

    def sample(number, pieces=(), in_the_open=False):
        party = rogue(1)
        party.left = list(pieces)
        if in_the_open:
            party.known[0] = InTheOpen(*(getattr(party.known[0], name) for name in CovertKey.__struct_fields__))
        made = (party._field(MessageKey(bytes(32), n, random_bytes(32)), CONTEXT) for n in range(number))
        return [codec.decode(each, Envelope).sealed[:32] for each in made]

    with crypto.running(crypto.Run(bytes(32))):
        number = 1500
        honest = sample(number)
        found = advantage(honest, sample(number, [each % 2 for each in range(number)]))
        assert abs(found.value) < 4 * found.error
        bare = advantage(honest, sample(number, [1] * number, in_the_open=True))
        assert bare.value > 10 * bare.error


CONTEXT = FieldContext(("alice", "bob"), 0, b"")


class InTheOpen(CovertKey, frozen=True):
    """A sender with a fault: the bits are the first ones of the ephemeral key, and no key hides them."""

    def covered(self, field):
        return codec.decode(field, Envelope).sealed[0] >> 8 - self.bits


def test_a_device_that_writes_too_little_hides_nothing_and_nobody_is_corrupted():
    assert agreed(small()) is None and not [*ATTACK.corruptions(None, small())]
    cell = Evaluation(SCHEME, (ATTACK,), small()).cell(ATTACK)[0]
    assert (cell.verdict, cell.reason) == ("NOT_APPLICABLE", "in this scenario covert-bits finds nobody to corrupt")


def test_in_the_scenario_of_all_tables_one_text_fits():
    known = agreed(default())
    assert 1 <= known.bits <= MOST
    assert known.people[0] == default().owner[known.device]


def test_schemes_without_fields_are_left_out_by_name():
    applying = {name for name, scheme in registry.schemes().items() if not ATTACK.applies(scheme, None)}
    assert applying == {name for name, scheme in registry.schemes().items() if scheme.opens_fields}

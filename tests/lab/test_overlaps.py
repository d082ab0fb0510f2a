"""What lies in what, and what follows from single calls of the door."""

import base64
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks.lab.crosscheck.consequences import AGREE, CALL, SEAL, STREAM, Halves, consequences, mixed, streams
from attacks.lab.crosscheck.strings.notations import readings
from attacks.lab.crosscheck.strings.overlaps import Targets, changes, cover, grams, spans, strings_in, trials
from escrow import crypto
from escrow.crypto import new_private
from escrow.primitives import kem
from escrow.run import Call, Run, running

KEY = bytes(range(100, 132))
OTHER = bytes(range(200, 232))


def in_fours(text):
    return [text[at : at + 4] for at in range(0, len(text), 4)]


def found(source, target=KEY):
    """How many bytes of a target lie in what is written in a source."""
    targets = Targets()
    targets.add(target, spans(changes(target, None)))
    return len({at for each in readings(source) for _, first, end in targets.matches(each) for at in range(first, end)})


@given(st.binary(max_size=40), st.binary(max_size=40), st.integers(8, 32), st.integers(0, 24))
def test_every_stretch_of_8_bytes_or_more_is_found_wherever_it_lies(before, after, size, at):
    piece = KEY[at : at + size]
    assert found(before + piece + after) >= len(piece)


@pytest.mark.parametrize("size", [8, 10, 16])
def test_a_short_key_is_found_whole_and_not_by_less(size):
    assert found(b"blob" + KEY[:size] + b"blob", KEY[:size]) == size
    assert found(b"blob" + KEY[: size // 2] + b"blob" + KEY[size // 2 : size - 1], KEY[:size]) < size - 1


@pytest.mark.parametrize(
    "written",
    [
        KEY.hex(),
        KEY.hex().upper(),
        KEY.hex(":").upper(),
        KEY.hex(" ", 4),
        [f"{each:02x}" for each in KEY],
        base64.b64encode(KEY).decode(),
        "-".join(in_fours(base64.b32encode(KEY).decode())),
        " ".join(in_fours(f"{int.from_bytes(KEY):080}")),
        " ".join(map(str, KEY)),
        "".join(f"{each:08b}" for each in KEY),
        quote(OTHER[:16]) + quote(KEY),
        KEY.decode("latin-1"),
        list(KEY),
    ],
)
def test_a_string_is_found_as_it_may_be_written(written):
    assert found(msgspec.msgpack.encode({"note": ["key:", written, 7]})) >= len(KEY) - 2


@pytest.mark.parametrize(
    ("one", "other", "bits"),
    [
        (b"pin 4711", b"pin 8025", 13.3),
        (b"4711-0000", b"8025-3916", 26.6),
        (b"moon", b"tide", 18.8),
        (b"\0\0\xa1\xff", b"\0\0\x7f\x00", 16),
        (KEY, OTHER, 256),
    ],
)
def test_what_changes_takes_as_many_trials_as_its_digits_have_values(one, other, bits):
    assert trials(one, changes(one, other)) == pytest.approx(bits, abs=0.1)


def test_strings_inside_encoded_strings_are_found():
    inner = msgspec.msgpack.encode(["Fact", {KEY: [OTHER]}])
    assert {KEY, OTHER} <= set(strings_in(msgspec.msgpack.encode({"a": (1, inner)})))
    assert list(strings_in(b"\xc1")) == []


def test_only_what_changes_with_the_secret_is_to_be_explained():
    label = b"a long label of some protocol, "
    assert spans(changes(label + KEY, label + OTHER)) == [(len(label), len(label) + 32)]
    assert spans(changes(label + KEY, label + KEY)) == []
    assert spans(changes(b"ab" + KEY + b"yz", b"ab" + OTHER[:20] + b"yz")) == [(2, 34)]
    marks = changes(label + KEY, None)
    cover(label + KEY, marks, grams([KEY]))
    assert spans(marks) == [(0, len(label))]


def test_a_change_of_few_bytes_in_a_constant_is_not_covered_by_the_constant():
    one, other = b"counter 0000000001 of a run", b"counter 0000000002 of a run"
    marks = changes(one, other)
    cover(one, marks, grams([one]))
    assert sum(marks) == 1


# --- calls ---


def test_a_sealing_tells_how_its_plaintext_is_opened():
    call = Call("seal", (b"key", b"nonce", b"data", b"text"), (b"sealed",), "")
    assert list(consequences(call)) == [(SEAL, (b"key", b"nonce", b"data", b"sealed"), b"text")]


@pytest.mark.parametrize(
    ("operation", "inputs", "back"),
    [
        ("xor", (b"a", b"b"), {((b"b", b"r"), b"a"), ((b"a", b"r"), b"b")}),
        ("skipjack", (b"k", b"m"), {((b"k", b"r"), b"m")}),
        (
            "p256-combine",
            (b"s", b"t", b"f", b"g"),
            {((b"t", b"f", b"g", b"r"), b"s"), ((b"s", b"f", b"g", b"r"), b"t")},
        ),
        ("hmac", (b"k", b"m"), set()),
    ],
)
def test_what_can_be_undone_leads_back(operation, inputs, back):
    forward, *others = consequences(Call(operation, inputs, (b"r",), ""))
    assert forward == (CALL, inputs, b"r")
    assert {(premises, conclusion) for _, premises, conclusion in others} == back


def test_nothing_leads_to_what_was_drawn():
    assert list(consequences(Call("random", (), (KEY,), ""))) == []


def test_either_half_of_an_agreement_will_do():
    heard = []
    with running(Run(None, heard.append)):
        one, other = new_private(), new_private()
        shared = one.exchange(other.public)
    calls = [each._replace(party="") for each in heard]
    assert list(Halves(calls, ()).mirrored(calls[-1])) == [(AGREE, (other.raw, one.public), shared)]
    bare = [each for each in calls if each.operation == "x25519"]  # nobody told which halves belong together
    assert list(Halves(bare, {one.raw, other.raw}).mirrored(bare[0])) == [(AGREE, (other.raw, one.public), shared)]
    assert list(Halves(bare, {one.raw}).mirrored(bare[0])) == []


def test_a_decapsulation_follows_from_the_key():
    heard = []
    with running(Run(None, heard.append)):
        private = kem.new_kem_private()
        ciphertext, secret = kem.encapsulate(private.public)
    calls = [each._replace(party="") for each in heard]
    assert list(Halves(calls, ()).mirrored(calls[-1])) == [(AGREE, (private.raw, ciphertext), secret)]


def test_one_key_and_nonce_tell_one_text_by_the_other():
    texts = b"a first text", b"another one.", b"short"
    calls = [Call("seal", (b"key", b"nonce", b"", text), (b"sealed " + text,), "") for text in texts]
    told = {(premises[0], conclusion) for (name, premises, conclusion), _ in streams(calls) if name == STREAM}
    assert told == {(texts[0], texts[1]), (texts[1], texts[0]), (texts[1], texts[2])}
    assert list(streams([calls[0], Call("seal", (b"key", b"other", b"", texts[1]), (b"sealed",), "")])) == []


def test_an_exclusive_or_made_by_hand_is_found():
    mask = bytes(range(32))
    covered = bytes(a ^ b for a, b in zip(KEY, mask, strict=True))
    assert {frozenset(each[:2]) for each in mixed([KEY], [mask, covered, OTHER], [])} == {frozenset((mask, covered))}
    assert list(mixed([KEY], [covered, OTHER], [mask])) == [(covered, mask, KEY)]  # a mask that some call gave
    assert list(mixed([KEY], [mask, OTHER, KEY], [KEY])) == list(mixed([KEY], [OTHER], [mask, covered])) == []
    assert crypto.xor_bytes(covered, mask) == KEY

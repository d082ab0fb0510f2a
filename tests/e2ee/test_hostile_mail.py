"""Anybody may send any mail: the analyser learns from it what a receiver could read, or nothing, and never stops."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from escrow import codec
from escrow.e2ee import ratchet
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MAX_SKIP, Slot
from escrow.e2ee.transcript import Transcript
from escrow.e2ee.x3dh import Initial, PqInitial
from escrow.errors import Malformed
from escrow.schemes.plain import SCHEME
from escrow.testing.harness import Step, playing
from escrow.testing.world import Intercepts
from escrow.wire import Heard

KEYS = [bytes([i]) * 32 for i in range(4)]
NAMES = st.sampled_from(["", "alice-phone", "bob-phone", "carol-phone"])
KEY = st.sampled_from([*KEYS * 4, b"", bytes(31), bytes(33)])
NUMBERS = st.sampled_from([b"\x00", b"\x05", b"\x7f", b"\x80", b"\x80\x00", b"\xff\xff\xff\xff\x0f", b"\xff" * 6])
BODY = st.one_of(
    st.binary(max_size=150),
    st.builds(
        lambda chain, pn, n, rest: chain + pn + n + rest, KEY, NUMBERS, NUMBERS, st.binary(min_size=10, max_size=100)
    ),
)
INITIAL = st.one_of(
    st.none(),
    st.builds(Initial, KEY, KEY, KEY, KEY, KEY),
    st.builds(PqInitial, KEY, KEY, KEY, KEY, KEY, st.binary(max_size=3), st.binary(max_size=3)),
)
MAILS = st.builds(
    Mail,
    NAMES,
    st.lists(NAMES, max_size=3).map(tuple),
    st.sampled_from(["", "g"]),
    INITIAL,
    BODY,
    st.binary(max_size=9),
)


def intercepted(mails: Iterable[Mail]) -> int:
    """Return how many of these mails the network keeps, after every mail was read and read again."""
    intercepts = Intercepts()
    for _ in range(2):
        intercepts.hear([Heard(0, mail.sender, "provider", codec.encode(mail)) for mail in mails])
    return len(intercepts.all)


def learnt(transcript: Transcript, mail: Mail) -> list:
    """Return the facts of a mail. Raise AssertionError if it gives any and no receiver can read it."""
    facts = list(transcript.facts(mail))
    if facts:
        assert mail.group or mail.recipients
        assert mail.group or mail.initial is None or len(mail.initial.ek_a) == 32
        assert isinstance(transcript.ciphertexts(mail), tuple)
    return facts


def read_all(mails: list[Mail]) -> None:
    transcript = Transcript()
    for mail in mails:
        learnt(transcript, mail)


@given(st.lists(MAILS, max_size=6))
def test_any_mails_give_what_can_be_read_or_nothing(mails):
    read_all(mails)


def first_recipient(mail: Mail) -> None:
    """Read the form as it was read once: there is a first recipient."""
    assert mail.recipients[0] is not None


HONEST_UNPACK = ratchet.unpack
FAULTS = {
    "takes the first recipient": ("escrow.e2ee.transcript._check_form", first_recipient, IndexError),
    "does not check the form": ("escrow.e2ee.transcript._check_form", lambda mail: None, AssertionError),
    "yields before it reads the body": (
        "escrow.e2ee.ratchet.unpack",
        lambda data, associated, *committing: HONEST_UNPACK(data, associated, *committing) if associated else None,
        Malformed,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_transcript_is_found(monkeypatch, fault):
    where, what, error = FAULTS[fault]
    monkeypatch.setattr(where, what)
    unshrunk = settings(max_examples=1000, phases=[Phase.generate], report_multiple_bugs=False, database=None)
    with pytest.raises(error):
        unshrunk(given(st.lists(MAILS, max_size=6))(read_all))()


@given(st.lists(MAILS, max_size=6), MAILS)
def test_a_mail_that_cannot_be_read_leaves_nothing_behind(others, mail):
    """What later mail gives is the same as if that mail had never been sent."""
    one, other = Transcript(), Transcript()
    cut = msgspec.structs.replace(mail, body=mail.body[:40])
    assert learnt(one, cut) == []
    others = [each for each in others if each != cut]
    assert [learnt(one, each) for each in others] == [learnt(other, each) for each in others]


@given(st.lists(MAILS, max_size=4))
def test_the_intercepts_go_on_after_any_mail(mails):
    assert intercepted(mails) <= len(mails)


def test_a_users_device_cannot_stop_the_intercepts_of_others():
    with playing(SCHEME) as harness:
        harness.play([Step("say", "alice-phone", "bob")])
        before = len(harness.intercepted())
        for recipients, initial, body in (
            ((), None, bytes(60)),
            ((), Initial(*KEYS), bytes(60)),
            (("bob-phone",), Initial(*KEYS), bytes(10)),
            (("bob-phone",), Initial(b"", b"", b"", b"", b""), bytes(60)),
            (("bob-phone",), None, b""),
        ):
            harness.wire.tell("carol-phone", "provider", Mail("carol-phone", recipients, "", initial, body, b""))
        assert len(harness.intercepted()) == before
        harness.play([Step("say", "bob-phone", "alice")])
        assert len(harness.intercepted()) > before


def chain_mail(n: bytes, recipients: tuple[str, ...] = ("bob-phone",), initial: Initial | None = None) -> Mail:
    return Mail("alice-phone", recipients, "", initial, KEYS[3] + b"\x00" + n + bytes(40), b"")


def test_a_huge_number_hides_no_later_message_of_its_chain():
    initial = Initial(*KEYS)
    transcript = Transcript()
    slots = [
        fact.n
        for n in (b"\x00", b"\xff\xff\xff\xff\x0f", b"\x02")
        for fact in transcript.facts(chain_mail(n, initial=initial))
        if isinstance(fact, Slot)
    ]
    assert slots == list(range(MAX_SKIP + 2))


def test_a_chain_that_first_stands_under_a_useless_session_is_still_placed_in_the_true_one():
    wrong, true = Initial(*KEYS), msgspec.structs.replace(Initial(*KEYS), ek_a=bytes([9]) * 32)
    transcript = Transcript()
    for initial in (wrong, true):
        assert learnt(transcript, chain_mail(b"\x00", initial=initial))
    associated = {message.associated for message in transcript.ciphertexts(chain_mail(b"\x00", initial=true))}
    assert associated == {true.associated}
    assert transcript._sessions[KEYS[3]] == (wrong.ek_a, true.ek_a)


def test_a_pairwise_mail_to_two_devices_is_placed_towards_both():
    transcript = Transcript()
    learnt(transcript, chain_mail(b"\x00", ("carol-phone", "bob-phone"), Initial(*KEYS)))
    answer = Mail("bob-phone", ("alice-phone",), "", None, bytes([7]) * 32 + b"\x00\x00" + bytes(40), b"")
    assert learnt(transcript, answer)

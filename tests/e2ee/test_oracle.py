"""Property: this library and the package DoubleRatchet say the same of every packet.

A case is one packet that somebody receives: the answer compared with the truth and, where both implementations play
that somebody, the two answers and the two states with each other. The default run has more than 20,000 cases, the same
each time; the profile `long` (tests/conftest.py) more than 1,000,000, new ones each time.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from unittest import mock

import pytest
from hypothesis import settings
from oracle import FORGED, LIMIT, MALFORMED, Agreed, Answer, Keys, Limits, MisreadError, Ours, Theirs, leb128, parse

from escrow import crypto
from escrow.e2ee import ratchet

# Of DoubleRatchet: a message that skips too much of the chain before its own is opened with a warning.
pytestmark = pytest.mark.filterwarnings("error::UserWarning")

LONG = settings.default is settings.get_profile("long")
PACKETS = 112_000 if LONG else 2_250  # of each kind of conversation

OPENED = "opened"
Side = Ours | Theirs
TWINS = (Ours, Theirs), (Ours, Theirs)
OURS_BEGINS = (Ours,), (Theirs,)
THEIRS_BEGINS = (Theirs,), (Ours,)


@dataclass(frozen=True)
class Kind:
    """A kind of conversation: who runs it, how often which thing happens, the limits, and which answers it shows."""

    shows: frozenset[str]
    sides: tuple[tuple[type[Side], ...], tuple[type[Side], ...]] = TWINS
    send: int = 4
    first: int = 4  # the oldest packet under way arrives
    any: int = 0  # some packet under way arrives
    lose: int = 0
    replay: int = 0
    forge: int = 0
    limits: Limits = field(default=Limits())
    within_reach: bool = False  # the limits: what was sent may be refused


ALL = frozenset({OPENED, FORGED, LIMIT, MALFORMED})
ROUGH = Kind(ALL, send=8, first=3, any=4, lose=1, replay=2, forge=4)
KINDS = {
    "in order": Kind(frozenset({OPENED})),
    "reordered": Kind(frozenset({OPENED}), first=1, any=3),
    "lossy": Kind(frozenset({OPENED}), send=6, first=2, any=1, lose=3),
    "replayed": Kind(frozenset({OPENED, FORGED}), first=2, any=2, replay=3),
    "forged": Kind(ALL, first=2, any=2, forge=6),
    "at the limits": replace(ROUGH, send=14, lose=5, limits=Limits(skip=4, kept=9), within_reach=True),
    "rough": ROUGH,
    "rough, ours to theirs": replace(ROUGH, sides=OURS_BEGINS),
    "rough, theirs to ours": replace(ROUGH, sides=THEIRS_BEGINS),
}


class Conversation:
    """Person 0 has begun a session with person 1; each is run by one implementation, or by both with the same keys."""

    def __init__(self, kind: Kind, rng: random.Random, keys: Keys) -> None:
        self.kind, self.rng, self.keys = kind, rng, keys
        self.keys.following = rng.randbytes(32)
        self.agreed = Agreed(rng.randbytes(32), rng.randbytes(66), crypto.new_private())
        self.keys.following = rng.randbytes(32)
        self.people = [
            [side(self.agreed, number == 0, kind.limits) for side in sides] for number, sides in enumerate(kind.sides)
        ]
        self.sent: dict[tuple[int, bytes], bytes] = {}
        self.under_way: list[tuple[int, bytes]] = []
        self.opened: list[tuple[int, bytes]] = []
        self.answers: Counter[str] = Counter()

    def act(self) -> None:
        """One thing happens, by the kind's weights; nothing, where there is nothing for it to happen to."""
        if not self.sent:
            self.send(0)
            return
        names = "send", "first", "any", "lose", "replay", "forge"
        (what,) = self.rng.choices(names, [getattr(self.kind, name) for name in names])
        if what == "send":
            self.send(self.rng.randrange(2))
        elif what == "forge":
            self.deliver(*self.forgery())
        elif what == "replay":
            if self.opened:
                self.deliver(*self.rng.choice(self.opened))
        elif self.under_way:
            packet = self.under_way.pop(0 if what == "first" else self.rng.randrange(len(self.under_way)))
            if what != "lose":
                self.deliver(*packet)

    def send(self, sender: int) -> None:
        """All implementations make the same packet. Person 1 is silent until something was opened there."""
        if sender == 1 and not any(to == 1 for to, _ in self.opened):
            return
        text = self.rng.randbytes(self.rng.randrange(40))
        packet, *others = (side.encrypt(text) for side in self.people[sender])
        assert others in ([], [packet])
        self.sent[1 - sender, packet] = text
        self.under_way.append((1 - sender, packet))

    def deliver(self, to: int, packet: bytes) -> str:
        """A case: all answers are one and true, and all states equal afterwards."""
        first, *others = self.people[to]
        self.keys.following = self.rng.randbytes(32)
        together_too_many = only_together_too_many(first, packet)
        answer = first.answer(packet)
        if together_too_many and answer == LIMIT:
            return LIMIT  # and no case: DoubleRatchet has a limit for each gap, and would go on
        for other in others:
            assert other.answer(packet) == answer
            assert other.state() == first.state()
        self.judge(to, packet, answer)
        said = answer if isinstance(answer, str) else OPENED
        self.answers[said] += 1
        return said

    def judge(self, to: int, packet: bytes, answer: Answer) -> None:
        """A packet opens once, to what was sent; and it does open, unless a limit within reach forbids it."""
        fresh = (to, packet) in self.sent and (to, packet) not in self.opened
        if isinstance(answer, bytes):
            assert fresh and answer == self.sent[to, packet]
            self.opened.append((to, packet))
        else:
            assert not fresh or self.kind.within_reach, answer

    def forgery(self) -> tuple[int, bytes]:
        """Somebody's packet with something wrong in it, or nobody's."""
        rng = self.rng
        to, packet = rng.choice(list(self.sent))
        _, other = rng.choice(list(self.sent))
        dh, pn, n, sealed = parse(packet)
        others_dh, others_pn, others_n, others_sealed = parse(other)
        bit = 1 << rng.randrange(8 * len(packet))
        far = rng.choice([1, 1, 2, 127, 128, 2000, 2**32])
        forgeries = (
            (int.from_bytes(packet, "big") ^ bit).to_bytes(len(packet), "big"),
            packet[: rng.randrange(len(packet))],
            packet + rng.randbytes(rng.randrange(1, 4)),
            dh + leb128(pn) + leb128(abs(n + rng.choice([1, -1]) * far)) + sealed,
            dh + leb128(abs(pn + rng.choice([1, -1]) * far)) + leb128(n) + sealed,
            dh + padded(pn) + leb128(n) + sealed,
            dh + leb128(pn) + padded(n) + sealed,
            dh + leb128(pn) + leb128(n) + others_sealed,
            others_dh + leb128(pn) + leb128(n) + sealed,
            dh + leb128(others_pn) + leb128(others_n) + sealed,
            rng.choice([bytes(32), b"\1" + bytes(31), self.agreed.prekey.public]) + packet[32:],
            rng.randbytes(rng.randrange(100)),
        )
        return to if rng.randrange(8) else 1 - to, rng.choice(forgeries)


def padded(value: int) -> bytes:
    """The number with a digit too many."""
    encoded = bytearray(leb128(value))
    encoded[-1] |= 0x80
    return bytes(encoded) + b"\0"


def only_together_too_many(side: Side, packet: bytes) -> bool:
    """Whether a packet's two gaps, in the chain before its own and in its own, exceed the limit only together."""
    if isinstance(side, Theirs) or side.session.receiving is None:
        return False
    try:
        dh, pn, n, _ = parse(packet)
    except MisreadError:
        return False
    before = max(0, pn - side.session.receiving.n)
    return dh != side.session.peer and max(before, n) <= side.limits.skip < before + n


def converse(kind: str, packets: int) -> Counter[str]:
    """The answers to so many packets in conversations of a kind. AssertionError names the conversation that differs."""
    run = os.urandom(8).hex() if LONG else "quick"
    answers: Counter[str] = Counter()
    keys = Keys()
    with crypto.running(keys), mock.patch.object(ratchet, "MAX_KEPT", KINDS[kind].limits.kept):
        while answers.total() < packets:
            seed = f"{kind}, {run}, {answers.total()}"
            conversation = Conversation(KINDS[kind], random.Random(seed), keys)
            last = min(conversation.rng.choice([10, 50, 200]), packets - answers.total())
            while (number := conversation.answers.total()) < last:
                try:
                    conversation.act()
                except AssertionError as error:
                    raise AssertionError(f"packet {number} of conversation {seed!r}") from error
            answers += conversation.answers
    return answers


@pytest.mark.parametrize("kind", KINDS, ids=[f"{kind}: {PACKETS} packets" for kind in KINDS])
def test_the_ratchets_give_the_same_true_answer_to_every_packet(kind: str) -> None:
    answers = converse(kind, PACKETS)
    assert answers.total() == PACKETS
    assert answers.keys() == KINDS[kind].shows


@pytest.mark.parametrize("cases", [len(KINDS) * PACKETS])
def test_so_many_cases_are_more_than_promised(cases: int) -> None:
    assert cases > (1_000_000 if LONG else 20_000)


def lenient(data: bytes, at: int) -> tuple[int, int]:
    """A varint that may have digits too many."""
    end = next(end for end in range(at, len(data)) if data[end] < 0x80) + 1
    return sum((byte & 0x7F) << 7 * digit for digit, byte in enumerate(data[at:end])), end


@pytest.mark.parametrize(
    ("kind", "name", "instead"),
    [
        ("in order", "_ROOT", b"WhisperRatched"),
        ("in order", "hmac256_pair", lambda key, one, other: crypto.hmac256_pair(key, other, one)),
        ("in order", "seal", lambda key, text, associated: crypto.seal(key, text, associated, b"\1" * 12)),
        ("reordered", "_keep", lambda session, keys: None),
        ("replayed", "_open_skipped", lambda session, message, key: ratchet.open_message(message, key)),
        ("forged", "read_varint", lenient),
        ("at the limits", "_advance", lambda chain, to, most, real=ratchet._advance: real(chain, to, most + 1)),
    ],
)
def test_a_defect_in_this_ratchet_is_a_difference(
    kind: str, name: str, instead: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratchet, name, instead)
    with pytest.raises(AssertionError, match="of conversation"):
        converse(kind, 500)


def test_at_their_real_size_the_limits_are_the_same() -> None:
    """A message may skip 1000 keys and no more; of more than 2000 kept keys the oldest go."""
    keys = Keys()
    with crypto.running(keys):
        conversation = Conversation(replace(ROUGH, within_reach=True), random.Random("limits"), keys)
        for _ in range(3004):
            conversation.send(0)
        packets = [packet for _, packet in conversation.under_way]
        expected = {1001: LIMIT, 1000: OPENED, 2001: OPENED, 3003: LIMIT, 0: OPENED, 3002: OPENED}
        expected |= {1: FORGED, 999: FORGED, 1002: OPENED, 2002: OPENED, 3001: OPENED}
        answers = {number: conversation.deliver(1, packets[number]) for number in expected}
    assert answers == expected


@pytest.mark.parametrize(("n", "answer"), [(0, FORGED), (4, FORGED), (5, LIMIT)])
def test_the_prekey_is_no_ratchet_key_of_the_responder(n: int, answer: str) -> None:
    """Nobody has answered, and a header names the key that the initiator waits on: DoubleRatchet stops at an assert."""
    keys = Keys()
    with crypto.running(keys):
        talk = Conversation(replace(ROUGH, limits=Limits(skip=4)), random.Random("prekey"), keys)
        talk.send(0)
        ((_, packet),) = talk.under_way
        assert talk.deliver(0, talk.agreed.prekey.public + leb128(0) + leb128(n) + parse(packet)[3]) == answer


def test_the_two_gaps_of_a_message_have_one_limit_here_and_one_each_there() -> None:
    """The one difference between the two, and why such packets are no cases above: the stricter reading is ours."""
    keys = Keys()
    with crypto.running(keys):
        talk = Conversation(replace(ROUGH, limits=Limits(skip=4)), random.Random("gaps"), keys)
        for sender in (0, 0, 0, 0):
            talk.send(sender)
        talk.deliver(*talk.under_way[0])
        talk.send(1)
        talk.deliver(*talk.under_way[-1])
        for sender in (0, 0, 0):
            talk.send(sender)
        to, packet = talk.under_way[-1]
        ours, theirs = talk.people[to]
        assert only_together_too_many(ours, packet)
        assert (ours.answer(packet), theirs.answer(packet)) == (LIMIT, talk.sent[to, packet])

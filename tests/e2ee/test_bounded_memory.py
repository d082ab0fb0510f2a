"""A flood of skipped counters costs a receiver a bounded state and bounded work for each mail, and drowns no good mail.

state   a session at most SESSION bytes, a sender's chain at most CHAIN; so many of each, and so many mails that wait
work    for a pairwise mail at most HMACS operations, whatever its numbers say; for a forged group mail none
"""

from collections import Counter
from copy import deepcopy

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from machines import properties_broken

from attacks.lab.costs.counts import units
from escrow import codec, crypto
from escrow.crypto import Run, random_bytes, sha256
from escrow.e2ee import groups, ratchet, sender_keys, sessions
from escrow.e2ee.content import InGroup, Text, direct
from escrow.e2ee.device import Device
from escrow.e2ee.groups import CHAINS_KEPT, WAITING_KEPT
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MAX_KEPT, MAX_SKIP, Message
from escrow.e2ee.sender_keys import SIGNATURE
from escrow.e2ee.sessions import SESSIONS_KEPT
from escrow.errors import EscrowError
from escrow.principal import revive
from escrow.schemes.plain import SCHEME
from escrow.testing.harness import Step, playing

KEY = 90  # bytes of a message key in a state: name of its type, chain (32), number (up to 5), value (32)
SESSION = CHAIN = 1024 + MAX_KEPT * KEY
LARGEST = 1024  # bytes of a mail here: what waits is kept as it came
STATE = 8192 + SESSIONS_KEPT * SESSION + CHAINS_KEPT * CHAIN + WAITING_KEPT * LARGEST  # with one device that floods
HMACS = SESSIONS_KEPT * 2 * (MAX_SKIP + 1)  # a mail is tried under every session with its sender

NUMBER = st.sampled_from([0, 1, 7, MAX_SKIP - 1, MAX_SKIP, MAX_SKIP + 1, 2**31, 2**32 - 1])
SKIPS = st.sampled_from([1, MAX_SKIP // 2, MAX_SKIP, MAX_SKIP])
TIMES = st.integers(1, 3)


class Flood(RuleBasedStateMachine):
    """Alice's phone, or whoever pretends to be it, floods bob's."""

    receiver = Device

    def __init__(self):
        super().__init__()
        self.count, self.most = Counter(), 0
        self.context = playing(SCHEME)
        self.harness = self.context.__enter__()
        self.door = crypto.running(Run(sha256(b"flood"), lambda call: self.count.update(units(call))))
        self.door.__enter__()
        self.harness.wire.parties["bob-phone"] = self.receiver(**msgspec.structs.asdict(self.bob))
        self.talk(("alice-phone", "bob"), ("bob-phone", "alice"), ("alice-phone", "choir"))

    def teardown(self):
        try:
            self.good_mail_still_opens()
        finally:
            self.door.__exit__(None, None, None)
            self.context.__exit__(None, None, None)

    # --- the flood ---

    @rule(skip=SKIPS)
    def mail_skips(self, skip):
        """What was passed over last still opens when it comes."""
        session = self.alice.sessions["bob-phone"][0].session
        bodies = [ratchet.pack(ratchet.encrypt(session, self.text(direct("alice", "bob")))[0]) for _ in range(skip + 1)]
        self.receive(bodies[-1])
        self.receive(bodies[-2])
        self.opened(2)

    @rule(skip=SKIPS)
    def group_mail_skips(self, skip):
        own = self.alice.sending["choir"]
        bodies = [sender_keys.encrypt(own, self.text(InGroup("choir")))[0] for _ in range(skip + 1)]
        self.receive(bodies[-1], "choir")
        self.receive(bodies[-2], "choir")
        self.opened(2)

    @rule(by=st.integers(1, 3))
    def mail_skips_too_far(self, by):
        ahead = deepcopy(self.alice)
        session, own = ahead.sessions["bob-phone"][0].session, ahead.sending["choir"]
        for _ in range(MAX_SKIP + by):
            ratchet.encrypt(session, b"")
            sender_keys.encrypt(own, b"")
        before = self.bob.state()
        self.receive(ratchet.pack(ratchet.encrypt(session, b"")[0]))
        self.receive(sender_keys.encrypt(own, b"")[0], "choir")
        assert self.bob.state() == before

    @rule(new=st.booleans(), pn=NUMBER, n=NUMBER)
    def mail_is_forged(self, new, pn, n):
        session, before = self.alice.sessions["bob-phone"][0].session, self.bob.state()
        chain = random_bytes(32) if new or session.sending is None else session.sending.chain
        self.receive(ratchet.pack(Message(chain, n, pn, b"", random_bytes(64))))
        assert self.bob.state() == before

    @rule(n=NUMBER)
    def group_mail_is_forged(self, n):
        """Under a known chain: its signature does not hold, so nothing else is computed."""
        before, spent = self.bob.state(), self.count["hmac"]
        head = self.alice.sending["choir"].chain.chain + codec.varint(n)
        self.receive(head + random_bytes(64) + bytes(SIGNATURE), "choir")
        assert (self.bob.state(), self.count["hmac"]) == (before, spent)

    @rule(times=st.sampled_from([1, 10, WAITING_KEPT]))
    def group_mail_of_unknown_chains_comes(self, times):
        for _ in range(times):
            self.receive(random_bytes(LARGEST - 64), "choir")

    @rule()
    def ratchet_keys_are_new(self):
        self.talk(("bob-phone", "alice"), ("alice-phone", "bob"))

    @rule(times=TIMES)
    def chains_are_new(self, times):
        for _ in range(times):
            del self.alice.sending["choir"]
            self.talk(("alice-phone", "choir"))

    @rule(times=TIMES)
    def sessions_are_new(self, times):
        for _ in range(times):
            del self.alice.sessions["bob-phone"]
            self.harness.provider.fetched.clear()  # the receiver is bounded even if the provider bounds nobody
            self.talk(("alice-phone", "bob"))

    @rule()
    def the_receiver_restarts(self):
        self.harness.wire.parties["bob-phone"] = revive(self.bob.state(), type(self.bob))

    # --- what holds ---

    @invariant()
    def states_are_bounded(self):
        bob = self.bob
        sessions, chains = bob.sessions["alice-phone"], [each for each in bob.receiving if each.device == "alice-phone"]
        assert max(len(sessions) / SESSIONS_KEPT, len(chains) / CHAINS_KEPT, len(bob.waiting) / WAITING_KEPT) <= 1
        assert max(len(codec.encode(each)) for each in sessions) <= SESSION
        assert max(len(codec.encode(each)) for each in chains) <= CHAIN
        assert len(bob.state()) <= STATE

    @invariant()
    def work_for_a_mail_is_bounded(self):
        assert self.most <= HMACS

    def good_mail_still_opens(self):
        """Between the two: the others were sent nothing of what was skipped."""
        self.talk(("alice-phone", "bob"), ("alice-phone", "choir"), ("bob-phone", "alice"))
        missing = self.harness.meant - self.harness.shown
        assert [device for device, *_ in missing if device in ("alice-phone", "bob-phone")] == []

    # --- helpers ---

    @property
    def alice(self):
        return self.harness.device("alice-phone")

    @property
    def bob(self):
        return self.harness.device("bob-phone")

    def talk(self, *lines):
        self.harness.play(Step("say", *line) for line in lines)

    def text(self, conversation):
        return codec.encode(Text(conversation, random_bytes(32)))

    def receive(self, body, group=""):
        """Bob's phone is handed a mail from alice's, and its work is counted."""
        mail, before = Mail("alice-phone", ("bob-phone",), group, None, body, b""), self.count["hmac"]
        assert len(codec.encode(mail)) <= LARGEST
        self.bob.receive_or_complain(self.harness.wire, mail)
        self.most = max(self.most, self.count["hmac"] - before)

    def opened(self, texts):
        last = self.harness.wire.shown[-texts:]
        assert [(each.device, each.author) for each in last] == [("bob-phone", "alice")] * texts


def test_a_flood_of_skipped_counters_is_bounded():
    examples = settings().max_examples // 3
    run_state_machine_as_test(Flood, settings=settings(max_examples=examples, stateful_step_count=20))


# --- specimens: what each property catches ---


def keep_everything(monkeypatch):
    monkeypatch.setattr(ratchet, "_keep", lambda session, keys: session.skipped.extend(keys))


def keep_everything_of_groups(monkeypatch):
    monkeypatch.setattr(sender_keys, "MAX_KEPT", 10**9)


def keep_every_session(monkeypatch):
    monkeypatch.setattr(sessions, "SESSIONS_KEPT", 10**9)


def keep_every_chain(monkeypatch):
    monkeypatch.setattr(groups, "CHAINS_KEPT", 10**9)


def keep_all_that_waits(monkeypatch):
    monkeypatch.setattr(groups, "WAITING_KEPT", 10**9)


def step_before_refusing(monkeypatch):
    sound = ratchet._advance

    def advance(chain, to, max_skip):
        ahead = chain
        while ahead.n < min(to, 20_000):
            _, ahead = ratchet.step(ahead)
        return sound(chain, to, max_skip)

    monkeypatch.setattr(ratchet, "_advance", advance)


def verify_last(monkeypatch):
    monkeypatch.setattr(Device, "open_group", open_group_first)


def open_group_first(self, mail):
    peer = groups.chain_of(self, mail)
    plaintext = sender_keys.decrypt(peer, sender_keys.unpack(mail.body))
    self.insist(sender_keys.signature_holds(peer, mail.body), "signature of a group message")
    return plaintext


def drop_what_fails(monkeypatch):
    sound = Device.open_pairwise

    def open_pairwise(self, mail, author):
        try:
            return sound(self, mail, author)
        except EscrowError:
            self.sessions.pop(mail.sender)
            raise

    monkeypatch.setattr(Device, "open_pairwise", open_pairwise)


def throw_away_what_was_skipped(monkeypatch):
    monkeypatch.setattr(ratchet, "_keep", lambda session, keys: None)


class Near(Flood):
    """Nothing skips too far."""

    mail_skips_too_far = None


class Single(Near):
    """One chain of group mail."""

    mail_skips = chains_are_new = sessions_are_new = mail_is_forged = None


@pytest.mark.parametrize(
    ("machine", "fault", "prop"),
    [
        (Flood, keep_everything, "states_are_bounded"),
        (Single, keep_everything_of_groups, "states_are_bounded"),
        (Flood, keep_every_session, "states_are_bounded"),
        (Flood, keep_every_chain, "states_are_bounded"),
        (Flood, keep_all_that_waits, "states_are_bounded"),
        (Flood, step_before_refusing, "work_for_a_mail_is_bounded"),
        (Flood, verify_last, "group_mail_is_forged"),
        (Near, drop_what_fails, "mail_is_forged"),
        (Flood, throw_away_what_was_skipped, "mail_skips"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_faulty_receiver_breaks_the_property_that_forbids_it(machine, fault, prop, monkeypatch):
    fault(monkeypatch)
    assert prop in properties_broken(machine, steps=20)

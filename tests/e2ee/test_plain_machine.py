"""Whatever happens on the way, a text is shown once or not at all; what nothing happened to arrives.

Every scheme plays as plain encryption does, and serves a warrant; users meet. Then, as the closure measures it, what
one seizure of one device opens in random conversations under plain encryption:

  forward secrecy  nothing that the device had sent or shown by then
  healing          nothing that goes over a session after a full round trip there: D to E, back, and for E's own texts
                   once E has read D's next

In these every session has begun with a one-time prekey, mail comes in order and none is lost; it is fetched at any
time. Texts under Sender Keys heal with their chain's rotation, and are left out of the second property.
"""

from copy import deepcopy
from math import inf

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from machines import ANY, Machine, logged, mail_in, pick, properties_broken, run_machine

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import AccessStructure, Seizure
from attacks.lab.adversary.labelling.labels import Labels
from attacks.lab.adversary.view import Reader
from attacks.lab.verdict.analysis import rules_of
from attacks.registry import attacks
from escrow import registry
from escrow.e2ee import ratchet
from escrow.e2ee.contacts import compare_safety_numbers
from escrow.e2ee.content import Text
from escrow.e2ee.device import Device
from escrow.e2ee.policing import LATE, OTHER_DAY
from escrow.e2ee.ratchet import MessageKey, Session
from escrow.principal import revive
from escrow.schemes.plain import SCHEME
from escrow.testing.harness import DEVICES, NAMES, OWNER, Step, playing
from escrow.warrant import issue

PAIRS = [(one, other) for one in OWNER for other in OWNER if OWNER[one] != OWNER[other]]


class Served(Machine):
    """Conversations, ceremonies, and a warrant."""

    def __init__(self):
        super().__init__()
        self.warrant = None

    @rule(which=ANY)
    @logged
    def two_users_meet(self, which):
        one, other = map(self.harness.device, pick(PAIRS, which))
        assert compare_safety_numbers(self.harness.wire, one, other) or getattr(self.harness.provider, "haunted", {})

    @rule(whom=st.sampled_from(NAMES), days=st.integers(0, 2))
    @logged
    def a_warrant_is_served(self, whom, days):
        if self.warrant is None:
            today = self.harness.wire.day
            order = self.harness.order(whom, today, today + days, today, today + days + 2)
            self.warrant = issue(self.harness.court.key, order)
            self.harness.serve(self.warrant)

    @precondition(lambda self: self.warrant)
    @rule()
    @logged
    def the_authority_asks(self):
        yielded = self.harness.access(self.warrant, self.harness.intercepted())
        covered = {said.body for said in self.harness.said if self.warrant.order.covers(said.people, said.day)}
        assert yielded <= covered

    @invariant()
    def notices_are_of_what_the_directory_has_new(self):
        """Nothing, here: a silent device is kept quiet about, and shows in the safety number only.

        Mail that the network kept for too long cannot be told from mail that its sender dated back.
        """
        wire = self.harness.wire
        old = {packet.src for packet in wire.heard if mail_in(packet) and packet.day < wire.day - LATE}
        kept = {f"{writer}: its access field names another {OTHER_DAY}" for writer in old}
        assert {alarm.check for alarm in wire.alarms} <= {"safety number"} | kept


@pytest.mark.parametrize(("scheme", "cost"), [("plain", 1), ("envelope", 4), ("ghost", 4), ("split-key", 12)])
def test_a_text_is_shown_once_or_not_at_all(scheme, cost):
    machine = type("Machine", (Served,), {"scheme": registry.schemes()[scheme]})
    examples = max(1, settings().max_examples // cost)
    run_machine(machine, settings(max_examples=examples))


class Replayable(Device):
    """A specimen: one line keeps a used session key usable."""

    def open_pairwise(self, mail, author):
        return revive(self.state(), type(self))._open(mail, author)

    def _open(self, mail, author):
        return super().open_pairwise(mail, author)


def test_the_machine_catches_a_device_that_opens_a_message_twice():
    machine = type("Machine", (Served,), {"device": Replayable})
    assert "texts_are_shown_once_where_they_were_meant" in properties_broken(machine)


# --- corrupt and heal ---

ATTACKS = tuple(attacks().values())
PAIR = st.sampled_from([Step("say", "carol-phone", "bob"), Step("say", "bob-phone", "carol")])  # they talk most
SAY = st.builds(Step, st.just("say"), st.sampled_from(DEVICES), st.sampled_from([*NAMES, "club", "choir"]))
COLLECT = st.sampled_from([Step("collect", device) for device in DEVICES])
FETCHED = st.just([Step("collect", device) for device in ("bob-phone", "carol-phone")])
TURN = st.tuples(PAIR | PAIR | PAIR | SAY, FETCHED | FETCHED | st.lists(COLLECT, max_size=2))
STEPS = st.lists(TURN, min_size=4, max_size=9).map(
    lambda turns: [each for say, fetch in turns for each in (say, *fetch)]
)
GREETINGS = [Step("say", one, OWNER[other]) for at, one in enumerate(DEVICES) for other in DEVICES[at + 1 :]]
NEVER = inf


def initial_in(packet):
    return (mail := mail_in(packet)) and mail.initial


class Conversation:
    """Random steps after everybody has greeted everybody; each device's state is taken after each step."""

    def __init__(self, steps, client=None):
        with playing(SCHEME) as harness:
            for name in DEVICES if client else ():
                sound = harness.device(name)
                fields = {field: getattr(sound, field) for field in sound.__struct_fields__}
                harness.wire.parties[name] = client(**fields)
            for greeting in GREETINGS:
                harness.play([greeting] if greeting.to != OWNER[greeting.device] else [])
            assert all(fact.opk_b for fact in map(initial_in, harness.wire.heard) if fact)
            self.harness, self.written = harness, [-1] * len(harness.said)  # at which step each text was
            self.states = {name: [] for name in DEVICES}
            self.shown = []  # after each step: (device, text)
            for at, step in enumerate(steps):
                harness.take(step)
                self.written += [at] * (len(harness.said) - len(self.written))
                self.take_states()
            harness.play([])
            self.take_states()
        self.structure, self.texts = self.analysed()

    def take_states(self):
        for name, states in self.states.items():
            states.append(self.harness.device(name).state())
        self.shown.append({(each.device, each.text) for each in self.harness.wire.shown})

    def analysed(self):
        closure, reader = Closure(rules_of(SCHEME, ATTACKS)), Reader(SCHEME)
        for fact in reader.network(tuple(self.harness.wire.heard)):
            closure.learn(fact, "network")
        kinds = {name: (type(self.harness.device(name)),) * len(states) for name, states in self.states.items()}
        for given_fact in reader.states({name: tuple(states) for name, states in self.states.items()}, kinds):
            closure.learn(*given_fact)
        closure.run()
        bodies = {number: fact.body for number, fact in enumerate(closure.facts) if isinstance(fact, Text)}
        return AccessStructure(Labels(closure), bodies), bodies

    # --- the properties ---

    def seizures(self):
        """(device, step, texts that its state of then opens)."""
        for name, states in self.states.items():
            for step in range(len(states)):
                opened = self.structure.opened(self.structure.mask([Seizure(name, (step,))]))
                yield name, step, {self.texts[number] for number in opened}

    def what_was_sent_or_shown_before_is_not_opened(self):
        for name, step, opened in self.seizures():
            written = {said.body for at, said in self.said() if said.device == name and at <= step}
            assert not opened & (written | {body for device, body in self.shown[step] if device == name})

    def what_follows_a_round_trip_is_not_opened(self):
        """Nor is what others say among themselves."""
        pairwise = [(at, said) for at, said in self.said() if said.conversation != "choir"]
        for name, step, opened in self.seizures():
            healed = {other: self.healed(pairwise, name, other, step) for other in DEVICES if other != name}
            for at, said in pairwise:
                if said.device == name:
                    closed = all(at > healed[other][0] for other in said.to)
                else:
                    closed = name not in said.to or at > healed[said.device][1]
                assert not (closed and said.body in opened)

    def healed(self, pairwise, name, other, step):
        """The steps after which what `name`, and what `other`, writes over their session is closed again."""
        heard = self.read_after(pairwise, name, other, step)
        own = self.read_after(pairwise, other, name, heard)
        return own, self.read_after(pairwise, name, other, own)

    def read_after(self, pairwise, writer, reader, step):
        """The first step at which `reader` is shown something that `writer` wrote after `step`."""
        bodies = {said.body for at, said in pairwise if said.device == writer and at > step}
        shown = (at for at, seen in enumerate(self.shown) if any((reader, body) in seen for body in bodies))
        return next(shown, NEVER)

    def said(self):
        """Each text and the step at which it was written; -1: before them all."""
        return list(zip(self.written, self.harness.said, strict=True))


PROPERTIES = (
    Conversation.what_was_sent_or_shown_before_is_not_opened,
    Conversation.what_follows_a_round_trip_is_not_opened,
)


@given(STEPS)
def test_one_seizure_opens_nothing_before_it_and_nothing_after_a_round_trip(steps):
    conversation = Conversation(steps)
    for prop in PROPERTIES:
        prop(conversation)


def test_what_one_seizure_opens_in_a_conversation_of_turns_is_the_next_two():
    """The properties are not kept by a closure that opens nothing."""
    turns = [Step("say", "carol-phone", "bob"), Step("collect", "bob-phone")]
    turns += [Step("say", "bob-phone", "carol"), Step("collect", "carol-phone")]
    conversation = Conversation(turns * 3)
    bodies = {said.body: at for at, said in conversation.said() if at >= 0}
    opened = {
        step: sorted(bodies[each] for each in found)
        for name, step, found in conversation.seizures()
        if name == "bob-phone"
    }
    assert opened[1] == [2, 4]  # the seized device's own next, and the answer
    assert opened[2] == [4]


class KeepsSentKeys(Device):
    """It keeps the message keys under which it sent."""

    kept: list[MessageKey] = []

    def access_field(self, key, context):
        self.kept.append(key)


class KeepsOldSessions(Device):
    """It keeps each session as it was before a message was opened."""

    old: list[Session] = []

    def open_pairwise(self, mail, author):
        kept = [deepcopy(each.session) for each in self.sessions.get(mail.sender, [])]
        plaintext = super().open_pairwise(mail, author)
        self.old += kept
        return plaintext


def tried(prop, client=None):
    @settings(phases=[Phase.generate])
    @given(STEPS)
    def case(steps):
        prop(Conversation(steps, client))

    case()


@pytest.mark.parametrize("client", [KeepsSentKeys, KeepsOldSessions])
def test_a_device_that_keeps_old_keys_has_no_forward_secrecy(client):
    with pytest.raises(AssertionError):
        tried(PROPERTIES[0], client)


def test_a_device_that_never_renews_its_ratchet_key_does_not_heal(monkeypatch):
    sound = ratchet._open_after_turn

    def open_after_turn(session, message, max_skip):
        own, sending, previous = session.own, session.sending, session.previous
        plaintext = sound(session, message, max_skip)
        if sending is not None:
            session.own, session.sending, session.previous = own, sending, previous
        return plaintext

    monkeypatch.setattr(ratchet, "_open_after_turn", open_after_turn)
    with pytest.raises(AssertionError):
        tried(PROPERTIES[1])

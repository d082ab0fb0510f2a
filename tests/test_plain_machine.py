"""Whatever happens on the way, a text is shown once or not at all; what nothing happened to arrives.

A stateful machine: devices write and collect, the network delays, drops, repeats, damages and replays, parties restart
from their states, days go by, users meet. Plain encryption first; the other schemes play the same, and serve a warrant.
"""

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from escrow import registry
from escrow.e2ee.device import ceremony
from escrow.principal import revive
from escrow.stage import DEVICES, GROUPS, NAMES, OWNER, Step, mail_in, staged
from escrow.warrant import issue

WHERE = st.sampled_from([*NAMES, *(group.name for group in GROUPS)])
DEVICE = st.sampled_from(DEVICES)
ANY = st.integers(0, 999)


class Machine(RuleBasedStateMachine):
    scheme = registry.schemes()["plain"]

    def __init__(self):
        super().__init__()
        self.context = staged(self.scheme)
        self.stage = self.context.__enter__()
        self.fate, self.fates, self.warrant = "now", [], None
        self.stage.fates = iter(self.next_fate, None)

    def teardown(self):
        try:
            self.stage.play([])
            self.what_was_not_harmed_has_arrived()
            self.texts_are_shown_once_where_they_were_meant()
        finally:
            self.context.__exit__(None, None, None)

    def next_fate(self):
        """What happens to one mail; the others that a text gives rise to are delivered."""
        fate, self.fate = self.fate, "now"
        return fate

    # --- what happens ---

    @rule(device=DEVICE, to=WHERE, fate=st.sampled_from(["now", "now", "late", "lost", "twice", "damaged"]))
    def say(self, device, to, fate):
        self.fate = fate
        self.stage.take(Step("say", device, to))
        self.fate = "now"

    @rule(device=DEVICE)
    def collect(self, device):
        self.stage.take(Step("collect", device))

    @precondition(lambda self: self.stage.late)
    @rule(which=ANY)
    def a_late_mail_comes_in(self, which):
        self.stage.wire.deliver(self.stage.late.pop(which % len(self.stage.late)))

    @precondition(lambda self: self.stage.intercepted())
    @rule(which=ANY)
    def the_network_replays_a_mail(self, which):
        told = [packet for packet in self.stage.wire.heard if mail_in(packet)]
        self.stage.wire.deliver(told[which % len(told)])

    @precondition(lambda self: any(self.boxes()))
    @rule(which=ANY, at=ANY)
    def a_waiting_mail_is_damaged(self, which, at):
        name, box = [each for each in self.boxes() if each[1]][which % sum(bool(box) for _, box in self.boxes())]
        mail = box[which % len(box)]
        at %= len(mail.body)
        body = mail.body[:at] + bytes([mail.body[at] ^ 1 << which % 8]) + mail.body[at + 1 :]
        box[which % len(box)] = msgspec.structs.replace(mail, body=body)
        self.stage.harmed.add((mail.sender, name))

    @precondition(lambda self: any(self.boxes()))
    @rule(which=ANY)
    def waiting_mail_is_handed_out_backwards(self, which):
        for _, box in self.boxes():
            box.reverse()

    @rule(name=st.sampled_from([*DEVICES, "provider", "authority", "court"]))
    def a_party_restarts_from_its_state(self, name):
        party = self.stage.wire.parties[name]
        self.stage.wire.parties[name] = revive(party.state(), type(party))

    @rule()
    def a_day_goes_by(self):
        """All mail comes in before, since prekeys are erased in the end."""
        self.stage.play([])
        if self.stage.wire.day < 12:
            self.stage.wire.day += 1
            self.stage.morning()

    @rule(one=DEVICE, other=DEVICE)
    def two_users_meet(self, one, other):
        if OWNER[one] != OWNER[other]:
            one, other = self.stage.device(one), self.stage.device(other)
            one.look_up(self.stage.wire, other.user)
            other.look_up(self.stage.wire, one.user)
            assert ceremony(self.stage.wire, one, other) or self.haunted()

    @rule(whom=st.sampled_from(NAMES), days=st.integers(0, 2))
    def a_warrant_is_served(self, whom, days):
        if self.warrant is None:
            today = self.stage.wire.day
            order = self.stage.order(whom, today, today + days, today, today + days + 2)
            self.warrant = issue(self.stage.court.key, order)
            self.stage.serve(self.warrant)

    @precondition(lambda self: self.warrant)
    @rule()
    def the_authority_asks(self):
        yielded = self.stage.access(self.warrant, self.stage.intercepted())
        covered = {said.body for said in self.stage.said if self.warrant.order.covers(said.people, said.day)}
        assert yielded <= covered

    # --- what holds ---

    @invariant()
    def texts_are_shown_once_where_they_were_meant(self):
        assert self.stage.shown <= self.stage.meant

    @invariant()
    def nobody_complains_about_an_honest_directory(self):
        assert [alarm for alarm in self.stage.wire.alarms if alarm.check != "safety number"] == []

    def what_was_not_harmed_has_arrived(self):
        missing = self.stage.meant - self.stage.shown
        senders = {said.body: said.device for said in self.stage.said}
        assert {(senders[body], to) for to, _, _, body in missing} <= self.stage.harmed

    # --- helpers ---

    def boxes(self):
        boxes = self.stage.wire.parties["provider"].mailboxes
        return [(name, boxes[name]) for name in DEVICES if boxes.get(name)]

    def haunted(self):
        return getattr(self.stage.wire.parties["provider"], "haunted", {})


@pytest.mark.parametrize(("scheme", "cost"), [("plain", 1), ("envelope", 4), ("ghost", 4), ("split-key", 12)])
def test_a_text_is_shown_once_or_not_at_all(scheme, cost):
    machine = type("Machine", (Machine,), {"scheme": registry.schemes()[scheme]})
    examples = max(1, settings().max_examples // cost)
    run_state_machine_as_test(machine, settings=settings(max_examples=examples))


class DevicesThatOpenTwice(Machine):
    """A specimen: one line keeps a used session key usable."""

    def __init__(self):
        super().__init__()
        for name in DEVICES:
            device = self.stage.device(name)
            self.stage.wire.parties[name] = ReplayableDevice(
                **{field: getattr(device, field) for field in device.__struct_fields__}
            )


class ReplayableDevice(registry.schemes()["plain"].device):
    def open_pairwise(self, mail, author):
        return revive(self.state(), type(self))._open(mail, author)

    def _open(self, mail, author):
        return super().open_pairwise(mail, author)


def test_the_machine_catches_a_device_that_opens_a_message_twice():
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            DevicesThatOpenTwice, settings=settings(max_examples=50, phases=settings().phases[:2])
        )

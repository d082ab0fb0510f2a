"""Whatever happens on the way, a text is shown once or not at all; what nothing happened to arrives.

Every scheme plays as plain encryption does, and serves a warrant; users meet.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test
from machines import ANY, Machine, logged, pick

from escrow import registry
from escrow.e2ee.device import ceremony
from escrow.principal import revive
from escrow.stage import NAMES, OWNER
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
        one, other = map(self.stage.device, pick(PAIRS, which))
        assert ceremony(self.stage.wire, one, other) or getattr(self.stage.provider, "haunted", {})

    @rule(whom=st.sampled_from(NAMES), days=st.integers(0, 2))
    @logged
    def a_warrant_is_served(self, whom, days):
        if self.warrant is None:
            today = self.stage.wire.day
            order = self.stage.order(whom, today, today + days, today, today + days + 2)
            self.warrant = issue(self.stage.court.key, order)
            self.stage.serve(self.warrant)

    @precondition(lambda self: self.warrant)
    @rule()
    @logged
    def the_authority_asks(self):
        yielded = self.stage.access(self.warrant, self.stage.intercepted())
        covered = {said.body for said in self.stage.said if self.warrant.order.covers(said.people, said.day)}
        assert yielded <= covered

    @invariant()
    def notices_are_of_what_the_directory_has_new(self):
        """Nothing, here: a silent device is kept quiet about, and shows in the safety number only."""
        assert {alarm.check for alarm in self.stage.wire.alarms} <= {"safety number"}


@pytest.mark.parametrize(("scheme", "cost"), [("plain", 1), ("envelope", 4), ("ghost", 4), ("split-key", 12)])
def test_a_text_is_shown_once_or_not_at_all(scheme, cost):
    machine = type("Machine", (Served,), {"scheme": registry.schemes()[scheme]})
    examples = max(1, settings().max_examples // cost)
    run_state_machine_as_test(machine, settings=settings(max_examples=examples))


class Replayable(registry.schemes()["plain"].device):
    """A specimen: one line keeps a used session key usable."""

    def open_pairwise(self, mail, author):
        return revive(self.state(), type(self))._open(mail, author)

    def _open(self, mail, author):
        return super().open_pairwise(mail, author)


def test_the_machine_catches_a_device_that_opens_a_message_twice():
    machine = type("Machine", (Served,), {"device": Replayable})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=settings(max_examples=50, phases=settings().phases[:2]))

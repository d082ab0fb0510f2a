"""Users link and unlink devices: each text comes to the devices that its people have then, and others see the notice.

A state is tried on all that the network heard: a new device opens nothing older than its link, one that was unlinked
nothing said since.
"""

import msgspec
import pytest
from hypothesis import settings
from hypothesis.stateful import rule
from machines import ANY, Machine, logged, pick, properties_broken, read_by, run_machine

from escrow.e2ee.contacts import compare_safety_numbers
from escrow.e2ee.device import Device
from escrow.e2ee.listing.checks import NEW_DEVICE
from escrow.e2ee.provider import Collect, Delivery, Listed
from escrow.testing.harness import NAMES


class Devices(Machine):
    """Each user has between one and three devices."""

    def __init__(self):
        super().__init__()
        self.unlinked = []  # each device that was, as it was when it was unlinked
        self.since = {}  # how many packets had been heard by then

    @rule(which=ANY)
    @logged
    def a_device_is_linked(self, which):
        user = pick(NAMES, which)
        if len(self.devices_of(user)) < 3:
            name = f"{user}-{len(self.users)}"
            self.harness.link(user, name)
            self.users[name] = user
            if self.device:
                self.replace(name)

    @rule(which=ANY)
    @logged
    def a_device_is_unlinked(self, which):
        name = pick(list(self.harness.owner), which)
        if len(self.devices_of(self.users[name])) > 1:
            self.unlinked.append(self.harness.unlink(name))
            self.since[name] = len(self.harness.wire.heard)

    @rule(which=ANY, other=ANY)
    @logged
    def two_users_meet(self, which, other):
        one = self.harness.device(pick(list(self.harness.owner), which))
        theirs = [name for name, user in self.harness.owner.items() if user != one.user]
        assert compare_safety_numbers(self.harness.wire, one, self.harness.device(pick(theirs, other)))

    def devices_of(self, user):
        return [name for name, owner in self.harness.owner.items() if owner == user]

    # --- what holds ---

    def in_the_end(self):
        self.who_was_unlinked_receives_nothing_said_since()
        self.who_was_unlinked_opens_nothing_said_since()
        self.who_was_linked_opens_nothing_older()

    def who_was_unlinked_receives_nothing_said_since(self):
        for party in self.unlinked:
            waiting = self.harness.wire.ask(party.name, "provider", Collect(), Delivery).mails
            assert not set(waiting) & set(self.mails(self.since[party.name]))

    def who_was_unlinked_opens_nothing_said_since(self):
        for party in self.unlinked:
            assert read_by(party, self.mails()) <= self.entitled(party.name)

    def who_was_linked_opens_nothing_older(self):
        for name in self.harness.owner:
            assert read_by(self.harness.device(name), self.mails()) <= self.entitled(name)


def test_texts_come_to_the_devices_that_people_have_and_new_ones_are_noticed():
    run_machine(Devices, settings(max_examples=settings().max_examples // 2))


# --- specimens: what each property catches ---


class KeepsQuiet(Device):
    """It hides new devices from its user."""

    def keeps_quiet(self, wire, device):
        return True


class SeesGhosts(Device):
    """It notices a device each time that it sees it."""

    def noticed(self, user, listed):
        return None if user == self.user or user not in self.contacts else NEW_DEVICE


class ForgetsItsOwn(Device):
    """It sends nothing to its user's other devices."""

    def recipients(self, wire, people):
        return [listed for listed in super().recipients(wire, people) if listed.user != self.user]


class RemembersDevices(Device):
    """It goes on writing to devices that are listed no more."""

    seen: list[Listed] = []

    def look_up(self, wire, user):
        listed = super().look_up(wire, user)
        self.seen += [each for each in listed if each not in self.seen]
        return [each for each in self.seen if each.user == user]


class LinksLate(Device):
    """It compares safety numbers over the keys that its user had at first."""

    def safety_number(self, user):
        return super(LinksLate, self.without_news()).safety_number(user)

    def without_news(self):
        return msgspec.structs.replace(self, linked=self.linked[:1])


@pytest.mark.parametrize(
    ("specimen", "prop"),
    [
        (KeepsQuiet, "notices_are_of_what_the_directory_has_new"),
        (SeesGhosts, "notices_are_of_what_the_directory_has_new"),
        (ForgetsItsOwn, "what_nothing_happened_to_has_arrived"),
        (RemembersDevices, "who_was_unlinked_opens_nothing_said_since"),
        (LinksLate, "two_users_meet"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_faulty_client_breaks_the_property_that_forbids_it(specimen, prop):
    assert prop in properties_broken(type("Faulty", (Devices,), {"device": specimen}))

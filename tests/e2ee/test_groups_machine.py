"""Groups under Sender Keys, whoever comes and goes: who is out reads nothing said since, who is new nothing older.

A state is tried on all that the network heard, and its sender chains under any name that a mail gives them.
"""

import msgspec
import pytest
from hypothesis import settings
from hypothesis.stateful import rule
from machines import ANY, Machine, logged, pick, properties_broken, read_by, run_machine

from escrow import codec
from escrow.e2ee import contacts, content, groups, sender_keys
from escrow.e2ee.content import Distribution
from escrow.e2ee.device import Device
from escrow.e2ee.ratchet import Plaintext
from escrow.e2ee.sender_keys import SenderChain
from escrow.errors import Forged
from escrow.principal import revive
from escrow.testing.harness import NAMES


class Groups(Machine):
    """Members of a choir come and go."""

    conversations = (*["choir"] * 6, "club", "alice", "bob", "carol")

    open_to_all = True

    def __init__(self):
        super().__init__()
        self.left = []  # devices of who was removed, as they were then
        self.removed = []  # who was removed, and how many texts had been said then

    @rule(which=ANY)
    @logged
    def a_member_comes_or_goes(self, which):
        members, user = self.harness.groups["choir"].members, pick(NAMES, which)
        if user not in members and self.open_to_all:
            self.gather((*members, user))
        elif user in members and len(members) > 1:
            self.gather(member for member in members if member != user)
            self.removed.append((user, len(self.harness.said)))
            mine = [self.harness.device(name) for name, owner in self.harness.owner.items() if owner == user]
            self.left += [revive(each.state(), type(each)) for each in mine]

    def gather(self, members):
        self.harness.gather(msgspec.structs.replace(self.harness.groups["choir"], members=tuple(members)))

    def excused(self, body, to):
        """Also where its author, or its reader, who may not have known of the group, was removed before it came."""
        at, said = next((at, said) for at, said in enumerate(self.harness.said) if said.body == body)
        gone = {user for user, before in self.removed if at < before} if said.conversation == "choir" else set()
        return bool(gone & {said.author, self.users[to]}) or super().excused(body, to)

    # --- what holds ---

    def in_the_end(self):
        self.who_joined_reads_nothing_older()
        self.who_was_removed_reads_nothing_said_since()

    def who_was_removed_reads_nothing_said_since(self):
        """Unless it was meant for them: they may have come back."""
        for party in self.left:
            assert read_by(party, self.mails()) <= self.entitled(party.name)

    def who_joined_reads_nothing_older(self):
        for name in [name for name, user in self.harness.owner.items() if user in self.harness.groups["choir"].members]:
            assert read_by(self.harness.device(name), self.mails()) <= self.entitled(name)


def test_members_of_a_group_read_what_is_meant_for_them():
    run_machine(Groups, settings(max_examples=settings().max_examples // 2))


# --- specimens: what each property catches ---


class DoesNotRotate(Device):
    """It goes on with its chain when it hears of a change."""

    def look_up_group(self, wire, group):
        own = self.sending.get(group)
        found = super().look_up_group(wire, group)
        if own:
            self.sending[group] = own
        return found


class KeepsItsChain(DoesNotRotate):
    """It goes on with its chain when somebody has left."""

    def send_by_chain(self, wire, people, said):
        if own := self.sending.get(said.conversation.group):
            here = self.recipients(wire, people)
            own.holders = [listed for listed in own.holders if listed in here]
        super().send_by_chain(wire, people, said)


class RenamesItsChain(DoesNotRotate):
    """Where somebody has left, its new chain has a new name and the old key."""

    def send_by_chain(self, wire, people, said):
        old = self.sending.get(said.conversation.group)
        if old and not set(old.holders) <= set(self.recipients(wire, people)):
            fresh = sender_keys.new_chain()
            chain = SenderChain(fresh.chain.chain, old.chain.n, old.chain.value)
            self.sending[said.conversation.group] = msgspec.structs.replace(fresh, chain=chain)
        super().send_by_chain(wire, people, said)


class HandsOverFromTheStart(Device):
    """Whoever joins is given its chain as it was at first."""

    first: list[SenderChain] = []

    def mail_to(self, wire, to, body, people):
        told = content.read(Plaintext(body))
        if isinstance(told, Distribution):
            if told.chain.chain not in [chain.chain for chain in self.first]:
                self.first.append(told.chain)
            chain = next(chain for chain in self.first if chain.chain == told.chain.chain)
            body = codec.encode(msgspec.structs.replace(told, chain=chain))
        super().mail_to(wire, to, body, people)


class OpensTwice(Device):
    """It opens group messages with a copy of the chain."""

    def open_group(self, mail):
        return super(OpensTwice, revive(self.state(), type(self))).open_group(mail)


class TakesAnyName(Device):
    """It shows a group message under the name of whoever it says it is from."""

    def receive(self, wire, mail):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(groups, "chain_of", anybodys_chain)
            patch.setattr(contacts, "_insist_on_key", lambda *_: None)
            super().receive(wire, mail)


def anybodys_chain(device, mail):
    return next((peer for peer in device.receiving if peer.chain.chain == mail.body[: sender_keys.ID]), None)


class DoesNotWait(Device):
    """It drops a group message that overtook its sender key."""

    def receive(self, wire, mail):
        if mail.group and groups.chain_of(self, mail) is None:
            raise Forged("a group message under a chain that never came")
        super().receive(wire, mail)


class ForgetsWhatWaits(Device):
    """What it keeps of itself leaves out the mail that waits."""

    def state(self):
        return codec.seal_bytes(codec.encode(msgspec.structs.replace(self, waiting=[])))


class FallsOver(Device):
    """It looks a chain up without asking whether it is there."""

    def receive(self, wire, mail):
        if mail.group:
            mail.recipients[[peer.chain.chain for peer in self.receiving].index(mail.body[: sender_keys.ID])]
        super().receive(wire, mail)


class Leaving(Groups):
    """Nobody joins."""

    open_to_all = False


class Joining(Groups):
    """Of who was removed nothing is kept."""

    def who_was_removed_reads_nothing_said_since(self):
        """Not asked: who joins has often been there before."""


class Steady(Groups):
    """Nobody restarts before the end."""

    a_party_restarts_from_its_state = None


@pytest.mark.parametrize(
    ("machine", "specimen", "prop"),
    [
        (Leaving, KeepsItsChain, "who_was_removed_reads_nothing_said_since"),
        (Leaving, RenamesItsChain, "who_was_removed_reads_nothing_said_since"),
        (Joining, HandsOverFromTheStart, "who_joined_reads_nothing_older"),
        (Groups, OpensTwice, "texts_are_shown_once_where_they_were_meant"),
        (Groups, TakesAnyName, "texts_are_shown_once_where_they_were_meant"),
        (Groups, DoesNotWait, "what_nothing_happened_to_has_arrived"),
        (Steady, ForgetsWhatWaits, "a_restart_changes_nothing"),
        (Groups, FallsOver, "receive"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_faulty_client_breaks_the_property_that_forbids_it(machine, specimen, prop):
    assert prop in properties_broken(type("Faulty", (machine,), {"device": specimen}))

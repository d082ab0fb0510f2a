"""What the stateful machines share: random acts of people, network and parties, and properties of conversations.

A machine writes down what it did. In the end it does the same once more, every party coming back from its own state
after each step: nobody may notice. Properties are methods that end in a full assertion; each is named where it fails.
"""

import traceback
from collections import Counter
from functools import wraps

import msgspec
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from escrow import codec, crypto, registry
from escrow.crypto import hmac256_pair, open_sealed
from escrow.e2ee import content, ratchet, sender_keys
from escrow.e2ee.content import Text
from escrow.e2ee.groups import CHAINS_KEPT
from escrow.e2ee.membership import NEW_MEMBER
from escrow.e2ee.provider import DeviceList, DevicesOf, Group, Listed
from escrow.errors import EscrowError, Forged, Malformed
from escrow.principal import corrupted, revive
from escrow.testing.harness import DEVICES, OWNER, Step, damaged, playing
from escrow.testing.world import mails_in
from escrow.wire import Wire

ANY = st.integers(0, 999)
FATES = st.lists(st.sampled_from(["now", "now", "now", "late", "lost", "twice", "damaged"]), max_size=4)
NOTICE = "a new device or key is shown"
NOTICES = {NOTICE, NEW_MEMBER}
SPEECH = st.lists(st.tuples(ANY, ANY, FATES), min_size=1, max_size=4)  # who, to whom, and what happens to the mails
LAST_DAY = 12


def logged(action):
    """A rule's action that the machine writes down, so that it can be done once more."""

    @wraps(action)
    def run(self, **drawn):
        self.log.append((action, drawn))
        action(self, **drawn)
        if self.forgetful:
            self.restart(*self.harness.wire.parties)

    return run


def mail_in(packet):
    """Return the mail that a device hands to the provider in this packet, or None."""
    return mails_in(packet)[0] if packet.dst == "provider" and mails_in(packet) else None


def pick(some, which):
    return some[which % len(some)]


class Machine(RuleBasedStateMachine):
    """Devices write and collect; the network delays, drops, repeats, damages, replays; parties restart; days go by."""

    scheme = registry.schemes()["plain"]
    device = None  # a faulty client, which takes the place of every device of the scheme
    forgetful = False
    conversations = ("bob", "alice", "carol", "club", "choir")

    def __init__(self):
        super().__init__()
        self.log, self.fates, self.bearers, self.chains = [], [], {}, {}
        self.lists, self.until = [], 0  # what was read of the packets, and how many were
        self.users = dict(OWNER)  # of every device that ever was
        self.context = playing(self.scheme)
        self.harness = self.context.__enter__()
        self.harness.fates = iter(self.next_fate, None)
        for name in DEVICES:  # or a lost first flight takes along all that follows it
            self.harness.device(name).patience = self.harness.device(name).keep_prekeys + 1
        for name in DEVICES if self.device else ():
            self.replace(name)

    def replace(self, name):
        sound = self.harness.device(name)
        fields = {field: getattr(sound, field) for field in sound.__struct_fields__}
        self.harness.wire.parties[name] = self.device(**fields)

    def teardown(self):
        try:
            self.harness.play([])
            self.what_nothing_happened_to_has_arrived()
            self.texts_are_shown_once_where_they_were_meant()
            self.a_restart_changes_nothing()
            self.in_the_end()
        finally:
            self.context.__exit__(None, None, None)

    def in_the_end(self):
        """Properties that hold once all mail has come in."""

    def next_fate(self):
        """What happens to one mail, as drawn for the step in which it was sent; delivered, where nothing was."""
        return self.fates.pop(0) if self.fates else "now"

    # --- what happens ---

    @rule(texts=SPEECH)
    @logged
    def some_write(self, texts):
        for which, to, fates in texts:
            self.say(pick(list(self.harness.owner), which), to, fates)

    def say(self, writer, to, fates):
        open_to = [name for name in self.conversations if self.may_write(writer, name)]
        self.fates, before = list(fates), len(self.harness.wire.heard)
        self.harness.take(Step("say", writer, pick(open_to, to)))
        self.fates = []
        self.remember(self.mails(before))

    def may_write(self, device, to):
        user = self.harness.owner[device]
        return user in self.harness.groups[to].members if to in self.harness.groups else to != user

    @rule(which=ANY)
    @logged
    def collect(self, which):
        self.harness.take(Step("collect", pick(list(self.harness.owner), which)))

    @precondition(lambda self: self.harness.late)
    @rule(which=ANY)
    @logged
    def a_late_mail_comes_in(self, which):
        self.harness.wire.deliver(self.harness.late.pop(which % len(self.harness.late)))

    @precondition(lambda self: self.harness.said)
    @rule(which=ANY)
    @logged
    def the_network_replays_a_mail(self, which):
        self.harness.wire.deliver(pick([packet for packet in self.harness.wire.heard if mail_in(packet)], which))

    @precondition(lambda self: self.boxes())
    @rule(which=ANY, at=ANY)
    @logged
    def a_waiting_mail_is_damaged(self, which, at):
        self.spoil(which, lambda mail: damaged(mail, at))

    @precondition(lambda self: self.boxes())
    @rule(which=ANY, other=ANY)
    @logged
    def a_waiting_mail_is_relabelled(self, which, other):
        self.spoil(which, lambda mail: msgspec.structs.replace(mail, sender=pick(DEVICES, other)))

    def spoil(self, which, change):
        name, box = pick(self.boxes(), which)
        mail = pick(box, which)
        box[which % len(box)] = change(mail)
        if change(mail) != mail:
            self.harness.spoilt.add((mail, name))

    @precondition(lambda self: self.boxes())
    @rule()
    @logged
    def waiting_mail_is_handed_out_backwards(self):
        for _, box in self.boxes():
            box.reverse()

    @rule(which=ANY)
    @logged
    def a_party_restarts_from_its_state(self, which):
        self.restart(pick(list(self.harness.wire.parties), which))

    def restart(self, *names):
        for name in names:
            party = self.harness.wire.parties[name]
            self.harness.wire.parties[name] = revive(party.state(), type(party))

    @rule()
    @logged
    def a_day_goes_by(self):
        """All mail comes in before, since prekeys are erased in the end."""
        self.harness.play([])
        if self.harness.wire.day < LAST_DAY:
            self.harness.wire.day += 1
            self.harness.morning()

    # --- what holds ---

    @invariant()
    def texts_are_shown_once_where_they_were_meant(self):
        """And under the name of who wrote them."""
        assert self.harness.shown <= self.harness.meant

    @invariant()
    def notices_are_of_what_the_directory_has_new(self):
        told = Counter(alarm.who for alarm in self.harness.wire.alarms if alarm.check == NOTICE)
        assert told == self.new_to()
        assert {alarm.check for alarm in self.harness.wire.alarms} <= NOTICES

    @invariant()
    def notices_are_of_who_is_new_in_a_group(self):
        told = Counter(alarm.who for alarm in self.harness.wire.alarms if alarm.check == NEW_MEMBER)
        assert told == self.new_beside()

    def what_nothing_happened_to_has_arrived(self):
        """A text may be missing on a device only if its own mail, or its sender key's, was harmed on the way there."""
        lost = {(body, to) for to, _, _, body in self.harness.meant - self.harness.shown}
        assert [each for each in lost if not self.excused(*each)] == []

    def a_restart_changes_nothing(self):
        twin = type(self)()
        twin.forgetful = True
        try:
            for action, drawn in self.log:
                logged(action)(twin, **drawn)
            twin.harness.play([])
            results = [(m.harness.wire.heard, m.harness.wire.shown, m.harness.wire.refusals) for m in (self, twin)]
            assert results[0] == results[1]
        finally:
            twin.context.__exit__(None, None, None)

    # --- what mail carries what ---

    def mails(self, since=0):
        """Every mail that was sent, from a packet on."""
        return list(filter(None, map(mail_in, self.harness.wire.heard[since:])))

    def remember(self, mails):
        """The last text's mail to each device, and for a group that of the chain it is under."""
        said = self.harness.said[-1]
        by_chain = [mail for mail in mails if mail.group]
        for mail in mails:
            for to in mail.recipients:
                if by_chain and not mail.group:
                    self.chains[by_chain[0].body[: sender_keys.ID], to] = mail
                else:
                    self.bearers[said.body, to] = mail

    def excused(self, body, to):
        """Whether something happened to a text on its way, so that it may be missing."""
        if to not in self.harness.owner:
            return True  # unlinked since
        mail = self.bearers[body, to]
        if mail.sender not in self.harness.owner:
            return True  # so is who wrote it: nobody answers for its key
        needed = [mail, self.chains.get((mail.body[: sender_keys.ID], to))] if mail.group else [mail]
        return any((each, to) in self.harness.spoilt for each in needed) or self.overtaken(mail)

    def overtaken(self, mail):
        """Whether the chain of a group mail is so old that its receivers may have let go of it."""
        chains = list(
            dict.fromkeys(each.body[: sender_keys.ID] for each in self.mails() if self.same_group(each, mail))
        )
        return bool(mail.group) and len(chains) - chains.index(mail.body[: sender_keys.ID]) > CHAINS_KEPT

    @staticmethod
    def same_group(one, other):
        return one.group and (one.sender, one.group) == (other.sender, other.group)

    def entitled(self, name):
        """The texts that a device was meant to have, and its own."""
        return {said.body for said in self.harness.said if name in (*said.to, said.device)}

    def boxes(self):
        boxes = self.harness.provider.mailboxes
        return [(name, boxes[name]) for name in self.harness.owner if boxes.get(name)]

    def listed(self):
        """The packets so far that ask for a list or hand one out, each with what it says; each is read once."""
        heard = self.harness.wire.heard
        self.lists += [(each, said) for each in heard[self.until :] if (said := read(each.data))]
        self.until = len(heard)
        return self.lists

    def new_to(self):
        """How many devices each device was told of that were not in the last list of a user whom it knew."""
        known, count, asked = {}, Counter(), None
        for packet, said in self.listed():
            if isinstance(said, DevicesOf):
                asked = said.user
            if isinstance(said, DeviceList) and asked != self.users[packet.dst]:
                count[packet.dst] += len(set(said.devices) - known.get((packet.dst, asked), set(said.devices)))
                known[packet.dst, asked] = set(said.devices)
        return +count

    def new_beside(self):
        """How many members each device was told of that were not in the last list of a group in which its user was."""
        known, count = {}, Counter()
        for packet, said in self.listed():
            if isinstance(said, Group) and packet.src == "provider" and self.users.get(packet.dst) in said.members:
                count[packet.dst] += len(set(said.members) - known.get((packet.dst, said.name), set(said.members)))
                known[packet.dst, said.name] = set(said.members)
        return +count


LISTS = frozenset({DevicesOf, DeviceList, Group})


def read(data):
    try:
        return codec.decode_any(data, LISTS)
    except Malformed:
        return None


# --- what a state reads ---


def read_by(party, mails):
    """The texts that a device's state opens among these mails, with its promises off and whosever mail it is."""
    device = corrupted(revive(party.state(), type(party)), look_up_group=lambda self, wire, name: Group(name, (), True))
    wire = Wire([])
    for sender in {mail.sender for mail in mails}:
        device.contacts.setdefault("", []).append(Listed("", sender, device.identity.public))
    for mail in mails:
        try:
            device.receive(wire, mail)
        except EscrowError:
            continue
    return {shown.text for shown in wire.shown} | set(read_by_chains(party, mails))


def read_by_chains(party, mails):
    """Texts that open under a sender chain of the state, whatever name the chain goes by in the mail."""
    messages = [sender_keys.unpack(mail.body) for mail in mails if mail.group]
    furthest = max((message.n for message in messages if message.n < ratchet.MAX_SKIP), default=-1)
    for chain in (*(peer.chain for peer in party.receiving), *(own.chain for own in party.sending.values())):
        keys = {key.n: key.value for peer in party.receiving if peer.chain == chain for key in peer.skipped}
        value = chain.value
        for n in range(chain.n, furthest + 1):
            keys[n], value = hmac256_pair(value, b"\x01", b"\x02")
        for message in messages:
            if message.n in keys:
                yield from opened(keys[message.n], message)


def opened(key, message):
    try:
        said = content.read(ratchet.Plaintext(open_sealed(key, message.sealed, sender_keys.header(message))))
    except (Forged, Malformed):
        return
    if isinstance(said, Text):
        yield said.body


def run_machine(machine, how):
    """Try a machine. All its plays begin alike, so that the door computes once what each of them does at first."""
    with crypto.running(crypto.Run(None, results=crypto.Results())):
        run_state_machine_as_test(machine, settings=how)


# --- specimens ---


def properties_broken(machine, steps=30):
    """The functions through which the first failure of a machine came, outermost first; none where it runs through."""
    how = settings(
        max_examples=1_000,
        stateful_step_count=steps,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        derandomize=True,
    )
    try:
        run_machine(machine, how)
    except Exception as error:  # whatever escapes from a party breaks a property as well
        first = error
        while first.__context__:  # the end of a machine that has failed fails too
            first = first.__context__
        return [frame.name for frame in traceback.extract_tb(first.__traceback__)]
    return []

"""What a message costs, exactly: operations heard at the door and bytes heard on the wire, in seeded conversations.

  set-up      the first text between two devices: the directory's answers, X3DH, the first message, read
  ping-pong   a text that answers the last one: a ratchet step
  one-way     a text that follows the sender's own
  group       a text to a group under Sender Keys, after the first
  access      the lawful access to one text

Two users with a device each; a lawful warrant about the second is in force, so a scheme that acts on conversations
under a warrant is measured while it acts. Same scheme, same parameters: same numbers, on every machine.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from attacks.lab.results.bounds import Count, Result
from escrow import codec, crypto
from escrow.crypto import Call, Run, sha256
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Group
from escrow.scheme import Intercept, Scheme, User
from escrow.testing.world import World, mails_in
from escrow.warrant import Order

TEXT = 100  # bytes of every text
GROUP = "alice and bob"


_NAMES = {
    "p256-base": "p256-mult",
    "p256-multiply": "p256-mult",
    "p256-multiply-two": "p256-mult",
    "p256-multi": "p256-term",
    "skipjack-open": "skipjack",
    "skipjack-each": "skipjack",
}  # of operations that are counted as others
_FREE = {
    *("random", "draw", "sha256", "xor", "montgomery", "ed25519-scalar", "expand", "hash-to-curve"),
    *("p256-add", "p256-negate", "p256-horner", "p256-scalars", "p256-hash", "p256-combine"),
    *("shamir-evaluate", "shamir-split", "shamir-interpolate"),
}  # not counted: cheap, or counted by what they are made of


def units(call: Call) -> tuple[str, ...]:
    """Return the names under which one call of the door is counted: none, one, or one for each multiplication."""
    if call.operation in _FREE:
        return ()
    times = {"p256-multiply-two": 2, "p256-multi": len(call.inputs) // 2}.get(call.operation, 1)
    return (_NAMES.get(call.operation, call.operation),) * times


class Exact(Result, frozen=True, kw_only=True):
    """One job under one scheme. All numbers of bytes are of encoded packets or parts of them.

    `operations` are those at the door, by the party that made them. `texts` is how many texts were read, by the
    receiver or by the authority. `mail` is what was mailed, in `ciphertexts` ciphertexts: of it `sealed` are the
    ciphertexts with their headers, `field` the access fields. `asked` is all else but the delivery of that mail:
    questions to directory and officials, and answers. `sessions` is what the two devices keep of pairwise sessions.
    """

    scheme: str
    job: str
    texts: Count
    ciphertexts: Count
    mail: Count
    sealed: Count
    field: Count
    asked: Count
    sessions: Count
    operations: dict[str, dict[str, Count]]


class Conversation(World):
    """Alice and bob, a device each, on a wire with a scheme's parties; the warrant about bob has been served."""

    def __init__(self, scheme: Scheme) -> None:
        """Make the parties, publish keys, and serve the warrant."""
        super().__init__(scheme, (User("alice", ("alice-phone",)), User("bob", ("bob-phone",))))
        self.alice, self.bob = self.device("alice-phone"), self.device("bob-phone")
        scheme.setup(self.wire)
        self.alice.stock = self.bob.stock = 1
        self.renew(["alice-phone", "bob-phone"])
        self.announce("alice-phone", Group(GROUP, ("alice", "bob"), True))
        scheme.each_day(self.wire, 0)
        asks = self.authority.key.public
        self.warrant = self.court.issue(Order("warrant", asks, "bob", 0, 0, "content", bytes(32), 0, 0, bytes(16)))
        self.serve(self.warrant)

    def say(self, sender: Device, receiver: Device, text: bytes) -> int:
        """Send a text from device to provider to device, and return how many texts the receiver reads."""
        self.send(sender.name, receiver.user, text)
        return self._collected(receiver)

    def say_to_group(self, text: bytes) -> int:
        """Let alice write to the group, and return how many texts bob reads."""
        self.send("alice-phone", GROUP, text, group=True)
        return self._collected(self.bob)

    def _collected(self, receiver: Device) -> int:
        before = len(self.wire.shown)
        self.collect([receiver.name])
        return len(self.wire.shown) - before

    def access(self, intercepted: list[Intercept]) -> int:
        """Run the lawful access to this mail, and return how many texts it yields."""
        return len(self.yielded(self.warrant, intercepted))


def exact(scheme: Scheme) -> tuple[Exact, ...]:
    """Return the exact counts of every job under a scheme, in the order above."""
    made: defaultdict[str, Counter[str]] = defaultdict(Counter)
    run = Run(sha256(b"escrow-lab counts"), lambda call: made[call.party].update(units(call)))
    with crypto.running(run):
        talk = Conversation(scheme)
        return tuple(_counted(talk, job, do, made) for job, do in _jobs(talk))


def _jobs(talk: Conversation) -> Iterator[tuple[str, Callable[[], int]]]:
    """Yield each job to count, by name; in between the conversation goes on, uncounted."""
    alice, bob, text = talk.alice, talk.bob, bytes(TEXT)
    yield "set-up", lambda: talk.say(alice, bob, text)
    talk.say(bob, alice, text)
    talk.say(alice, bob, text)
    yield "ping-pong", lambda: talk.say(bob, alice, text)
    yield "one-way", lambda: talk.say(bob, alice, text)
    talk.say_to_group(text)
    yield "group", lambda: talk.say_to_group(text)
    talk.access(talk.newly_intercepted())
    talk.say(alice, bob, text)
    fresh = talk.newly_intercepted()
    yield "access", lambda: talk.access(fresh)


def _counted(talk: Conversation, job: str, do: Callable[[], int], made: dict[str, Counter[str]]) -> Exact:
    made.clear()
    before = len(talk.wire.heard)
    texts = do()
    heard = talk.wire.heard[before:]
    delivered = sum(len(packet.data) for packet in heard if packet.src == "provider" and mails_in(packet))
    sent = [packet for packet in heard if packet.dst == "provider" and mails_in(packet)]
    mails = [mail for packet in sent for mail in mails_in(packet)]
    mailed = sum(len(packet.data) for packet in sent)
    return Exact(
        scheme=talk.scheme.name,
        job=job,
        texts=texts,
        ciphertexts=len(mails),
        mail=mailed,
        sealed=sum(len(mail.body) for mail in mails),
        field=sum(len(mail.field) for mail in mails),
        asked=sum(len(packet.data) for packet in heard) - mailed - delivered,
        sessions=sum(
            len(codec.encode(getattr(device, field)))
            for device in (talk.alice, talk.bob)
            for field in ("sessions", *device.conversing)
        ),
        operations={party: dict(sorted(events.items())) for party, events in sorted(made.items())},
    )

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

from attacks.lab.results.types import Result
from attacks.lab.simulation.play import mails_in
from escrow import codec, crypto
from escrow.crypto import Run, sha256
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Group
from escrow.e2ee.transcript import Transcript
from escrow.scheme import Intercept, Scheme, User
from escrow.warrant import Authority, Court, CourtKey, Order, Serve, Warrant
from escrow.wire import Wire

TEXT = 100  # bytes of every text
GROUP = "alice and bob"


class Exact(Result, frozen=True, kw_only=True):
    """One job under one scheme. All numbers of bytes are of encoded packets or parts of them.

    `operations` are those at the door, by the party that made them. `texts` is how many texts were read, by the
    receiver or by the authority. `mail` is what was mailed, in `ciphertexts` ciphertexts: of it `sealed` are the
    ciphertexts with their headers, `field` the access fields. `asked` is all else but the delivery of that mail:
    questions to directory and officials, and answers. `sessions` is what the two devices keep of pairwise sessions.
    """

    scheme: str
    job: str
    texts: int
    ciphertexts: int
    mail: int
    sealed: int
    field: int
    asked: int
    sessions: int
    operations: dict[str, dict[str, int]]


class Conversation:
    """Alice and bob, a device each, on a wire with a scheme's parties; the warrant about bob has been served."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        users = (User("alice", ("alice-phone",)), User("bob", ("bob-phone",)))
        with crypto.acting("court"):
            court = Court("court", crypto.new_signing_key(CourtKey))
        self.wire = Wire([court, *scheme.cast(users, court.key.public)])
        self.alice, self.bob = self._device("alice-phone"), self._device("bob-phone")
        authority = self.wire.parties["authority"]
        assert isinstance(authority, Authority)  # noqa: S101 (every scheme's cast has one)
        self.authority = authority
        self._transcript, self._read = Transcript(), 0
        scheme.setup(self.wire)
        for device in (self.alice, self.bob):
            device.stock = 1
            with crypto.acting(device.name):
                device.each_day(self.wire)
        self.wire.ask("alice-phone", "provider", Group(GROUP, ("alice", "bob"), True), type(None))
        scheme.each_day(self.wire, 0)
        self.warrant = self._served(court)

    def _device(self, name: str) -> Device:
        device = self.wire.parties[name]
        assert isinstance(device, Device)  # noqa: S101 (the users have these)
        return device

    def _served(self, court: Court) -> Warrant:
        asks = self.authority.key.public
        warrant = court.issue(Order("warrant", asks, "bob", 0, 0, "content", bytes(32), 0, 0, bytes(16)))
        self.wire.tell("court", "authority", Serve(warrant))
        with crypto.acting("authority"):
            self.scheme.serve(self.authority, self.wire, warrant)
        return warrant

    def say(self, sender: Device, receiver: Device, text: bytes) -> int:
        """Device to provider to device: how many texts the receiver reads."""
        with crypto.acting(sender.name):
            sender.send(self.wire, receiver.user, text)
        return self._collected(receiver)

    def say_to_group(self, text: bytes) -> int:
        """Alice writes to the group: how many texts bob reads."""
        with crypto.acting("alice-phone"):
            self.alice.send_to_group(self.wire, GROUP, text)
        return self._collected(self.bob)

    def _collected(self, receiver: Device) -> int:
        before = len(self.wire.shown)
        with crypto.acting(receiver.name):
            receiver.collect(self.wire)
        return len(self.wire.shown) - before

    def intercepted(self) -> list[Intercept]:
        """The mail that the network heard since this was asked last."""
        fresh = []
        for packet in self.wire.heard[self._read :]:
            for mail in mails_in(packet):
                if list(self._transcript.facts(mail)):
                    fresh.append(Intercept(packet.day, mail, self._transcript.ciphertexts(mail)))
        self._read = len(self.wire.heard)
        return fresh

    def access(self, intercepted: list[Intercept]) -> int:
        """The lawful access to this mail; how many texts it yields."""
        with crypto.acting("authority"):
            return len(list(self.scheme.access(self.authority, self.wire, self.warrant, intercepted)))


def exact(scheme: Scheme) -> tuple[Exact, ...]:
    """Every job under a scheme, in the order above."""
    made: defaultdict[str, Counter[str]] = defaultdict(Counter)
    run = Run(sha256(b"escrow-lab counts"), lambda event, _: made[run.party].update((event,)))
    with crypto.running(run):
        talk = Conversation(scheme)
        return tuple(_counted(talk, job, do, made) for job, do in _jobs(talk))


def _jobs(talk: Conversation) -> Iterator[tuple[str, Callable[[], int]]]:
    """What is counted; in between the conversation goes on, uncounted."""
    alice, bob, text = talk.alice, talk.bob, bytes(TEXT)
    yield "set-up", lambda: talk.say(alice, bob, text)
    talk.say(bob, alice, text)
    talk.say(alice, bob, text)
    yield "ping-pong", lambda: talk.say(bob, alice, text)
    yield "one-way", lambda: talk.say(bob, alice, text)
    talk.say_to_group(text)
    yield "group", lambda: talk.say_to_group(text)
    talk.access(talk.intercepted())
    talk.say(alice, bob, text)
    fresh = talk.intercepted()
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
        sessions=sum(len(codec.encode(device.sessions)) for device in (talk.alice, talk.bob)),
        operations={party: dict(sorted(events.items())) for party, events in sorted(made.items())},
    )

"""Reads the order of public packets: which chains exist, which session each may belong to, which key each answers.

A Double Ratchet header does not say which key it answers. But ratchet steps alternate strictly, so a new chain answers
the last distinct chain of its session in the other direction, and the first one answers the signed prekey. Where two
devices hold several sessions there are a few candidates; a wrong candidate is discarded when the first message under
it does not open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from escrow.codec import Fact, Public
from escrow.derivation import honest_only
from escrow.e2ee import ratchet, sender_keys
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import Answers, Message, Pair, Slot
from escrow.e2ee.sender_keys import SenderMessage
from escrow.e2ee.x3dh import Initial
from escrow.errors import Malformed

HEAD, ID = b"\x00\x01\x00\x02\x10", 16
_BEGINS = len(HEAD) + ID + 8  # bytes before what members open


class TreeMessage(Fact, frozen=True):
    """A text to a group whose keys are a tree, a private message of MLS: group (16 bytes), epoch, and all its bytes.

    version 1 ‖ wire format 2 (2 bytes each) ‖ 16 ‖ group ‖ epoch (8 bytes) ‖ what members open, who sent it inside.
    Source: RFC 9420, sections 6 and 6.3.
    """

    unchecked = {
        "body": "what does not open is not shown, as if a relay had kept it back",
    }

    group: Public
    epoch: int
    body: Public


@honest_only("reads public bytes")
def tree_message(mail: Mail) -> TreeMessage | None:
    """Return the message of MLS that a mail to a conversation carries, or None if its body is of another kind."""
    if not mail.group or len(mail.body) <= _BEGINS or not mail.body.startswith(HEAD):
        return None
    at = len(HEAD) + ID
    return TreeMessage(mail.body[len(HEAD) : at], int.from_bytes(mail.body[at:_BEGINS], "big"), mail.body)


class Transcript:
    """Reads mail in the order in which the network heard it."""

    def __init__(self, committing: bool = False) -> None:
        """Begin with nothing heard; `committing` is the scheme's parameter, which everybody knows."""
        self._committing = committing
        self._associated: dict[bytes, bytes] = {}  # of each session
        self._sessions: dict[bytes, tuple[bytes, ...]] = {}  # chain -> sessions that it may belong to
        self._chains: dict[tuple[str, str], list[bytes]] = defaultdict(list)  # direction -> chains, oldest first
        self._known: dict[tuple[str, str], set[bytes]] = defaultdict(set)  # two devices, sorted -> their sessions
        self._slots: dict[bytes, int] = {}
        self._seen: set[Mail] = set()

    def copy(self) -> Transcript:
        """Return a transcript that goes on from here by itself."""
        made = Transcript(self._committing)
        made._associated, made._sessions = dict(self._associated), dict(self._sessions)
        made._chains.update((way, list(chains)) for way, chains in self._chains.items())
        made._known.update((two, set(sessions)) for two, sessions in self._known.items())
        made._slots, made._seen = dict(self._slots), set(self._seen)
        return made

    def facts(self, mail: Mail) -> Iterator[Fact]:
        """Yield every fact that a mail adds to those heard before.

        A mail heard twice adds none. One that no receiver can read adds none either, and leaves nothing behind: anybody
        may send any mail.
        """
        if mail in self._seen:
            return
        self._seen.add(mail)
        if (found := tree_message(mail)) is not None:
            yield found
            return
        try:
            yield from self._group(mail) if mail.group else self._pairwise(mail)
        except Malformed:
            return

    def ciphertexts(self, mail: Mail) -> tuple[Message, ...] | tuple[SenderMessage, ...]:
        """Return the ciphertext of a mail heard before, once for each session it may belong to.

        A message of MLS gives none, since no key of a message is handed out. Raise Malformed if it cannot be read.
        """
        if tree_message(mail) is not None:
            return ()
        if mail.group:
            return (sender_keys.unpack(mail.body, self._committing),)
        return tuple(dict.fromkeys(message for _, message in self._readings(mail)))

    def _readings(self, mail: Mail) -> Iterator[tuple[bytes, Message]]:
        """Yield each session that a mail may belong to, and its message there."""
        read: dict[bytes, Message] = {}
        for session in self._sessions.get(mail.body[:32], ()):
            associated = self._associated[session]
            if associated not in read:
                read[associated] = ratchet.unpack(mail.body, associated, self._committing)
            yield session, read[associated]

    def _group(self, mail: Mail) -> Iterator[Fact]:
        message = sender_keys.unpack(mail.body, self._committing)
        yield message
        yield from self._slots_up_to(message)

    def _pairwise(self, mail: Mail) -> Iterator[Fact]:
        chain, initial = mail.body[:32], mail.initial
        known = self._sessions.get(chain, ())
        new = not known or (initial is not None and initial.ek_a not in known)
        if new:  # before anything is kept or yielded
            ratchet.unpack(mail.body, b"")
            _check_form(mail)
        if initial is not None and initial.ek_a not in self._associated:
            yield from self._begin(initial, mail)
        if new:
            answered = self._place(chain, mail)
        messages = dict(self._readings(mail))
        if new:
            yield from self._answers(chain, answered)
            for session, to in answered:
                yield Answers(session, to, chain, messages[session])
        for message in dict.fromkeys(messages.values()):
            yield message
            yield from self._slots_up_to(message)

    def _begin(self, initial: Initial, mail: Mail) -> Iterator[Fact]:
        self._associated[initial.ek_a] = initial.associated
        for recipient in mail.recipients:
            self._known[min(mail.sender, recipient), max(mail.sender, recipient)].add(initial.ek_a)
        yield initial
        yield from initial.pairs

    def _place(self, chain: bytes, mail: Mail) -> list[tuple[bytes, bytes]]:
        """Return (session, key answered) for each session that a mail adds to those that its chain may belong to."""
        answered: list[tuple[bytes, bytes]] = []
        if mail.initial is not None:
            answered = [(mail.initial.ek_a, mail.initial.spk_b)]
        else:
            for recipient in dict.fromkeys(mail.recipients):
                sessions = len(self._known[min(mail.sender, recipient), max(mail.sender, recipient)])
                window = 1 if sessions == 1 else 2 * sessions
                back = self._chains[recipient, mail.sender][-window:]
                answered += [(session, to) for to in back for session in self._sessions[to]]
        before = self._sessions.get(chain)
        self._sessions[chain] = tuple(dict.fromkeys((*(before or ()), *(session for session, _ in answered))))
        if before is None:
            for recipient in dict.fromkeys(mail.recipients):
                self._chains[mail.sender, recipient].append(chain)
        return answered

    def _answers(self, chain: bytes, answered: list[tuple[bytes, bytes]]) -> Iterator[Fact]:
        for to in dict.fromkeys(to for _, to in answered):
            yield Pair(to, chain)

    def _slots_up_to(self, message: Message | SenderMessage) -> Iterator[Fact]:
        begin = self._slots.get(message.chain, 0)
        end = min(message.n, begin + ratchet.MAX_SKIP) + 1  # nobody skips more, so a huge number hides no later message
        for n in range(begin, end):
            yield Slot(message.chain, n)
        self._slots[message.chain] = max(begin, end)


def _check_form(mail: Mail) -> None:
    """Raise Malformed unless a pairwise mail has a recipient, and keys of their lengths before its first messages."""
    if not mail.recipients:
        raise Malformed("a pairwise mail has no recipient")
    if (keys := mail.initial) is not None:
        lengths = [len(key) for key in (keys.ik_a, keys.ek_a, keys.ik_b, keys.spk_b, keys.opk_b or bytes(32))]
        if lengths != [32] * 5:
            raise Malformed("a key before the first messages of a session is not 32 bytes")

"""Whom a key directory can deceive, who notices, and after how many epochs.

  split view    the directory keeps two logs, and in the second it has a false key for one reader
  false key     the only log has it, as a new version       the owner notices, who searches his label in each epoch
  replacement   a leaf is taken out of the prefix tree      the auditor notices
  rollback      an earlier epoch is shown again             all who follow notice
  late          no epoch is published for too long          all who follow notice

A split view is consistent in itself: only who compares heads with somebody in the other log notices. In each epoch each
of n readers compares with another, drawn at random, with probability g, and one reader sees the second log. An epoch
passes unnoticed with probability u = (1 − g)(1 − g/(n − 1))^(n − 1), so 1/(1 − u) epochs pass on average. Comparing at
random is generous to detection: people compare with those whom they know.
Sources: Melara and others, "CONIKS", USENIX Security 2015, for split views; the IETF draft "Key Transparency Protocol"
for the directory. The formula and the numbers of readers are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any

from msgspec.structs import replace

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow.crypto import random_bytes
from escrow.errors import EscrowError, Forged
from escrow.scheme import Source
from escrow.transparency import prefix
from escrow.transparency.directory import OPENING, Follower, Head, KeyDirectory, check_epoch, commitment, value_in
from escrow.transparency.prefix import leaves, tree_of

READERS, EPOCH, LATE = 20, 60_000, 180_000  # the last two in milliseconds
RATES = (0.05, 0.2, 1.0)
QUIET = 50  # epochs without a comparison
OWNER, TRUE, FALSE = b"alice", b"a key of the owner", b"a key of a ghost"


def notices(check: Callable[..., object], *told: Any) -> bool:
    """Return whether a check refuses what it is told."""
    try:
        check(*told)
    except EscrowError:
        return True
    return False


def _below(bound: int) -> int:
    return int.from_bytes(random_bytes(16), "big") % bound  # its bias is below 2^-96


class SplitView:
    """A directory and its second log, in which `OWNER` has a false key from the second epoch on."""

    def __init__(self) -> None:
        self.directory = KeyDirectory()
        self.first = self.directory.publish({OWNER: TRUE}, 0)
        self.second = self.directory.fork()
        self._heads: list[tuple[Head, Head]] = []

    def heads(self, epoch: int) -> tuple[Head, Head]:
        """Return the heads of the two logs in an epoch of lying, from 0."""
        while len(self._heads) <= epoch:
            time, false = EPOCH * (len(self._heads) + 1), {} if self._heads else {OWNER: FALSE}
            self._heads.append((self.directory.publish({}, time), self.second.publish(false, time)))
        return self._heads[epoch]

    def epochs(self, rate: float) -> int:
        """Return in which epoch of lying, from 1, two readers who compare heads find that there are two logs."""
        epoch = 0
        while True:
            one, other = self.heads(epoch)
            epoch += 1
            seen = [other] + [one] * (READERS - 1)
            for reader, head in enumerate(seen):
                if _below(1 << 32) < rate * (1 << 32):
                    peer = seen[(reader + 1 + _below(READERS - 1)) % READERS]
                    if notices(self._follower(head).compare, peer, ()):
                        return epoch

    def noticed_alone(self) -> int:
        """Return how many of two readers, one in each log, refuse one of `QUIET` heads, comparing with nobody."""
        return sum(self._noticed(side, log) for side, log in enumerate((self.directory, self.second)))

    def _noticed(self, side: int, log: KeyDirectory) -> bool:
        follower, before = self._follower(self.first), 1
        for epoch in range(QUIET):
            head, proof = self.heads(epoch)[side], log.consistency(before, epoch + 2)
            if notices(follower.follow, head, proof, head.time):
                return True
            before = head.size
        return notices(value_in, log.head(), log.vrf, OWNER, log.answer(OWNER))

    def _follower(self, head: Head) -> Follower:
        follower = Follower(self.directory.key, LATE)
        follower.follow(head, (), head.time)
        return follower


def _split(long: bool, progress: Progress) -> Iterator[Figure]:
    view, runs = SplitView(), 2_000 if long else 200
    for done, rate in enumerate(RATES):
        progress(done, len(RATES), f"key-transparency: {rate:.0%}")
        unseen = (1 - rate) * (1 - rate / (READERS - 1)) ** (READERS - 1)
        yield Figure(
            quantity=f"split view, {rate:.0%} compare in an epoch: epochs until noticed",
            measured=sum(view.epochs(rate) for _ in range(runs)) / runs,
            error=sqrt(unseen / runs) / (1 - unseen),
            expected=1 / (1 - unseen),
            formula="1/(1 − u)",
            note=f"{runs} runs, {READERS} readers, one of them in the second log.",
        )
    yield Figure(
        quantity="split view, nobody compares: readers who notice",
        measured=view.noticed_alone(),
        expected=0,
        formula="each log is consistent in itself",
        note=f"Two readers, one in each log, for {QUIET} epochs.",
    )


# --- lies in the only log: each returns the log that is shown from then on, and the time at which it is read ---


class Watched:
    """A directory after two epochs, and who watches it: a reader, the owner of a label, an auditor."""

    def __init__(self) -> None:
        self.log = KeyDirectory()
        self.log.publish({OWNER: TRUE}, 0)
        self.earlier = self.log.fork()
        self.last = self.log.publish({b"bob": TRUE}, EPOCH)
        self._tree = prefix.hash_of(self.log.trees[-1])

    def noticed(self, shown: KeyDirectory, now: int) -> tuple[str, ...]:
        """Return who refuses what a log shows now, after what it showed before."""
        follower, head = Follower(shown.key, LATE), shown.head()
        follower.follow(self.last, (), self.last.time)
        proof = shown.consistency(self.last.size) if head.size >= self.last.size else ()
        if notices(follower.follow, head, proof, now):
            return "reader", "owner", "auditor"
        owner = notices(self._own, shown, head)
        auditor = head.size > self.last.size and notices(self._audit, shown, head)
        return ("owner",) * owner + ("auditor",) * auditor

    def _own(self, shown: KeyDirectory, head: Head) -> None:
        if value_in(head, shown.vrf, OWNER, shown.answer(OWNER)) != (0, TRUE):
            raise Forged("the directory has another key of the owner than his")

    def _audit(self, shown: KeyDirectory, head: Head) -> None:
        check_epoch(self._tree, self.last.size, shown.audited(self.last.size), head)


def _nothing(watched: Watched) -> tuple[KeyDirectory, int]:
    return watched.log, watched.log.publish({b"carol": TRUE}, 2 * EPOCH).time


def _false_key(watched: Watched) -> tuple[KeyDirectory, int]:
    return watched.log, watched.log.publish({OWNER: FALSE}, 2 * EPOCH).time


def _replacement(watched: Watched) -> tuple[KeyDirectory, int]:
    """Put a commitment to a false key where the one to the owner's was, and tell of it as if it always was."""
    log, opening = watched.log, random_bytes(OPENING)
    ((epoch, true),) = log.values[OWNER]
    old, new = commitment(true.opening, OWNER, 0, TRUE), commitment(opening, OWNER, 0, FALSE)
    changed = [replace(each, commitment=new) if each.commitment == old else each for each in leaves(log.trees[-1])]
    log.trees[-1], log.values[OWNER] = (
        tree_of(changed),
        [(epoch, replace(true, committed=new, opening=opening, value=FALSE))],
    )
    return log, log.publish({}, 2 * EPOCH).time


def _rollback(watched: Watched) -> tuple[KeyDirectory, int]:
    return watched.earlier, 2 * EPOCH


def _late(watched: Watched) -> tuple[KeyDirectory, int]:
    return watched.log, watched.last.time + LATE + 1


LIES: dict[str, tuple[Callable[[Watched], tuple[KeyDirectory, int]], tuple[str, ...]]] = {
    "no lie": (_nothing, ()),
    "false key": (_false_key, ("owner",)),
    "replacement": (_replacement, ("owner", "auditor")),
    "rollback": (_rollback, ("reader", "owner", "auditor")),
    "late publication": (_late, ("reader", "owner", "auditor")),
}


def _lies() -> Iterator[Figure]:
    for name, (lie, expected) in LIES.items():
        noticed = (watched := Watched()).noticed(*lie(watched))
        yield Figure(
            quantity=f"{name}: who notice, of reader, owner and auditor",
            measured=len(noticed),
            expected=len(expected),
            formula=", ".join(expected) or "nobody",
            note=f"Noticed by {', '.join(noticed) or 'nobody'}, in the epoch of the lie.",
        )


class KeyTransparency(Experiment):
    """Count who notices a lying key directory, and in which epoch."""

    name = "key-transparency"
    title = "Key transparency: who notices a directory that lies, and after how many epochs"
    source = Source("Melara and others", "CONIKS: Bringing key transparency to end users", 2015, "4.2", "ghost")

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the epochs until a split view is noticed, by how many compare heads, and who notices other lies."""
        yield from _split(long, progress)
        yield from _lies()


EXPERIMENT = KeyTransparency()

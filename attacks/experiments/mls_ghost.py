"""Ghosts in a group of MLS: who reads what, what is left in the group's hashes, and who must lie.

  external commit    a stranger joins by himself, from a GroupInfo that the provider hands out; no member acts
  external sender    an outsider whom the group lists proposes the stranger; the next commit, which a member makes
                     anyway, adds him
  credential         the authentication service attests a ghost's key as one of the target's, who joins by himself
  published          and the key directory shows this key, too; else its check fails at every member
  at creation        it does so before; the provider hands the ghost's key package to the founder with all others
  two groups         it attests ghosts in the names of all; the provider gives the founder a group of ghosts, and all
                     others a group with a ghost in the founder's place, and ghosts send on what they read
  stolen key         somebody with the signature key of a member's device joins in its place

Every way puts a leaf into the tree of every member: tree hash, transcript hash and authenticator cover it, and the
ghost has the same ones, so comparing them finds nothing. As in `escrow-lab silence`, a check is asked for only where it
fails; each minimal set of checks that must be left out, on the target's devices or on those of all others, is found.
Sources: RFC 9420, sections 8.3, 12.1.8 and 12.4.3.2; RFC 9750 for the authentication service. The checks are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from attacks.experiments._mls_play import STRANGER, Lie, MlsPlay, Side
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.scenario import PlannedText, Scenario, default
from escrow.mls.framing import AddMember, ExternalSender
from escrow.mls.joining import (
    MlsClient,
    found_group,
    join_externally,
    join_welcomed,
    new_client,
    propose_from_outside,
)
from escrow.mls.mls_device import CHECKS, CREDENTIALS, OUTSIDE, MlsDevice, attested
from escrow.mls.participant import Participant
from escrow.scheme import Source

PROVIDER, SERVICE = "the provider (GroupInfo, key packages)", "the authentication service"
DIRECTORY = "the key directory"
OUTSIDER, DEVICE = "an external sender", "a device of the target (signature key)"
GROUP = b"a group of one name"


class ByExternalCommit(MlsPlay):
    """A stranger with a true attestation joins by himself."""

    name = "external commit"
    corrupted: tuple[str, ...] = (PROVIDER,)
    who, published, epochs, marks = STRANGER, True, 1, 1

    def come(self) -> None:
        """Join from the GroupInfo that the delivery service has."""
        self.attach(self.service.ghost(self.who or self.target, self.published))

    def attach(self, client: MlsClient, instead_of: int | None = None) -> None:
        """Join by an own commit, which all members get."""
        joined, message = join_externally(client, self.info, instead_of)
        self.tell(message, None)
        self.ghost.members.append(joined)


class ByExternalSender(MlsPlay):
    """A listed outsider proposes a stranger, whom a member's next commit adds."""

    name = "external sender"
    corrupted = (OUTSIDER,)
    outside, marks = True, 1
    client: MlsClient | None = None

    def come(self) -> None:
        """Propose the stranger to all."""
        self.client = self.service.ghost(STRANGER, published=True)
        proposal = AddMember(self.client.package)
        self.tell(propose_from_outside(self.service.outsider, ExternalSender(0), self.info, proposal), None)

    def invited(self) -> list[MlsClient]:
        """Return the stranger, until he is a member."""
        return [] if self.client is None or self.ghost.members else [self.client]


class ByCredential(ByExternalCommit):
    """A ghost that the service attests to be the target's joins by himself."""

    name = "credential"
    corrupted: tuple[str, ...] = (SERVICE, PROVIDER)
    who, published = "", False


class ByPublishedCredential(ByCredential):
    """As before, and the key directory shows the ghost's key among the target's."""

    name = "published credential"
    published = True
    corrupted = SERVICE, PROVIDER, DIRECTORY


class AtCreation(MlsPlay):
    """A ghost that the service attests to be the target's is among those whom the founder adds."""

    name = "at creation"
    corrupted = SERVICE, PROVIDER
    attack_day = None

    @property
    def founder(self) -> MlsDevice:
        """The last device, of another user than the target."""
        return list(self.devices.values())[-1]

    def packages(self) -> list[MlsClient]:
        """Return all others' clients, and the ghost's."""
        others = [each.client for each in self.devices.values() if each is not self.founder]
        return [*others, self.service.ghost(self.target)]


class ByStolenKey(ByExternalCommit):
    """Who stole the signature key of the target's last device joins in its place."""

    name = "stolen key"
    corrupted = DEVICE, PROVIDER
    leaves = 0

    def come(self) -> None:
        """Join under the device's signature key and attestation, and remove it."""
        victim = [each for each in self.devices.values() if each.user == self.target][-1]
        if victim.member is None:
            raise ValueError("the target's last device is not in the group")
        signing = victim.client.signing
        own = (attested(self.service.key, self.target, signing.public),)
        self.attach(new_client(self.target.encode(), signing, own), victim.member.index)


class InTwoGroups(MlsPlay):
    """The service attests ghosts in the names of all: one group has the founder and ghosts, the other all but him.

    The ghost in the founder's place, and each of the others, sends on what it reads in the other group, and commits
    when its namesake does.
    """

    name = "two groups"
    attack_day, leaves, groups = None, 0, 2
    corrupted = SERVICE, PROVIDER

    @property
    def founder(self) -> MlsDevice:
        """The last device, of another user than the target."""
        return list(self.devices.values())[-1]

    def create(self) -> None:
        """Found both groups."""
        founder = self.founder
        others = [each for each in self.devices.values() if each is not founder]
        ghosts = [self.service.ghost(each.user) for each in others]
        first = founder.member = found_group(founder.client, GROUP, (), founder.policy)
        sent = first.commit([AddMember(each.package) for each in ghosts])
        joined = [join_welcomed(each, sent.welcome or b"") for each in ghosts]
        own = found_group(self.service.ghost(founder.user), GROUP)
        self.twins = {founder.name: own} | {each.name: ghost for each, ghost in zip(others, joined, strict=True)}
        self.ghost.members += [own, *joined]
        clients = [each.client for each in others]
        self._committed(own, own.commit([AddMember(each.package) for each in clients]), clients)

    def peers(self, sender: Participant | None) -> list[Participant]:
        """Return the others in the sender's group."""
        founder = self.founder
        ghosts = [ghost for name, ghost in self.twins.items() if name != founder.name]
        true = [each.member for each in self.devices.values() if each is not founder and each.member is not None]
        rooms = ([*ghosts, *([founder.member] if founder.member else [])], [*true, self.twins[founder.name]])
        return [each for room in rooms if sender in room for each in room if each is not sender]

    def _commit(self, device: MlsDevice) -> None:
        super()._commit(device)
        self._commit_of(self.twins[device.name])

    def _send(self, text: PlannedText) -> None:
        super()._send(text)
        if text.id in self.ghost.read:
            twin = self.twins[text.device]
            message = twin.send(self.texts[text.id][1])
            for each in self.peers(twin):
                self._received(each, message)


SIDES: tuple[Side, ...] = ("target", "others")
REFUSING = (CREDENTIALS, OUTSIDE)
NOTHING: frozenset[Lie] = frozenset()
EVERY = frozenset((check, side) for check in CHECKS for side in SIDES)
TELLING = frozenset(lie for lie in EVERY if lie[0] not in REFUSING)
MESSAGES = 8  # a day, in the shorter scenario
WAYS: tuple[type[MlsPlay], ...] = (
    ByExternalCommit,
    ByExternalSender,
    ByCredential,
    ByPublishedCredential,
    AtCreation,
    InTwoGroups,
    ByStolenKey,
)


class SilentSearch:
    """The plays of one way in.

    Only `REFUSING` checks change what happens; the others only tell, at the end of a path that is the same. So the
    search plays once for each choice of refusing checks, with all that tell left out: those of them that failed must
    lie. What it finds is confirmed by plays in which exactly these checks are left out.
    """

    def __init__(self, way: type[MlsPlay], scenario: Scenario) -> None:
        """Keep what is to be played. Nothing is played yet."""
        self.way, self.scenario = way, scenario
        self._played: dict[frozenset[Lie], MlsPlay] = {}

    def play(self, off: frozenset[Lie] = NOTHING) -> MlsPlay:
        """Return the play in which clients leave out these checks."""
        if off not in self._played:
            self._played[off] = self.way(self.scenario, off).run()
        return self._played[off]

    def open(self) -> MlsPlay:
        """Return the play in which clients make no check."""
        return self.play(EVERY)

    def silent(self, off: frozenset[Lie]) -> bool:
        """Return whether the ghost reads as much as if no check were made, and nobody is told."""
        played = self.play(off)
        return played.ghost.read == self.open().ghost.read and not played.alarms()

    def sets(self) -> list[frozenset[Lie]]:
        """Return every minimal set of checks without which the ghost is silent."""
        found = list[frozenset[Lie]]()
        waiting, seen = [NOTHING], {NOTHING}
        while waiting:
            refusing = waiting.pop(0)
            played = self.play(refusing | TELLING)
            kept = frozenset(lie for lie in played.failed() - refusing if lie[0] in REFUSING)
            if not kept and played.ghost.read == self.open().ghost.read:
                found.append(played.failed())
            more = [refusing | {lie} for lie in sorted(kept, key=lambda lie: (lie[0].name, lie[1]))]
            waiting += [each for each in more if each not in seen]
            seen |= {*more}
        return [each for each in found if not any(other < each for other in found)]


def _words(off: frozenset[Lie]) -> str:
    """Return a set of lies in words: "external commits (target, others), people shown (others)"."""
    sides: dict[str, list[str]] = {}
    for check, side in sorted(off, key=lambda lie: (lie[0].name, lie[1] != "target")):
        sides.setdefault(check.name, []).append(side)
    return ", ".join(f"{check} ({', '.join(found)})" for check, found in sides.items())


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def _shorter(scenario: Scenario) -> Scenario:
    """Return a scenario of the same group that ends on the day after the attack, with less traffic."""
    days = scenario.attack_day + 2
    return replace(scenario, days=days, messages=MESSAGES * days, warrants=(), ceremonies=(), one_way=())


def _left(way: type[MlsPlay], played: MlsPlay, honest: MlsPlay) -> Iterator[Figure]:
    """Yield what a ghost leaves in the group that no client checked."""
    day = 0 if way.attack_day is None else way.attack_day
    later = [number for number, (text, _) in played.texts.items() if text.day >= day]
    yield Figure(
        quantity=f"{way.name}: texts read",
        measured=len(played.ghost.read),
        expected=len(later),
        formula="all texts from the ghost's first day on",
        note=f"{way.name}: of {len(played.texts)}, if clients check nothing. Corrupted: {_listed(way.corrupted)}.",
    )
    state, before = played.state(), honest.state()
    yield Figure(
        quantity=f"{way.name}: epochs beyond the honest play's",
        measured=state.context.epoch - before.context.epoch,
        expected=way.epochs,
        formula="1 for a commit that no member makes",
        note=f"{way.name}: epoch {state.context.epoch} at the end, {before.context.epoch} in the honest play.",
    )
    extra = Counter(played.names()) - Counter(honest.names())
    new = set(played.names()) - set(honest.names())
    yield Figure(
        quantity=f"{way.name}: leaves beyond the honest play's",
        measured=len(played.names()) - len(honest.names()),
        expected=way.leaves,
        formula="1, or 0 for one who takes another's place",
        note=f"{way.name}: leaves {', '.join(played.names())}. New ones: {_listed(extra)}; new names: {_listed(new)}.",
    )
    yield Figure(
        quantity=f"{way.name}: members whose tree hash covers the ghost's leaf",
        measured=sum(
            each.state.context.tree_hash != each.state.tree.tree_hash(without=played.ghost_leaves(each.state))
            for each in played.active()
        ),
        expected=len(list(played.active())),
        formula="all members",
        note=f"{way.name}: tree hash {state.context.tree_hash.hex()[:16]}…; the ghosts count as members.",
    )
    kinds = [(str(many), kind) for kind, many in played.marks_left().items()]
    yield Figure(
        quantity=f"{way.name}: handshakes in the transcript by who is no member",
        measured=played.marks_left().total(),
        expected=way.marks,
        formula="1 if a stranger commits or proposes",
        note=f"{way.name}: of {len(played.handshakes)} handshakes: {_listed(map(' '.join, kinds))}.",
    )
    seen = {(each.state.context.encoded(), each.state.epoch.epoch_authenticator) for each in played.active()}
    yield Figure(
        quantity=f"{way.name}: different group contexts and authenticators among members",
        measured=len(seen),
        expected=way.groups,
        formula="one a group, the ghost's too: comparing them shows two groups, and no ghost in one",
        note=f"{way.name}: transcript hash {state.context.confirmed_transcript_hash.hex()[:16]}….",
    )


def _noticed(way: type[MlsPlay], scenario: Scenario) -> Iterator[Figure]:
    """Yield who notices if all checks are made, and what must lie so that nobody does."""
    search = SilentSearch(way, scenario)
    honest = search.play()
    yield Figure(
        quantity=f"{way.name}: alarms, all checks made",
        measured=len(honest.alarms()),
        at_least=1,
        note=f"{way.name}: it reads {len(honest.ghost.read)} of {len(honest.texts)}. Told: {_listed(honest.alarms())}.",
    )
    for off in search.sets():
        yield Figure(
            quantity=f"{way.name}: alarms, silence set left out",
            measured=len(search.play(off).alarms()) + (not search.silent(off)),
            expected=0,
            formula="nobody is told, and the ghost reads what it reads without checks",
            note=f"{way.name}: {len(off)} checks: {_words(off)}.",
        )
        yield Figure(
            quantity=f"{way.name}: checks of the silence set that end the silence",
            measured=sum(not search.silent(off - {lie}) for lie in off),
            expected=len(off),
            formula="each of them, if it is made",
        )


class MlsGhost(Experiment):
    """Play ghosts in a group of MLS, with all checks, with none, and with silence sets."""

    name = "mls-ghost"
    title = "Ghosts in a group of MLS: who reads, what is left in its hashes, and which checks must lie"
    source = Source("Barnes and others", "The Messaging Layer Security (MLS) Protocol", 2023, "12.4.3.2", "ghost")

    scenario = default()

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield, for each way in, what the ghost reads and leaves, who notices, and the silence sets."""
        honest = MlsPlay(self.scenario).run()
        shorter = self.scenario if long else _shorter(self.scenario)
        for done, way in enumerate(WAYS):
            progress(done, len(WAYS), f"mls-ghost: {way.name}")
            yield from _left(way, way(self.scenario, EVERY).run(), honest)
            yield from _noticed(way, shorter)


EXPERIMENT = MlsGhost()

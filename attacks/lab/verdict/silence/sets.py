"""The silence sets of a scheme: the smallest sets of checks without which a ghost reads and nobody is told.

A ghost comes in on the attack day, by one of several ways, and reads what clients encrypt to it. Every client makes its
checks (escrow.e2ee.listing.checks) but those that it leaves out: on the target's devices, or on those of all others.
On the last evening the target compares safety numbers with everybody.

The search begins with nothing left out. A check is asked for only when it fails; so if more checks are left out, a play
goes on as before up to the first of them that failed in it. Hence every silent set that contains the checks left out in
a play with an alarm contains one of those that failed up to its first alarm, too; and where the ghost reads too little,
one of all that failed. The search adds each of these in turn, smaller sets first, and so finds every set that is
minimal by inclusion. It assumes nothing else: neither that more lies are more silent, nor what a check is for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

import msgspec

from attacks.lab.results.silences import KeptCheck, LeftOut, Silences, SilenceSet, SilentWay
from attacks.lab.simulation.attack import attacker_device, entry_of
from attacks.lab.simulation.play import Play, run_secret
from attacks.lab.simulation.record import Sent
from attacks.lab.simulation.scenario import SafetyNumberComparison, Scenario, WarrantSpec
from attacks.lab.verdict.evaluation import manifest
from attacks.lab.verdict.silence.leaves import attest, in_trees, letting_in, proposing
from escrow import crypto
from escrow.crypto import Results, Run
from escrow.e2ee.device import Device
from escrow.e2ee.listing.checks import NUMBER
from escrow.e2ee.listing.deceiving import FIELDS, forked, listing_to_some, publishing_without, showing_two_logs
from escrow.e2ee.listing.published import ListingProvider
from escrow.e2ee.provider import Group, Listed
from escrow.mls.conversations.delivery import TreeProvider
from escrow.principal import corrupted, lying, revive
from escrow.scheme import Scheme

Side = Literal["target", "others"]
Lies = frozenset[tuple[str, Side]]
DEVICE, STRANGER, LAWFUL = "a device of the target", "a member of the target's groups", "what a warrant allows"
LEAF = "a leaf of the target, by external commits"  # where conversations are groups of MLS
PROPOSED_LEAF = "a leaf of the target, proposed from outside"
SECOND_LOG = "a device of the target, in a second log"  # where there is a key directory


class WayIn(NamedTuple):
    """What is added, and by whom; `helped` says that somebody beside the provider vouches for it."""

    adds: str
    by: tuple[str, ...]
    helped: bool = False


PROVIDER = "the provider"
VENDOR = "the clients' vendor"
SERVICE = "the authentication service"
WAYS = (
    WayIn(DEVICE, (PROVIDER,)),
    WayIn(DEVICE, (PROVIDER, "the target's primary device"), helped=True),
    WayIn(STRANGER, (PROVIDER,)),
    WayIn(STRANGER, (PROVIDER, "the device that made the group"), helped=True),
    WayIn(LAWFUL, ("the court", "the authority")),
)
IN_DIRECTORIES = (WayIn(SECOND_LOG, (PROVIDER,)),)
IN_TREES = (
    WayIn(DEVICE, (PROVIDER, SERVICE)),
    WayIn(LEAF, (PROVIDER,)),
    WayIn(LEAF, (PROVIDER, SERVICE)),
    WayIn(PROPOSED_LEAF, (PROVIDER,)),
    WayIn(PROPOSED_LEAF, (PROVIDER, SERVICE)),
    WayIn(STRANGER, (PROVIDER, SERVICE)),
)


class GhostOutcome(NamedTuple):
    """The outcome of one play: texts that the ghost reads, alarms beside those of the honest play, failed checks.

    `failed` are the checks that failed up to the first such alarm; all of them, if there is none.
    """

    reads: frozenset[int]
    alarms: tuple[str, ...]
    failed: Lies


def shaped(scenario: Scenario) -> Scenario:
    """Return a scenario for this: no warrants, no mail lost or late, nobody leaves, the target meets everybody."""
    target, *others = scenario.users
    last = scenario.days - 1
    meetings = tuple(SafetyNumberComparison(last, target.devices[0], other.devices[0]) for other in others)
    groups = tuple(msgspec.structs.replace(each, removed="", removal_day=-1) for each in scenario.groups)
    quiet: dict[str, Any] = {"lossy": (), "late_percent": 0, "loss_percent": 0, "warrants": ()}
    return msgspec.structs.replace(scenario, ceremonies=meetings, groups=groups, **quiet).check()


class GhostPlay(Play):
    """A play with a ghost, in which clients leave out some checks. The first user is the target."""

    def __init__(self, scheme: Scheme, scenario: Scenario, way: WayIn | None, off: Lies) -> None:
        """Make the parties; `off` are the checks that are left out. Without a way nobody is added."""
        self.target = scenario.users[0]
        if way is not None and way.adds == LAWFUL:
            day, last = scenario.attack_day, scenario.days - 1
            ordered = WarrantSpec(self.target.name, day, last, day, last)
            scenario = msgspec.structs.replace(scenario, warrants=(ordered,))
        super().__init__(scheme, scenario)
        self.way, self.off, self.helped = way, off, way is not None and way.helped
        self.failed, self.read = list[tuple[tuple[str, Side], int]](), set[bytes]()
        self.ghost: Any = None
        self._lie()

    def _lie(self) -> None:
        """Replace each device by one that keeps what is not in `off`, and notes which checks failed."""
        devices = [self.device(name) for name in self.cast.devices]
        true = {each.identity.public for each in devices}
        known = {check.name for check in self.scheme.device.checks}
        target, off, failed, alarms = self.target.name, self.off, self.failed, self.wire.alarms

        def keeps(self: Any, promise: str) -> bool:
            if promise not in known:
                return True
            lie: tuple[str, Side] = promise, "target" if self.user == target else "others"
            failed.append((lie, len(alarms)))
            return lie not in off

        def in_number(self: Any, user: str) -> list[Listed]:
            listed: list[Listed] = honest.in_number(self, user)
            shown = [each for each in listed if each.identity in true]
            return listed if shown == listed or self.keeps(NUMBER.name) else shown

        honest = self.scheme.device
        for each in devices:
            self.wire.parties[each.name] = lying(each, keeps=keeps, in_number=in_number)

    def _morning(self, day: int) -> None:
        adds = self.way.adds if self.way is not None and day == self.scenario.attack_day else ""
        if adds in (DEVICE, SECOND_LOG):
            with crypto.acting("ghost"):
                self._add_device()
            if adds == SECOND_LOG:
                self._keep_two_logs()
        super()._morning(day)
        if adds == STRANGER:
            with crypto.acting("ghost"):
                self._add_member()
        if adds in (LEAF, PROPOSED_LEAF):
            with crypto.acting("ghost"):
                self._let_in(letting_in if adds == LEAF else proposing)

    def _add_device(self) -> None:
        primary, *others = map(self.device, self.target.devices)
        device = self._made(f"{self.target.name}-tablet", self.target.name)
        shared = any(each.identity == primary.identity for each in others)
        if self.helped and shared:
            device.identity = primary.identity
        elif self.helped:
            primary.linked.append(device.identity.public)
        device.linked = list(dict.fromkeys((*primary.linked, device.identity.public)))
        self._list(device)

    def _let_in(self, how: Callable[[Any, Any], Any]) -> None:
        """Let the provider take a leaf of the ghost's in, or propose it, which no list of devices has."""
        self.ghost = self._reading(self._made(f"{self.target.name}-tablet", self.target.name))
        self.ghost.renew(self.wire.day)
        self.wire.parties[self.provider.name] = how(self.provider, self.ghost)

    def _keep_two_logs(self) -> None:
        """Let the provider list the ghost to all but the target, and show them a directory that has it."""
        provider, target = self.provider, self.target.name
        honest = type(provider)

        def deceives(self: Any, asker: str) -> bool:
            return bool(self.accounts.get(asker, target) != target)

        methods = {**listing_to_some(honest, deceives), **publishing_without(honest)}
        made: Any = corrupted(provider, FIELDS, **methods, **showing_two_logs(honest, deceives))
        made.hidden, made.second = [self.ghost.name], [forked(made.publishing.kept)]
        self.wire.parties[provider.name] = made

    def _add_member(self) -> None:
        stranger = self.scenario.unused("stranger")
        self._list(self._made(f"{stranger}-phone", stranger))
        for spec in self.scenario.groups:
            if self.target.name not in spec.members:
                continue
            more = (*spec.members, stranger)
            if self.helped:
                member = next(user for user in self.scenario.users if user.name == spec.members[0])
                self.announce(member.devices[0], Group(spec.name, more, spec.sender_keys))
            else:
                groups = self.provider.groups
                groups[spec.name] = msgspec.structs.replace(groups[spec.name], members=more)

    def _made(self, name: str, user: str) -> Device:
        """Return the ghost: what the scheme adds to its devices is as on the target's primary."""
        device = attacker_device(self.scenario.unused(name), user, self.scheme.device, self.scheme.committing)
        like = self.device(self.target.devices[0])
        like = revive(like.state(), type(like))
        for field in set(self.scheme.device.__struct_fields__) - set(Device.__struct_fields__):
            setattr(device, field, getattr(like, field))
        return device

    def _reading(self, device: Device) -> Any:
        """Return the ghost, which keeps what it reads; the service attests its key, if it is corrupted."""
        read = self.read

        def keep(self: Any, wire: Any, author: str, conversation: Any, body: bytes) -> None:
            read.add(body)

        if self.way is not None and SERVICE in self.way.by:
            attest(self.wire.parties.values(), device)
        return corrupted(device, read=keep, **in_trees(device))

    def _list(self, device: Device) -> None:
        """Have the provider list the ghost, which says of itself what any device says."""
        self.ghost = self._reading(device)
        self.provider.add(device.name, entry_of(device, self.scheme.provider))
        self.ghost.each_day(self.wire)

    def _evening(self, day: int) -> None:
        super()._evening(day)
        if self.ghost is not None:
            with crypto.acting("ghost"):
                self.ghost.collect(self.wire)

    def told(self, calm: Counter[tuple[str, str]]) -> GhostOutcome:
        """Play, and return the outcome; `calm` are the alarms of the honest play."""
        record, mine = self.run(), set(self.cast.devices)
        fresh = [
            (at, each) for at, each in enumerate(record.alarms) if each.who in mine and not calm[each.who, each.check]
        ]
        first = fresh[0][0] if fresh else len(record.alarms)
        bodies = self.read | {each.body for each in record.lawful}
        return GhostOutcome(
            frozenset(sent.id for sent in record.sent if sent.body in bodies),
            tuple(sorted({f"{each.who}: {each.check}" for _, each in fresh})),
            frozenset(lie for lie, at in self.failed if at <= first),
        )


class SilenceSearch:
    """The plays of one scheme in one scenario, each made once."""

    def __init__(self, scheme: Scheme, scenario: Scenario) -> None:
        """Shape the scenario. Nothing is played yet."""
        self.scheme, self.scenario = scheme, shaped(scenario)
        self._told: dict[tuple[WayIn, Lies], GhostOutcome] = {}

    @cached_property
    def _honest(self) -> tuple[tuple[Sent, ...], Counter[tuple[str, str]]]:
        with crypto.running(Run(run_secret(self.scenario.seed))):
            record = GhostPlay(self.scheme, self.scenario, None, frozenset()).run()
        return record.sent, Counter((each.who, each.check) for each in record.alarms)

    def told(self, way: WayIn, off: Lies) -> GhostOutcome:
        """Return the outcome of the play by this way without these checks."""
        if (way, off) not in self._told:
            with crypto.running(Run(run_secret(self.scenario.seed))):
                self._told[way, off] = GhostPlay(self.scheme, self.scenario, way, off).told(self._honest[1])
        return self._told[way, off]

    def everything(self) -> Lies:
        """Return every check of the scheme's clients, on both sides."""
        sides: tuple[Side, Side] = ("target", "others")
        return frozenset((check.name, side) for check in self.scheme.device.checks for side in sides)

    def goals(self, way: WayIn) -> dict[str, frozenset[int]]:
        """Return the texts that the ghost reads if every check is left out: by their way, and who sent them."""
        groups = {spec.name: spec.sender_keys for spec in self.scenario.groups}
        owner = self.scenario.owner
        reads, goals = self.told(way, self.everything()).reads, defaultdict[str, set[int]](set)
        for sent in self._honest[0]:
            if sent.id in reads:
                keyed = groups.get(sent.conversation)
                style = "direct" if keyed is None else "Sender Keys" if keyed else "group fan-out"
                side = "of the target" if owner[sent.device] == self.scenario.users[0].name else "of others"
                goals[f"{style}, {side}"].add(sent.id)
        return {name: frozenset(goals[name]) for name in sorted(goals)}

    def sets(self, way: WayIn, goal: frozenset[int]) -> list[Lies]:
        """Return every minimal set of checks without which the ghost reads all these texts and no alarm is raised."""
        found, level = list[Lies](), {frozenset[tuple[str, Side]]()}
        while level:
            following = set[Lies]()
            for off in sorted(level, key=sorted):
                told = self.told(way, off)
                if goal <= told.reads and not told.alarms:
                    found.append(off)
                else:
                    following |= {off | {lie} for lie in told.failed - off}
            level = {off for off in following if not any(silent <= off for silent in found)}
        return found

    def rows(self, way: WayIn) -> Iterator[SilentWay]:
        """Yield a row for each list of silence sets, with all the texts that it is of."""
        if way.helped and self.told(WayIn(way.adds, way.by[:1]), frozenset()).alarms == ():
            return  # who is not noticed without help needs none
        goals, before = self.goals(way), len(self._told)
        alike = defaultdict[tuple[Lies, ...], list[str]](list)
        for name, goal in goals.items():
            alike[tuple(self.sets(way, goal))].append(name)
        for sets, names in alike.items():
            goal = frozenset[int]().union(*(goals[name] for name in names))
            yield SilentWay(
                adds=way.adds,
                by=way.by,
                texts=tuple(names),
                count=len(goal),
                sets=tuple(self._confirmed(way, off, goal) for off in sets),
                plays=len(self._told) - before + 1,
            )

    def _confirmed(self, way: WayIn, off: Lies, goal: frozenset[int]) -> SilenceSet:
        """Return a silence set, with the plays in which one of its checks is kept."""
        kept = [(lie, self.told(way, off - {lie})) for lie in sorted(off)]
        return SilenceSet(
            off=tuple(map(_lie, sorted(off))),
            principals=(*way.by, VENDOR) if off else way.by,
            kept=tuple(
                KeptCheck(lie=_lie(lie), reads=len(told.reads & goal), alarms=told.alarms) for lie, told in kept
            ),
        )


def _lie(lie: tuple[str, Side]) -> LeftOut:
    return LeftOut(check=lie[0], on=lie[1])


def silences(
    scheme: Scheme,
    scenario: Scenario,
    ways: Sequence[WayIn] = WAYS,
    progress: Callable[[int, int, str], None] | None = None,
) -> Silences:
    """Return the silence sets of a scheme, way by way. `progress` is called with (done, in all, name of the way)."""
    silence, rows = SilenceSearch(scheme, scenario), list[SilentWay]()
    if issubclass(scheme.provider, ListingProvider):
        ways = (*ways, *IN_DIRECTORIES)
    if issubclass(scheme.provider, TreeProvider):
        ways = (*ways, *IN_TREES)
    with crypto.running(Run(None, results=Results())):
        for done, way in enumerate(ways):
            if progress is not None:
                progress(done, len(ways), way.adds)
            rows += silence.rows(way)
    target = silence.scenario.users[0].name
    return Silences(
        scheme=scheme.name, target=target, ways=tuple(rows), manifest=manifest([scheme], (), silence.scenario, ())
    )

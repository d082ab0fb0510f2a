"""One small run of a scheme, whose network treats chosen packets otherwise; and what must hold however it ends.

  run      set-up, groups, a warrant, some texts, a morning, a text, the lawful access
  fates    skipped: the sender has its answer, and the addressee never had the packet    lost: nobody had it
           repeated: it comes again, at once, or when all is set up and once more on the next day: an old packet
           late: skipped, and comes when all is set up
  ending   a typed error or a complaint; or what the undisturbed run ends with, and never more than that

Randomness is each party's own (escrow.crypto.Run), so that two runs differ only by what was disturbed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain, zip_longest
from typing import NamedTuple

from escrow import codec, crypto
from escrow.codec import Fact, Packet
from escrow.crypto import Private, Run
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Group, Provider
from escrow.errors import EscrowError, Malformed, Unreachable
from escrow.principal import Principal, corrupted, handlers_of, revive
from escrow.scheme import Scheme
from escrow.testing.harness import Harness, Seen, Step
from escrow.testing.trying import require, settings, st, tried
from escrow.warrant import issue
from escrow.wire import Heard, Link, Wire

TALK = (("bob-phone", "alice"), ("alice-phone", "choir"), ("alice-laptop", "bob"), ("carol-phone", "club"))
FATES = ("skipped", "repeated", "late", "lost", "repeated late")
SECRET = crypto.sha256(b"escrow-lab disturbed")

Facts = Counter[tuple[str, bytes]]  # by the name of the type, and encoded
Hand = Callable[["DisturbedWire", int, Heard], bytes]
Begun = Callable[[Principal], Principal]


class DisturbedWire(Wire):
    """A wire that gives each packet, with its number, to `hand`, which says what the sender is answered.

    `held` are packets that come when all is set up; `again` those that come once more on the next day.
    """

    def __init__(self, parties: Iterable[Principal], link: Link, hand: Hand) -> None:
        super().__init__(parties, link)
        self.hand, self.number, self.held = hand, 0, list[Heard]()
        self.again = list[Heard]()

    def handed(self, packet: Heard) -> bytes:
        """Return what `hand` answers to the packet."""
        self.number += 1
        return self.hand(self, self.number - 1, packet)

    def as_sent(self, packet: Heard) -> bytes:
        """Return the addressee's own answer. Raise the error that it raised, or Unreachable."""
        return super().handed(packet)

    def answered_by_a_copy(self, packet: Heard) -> bytes:
        """Return what the addressee would answer, and leave it as it is. It draws no random bytes of the run."""
        party = self._named(packet.dst)
        beside = Wire([copy := revive(party.state(), type(party))])
        beside.day = self.day
        with crypto.running(Run(SECRET)):
            return copy.answer(packet.src, packet.data, beside)


class Disturbed(Harness):
    """A harness on such a wire; `begun` says what each party is when the run begins."""

    def __init__(self, scheme: Scheme, hand: Hand, begun: Begun) -> None:
        self.hand, self.begun = hand, begun
        super().__init__(scheme)

    def wired(self, parties: Iterable[Principal], link: Link) -> Wire:
        """Return the wire between the parties."""
        self.disturbed = DisturbedWire(map(self.begun, parties), link, self.hand)
        return self.disturbed

    def release(self) -> None:
        """Hand over the packets that were held back."""
        held, self.disturbed.held, self.disturbed.again = self.disturbed.held, self.disturbed.again, []
        for packet in held:
            with suppress(EscrowError):
                self.disturbed.as_sent(packet)


class Ending(NamedTuple):
    """How a run ended: `stopped` is the typed error that ended its set-up; `said` are complaints and refusals.

    `kept` are the facts of each party, encoded, as often as it has them; `told` is what a scheme's device was told, in
    the fields that the scheme adds, encoded.
    """

    stopped: str
    said: Counter[tuple[str, str]] = Counter()
    alarms: Counter[tuple[str, str]] = Counter()
    shown: Seen = Counter()
    meant: Seen = Counter()
    yielded: frozenset[bytes] = frozenset()
    covered: frozenset[bytes] = frozenset()
    kept: Mapping[str, Facts] = {}
    told: Mapping[str, bytes] = {}


def enact(
    scheme: Scheme, hand: Hand, begun: Begun = lambda party: party, run: Run | None = None, asked: int = 1
) -> Ending:
    """Play the run, with the lawful access `asked` times, and return how it ended.

    An error that is no EscrowError is a defect, and leaves this function.
    """
    with crypto.running(run or Run(SECRET)):
        try:
            harness = Disturbed(scheme, hand, begun)
        except EscrowError as error:
            return Ending(str(error))
        wire, warrant, yielded = harness.wire, issue(harness.court.key, harness.order("alice")), set[bytes]()
        steps = (*(Step("say", *said) for said in TALK), Step("day"), Step("say", *TALK[0]))
        acts: list[Callable[[], object]] = [harness.release, partial(harness.serve, warrant)]
        for step in steps:
            acts.append(partial(harness.take, step))
            acts += [harness.release] if step.what == "day" else []
        acts.append(partial(harness.play, ()))
        acts += asked * [lambda: yielded.update(harness.access(warrant, harness.intercepted()))]
        for act in acts:
            try:
                act()
            except EscrowError as error:
                wire.complain("", error)
        covered = {said.body for said in harness.said if warrant.order.covers(said.people, said.day)}
        said = Counter((who, what) for _, who, what in wire.refusals)
        alarms = Counter((alarm.who, alarm.check) for alarm in wire.alarms)
        kept = {name: facts_of(party) for name, party in wire.parties.items()}
        told = {name: codec.encode(_added(party)) for name, party in wire.parties.items() if isinstance(party, Device)}
        return Ending(
            "", said + alarms, alarms, harness.shown, harness.meant, frozenset(yielded), frozenset(covered), kept, told
        )


def facts_of(party: Principal) -> Facts:
    """Return the facts of a party, encoded, without its archive; of a messenger's party those that a scheme added."""
    fields = _added(party)
    found = Counter((type(fact).__name__, codec.encode(fact)) for fact in codec.walk(fields, Fact))
    for device in codec.walk(fields, Device):  # a silent one, that an authority runs
        found -= Counter((type(fact).__name__, codec.encode(fact)) for fact in codec.walk(device, Fact))
    return found


def _added(party: Principal) -> list[object]:
    """Return the fields of a party; of a messenger's party those that a scheme added. An archive is left out.

    So are the fields that take the place of a messenger's sessions (`conversing`).
    """
    messenger = {"archive"}
    for base in (Device, Provider):
        if isinstance(party, base):
            messenger |= {*base.__struct_fields__, *party.conversing}
    return [getattr(party, field) for field in party.__struct_fields__ if field not in messenger]


class ToldPacket(NamedTuple):
    """A packet of the undisturbed run: its number, who told whom, and the handler's packet type."""

    number: int
    src: str
    dst: str
    kind: type[Packet]


class Reference:
    """The undisturbed run: its packets, how it ended, and every fact that each party had after some packet."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self.told: list[ToldPacket] = []
        self.cast: dict[str, type[Principal]] = {}
        self.publics: dict[str, list[bytes]] = {}
        self.known: dict[str, set[tuple[str, bytes]]] = {}
        self.most: dict[str, Counter[str]] = {}
        self.ending = enact(scheme, self._note)
        for ending in (self.ending, enact(scheme, lambda wire, number, packet: wire.as_sent(packet), asked=2)):
            for name, facts in ending.kept.items():  # an official may write down each request, also the same twice
                self._learn(name, facts)

    def _note(self, wire: DisturbedWire, number: int, packet: Heard) -> bytes:
        party = wire._named(packet.dst)
        if not number:
            for each in wire.parties.values():
                self._learn(each.name, facts_of(each))
                self.cast[each.name] = type(each)
                self.publics[each.name] = [key.public for key in codec.walk(each, Private)]
        with suppress(Malformed):
            self.told.append(ToldPacket(number, packet.src, packet.dst, kind_of(party, packet)))
        answer = wire.as_sent(packet)
        for name in (packet.dst, packet.src):
            if (found := wire.parties.get(name)) is not None:
                self._learn(name, facts_of(found))
        return answer

    def colleague(self, name: str) -> bytes:
        """Return the first public key of another party of this one's kind, empty if there is none."""
        others = (each for each, kind in self.cast.items() if kind is self.cast[name] and each != name)
        return next((key for each in others for key in self.publics[each]), b"")

    def _learn(self, name: str, facts: Facts) -> None:
        self.known.setdefault(name, set()).update(facts)
        self.most[name] = self.most.get(name, Counter()) | _by_kind(facts)

    def runs(self, how: settings) -> int:
        """Return how many runs a property may play: the longer one is, the fewer."""
        return max(1, how.max_examples * 50 // max(1, len(self.told)))

    def set_up(self) -> Iterator[ToldPacket]:
        """Yield the packets of registration, key generation, refresh, recovery, warrants and groups."""
        for each in self.told:
            if each.kind is Group or not (issubclass(each.kind, tuple(handlers_of(Provider)))):
                yield each

    def fault(self, ending: Ending, liar: str = "") -> str:
        """Return how a disturbed run ended in a weaker success, or "". What the liar itself keeps is not looked at."""
        if ending.stopped:
            return ""
        if extra := ending.shown - ending.meant:
            return f"{next(iter(extra))[0]} shows a text that was not meant for it"
        if extra_texts := ending.yielded - ending.covered:
            return f"{len(extra_texts)} texts outside the warrant are yielded"
        honest = {name: facts for name, facts in ending.kept.items() if name != liar}
        for name, facts in honest.items():
            if more := _by_kind(facts) - self.most.get(name, Counter()):
                return f"{name} keeps more than without the disturbance: {dict(more)}"
        parties = {*self.cast} - {liar}
        relay = issubclass(self.cast.get(liar, Provider), Provider)  # an alarm about a field may be the relay's doing
        for _, check in ending.alarms - self.ending.alarms if not relay else ():
            if (blamed := parties & {*check.replace(":", " ").replace("'s ", " ").split()}) and liar not in check:
                return f"{min(blamed)} is blamed: {check}"
        if ending.said - self.ending.said:
            return ""
        for name, facts in honest.items():
            if self.scheme.seedable == "" and (new := set(facts) - self.known.get(name, set())):
                return f"{name} keeps a {min(new)[0]} that no honest run makes, and nobody complains"
        if missing := self.ending.yielded - ending.yielded:
            return f"{len(missing)} promised texts are missing, and nobody complains"
        if missing_shown := self.ending.shown - ending.shown:
            return f"{next(iter(missing_shown))[0]} misses a text, and nobody complains"
        return ""

    def taken_twice(self, ending: Ending) -> str:
        """Return which device was told something else in the end because packets came again, or ""."""
        then, now = self.ending.told, ending.told
        if self.scheme.seedable or ending.stopped or ending.said - self.ending.said:
            return ""
        changed = next((name for name in then if now.get(name, then[name]) != then[name]), "")
        return f"{changed} takes an older packet for the newest" if changed else ""


def _by_kind(facts: Facts) -> Counter[str]:
    found = Counter[str]()
    for fact, times in facts.items():
        found[fact[0]] += times
    return found


def kind_of(party: Principal, packet: Heard) -> type[Packet]:
    """Return the type of a packet to a party. Raise Malformed if it answers no such packet."""
    return type(codec.decode_any(packet.data, frozenset(handlers_of(type(party)))))


def treated(fates: Mapping[int, str]) -> Hand:
    """Return the network that gives the packets of these numbers these fates."""

    def hand(wire: DisturbedWire, number: int, packet: Heard) -> bytes:
        match fates.get(number):
            case "skipped":
                return wire.answered_by_a_copy(packet)
            case "late":
                answer = wire.answered_by_a_copy(packet)
                wire.held.append(packet)
                return answer
            case "lost":
                raise Unreachable(f"a packet of {packet.src} to {packet.dst} was lost")
            case "repeated":
                answer = wire.as_sent(packet)
                with suppress(EscrowError):
                    wire.as_sent(packet)
                return answer
            case "repeated late":
                wire.held.append(packet)
                wire.again.append(packet)
        return wire.as_sent(packet)

    return hand


def lying(name: str) -> Begun:
    """Return how a run begins in which the party of this name keeps no promise."""
    return lambda party: corrupted(party) if party.name == name else party


# --- the property of steps ---

OFFICIAL = {"authority", "court"}  # they skip no step of their own: it would harm nobody else


def a_disturbed_step_gives_no_weaker_success(scheme: Scheme, how: settings) -> None:
    """Require that a set-up in which steps are skipped, lost, repeated or late ends as undisturbed, or in an error."""
    reference = Reference(scheme)
    packets = list(reference.set_up())

    def ends_well(fates: dict[int, str], liar: str) -> None:
        ending = enact(scheme, treated(fates), lying(liar))
        fault = reference.fault(ending, liar)
        if not fault and not liar and all(fate.startswith("repeated") for fate in fates.values()):
            fault = reference.taken_twice(ending)
        told = (each for each in packets if each.number in fates)
        how_treated = (f"{each.kind.__name__} of {each.src} to {each.dst} {fates[each.number]}" for each in told)
        require(not fault, f"{', '.join(how_treated)}: {fault}")

    singles = list(_in_turn(packets))
    for told, fate in singles[: 2 * reference.runs(how)]:
        ends_well({told.number: fate}, told.src if fate == "skipped" else "")

    numbers, fates = st.integers(0, len(packets) - 1), st.sampled_from(FATES[1:])

    @tried(how, 12, st.dictionaries(numbers, fates, min_size=2, max_size=4))
    def case(several: dict[int, str]) -> None:
        ends_well({packets[at].number: fate for at, fate in several.items() if _applies(packets[at], fate)}, "")


def _applies(told: ToldPacket, fate: str) -> bool:
    return told.src not in OFFICIAL or fate not in {"skipped", "late"}


def _in_turn(packets: list[ToldPacket]) -> Iterator[tuple[ToldPacket, str]]:
    """Yield every packet with every fate, one of each kind and fate after another.

    Every second fate begins with the last packets, which are those of refresh and recovery.
    """
    groups: dict[tuple[str, str], list[tuple[ToldPacket, str]]] = {}
    for at, fate in enumerate(FATES):
        for told in packets[:: (-1) ** at]:
            if _applies(told, fate):
                groups.setdefault((fate, told.kind.__name__), []).append((told, fate))
    rounds = chain.from_iterable(zip_longest(*groups.values()))
    yield from (each for each in rounds if each is not None)

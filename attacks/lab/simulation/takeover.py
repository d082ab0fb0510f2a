"""The corruptions of one play: who is taken over or watched, and the states that thieves get.

  Turn   another behaviour in the party's place; watched, and kept from others' objects (watched.seat)
  Keep   the party itself, watched
  Use    a copy of a stolen state, which the thief plays with from the next morning on; all that it then has stands in
         that state, since the theft is what it took

Without corruptions it does nothing but take states.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

from attacks.lab.simulation.attack import Attack, Cast, Keep, Turn, Use, misfit
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.silenced import silenced
from attacks.lab.simulation.watched.seat import (
    CorruptedWire,
    Seat,
    corrupted_wire,
    is_seat,
    keeping_of,
    occupant,
    perform,
    reseated,
)
from attacks.lab.simulation.watched.secret_fields import by_first_secret
from escrow import codec, crypto
from escrow.codec import Fact
from escrow.e2ee.device import Device
from escrow.errors import Malformed
from escrow.principal import Principal, revive
from escrow.scheme import Intercept, Scheme
from escrow.wire import Wire

if TYPE_CHECKING:
    from attacks.lab.simulation.record import Record
    from attacks.lab.simulation.watched.keeping import Keeping

R = TypeVar("R")
Taken = tuple[bytes, type[Principal]]  # a state, and the class that reads it
_SWITCHED_OFF = {"insist", "insist_all"}  # by escrow.principal.corrupted, in every corrupted party


class Takeover:
    """What an attack's corruptions do to the parties of a play, day by day."""

    def __init__(self, wire: Wire, scheme: Scheme, attack: Attack | None, cast: Cast, scenario: Scenario) -> None:
        """Ask the attack for its corruptions."""
        self._wire, self._scheme, self._attack = wire, scheme, attack
        self._cast, self._scenario = cast, scenario
        corruptions = tuple(attack.corruptions(cast, scenario) if attack else ())
        if attack and not attack.apparatus and (why := misfit(corruptions, wire.parties, scenario.days)):
            raise Malformed(f"{attack.name} does not fit {scheme.name}: {why}")
        self.turns = tuple(each for each in corruptions if isinstance(each, Turn))
        self._keeps = tuple(each for each in corruptions if isinstance(each, Keep))
        self._uses = tuple(each for each in corruptions if isinstance(each, Use))
        self._copies: dict[Use, Any] = {}
        self._stolen: dict[Use, Taken] = {}
        self._replaced = Replaced()
        self.set_up: dict[str, dict[bytes, type[Principal]]] = {name: {} for name in cast.officials}

    # --- a play that goes on from the honest one ---

    @property
    def begins(self) -> int:
        """The first day whose morning is another than in the honest play."""
        days = [each.day for each in self.turns] + [each.day for each in self._keeps]
        days += [use.evening + 1 for use in self._uses]
        if self._attack is not None and type(self._attack).silenced is not Attack.silenced:
            days.append(self._scenario.attack_day)
        return min(days, default=0)

    def go_on(self, honest: Record) -> None:
        """Know what thieves got in the honest play before this one begins."""
        self.set_up = {name: dict.fromkeys(taken, honest.set_up_kinds[name]) for name, taken in honest.set_up.items()}
        for use in self._uses:
            self._stolen[use] = honest.taken(use.principal, use.evening)[-1]

    # --- mornings and evenings ---

    def morning(self, day: int) -> None:
        """Take over whoever is corrupted on the morning of this day, and hand the attack what was stolen before."""
        for use in self._uses:
            if use.evening == day - 1:
                self._copies[use] = self._taken_over(revive(*self._stolen[use]), f"{use.principal}, stolen", use)
        if self._attack is not None and day == self._scenario.attack_day:
            self._update(self._attack)
        for turn in self.turns:
            if turn.day == day:
                seat = self._taken_over(self._wire.party(turn.principal, Principal), f"{turn.principal}, turned", turn)
                self._wire.parties[turn.principal] = seat
                if self._copies and self._attack is not None:
                    copies = [revive((copy := occupant(each)).state(), type(copy)) for each in self._copies.values()]
                    with crypto.acting(f"{turn.principal}, turned"):
                        own, kept = occupant(seat), keeping_of(seat)
                        if kept is not None:  # the copies are the thief's own: nothing in them is hidden from it
                            kept.during(self._attack.receive, own, copies, self._scheme)
        for keep in self._keeps:
            if keep.day == day:
                party = self._wire.party(keep.principal, Principal)
                kept = self._watching(party, alone=False)
                self._wire.parties[keep.principal] = Seat(party, kept, None)  # type: ignore[assignment]  # stands for it

    def _watching(self, party: Principal, *, alone: bool) -> Keeping:
        from attacks.lab.simulation.watched.keeping import Keeping, facts_read  # an honest play does without

        return Keeping(party, facts_read(type(self._scheme)), alone=alone)

    def _update(self, attack: Attack) -> None:
        """Replace the clients that their vendor updates, as the attack says, by ones that leave out checks."""
        for user in self._scenario.users:
            if (left_out := attack.silenced(user.name, self._scheme, self._scenario)) is not None:
                for name in left_out.of(user.devices):
                    if not is_seat(self._wire.parties[name]):
                        there = map(occupant, self._wire.parties.values())
                        self._wire.parties[name] = silenced(self._wire.party(name, Device), left_out, there)

    def _taken_over(self, party: Principal, acting: str, corruption: Turn | Use) -> Any:
        """Return the seat of the attack's party that takes the place of this one."""
        kept = self._watching(party, alone=True)
        with crypto.acting(acting):
            given = self._attack, party, self._scheme, self._cast, self._scenario
            made: Principal = kept.during(type(self._attack).corrupt, *given)  # type: ignore[union-attr]  # there are corruptions
        if not isinstance(made, Principal) or made.name != party.name:
            found = f"a {type(made).__name__} called {getattr(made, 'name', 'nothing')}"
            raise Malformed(f"{type(self._attack).__name__}.corrupt returns {found} in place of {party.name}")
        kept.goes_on_as(made)
        if isinstance(corruption, Turn):
            self._replaced.note(type(made), type(party))
        return Seat(made, kept, self._facade(corruption))

    def _facade(self, corruption: Turn | Use) -> CorruptedWire:
        """Return the wire for a corrupted party: it speaks as itself, and as nobody who is honest."""
        corrupted = {corruption.principal, *(turn.principal for turn in self.turns)}
        return corrupted_wire(self._wire, frozenset(self._wire.parties) - corrupted)

    def evening(self, intercepted: Sequence[Intercept]) -> None:
        """Let the corrupted parties, and thieves with their copies, do what they do by themselves."""
        turned = [turn.principal for turn in self.turns if turn.day <= self._wire.day]
        acting = [(f"{name}, turned", self._wire.parties[name]) for name in turned]
        acting += [(f"{use.principal}, stolen", copy) for use, copy in self._copies.items()]
        for name, seat in acting:
            if self._attack is not None:
                with crypto.acting(name):
                    perform(seat, self._attack.each_evening, seat, self._scheme, self._wire, tuple(intercepted))

    def restart(self) -> None:
        """Replace every party by what its own state decodes to; a corrupted one stays in its place."""
        for parties in (self._wire.parties, self._copies):
            for name, party in parties.items():
                parties[name] = reseated(party)  # type: ignore[index]  # its own key

    # --- what thieves get ---

    def during_set_up(self) -> None:
        """Note what a thief of an official gets at set-up: called at the officials' birth, and once keys are dealt."""
        for name, taken in self.set_up.items():
            party = occupant(self._wire.parties[name])
            taken.setdefault(party.state(), type(party))

    def states(self) -> Iterator[tuple[str, bytes, type[Principal]]]:
        """Yield the name and the state of every principal this evening, with what a corrupted one had beside it."""
        parties, last = self._wire.parties, self._wire.day == self._scenario.days - 1
        watched = [kept for party in (*parties.values(), *self._copies.values()) if (kept := keeping_of(party))]
        there = (occupant(party) for party in parties.values()) if watched else ()
        facts = [*by_first_secret(fact for party in there for fact in codec.walk(party, Fact))]
        for kept in watched:
            kept.aliases(facts)
        for name, seat in parties.items():
            party, found = occupant(seat), keeping_of(seat)
            if found is not None and (found.alone or last):
                party = _with_kept(party, found.left())
            yield name, party.state(), type(party)
            for use in self._uses:
                if use == Use(name, self._wire.day):
                    self._stolen[use] = party.state(), type(party)

    def used(
        self, states: dict[str, list[bytes]], kinds: dict[str, list[type[Principal]]]
    ) -> dict[tuple[str, int], Taken]:
        """Put into each state that was stolen and used what the thief had by it; return those states as they were."""
        for use, copy in self._copies.items():
            party = _with_kept(revive(*self._stolen[use]), [*copy_facts(copy)])
            states[use.principal][use.evening], kinds[use.principal][use.evening] = party.state(), type(party)
        return {(use.principal, use.evening): taken for use, taken in self._stolen.items()}

    def parties(self) -> dict[str, tuple[Principal, Keeping | None]]:
        """Return every party by name, and what is kept of it if it is watched."""
        return {name: (occupant(party), keeping_of(party)) for name, party in self._wire.parties.items()}

    def untested(self) -> str:
        """Return why the attack tested nothing, if it replaced methods and none of them ran; else ""."""
        return self._replaced.untested(map(keeping_of, self._wire.parties.values()))


def done_by(party: Any, work: Callable[..., R], *arguments: Any) -> R:
    """Return what code that is a party's own returns: if the party is corrupted, it is watched like the party's."""
    done: R = perform(party, work, party, *arguments) if is_seat(party) else work(party, *arguments)
    return done


def copy_facts(copy: Any) -> Iterable[Fact]:
    """Return every fact that a thief had by means of a copy."""
    kept = keeping_of(copy)
    return () if kept is None else dict.fromkeys((*kept.left(), *codec.walk(occupant(copy), Fact)))


def _with_kept(party: Principal, kept: Collection[Fact]) -> Principal:
    from attacks.lab.simulation.watched.keeping import with_kept

    return with_kept(party, kept)


class Replaced:
    """The functions with which an attack replaced behaviour of its parties."""

    def __init__(self) -> None:
        """Begin with none."""
        self._methods: dict[CodeType, str] = {}

    def note(self, made: type[Principal], honest: type[Principal]) -> None:
        """Note the methods in which a corrupted party's class differs from that of the honest party."""
        own = (each for each in made.__mro__ if each not in honest.__mro__)
        for name, method in ((name, method) for kind in own for name, method in vars(kind).items()):
            if isinstance(method, FunctionType) and name not in _SWITCHED_OFF:
                self._methods[method.__code__] = name

    def untested(self, kept: Iterable[Keeping | None]) -> str:
        """Return why the play tested nothing, if methods were replaced and none of them ran; else ""."""
        ran = set[CodeType]().union(*(each.ran for each in kept if each is not None))
        if not self._methods or ran & self._methods.keys():
            return ""
        return f"none of the replaced methods ran: {', '.join(sorted(set(self._methods.values())))}"

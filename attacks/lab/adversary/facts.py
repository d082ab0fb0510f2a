"""The facts of a closure: each is stored once, has a number, and says under which assumption it is known."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable
from itertools import chain, islice

from attacks.lab.adversary.timing import evenings
from attacks.lab.adversary.timing.evenings import WHENEVER
from escrow.codec import Fact
from escrow.scheme import SET_UP

FREE, NETWORK = 1, 2

Atom = tuple[str, int]  # a principal, and evenings as bits
Holding = tuple[Atom, ...]  # principals whose states held a fact


class FactTable:
    """Facts by number, what is assumed of each, and the numbers that the next run has to look at."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.ids: dict[Fact, int] = {}
        self.public = bytearray()  # by fact: FREE, NETWORK or both
        self.held: dict[int, Holding] = {}
        self._days: list[tuple[int, int]] = []  # (number of facts when a day began, the day)
        self._waiting: deque[int] = deque()
        self._holdings: dict[Holding, Holding] = {}  # one object for all that are alike
        self._of_type: defaultdict[type[Fact], list[int]] = defaultdict(list)
        self._sorted = 0  # how many facts stand there

    def learn(self, fact: Fact, holder: str | None = None, evening: int | None = None) -> int:
        """Add a fact that somebody is given, and return its number.

        Args:
            fact: What is given.
            holder: None for free bookkeeping; "network" for what every listener has; any other name for what is in
                that principal's state.
            evening: The evening on which the state holds the fact; None for every evening.
        """
        number = self.intern(fact)
        if holder is None or holder == "network":
            if len(self.public) <= number:
                self.public.extend(bytes(len(self.facts) - len(self.public)))
            self.public[number] |= FREE if holder is None else NETWORK
        else:
            self.hold((fact,), holder, evening)
        return number

    def hold(self, facts: Iterable[Fact], holder: str, evening: int | None) -> None:
        """Add the facts that a principal's state holds on an evening; None: on every evening."""
        held, intern, grown = self.held, self.intern, dict[Holding, Holding]()
        for fact in facts:
            number = intern(fact)
            before = held.get(number, ())
            if before not in grown:
                grown[before] = self._grow(before, holder, evening)
            held[number] = grown[before]

    def _grow(self, before: Holding, holder: str, evening: int | None) -> Holding:
        """Return `before` with one evening more: the same tuple for all facts that are held alike."""
        held = dict(before)
        held[holder] = held.get(holder, 0) | (WHENEVER if evening is None else evenings.bit(evening))
        grown = tuple(sorted(held.items()))
        return self._holdings.setdefault(grown, grown)

    def intern(self, fact: Fact) -> int:
        """Return the number of a fact. A new fact waits for the next run.

        Raise TypeError if it is not a fact, or holds a list, dict or set.
        """
        try:
            number = self.ids.setdefault(fact, len(self.facts))
        except TypeError:
            kind = type(fact).__name__
            raise TypeError(f"{kind} is no value: its fields may hold tuples, but no list, dict or set") from None
        if number == len(self.facts):
            if not isinstance(fact, Fact):
                raise TypeError(f"a rule gave a {type(fact).__name__}, which is no fact")
            self.facts.append(fact)
            self._waiting.append(number)
        return number

    def of_kind(self, *kinds: type[Fact]) -> list[int]:
        """Return the numbers of the facts of these kinds, in ascending order."""
        for number, fact in enumerate(islice(self.facts, self._sorted, None), self._sorted):
            self._of_type[type(fact)].append(number)
        self._sorted = len(self.facts)
        return sorted(chain(*(found for each, found in self._of_type.items() if issubclass(each, kinds))))

    def begin_day(self, day: int) -> None:
        """Note that what the network tells from now on, it tells on this day. Days begin before any state is learnt."""
        self._days.append((len(self.facts), day))

    def heard_on(self, number: int) -> int:
        """Return the day on which the network told a fact first; set-up if no days were noted."""
        at = bisect_right(self._days, (number, evenings.MOST_EVENINGS))
        return self._days[at - 1][1] if at else SET_UP

    def assumed(self, number: int) -> int:
        """Return FREE, NETWORK, both, or 0."""
        return self.public[number] if number < len(self.public) else 0

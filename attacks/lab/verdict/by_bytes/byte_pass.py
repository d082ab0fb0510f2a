"""The properties of a scheme's bytes, whatever their types say: tried in the small scenario, played under two secrets.

`check` tries them of every scheme. A run tries them of schemes from outside this project: where one is broken, that
scheme's cells are INCONCLUSIVE instead of HELD or AS CLAIMED; what was opened or broken stands as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from attacks.lab.crosscheck.byte_findings import ByteFault, constant_secrets, repeated_nonces
from attacks.lab.crosscheck.round_the_door import round_the_door
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.crosscheck.unsigned_orders import answered_unsigned
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.by_bytes.beyond import Beyond, never_opened, opened_beyond, told
from escrow import crypto
from escrow.scheme import Scheme

Test = tuple[str, Callable[[], str]]  # a property's name, and a function that returns "", how it is broken, or a note


class BytePass:
    """One scheme in the small scenario, played on first use; the rules of `every` attack join its own."""

    def __init__(self, scheme: Scheme, every: Sequence[Attack]) -> None:
        self.scheme, self.every, self._results = scheme, every, crypto.Results()

    @cached_property
    def plays(self) -> TwoPlays:
        """The play in the small scenario, and the same under another run secret."""
        with crypto.running(crypto.Run(None, results=self._results)):
            return TwoPlays(self.scheme, small())

    @property
    def record(self) -> Record:
        """The first of these plays."""
        return self.plays.record

    @cached_property
    def analysis(self) -> Analysis:
        """The analysis of that play, and of its bytes."""
        with crypto.running(crypto.Run(None, results=self._results)):  # rules compute again what parties did
            return Analysis(self.scheme, self.record, self.every, door=self.plays)

    def has_no_constant_secret(self) -> str:
        """Check that no secret is equal in two plays of different run secrets: it would be written in the program."""
        return "; ".join(map(self._with_texts, self._constants))

    def repeats_no_nonce(self) -> str:
        """Check that no two ciphertexts are sealed under one key and nonce."""
        return "; ".join(map(self._with_texts, self._nonces))

    @cached_property
    def _constants(self) -> list[ByteFault]:
        return constant_secrets(self.plays)

    @cached_property
    def _nonces(self) -> list[ByteFault]:
        return repeated_nonces(self.plays)

    @cached_property
    def beyond(self) -> list[Beyond]:
        """What bytes open beyond the rules, and by which of the faults that have a property of their own."""
        return opened_beyond(self.analysis, self.plays, [*self._constants, *self._nonces])

    def _with_texts(self, fault: ByteFault) -> str:
        """Return a fault in words, and what it opens."""
        opens = ", ".join(each.what for each in self.beyond if each.fault == fault)
        return f"{fault.says}; it opens, with the state of {opens}" if opens else fault.says

    def goes_through_the_door(self) -> str:
        """Check that no module of the scheme takes cryptography or randomness from elsewhere."""
        return "; ".join(round_the_door(self.scheme))

    def tests(self) -> Iterator[Test]:
        """Yield the properties of the bytes in a play, whatever their types say."""
        yield "no secret is the same in every run", self.has_no_constant_secret
        yield "no key and nonce seal twice", self.repeats_no_nonce
        yield "all cryptography goes through the door", self.goes_through_the_door
        yield "bytes open nothing beyond the rules", self.opens_nothing_by_bytes
        yield "what some key opens, the rules open", self.opens_what_keys_open
        yield "no official acts on an order that no court signed", self.wants_signatures

    def wants_signatures(self) -> str:
        """Check that no official acts on an order that no court signed."""
        return "; ".join(answered_unsigned(self.scheme, self.record))

    def opens_nothing_by_bytes(self) -> str:
        """Check that no coalition reads more by bytes, and by all that the door computed, than by the rules.

        What has a property of its own is told there: constants, nonces used again, and texts that no rule opens at all.
        """
        return "; ".join(told(each for each in self.beyond if not each.fault and not self._never(each)))

    def opens_what_keys_open(self) -> str:
        """Check that every text on the wire that some key in some state opens is opened by the rules, given all states.

        The door is the witness of what was sealed.
        """
        return "; ".join(told(each for each in self.beyond if not each.fault and self._never(each)))

    def _never(self, found: Beyond) -> bool:
        """Return whether no rule opens these texts, whatever states are given."""
        return never_opened(self.analysis).issuperset(found.texts)

    @cached_property
    def failures(self) -> tuple[str, ...]:
        """The properties that are broken, and how: what breaks them first, in a sentence."""
        found = ((name, broken_by(test)) for name, test in BytePass.tests(self))
        return tuple(f"{name}: {_beginning(how)}" for name, how in found if how)


def broken_by(test: Callable[[], str]) -> str:
    """Return what the test of a property says; for a scheme or attack that cannot be played, the error."""
    try:
        return test()
    except Exception as error:  # it breaks the property that was tried
        return f"{type(error).__name__}: {error}"


def _beginning(how: str) -> str:
    first, *more = how.split("; ")
    return f"{first} (and {len(more)} more)" if more else first

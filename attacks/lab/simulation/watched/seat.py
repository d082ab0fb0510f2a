"""A corrupted party's place: everybody else meets the party through it, and the party meets nobody but by packets.

  Seat            stands in the wire's list in place of the party; each call of a method goes through it, is watched
                  (attacks.lab.simulation.watched.keeping), and is handed the façade instead of the wire
  CorruptedWire   the façade: ask, tell, heard, day; and for the party's own screen and complaints show, complain

No object that the party is handed leads to an honest party's: not through attributes, bound methods, closures,
tracebacks or arguments. Objects of parties among the arguments are copies, in which secret bytes are zeros. Who walks
the interpreter instead (garbage collector, stack frames, module globals) finds the play, since both run in one process:
that is cheating by the attack's author, and no capability of an adversary. The adversary's process of
attacks.lab.adversary.isolation is where rules cannot.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterable
from functools import lru_cache
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from attacks.lab.simulation.watched.secret_fields import is_public
from escrow.codec import Packet
from escrow.errors import EscrowError
from escrow.principal import Principal, revive
from escrow.wire import Heard, Wire

if TYPE_CHECKING:
    from attacks.lab.simulation.watched.keeping import Keeping

R = TypeVar("R")
_Op = Callable[..., tuple[BaseException | None, Any]]


class NoWayThere(AttributeError):
    """A corrupted party's code asked for what its channel to the others does not have: their objects."""


class CorruptedWire:
    """The wire as a corrupted party has it: bytes go out and come back, and all packets are heard."""

    __slots__ = ("_do",)

    def __init__(self, do: _Op) -> None:
        """`do` carries an operation out, and returns (the error or None, the result)."""
        self._do = do

    @property
    def day(self) -> int:
        """The day."""
        return self._done("day")  # type: ignore[no-any-return]  # by name

    @property
    def heard(self) -> tuple[Heard, ...]:
        """Every packet so far: all are public."""
        return self._done("heard")  # type: ignore[no-any-return]  # by name

    def ask(self, src: str, dst: str, message: Packet, reply: type[R]) -> R:
        """Send a packet and return the answer, as `escrow.wire.Wire.ask`. Raise ValueError for an honest `src`."""
        return self._done("ask", src, dst, message, reply)  # type: ignore[no-any-return]  # by name

    def tell(self, src: str, dst: str, message: Packet) -> None:
        """Send a packet and go on, as `escrow.wire.Wire.tell`. Raise ValueError for an honest `src`."""
        self._done("tell", src, dst, message)

    def announce(self, src: str, to: Iterable[str], message: Packet) -> None:
        """Send one packet to several parties, as `escrow.wire.Wire.announce`. Raise ValueError for an honest `src`."""
        self._done("announce", src, tuple(to), message)

    def show(self, device: str, author: str, conversation: object, text: bytes) -> None:
        """Show a text on a screen of the party's own. Raise ValueError for an honest device."""
        self._done("show", device, author, conversation, text)

    def alarm(self, who: str, check: str) -> None:
        """Complain of nothing: a corrupted party's alarms convince nobody."""

    def complain(self, party: str, error: EscrowError) -> None:
        """Record why a packet to this party, or the answer of another, was no use."""
        self._done("complain", party, error)

    def __getattr__(self, name: str) -> Any:
        """Raise NoWayThere: there is nothing else."""
        raise NoWayThere(f"the wire of a corrupted party has no {name}: it has ask, tell, heard and day")

    def _done(self, *operation: Any) -> Any:
        error, result = self._do(*operation)
        if error is not None:
            raise error
        return result


def corrupted_wire(wire: Wire, honest: Container[str]) -> CorruptedWire:
    """Return the façade of a wire. `honest` are the names under which nothing may be sent: channels are authenticated.

    The function inside it is wrapped in C code, which has no attribute that leads to it.
    """
    carried: dict[str, Callable[..., Any]] = {
        name: getattr(wire, name) for name in ("ask", "tell", "announce", "show", "complain")
    }

    def do(operation: str, *arguments: Any) -> tuple[BaseException | None, Any]:
        try:
            return None, done(operation, arguments)
        except Exception as error:  # its traceback would lead to the frames, hence to the objects, of honest parties
            error.__context__ = error.__cause__ = None
            return error.with_traceback(None), None

    def done(operation: str, arguments: tuple[Any, ...]) -> Any:
        if operation == "day":
            return wire.day
        if operation == "heard":
            return tuple(wire.heard)
        if operation != "complain" and arguments[0] in honest:
            raise ValueError(f"a corrupted party cannot speak as {arguments[0]}, who is honest")
        return carried[operation](*arguments)

    opaque = lru_cache(maxsize=0)(do)
    vars(opaque).clear()  # __wrapped__
    return CorruptedWire(opaque)


class Seat:
    """Stands for a corrupted party wherever others look for one. `wire` is what its code is handed as the wire.

    `honest` behaviour is that of its own code, which is handed the wire itself, as everybody's is.
    """

    __slots__ = ("_facade", "_keeping", "_party")

    def __init__(self, party: Principal, keeping: Keeping, facade: CorruptedWire | None) -> None:
        """Put the party in its place. Without a façade its behaviour is honest."""
        object.__setattr__(self, "_party", party)
        object.__setattr__(self, "_keeping", keeping)
        object.__setattr__(self, "_facade", facade)

    @property  # type: ignore[misc]  # read-only: isinstance is to see the party's class
    def __class__(self) -> Any:
        """The party's class."""
        return type(object.__getattribute__(self, "_party"))

    def __getattr__(self, name: str) -> Any:
        """Return a field of the party, or a method that is watched."""
        value = getattr(self._party, name)
        if not (isinstance(value, MethodType) and value.__self__ is self._party):
            return value

        def method(*arguments: Any, **named: Any) -> Any:
            return perform(self, value, *arguments, **named)

        return method

    def __setattr__(self, name: str, value: object) -> None:
        """Set a field of the party."""
        setattr(self._party, name, value)


def perform(seat: Any, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Return what code of a seated party returns; it is watched, and is handed what a corrupted party may be."""
    keeping: Keeping = object.__getattribute__(seat, "_keeping")
    facade: CorruptedWire | None = object.__getattribute__(seat, "_facade")
    if facade is None:
        return keeping.during(work, *arguments, **named)
    handed = [_handed(each, seat, facade) for each in arguments]
    return keeping.during(work, *handed, **{name: _handed(each, seat, facade) for name, each in named.items()})


def is_seat(party: object) -> bool:
    """Return whether this stands for a corrupted party; it passes for the party itself."""
    return type(party) is Seat


def occupant(party: Any) -> Principal:
    """Return the party itself, whether it stands there or behind a seat."""
    found: Principal = object.__getattribute__(party, "_party") if is_seat(party) else party
    return found


def keeping_of(party: object) -> Keeping | None:
    """Return what is kept of a party that is watched, else None."""
    found: Keeping | None = object.__getattribute__(party, "_keeping") if is_seat(party) else None
    return found


def reseated(party: Principal) -> Principal:
    """Return the party that this one's state decodes to; a seated one stays in its seat."""
    fresh = revive((own := occupant(party)).state(), type(own))
    if (kept := keeping_of(party)) is None:
        return fresh
    kept.goes_on_as(fresh)
    return Seat(fresh, kept, object.__getattribute__(party, "_facade"))  # type: ignore[return-value]  # stands for it


class WatchedWire(Wire):
    """A wire whose parties may be watched: nobody is while another party's code runs."""

    def handed(self, packet: Heard) -> bytes:
        """Return the addressee's answer to a packet. Raise the error that it raised, or Unreachable.

        The error leaves its traceback behind: with it the frames of others would end, and be seen, in the party's code.
        """
        watching = sys.gettrace()
        if watching is None:
            return super().handed(packet)
        sys.settrace(None)
        try:
            return super().handed(packet)
        except Exception as error:
            raise error.with_traceback(None) from None
        finally:
            sys.settrace(watching)


def _handed(value: Any, seat: Seat, facade: CorruptedWire) -> Any:
    """Return an argument as a corrupted party is handed it."""
    if isinstance(value, Wire):
        return facade
    if is_seat(value) or isinstance(value, Principal):
        party = occupant(value)
        return party if party is occupant(seat) else blanked(party)
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(_handed(each, seat, facade) for each in value)
    if type(value) is dict:
        return {key: _handed(each, seat, facade) for key, each in value.items()}
    return value


def blanked(value: Any) -> Any:
    """Return a copy of a value in which all bytes that its types do not call Public are zeros."""
    if isinstance(value, msgspec.Struct):
        kind = type(value)
        given = {
            name: getattr(value, name) if is_public(kind, name) else blanked(getattr(value, name))
            for name in kind.__struct_fields__
        }
        return kind(**given)
    if isinstance(value, bytes):
        return bytes(len(value))
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(map(blanked, value))
    if isinstance(value, dict):
        return {key: blanked(each) for key, each in value.items()}
    return value

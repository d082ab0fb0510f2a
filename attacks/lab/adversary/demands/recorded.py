"""Orders whose fields note what a check reads of them and compares them with.

A check is a function over facts. Given such an order it tells by itself what it asks for: the comparison `expires -
issued <= 5` is noted with both fields, their coefficients and the constant, so that the values that turn it are known.
What is looked up in a table or passed to a function of another library is noted as read, and no more.

Example: for `order.scope == "urgent"` the note is (scope, "==", "urgent", False), and
`attacks.lab.adversary.demands.variations.repairs` gives the scope "urgent".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, SupportsIndex

from escrow.derivation import honest_only
from escrow.warrant import Order, Warrant

FIELDS = Order.__struct_fields__
Verified = tuple[bytes, ...]  # a public key, a signature and a message
SIGNATURE = "signature"  # noted like a field of the order
NEAR = 64  # how far a number is moved where only its remainder or its bits were compared


class Term(NamedTuple):
    """What was compared: a sum of fields with coefficients, or a part of one field.

    `sum` holds (field, coefficient); `rest` is added. For texts and bytes `part` holds where the part begins and ends
    (None: the whole), and `read` turns a constant that the part was compared with into bytes or text of the field.
    `near` is how far numbers are to be moved if the term is no sum.
    """

    sum: tuple[tuple[str, int], ...]
    rest: int = 0
    near: int = 0
    part: tuple[int, int] | None = None
    read: Callable[[Any], Any] | None = None


class Compared(NamedTuple):
    """One comparison: the term, the operator, what it was compared with (a value or a term), and whether it held."""

    term: Term
    operator: str
    other: Any
    held: bool

    def key(self) -> tuple[Any, ...]:
        """Return a tuple that differs for different comparisons; its last item is what the field was compared with."""
        other = self.other
        if isinstance(other, tuple) and other and isinstance(other[0], Term):
            other = other[0].sum, other[0].rest
        elif getattr(other, "__hash__", None) is None or isinstance(other, tuple):
            other = repr(other)
        return self.term.sum, self.term.rest, self.term.part, self.operator, self.held, other


@dataclass(slots=True)
class Notes:
    """What one check did: the fields that it read, the comparisons, and whether it missed a signature of the order.

    `verified` are the signatures that it verified, `missed` those of them that do not hold: key, signature, message.
    """

    read: set[str] = field(default_factory=set)
    compared: list[Compared] = field(default_factory=list)
    signature: bool = False
    verified: set[Verified] = field(default_factory=set)
    missed: set[Verified] = field(default_factory=set)

    def distinct(self) -> list[Compared]:
        """Return the comparisons, each once."""
        return list({each.key(): each for each in self.compared}.values())

    def path(self) -> frozenset[Any]:
        """Return which comparisons came out how: orders with equal paths tell nothing new."""
        return frozenset(each.key() for each in self.compared)


class Recorder:
    """Makes one recorded order, and keeps the notes of the check that runs."""

    def __init__(self) -> None:
        self.notes = Notes()

    def next(self) -> Notes:
        """Return the notes so far, and begin new ones."""
        done, self.notes = self.notes, Notes()
        return done

    def order(self, plain: Order) -> Order:
        """Return the order with recording fields."""
        made = RecordedOrder(*(_recorded(self, name, getattr(plain, name)) for name in FIELDS))
        made.__dict__["recorder"] = self
        return made


class RecordedOrder(Order, frozen=True, tag="Order", dict=True):
    """An order that notes which fields are read."""

    def __getattribute__(self, name: str) -> Any:
        if name in FIELDS and (recorder := object.__getattribute__(self, "__dict__").get("recorder")):
            recorder.notes.read.add(name)
        return object.__getattribute__(self, name)

    def __hash__(self) -> int:
        return hash(tuple([getattr(self, name) for name in FIELDS]))  # read anew by each check, where facts keep theirs


class RecordedWarrant(Warrant, frozen=True, tag="Warrant", dict=True):
    """A warrant that answers for its signature without computing it: `valid` says for which courts it is good."""

    def signed_by(self, court: bytes) -> bool:
        """Return whether the signature is to count as this court's."""
        known = object.__getattribute__(self, "__dict__")
        known["recorder"].notes.signature |= court not in known["valid"]
        return court in known["valid"]

    def __hash__(self) -> int:
        return hash((self.order, self.signature))


@honest_only("a warrant whose fields note who reads them")
def recorded_warrant(recorder: Recorder, plain: Warrant, valid: frozenset[bytes]) -> Warrant:
    """Return the warrant with a recording order; `valid` are the courts (public keys) whose signature it bears."""
    made = RecordedWarrant(recorder.order(plain.order), _recorded(recorder, SIGNATURE, plain.signature))
    made.__dict__.update(recorder=recorder, valid=valid)
    return made


# --- recording values ---


_term_of = cache(lambda name: Term(((name, 1),)))


def _recorded(recorder: Recorder, name: str, value: Any) -> Any:
    kind = RecordedNumber if type(value) is int else RecordedText if type(value) is str else RecordedBytes
    return kind.made(value, recorder, _term_of(name))


def _comparing(operator: str, base: type) -> Callable[[Any, Any], Any]:
    compute = getattr(base, operator)

    def compare(self: Any, other: Any) -> Any:
        held = compute(self, other)
        if held is not NotImplemented:
            self.recorder.notes.compared.append(Compared(self.term, operator, _plain(other), held))
        return held

    return compare


def _plain(value: Any) -> Any:
    """Return the value that a comparison is noted with: of a recording number the term too."""
    return (value.term, int.__index__(value)) if isinstance(value, RecordedNumber) else _unrecorded(value)


def _unrecorded(value: Any) -> Any:
    """Return a recording value as a plain one; any other as it is."""
    if not isinstance(value, _Recording):
        return value
    return str(value) if isinstance(value, str) else bytes(value) if isinstance(value, bytes) else int(value)  # type: ignore[call-overload]  # the third kind of recording value is an integer


class _Recording:
    recorder: Recorder
    term: Term

    def _looked_up(self, value: int) -> int:
        """Note the fields as read, since a hash is asked for by tables, and return the hash."""
        self.recorder.notes.read.update(name for name, _ in self.term.sum)
        return value

    @classmethod
    def made(cls, value: Any, recorder: Recorder, term: Term) -> Any:
        """Return a recording value."""
        made = cls.__new__(cls, value)  # type: ignore[call-arg]  # str, bytes and int take one
        made.recorder, made.term = recorder, term
        return made


class RecordedNumber(_Recording, int):
    """An integer that notes its comparisons; sums and multiples are followed."""

    def __hash__(self) -> int:
        return self._looked_up(int.__hash__(self))

    def __int__(self) -> int:
        return int.__index__(self)

    def __bool__(self) -> bool:
        return bool(self != 0)

    def _linear(self, other: Any, sign: int, value: int) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        term = other.term if isinstance(other, RecordedNumber) else Term((), int(other))
        if self.term.near or term.near:
            return self._apart(other, value)
        sums = dict(self.term.sum)
        for name, by in term.sum:
            sums[name] = sums.get(name, 0) + sign * by
        total = tuple((name, by) for name, by in sums.items() if by)
        return RecordedNumber.made(value, self.recorder, Term(total, self.term.rest + sign * term.rest))

    def _times(self, by: int, plus: int, value: int) -> Any:
        if self.term.near:
            return self._apart(by, value)
        total = tuple((name, each * by) for name, each in self.term.sum)
        return RecordedNumber.made(value, self.recorder, Term(total, self.term.rest * by + plus))

    def _apart(self, other: Any, value: int, near: int = 0) -> Any:
        """Return a number of which only the fields are known: values near theirs are tried."""
        near = NEAR if near or not isinstance(other, int) else max(self.term.near, 1, min(NEAR, abs(int(other))))
        names = {name for name, _ in (*self.term.sum, *(other.term.sum if isinstance(other, RecordedNumber) else ()))}
        return RecordedNumber.made(value, self.recorder, Term(tuple((name, 1) for name in sorted(names)), near=near))

    def __add__(self, other: Any) -> Any:
        value = int.__add__(self, other)
        return value if value is NotImplemented else self._linear(other, 1, value)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        value = int.__sub__(self, other)
        return value if value is NotImplemented else self._linear(other, -1, value)

    def __rsub__(self, other: Any) -> Any:
        value = int.__rsub__(self, other)
        return value if value is NotImplemented else self._times(-1, int(other), value)

    def __neg__(self) -> Any:
        return self._times(-1, 0, int.__neg__(self))

    def __abs__(self) -> Any:
        return -self if self < 0 else self

    def __mul__(self, other: Any) -> Any:
        value = int.__mul__(self, other)
        if value is NotImplemented:
            return value
        return self._apart(other, value) if isinstance(other, RecordedNumber) else self._times(int(other), 0, value)

    __rmul__ = __mul__


def _apart_by(name: str) -> Callable[[Any, Any], Any]:
    compute, far = getattr(int, name), "floordiv" in name or "shift" in name

    def apart(self: RecordedNumber, other: Any) -> Any:
        value = compute(self, other)
        return value if value is NotImplemented else self._apart(other, value, NEAR if far else 0)

    return apart


class _Sequence(_Recording):
    def _within(self, at: Any, value: Any) -> Any:
        """Return a slice of the value, which knows where it lies in the field; of other slices nothing is noted."""
        begin = self.term.part[0] if self.term.part else 0
        start, stop, step = at.indices(len(self))  # type: ignore[arg-type]  # `__len__` returns a recorded number, which is an int
        if at == slice(None, None, -1):
            return self._read_as(type(self), value, lambda found: found[::-1])
        if step != 1 or self.term.read is not None:
            return value
        part = begin + start, begin + max(start, stop)
        return type(self).made(value, self.recorder, Term(self.term.sum, part=part))

    def _asked(self, operator: str, other: Any, held: bool) -> bool:
        for each in other if isinstance(other, tuple) else (other,):
            self.recorder.notes.compared.append(Compared(self.term, operator, _unrecorded(each), held))
        return held

    def _read_as(self, kind: type[_Recording], value: Any, read: Callable[[Any], Any]) -> Any:
        if self.term.read is not None or self.term.part is not None:
            return value
        return kind.made(value, self.recorder, Term(self.term.sum, read=read))


class RecordedText(_Sequence, str):
    """A text that notes its comparisons."""

    def __hash__(self) -> int:
        return self._looked_up(str.__hash__(self))

    def __str__(self) -> str:
        return str.__str__(self)

    def __bool__(self) -> bool:
        return self._asked("__ne__", "", str.__len__(self) > 0)

    def __contains__(self, other: Any) -> bool:
        return self._asked("contains", other, str.__contains__(self, other))

    def startswith(self, other: Any, *where: Any) -> bool:
        """Return whether the text starts so."""
        return self._asked("startswith", other, str.startswith(self, other, *where))

    def endswith(self, other: Any, *where: Any) -> bool:
        """Return whether the text ends so."""
        return self._asked("endswith", other, str.endswith(self, other, *where))

    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        if not isinstance(at, slice):
            at = slice(at, at + 1 or None)  # type: ignore[operator]  # a number, perhaps a recorded one, which it stays
        value = str.__getitem__(self, at)
        if not value and at.start is not None and at.stop == at.start + 1:
            raise IndexError("string index out of range")
        return self._within(at, value)

    def lower(self) -> Any:
        """Return the text in small letters."""
        return self._read_as(RecordedText, str.lower(self), str)

    casefold = lower

    def upper(self) -> Any:
        """Return the text in capital letters."""
        return self._read_as(RecordedText, str.upper(self), str)

    def strip(self, *what: Any) -> Any:
        """Return the text without the blanks around it."""
        return self._read_as(RecordedText, str.strip(self, *what), str)

    def split(self, *how: Any, **named: Any) -> Any:
        """Return the parts of the text; each knows where it lies in the field."""
        parts = str.split(self, *how, **named)
        if how and how[0] and self.term.read is None and self.term.part is None:
            self._asked("contains", how[0], len(parts) > 1)
            starts = [sum(len(each) + len(how[0]) for each in parts[:at]) for at in range(len(parts))]
            return [self._within(slice(at, at + len(part)), part) for at, part in zip(starts, parts, strict=True)]
        return parts

    def encode(self, *how: Any) -> Any:
        """Return the text's bytes."""
        return self._read_as(RecordedBytes, str.encode(self, *how), lambda found: found.decode("utf-8", "replace"))


class RecordedBytes(_Sequence, bytes):
    """Bytes that note their comparisons."""

    def __hash__(self) -> int:
        return self._looked_up(bytes.__hash__(self))

    def __bytes__(self) -> bytes:
        return bytes.__getitem__(self, slice(None))

    def __bool__(self) -> bool:
        return self._asked("__ne__", b"", bytes.__len__(self) > 0)

    def __contains__(self, other: Any) -> bool:
        held = bytes.__contains__(self, other)
        return self._asked("contains", bytes([other]) if isinstance(other, int) else other, held)

    def startswith(self, other: Any, *where: Any) -> bool:
        """Return whether the bytes start so."""
        return self._asked("startswith", other, bytes.startswith(self, other, *where))

    def endswith(self, other: Any, *where: Any) -> bool:
        """Return whether the bytes end so."""
        return self._asked("endswith", other, bytes.endswith(self, other, *where))

    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        value = bytes.__getitem__(self, at)
        if isinstance(at, slice):
            return self._within(at, value)
        start = int(at) % len(self)
        begin = (self.term.part[0] if self.term.part else 0) + start
        term = Term(self.term.sum, part=(begin, begin + 1), read=lambda found: bytes([found % 256]))
        return RecordedByte.made(value, self.recorder, term) if self.term.read is None else value

    def hex(self, *how: Any) -> Any:
        """Return the bytes as hexadecimal text."""
        return self._read_as(RecordedText, bytes.hex(self, *how), bytes.fromhex)

    def decode(self, *how: Any) -> Any:
        """Return the bytes as text."""
        return self._read_as(RecordedText, bytes.decode(self, *how), str.encode)


class RecordedByte(_Recording, int):
    """One byte of a field, as a number that notes its comparisons."""

    def __hash__(self) -> int:
        return self._looked_up(int.__hash__(self))

    def __int__(self) -> int:
        return int.__index__(self)


_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
for _operator in _COMPARISONS:
    for _kind, _base in ((RecordedNumber, int), (RecordedByte, int), (RecordedText, str), (RecordedBytes, bytes)):
        setattr(_kind, _operator, _comparing(_operator, _base))
for _name in ("mod", "floordiv", "and", "or", "xor", "rshift", "lshift", "pow"):
    for _prefix in ("", "r"):
        setattr(RecordedNumber, f"__{_prefix}{_name}__", _apart_by(f"__{_prefix}{_name}__"))

"""Schemes as a third party would write them: each user's field key lies with a custodian, and somebody else has it too.

Sound ones, and ones in which a weakness stands where no type and no rule tells of it. All are one scheme, `Deposit`:
a field is a message key sealed under the sender's field key; the custodian, who is granted everything, has all keys.
The clerk is granted nothing. What `keys` makes the keys of, and what the clerk keeps, differs; so does how a field is
sealed: plainly, under a long label, with encoded facts as associated data, under a key cut from a longer output, or
under a key of ten bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from escrow import (
    DEVICES,
    AccessField,
    Answer,
    Authority,
    Checks,
    Claim,
    EscrowError,
    Fact,
    FieldContext,
    Grant,
    Intercept,
    MessageKey,
    Official,
    Plain,
    Principal,
    Private,
    Public,
    Source,
    User,
    Warrant,
    Wire,
    acting,
    codec,
    hkdf,
    open_answer,
    open_intercepted,
    promises,
    random_bytes,
    seal,
    service,
    wanted,
)
from escrow.crypto import open_sealed
from escrow.derivation import derivation
from escrow.e2ee import device

SHAPES = ("plain", "long", "structured", "cut", "ten")
LONG = b"the field key of one user, deposited with the custodian, and with nobody else; " * 5


class DepositField(AccessField, frozen=True):
    """A message key (32 bytes) sealed under the sender's field key; `shape` says how."""

    shape: str
    nonce: Public
    sealed: Public

    @property
    def sender(self) -> str:
        """The user whose field key sealed it."""
        return self.people[0]


class DepositKey(Fact, frozen=True):
    """The field key of one user (32 bytes, or ten), and the court whose warrants the custodian honours."""

    user: str
    value: bytes
    court: Public


def working_key(shape: str, value: bytes) -> bytes:
    """Return the 32 bytes that AES takes."""
    if shape == "cut":
        return hkdf(b"", value, b"three keys", 96)[32:64]
    return hkdf(b"", value, LONG if shape == "long" else b"field", 32)


def associated(field: DepositField) -> bytes:
    """Return what the seal is bound to."""
    if field.shape == "structured":
        blank = DepositField(field.chain, field.n, field.people, field.day, field.shape, field.nonce, b"")
        return codec.encode(blank) + codec.encode((field.people, field.day, {"chain": field.chain}))
    return codec.encode((field.chain, field.n, field.people, field.day))


@derivation("field.sender = key.user")
def open_field(field: DepositField, key: DepositKey) -> MessageKey:
    """Return the message key. Raise Forged if the field key or a label does not fit."""
    opened = open_sealed(working_key(field.shape, key.value), field.sealed, associated(field), field.nonce)
    return MessageKey(field.chain, field.n, opened)


@service(open_field, holder="key")
def deposit_checks(key: DepositKey, warrant: Warrant, field: DepositField) -> Checks:
    """Yield what the custodian promises to check."""
    return promises(key.court, warrant, field.people, field.day)


@derivation("answer.to = key.public")
def open_key_answer(answer: Answer, key: Private) -> MessageKey:
    """Return the custodian's answer. It takes the authority's key."""
    return open_answer(answer, key, MessageKey)


class DepositDevice(device.Device):
    """A client that seals each message key under its user's field key."""

    deposit: DepositKey | None = None
    shape: str = ""

    def access_field(self, key: MessageKey, context: FieldContext) -> DepositField:
        """Return what goes beside each ciphertext."""
        blank = DepositField(key.chain, key.n, context.people, context.day, self.shape, self.nonce(), b"")
        sealed = seal(self.field_key(), key.value, associated(blank), blank.nonce)
        return DepositField(key.chain, key.n, context.people, context.day, self.shape, blank.nonce, sealed)

    def nonce(self) -> bytes:
        """Return the nonce of the next field."""
        return random_bytes(12)

    def field_key(self) -> bytes:
        """Return the 32 bytes under which fields are sealed."""
        return working_key(self.shape, self.deposit.value)


class Custodian(Official):
    """Has every user's field key, and opens fields for those who bring a warrant."""

    keys: dict[str, DepositKey] = {}
    promise = deposit_checks

    def held(self, subject: DepositField) -> DepositKey:
        """Return the key of the field's sender."""
        return self.keys[subject.people[0]]


class Clerk(Principal):
    """Counts deposits; nobody grants it anything. What it keeps besides depends on the scheme."""

    kept: list[Public] = []
    notes: str = ""
    numbers: list[int] = []
    seed: Seed | None = None
    coefficients: Coefficients | None = None

    def made_for(self, user: str) -> bytes:
        """Return what the seed gives for a user: a step that is written in a method, over no fact."""
        return hkdf(b"", self.seed.value, b"user " + user.encode(), 96)[32:64]


class Seed(Fact, frozen=True):
    """What the clerk counts by: 32 bytes."""

    value: bytes


class Coefficients(Fact, frozen=True):
    """The coefficients of a line, whose value at 0 is the first of them."""

    values: tuple[bytes, ...]


class Deposit(Plain, frozen=True, kw_only=True):
    """Plain end-to-end encryption whose message keys a custodian can open too. Sound: keys are drawn."""

    name = "deposit"
    title = "Deposited keys"
    source = Source("Nobody", "Deposited keys", 2026, "", "everything")
    device: ClassVar[type[DepositDevice]] = DepositDevice
    shape: str = "plain"
    told: ClassVar[str] = "bytes open nothing beyond the rules"  # the property that finds it
    who: ClassVar[str] = "clerk@set-up,0-1: "  # how the finding begins, what it names, and how many texts it counts
    by: ClassVar[str] = ""
    texts: ClassVar[int] = 8

    @property
    def claim(self) -> Claim:
        """Say who may open what."""
        return Claim(
            words="The custodian can open every message; the authority reads what its warrants cover; a clerk nothing.",
            section="",
            grants=(*DEVICES, Grant("custodian", "everything"), Grant("authority", "in scope")),
            access="in scope",
        )

    @property
    def size(self) -> int:
        """The bytes of a field key."""
        return 10 if self.shape == "ten" else 32

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        """Return every user's field key, and leave with the clerk what the scheme has it keep."""
        return {user: random_bytes(self.size) for user in users}

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Yield custodian and clerk, and the parties of plain, each device with its user's key."""
        users, clerk = list(users), Clerk("clerk")
        with acting("clerk"):
            made = self.keys(clerk, [user.name for user in users])
        deposits = {user: DepositKey(user, value[: self.size], court) for user, value in made.items()}
        yield Custodian("custodian", keys=deposits)
        yield clerk
        for party in super().cast(users, court):
            if isinstance(party, DepositDevice):
                party.deposit, party.shape = deposits[party.user], self.shape
            yield party

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Yield the texts that the warrant covers, as the custodian opens their keys."""
        for intercept, field in wanted(authority, warrant, intercepted, DepositField):
            try:
                key = open_key_answer(authority.ask(wire, "custodian", warrant, field), authority.key.agreement)
            except EscrowError as error:
                wire.complain(authority.name, error)
                continue
            yield from open_intercepted(authority, intercept, key)

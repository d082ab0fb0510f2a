"""Timed key table: each message key is under the key of a slot of days, and the table of these keys is the vendor's.

  set-up   the vendor has a key pair; every client knows pk_vendor
  table    K_1 … K_m drawn, one for each slot of days;  T = HPKE.Seal(pk_vendor; K_1 … K_m)
  send     T, and AES-GCM(H(K_slot, labels); k) beside each ciphertext, k its message key
  access   authority --(warrant, field)--> vendor: it opens T and hands out K_slot of a day that the warrant covers
  morning  clients erase the keys of slots that are over; T stays
  weak     the vendor opens everything; a slot's key opens the whole slot, whatever the warrant says of it

Source: Ozzie, US 10,644,886 (2020) and US 10,826,701 (2020), claim 1 of each: the first hands out a subset of the table
for a duration, by the vendor; the second makes the table in a device. Bytes, labels and the sealing of T are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Literal

from escrow import codec, crypto
from escrow.codec import Fact, Public
from escrow.crypto import Private, digest, new_private, open_sealed, random_bytes, seal, sha256
from escrow.derivation import Checks, derivation, honest_only, service
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Malformed
from escrow.grants import Choice, Claim, Grant, KeySlot, Quotation
from escrow.primitives import hpke
from escrow.principal import Principal, of_kind
from escrow.scheme import AccessField, Intercept, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes.plain import CLASSICAL, DEVICES, EVASIONS, ONE_COURT, ONE_THEFT, FieldScheme
from escrow.warrant import Answer, Authority, Official, Warrant, open_answer, promises
from escrow.wire import Wire

MOST_SLOTS = 400
KEY = 32
Scope = Literal["user", "pair", "everybody"]
_TABLE = b"escrow-lab timed key table"


class TableForm(Fact, frozen=True):
    """The days of one slot, and how many slots a table has; public, and the same for all."""

    days: int
    slots: int

    def first(self, day: int) -> int:
        """Return the first day of the table that a day belongs to."""
        return day - day % (self.days * self.slots)

    def slot(self, day: int) -> int:
        """Return the number of a day's slot in its table, from 0."""
        return day % (self.days * self.slots) // self.days


class VendorKey(Private, frozen=True, dict=True):
    """The vendor's X25519 key pair, the public key (32 bytes) of the court that it honours, and the form of tables."""

    court: Public
    form: TableForm


class SlotKey(Fact, frozen=True):
    """The key (32 bytes) of one slot of a table, which is named by the SHA-256 of its sealed form."""

    table: Public
    slot: int
    value: bytes


class TimedTable(Fact, frozen=True):
    """A client's table: its first day, its sealed form, and the keys of the slots that are not over."""

    first: int
    sealed: Public
    keys: tuple[SlotKey, ...]


class TableField(AccessField, frozen=True, dict=True):
    """A message key under the key of the day's slot: 48 bytes; and the table, sealed to the vendor (X25519).

    `first` is the first day of the table, `slot` the number of the day's slot, from 0.
    """

    header: Public
    vendor: Public
    first: int
    slot: int
    table: Public
    wrapped: Public

    @cached_property
    def name(self) -> bytes:
        """The table's name, 32 bytes."""
        return digest(self.table)

    def context(self) -> bytes:
        """Return everything that the field says about the message, to which the wrap is bound."""
        labels = (self.chain, self.n, self.people, self.day, self.header)
        return codec.encode((*labels, self.vendor, self.first, self.slot, self.name))


def _of_pair(people: tuple[str, ...]) -> str:
    """Return the name of a conversation's table: a hash, so that two sets of people never share a name."""
    return sha256(_TABLE, codec.encode(tuple(sorted(people)))).hex()


def _info(form: TableForm, first: int) -> bytes:
    """Return what a sealed table is bound to: its form and its first day."""
    return _TABLE + codec.encode((form, first))


@derivation("field.vendor = key.public")
def slot_key(key: VendorKey, field: TableField) -> SlotKey:
    """Return the key of the slot of a field's day. Raise Forged, saying which, if slot, seal or length is wrong."""
    form = key.form
    if (field.first, field.slot) != (form.first(field.day), form.slot(field.day)):
        raise Forged(f"day {field.day} is in another slot, or of another table")
    table = hpke.open_(key, field.table, _info(form, field.first))
    if len(table) != KEY * form.slots:
        raise Forged(f"a table of {len(table)} bytes: it has {KEY} for each of {form.slots} slots")
    return SlotKey(field.name, field.slot, table[KEY * field.slot : KEY * (field.slot + 1)])


@derivation("field.name = key.table, field.slot = key.slot")
def unwrap(field: TableField, key: SlotKey) -> MessageKey:
    """Return the message key. Raise Forged if the labels were changed, or the slot is another."""
    context = field.context()
    return MessageKey(field.chain, field.n, open_sealed(sha256(key.value, context), field.wrapped, context))


@service(slot_key, holder="key")
def vendor_checks(key: VendorKey, warrant: Warrant, field: TableField) -> Checks:
    """Yield what the vendor promises to check before it hands out the key of a slot."""
    yield from promises(key.court, warrant, field.people, field.day)
    yield "the labels are those that the table's owner wrote", _fits(key, field)


def _fits(key: VendorKey, field: TableField) -> bool:
    try:
        unwrap(field, slot_key(key, field))
    except (Forged, Malformed):
        return False
    return True


@derivation("answer.to = key.public")
def open_slot_key(answer: Answer, key: Private) -> SlotKey:
    """Return the key of a slot from the vendor's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, SlotKey)


@honest_only("the maker draws the keys, and a thief of its state has them")
def new_table(vendor: bytes, form: TableForm, first: int) -> TimedTable:
    """Draw a table and seal it to the vendor. Raise Forged if the vendor's key is not valid."""
    keys = random_bytes(KEY * form.slots)
    sealed = hpke.seal(vendor, keys, _info(form, first))
    name = digest(sealed)
    values = (keys[at : at + KEY] for at in range(0, len(keys), KEY))
    return TimedTable(first, sealed, tuple(SlotKey(name, slot, value) for slot, value in enumerate(values)))


class TableDevice(device.Device):
    """A device whose client seals message keys under its tables: by conversation if `scope` is a pair, else one."""

    unrepeatable = "a table is its maker's secret"

    vendor: Public = b""
    form: TableForm = TableForm(1, 31)
    scope: Scope = "user"
    tables: dict[str, TimedTable] = {}

    def each_day(self, wire: Wire) -> None:
        """Do what a device of plain does, and erase the keys of slots that are over, and tables without keys."""
        super().each_day(wire)
        first, slot = self.form.first(wire.day), self.form.slot(wire.day)
        for name, table in list(self.tables.items()):
            if table.first == first and (left := tuple(key for key in table.keys if key.slot >= slot)):
                self.tables[name] = TimedTable(table.first, table.sealed, left)
            else:
                del self.tables[name]

    def make_anew(self) -> None:
        """Drop the tables that were made here."""
        if self.scope != "everybody":
            self.tables = {}

    def access_field(self, key: MessageKey, context: FieldContext) -> TableField:
        """Return the message key under the key of today's slot, and the table."""
        table, own = self._slot(_of_pair(context.people) if self.scope == "pair" else "", context.day)
        labels = (key.chain, key.n, context.people, context.day, sha256(context.header), self.vendor)
        placed = (table.first, own.slot, table.sealed)
        bound = TableField(*labels, *placed, b"").context()
        return TableField(*labels, *placed, seal(sha256(own.value, bound), key.value, bound))

    def _slot(self, name: str, day: int) -> tuple[TimedTable, SlotKey]:
        """Return the table under a name, and the key of a day's slot in it.

        A client makes a new table if it has none for the day. Raise Refused if only the vendor makes tables.
        """
        first, slot = self.form.first(day), self.form.slot(day)
        table = self.tables.get(name)
        own = next((key for key in table.keys if key.slot == slot), None) if table and table.first == first else None
        if table is None or own is None:
            self.insist(self.scope != "everybody", "the vendor's table has the key of the day")
            table = self.tables[name] = new_table(self.vendor, self.form, first)
            own = table.keys[slot]
        return table, own


class TableAuthority(Authority):
    """An authority that keeps the keys of slots that it was given."""

    keys: list[SlotKey] = []


class TableVendor(Official):
    """The vendor: its one key opens every table."""

    key: VendorKey

    promise = vendor_checks

    def held(self, subject: TableField) -> VendorKey:
        """Return the vendor's key."""
        return self.key


class KeyTable(FieldScheme, frozen=True, kw_only=True):
    """Slots of `days` days, `slots` of them in a table. `scope` says whose texts are under one table.

    Each client makes its own (`user`), or one for each conversation (`pair`); or the vendor makes one for `everybody`.
    """

    name = "key-table"
    title = "Timed key table, opened by the vendor"
    source = Source("Ozzie", "US 10,644,886; US 10,826,701", 2020, "claim 1", "bytes, labels, the sealing")
    sealed_facts = (SealedFact("SlotKey", unnamed="the vendor proves nothing: a wrong key just opens no text"),)
    device = TableDevice
    authority = TableAuthority
    days: int = 1
    slots: int = 31
    scope: Scope = "user"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.days < 1 or not 1 <= self.slots <= MOST_SLOTS:
            raise ValueError(f"days={self.days}, slots={self.slots}: days >= 1, 1 <= slots <= {MOST_SLOTS}")

    @property
    def claim(self) -> Claim:
        """The vendor opens everything; the authority reads what its warrants cover, in whole slots."""
        return Claim(
            words="The vendor can open every table, and so every text. It hands out the keys of the days that a warrant"
            f" covers, so the authority reads whole slots ({self.slot}). A client has the keys of its coming slots.",
            section="US 10,644,886, claim 1",
            grants=(
                *DEVICES,
                Grant("device", "of the holder's own user"),
                Grant("vendor", "everything"),
                Grant("authority", "in scope of a served warrant", slot=self.slot),
            ),
            access="in scope",
            sources=(
                Quotation(
                    "decrypting, by the vendor or an affiliate of the vendor, the encrypted timed key table and"
                    " transmitting a subset of the decrypted timed key table to the party seeking access, the subset"
                    " being valid for a specific duration",
                    "Ozzie, US 10,644,886, 2020",
                    "claim 1",
                ),
                Quotation(
                    "storing archival copies of the timed key table within enterprise environments",
                    "Ozzie, US 10,826,701, 2020",
                    "claim 1",
                ),
            ),
            model=(CLASSICAL, ONE_THEFT),
            choices=(
                Choice("clients erase the keys of slots that are over", favours=True),
                Choice(
                    "the vendor compares the labels with those under the slot's key before it answers", favours=True
                ),
                *self._choice_of_scope,
                Choice("there is one vendor, and the authority keeps the keys that it was given", favours=False),
                *EVASIONS,
                ONE_COURT,
            ),
        )

    @property
    def _choice_of_scope(self) -> tuple[Choice, ...]:
        words = f"one table serves everybody, and clients send nothing after its {self.slots} slots"
        return (Choice(words, favours=False),) if self.scope == "everybody" else ()

    @property
    def slot(self) -> KeySlot:
        """What one key of a table opens."""
        of: dict[Scope, Literal["device", "pair", "everybody"]] = {"user": "device", "pair": "pair"}
        return KeySlot(self.days, of.get(self.scope, "everybody"))

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the vendor and the parties of plain; everybody's table is dealt here."""
        form = TableForm(self.days, self.slots)
        with crypto.acting("vendor"):
            made = new_private()
            tables = {"": new_table(made.public, form, 0)} if self.scope == "everybody" else {}
        yield TableVendor("vendor", VendorKey(made.public, made.raw, court, form))
        for party in super().cast(users, court):
            if isinstance(party, TableDevice):
                party.vendor, party.form, party.scope, party.tables = made.public, form, self.scope, dict(tables)
            yield party

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Get the key of each slot that the warrant covers, once, and yield the texts that it covers."""
        authority = of_kind(authority, TableAuthority)
        for intercept, field in wanted(authority, warrant, intercepted, TableField):
            try:
                slot = self._key(authority, wire, warrant, field)
                key = unwrap(field, slot)
            except EscrowError as error:
                wire.complain(authority.name, error)
                continue
            if slot not in authority.keys:  # kept only after it opened a wrap: a wrong one is asked for again
                authority.keys.append(slot)
            opened = list(open_intercepted(authority, intercept, key))
            if not opened:
                wire.complain(authority.name, Forged("the key that the field holds opens no message"))
            yield from opened

    def _key(self, authority: TableAuthority, wire: Wire, warrant: Warrant, field: TableField) -> SlotKey:
        """Return the key of a field's slot, kept from before or asked for."""
        wanted = (field.name, field.slot)
        if kept := next((key for key in authority.keys if (key.table, key.slot) == wanted), None):
            return kept
        try:
            answer = authority.ask(wire, "vendor", warrant, field)
            key = open_slot_key(answer, authority.key.agreement)
            if (key.table, key.slot) != wanted:
                raise Forged("the vendor gave the key of another slot")
        except EscrowError as error:
            wire.complain("vendor", error)
            raise
        return key


SCHEME = KeyTable()

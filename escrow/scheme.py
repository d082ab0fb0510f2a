"""A lawful-access scheme: a delta on plain end-to-end encryption, and the paper's claim as data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Literal, TypeVar

import msgspec

from escrow import codec, crypto
from escrow.codec import Fact, Public
from escrow.derivation import honest_only
from escrow.e2ee.content import Text
from escrow.e2ee.device import Device, new_devices
from escrow.e2ee.provider import Mail, Provider
from escrow.e2ee.ratchet import Message, MessageKey, Plaintext, open_message
from escrow.e2ee.sender_keys import SenderMessage, open_sender_message
from escrow.errors import Forged, Malformed, Refused
from escrow.grants import Claim as Claim
from escrow.grants import Grant as Grant
from escrow.grants import checked as checked
from escrow.principal import Principal
from escrow.warrant import Authority, AuthorityKey, Warrant
from escrow.wire import Wire

# A plus joins two names to a conversation, an at-sign a name to a day, a comma names to a list; a spreadsheet computes
# a cell that begins with = + - or @.
# `network` is whoever listens: what everybody hears would be that party's alone, and what it has everybody's.
_NAME = re.compile(r"(?!network$)\w(?:[\w.-]| (?=[\w.-])){0,63}")
NAMES_HAVE = (
    "names have 1 to 64 letters, digits, _ . - and single spaces, begin with a letter, a digit or _, have no letters"
    " that look like others, and are not `network`"
)
SET_UP = -1  # the number of the evening after `Scheme.setup`, before day 0


def is_name(name: str) -> bool:
    """Return whether a user, a device, a group or another party may be called so.

    Of letters that look alike one is allowed: none that Unicode's NFKC replaces, none that is not seen, and no Latin
    letters together with those of another alphabet. (Whole words may look alike all the same.)
    """
    letters = [unicodedata.name(each, "") for each in name if each.isalpha()]
    latin = {each.startswith("LATIN ") for each in letters}
    seen = len(latin) < 2 and not any("FILLER" in each for each in letters)
    return bool(_NAME.fullmatch(name)) and seen and unicodedata.normalize("NFKC", name) == name


class User(msgspec.Struct, frozen=True):
    """A person and the names of their devices."""

    name: str
    devices: tuple[str, ...]


class Source(msgspec.Struct, frozen=True):
    """The publication of a scheme or attack, and the part that is meant; `modelled` names what was never published."""

    author: str
    title: str
    year: int
    section: str
    modelled: str = ""


class RequestSubject(Fact, frozen=True):
    """Base of the subject of a request to an official: `people`, of whom an order must name one, and a `day`."""

    @property
    def people(self) -> tuple[str, ...]:
        """The users whom it is about."""
        raise NotImplementedError(f"{type(self).__name__} says nothing of people")

    @property
    def day(self) -> int:
        """The day that it is about."""
        raise NotImplementedError(f"{type(self).__name__} says nothing of a day")


class AccessField(RequestSubject, frozen=True):
    """Base of every access field: the message that it is for, the users of the conversation, and the day."""

    chain: Public
    n: int
    people: tuple[str, ...]
    day: int


class Identified(Fact, frozen=True):
    """Base of facts that name the maker of an access field, by chain and number, and tell nothing of the text."""

    chain: Public
    n: int


A = TypeVar("A", bound=AccessField)


class Intercept(msgspec.Struct, frozen=True):
    """A mail as the network heard it, with its ciphertext read once for each session that it may belong to."""

    day: int
    mail: Mail
    ciphertexts: tuple[Message, ...] | tuple[SenderMessage, ...]


class SealedFact(msgspec.Struct, frozen=True):
    """The consequence of a lie in a kind of fact (by its class's name) that a party seals for another.

    `named` is a regular expression of the complaint that names the liar, `{0}` standing for its name; or `unnamed` says
    why no one can be blamed.
    """

    kind: str
    named: str = ""
    unnamed: str = ""


class Overheard(msgspec.Struct, frozen=True):
    """Packets of these types (by name) that may tell the network whom a warrant is about, and the reason.

    `warrants`: they may even carry the warrant in the clear.
    """

    kinds: tuple[str, ...]
    reason: str
    warrants: bool = False


class Alias(msgspec.Struct, frozen=True):
    """Secret bytes of a kind of fact (by its class's name) that also lie in states of others, under another type.

    `holder` is a pattern of their names, as in `Grant`. What opens texts beyond the rules counts, declared or not.
    """

    kind: str
    holder: str
    reason: str


class Finding(msgspec.Struct, frozen=True):
    """A sentence for README's findings, declared by the scheme or attack that it is about.

    The numbers are fields of the cells of `attack`, in braces behind the name of a scheme: "{plain.exposed.total} of
    {plain.sent} texts". `place` puts the findings in order. Where one of `holds` is not true, a report leaves the
    sentence out: each compares two fields, or a field and a number ("plain.exposed.total > 0", with =, < or >).
    """

    place: int
    attack: str
    sentence: str
    holds: tuple[str, ...] = ()


Voucher = Literal["a user's first device", "a group's maker"]


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every scheme; its fields are the scheme's parameters. The base itself is plain end-to-end encryption.

    With `committing` all clients seal texts with CTX (key commitment): whatever key an access field carries, a text
    opens under its own only. The default is AES-GCM: the Double Ratchet, section 5.2, asks for no commitment.

    `seedable` is empty, or says why the same seed does not give the same bytes: another library draws them. A replay of
    its evidence then counts the facts that it does not find. `sealed_facts` say of each kind of fact
    that a party seals for another whether a lie in it is blamed on the liar. `all_needed` is empty, or says why one
    official without a usable key ends the set-up. `vouchers` says whose devices vouch for others: a user's first device
    for the user's others, or a group's maker for its members; who signs nothing cuts these off, as who unlinks or
    removes them would. `in_pages`: README's table shows the scheme, and README its `findings`. A class made from this
    one does not inherit either. `family` says in two or three words where the way in is; schemes of one family stand
    together in a report. `options` are parameters that any scheme of a kind has, or that came later; results and proofs
    name them only where they differ from their defaults. `overheard` says from which packets the network may learn
    whom a warrant is about, and why. `aliases` say which secrets lie under another type too, and why.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[Source]
    seedable: ClassVar[str] = ""
    sealed_facts: ClassVar[tuple[SealedFact, ...]] = ()
    all_needed: ClassVar[str] = ""
    in_pages: ClassVar[bool] = False
    family: ClassVar[str] = ""
    options: ClassVar[tuple[str, ...]] = ("committing",)
    findings: ClassVar[tuple[Finding, ...]] = ()
    overheard: ClassVar[tuple[Overheard, ...]] = ()
    aliases: ClassVar[tuple[Alias, ...]] = ()
    committing: bool = False
    device: ClassVar[type[Device]] = Device
    provider: ClassVar[type[Provider]] = Provider
    authority: ClassVar[type[Authority]] = Authority

    @property
    def claim(self) -> Claim:
        """The paper's claim as data, for these parameters."""
        raise NotImplementedError(f"{type(self).__name__} claims nothing")

    @property
    def opens_fields(self) -> bool:
        """Whether the claim promises that the lawful access opens each text by the access field beside it."""
        return self.claim.access == "in scope"

    @property
    def vouchers(self) -> tuple[Voucher, ...]:
        """Whose devices vouch for what others are sent."""
        return ()

    @property
    def missing(self) -> str:
        """Why it cannot be played here, such as a package that is not installed; "" if it can."""
        return ""

    def parameter_types(self) -> dict[str, Any]:
        """Return the types of the parameters, by name: those of the struct's fields, unless some choose a class."""
        return {field.name: field.type for field in msgspec.structs.fields(self)}

    def parameter_values(self) -> dict[str, Any]:
        """Return the values of the parameters, by name."""
        return msgspec.structs.asdict(self)

    def usual(self) -> Scheme:
        """Return the scheme with its usual parameters: itself, if some parameter has no usual value."""
        return self if any(field.required for field in msgspec.structs.fields(self)) else type(self)()

    def replaced(self, **chosen: Any) -> Scheme:
        """Return the scheme with these parameters and its other ones. Raise ValueError if they do not go together."""
        return msgspec.structs.replace(self, **chosen)

    def cast(self, users: Iterable[User], court: bytes) -> Iterable[Principal]:
        """Return the parties, each with its own keys.

        Args:
            users: the users and their devices' names.
            court: the court's Ed25519 public key, 32 bytes.
        """
        users = list(users)
        yield self.provider("provider", accounts={name: user.name for user in users for name in user.devices})
        with crypto.acting("authority"):
            yield self.authority("authority", key=crypto.new_signing_key(AuthorityKey))
        for user in users:
            yield from new_devices(self.device, user.name, user.devices, committing=self.committing)

    def equipped(self, party: Principal) -> Principal:
        """Return a party of the cast as it takes part: itself, or one with the same data that does more."""
        return party

    def setup(self, wire: Wire) -> None:
        """Exchange the messages that are needed before the first day: dealing, key generation, publishing."""

    def each_day(self, wire: Wire, day: int) -> None:
        """Do what happens every morning: rotate, refresh, erase, expire."""

    def serve(self, authority: Authority, wire: Wire, warrant: Warrant) -> None:
        """Do what the authority must do at once when it is handed a warrant."""

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Run the public recipe of lawful access, with the authority's key only.

        Args:
            authority: the party that asks.
            wire: the wire to the officials.
            warrant: the warrant under which it asks.
            intercepted: the mail that the network heard.

        Returns:
            The bodies of the texts that it opens.
        """
        return iter(())

    def attributions(self, authority: Authority) -> Iterator[tuple[bytes, str]]:
        """Yield who sent what, as the authority found out: the SHA-256 (32 bytes) of a mail's body, and a user.

        Framing is measured by these; a scheme whose fields name nobody has none.
        """
        return iter(())


def wanted(
    authority: Authority, warrant: Warrant, intercepted: Iterable[Intercept], kind: type[A]
) -> Iterator[tuple[Intercept, A]]:
    """Yield the intercepted mail whose access field the warrant covers; a corrupted authority wants all of it.

    Args:
        authority: the party that asks.
        warrant: the warrant that must cover a field's people and day.
        intercepted: the mail that the network heard.
        kind: the scheme's type of access field; mail with other bytes is skipped.
    """
    for intercept in intercepted:
        try:
            field = codec.decode(intercept.mail.field, kind)
            authority.insist(warrant.order.covers(field.people, field.day), "the warrant covers what is asked for")
        except (Malformed, Refused):
            continue
        yield intercept, field


@honest_only("what an authority does with a key that it was given")
def open_intercepted(authority: Authority, intercept: Intercept, key: MessageKey) -> Iterator[bytes]:
    """Yield the text of an intercepted ciphertext under a message key; nothing if the key does not open it.

    The text is added to the authority's archive.

    Args:
        authority: the party whose archive grows.
        intercept: the mail, read once for each possible session.
        key: the message key that the lawful access gave.
    """
    for ciphertext in intercept.ciphertexts:
        try:
            said = codec.decode(_open(ciphertext, key).body, Text)
        except (Forged, Malformed):
            continue
        if said not in authority.archive:
            authority.archive.append(said)
        yield said.body
        return


def _open(ciphertext: Message | SenderMessage, key: MessageKey) -> Plaintext:
    if isinstance(ciphertext, Message):
        return open_message(ciphertext, key)
    return open_sender_message(ciphertext, key)

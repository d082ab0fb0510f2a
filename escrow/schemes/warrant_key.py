"""Warrants as keys: a text is sealed to a tag of user and epoch, and the judges' signature of the tag opens it.

  set-up   a BLS key in shares: judge i holds x_i, every client the judges' public key P
  send     K drawn (16 bytes);  IBE.Seal(P, tag; K) for the tag of each person of the conversation;  AES-GCM(K; k)
  access   judge --(warrant, tag)--> its part of the signature on the tag;  t parts give the signature, which opens
           everything that was or will be sealed to the tag, for whoever has it
  weak     t judges together sign any tag, without trace; a tag has no end, and no scope but its own

Source: Boneh and Franklin, CRYPTO 2001 (encryption to names); Gailly, Melissaris and Romailler, "tlock", ePrint
2023/189 (a threshold signature is the key), whose bytes the seals have. No source proposes it for warrants: tags and
judges are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Literal

from escrow import codec, crypto
from escrow.codec import Fact, Public
from escrow.crypto import Private, open_sealed, random_bytes, seal, sha256
from escrow.derivation import Checks, Guard, derivation, service, threshold
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Refused
from escrow.grants import Choice, Claim, Grant, KeySlot, Quotation
from escrow.primitives import bls12_381, ibe
from escrow.principal import Principal, of_kind
from escrow.scheme import AccessField, Intercept, RequestSubject, SealedFact, Source, User, open_intercepted, wanted
from escrow.schemes.plain import CLASSICAL, DEVICES, EVASIONS, ONE_COURT, ONE_THEFT, FieldScheme
from escrow.sharing import bls
from escrow.sharing.bls import BlsGroup, BlsKey, BlsShare, combine_shares
from escrow.sharing.parts import choose
from escrow.warrant import Answer, Authority, Official, Warrant, open_answer, promises
from escrow.wire import Wire

MOST_JUDGES = 100
FILE_KEY = 16  # bytes, as tlock seals them
EVER = 1_000_000  # the last day of a tag without an end
Granularity = Literal["user and epoch", "user", "epoch"]


class WarrantTag(RequestSubject, frozen=True, dict=True):
    """What judges sign: a user ("" stands for everybody) and the first and last day of an epoch."""

    user: str
    first: int
    last: int

    @property
    def people(self) -> tuple[str, ...]:
        """The user, or nobody in particular."""
        return (self.user,) if self.user else ()

    @property
    def day(self) -> int:
        """The first day."""
        return self.first

    @cached_property
    def name(self) -> bytes:
        """The tag as a name to encrypt to: the hash of its canonical encoding, 32 bytes."""
        return sha256(b"escrow-lab warrant tag", codec.encode((self.user, self.first, self.last)))


class Tagging(Fact, frozen=True):
    """How tags are made, which everybody knows: granularity, and the length of an epoch in days (0: without an end)."""

    granularity: Granularity
    days: int

    def of(self, user: str, day: int) -> WarrantTag:
        """Return the tag of a user on a day."""
        first = day - day % self.days if self.days else 0
        last = first + self.days - 1 if self.days else EVER
        named = "" if self.granularity == "epoch" else user
        return WarrantTag(named, 0, EVER) if self.granularity == "user" else WarrantTag(named, first, last)

    def has(self, tag: WarrantTag) -> bool:
        """Return whether a tag is of this form."""
        return tag == self.of(tag.user, tag.first) and bool(tag.user) == (self.granularity != "epoch")


class JudgeShare(BlsShare, frozen=True, dict=True):
    """A judge's share, the public key (32 bytes) of the court whose warrants it honours, and the form of tags."""

    court: Public
    tagging: Tagging


class TagPart(Fact, frozen=True):
    """One judge's part of the signature on a tag (48 bytes): t of them give the signature."""

    group: Public
    tag: Public
    index: int
    value: bytes


class TagKey(Fact, frozen=True):
    """The judges' signature on a tag (48 bytes): the key of everything that is sealed to it."""

    tag: Public
    value: bytes


class TagCapsule(Fact, frozen=True):
    """A file key (16 bytes) sealed to a tag, 128 bytes: U ‖ V ‖ W of `escrow.primitives.ibe`."""

    tag: WarrantTag
    sealed: Public


class FileKey(Fact, frozen=True):
    """The key (16 bytes) that a field's capsules hold, and its hash (32 bytes), by which it is known."""

    commitment: Public
    value: bytes


class TagField(AccessField, frozen=True):
    """The message key (32 bytes) under a file key: 48 bytes, a hash of 32, and a capsule for each tag."""

    header: Public
    commitment: Public
    capsules: tuple[TagCapsule, ...]
    wrapped: Public

    def context(self) -> bytes:
        """Return everything that the field says about the message, to which the wrap is bound."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.header, self.commitment, self.capsules))


def _committed(value: bytes) -> bytes:
    return sha256(b"escrow-lab file key", value)


def _part_fits(of: BlsGroup, part: TagPart) -> bool:
    return part.group == of.name and bls.part_fits(of, part.index, part.tag, part.value)


@derivation("any share, any tag", pool=combine_shares, group="share.group, tag.name")
def sign_part(share: BlsShare, tag: Guard[WarrantTag]) -> TagPart:
    """Return a judge's part of the signature on a tag. Raise Forged if the share is not a scalar."""
    return TagPart(share.group, tag.name, share.index, bls.signed(share.raw, tag.name))


@derivation("any key, any tag")
def sign_tag(key: BlsKey, tag: Guard[WarrantTag]) -> TagKey:
    """Return the signature on a tag, by the whole key."""
    return TagKey(tag.name, bls.signed(key.raw, tag.name))


@threshold("group.name = parts.group", t="group.t", member="parts.index", by="group, tag", verify=_part_fits)
def combine_parts(group: Guard[BlsGroup], parts: tuple[TagPart, ...]) -> TagKey:
    """Return the signature on a tag, from any t judges' parts that fit. Raise Forged for parts of several tags."""
    if len(tags := {part.tag for part in parts}) != 1:
        raise Forged("parts of no tag, or of several")
    chosen = choose(group.t, parts, lambda part: "" if _part_fits(group, part) else "its part does not verify")
    return TagKey(tags.pop(), bls.whole_signature({index: part.value for index, part in chosen.items()}))


@derivation("capsule.tag.name = key.tag")
def open_capsule(capsule: TagCapsule, key: TagKey) -> FileKey:
    """Return the file key. Raise Forged if the capsule was changed, or is another tag's."""
    value = ibe.open_(key.value, capsule.sealed)
    return FileKey(_committed(value), value)


@derivation("field.commitment = key.commitment")
def unwrap(field: TagField, key: FileKey) -> MessageKey:
    """Return the message key. Raise Forged if the labels were changed, or the file key is another field's."""
    if field.commitment != key.commitment:
        raise Forged("the file key of another field")
    return MessageKey(field.chain, field.n, open_sealed(key.value, field.wrapped, field.context()))


@service(sign_part, holder="share")
def judge_checks(share: JudgeShare, warrant: Warrant, tag: WarrantTag) -> Checks:
    """Yield what each judge promises to check: a tag is signed if the warrant covers one of its days, and its user."""
    order = warrant.order
    nearest = max(tag.first, min(order.first, tag.last))  # the tag's day nearest to the warrant's first day
    yield from promises(share.court, warrant, tag.people or (order.target,), nearest)
    yield "the tag is of the form that texts are sealed to", share.tagging.has(tag)


@derivation("answer.to = key.public")
def open_part(answer: Answer, key: Private) -> TagPart:
    """Return a part of a signature from a judge's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, TagPart)


class TagDevice(device.Device):
    """A device whose client seals each message key to the tags of all people of the conversation."""

    group: BlsGroup | None = None
    tagging: Tagging = Tagging("user and epoch", 1)

    def access_field(self, key: MessageKey, context: FieldContext) -> TagField:
        """Return the message key under a fresh file key, which is sealed to each tag."""
        if self.group is None:
            raise Refused(self.name, "no judges' key is known")
        inner = random_bytes(FILE_KEY)
        tags = dict.fromkeys(self.tagging.of(user, context.day) for user in context.people)
        capsules = tuple(TagCapsule(tag, ibe.seal(self.group.key, tag.name, inner)) for tag in tags)
        labels = (key.chain, key.n, context.people, context.day, sha256(context.header), _committed(inner), capsules)
        return TagField(*labels, seal(inner, key.value, TagField(*labels, b"").context()))


class TagAuthority(Authority):
    """An authority that keeps the tags that were signed for it."""

    group: BlsGroup | None = None
    tagging: Tagging = Tagging("user and epoch", 1)
    keys: list[TagKey] = []


class TagJudge(Official):
    """A judge: it signs tags that a warrant covers. It knows the `group` of judges, as whoever robs t of them does."""

    share: JudgeShare
    group: BlsGroup | None = None

    promise = judge_checks

    def held(self, subject: WarrantTag) -> JudgeShare:
        """Return this judge's share."""
        return self.share


class WarrantKey(FieldScheme, frozen=True, kw_only=True):
    """`t` of `n` judges; `tag` is what they sign, with epochs of `days` days (0: without an end)."""

    name = "warrant-key"
    title = "A warrant is a key: t of n judges sign a tag"
    source = Source(
        "Boneh and Franklin; Gailly, Melissaris and Romailler",
        "Identity-based encryption from the Weil pairing; tlock",
        2023,
        "decryption by a threshold signature",
        "warrants, tags, judges",
    )
    sealed_facts = (SealedFact("TagPart", named="wrong part of {}"),)
    family = "Sealed to a warrant"
    device = TagDevice
    authority = TagAuthority
    t: int = 2
    n: int = 3
    tag: Granularity = "user and epoch"
    days: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.t <= self.n <= MOST_JUDGES:
            raise ValueError(f"t={self.t} of n={self.n} judges: 1 <= t <= n <= {MOST_JUDGES}")
        if self.days < 0:
            raise ValueError(f"days={self.days}: an epoch has one day or more, or no end (0)")
        if self.tag == "epoch" and not self.days:
            raise ValueError("a tag of everybody without an end is one key for everything: give epochs some days")

    @property
    def missing(self) -> str:
        """Why it cannot be played here: the arithmetic comes with an extra."""
        return bls12_381.missing()

    @property
    def claim(self) -> Claim:
        """Any t judges open everything; the authority reads what its warrants cover, in whole tags."""
        return Claim(
            words=f"Any {self.t} of {self.n} judges together open every text, and nothing shows it; fewer learn"
            " nothing. Whoever has a signed tag opens everything that was or will be sealed to it, so the authority"
            f" reads what its warrants cover, in whole tags ({self._said}).",
            section="tlock, decryption; no source that was read proposes it for warrants",
            grants=(
                *DEVICES,
                Grant("judge-*", "everything", self.t),
                Grant("authority", "in scope of a served warrant", slot=self._slot),
            ),
            access="in scope",
            sources=(
                Quotation(
                    "Given the drand network will not release that randomness until the clock time has been reached"
                    " (unless somehow a threshold of malicious nodes join the network and work together), this provides"
                    " us accurate timelock encryption",
                    "drand, documentation",
                    "on timelock encryption",
                ),
                Quotation(
                    "a ciphertext is guaranteed to be decrypted only after a specified amount of time has passed or a"
                    " date has been reached.",
                    "Gailly, Melissaris and Romailler, tlock, 2023",
                    "abstract",
                ),
            ),
            model=(CLASSICAL, ONE_THEFT),
            choices=(
                Choice(
                    "the judges' key is dealt once by somebody who forgets it; drand's is made jointly", favours=True
                ),
                Choice(
                    "a text is sealed to the tag of everybody in it, so that no sender knows a target", favours=True
                ),
                Choice(
                    "the authority keeps signed tags, and a judge signs a tag if one day of it is covered",
                    favours=False,
                ),
                *EVASIONS,
                ONE_COURT,
            ),
        )

    @property
    def _slot(self) -> KeySlot:
        if self.tag == "user":
            return KeySlot(0, "target")
        return KeySlot(self.days, "everybody" if self.tag == "epoch" else "target")

    @property
    def _said(self) -> str:
        epoch = f"{self.days} days" if self.days > 1 else "one day" if self.days else "without an end"
        return {"user and epoch": f"a user, {epoch}", "user": "a user, for ever", "epoch": f"everybody, {epoch}"}[
            self.tag
        ]

    @property
    def judges(self) -> tuple[str, ...]:
        """The names of the judges."""
        return tuple(f"judge-{i}" for i in range(1, self.n + 1))

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the judges and the parties of plain, who know the judges' public key."""
        tagging = Tagging(self.tag, self.days)
        with crypto.acting("dealer"):
            group, shares = bls.deal(self.t, self.n)
        for name, share in zip(self.judges, shares, strict=True):
            yield TagJudge(name, JudgeShare(share.group, share.index, share.raw, court, tagging), group)
        for party in super().cast(users, court):
            if isinstance(party, TagDevice | TagAuthority):
                party.group, party.tagging = group, tagging
            yield party

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Get the signature of each tag that the warrant covers, once, and yield the texts that it opens."""
        authority = of_kind(authority, TagAuthority)
        target = warrant.order.target
        for intercept, field in wanted(authority, warrant, intercepted, TagField):
            # If a sender writes several capsules for one tag, the first of them counts.
            for capsule in {each.tag: each for each in reversed(field.capsules)}.values():
                if not self._concerns(authority, capsule.tag, target, field.day):
                    continue
                try:
                    key = unwrap(field, open_capsule(capsule, self._key(authority, wire, warrant, capsule.tag)))
                except EscrowError as error:
                    wire.complain(authority.name, error)
                    continue
                yield from open_intercepted(authority, intercept, key)
                break
            else:
                wire.complain(
                    authority.name, Forged(f"beside {intercept.mail.sender}'s mail: nothing for the tag of {target}")
                )

    def _concerns(self, authority: TagAuthority, tag: WarrantTag, target: str, day: int) -> bool:
        """Return whether the authority asks for this tag: a corrupted one asks for any."""
        try:
            authority.insist(tag == authority.tagging.of(target, day), "the tag is the target's, of that day")
        except Refused:
            return False
        return True

    def _key(self, authority: TagAuthority, wire: Wire, warrant: Warrant, tag: WarrantTag) -> TagKey:
        """Return the signature on a tag, kept from before or made of t parts; the maker of a wrong one is blamed.

        All judges are asked, in one order: one that cannot answer is named, and the order tells nothing of the tag.
        """
        if kept := next((key for key in authority.keys if key.tag == tag.name), None):
            return kept
        if (group := authority.group) is None:
            raise Refused(authority.name, "no judges' key is known")

        def fits(index: int, part: TagPart) -> bool:
            return (part.index, part.tag) == (index, tag.name) and _part_fits(group, part)

        judges = enumerate(self.judges, 1)
        key = combine_parts(group, tuple(authority.gather(wire, warrant, tag, judges, open_part, fits, "part")))
        authority.keys.append(key)
        return key


SCHEME = WarrantKey()

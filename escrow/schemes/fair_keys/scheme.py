"""Fair keys: every user splits a long-term key of her own among trustees, and a centre certifies its public half.

  commit   centre: B, tells its hash                                  (failsafe; without it, B = 0)
  split    user: A = f(0), f(i) to trustee i, commitments to all (Feldman); trustees verify and approve
  certify  centre: all approved; reveals B; the fair key is Y = [A + B]G, trustee i holds f(i) + B
  read     everybody: Y - [B]G and the hash of B are what all trustees approved; the centre alone makes no certificate
  send     R = [r]G; for each user of the conversation w = Seal(H([r]Y, c), k'; c);  Seal(k', k; c, all w)
  access   on a warrant about a user, each trustee hands over its share of that user's key; t of them give A + B
  weak     one warrant gives a user's key forever: it opens all that was and will be sent to or by that user

The user chooses A alone. That serves a user who distrusts the state's randomness, and one who wants to hide bits in Y:
she can try many A until [A]G has the wanted bits. With B, committed to before [A]G is known and revealed after, no one
chooses a bit of Y. Here a user has no use for the key, since the ratchet opens her mail, and forgets it once dealt.
Source: Micali, "Fair Public-Key Cryptosystems", CRYPTO '92 (t of n by verifiable secret sharing); Kilian and Leighton,
"Fair Cryptosystems, Revisited", CRYPTO '95: the failsafe protocol, after Schneier, Applied Cryptography, section 23.10.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import ClassVar

from escrow import codec, crypto
from escrow.codec import Public
from escrow.crypto import Private, new_private, open_sealed, seal, sha256
from escrow.derivation import Checks, Guard, derivation, service
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Forged, Refused
from escrow.grants import Claim
from escrow.primitives import group
from escrow.principal import Principal, of_kind
from escrow.scheme import (
    AccessField,
    Finding,
    Intercept,
    SealedFact,
    Source,
    User,
    open_intercepted,
    wanted,
)
from escrow.schemes.fair_keys import micali, registration
from escrow.schemes.fair_keys.registration import Certificate, Directory, TrusteeShare, certificates
from escrow.schemes.plain import FieldScheme
from escrow.sharing import elgamal, feldman
from escrow.sharing.elgamal import Capsule, EscrowKey, KeyShare, Opened
from escrow.warrant import (
    Answer,
    Authority,
    Official,
    Warrant,
    open_answer,
)
from escrow.wire import Wire

MOST_TRUSTEES = 100


class FairField(AccessField, frozen=True):
    """A message key for the holders of several fair keys.

    R (33 bytes) towards each, and for each a key (48 bytes) that opens `sealed` (48 bytes).
    """

    header: Public
    capsules: tuple[Capsule, ...]
    wraps: tuple[Public, ...]
    sealed: Public

    @property
    def point(self) -> bytes:
        """The point R, the same for all."""
        return self.capsules[0].point if self.capsules else b""

    def context(self) -> bytes:
        """Return everything that the field says about the message, to which the seals are bound."""
        return codec.encode((self.chain, self.n, self.people, self.day, self.header, self.capsules))


@derivation("field.point = opened.point")
def unwrap(field: FairField, opened: Opened) -> MessageKey:
    """Return the message key. Raise Forged if the shared point is another's, or any part of the field was changed."""
    groups = [capsule.group for capsule in field.capsules]
    if opened.group not in groups or len(groups) != len(field.wraps):
        raise Forged("a field that is sealed to others")
    context, wrap = field.context(), field.wraps[groups.index(opened.group)]
    inner = open_sealed(sha256(opened.value, context), wrap, context)
    value = open_sealed(inner, field.sealed, sha256(context, *field.wraps))
    return MessageKey(field.chain, field.n, value)


@derivation("share.group = certificate.group.name")
def release(share: TrusteeShare, certificate: Guard[Certificate]) -> KeyShare:
    """Return a trustee's share of the key that is certified."""
    return KeyShare(share.group, share.index, share.raw)


@service(release, holder="share")
def trustee_checks(share: TrusteeShare, warrant: Warrant, certificate: Certificate) -> Checks:
    """Yield what each trustee promises to check before it gives its share of a user's key. A key has no window."""
    yield "court's signature", warrant.signed_by(share.court)
    yield "target", warrant.order.target == share.user
    yield "scope", warrant.order.opens_content


@derivation("answer.to = key.public")
def open_share(answer: Answer, key: Private) -> KeyShare:
    """Return a share of a user's key from a trustee's answer. Raise Forged if the authority's key does not open it."""
    return open_answer(answer, key, KeyShare)


# --- who takes part ---


class Trustee(Official, registration.Holder):
    """A trustee: on a warrant about a user it gives its share of that user's key."""

    promise = trustee_checks

    def held(self, subject: Certificate) -> TrusteeShare:
        """Return the share of the certified key. Raise Refused if there is none."""
        share = next((each for each in self.shares if each.group == subject.group.name), None)
        if share is None:
            raise Refused(self.name, "it holds no share of that key")
        return share

    def timely(self, warrant: Warrant, day: int) -> Checks:
        """Yield the checks on the day of the request: a key is not released before the days that the warrant covers."""
        yield from super().timely(warrant, day)
        yield "the days that the warrant covers have begun", warrant.order.first <= day


class FairDevice(device.Device):
    """A device that seals each message key to the fair key of every user of the conversation."""

    centre: Public = b""
    t: int = 0
    trustees: tuple[Public, ...] = ()
    certificates: dict[str, Certificate] = {}

    def choose(self, t: int, n: int) -> tuple[list[int], tuple[bytes, ...]]:
        """Return the user's own choice: shares of A for n trustees, and the commitments."""
        return feldman.deal(group.random_scalar(), t, n)

    def register(self, wire: Wire, trustees: Sequence[tuple[str, bytes]], t: int) -> None:
        """Split a key among trustees (name, transport key), have it certified, and keep the certificate."""

        def choose() -> tuple[list[int], tuple[bytes, ...]]:
            return self.choose(t, len(trustees))

        told = registration.register(wire, self.user, self, trustees, choose, lambda packet: self.submit(wire, packet))
        self.certificates[self.user] = told

    def submit(self, wire: Wire, packet: registration.Submit) -> registration.Revealed:
        """Submit what is to be certified, and return the centre's answer."""
        return wire.ask(self.name, registration.CENTRE, packet, registration.Revealed)

    def on_directory(self, sender: str, packet: Directory, wire: Wire) -> None:
        """Keep all certificates of the centre's directory."""
        self.certificates = certificates(self, sender, packet)

    def access_field(self, key: MessageKey, context: FieldContext) -> FairField:
        """Return the message key, sealed to the fair key of every user of the conversation."""
        people = list(dict.fromkeys(context.people))
        if missing := [user for user in people if user not in self.certificates]:
            raise Refused(self.name, f"{missing[0]} has no certified key")
        r, inner = group.random_scalar(), crypto.random_bytes(32)
        point, groups = group.base(r), [self.certificates[user].group for user in people]
        capsules = tuple(Capsule(to.name, point) for to in groups)
        labels = (key.chain, key.n, context.people, context.day, sha256(context.header), capsules)
        bound = FairField(*labels, (), b"").context()
        wraps = tuple(seal(sha256(group.multiply(to.key, r), bound), inner, bound) for to in groups)
        return FairField(*labels, wraps, seal(inner, key.value, sha256(bound, *wraps)))


class FairAuthority(Authority):
    """An authority that keeps the users' keys that it was given."""

    centre: Public = b""
    t: int = 0
    trustees: tuple[Public, ...] = ()
    certificates: dict[str, Certificate] = {}
    keys: list[EscrowKey] = []

    def on_directory(self, sender: str, packet: Directory, wire: Wire) -> None:
        """Keep all certificates of the centre's directory."""
        self.certificates = certificates(self, sender, packet)


class FairKeys(FieldScheme, frozen=True, kw_only=True):
    """`t` of `n` trustees; `failsafe` adds the centre's share B, committed to before the user chooses."""

    name = "fair-keys"
    title = "Fair keys: users split their own, a centre certifies"
    source = Source(
        "Micali; Kilian and Leighton",
        "Fair Public-Key Cryptosystems; Fair Cryptosystems, Revisited",
        1992,
        "fair Diffie-Hellman; failsafe key escrow",
        "messages",
    )
    sealed_facts = (SealedFact("KeyShare", named="wrong share of {0}|{0}: share fits the user's commitments"),)
    all_needed = "a key is certified when all trustees have approved"
    in_pages = True
    family = "Keys in escrow"
    findings = (
        Finding(
            7,
            "warrant-misuse",
            "**Fair keys**: warrants cover {fair-keys.entitled} texts. The authority that was given their targets' "
            "keys reads {fair-keys.exposed.total}, because a key does not end when its warrant ends.",
            ("fair-keys.exposed.total > fair-keys.entitled",),
        ),
    )
    device = FairDevice
    authority = FairAuthority
    trustee: ClassVar[type[Trustee]] = Trustee
    centre: ClassVar[type[registration.Centre]] = registration.Centre
    t: int = 2
    n: int = 3
    failsafe: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.t <= self.n <= MOST_TRUSTEES:
            raise ValueError(f"t={self.t} of n={self.n} trustees: it must be 1 <= t <= n <= {MOST_TRUSTEES}")

    @property
    def claim(self) -> Claim:
        """Any t trustees open what is sealed to a user; the authority reads what its warrants cover."""
        return micali.claim(self.t, self.n, self.failsafe)

    @property
    def trustees(self) -> tuple[str, ...]:
        """The names of the trustees."""
        return tuple(f"trustee-{i}" for i in range(1, self.n + 1))

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of plain, the centre and the trustees."""
        users = list(users)
        accounts = {device: user.name for user in users for device in user.devices}
        with crypto.acting(registration.CENTRE):
            key = crypto.new_signing_key(registration.CentreKey)
        trustees = [self._trustee(index, court, key.public, accounts) for index in range(1, self.n + 1)]
        keys = tuple(each.key.public for each in trustees)
        yield self.centre(registration.CENTRE, key, keys, self.t, self.failsafe, accounts)
        yield from trustees
        for party in super().cast(users, court):
            if isinstance(party, FairDevice | FairAuthority):
                party.centre, party.t, party.trustees = key.public, self.t, keys
            yield party

    def _trustee(self, index: int, court: bytes, centre: bytes, accounts: dict[str, str]) -> Trustee:
        name = self.trustees[index - 1]
        with crypto.acting(name):
            key = crypto.new_signing_key(registration.TrusteeKey)
            return self.trustee(name, court, centre, key, new_private(), accounts, index, self.t, self.n)

    def setup(self, wire: Wire) -> None:
        """Register every user through their first device, then publish the directory to all.

        A user who cannot be registered is named, and stops nobody. Raise the error if it is so of all of them.
        """
        parties = wire.parties
        trustees = [(name, wire.party(name, Trustee).transport_key()) for name in self.trustees]
        tried: set[str] = set()
        certified, why = 0, EscrowError("there is no user")
        for party in parties.values():
            if isinstance(party, FairDevice) and party.user not in tried:
                tried.add(party.user)
                try:
                    with crypto.acting(party.name):
                        party.register(wire, trustees, self.t)
                    certified += 1
                except EscrowError as error:
                    wire.complain(party.name, error)
                    why = error
        if tried and not certified:
            raise why
        published = Directory(tuple(wire.party(registration.CENTRE, registration.Centre).certified))
        readers = [name for name, each in parties.items() if isinstance(each, FairDevice | FairAuthority | Trustee)]
        wire.announce(registration.CENTRE, readers, published)

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Get the target's key once from t trustees, and yield the texts that it opens."""
        authority = of_kind(authority, FairAuthority)
        certified = {each.group.name: each for each in authority.certificates.values()}
        if warrant.order.target not in authority.certificates:
            wire.complain(authority.name, Refused(authority.name, f"{warrant.order.target} has no certified key"))
        for intercept, field in wanted(authority, warrant, intercepted, FairField):
            shared = dict.fromkeys(each for each in field.capsules if each.point == field.point)
            for capsule in shared:  # a capsule with another R opens nothing: do not ask for its key
                certificate = certified.get(capsule.group)
                if certificate is None or not self._concerns(authority, warrant, certificate):
                    continue
                try:
                    opened = elgamal.decapsulate(self._key(authority, wire, warrant, certificate), capsule)
                    key = unwrap(field, opened)
                except EscrowError as error:
                    wire.complain(authority.name, error)
                    continue
                yield from open_intercepted(authority, intercept, key)
                break
            else:
                target = warrant.order.target
                wire.complain(
                    authority.name, Forged(f"beside {intercept.mail.sender}'s mail: nothing for {target}'s key")
                )

    def _concerns(self, authority: Authority, warrant: Warrant, certificate: Certificate) -> bool:
        """Return whether the authority asks for this key: a corrupted one asks for any."""
        try:
            authority.insist(certificate.user == warrant.order.target, "the key is the target's")
        except Refused:
            return False
        return True

    def _key(self, authority: FairAuthority, wire: Wire, warrant: Warrant, target: Certificate) -> EscrowKey:
        """Return the target's key.

        Kept from before, or combined from shares; a trustee with a wrong share is blamed.
        """
        if kept := next((key for key in authority.keys if key.group == target.group.name), None):
            return kept

        def fits(index: int, share: KeyShare) -> bool:
            return share.index == index and elgamal.share_fits(target.group, share)

        trustees = enumerate(self.trustees, 1)
        shares = authority.gather(wire, warrant, target, trustees, open_share, fits, "share")
        key = elgamal.combine_shares(target.group, tuple(islice(shares, self.t)))
        authority.keys.append(key)
        return key


SCHEME = FairKeys()

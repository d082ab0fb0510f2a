"""Schemes with deposited keys in which somebody else comes to a key, and sound ones beside them, of seven kinds.

Each says how the finding begins (`who`), what it names (`by`), and how many texts it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import xor

from escrow import codec, crypto, hkdf, random_bytes, sha256
from tests.support.deposits import LONG, Clerk, Coefficients, Deposit, DepositDevice, Seed

# --- keys made in methods and closures, round the rules ---


class ByMethod(Deposit, frozen=True, kw_only=True):
    """The clerk's seed gives every key, in a method."""

    name = "by-method"
    by = "Clerk.made_for"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        clerk.seed = Seed(random_bytes(32))
        return {user: clerk.made_for(user) for user in users}


def maker(seed: bytes) -> Callable[[str], bytes]:
    """Return what makes a user's key: a closure, which no mark can reach."""

    def make(user: str) -> bytes:
        return crypto.hmac256(sha256(seed, LONG), codec.encode({"user": user, "of": "keys"}))

    return make


class ByClosure(Deposit, frozen=True, kw_only=True):
    """The clerk's seed gives every key, in a nested function, by way of hashes over encoded labels."""

    name = "by-closure"
    by = "maker.<locals>.make"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        clerk.seed = Seed(random_bytes(32))
        make = maker(clerk.seed.value)
        return {user: make(user) for user in users}


class ByDrawing(Deposit, frozen=True, kw_only=True):
    """Sound: the seed gives what the clerk counts by, and keys are drawn."""

    name = "by-drawing"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        clerk.seed = Seed(random_bytes(32))
        clerk.kept = [clerk.made_for(user) for user in users]
        return super().keys(clerk, users)


# --- secrets of plain values, and constants ---

PEPPER = bytes.fromhex("8a6f3c1d5e7b9024688ace13579bdf02468ace13579bdf02468ace1357f02468")


class OfName(Deposit, frozen=True, kw_only=True):
    """A user's key follows from the user's name."""

    name = "of-name"
    told = "no secret is the same in every run"
    who = "nobody: "
    by = "key_of"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        return {user: key_of(user) for user in users}


def key_of(user: str) -> bytes:
    """Return a user's key: a secret of plain values."""
    return sha256(b"the key of", user.encode())


class OfNameAndLabel(Deposit, frozen=True, kw_only=True):
    """A user's key follows from the name, by two steps under a long label."""

    name = "of-name-and-label"
    told = "no secret is the same in every run"
    who = "nobody: "
    by = "OfNameAndLabel.keys"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        return {user: hkdf(LONG, key_of(user) * 3, codec.encode((user, 7, {"for": LONG})), 64)[8:40] for user in users}


class OfFourBytes(Deposit, frozen=True, kw_only=True):
    """A user's key follows from the name and from four bytes, which anybody tries."""

    name = "of-four-bytes"
    who = "nobody: "
    by = "OfFourBytes.keys"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        pin = random_bytes(4)
        return {user: hkdf(pin, key_of(user), LONG, 64)[8:40] for user in users}


class OfNameAndSecret(Deposit, frozen=True, kw_only=True):
    """Sound: the same, but for a secret that nobody keeps."""

    name = "of-name-and-secret"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        secret = random_bytes(32)
        return {user: hkdf(secret, key_of(user), LONG, 64)[8:40] for user in users}


class Constant(Deposit, frozen=True, kw_only=True):
    """One key for all, which stands in the client."""

    name = "constant"
    told = "no secret is the same in every run"
    who = "nobody: "
    by = "the same in every run"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        return dict.fromkeys(users, PEPPER)


class ConstantCut(Deposit, frozen=True, kw_only=True):
    """One key for all, cut out of what a constant in the client gives."""

    name = "constant-cut"
    told = "no secret is the same in every run"
    who = "nobody: "
    by = "ConstantCut.keys"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        return dict.fromkeys(users, hkdf(b"", PEPPER, LONG, 200)[100:132])


class ConstantSalt(Deposit, frozen=True, kw_only=True):
    """Sound: the constant is a salt."""

    name = "constant-salt"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        return {user: hkdf(PEPPER, random_bytes(32), codec.encode((user, LONG)), 64)[:32] for user in users}


# --- the custodian's keys under another type, or as somebody's coefficient ---


class Alias(Deposit, frozen=True, kw_only=True):
    """The clerk keeps every key as a name that it calls public."""

    name = "alias"
    by = "clerk's kept (DepositKey.value)"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        made = super().keys(clerk, users)
        clerk.kept = list(made.values())
        return made


class AliasOfSeed(Deposit, frozen=True, kw_only=True):
    """The clerk counts by one user's key."""

    name = "alias-of-seed"
    by = "clerk's seed.value (DepositKey.value)"
    texts = 4

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        made = super().keys(clerk, users)
        clerk.seed = Seed(next(iter(made.values())))
        return made


class AliasHashed(Deposit, frozen=True, kw_only=True):
    """Sound: the clerk keeps the hash of every key."""

    name = "alias-hashed"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        made = super().keys(clerk, users)
        clerk.kept = [sha256(value) for value in made.values()]
        return made


class Coefficient(Deposit, frozen=True, kw_only=True):
    """The clerk once dealt lines, and keeps the coefficients, the first of which are the keys."""

    name = "coefficient"
    by = "clerk's coefficients.values (DepositKey.value)"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        made = super().keys(clerk, users)
        clerk.coefficients = Coefficients(tuple(each for key in made.values() for each in (key, random_bytes(32))))
        return made


class Masked(Deposit, frozen=True, kw_only=True):
    """The clerk dealt the keys as sums, and keeps the mask and the sum."""

    name = "masked"
    by = "clerk's coefficients.values"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        made = super().keys(clerk, users)
        masks = {user: random_bytes(self.size) for user in made}
        sums = [crypto.xor_bytes(made[user], masks[user]) for user in made]
        clerk.coefficients = Coefficients((*masks.values(), *sums))
        return made


class MaskedOnly(Deposit, frozen=True, kw_only=True):
    """Sound: the clerk keeps the masks, and nobody the sums."""

    name = "masked-only"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        made = super().keys(clerk, users)
        masks = {user: random_bytes(self.size) for user in made}
        for user in made:
            crypto.xor_bytes(made[user], masks[user])
        clerk.coefficients = Coefficients(tuple(masks.values()))
        return made


# --- one key and nonce for several fields ---


class SealedOnceDevice(DepositDevice):
    """A client that takes every field for the first under its key."""

    def nonce(self) -> bytes:
        """Return the nonce of the next field."""
        return bytes(12)


class SealedOnce(Deposit, frozen=True, kw_only=True):
    """Every field of a user is sealed under one key and the nonce zero."""

    name = "sealed-once"
    told = "no key and nonce seal twice"
    who = "alice-laptop@"
    by = "DepositDevice.access_field"
    texts = 3
    device = SealedOnceDevice


class SealedDailyDevice(DepositDevice):
    """A client that makes its nonce of the day."""

    def nonce(self) -> bytes:
        """Return the nonce of the next field."""
        return sha256(self.user.encode(), bytes([self.collected]))[:12]


class SealedDaily(Deposit, frozen=True, kw_only=True):
    """All fields of a user and day are sealed under one key and nonce."""

    name = "sealed-daily"
    told = "no key and nonce seal twice"
    who = "alice-laptop@"
    by = "DepositDevice.access_field"
    texts = 3
    device = SealedDailyDevice


# --- keys inside longer strings, and slices ---


class Blob(Deposit, frozen=True, kw_only=True):
    """The clerk keeps one long record, in which the keys lie encoded."""

    name = "blob"
    by = "clerk's kept (DepositKey.value)"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        made = super().keys(clerk, users)
        clerk.kept = [codec.encode({user: (user, LONG, value + b"!") for user, value in made.items()})]
        return made


class Written(Deposit, frozen=True, kw_only=True):
    """The clerk writes every key into its notes, in hexadecimal."""

    name = "written"
    by = "clerk's state (DepositKey.value)"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        made = super().keys(clerk, users)
        clerk.notes = ", ".join(f"{user}={value.hex()}" for user, value in made.items())
        return made


class Numbers(Deposit, frozen=True, kw_only=True):
    """The clerk keeps every key as numbers, and each under a mask that it keeps too: mixed by hand."""

    name = "numbers"
    by = "clerk's "

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        made = super().keys(clerk, users)
        masks = {user: random_bytes(self.size) for user in made}
        clerk.kept = [*masks.values(), *(bytes(map(xor, made[user], masks[user])) for user in list(made)[1:])]
        clerk.numbers = list(next(iter(made.values())))
        return made


class Slices(Deposit, frozen=True, kw_only=True):
    """A key is a slice of a longer string, and the clerk keeps that in two pieces."""

    name = "slices"
    by = "clerk's "

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        whole = {user: hkdf(b"", random_bytes(32), LONG, 80) for user in users}
        clerk.kept = [piece for each in whole.values() for piece in (each[8:40], each[32:80])]
        return {user: each[16 : 16 + self.size] if self.size < 32 else each[16:48] for user, each in whole.items()}


class OtherSlices(Deposit, frozen=True, kw_only=True):
    """Sound: the clerk keeps other slices of the same string."""

    name = "other-slices"

    def keys(self, clerk: Clerk, users: Iterable[str]) -> dict[str, bytes]:
        whole = {user: hkdf(b"", random_bytes(32), LONG, 96) for user in users}
        clerk.kept = [piece for each in whole.values() for piece in (each[:16], each[56:])]
        return {user: each[16 : 16 + self.size] for user, each in whole.items()}


PLANTED = (ByMethod, ByClosure, OfName, OfNameAndLabel, Constant, ConstantCut, Alias, AliasOfSeed, Coefficient, Masked)
PLANTED += (Blob, Slices, Written, Numbers, OfFourBytes)
REUSED = (SealedOnce, SealedDaily)
SOUND = (Deposit, ByDrawing, OfNameAndSecret, ConstantSalt, AliasHashed, MaskedOnly, OtherSlices)

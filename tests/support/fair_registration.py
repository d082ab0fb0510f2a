"""A cast of fair keys before and after registration, and steps of it by hand."""

import msgspec

from escrow.scheme import User
from escrow.schemes.fair_keys.scheme import FairKeys
from escrow.testing.harness import playing
from escrow.wire import Wire


def with_parties(scheme, **kinds):
    """The scheme with other classes for its parties, in the module of these: it has their rules."""
    named = {"__module__": next(iter(kinds.values())).__module__, **kinds}
    return type("Altered", (type(scheme),), named, frozen=True, kw_only=True)(**msgspec.structs.asdict(scheme))


def set_up(scheme):
    with playing(scheme) as harness:
        return harness


def unregistered(scheme=None):
    """The parties before anybody has registered."""
    users = [User(name, (f"{name}-phone",)) for name in ("alice", "bob", "carol")]
    return Wire(list((scheme or FairKeys()).cast(users, bytes(32))))

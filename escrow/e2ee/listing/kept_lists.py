"""What a client keeps of signed lists, of one key a user, and of signed members: plain data, which a thief gets."""

from __future__ import annotations

from typing import Literal

import msgspec

from escrow.codec import Public
from escrow.e2ee.listing.device_lists import GroupSignature, Vouchers

Lists = Literal["unsigned", "signed", "shared"]


class KnownList(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The signed list of a user as a device knows it: its vouchers, and the last day on which it is taken."""

    told: Vouchers
    last: int


class Vouching(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a client checks, and what it keeps for that.

    `lists`, `groups` and `watched` say which checks there are. `known` are lists of users, `keys` the one key of each,
    `members` the newest signed list of each group, `admins` who made it, `fanned` how many devices a text went to.
    `own` are the keys that the user had linked when lists were signed last, on the day `since`; `serial` counts lists.
    `odd`: the user is to be told that the other end has another list. `numbers` are those of others' registrations.
    """

    lists: Lists = "unsigned"
    groups: bool = False
    watched: bool = False
    known: dict[str, KnownList] = {}
    keys: dict[str, Public] = {}
    members: dict[str, GroupSignature] = {}
    admins: dict[str, str] = {}
    fanned: dict[str, int] = {}
    own: tuple[Public, ...] = ()
    since: int = 0
    serial: int = 0
    odd: bool = False
    numbers: dict[str, int] = {}


def vouching(lists: Lists, groups: bool, watched: bool) -> Vouching | None:
    """Return what a client keeps that makes these checks; None if it makes no more than a plain one."""
    return Vouching(lists, groups, watched) if groups or watched or lists != "unsigned" else None

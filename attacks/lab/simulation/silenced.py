"""Clients that leave out checks, or seal to other keys, because such an update was shipped. Nobody takes their states.

  checks      promises that the client no longer keeps
  other keys  when the client makes an access field, each of the officials' public keys that it was built with, or was
              told, is another, whose private half the intruder has; at all other times its data are as they were.
              What it had made with the officials' keys to use again, it makes anew
  leak        where a scheme has no field, the client sends the message key to the intruder in its place

An attack says which, as data (`Attack.silenced`): none of its code comes near a client's keys. The intruder changed the
source of the clients, and is no party of the play; after it he has the private halves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

import msgspec

from attacks.lab.simulation.builds.other_keys import (
    NOBODYS,
    exchanged,
    groups_in,
    official_keys,
    other_key,
    own_fields,
)
from escrow.codec import Fact
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.listing.checks import NUMBER
from escrow.e2ee.provider import Listed
from escrow.e2ee.ratchet import MessageKey
from escrow.principal import Principal, lying


@runtime_checkable
class KeepsMade(Protocol):
    """A client that makes something with officials' keys to use it again."""

    def make_anew(self) -> None:
        """Drop it, because the keys are others now."""


class LeftOutChecks(msgspec.Struct, frozen=True):
    """Checks (escrow.e2ee.listing.checks), by name, that a client leaves out; devices that its number lacks.

    `only` are the user's devices whose clients are so; by default all.

    With `other_keys` it makes access fields to the intruder's keys in place of the officials'; with `leaks` it sends
    the intruder each message key where there is no field.
    """

    checks: tuple[str, ...]
    hides: tuple[str, ...] = ()
    other_keys: bool = False
    leaks: bool = False
    only: tuple[str, ...] = ()

    def of(self, devices: Iterable[str]) -> Iterator[str]:
        """Yield those of a user's devices whose clients are so."""
        return (name for name in devices if not self.only or name in self.only)


def silenced(device: Device, left_out: LeftOutChecks, parties: Iterable[Principal] = ()) -> Device:
    """Return a device with the same data whose client leaves out these checks; `parties` have the officials' keys."""
    honest: Any = type(device)
    known = {found.public for found in official_keys(parties)} if left_out.other_keys else frozenset[bytes]()

    def keeps(self: Any, promise: str) -> bool:
        return promise not in left_out.checks

    def in_number(self: Any, user: str) -> list[Listed]:
        listed: list[Listed] = honest.in_number(self, user)
        hides = () if self.keeps(NUMBER.name) else left_out.hides
        return [each for each in listed if each.device not in hides]

    def access_field(self: Any, key: MessageKey, context: FieldContext) -> Fact | None:
        """Make the field with other keys; what this changes in the client's data goes back to its own keys."""
        own = own_fields(self)
        public = (*known, *(group.key for group in groups_in(self)))
        there = {each: other_key(each).public for each in public}
        back = {other: public for public, other in there.items()}
        try:
            for name in own:
                setattr(self, name, exchanged(getattr(self, name), there))
            made: Fact | None = honest.access_field(self, key, context)
        finally:
            for name in own:
                setattr(self, name, exchanged(getattr(self, name), back))
        return made

    def leak(self: Any, key: MessageKey, context: FieldContext) -> Fact:
        """Return the message key, sealed to the intruder."""
        from escrow.testing.leak import leaked  # loads a scheme, which other plays do without

        return leaked(key, context, other_key(NOBODYS).public)

    changes = (
        {"access_field": access_field} if left_out.other_keys else {"access_field": leak} if left_out.leaks else {}
    )
    changed = lying(device, keeps=keeps, in_number=in_number, **changes)
    if left_out.other_keys and isinstance(changed, KeepsMade):
        changed.make_anew()
    return changed

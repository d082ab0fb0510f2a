"""A device's keys and key agreement: when prekeys are made, how many the directory gets, and when they are erased.

  signed    a new one every `rotate_every` days; an old one lives `keep_prekeys` days more, for mail that is late
  one-time  every morning the directory says how many it has left, and gets as many as are missing from `stock`
            a private half is erased with the first message that names it; or, if none comes, together with the signed
            prekey with which it was handed out, since no message that names these two can be opened any more

So strangers who drain the stock gain one day, and the private halves of what they took do not pile up: a device keeps
at most `stock` of them for each morning since its oldest signed prekey was made, and `stock` more.
Source: Marlinspike and Perrin, "The X3DH Key Agreement Protocol", revision 1, 2016, sections 3.2 and 4.7.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec

from escrow.codec import Public
from escrow.crypto import Private, new_private
from escrow.derivation import honest_only
from escrow.e2ee import ratchet, x3dh
from escrow.e2ee.provider import CountPrekeys, Fetch, Listed, PrekeysLeft, Publish
from escrow.e2ee.ratchet import Session
from escrow.e2ee.sessions import Conversing
from escrow.e2ee.x3dh import Bundle, IdentityKey, Initial
from escrow.errors import Forged
from escrow.principal import Principal
from escrow.wire import Wire


class Prekey(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A signed prekey pair, the day on which it was made, and the one-time prekeys that were handed out with it.

    These are noted when the next signed prekey is made. `begun` are the ephemeral keys (32 bytes) of the sessions begun
    with it and without a one-time prekey: they tell that a first message is repeated, until the pair is erased.
    """

    key: Private
    day: int
    handed: list[Public] = []
    begun: list[Public] = []


class KeyHolder(Principal):
    """The keys of a user's device, and the key agreement: what begins sessions, and what a scheme may replace.

    `linked` are the identity keys of the user's own devices, this one included, known since they were linked.
    `patience` is the number of days after which a session that was never answered is begun anew; 0, as in the
    specifications, is never: if a first flight is lost, all later mail is lost once the other end has erased its
    prekey.
    """

    user: str
    identity: IdentityKey
    linked: list[Public]
    provider: str = "provider"
    rotate_every: int = 3
    keep_prekeys: int = 2
    stock: int = 0
    patience: int = 0
    prekeys: list[Prekey] = []
    one_time: list[Private] = []

    # --- keys ---

    def publish(self, wire: Wire, fresh: int) -> None:
        """Put the identity key, the newest signed prekey and `fresh` new one-time prekeys into the directory."""
        wire.ask(self.name, self.provider, self.publication(fresh), type(None))

    def publication(self, fresh: int) -> Publish:
        """Return what is published: the newest signed prekey, and `fresh` one-time prekeys, which are made here."""
        made = [new_private() for _ in range(fresh)]
        self.one_time += made
        prekey = self.prekeys[-1].key.public
        signature = x3dh.sign_prekey(self.identity, prekey)
        return Publish(self.user, self.identity.public, prekey, signature, tuple(key.public for key in made))

    def each_day(self, wire: Wire) -> None:
        """Rotate, publish and erase prekeys, as every morning (escrow.e2ee.prekeys)."""
        keep_house(self, wire)

    # --- other devices, of which a client may ask for signatures ---

    def hears(self, listed: Listed) -> bool:
        """Return whether what a listed device writes is shown: always, where no device is silent."""
        return True

    def vouches(self, listed: Listed, day: int) -> bool:
        """Return whether this client sends to a device of another user: to whatever the directory lists."""
        return True

    def vouch(self, wire: Wire) -> None:
        """Do what a device does when its user linked or unlinked one: nothing, if nobody signs lists."""

    def one_time_halves(self) -> tuple[list[Any], ...]:
        """Return the lists of private halves of one-time prekeys, each oldest first: here one list."""
        return (self.one_time,)

    def renew(self, day: int) -> None:
        """Make a new signed prekey."""
        self.prekeys.append(Prekey(new_private(), day))

    # --- the key agreement, which a scheme may replace as a whole ---

    def bundle(self, wire: Wire, to: Listed) -> Bundle:
        """Return the keys with which to begin a session with a device: those that the directory hands out."""
        return wire.ask(self.name, self.provider, Fetch(to.device), Bundle)

    def begin(self, bundle: Bundle) -> Conversing:
        """Begin a session with the holder of the bundle's keys. Raise Refused if a prekey is not signed."""
        self.insist(x3dh.prekey_is_signed(bundle), "signature of the prekey")
        initial, root = x3dh.initiate(self.identity, bundle)
        return Conversing(ratchet.begin(root, initial.associated), initial, identity=bundle.identity)

    def accept(self, initial: Initial) -> Session:
        """Return the session that an initial message begins. Raise Forged if its type or a prekey is none of ours."""
        if type(initial) is not Initial:
            raise Forged("an initial message of another key agreement")
        prekey, one_time = self.named(initial)
        root = x3dh.accept(initial, self.identity, prekey, one_time)
        return ratchet.respond(root, initial.associated, prekey)

    def named(self, initial: Initial) -> tuple[Private, Private | None]:
        """Return the X25519 prekeys that an initial message names. Raise Forged if one is erased or used up."""
        prekey = next((old.key for old in self.prekeys if old.key.public == initial.spk_b), None)
        one_time = next((key for key in self.one_time if key.public == initial.opk_b), None)
        if prekey is None or (one_time is None) != (initial.opk_b == b""):
            raise Forged("a prekey that was erased, or used before")
        return prekey, one_time

    def spend(self, initial: Initial) -> None:
        """Erase the one-time prekeys of a session whose first message was opened."""
        self.one_time = [key for key in self.one_time if key.public != initial.opk_b]


@honest_only("what a device does with its own prekeys")
def keep_house(device: KeyHolder, wire: Wire) -> None:
    """Rotate the signed prekey when it is due, fill up the directory's stock, and erase old private halves."""
    left = _left(device, wire) if device.prekeys and device.stock else 0
    due = not device.prekeys or wire.day - device.prekeys[-1].day >= device.rotate_every
    if due:
        for newest in device.prekeys[-1:]:
            newest.handed = _handed_out(device, left)
        device.renew(wire.day)
    if due or left < device.stock:
        device.publish(wire, max(0, device.stock - left))
    kept = [old for old, later in pairwise(device.prekeys) if later.day + device.keep_prekeys > wire.day]
    kept.append(device.prekeys[-1])
    erased = {half for old in device.prekeys[: -len(kept)] for half in old.handed}
    for halves in device.one_time_halves() if erased else ():
        halves[:] = [key for key in halves if key.public not in erased]
    device.prekeys = kept


def _left(device: KeyHolder, wire: Wire) -> int:
    """Return how many one-time prekeys the directory has, at most as many as there are private halves."""
    count = wire.ask(device.name, device.provider, CountPrekeys(), PrekeysLeft).count
    return max(0, min(count, *map(len, device.one_time_halves())))


def _handed_out(device: KeyHolder, left: int) -> list[Public]:
    """Return the one-time prekeys that were handed out and not used yet: all but the newest, which come last."""
    return [key.public for halves in device.one_time_halves() for key in halves[: len(halves) - left]]

"""A device's sessions with another device, several at once.

  send     the current session; or a new one, if there is none or if the current one was not answered for too long
  receive  the session that opens the mail becomes the current one; a first message begins a session

Two devices that write to each other first, at the same time, begin two sessions. So older ones are kept for a while:
otherwise mail would be lost for good.
Source: Marlinspike and Perrin, "The Sesame Algorithm", revision 2, 2017, section 3.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from escrow.crypto import montgomery
from escrow.derivation import honest_only
from escrow.e2ee import ratchet, x3dh
from escrow.e2ee.provider import Listed, Mail
from escrow.e2ee.ratchet import Plaintext, Session
from escrow.e2ee.x3dh import Bundle, Initial, PqInitial
from escrow.errors import EscrowError, Forged, Refused
from escrow.wire import Wire

SESSIONS_KEPT = 5  # with each other device


class Conversing(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A session with a device; `initial` goes along until the session, begun on `day`, is answered."""

    session: Session
    initial: Initial | PqInitial | None = None
    day: int = 0


class _Device(Protocol):
    """What of a device is used here; a scheme may replace the key agreement, from `bundle` to `spend`."""

    sessions: dict[str, list[Conversing]]
    patience: int

    def insist(self, condition: bool, reason: str) -> None: ...
    def bundle(self, wire: Wire, to: Listed) -> Bundle: ...
    def begin(self, bundle: Bundle) -> Conversing: ...
    def accept(self, initial: Initial) -> Session: ...
    def spend(self, initial: Initial) -> None: ...


@honest_only("what a device does with its own sessions")
def current(device: _Device, wire: Wire, to: Listed) -> Conversing:
    """Return the session in which a device writes to another, begun here if need be.

    Raise Refused if the directory hands out the keys of some other device.
    """
    kept = device.sessions.get(to.device, [])
    if not kept or (kept[0].initial is not None and 0 < device.patience <= wire.day - kept[0].day):
        bundle = device.bundle(wire, to)
        device.insist(bundle.identity == to.identity, "the bundle is of the device listed")
        fresh = device.begin(bundle)
        fresh.day = wire.day
        kept = _keep(device, to.device, fresh)
    return kept[0]


@honest_only("what a device does with its own sessions")
def open_mail(device: _Device, mail: Mail, author: Listed) -> Plaintext:
    """Open a pairwise mail in whichever session fits, which becomes the current one, or in a new one.

    Raise Forged or Refused if none opens it.
    """
    kept = device.sessions.get(mail.sender, [])
    why: EscrowError = Forged("no session opens this message")
    for conversing in kept:
        if mail.initial is not None and mail.initial.ek_a != conversing.session.id:
            continue
        message = ratchet.unpack(mail.body, conversing.session.associated)
        try:
            plaintext = ratchet.decrypt(conversing.session, message)
        except (Forged, Refused) as error:
            why = error
            continue
        kept.remove(conversing)
        kept.insert(0, Conversing(conversing.session))
        return plaintext
    if mail.initial is None or any(each.session.id == mail.initial.ek_a for each in kept):
        raise why
    return _open_first(device, mail, mail.initial, author)


def _open_first(device: _Device, mail: Mail, initial: Initial, author: Listed) -> Plaintext:
    device.insist(initial.ik_a == montgomery(author.identity), "the session is from the device listed")
    device.insist(x3dh.ephemeral_is_canonical(initial), "the ephemeral key is spelled canonically")
    session = device.accept(initial)
    plaintext = ratchet.decrypt(session, ratchet.unpack(mail.body, initial.associated))
    device.spend(initial)
    _keep(device, mail.sender, Conversing(session))
    return plaintext


def _keep(device: _Device, peer: str, fresh: Conversing) -> list[Conversing]:
    kept = device.sessions[peer] = [fresh, *device.sessions.get(peer, [])][:SESSIONS_KEPT]
    return kept

"""A device's sessions with another device, several at once; each is with a name and the identity key listed for it.

  send     the current session; or a new one, if there is none or if the current one was not answered for too long
  receive  the session that opens the mail becomes the current one; a first message begins a session, once

Two devices that write to each other first, at the same time, begin two sessions. So older ones are kept for a while:
otherwise mail would be lost for good.
Source: Marlinspike and Perrin, "The Sesame Algorithm", revision 2, 2017, section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from escrow.codec import Public
from escrow.crypto import montgomery
from escrow.derivation import honest_only
from escrow.e2ee import ratchet, x3dh
from escrow.e2ee.provider import Listed, Mail
from escrow.e2ee.ratchet import Plaintext, Session
from escrow.e2ee.x3dh import Initial, PqInitial
from escrow.errors import EscrowError, Forged, Refused
from escrow.wire import Wire

if TYPE_CHECKING:
    from escrow.e2ee.device import Device

SESSIONS_KEPT = 5  # with each other device


class Conversing(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A session with the device that has this Ed25519 identity key (32 bytes).

    `initial` goes along until the session, begun on `day`, is answered.
    """

    session: Session
    initial: Initial | PqInitial | None = None
    day: int = 0
    identity: Public = b""


@honest_only("what a device does with its own sessions")
def current(device: Device, wire: Wire, to: Listed) -> Conversing:
    """Return the session in which a device writes to another under the key listed for it, begun here if need be.

    Raise Refused if the directory hands out the keys of some other device.
    """
    kept = [each for each in device.sessions.get(to.device, []) if each.identity == to.identity]
    if not kept or (kept[0].initial is not None and 0 < device.patience <= wire.day - kept[0].day):
        bundle = device.bundle(wire, to)
        device.insist(bundle.identity == to.identity, "the bundle is of the device listed")
        fresh = device.begin(bundle)
        fresh.day, fresh.identity = wire.day, to.identity
        _keep(device, to.device, fresh)
        return fresh
    return kept[0]


@honest_only("what a device does with its own sessions")
def open_mail(device: Device, mail: Mail, author: Listed) -> Plaintext:
    """Open a pairwise mail in whichever session with its author fits, which becomes the current one, or in a new one.

    Raise Forged or Refused if none opens it.
    """
    kept = device.sessions.get(mail.sender, [])
    why: EscrowError = Forged("no session opens this message")
    for conversing in kept:
        if mail.initial is not None and mail.initial.ek_a != conversing.session.id:
            continue
        try:
            device.insist(conversing.identity == author.identity, "the session is with the key that is listed")
            message = ratchet.unpack(mail.body, conversing.session.associated, device.committing)
            plaintext = ratchet.decrypt(conversing.session, message)
        except (Forged, Refused) as error:
            why = error
            continue
        kept.remove(conversing)
        kept.insert(0, Conversing(conversing.session, identity=conversing.identity))
        return plaintext
    if mail.initial is None or any(each.session.id == mail.initial.ek_a for each in kept):
        raise why
    return _open_first(device, mail, mail.initial, author)


def _open_first(device: Device, mail: Mail, initial: Initial, author: Listed) -> Plaintext:
    device.insist(initial.ik_a == montgomery(author.identity), "the session is from the device listed")
    device.insist(x3dh.ephemeral_is_canonical(initial), "the ephemeral key is spelled canonically")
    prekey = next((old for old in device.prekeys if old.key.public == initial.spk_b), None)
    device.insist(prekey is None or initial.ek_a not in prekey.begun, "a first message begins one session")
    session = device.accept(initial)
    plaintext = ratchet.decrypt(session, ratchet.unpack(mail.body, initial.associated, device.committing))
    device.spend(initial)
    if prekey is not None and not initial.opk_b:
        prekey.begun.append(initial.ek_a)  # nothing was used up that would tell a repetition
    _keep(device, mail.sender, Conversing(session, identity=author.identity))
    return plaintext


def _keep(device: Device, peer: str, fresh: Conversing) -> None:
    device.sessions[peer] = [fresh, *device.sessions.get(peer, [])][:SESSIONS_KEPT]

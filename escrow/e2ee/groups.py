"""A device's part in groups with Sender Keys: its own chains, those of others, and mail that came before its chain.

  send     a chain of one's own for each group, made known pairwise to every device that does not hold it yet;
           a new chain as soon as a device that holds it is no longer addressed, or not under the same key
  receive  a chain is learnt from its owner; mail under a chain that is not known yet waits for it

What others make a device keep is bounded: chains, and mail that waits.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from escrow import codec
from escrow.derivation import honest_only
from escrow.e2ee import sender_keys
from escrow.e2ee.content import Distribution, Text
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey, Plaintext
from escrow.e2ee.sender_keys import PeerChain
from escrow.errors import EscrowError, Forged
from escrow.wire import Wire

if TYPE_CHECKING:
    from escrow.e2ee.device import Device

CHAINS_KEPT = 5  # of each other device, in one group
GROUPS_KEPT = 40  # chains of each other device, in all groups
WAITING_KEPT = 100  # group messages whose sender key has not come yet; the sender of most of them loses its oldest


@honest_only("what a device does with its own chains")
def encrypt(device: Device, wire: Wire, people: tuple[str, ...], said: Text) -> tuple[bytes, MessageKey, list[str]]:
    """Encrypt a text once for all devices of these users, after making the chain known to those that lack it.

    Returns:
        the sealed text in its wire form, the key that sealed it, and the names of the devices that can open it.
    """
    group, recipients = said.conversation.group, device.recipients(wire, people)
    own = device.sending.get(group)
    if own is None or not set(own.holders) <= set(recipients):
        own = device.sending[group] = sender_keys.new_chain()
    told = Distribution(group, own.chain, own.signer.public)
    without = [listed for listed in recipients if listed not in own.holders]
    try:
        own.holders += device.mail_each(wire, without, codec.encode(told), None)
    except EscrowError:
        if not own.holders:
            raise
    names = [listed.device for listed in recipients if listed in own.holders]
    return *sender_keys.encrypt(own, codec.encode(said), device.committing), names


@honest_only("what a device does with its own chains")
def chain_of(device: Device, mail: Mail) -> PeerChain | None:
    """Return the chain under which a group mail is sealed, or None if the device has not learnt it."""
    chain = mail.body[: sender_keys.ID]
    found = (peer for peer in device.receiving if peer.chain.chain == chain and peer.device == mail.sender)
    return next(found, None)


@honest_only("what a device does with its own chains")
def open_mail(device: Device, mail: Mail) -> Plaintext:
    """Open a group mail. Raise Forged if its chain is not known or does not fit, Refused if a check fails."""
    if (peer := chain_of(device, mail)) is None:
        raise Forged("a group message under a chain that never came")
    device.insist(peer.group == mail.group, "a text is of its chain's group")  # asked before the key is spent
    device.insist(sender_keys.signature_holds(peer, mail.body), "signature of a group message")
    return sender_keys.decrypt(peer, sender_keys.unpack(mail.body, device.committing))


@honest_only("what a device does with its own chains")
def learn(device: Device, learnt: PeerChain) -> None:
    """Keep a chain that its owner made known; the oldest of that owner gives way."""
    same = [peer for peer in device.receiving if (peer.device, peer.group) == (learnt.device, learnt.group)]
    theirs = [peer for peer in device.receiving if peer.device == learnt.device]
    for old in same[: max(0, len(same) - CHAINS_KEPT + 1)] or theirs[: max(0, len(theirs) - GROUPS_KEPT + 1)]:
        device.receiving.remove(old)
    device.receiving.append(learnt)


@honest_only("what a device does with its own chains")
def receive_waiting(device: Device, wire: Wire) -> None:
    """Receive the mail that waits, after a chain was learnt; what is still without one waits again."""
    waiting, device.waiting = device.waiting, []
    for overtaken in waiting:
        device.receive_or_complain(wire, overtaken)


@honest_only("what a device does with its own chains")
def keep_waiting(device: Device, mail: Mail) -> None:
    """Keep a mail until its chain comes. If too many wait, the oldest of whoever sent most of them is dropped."""
    device.waiting.append(mail)
    if len(device.waiting) > WAITING_KEPT:
        most, _ = Counter(each.sender for each in device.waiting).most_common(1)[0]
        device.waiting.remove(next(each for each in device.waiting if each.sender == most))

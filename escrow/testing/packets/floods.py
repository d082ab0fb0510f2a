"""The properties of floods: whoever drains, publishes or sends too much is refused by name, and nobody else is hurt.

  drain   the other devices fetch one device's keys until no one-time prekey is left, every day
  flood   bob's phone fetches, publishes, sends mail, makes groups, or sends a long packet, until it is refused

Only the library's own packets are sent, through the methods that a scheme may replace, so that a provider with other
bounds, other keys or other checks is tried alike.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import msgspec

from escrow import crypto
from escrow.e2ee.provider import Collect, Delivery, DeviceList, DevicesOf, Group, Listed, Mail
from escrow.e2ee.x3dh import Bundle
from escrow.errors import EscrowError, Refused
from escrow.scheme import Scheme
from escrow.testing.harness import DEVICES, GROUPS, OWNER, STOCK, Harness, Step, playing
from escrow.testing.trying import require, settings
from escrow.testing.world import mails_in

FLOODER, VICTIM, WITNESS = "bob-phone", "alice-phone", "carol-phone"
CROWD = 5_000  # members of a group
LONG = 2**24  # bytes
REPEATED = 100  # times a recipient is named
_TALK = (
    (VICTIM, OWNER[WITNESS]),
    (WITNESS, OWNER[VICTIM]),
    (WITNESS, GROUPS[0].name),
    (FLOODER, OWNER[VICTIM]),
)
DRAINED_DAYS = 21  # the states of the last seven must be as long as those of the seven before


# --- drained stocks ---


def a_drained_stock_is_full_again_the_next_morning(scheme: Scheme, how: settings) -> None:
    """Require that one-time prekeys that are all handed out are replaced the next morning, and do not pile up."""
    with playing(scheme) as harness:
        once, lengths = _once(_handed_out(harness)), []
        for harness.wire.day in range(1, DRAINED_DAYS + 1):
            harness.renew(harness.owner)
            lengths.append(len(harness.device(VICTIM).state()))
            missing = once - _once(_handed_out(harness))
            require(not missing, f"the day after all were handed out, {', '.join(sorted(missing))} are not new")
        early, late = max(lengths[7:14]), max(lengths[14:])
        require(late <= early + 16, f"private halves of keys handed out in vain pile up: {early} bytes, then {late}")


def _handed_out(harness: Harness) -> list[Bundle]:
    """Return as many bundles of the victim as it has one-time prekeys, fetched by the other devices in turn."""
    askers = cycle(name for name in DEVICES if name != VICTIM)
    return [_bundle(harness, asker, VICTIM) for asker, _ in zip(askers, range(STOCK), strict=False)]


def _once(bundles: list[Bundle]) -> set[str]:
    """Return the names of the fields that are filled and differ in all bundles: what is handed out once."""
    columns = {name: [getattr(each, name) for each in bundles] for name in bundles[0].__struct_fields__}
    return {name for name, column in columns.items() if all(column) and len(set(column)) == len(column)}


def _bundle(harness: Harness, asker: str, name: str) -> Bundle:
    with crypto.acting(asker):
        return harness.device(asker).bundle(harness.wire, _listed(harness, asker, name))


def _listed(harness: Harness, asker: str, name: str) -> Listed:
    """Return what the directory lists for a device, without the notices of the asking device."""
    found = harness.wire.ask(asker, harness.device(asker).provider, DevicesOf(OWNER[name]), DeviceList)
    return next(each for each in found.devices if each.device == name)


# --- floods ---


def a_flood_is_refused_by_name_and_hurts_nobody(scheme: Scheme, how: settings) -> None:
    """Require that one device that fetches, publishes or sends too much is refused by name, and others go on."""
    for what, (flood, times) in _FLOODS.items():
        with playing(scheme) as harness:
            for device, to in _TALK:
                harness.take(Step("say", device, to))  # it waits at the provider
            before = _others(harness)
            error = _until_refused(harness, flood, times)
            require(error is not None, f"{what} without end is never refused")
            require(OWNER[FLOODER] in str(error), f"{what} without end is refused without the flooder's name: {error}")
            require(_others(harness) == before, f"{what} without end changes others, or what is listed of them")
            harness.play([Step("say", WITNESS, OWNER[VICTIM])])  # into a mailbox that is full of the flooder's mail
            harness.gather(Group("new", (OWNER[WITNESS], OWNER[VICTIM]), False))
            harness.play(Step("say", device, to) for device, to in (*_TALK, (WITNESS, "new")))
            missing = harness.meant - harness.shown
            require(not missing, f"after {what} without end, texts of others are missing: {len(missing)}")
    with playing(scheme) as harness:
        harness.take(Step("say", FLOODER, OWNER[VICTIM]))
        sent, provider = _sent(harness), harness.device(VICTIM).provider
        harness.wire.tell(FLOODER, provider, msgspec.structs.replace(sent, recipients=(VICTIM,) * REPEATED))
        delivered = harness.wire.ask(VICTIM, provider, Collect(), Delivery).mails
        copies = sum(mail.body == sent.body for mail in delivered)
        require(copies <= 2, f"one mail that names a recipient {REPEATED} times waits for it {copies - 1} times")


def _others(harness: Harness) -> object:
    """Return the states of all but provider and flooder, and what the provider lists of them and of the groups."""
    states = {name: party.state() for name, party in harness.wire.parties.items()}
    listed = [_listed(harness, WITNESS, name) for name in DEVICES if name != FLOODER]
    provider = harness.device(WITNESS).provider
    return (
        {name: state for name, state in states.items() if name not in (provider, FLOODER)},
        listed,
        [harness.provider.groups.get(group.name) for group in GROUPS],
    )


def _until_refused(harness: Harness, flood: Callable[[Harness, int], None], times: int) -> EscrowError | None:
    """Return the error that ends a flood, or None if nothing does."""
    refused = len(harness.wire.refusals)
    try:
        with crypto.acting(FLOODER):
            for number in range(times):
                flood(harness, number)
                if harness.wire.refusals[refused:]:  # what is told is not answered
                    return Refused(*harness.wire.refusals[-1][1:])
    except EscrowError as error:
        return error
    return None


def _fetch(harness: Harness, number: int) -> None:
    _bundle(harness, FLOODER, VICTIM)


def _publish(harness: Harness, number: int) -> None:
    harness.device(FLOODER).publish(harness.wire, 250)


def _send(harness: Harness, number: int) -> None:
    harness.wire.tell(FLOODER, harness.device(FLOODER).provider, _sent(harness))


def _sent(harness: Harness) -> Mail:
    """Return a mail of the flooder to the victim."""
    heard = (each for packet in harness.wire.heard if packet.src == FLOODER for each in mails_in(packet))
    return next(mail for mail in heard if VICTIM in mail.recipients)


def _found(harness: Harness, number: int) -> None:
    harness.announce(FLOODER, Group(f"group {number}", (OWNER[FLOODER], OWNER[VICTIM]), True))


def _gather(harness: Harness, number: int) -> None:
    crowd = (f"user {each}" for each in range(CROWD))
    harness.announce(FLOODER, Group("crowd", (OWNER[FLOODER], *crowd), True))


def _publish_long(harness: Harness, number: int) -> None:
    device = harness.device(FLOODER)
    long = msgspec.structs.replace(device.publication(1), signature=bytes(LONG))
    harness.wire.ask(FLOODER, device.provider, long, type(None))


def _publish_longer(harness: Harness, number: int) -> None:
    device = harness.device(FLOODER)
    key = number.to_bytes(LONG // 16, "big")
    harness.wire.ask(
        FLOODER, device.provider, msgspec.structs.replace(device.publication(1), one_time=(key,)), type(None)
    )


_FLOODS = {  # each with the repetitions after which it counts as not bounded
    "fetching keys": (_fetch, 5_000),
    "publishing keys": (_publish, 20),
    "sending mail": (_send, 5_000),
    "founding groups": (_found, 1_000),
    "filling a group": (_gather, 1),
    "publishing long keys": (_publish_long, 1),
    "publishing one long key after another": (_publish_longer, 16),
}

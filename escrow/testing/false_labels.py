"""The properties of access fields that a sender fills in falsely, or leaves out: who is named, and what it costs.

liar      bob's device keeps no promise, and writes one false label after the other; the seals are made for that label
named     an alarm of a recipient's device, or a refusal by the relay, says the liar's name
policing  each value that the scheme's parameter of that name takes; a scheme without it is tried as it is
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import msgspec

from escrow.e2ee.device import FieldContext
from escrow.e2ee.policing import CARRIED, LATE, MADE_AGAIN, Policing, field_type
from escrow.e2ee.provider import Group
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError
from escrow.principal import corrupted
from escrow.scheme import Scheme
from escrow.testing.harness import DAYS, Harness, Step, playing
from escrow.testing.trying import require, settings
from escrow.warrant import issue

LIAR = "bob-phone"
FRESH = Group("fresh", ("alice", "bob"), sender_keys=False)
Lie = Callable[[FieldContext], FieldContext | None]


def _labels(**changes: Callable[[FieldContext], object]) -> Lie:
    return lambda true: msgspec.structs.replace(true, **{name: change(true) for name, change in changes.items()})


def _nothing(true: FieldContext) -> None:
    """Leave the field out."""


# What is false -> to whom it is written, and the labels. A relay cannot tell mail between two with another's name in it
# from a group's, nor a group's with a name left out from mail between two: only the recipient can.
BYSTANDER, MEMBER = "a bystander's name", "not the name of a member"
EARLIER = "a bystander's name and a day before its reader knew of the group"
LIES: dict[str, tuple[str, Lie]] = {
    "tomorrow as the day": ("alice", _labels(day=lambda true: true.day + 1)),
    "a day that is long over": ("alice", _labels(day=lambda true: true.day - LATE - 1)),
    BYSTANDER: ("alice", _labels(people=lambda true: (*true.people, "carol"))),
    "not the reader's name": ("alice", _labels(people=lambda true: true.people[:1])),
    MEMBER: ("club", _labels(people=lambda true: (true.people[0], "alice"))),
    EARLIER: (FRESH.name, _labels(day=lambda true: true.day - 1, people=lambda true: (*true.people, "carol"))),
    "another sender": ("alice", _labels(people=lambda true: true.people[::-1])),
}


def policed(scheme: Scheme) -> Iterator[tuple[Policing, Scheme]]:
    """Yield the scheme under each policing that it takes, or as it is; nothing if its fields have no labels."""
    if field_type(scheme.device.access_field) is None:
        return
    if "policing" not in scheme.__struct_fields__:
        yield "none", scheme
        return
    values: tuple[Policing, ...] = get_args(Policing)
    for value in values:
        try:
            yield value, msgspec.structs.replace(scheme, policing=value)
        except ValueError:
            continue  # it says why it does not take this one


def _lying(harness: Harness, lie: Lie) -> None:
    """Let the liar's device make its fields for false labels, or none, in place of what it did before."""
    honest = harness.scheme.device

    def access_field(self: Any, key: MessageKey, context: FieldContext) -> Any:
        false = lie(context)
        return None if false is None else honest.access_field(self, key, false)

    harness.wire.parties[LIAR] = corrupted(harness.device(LIAR), access_field=access_field)


def _named(harness: Harness) -> tuple[int, int]:
    """Return how often the liar was named in alarms of others' devices, and in refusals by the relay."""
    alarms = sum(each.who != LIAR and LIAR in each.check for each in harness.wire.alarms)
    return alarms, sum(who == "provider" and LIAR in why for _, who, why in harness.wire.refusals)


def _hint(policing: Policing) -> str:
    """Return what to do where a recipient's client, made by the scheme, makes another field than an honest sender."""
    if policing not in MADE_AGAIN:
        return ""
    return (
        "; the recipient's client makes another field with the same message key: say why in `unrepeatable` of the "
        "device, if it takes a secret of the sender's or what has changed since"
    )


def a_false_label_is_named(scheme: Scheme, how: settings) -> None:
    """Require that a false day or name in a field is named, and not carried by a relay that polices and can know."""
    for policing, tried in policed(scheme):
        with playing(tried) as harness:
            harness.play([Step("say", "alice-phone", "club"), Step("say", LIAR, "alice")])
            require(_named(harness) == (0, 0), f"policing={policing}: an honest sender is named{_hint(policing)}")
            for _ in range(LATE + 1):  # until a day can be long over: no scheme has to write a day before the first
                harness.wire.day += 1
                harness.morning()
            harness.play([])
            harness.gather(FRESH)
            for what, (to, lie) in LIES.items():
                before, shown = _named(harness), harness.shown.total()
                _lying(harness, lie)
                harness.play([Step("say", LIAR, to)])
                alarms, refusals = (now - then for now, then in zip(_named(harness), before, strict=True))
                where = f"policing={policing}: a field with {what}"
                require(bool(alarms or refusals), f"{where} names nobody")
                carried = harness.shown.total() > shown and what not in (BYSTANDER, MEMBER, EARLIER)
                require(policing not in CARRIED or not carried, f"{where} is carried by the relay")


def a_missing_field_is_no_success(scheme: Scheme, how: settings) -> None:
    """Require that a text without a field is refused and its sender named, or is shown and counts as missed."""
    for policing, tried in policed(scheme):
        with playing(tried) as harness:
            warrant = issue(harness.court.key, harness.order("bob"))
            harness.serve(warrant)
            harness.play([Step("say", LIAR, "alice")])
            _lying(harness, _nothing)
            before = _named(harness)
            harness.play([Step("say", LIAR, "alice")])
            alarms, refusals = (now - then for now, then in zip(_named(harness), before, strict=True))
            true, bare = harness.said
            shown = any(text == bare.body for _, _, _, text in harness.shown)
            named = policing == "none" or (refusals if policing in CARRIED else alarms) > 0
            require(named, f"policing={policing}: a text without a field names nobody")
            require(shown == (policing == "none"), f"policing={policing}: a text without a field is shown: {shown}")
            try:
                yielded = harness.access(warrant, harness.intercepted())
            except EscrowError as error:
                raise AssertionError(f"policing={policing}: a missing field stops the access: {error}") from error
            require(bare.body not in yielded, f"policing={policing}: a text without a field is yielded")
            require(true.body in yielded or not scheme.opens_fields, "a text with its field is not yielded")


def honest_late_mail_is_not_blamed(scheme: Scheme, how: settings) -> None:
    """Require that mail which the network held for days, or a reader collects late, is shown, and nobody is named."""
    for policing, tried in policed(scheme):
        for fate in ("now", "late"):
            with playing(tried, [fate]) as harness:
                harness.take(Step("say", LIAR, "alice"))
                harness.take(Step("say", LIAR, "club"))
                for _ in range(min(LATE, DAYS - 1)):
                    harness.take(Step("day"))
                    harness.collect(["alice-phone"])
                harness.play([Step("say", "carol-phone", "club")])
                where = f"policing={policing}, mail that is {fate}"
                require(_named(harness) == (0, 0), f"{where}: an honest sender is named{_hint(policing)}")
                missing = harness.meant - harness.shown
                require(not missing, f"{where}: {missing.total()} texts are missing")

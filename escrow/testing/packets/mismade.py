"""The property of access fields that a sender's own computation spoilt: no official is blamed for them.

liar     bob's device keeps no promise; its fields are made by the scheme's own code, in which one call of the door
         (escrow.crypto, escrow.primitives) gives a result with another last byte
so       seals, tags, commitments and proofs of a field disagree with each other, as no change of its bytes can do
blamed   an alarm names an official; that it refuses, and what cannot be opened, is said without one
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.policing import field_type
from escrow.e2ee.provider import Provider
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError
from escrow.principal import corrupted, revive
from escrow.scheme import Scheme
from escrow.testing.alterations import module_of
from escrow.testing.harness import Step, playing
from escrow.testing.trying import require, settings
from escrow.warrant import issue

LIAR = "bob-phone"
DOOR, USERS = ("escrow.crypto", "escrow.primitives"), ("escrow.schemes", "escrow.sharing")


class SpoiltDoor:
    """The door, of whose calls while a field is made the one with number `at` gives a wrong result."""

    def __init__(self, at: int) -> None:
        self.at, self.calls, self.making = at, 0, False

    def through(self, function: Callable[..., bytes]) -> Callable[..., bytes]:
        """Return a function of the door, whose result may be the one to spoil."""

        @functools.wraps(function)
        def called(*arguments: Any, **named: Any) -> bytes:
            result = function(*arguments, **named)
            if not self.making or not isinstance(result, bytes) or not result:
                return result
            self.calls += 1
            return result[:-1] + bytes([result[-1] ^ 1]) if self.calls - 1 == self.at else result

        return called

    @contextmanager
    def open(self, home: str) -> Iterator[None]:
        """Stand before the door in the library's schemes and sharing, and in the modules of `home`."""
        changed: list[tuple[ModuleType, str, Any]] = []
        functions: dict[Any, Callable[..., bytes]] = {}
        for module in [each for name, each in sys.modules.items() if _within(name, (*USERS, *DOOR, home))]:
            for name, value in list(vars(module).items()):
                if inspect.isfunction(value) and _within(value.__module__, DOOR) and _gives_bytes(value):
                    changed.append((module, name, value))
                    setattr(module, name, functions.setdefault(value, self.through(value)))
        try:
            yield
        finally:
            for module, name, value in changed:
                setattr(module, name, value)


def _within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{room}.") for room in rooms)


def _gives_bytes(function: Callable[..., Any]) -> bool:
    return function.__annotations__.get("return") in ("bytes", bytes)


def what_a_sender_made_wrongly_is_blamed_on_no_official(scheme: Scheme, how: settings) -> None:
    """Require that no official is blamed for a field in which one step of its sender's computation went wrong."""
    if field_type(scheme.device.access_field) is None or not scheme.opens_fields:
        return
    with playing(scheme) as harness:
        warrant = issue(harness.court.key, harness.order("alice"))
        harness.serve(warrant)
        harness.play([Step("say", LIAR, "alice")])
        states = {name: (party.state(), type(party)) for name, party in harness.wire.parties.items()}
        officials = {name for name, (_, kind) in states.items() if not issubclass(kind, Device | Provider)}
    at, calls = 0, 1
    while at < min(calls, how.max_examples):
        door = SpoiltDoor(at)
        with playing(scheme) as harness, door.open(module_of(scheme).__name__):
            harness.wire.parties = {name: revive(*state) for name, state in states.items()}
            heard, told = len(harness.intercepted()), len(harness.wire.alarms)
            harness.wire.parties[LIAR] = corrupted(harness.device(LIAR), access_field=_making(scheme, door))
            try:
                harness.play([Step("say", LIAR, "alice")])
            except EscrowError:  # the wrong result ends in an error of its own device
                heard = len(harness.intercepted())
            harness.access(warrant, harness.intercepted()[heard:])
            blamed = {
                (name, alarm.check)
                for alarm in harness.wire.alarms[told:]
                for name in officials & {*alarm.check.replace(":", " ").replace("'s ", " ").split()}
            }
            where = f"{LIAR}'s field, of whose {door.calls} results number {at + 1} is wrong"
            require(not blamed, f"for {where}, an official is blamed: {', '.join(': '.join(each) for each in blamed)}")
        at, calls = at + 1, door.calls


def _making(scheme: Scheme, door: SpoiltDoor) -> Callable[..., Any]:
    honest = scheme.device

    def access_field(self: Any, key: MessageKey, context: FieldContext) -> Any:
        door.making = True
        try:
            return honest.access_field(self, key, context)
        finally:
            door.making = False

    return access_field

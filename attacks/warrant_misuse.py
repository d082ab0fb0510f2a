"""The authority asks for more than its warrants cover, with warrants that were lawfully given.

  creep    about other people           backdate  about days before the window
  replay   after the warrant expired    relabel   a field that names the target and the first day, its secret part kept

An honest authority asks only for what is covered; this one asks for everything, under each warrant. While a warrant is
in force its lawful path already does so, since it no longer checks; `each_evening` does the rest.
Source: Abelson et al., "The Risks of Key Recovery, Key Escrow, and Trusted Third-Party Encryption", 1997, 3.1.2.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

import msgspec

from attacks.lab.adversary.view import words_of
from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow import codec
from escrow.derivation import Guard, derivation
from escrow.errors import Forged, Malformed
from escrow.principal import Principal, corrupted
from escrow.scheme import AccessField, Intercept, Scheme, Source
from escrow.warrant import Order, in_force
from escrow.wire import Wire


@derivation("any field, any order")
def relabel(field: AccessField, order: Guard[Order]) -> AccessField:
    """Return the field under labels that the order covers. Raise Forged if they are covered, or relabelled, already."""
    if order.covers(field.people, field.day) or len(field.people) < 2:
        raise Forged("the order covers this field already, or it was relabelled before")
    return msgspec.structs.replace(field, people=(order.target,), day=order.first)


class WarrantMisuse(Attack):
    """Corrupt the authority: it asks about other people, other days, and after its warrants expired."""

    name = "warrant-misuse"
    title = "The authority asks for more than its warrants cover"
    source = Source(
        "Abelson et al.",
        "The Risks of Key Recovery, Key Escrow, and Trusted Third-Party Encryption",
        1997,
        "3.1.2",
        "messages",
    )
    in_pages = True
    specimen = "unchecked_window"
    derivations: ClassVar[tuple[Callable[..., Any], ...]] = (relabel,)

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the authority from the attack day on."""
        return [Turn("authority", scenario.attack_day)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the authority count the mail that it tried under each warrant."""
        return corrupted(party, {"tried": list[int]})

    def each_evening(self, party: Any, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        """Ask about every new field, relabelled to fit each warrant; and unchanged where a warrant is over."""
        kinds = frozenset(kind for kind in words_of(scheme).types if issubclass(kind, AccessField))
        for number, warrant in enumerate(party.warrants):
            if first := number == len(party.tried):
                party.tried.append(0)
            fresh, party.tried[number] = intercepted[party.tried[number] :], len(intercepted)
            attempts = list(rewritten(fresh, warrant.order, relabel, kinds))
            if wire.day > warrant.order.last:
                scheme.serve(party, wire, warrant)
            if not in_force(warrant, wire.day):
                attempts += fresh
            elif first and warrant.order.issued < wire.day:
                attempts += fresh  # the mail that it did not ask for while it was honest
            for _ in scheme.access(party, wire, warrant, attempts):
                pass  # the text is in the archive


def rewritten(
    intercepted: Iterable[Intercept], order: Order, rule: Callable[[Any, Order], AccessField], kinds: frozenset[type]
) -> Iterator[Intercept]:
    """Yield the mail whose field is of one of these kinds and can be rewritten under an order, with that field."""
    for each in intercepted:
        try:
            field = rule(codec.decode_any(each.mail.field, kinds), order)
        except (Malformed, Forged):
            continue
        yield msgspec.structs.replace(each, mail=msgspec.structs.replace(each.mail, field=codec.encode(field)))


ATTACK = WarrantMisuse()

"""The authority rewrites a field into one that a warrant covers, keeps its point, and asks the agents about that.

  maul     c, L, proof replaced; u kept: L' = H(number, (target), first day, header)    what a warrant covers
  ask      agents for partials of the mauled field; theirs are of u, hence also of the original field
  read     t partials give [x]u, which opens the original

Against plain threshold ElGamal this is a decryption oracle: permission to ask about one field opens every field. TDH2's
check accepts only fields whose maker knew r and chose this label.
Source: Shoup and Gennaro, "Securing Threshold Cryptosystems against Chosen Ciphertext Attack", J. Cryptology 15(2),
2002, section 1.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Cast
from attacks.warrant_misuse import WarrantMisuse, rewritten
from escrow.derivation import Guard, derivation
from escrow.e2ee.policing import field_type
from escrow.errors import Forged
from escrow.scheme import Intercept, Scheme, Source
from escrow.schemes.threshold import ThresholdField, label_of
from escrow.warrant import Order
from escrow.wire import Wire


@derivation("any field, any order")
def maul(field: ThresholdField, order: Guard[Order]) -> ThresholdField:
    """Return a field under the same point that the order covers. Raise Forged if it is covered, or mauled, already."""
    if order.covers(field.people, field.day) or len(field.people) < 2:
        raise Forged("the order covers this field already, or it was mauled before")
    labels = (field.chain, field.n, (order.target,), order.first, field.header)
    ciphertext = msgspec.structs.replace(field.ciphertext, label=label_of(*labels))
    return ThresholdField(*labels, ciphertext)


class MauledFields(WarrantMisuse):
    """Corrupt the authority: it asks agents about rewritten fields."""

    name = "mauled-fields"
    title = "The authority asks about fields that it rewrote"
    source = Source(
        "Shoup and Gennaro", "Securing Threshold Cryptosystems against Chosen Ciphertext Attack", 2002, "1", "messages"
    )
    in_pages = True
    specimen = "unchecked_ciphertext"
    derivations = (maul,)

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme's fields are threshold ciphertexts."""
        kind = field_type(scheme.device.access_field)
        mauled = kind is not None and issubclass(kind, ThresholdField)
        return "" if mauled else "no field of threshold decryption to maul"

    def each_evening(self, party: Any, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        """Ask about every new field, rewritten into one that each warrant covers."""
        for number, warrant in enumerate(party.warrants):
            if number == len(party.tried):
                party.tried.append(0)
            fresh, party.tried[number] = intercepted[party.tried[number] :], len(intercepted)
            attempts = list(rewritten(fresh, warrant.order, maul, frozenset({ThresholdField})))
            for _ in scheme.access(party, wire, warrant, attempts):
                pass  # the recipe fails on a mauled field; the partials are in the archive


ATTACK = MauledFields()

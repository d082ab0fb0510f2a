"""The parameters of `envelope`, which of them go together, and the module of each form.

  none of these     `escrow.schemes.envelope`: the message key is sealed to one agent's X25519 key
  n, t, per         `agencies`: a secret in parts for n agencies, t of whom open it, with one ephemeral key for all
  kem=xwing         `hybrid`: the same with X-Wing; what both share stands in `several` and `parts`
  policing=publicly `dealt`: shares that everybody can verify (Schoenmakers), which the relay does

Each form is a scheme class of its own, so that the adversary's rules are those of the form, and no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Literal

import msgspec

from escrow.scheme import Scheme
from escrow.schemes.plain import FieldScheme

MOST = 27  # agencies
AGENT = "agent"
Kem = Literal["x25519", "xwing"]
Per = Literal["message", "epoch"]


class EnvelopeForm(FieldScheme, frozen=True, kw_only=True):
    """`n` agencies, `t` of whom open a text; a secret `per` message or per epoch of `days`; the `kem` of their keys."""

    name = "envelope"
    options = (*FieldScheme.options, "kem", "n", "t", "per", "days")
    kem: Kem = "x25519"
    n: int = 1
    t: int = 1
    per: Per = "message"
    days: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for why in self._misfits():
            raise ValueError(why)

    def _misfits(self) -> Iterator[str]:
        if not 1 <= self.t <= self.n <= MOST:
            yield f"t={self.t} of n={self.n} agencies: it must be 1 <= t <= n <= {MOST}"
        if self.days < 1 or (self.per == "message" and self.days > 1):
            yield f"days={self.days} is the length of an epoch: 1 or more with per=epoch, 1 with per=message"
        if self.per == "epoch" and self.t > 1:
            yield (
                f"per=epoch does not go with t={self.t}: one agency's share does not tell whether the labels are true;"
                " per is message, or t is 1"
            )
        if self.per == "epoch" and self.policing in ("recipient", "publicly"):
            yield (
                f"per=epoch does not go with policing={self.policing}: the key of an epoch is its sender's secret;"
                " policing is one of none, relay"
            )
        if self.kem == "xwing" and self.policing == "publicly":
            yield (
                "kem=xwing does not go with policing=publicly: its proofs are of points of a curve;"
                " policing is one of none, relay, recipient"
            )

    @property
    def agents(self) -> tuple[str, ...]:
        """The names of the agencies."""
        return (AGENT,) if self.n == 1 else tuple(f"{AGENT}-{number}" for number in range(1, self.n + 1))

    @property
    def who(self) -> str:
        """Who opens a text, in words."""
        return "The agency" if self.n == 1 else f"Any {self.t} of {self.n} agencies together"

    def in_turn(self, name: bytes) -> Iterator[tuple[int, str]]:
        """Yield number and name of each agency, from another first one for each secret: so none stays unasked."""
        for at in range(self.n):
            number = (name[0] + at) % self.n
            yield number + 1, self.agents[number]

    def usual(self) -> Scheme:
        """Return the scheme with its usual parameters, which is of another class."""
        return form_of({})

    def replaced(self, **chosen: Any) -> Scheme:
        """Return the form of these parameters and its other ones. Raise ValueError if they do not go together."""
        return form_of(msgspec.structs.asdict(self) | chosen)


def form_of(chosen: dict[str, Any]) -> Scheme:
    """Return the scheme of these parameters. Raise ValueError if they do not go together."""
    usual = {field.name: field.default for field in msgspec.structs.fields(EnvelopeForm)}
    changed = {name for name, value in chosen.items() if value != usual[name]} - set(FieldScheme.__struct_fields__)
    if chosen.get("policing") == "publicly":
        where, kind = "_envelope.dealt", "FORM"
    elif chosen.get("kem") == "xwing":
        where, kind = "_envelope.hybrid", "FORM"
    elif changed:
        where, kind = "_envelope.agencies", "FORM"
    else:
        where, kind = "envelope", "EnvelopeScheme"
        chosen = {name: value for name, value in chosen.items() if name in FieldScheme.__struct_fields__}
    form: Scheme = getattr(import_module(f"escrow.schemes.{where}"), kind)(**chosen)
    return form

"""Who learns who sent what, and who is under a warrant."""

from __future__ import annotations

import msgspec

from attacks.lab.results.bounds import Count, DayOrNone, Evening, Result


class Naming(Result, frozen=True, kw_only=True):
    """A minimal coalition that learns who sent the messages of `names` access fields.

    `opens_nothing`: the evenings (-1: set-up) on which its seizure gives that, and opens no text whenever it was sent.
    """

    label_pass: str = msgspec.field(name="pass")
    members: tuple[str, ...]
    officials_only: bool
    names: Count
    opens_nothing: tuple[Evening, ...]


class Secrets(Result, frozen=True, kw_only=True):
    """What secrets of some kinds give by themselves, together with the network's packets and without any state.

    There are `sets` minimal sets of them. Each opens `least` to `most` of the texts, some sent by `first_day` and some
    on `last_day` or after it (-1 where it opens none); all together open `opens`. The most that one names is `names`.
    """

    kinds: tuple[str, ...]
    sets: Count
    least: Count
    most: Count
    opens: Count
    first_day: DayOrNone
    last_day: DayOrNone
    names: Count


class Identities(Result, frozen=True, kw_only=True):
    """For access fields that name their senders: who learns how many of the `fields`, and which secrets give it.

    `unmeasured` says why nothing was measured, if so.
    """

    fields: Count = 0
    coalitions: tuple[Naming, ...] = ()
    secrets: tuple[Secrets, ...] = ()
    unmeasured: str = ""


class NamedTargets(Result, frozen=True, kw_only=True):
    """Of the `targets` of warrants, those of whom the network reads that they are under one, and clients of others.

    `users_told` counts pairs: a target, and another user one of whose devices reads it.
    """

    targets: Count
    network: Count
    clients: Count
    users_told: Count

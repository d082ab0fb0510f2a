"""The property of steps: skipped, lost, repeated or late, they end as the protocol says or in an error."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, zip_longest

from escrow.scheme import Scheme
from escrow.testing.disturbed import FATES, Reference, ToldPacket, enact, lying, treated
from escrow.testing.trying import require, settings, st, tried

OFFICIAL = {"authority", "court"}  # they skip no step of their own: it would harm nobody else


def a_disturbed_step_gives_no_weaker_success(scheme: Scheme, how: settings) -> None:
    """Require that a set-up in which steps are skipped, lost, repeated or late ends as undisturbed, or in an error."""
    reference = Reference(scheme)
    packets = list(reference.set_up())

    def ends_well(fates: dict[int, str], liar: str) -> None:
        fault = reference.fault(enact(scheme, treated(fates), lying(liar)), liar)
        told = (each for each in packets if each.number in fates)
        how_treated = (f"{each.kind.__name__} of {each.src} to {each.dst} {fates[each.number]}" for each in told)
        require(not fault, f"{', '.join(how_treated)}: {fault}")

    singles = list(_in_turn(packets))
    for told, fate in singles[: 2 * reference.runs(how)]:
        ends_well({told.number: fate}, told.src if fate == "skipped" else "")

    numbers, fates = st.integers(0, len(packets) - 1), st.sampled_from(FATES[1:])

    @tried(how, 12, st.dictionaries(numbers, fates, min_size=2, max_size=4))
    def case(several: dict[int, str]) -> None:
        ends_well({packets[at].number: fate for at, fate in several.items() if _applies(packets[at], fate)}, "")


def _applies(told: ToldPacket, fate: str) -> bool:
    return told.src not in OFFICIAL or fate not in {"skipped", "late"}


def _in_turn(packets: list[ToldPacket]) -> Iterator[tuple[ToldPacket, str]]:
    """Yield every packet with every fate, one of each kind and fate after another."""
    groups: dict[tuple[str, str], list[tuple[ToldPacket, str]]] = {}
    for fate in FATES:
        for told in packets:
            if _applies(told, fate):
                groups.setdefault((fate, told.kind.__name__), []).append((told, fate))
    rounds = chain.from_iterable(zip_longest(*groups.values()))
    yield from (each for each in rounds if each is not None)

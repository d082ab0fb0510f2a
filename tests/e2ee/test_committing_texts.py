"""With `committing` every scheme seals its texts with CTX: all goes on as before, and no AES-GCM text is read."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import msgspec
import pytest

from attacks.kernels import two_keys
from escrow import registry
from escrow.crypto import TAG, random_bytes, seal
from escrow.e2ee import ratchet, sender_keys
from escrow.e2ee.ratchet import Message, MessageKey
from escrow.e2ee.sender_keys import SenderMessage
from escrow.errors import Forged
from escrow.primitives.committing import COMMITMENT
from escrow.registry import UnknownName
from escrow.scheme import Scheme
from escrow.schemes.plain import SCHEME
from escrow.testing.harness import Harness, Step, playing

SCHEMES = registry.schemes()
TALK = (
    Step("say", "alice-phone", "bob"),
    Step("collect", "bob-phone"),
    Step("say", "bob-phone", "alice"),
    Step("say", "alice-phone", "choir"),
    Step("say", "carol-phone", "club"),
    Step("collect", "alice-phone"),
    Step("collect", "alice-laptop"),
    Step("collect", "bob-phone"),
    Step("collect", "carol-phone"),
)


def ended(scheme: Scheme) -> tuple[Harness, set[bytes]]:
    """The harness after the talk, and the texts that the lawful access yields about alice."""
    with playing(scheme, forgetful=True) as harness:
        warrant = harness.court.issue(harness.order("alice"))
        harness.serve(warrant)
        harness.play(TALK)
        return harness, harness.access(warrant, harness.intercepted())


def sizes(harness: Harness) -> Counter[int]:
    """How many ciphertexts have how many bytes."""
    return Counter(len(each.sealed) for intercept in harness.intercepted() for each in intercept.ciphertexts[:1])


def policed() -> Iterator[Scheme]:
    """Every scheme, under every policing of its fields that it allows."""
    for scheme in SCHEMES.values():
        yield scheme
        for who in ("relay", "recipient"):
            with suppress(UnknownName):
                yield registry.with_parameters(scheme, [f"{scheme.name}.policing={who}"])


@pytest.mark.parametrize(
    "scheme", list(policed()), ids=lambda scheme: f"{scheme.name} {getattr(scheme, 'policing', '')}"
)
def test_a_scheme_goes_on_as_before_and_a_text_is_16_bytes_longer(scheme: Scheme) -> None:
    before, after = (ended(msgspec.structs.replace(scheme, committing=each)) for each in (False, True))
    assert before[0].shown == after[0].shown == before[0].meant
    assert before[0].wire.alarms == after[0].wire.alarms == []
    assert before[1] == after[1]
    assert {size + COMMITMENT - TAG: times for size, times in sizes(before[0]).items()} == sizes(after[0])


@pytest.mark.parametrize("people", ["bob", "choir"])
def test_a_sender_that_does_not_commit_is_not_read(people: str) -> None:
    with playing(msgspec.structs.replace(SCHEME, committing=True)) as harness:
        harness.play(TALK)
        shown = len(harness.wire.shown)
        harness.device("alice-phone").committing = False
        harness.play([Step("say", "alice-phone", people), *TALK[-4:]])
        assert len(harness.wire.shown) == shown
        assert "a commitment of CTX does not fit" in str(harness.wire.refusals)


def test_a_message_opens_under_two_keys_unless_it_commits() -> None:
    one, other = random_bytes(32), random_bytes(32)
    for kind in (
        lambda sealed, ctx: Message(b"\1" * 32, 0, 0, b"ad", sealed, ctx),
        lambda sealed, ctx: SenderMessage(b"\1" * 16, 0, sealed, ctx),
    ):
        message = kind(b"", False)
        of_two = isinstance(message, Message)
        opened = ratchet.open_message if of_two else sender_keys.open_sender_message
        header = message.associated + ratchet.header(message) if of_two else sender_keys.header(message)
        sealed = two_keys.fitted(one, other, header, random_bytes(32))
        texts = [opened(kind(sealed, False), MessageKey(message.chain, 0, key)).body for key in (one, other)]
        assert texts[0] != texts[1]
        assert seal(other, texts[1], header) == sealed
        for key in (one, other):
            with pytest.raises(Forged):
                opened(kind(sealed, True), MessageKey(message.chain, 0, key))

"""A rogue sender makes one ciphertext that the recipient opens to its text, and the official to a decoy.

  keys     k1 the ratchet's message key; k2 chosen, and k2 is what the access field carries
  seal     C ‖ T that AES-GCM opens under both     k1: text, rest ignored;  k2: a piece ignored, decoy, rest ignored
  read     recipient: the text;  the law: the decoy, from an official that did all it should; nobody complains

A sender that just seals a wrong key to the official hides its text as well, but then nothing opens and the law knows.
It needs a plaintext with room: bytes that a reader passes over. A text's own encoding here is strict and has none: a
decoy would have to begin with the same 9 bytes under both keys (2^71 keys tried, or 2^36 if the sender varies its
ratchet key as well), and the recipient would see the rest behind the text. CTX stops it whatever the encoding; and
recipients that make the field again (policing) find a false key in it.
Source: Dodis, Grubbs, Ristenpart and Woodage, "Fast Message Franking: From Invisible Salamanders to Encryptment",
CRYPTO 2018, section 3. They send an abusive attachment that the one who reports it cannot open.
"""

from collections.abc import Iterable
from itertools import count
from typing import Any, NamedTuple

from attacks.kernels.pieces import HEAD, IGNORED, TEXT, head, piece
from attacks.kernels.two_keys import BLOCK, fitted, keystream
from attacks.lab.simulation.attack import Attack, Cast, Turn, first_target
from attacks.lab.simulation.scenario import Scenario
from escrow import codec
from escrow.crypto import random_bytes, sha256
from escrow.e2ee import ratchet, sessions
from escrow.e2ee.content import Text
from escrow.e2ee.device import FieldContext
from escrow.e2ee.provider import Listed, Mail
from escrow.e2ee.ratchet import Message, MessageKey, open_message
from escrow.errors import Forged
from escrow.principal import Principal, corrupted
from escrow.scheme import Scheme, Source
from escrow.wire import Wire

LONGEST = 256  # bytes by which the piece that k2 ignores may be longer than it has to be: 1 key in 256 will do


class TwoTexts(NamedTuple):
    """A plaintext for the first key, and the second key (32 bytes) under which its ciphertext opens to the decoy."""

    plaintext: bytes
    other: bytes


def two_texts(key: bytes, associated: bytes, text: bytes, decoy: bytes) -> TwoTexts:
    """Return a plaintext of pieces whose AES-GCM ciphertext opens to `text` under `key`, and to `decoy` under another.

    Args:
        key: the message key, 32 bytes.
        associated: the associated data of the message.
        text: the encoded content that the recipient reads.
        decoy: the encoded content that the official reads.
    """
    shown, least, seed = piece(TEXT, text), len(text) + HEAD, random_bytes(32)
    begin = keystream(key, shown[:HEAD])
    for number in count():
        other = sha256(seed, number.to_bytes(4, "big"))
        kind, *length = keystream(other, begin)
        ignored = int.from_bytes(bytes(length), "big")
        if kind != TEXT and least <= ignored < least + LONGEST:
            break
    at = HEAD + ignored  # where the decoy begins
    hidden = piece(TEXT, decoy)
    size = -(-(at + len(hidden) + HEAD) // BLOCK) * BLOCK + BLOCK
    hidden += head(IGNORED, size - at - len(hidden) - HEAD)
    front = shown + head(IGNORED, size - len(shown) - HEAD) + random_bytes(at - len(shown) - HEAD)
    stream = keystream(other, bytes(size))
    middle = bytes(a ^ b for a, b in zip(hidden, stream[at:], strict=False))
    filler = random_bytes(size - BLOCK - at - len(middle))
    sealed = fitted(key, other, associated, keystream(key, front) + middle + filler)
    return TwoTexts(keystream(key, sealed[:size]), other)


class Salamander(Attack):
    """Corrupt the first target's first device: the law opens decoys in what it sends."""

    name = "salamander"
    title = "One ciphertext, two keys: the law opens a decoy"
    source = Source("Dodis et al.", "Fast Message Franking: From Invisible Salamanders to Encryptment", 2018, "3")
    in_pages = True
    specimen = "ignored_pieces"
    stops_mail = True  # the rogue's own, where recipients look at the field

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless a plaintext of the scheme has bytes that its readers pass over."""
        room = getattr(scheme.device, "ignores_pieces", False)
        return "" if room else "a text's encoding is strict: no room for a decoy"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the first device of the first warrant's target, from the first day."""
        return [Turn(name, 0) for name in first_target(scenario)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device seal two texts in one, and put the decoy's key into the field if that key opens it."""
        honest: Any = type(party)

        def mail_to(self: Any, wire: Wire, to: Listed, body: bytes, people: tuple[str, ...] | None) -> None:
            conversing = sessions.current(self, wire, to)
            session = conversing.session
            if people is None or session.sending is None:
                honest.mail_to(self, wire, to, body, people)
                return
            key, _ = ratchet.step(session.sending)
            blank = Message(key.chain, key.n, session.previous, session.associated, b"")
            header = session.associated + ratchet.header(blank)
            decoy = codec.encode(Text(codec.decode(body, Text).conversation, random_bytes(32)))
            two = two_texts(key.value, header, body, decoy)
            message, key = ratchet.encrypt(session, two.plaintext, self.committing)
            told = MessageKey(key.chain, key.n, two.other)
            try:
                open_message(message, told)
            except Forged:  # it commits to its key: another one in the field would open nothing, and be noticed
                told = key
            field = self._field(told, FieldContext(people, wire.day, header))
            mail = Mail(self.name, (to.device,), "", conversing.initial, ratchet.pack(message), field)
            wire.tell(self.name, self.provider, mail)

        return corrupted(party, mail_to=mail_to)


ATTACK = Salamander()

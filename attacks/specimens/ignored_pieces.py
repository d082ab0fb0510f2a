"""Texts as pieces, of which a reader takes the first text and ignores the rest, as readers of protobuf ignore fields.

  plaintext   (kind (1 byte) ‖ length (2) ‖ bytes) …      kind 1 is a text; any other kind is passed over

SPECIMEN seals them with AES-GCM, which opens one ciphertext under two keys: what is text under one key is passed over
under the other. TWIN seals them with CTX. The other schemes' encoding is strict and leaves nothing to pass over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from attacks.kernels.pieces import HEAD, TEXT, piece
from attacks.specimens._box import BoxScheme
from escrow import codec
from escrow.derivation import derivation
from escrow.e2ee.content import Text
from escrow.e2ee.provider import Listed, Mail
from escrow.e2ee.ratchet import Message, MessageKey, Plaintext, open_message
from escrow.errors import EscrowError, Forged, Malformed
from escrow.scheme import Intercept, open_intercepted, wanted
from escrow.schemes.envelope import Envelope, EnvelopeDevice, open_message_key
from escrow.warrant import Authority, Warrant
from escrow.wire import Wire


@derivation()
def first_text(plaintext: Plaintext) -> Plaintext:
    """Return the first piece that is a text. Raise Forged if there is none, or a piece is cut off."""
    body, found = plaintext.body, None
    while body:
        kind, end = body[0], HEAD + int.from_bytes(body[1:HEAD], "big")
        if len(body) < max(end, HEAD):
            raise Forged("a piece is cut off")
        if kind == TEXT and found is None:
            found = body[HEAD:end]
        body = body[end:]
    if found is None:
        raise Forged("no piece is a text")
    return Plaintext(found)


class PiecesDevice(EnvelopeDevice):
    """A device whose pairwise texts are pieces."""

    ignores_pieces: ClassVar[bool] = True

    def mail_to(self, wire: Wire, to: Listed, body: bytes, people: tuple[str, ...] | None) -> None:
        """Send a content as one piece."""
        super().mail_to(wire, to, piece(TEXT, body), people)

    def open_pairwise(self, mail: Mail, author: Listed) -> Plaintext:
        """Return the first text of a mail between two devices, and ignore the rest."""
        return first_text(super().open_pairwise(mail, author))


class IgnoredPieces(BoxScheme, frozen=True, kw_only=True):
    """A box whose clients and authority read the first text of a plaintext and ignore other pieces."""

    name = "ignored-pieces"
    title = "Specimen: texts in pieces, sealed with AES-GCM"
    device = PiecesDevice

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Ask the agent about each field that the warrant covers, and yield the first text under each key."""
        for intercept, field in wanted(authority, warrant, intercepted, Envelope):
            try:
                key = open_message_key(authority.ask(wire, "agent", warrant, field), authority.key.agreement)
            except EscrowError as error:
                wire.complain("agent", error)
                continue
            opened = [*_texts(intercept, key)] or [*open_intercepted(authority, intercept, key)]
            if not opened:
                wire.complain("agent", Forged("the key that it gave opens no message"))
            yield from opened


def _texts(intercept: Intercept, key: MessageKey) -> Iterator[bytes]:
    """Yield the text of a pairwise mail under a message key, if it opens one."""
    for ciphertext in intercept.ciphertexts:
        try:
            if isinstance(ciphertext, Message):
                yield codec.decode(first_text(open_message(ciphertext, key)).body, Text).body
        except (Forged, Malformed):
            continue


class CommittedPieces(IgnoredPieces, frozen=True, kw_only=True):
    """The same with CTX: a ciphertext opens under one key only."""

    name = "committed-pieces"
    title = "Twin: texts in pieces, sealed with a committing AEAD"
    committing: bool = True


SPECIMEN, TWIN = IgnoredPieces(), CommittedPieces()

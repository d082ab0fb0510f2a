"""How pre-shared keys enter a key schedule. Source: RFC 9420, section 8.4."""

from __future__ import annotations

from collections.abc import Sequence

from escrow import crypto
from escrow.mls.framing import PreSharedKeyId
from escrow.mls.key_schedule import NO_PSK
from escrow.mls.labelled import HASH, expand_with_label
from escrow.mls.presentation import Tls, Uint16


class _PskLabel(Tls, frozen=True):
    psk: PreSharedKeyId
    index: Uint16
    count: Uint16


def psk_secret(keys: Sequence[tuple[PreSharedKeyId, bytes]]) -> bytes:
    """Return the secret (32 bytes) of pre-shared keys, each with its name, in the order of the commit."""
    secret = NO_PSK
    for index, (name, key) in enumerate(keys):
        extracted = crypto.hkdf_extract(bytes(HASH), key)
        label = _PskLabel(name, index, len(keys)).encoded()
        secret = crypto.hkdf_extract(expand_with_label(extracted, "derived psk", label, HASH), secret)
    return secret

"""Pre-shared keys, of the application and out of earlier epochs, and how they enter a key schedule.

Source: RFC 9420, sections 8.4 and 8.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from escrow import crypto
from escrow.errors import Forged
from escrow.mls.framing import ExternalPsk, PreSharedKeyId
from escrow.mls.key_schedule import NO_PSK, GroupContext
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


class PreSharedKeys:
    """The pre-shared keys that a client has: those that the application gave, and those of its last epochs."""

    EPOCHS = 16  # whose keys are kept; the RFC leaves the number to the application

    def __init__(self, external: Mapping[bytes, bytes] | None = None) -> None:
        """Keep the application's keys, by name."""
        self._external = dict(external or {})
        self._resumption: dict[tuple[bytes, int], bytes] = {}

    def copy(self) -> PreSharedKeys:
        """Return keys that change apart from these."""
        other = PreSharedKeys(self._external)
        other._resumption = dict(self._resumption)
        return other

    def remember(self, context: GroupContext, key: bytes) -> None:
        """Keep the resumption key (32 bytes) of an epoch, and forget the oldest one if there are too many."""
        self._resumption[context.group_id, context.epoch] = key
        for old in list(self._resumption)[: -self.EPOCHS]:
            del self._resumption[old]

    def secret(self, names: Sequence[PreSharedKeyId]) -> bytes:
        """Return the secret (32 bytes) of the keys with these names, in order. Raise Forged if one is not there."""
        return psk_secret([(name, self._key(name)) for name in names])

    def _key(self, name: PreSharedKeyId) -> bytes:
        psk = name.psk
        if isinstance(psk, ExternalPsk):
            found = self._external.get(psk.psk_id)
        else:
            found = self._resumption.get((psk.group_id, psk.epoch))
        if found is None:
            raise Forged(f"a pre-shared key is not there: {psk}")
        return found

"""All that travels, under one head: version, wire format, and what it is. Source: RFC 9420, section 6."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from escrow.errors import Malformed
from escrow.mls.framing import PRIVATE, PUBLIC, PrivateMessage, PublicMessage
from escrow.mls.labelled import VERSION
from escrow.mls.leaf_node import KeyPackage
from escrow.mls.presentation import Select, Tls, Uint16, decode
from escrow.mls.welcome import GroupInfo, Welcome

Body = PublicMessage | PrivateMessage | Welcome | GroupInfo | KeyPackage
_FORMATS: dict[int, type[Tls]] = {
    PUBLIC: PublicMessage,
    PRIVATE: PrivateMessage,
    3: Welcome,
    4: GroupInfo,
    5: KeyPackage,
}


class _MlsMessage(Tls, frozen=True):
    version: Uint16
    body: Annotated[Body, Select("wire format", 2, _FORMATS)]


def to_bytes(body: Body) -> bytes:
    """Return what travels."""
    return _MlsMessage(VERSION, body).encoded()


@lru_cache(maxsize=64)
def from_bytes(data: bytes) -> Body:
    """Return what came. Raise Malformed, which names the field, if it is nothing of MLS 1.0.

    All members read the same bytes one after the other; nothing in the value can be changed.
    """
    message = decode(data, _MlsMessage)
    if message.version != VERSION:
        raise Malformed(f"the message is of version {message.version} of MLS")
    return message.body

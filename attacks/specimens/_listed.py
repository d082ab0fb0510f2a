"""Plain with a key directory, for specimens whose clients leave one check out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from escrow.e2ee.listing.checks import ClientCheck
from escrow.e2ee.listing.proved import Watch, WatchingClient
from escrow.e2ee.listing.published import ListingProvider, Publishing
from escrow.schemes.ghost_directory import Audits, DirectoryRules, InDirectory, Unpublished


class ListedProvider(ListingProvider):
    """A provider that publishes its lists."""

    publishing: Publishing = msgspec.field(default_factory=Publishing)


class ListedClient(WatchingClient):
    """A client that makes every check."""

    watch: Watch = msgspec.field(default_factory=Watch)


class ListedPlain(InDirectory, frozen=True, kw_only=True):
    """Plain with a key directory: an epoch a day, each head compared with the auditor's, nothing pending used."""

    device = ListedClient
    provider = ListedProvider
    epoch: int = 1
    gossip: int = 100
    audits: Audits = "auditor"
    pending: Unpublished = "waits"

    @property
    def rules(self) -> DirectoryRules:
        """The rules that its parties know."""
        return DirectoryRules(self.epoch, self.gossip, self.audits, self.pending)


def without(*checks: ClientCheck) -> type[ListedClient]:
    """Return the class of a client that leaves these checks out."""
    left_out = {each.name for each in checks}

    def keeps(self: ListedClient, promise: str) -> bool:
        return promise not in left_out

    name = "".join(word.title() for each in checks for word in each.name.split())
    methods: dict[str, Callable[..., bool]] = {"keeps": keeps}
    made: Any = msgspec.defstruct(f"Without{name}", [], bases=(ListedClient,), namespace=methods, module=__name__)
    client: type[ListedClient] = made
    return client

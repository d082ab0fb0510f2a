"""Ghost participants where every conversation is a group of MLS: a silent leaf in the tree of each.

  group    two users' devices, or those of a group's members: one leaf each; the delivery service orders commits
  serve    authority --(warrant, keys of g)--> provider, credential service
           the one lists g among the target's devices, the other attests its key to the target
  add      whoever writes next in a conversation of the target adds g's leaf, as that of any new device
  quiet    a client hides g from its user as in ghost (hush, covers, number)
  access   g collects its mail; the authority keeps the texts
  weak     the provider alone adds nobody: a leaf that the service does not attest is refused. Who has both adds a leaf
           that only a notice or a comparison of numbers shows

A leaf is in every member's tree, so that tree hash, transcript and epoch tell all of it; none tells whose it is.

Sources: Levy and Robinson (2018) for the silent participant; Barnes and others, RFC 9420 (2023), for the groups;
Beurdouche and others, RFC 9750 (2025), for the two services. That they meet is ours: no text on silent participants
that was read speaks of MLS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

import msgspec
from msgspec.structs import replace

from escrow import codec, crypto
from escrow.codec import Public
from escrow.crypto import new_private, new_signing_key
from escrow.derivation import Checks, honest_only
from escrow.e2ee.content import Conversation
from escrow.e2ee.device import Ghost, Prekey, ghost_name
from escrow.e2ee.x3dh import IdentityKey
from escrow.grants import Choice, Claim
from escrow.mls.conversations.attesting import (
    SERVICE,
    Attestation,
    AttestationOf,
    AttestationService,
    LinkedKeys,
    ServiceKey,
)
from escrow.mls.conversations.delivery import HandshakeTold, TreeProvider
from escrow.mls.conversations.outsiders import ProposerKey
from escrow.mls.conversations.tree_device import TreeDevice, Trees
from escrow.mls.group_state import GroupChange
from escrow.principal import Principal, shared
from escrow.scheme import Overheard, Source, User
from escrow.schemes._ghost_claim import CLAIM
from escrow.schemes._ghost_mls_claim import CHOICES, CONCESSIONS, GRANTS, PROPOSALS, SECURITY
from escrow.schemes.ghost import GhostAuthority, GhostClient, GhostKeys, GhostProvider, GhostScheme, until
from escrow.schemes.plain import Plain
from escrow.warrant import Official, Request, Warrant
from escrow.wire import Wire

PACKAGES = 10  # key packages of a silent device


class TreeGhost(TreeDevice, Ghost):
    """A silent leaf: it keeps what it reads, and shows nothing."""

    trees: Trees = msgspec.field(default_factory=Trees)

    def policy(self, wire: Wire, conversation: Conversation, change: GroupChange) -> None:
        """Follow every change: whoever is in the group, the ghost reads on."""


class TreeGhostClient(TreeDevice, GhostClient):
    """A client in groups of MLS, built to hide a device that a court has ordered."""

    checks = tuple(dict.fromkeys((*GhostClient.checks, *TreeDevice.checks)))
    trees: Trees = msgspec.field(default_factory=Trees)


class TreeGhostProvider(TreeProvider, GhostProvider):
    """A delivery service that serves warrants; `proposer` is its key if groups let it propose members."""

    commits: dict[str, list[HandshakeTold]] = {}
    proposer: ProposerKey | None = None


class CredentialService(AttestationService, Official):
    """An authentication service that serves warrants: `silent` are the requests under which it attests devices."""

    key: ServiceKey
    linked: dict[str, list[Public]] = {}
    told: list[LinkedKeys] = []
    court: Public = b""
    silent: list[Request] = []

    @shared("the authority that a court's warrant names has signed it", anybody=True)
    def on_request(self, sender: str, request: Request, wire: Wire) -> None:
        """Attest the key of a silent device from now on, under a warrant that passes every check: the last one's."""
        codec.decode(request.subject, GhostKeys)
        self.admit(request, wire.day, iter(()))
        others = [each for each in self.silent if each.warrant.order != request.warrant.order]
        self.silent = [*others, request]

    def timely(self, warrant: Warrant, day: int) -> Checks:
        """Yield the checks on the warrant: the court's signature first; days to come, and content."""
        yield "court's signature", warrant.signed_by(self.court)
        yield from super().timely(warrant, day)
        yield "window", day <= warrant.order.last
        yield "scope", warrant.order.opens_content

    @shared("any client may ask whose a key is", anybody=True)
    def on_attestation_of(self, sender: str, packet: AttestationOf, wire: Wire) -> Attestation:
        """Return the attestation of a key; of a silent device's, while its warrant lasts."""
        self.silent = [each for each in self.silent if wire.day <= until(each.warrant.order)]
        return super().on_attestation_of(sender, packet, wire)

    def attests(self, user: str, key: bytes) -> bool:
        """Return whether a key is one of a user's, or of a device that is silently among them."""
        silent = ((each.warrant.order.target, codec.decode(each.subject, GhostKeys).identity) for each in self.silent)
        return super().attests(user, key) or (user, key) in silent


class TreeHaunting(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A silent leaf and the warrant that it serves."""

    warrant: Warrant
    ghost: TreeGhost


class TreeGhostAuthority(GhostAuthority):
    """An authority that runs silent leaves; `service` is the public key (32 bytes) of the authentication service."""

    leaves: list[TreeHaunting] = []
    service: Public = b""

    def haunt(self, wire: Wire, warrant: Warrant, committing: bool = False) -> None:
        """Make a silent device, have the service attest it and the provider list it. Raise what they raised."""
        order = warrant.order
        ghost = new_tree_ghost(order.target, ghost_name(order.target, order.nonce), self.service)
        keys = public_half(ghost)
        self.put(wire, SERVICE, warrant, keys, type(None))
        self.put(wire, ghost.provider, warrant, keys, type(None))
        self.leaves.append(TreeHaunting(warrant, ghost))

    def running(self, warrant: Warrant) -> list[Ghost]:
        """Return the silent leaves that serve a warrant."""
        return [each.ghost for each in self.leaves if each.warrant == warrant]


def new_tree_ghost(target: str, name: str, service: bytes) -> TreeGhost:
    """Return a silent device with its own keys, named as one of the target's."""
    identity = new_signing_key(IdentityKey)
    return TreeGhost(
        name,
        target,
        identity,
        [identity.public],
        prekeys=[Prekey(new_private(), 0)],
        trees=Trees(identity.public, service),
    )


@honest_only("what a silent device publishes")
def public_half(ghost: TreeGhost) -> GhostKeys:
    """Return the public half of a silent device, with key packages that are made here."""
    told = ghost.publication(PACKAGES)
    return GhostKeys(ghost.name, told.identity, told.prekey, told.signature, told.one_time)


class InTrees(Plain, frozen=True, kw_only=True):
    """Base of a scheme in groups of MLS. It adds no field, so that any scheme can have it as a second base."""

    service: ClassVar[type[AttestationService]]

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of the other base, and the authentication service, whose key all of them know."""
        with crypto.acting(SERVICE):
            key = new_signing_key(ServiceKey)
        linked = dict[str, list[bytes]]()
        for party in super().cast(users, court):
            if isinstance(party, TreeDevice):
                party.trees = Trees(party.identity.public, key.public)
                linked[party.user] = list(party.linked)
            self.told(party, key.public)
            yield party
        service = self.service(SERVICE, key=key, linked=linked)
        self.told(service, court)
        yield service

    def told(self, party: Principal, key: bytes) -> None:
        """Tell a party the service's key (32 bytes), or the service the court's, if it is to know it."""


class GhostMls(InTrees, GhostScheme, frozen=True, kw_only=True):
    """Ghost, where conversations are groups of MLS and a service attests the key of each leaf.

    `proposals`: who may propose who joins a group: its members, or the provider beside them, as an external sender.
    """

    name = "ghost-mls"
    title = "Ghost participant, in groups of MLS"
    source = Source(
        "Levy and Robinson; Barnes and others",
        "Principles for a More Informed Exceptional Access Debate; The Messaging Layer Security (MLS) Protocol",
        2018,
        "on virtual crocodile clips; RFC 9420",
        "that the two meet, and the messages",
    )
    family = "Silent participant"
    overheard = (
        *GhostScheme.overheard,
        Overheard(("AttestationOf", "Attestation"), "a client asks for the attestation of each new device's key"),
        Overheard(
            ("HandshakeTold", "HandshakesSince", "Handshakes", "HandshakeTaken"),
            "a silent leaf is added as any new device's",
        ),
        Overheard(
            ("ListOf", "Vouchers", "SignatureOf", "GroupSignature"),
            "a client asks who vouches for a new leaf, silent or not",
        ),
    )
    device = TreeGhostClient
    provider = TreeGhostProvider
    authority = TreeGhostAuthority
    service = CredentialService
    proposals: Literal["members", "provider"] = "members"
    options = (*GhostScheme.options, "proposals")

    def __post_init__(self) -> None:
        """Raise ValueError for one key a user: no two leaves of a group have one signature key (RFC 9420, 7.3)."""
        if self.devices == "shared":
            raise ValueError("devices=shared: in a group of MLS each device has a signature key of its own")

    @property
    def claim(self) -> Claim:
        """As ghost's; what devices give, and who is trusted for keys, is as RFC 9420 says."""
        return replace(super().claim, grants=GRANTS, sources=(*CLAIM.sources, *SECURITY), concessions=CONCESSIONS)

    def _choices(self) -> Iterator[Choice]:
        yield from super()._choices()
        yield from CHOICES
        yield PROPOSALS[self.proposals]

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties; if the provider may propose, it has a key for that, which all clients know."""
        parties = list(super().cast(users, court))
        if self.proposals == "provider":
            with crypto.acting("provider"):
                key = new_signing_key(ProposerKey)
            for party in parties:
                if isinstance(party, TreeGhostProvider):
                    party.proposer = key
                if isinstance(party, TreeDevice):
                    party.trees.outsider = key.public
        yield from parties

    def told(self, party: Principal, key: bytes) -> None:
        """Tell the authority the service's key, and the service the court's."""
        if isinstance(party, TreeGhostAuthority):
            party.service = key
        if isinstance(party, CredentialService):
            party.court = key


SCHEME = GhostMls()

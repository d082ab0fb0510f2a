"""What travels and is kept where conversations are groups of MLS, and what its holder computes from it.

  enter     (a sealed path secret, the keys of an epoch, the node's key) -> the next epoch: its keys and ratchets, and
            the keys of the nodes above
  join      (an invitation, the key that it is sealed to) -> the epoch that it leads into
  open      (a message, its sender-data key) -> the sender's place; (that, the sender's ratchet) -> the text's key

Everything that a commit seals is public, with the group as it is afterwards. Rules and honest members call the same
functions of escrow.mls. Source: RFC 9420, sections 6.3, 7.4 to 7.6, 8, 9, 12.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from escrow.codec import Fact, Public
from escrow.crypto import Private, derived_private
from escrow.derivation import derivation, honest_only
from escrow.e2ee.ratchet import Plaintext
from escrow.e2ee.transcript import TreeMessage
from escrow.errors import Forged, Malformed
from escrow.mls import messages
from escrow.mls.framing import (
    AddMember,
    ApplicationData,
    Commit,
    ExternalInit,
    MemberSender,
    PrivateMessage,
    Proposed,
    PublicMessage,
)
from escrow.mls.key_schedule import (
    EpochSecrets,
    GroupContext,
    external_init_opened,
    joined,
    scheduled,
)
from escrow.mls.labelled import HpkeCiphertext, decrypt_with_label
from escrow.mls.leaf_node import KeyPackage, LeafNode
from escrow.mls.presentation import decode
from escrow.mls.protection import SenderData, opened_content, opened_sender
from escrow.mls.trees import tree_math
from escrow.mls.trees.ratchet_tree import RatchetTree
from escrow.mls.trees.secret_tree import APPLICATION, HashRatchet, KeyNonce, SecretTree
from escrow.mls.trees.treekem import following, keys_above, node_key, path_receivers
from escrow.mls.welcome import GroupInfo, GroupSecrets, Welcome
from escrow.primitives import hpke

_LEAF = b"escrow-lab encryption key of a leaf"


class EpochKeys(Fact, frozen=True):
    """The secrets of an epoch that its members keep until the next one, 32 bytes each."""

    group: Public
    epoch: int
    init: bytes
    external: bytes
    membership: bytes
    authenticator: bytes


class SenderDataKey(Fact, frozen=True):
    """The secret (32 bytes) that tells who sent a message of an epoch."""

    group: Public
    epoch: int
    value: bytes


class LeafChain(Fact, frozen=True):
    """The ratchet secret (32 bytes) of a leaf's texts in an epoch, before message n."""

    group: Public
    epoch: int
    leaf: int
    n: int
    value: bytes


class TextKey(Fact, frozen=True):
    """The key (16 bytes) and nonce (12 bytes) of one message; of one that has not come yet it is kept."""

    group: Public
    epoch: int
    leaf: int
    n: int
    key: bytes
    nonce: bytes


class Placed(Fact, frozen=True):
    """A message whose sender and number are known; `guard` is part of its nonce."""

    group: Public
    epoch: int
    leaf: int
    n: int
    guard: int
    body: Public


class Handshake(Fact, frozen=True):
    """A commit as it travels, made in an epoch of a group; the Welcome that goes with it, for the init keys `invited`.

    `transcript` is the confirmed transcript hash before it (32 bytes, or none), and `info` the group afterwards, as its
    committer signed it: what a newcomer or a stranger begins with. `by` is the device that sent it. `proposed` are the
    proposals from outside to which it refers.
    """

    unchecked = {
        "by": "the delivery service's word; whose leaf it is, the commit says",
        "invited": "a Welcome that is not found is as one that was kept back",
    }

    group: Public
    epoch: int
    transcript: Public
    message: Public
    welcome: Public
    info: Public
    invited: tuple[Public, ...]
    by: str = ""
    proposed: tuple[Public, ...] = ()


class SealedPath(Fact, frozen=True):
    """A path secret of a commit, sealed to the node key `to`; what is needed to go on from there, all of it public.

    `labels` is the group context for its opening, `above` are the keys (32 bytes each) of the nodes from there up,
    `context` the next epoch's group context, `leaves` its number of leaves, `kem_output` of who joins by himself.
    """

    group: Public
    epoch: int
    to: Public
    sealed: Public
    labels: Public
    above: tuple[Public, ...]
    context: Public
    leaves: int
    kem_output: Public


class Invitation(Fact, frozen=True):
    """The secrets of a newcomer, sealed to the init key `to`, with the group that they lead into."""

    to: Public
    sealed: Public
    group_info: Public
    info: Public


# --- what a commit shows to everybody ---


def _committed(handshake: Handshake) -> tuple[PublicMessage, Commit, GroupInfo, RatchetTree]:
    message = messages.from_bytes(handshake.message)
    info = messages.from_bytes(handshake.info)
    if not isinstance(message, PublicMessage) or not isinstance(info, GroupInfo):
        raise Forged("a handshake is of a public message and a GroupInfo")
    commit = message.content.content
    if not isinstance(commit, Commit) or commit.path is None:
        raise Forged("a handshake brings no commit with new keys")
    return message, commit, info, info.tree()


def proposed_package(message: bytes) -> KeyPackage:
    """Return the key package of who is proposed. Raise Malformed if the bytes propose nobody."""
    found = messages.from_bytes(message)
    content = found.content.content if isinstance(found, PublicMessage) else None
    if not isinstance(content, Proposed) or not isinstance(content.proposal, AddMember):
        raise Malformed("a proposal from outside adds nobody")
    return content.proposal.key_package


def _newcomers(handshake: Handshake, commit: Commit, tree: RatchetTree) -> set[int]:
    added = [each.proposal for each in commit.proposals if isinstance(each, Proposed)]
    packages = [each.key_package for each in added if isinstance(each, AddMember)]
    leaves = [each.leaf_node for each in (*packages, *map(proposed_package, handshake.proposed))]
    return {index for index, leaf in tree.members() if leaf in leaves}


@derivation()
def read_handshake(handshake: Handshake) -> tuple[SealedPath | Invitation, ...]:
    """Return what a commit and its Welcome have sealed. Raise Forged if it is no commit that members can read."""
    try:
        return (*_sealed_paths(handshake), *_invitations(handshake))
    except Malformed as error:
        raise Forged(str(error)) from None


def _sealed_paths(handshake: Handshake) -> Iterator[SealedPath]:
    message, commit, info, tree = _committed(handshake)
    path, sender = commit.path, message.content.sender
    if path is None:
        return
    index = sender.leaf if isinstance(sender, MemberSender) else _leaf_of(tree, path.leaf_node)
    labels = replace(info.context, confirmed_transcript_hash=handshake.transcript).encoded()
    kem_output = next(
        (
            each.proposal.kem_output
            for each in commit.proposals
            if isinstance(each, Proposed) and isinstance(each.proposal, ExternalInit)
        ),
        b"",
    )
    filtered, newcomers = tree.filtered_path(index), _newcomers(handshake, commit, tree)
    above = [sent.encryption_key for sent in path.nodes]
    for at, (sent, (_, other)) in enumerate(zip(path.nodes, filtered, strict=False)):
        for node, sealed in zip(path_receivers(tree, other, newcomers), sent.encrypted_path_secrets, strict=False):
            if (found := tree.nodes[node]) is not None:
                yield SealedPath(
                    handshake.group,
                    handshake.epoch,
                    found.encryption_key,
                    sealed.encoded(),
                    labels,
                    tuple(above[at:]),
                    info.context.encoded(),
                    tree.leaves,
                    kem_output,
                )


def _leaf_of(tree: RatchetTree, leaf: LeafNode) -> int:
    for index, each in tree.members():
        if each == leaf:
            return index
    raise Forged("who joins by himself is not in the tree")


def _invitations(handshake: Handshake) -> Iterator[Invitation]:
    if not handshake.welcome:
        return
    welcome = messages.from_bytes(handshake.welcome)
    if not isinstance(welcome, Welcome):
        raise Forged("a handshake brings no Welcome")
    for to, each in zip(handshake.invited, welcome.secrets, strict=False):
        yield Invitation(to, each.secrets.encoded(), welcome.encrypted_group_info, handshake.info)


# --- what members compute ---


@honest_only("a step of join")
def leaf_key(key: Private) -> Private:
    """Return the encryption key of the leaf in the key package that has this init key."""
    return derived_private(key.raw, _LEAF)


@honest_only("what a member keeps of an epoch that it has computed")
def begun(context: GroupContext, made: EpochSecrets, leaves: int) -> tuple[EpochKeys, SenderDataKey, list[LeafChain]]:
    """Return what a member keeps of an epoch with so many leaves as it begins; the rest is erased."""
    group, epoch = context.group_id, context.epoch
    keys = EpochKeys(
        group, epoch, made.init_secret, made.external_secret, made.membership_key, made.epoch_authenticator
    )
    tree = SecretTree(made.encryption_secret, leaves)
    ratchets = [tree.ratchet(leaf, APPLICATION) for leaf in range(leaves)]
    chains = [LeafChain(group, epoch, leaf, each.generation, each.secret) for leaf, each in enumerate(ratchets)]
    return keys, SenderDataKey(group, epoch, made.sender_data_secret), chains


def _context(data: bytes) -> GroupContext:
    try:
        return decode(data, GroupContext)
    except Malformed as error:
        raise Forged(str(error)) from None


@derivation("path.group = keys.group, path.epoch = keys.epoch, path.to = key.public")
def enter(
    path: SealedPath, keys: EpochKeys, key: Private
) -> tuple[EpochKeys | SenderDataKey | LeafChain | Private, ...]:
    """Return the next epoch, and the private keys of the nodes above. Raise Forged if they do not fit together."""
    try:
        sealed = decode(path.sealed, HpkeCiphertext)
    except Malformed as error:
        raise Forged(str(error)) from None
    secret, found = decrypt_with_label(key, "UpdatePathNode", path.labels, sealed), list[Private]()
    for public in path.above:
        found.append(node_key(secret))
        if found[-1].public != public:
            raise Forged("the path secret does not give the public key of a node")
        secret = following(secret)
    external = hpke.derive_key_pair(keys.external) if path.kem_output else None
    init = keys.init if external is None else external_init_opened(external, path.kem_output)
    context = _context(path.context)
    kept, sender, chains = begun(context, scheduled(init, secret, context).epoch, path.leaves)
    return (kept, sender, *chains, *found)


@derivation("invitation.to = key.public")
def join(invitation: Invitation, key: Private) -> tuple[EpochKeys | SenderDataKey | LeafChain | Private, ...]:
    """Return the epoch that an invitation leads into. Raise Forged if it is for another key, or does not fit."""
    try:
        sealed, info = decode(invitation.sealed, HpkeCiphertext), messages.from_bytes(invitation.info)
        secrets = decode(decrypt_with_label(key, "Welcome", invitation.group_info, sealed), GroupSecrets)
        if not isinstance(info, GroupInfo) or secrets.path_secret is None:
            raise Forged("an invitation leads into no group, or brings no path secret")
        tree = info.tree()
    except Malformed as error:
        raise Forged(str(error)) from None
    leaf, made = leaf_key(key), joined(secrets.joiner_secret, info.context).epoch
    made.check_confirmation(info.confirmation_tag, info.context.confirmed_transcript_hash)
    index = next((index for index, each in tree.members() if each.encryption_key == leaf.public), None)
    if index is None:
        raise Forged("the newcomer has no leaf in the tree")
    start = tree_math.common_ancestor(2 * index, 2 * info.signer)
    above, _ = keys_above(tree, info.signer, start, secrets.path_secret.path_secret)
    keys, sender, chains = begun(info.context, made, tree.leaves)
    return (keys, sender, *chains, leaf, *above.values())


@honest_only("reads public bytes")
def private_message(message: TreeMessage) -> PrivateMessage:
    """Return the message as MLS has it. Raise Forged if the bytes are not a message."""
    try:
        found = messages.from_bytes(message.body)
    except Malformed as error:
        raise Forged(str(error)) from None
    if not isinstance(found, PrivateMessage):
        raise Forged("a mail carries no private message")
    return found


@derivation("message.group = key.group, message.epoch = key.epoch")
def place(message: TreeMessage, key: SenderDataKey) -> Placed:
    """Return where a message stands: its sender's leaf and its number. Raise Forged if the key does not open that."""
    try:
        data = opened_sender(private_message(message), key.value)
    except Malformed as error:
        raise Forged(str(error)) from None
    return Placed(message.group, message.epoch, data.leaf, data.generation, data.guard, message.body)


@derivation("placed.group = chain.group, placed.epoch = chain.epoch, placed.leaf = chain.leaf")
def advance(placed: Placed, chain: LeafChain) -> TextKey:
    """Return the key of a message from its sender's ratchet. Raise Forged if the ratchet has passed it."""
    made = HashRatchet(chain.value, chain.n).at(placed.n)
    return TextKey(placed.group, placed.epoch, placed.leaf, placed.n, *made)


@derivation("placed.group = key.group, placed.epoch = key.epoch, placed.leaf = key.leaf, placed.n = key.n")
def open_placed(placed: Placed, key: TextKey) -> Plaintext:
    """Open a message. Raise Forged if the key does not fit."""
    message = private_message(TreeMessage(placed.group, placed.epoch, placed.body))
    data = SenderData(placed.leaf, placed.n, placed.guard)
    try:
        content = opened_content(message, data, KeyNonce(key.key, key.nonce)).content.content
    except Malformed as error:
        raise Forged(str(error)) from None
    if not isinstance(content, ApplicationData):
        raise Forged("a private message carries no text")
    return Plaintext(content.data)

"""How somebody becomes a member, or proposes from outside.

  found      a group of one
  welcomed   by the Welcome of a commit that adds him; he checks the whole tree
  external   by his own commit, from a GroupInfo: init secret = HPKE export to the external key, signed by his own key
  from outside   a proposal of somebody whom the group's extensions list, or of who wants to be added

Source: RFC 9420, sections 8.3, 11, 12.1.8, 12.4.3.1 and 12.4.3.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from escrow.crypto import Private, SigningKey, new_private
from escrow.errors import Forged
from escrow.mls import messages
from escrow.mls.applying import apply, check_former
from escrow.mls.framing import (
    PUBLIC,
    AuthData,
    Commit,
    ExternalInit,
    FramedContent,
    MemberSender,
    NewMemberCommit,
    Proposal,
    Proposed,
    RemoveMember,
    Sender,
)
from escrow.mls.group_state import GroupChange, GroupState, Policy, anything, described, founded
from escrow.mls.key_schedule import Extension, epoch_of, external_init
from escrow.mls.labelled import HASH
from escrow.mls.leaf_node import KeyPackage, new_leaf
from escrow.mls.participant import Participant
from escrow.mls.pre_shared import PreSharedKeys
from escrow.mls.protection import sign, to_public
from escrow.mls.trees import tree_math
from escrow.mls.trees.ratchet_tree import RatchetTree
from escrow.mls.trees.tree_checks import check_tree
from escrow.mls.trees.treekem import keys_above, make_path
from escrow.mls.welcome import GroupInfo, Welcome, open_welcome


class MlsClient(msgspec.Struct, frozen=True):
    """What somebody needs to be added: a key package and its private keys."""

    package: KeyPackage
    signing: SigningKey
    init: Private
    encryption: Private


def new_client(identity: bytes, signing: SigningKey, extensions: tuple[Extension, ...] = ()) -> MlsClient:
    """Return a client with a fresh key package under a signature key; the extensions are those of his leaf."""
    init, encryption = new_private(), new_private()
    leaf = new_leaf(identity, signing, encryption, extensions)
    return MlsClient(KeyPackage(init_key=init.public, leaf_node=leaf).signed(signing), signing, init, encryption)


def found_group(
    client: MlsClient, group_id: bytes, extensions: Sequence[Extension] = (), policy: Policy = anything
) -> Participant:
    """Return the only member of a new group with some extensions."""
    state = founded(client.package.leaf_node, group_id, extensions)
    return Participant(client.signing, 0, {0: client.encryption}, state, policy)


def join_welcomed(
    client: MlsClient,
    data: bytes,
    policy: Policy = anything,
    psks: PreSharedKeys | None = None,
    tree: RatchetTree | None = None,
) -> Participant:
    """Return the member that a Welcome makes of a client.

    Args:
        client: whose key package was added.
        data: the Welcome as it travels.
        policy: asked before the client is in the group.
        psks: the pre-shared keys that the application gave.
        tree: the ratchet tree, if it came apart from the Welcome.

    Raises:
        Malformed: the bytes are no Welcome.
        Forged: it is for others, or something in it does not fit; the text says what.
        Refused: the policy refuses the group.
    """
    message = messages.from_bytes(data)
    if not isinstance(message, Welcome):
        raise Forged(f"{type(message).__name__} is no Welcome")
    welcomed = open_welcome(message, client.package, client.init, psks)
    info, tree = welcomed.info, welcomed.info.tree(tree)
    info.check(tree.leaf(info.signer).signature_key)
    check_tree(tree, info.context.group_id)
    places = [index for index, leaf in tree.members() if leaf == client.package.leaf_node]
    if len(places) != 1:
        raise Forged("the tree of a Welcome has not the newcomer's leaf, once")
    keys, index = {2 * places[0]: client.encryption}, places[0]
    if welcomed.path_secret is not None:
        start = tree_math.common_ancestor(2 * index, 2 * info.signer)
        keys |= keys_above(tree, info.signer, start, welcomed.path_secret)[0]
    state = described(info, tree, welcomed.made.epoch)
    policy(GroupChange(MemberSender(info.signer), None, state, tuple(each for each, _ in tree.members()), ()))
    return Participant(client.signing, index, keys, state, policy, psks)


def join_externally(
    client: MlsClient, info: GroupInfo, instead_of: int | None = None, policy: Policy = anything
) -> tuple[Participant, bytes]:
    """Return the member that a client makes of himself, and the commit as it travels (section 12.4.3.2).

    Args:
        client: who joins; of his key package only the leaf serves.
        info: the group, with tree and external key, as a member signed it.
        instead_of: the leaf index of a member whom the commit removes, his former self.
        policy: as of other members.

    Raises:
        Forged: something in the GroupInfo does not fit.
        Malformed: it lacks the tree or the external key.
    """
    tree = info.tree()
    info.check(tree.leaf(info.signer).signature_key)
    check_tree(tree, info.context.group_id)
    before = described(info, tree, epoch_of(bytes(HASH)))  # a stranger does not know the secrets of this epoch
    kem_output, init_secret = external_init(info.external_public())
    proposals: list[Proposal] = [ExternalInit(kem_output)]
    if instead_of is not None:
        proposals.append(RemoveMember(instead_of))
    applied = apply(tree, info.context, [(NewMemberCommit(), each) for each in proposals], None)
    check_former(tree, client.package.leaf_node, applied.removed)
    index = applied.joined = applied.tree.add(client.package.leaf_node)
    context = before.next_context(applied)
    made = make_path(applied.tree, client.package.leaf_node, index, client.signing, context, ())
    commit = Commit(tuple(map(Proposed, proposals)), made.path)
    framed = FramedContent(info.context.group_id, info.context.epoch, NewMemberCommit(), b"", commit)
    signed = sign(client.signing, PUBLIC, framed, info.context)
    after, _ = before.after(applied, signed, made.commit_secret, init_secret)
    signed = replace(signed, auth=AuthData(signed.auth.signature, after.tag))
    return Participant(client.signing, index, made.keys, after, policy), messages.to_bytes(
        to_public(signed, info.context, b"")
    )


def propose_from_outside(key: SigningKey, sender: Sender, info: GroupInfo | GroupState, proposal: Proposal) -> bytes:
    """Return a proposal as it travels, of an external sender or of who proposes to add himself (section 12.1.8)."""
    framed = FramedContent(info.context.group_id, info.context.epoch, sender, b"", Proposed(proposal))
    return messages.to_bytes(to_public(sign(key, PUBLIC, framed, info.context), info.context, b""))

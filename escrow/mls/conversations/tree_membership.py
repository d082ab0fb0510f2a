"""What a device keeps of a conversation: its place in the group, the epoch's keys, and ratchets for mail that is late.

  now    the group as everybody sees it, the keys of the epoch, and the private keys above the device's leaf
  open   for this epoch and those that ended lately: the ratchets of the others, as far as they were not used

Between two actions there are only these data: a commit makes an `escrow.mls.participant.Participant` of them, and keeps
what that one ends with. Source: RFC 9420, sections 8, 9.2 and 15.3 (how long keys of earlier epochs are kept is ours).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from escrow.codec import Public
from escrow.crypto import Private, SigningKey
from escrow.derivation import honest_only
from escrow.e2ee.provider import Listed
from escrow.e2ee.transcript import TreeMessage
from escrow.errors import Forged, Malformed
from escrow.mls import messages
from escrow.mls.conversations.facts import EpochKeys, LeafChain, SenderDataKey, TextKey, begun, private_message
from escrow.mls.framing import PRIVATE, ApplicationData, AuthenticatedContent, FramedContent, MemberSender
from escrow.mls.group_state import described
from escrow.mls.key_schedule import EpochSecrets, GroupContext
from escrow.mls.leaf_node import LeafNode
from escrow.mls.participant import Participant
from escrow.mls.presentation import decode
from escrow.mls.protection import check_signed, opened_content, opened_sender, sign, to_private
from escrow.mls.trees.ratchet_tree import RatchetTree
from escrow.mls.trees.secret_tree import HashRatchet, KeyNonce
from escrow.mls.welcome import TREE, GroupInfo

KEEPS = 4  # days for which late mail of an epoch that has ended still opens


def leaf_name(user: str, device: str) -> bytes:
    """Return what a credential asserts: a user and a device of the user. No name has a plus sign."""
    return f"{user}+{device}".encode()


def listed_leaf(leaf: LeafNode) -> Listed:
    """Return the device that a leaf says it is."""
    user, _, device = leaf.name.partition("+")
    return Listed(user, device, leaf.signature_key)


class OpenEpoch(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The ratchets of an epoch: `context` as encoded, `roster` the device at each leaf, or nothing.

    `ended` is the day on which the next epoch began; -1 while it goes on.
    """

    context: Public
    roster: list[Listed | None]
    sender: SenderDataKey
    chains: list[LeafChain]
    skipped: list[TextKey] = []
    ended: int = -1

    def ratchet(self, leaf: int) -> HashRatchet:
        """Return the ratchet of a leaf's texts. Raise Forged if none is kept."""
        for chain in self.chains:
            if chain.leaf == leaf:
                passed = {each.n: KeyNonce(each.key, each.nonce) for each in self.skipped if each.leaf == leaf}
                return HashRatchet(chain.value, chain.n, passed)
        raise Forged(f"there is no ratchet of leaf {leaf}")

    @honest_only("how a member keeps what the rules of escrow.mls.conversations.facts give")
    def keep(self, leaf: int, ratchet: HashRatchet) -> None:
        """Keep a leaf's ratchet as it is now."""
        group, epoch = self.sender.group, self.sender.epoch
        chain = LeafChain(group, epoch, leaf, ratchet.generation, ratchet.secret)
        self.chains = [chain if each.leaf == leaf else each for each in self.chains]
        others = [each for each in self.skipped if each.leaf != leaf]
        self.skipped = others + [TextKey(group, epoch, leaf, n, *made) for n, made in ratchet.skipped.items()]


class TreeMembership(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A device in the group of a conversation.

    `info` is the group in this epoch as everybody sees it, `nodes` the private keys of the device's leaf and of nodes
    above it, `epochs` those that are open, this one first, and `renewed` the day of the device's newest leaf. `stuck`:
    a commit was refused, so that the device does not follow any more.
    """

    index: int
    info: Public
    keys: EpochKeys
    nodes: list[Private]
    epochs: list[OpenEpoch]
    renewed: int
    stuck: bool = False

    @property
    def roster(self) -> dict[int, Listed]:
        """The devices in this epoch, by leaf index."""
        return {index: leaf for index, leaf in enumerate(self.epochs[0].roster) if leaf is not None}

    def participant(self, signing: SigningKey) -> Participant:
        """Return the member of the group that these data are."""
        info, own = group_in(self.info), self.keys
        tree = RatchetTree.decoded(info.extension(TREE))  # its hash was compared when the epoch began
        secrets = EpochSecrets(
            self.epochs[0].sender.value, b"", b"", own.external, b"", own.membership, b"", own.authenticator, own.init
        )
        held = {key.public: key for key in self.nodes}
        keys = {
            number: held[node.encryption_key]
            for number, node in enumerate(tree.nodes)
            if node is not None and node.encryption_key in held
        }
        return Participant(signing, self.index, keys, described(info, tree, secrets))


def group_in(data: bytes) -> GroupInfo:
    """Return the GroupInfo of a message. Raise Malformed if it is another message, or none."""
    found = messages.from_bytes(data)
    if not isinstance(found, GroupInfo):
        raise Malformed(f"a {type(found).__name__} in place of a GroupInfo")
    return found


def membership_of(
    member: Participant, told: bytes, earlier: Iterable[OpenEpoch], day: int, renewed: int
) -> TreeMembership:
    """Return what a device keeps of an epoch that begins today, and of earlier ones for late mail.

    Raise Forged or Malformed unless the GroupInfo that is told with the commit is of the group that the member has.
    """
    state, tree = member.state, member.state.tree
    keys, sender, chains = begun(state.context, state.epoch, tree.leaves)
    roster: list[Listed | None] = [None] * tree.leaves
    for index, leaf in tree.members():
        roster[index] = listed_leaf(leaf)
    info = group_in(told)
    same_tree = RatchetTree.decoded(info.extension(TREE)).nodes == tree.nodes
    if not same_tree or (info.context, info.confirmation_tag) != (state.context, state.tag):
        raise Forged("the GroupInfo that is told with a commit is of another group")
    there = [each for each in chains if roster[each.leaf] is not None]
    now = OpenEpoch(state.context.encoded(), roster, sender, there)
    before = [_ended(each, day) for each in earlier]
    kept = [each for each in before if day - each.ended < KEEPS]
    return TreeMembership(member.index, told, keys, list(member.keys.values()), [now, *kept], renewed)


def _ended(epoch: OpenEpoch, day: int) -> OpenEpoch:
    return epoch if epoch.ended >= 0 else replace(epoch, ended=day)


def sealed_text(own: TreeMembership, signing: SigningKey, data: bytes) -> bytes:
    """Return data to the group as it travels; its key is spent."""
    epoch = own.epochs[0]
    context, ratchet = decode(epoch.context, GroupContext), epoch.ratchet(own.index)
    framed = FramedContent(context.group_id, context.epoch, MemberSender(own.index), b"", ApplicationData(data))
    signed = sign(signing, PRIVATE, framed, context)
    travelling = messages.to_bytes(to_private(signed, ratchet, epoch.sender.value))
    epoch.keep(own.index, ratchet)
    return travelling


def opened_text(own: TreeMembership, message: TreeMessage) -> tuple[Listed, AuthenticatedContent]:
    """Return the device that sent a message, and its content; its key is spent.

    Raise Forged, and change nothing, if the epoch is not open, the message was read before, or it does not fit.
    """
    for epoch in own.epochs:
        if (epoch.sender.group, epoch.sender.epoch) == (message.group, message.epoch):
            private = private_message(message)
            data = opened_sender(private, epoch.sender.value)
            ratchet = epoch.ratchet(data.leaf)
            content = opened_content(private, data, ratchet.at(data.generation))
            if (sender := epoch.roster[data.leaf]) is None:
                raise Forged(f"nobody is at leaf {data.leaf}")
            check_signed(content, sender.identity, decode(epoch.context, GroupContext))
            epoch.keep(data.leaf, ratchet)
            return sender, content
    raise Forged("a message of an epoch that is over for this device, or has not begun")

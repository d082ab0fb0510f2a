"""Groups of MLS (RFC 9420, ciphersuite 1): ghost-mls, for verify_evidence.py."""

import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from evidence_trees import (
    Reader,
    Tree,
    children,
    committed,
    context,
    group_info,
    is_under,
    message,
    prefixed,
    private,
    sealed_secret,
    secrets,
    several,
    uint,
    welcome,
    whole,
)
from verify_evidence import hpke_open, require, rule, shapes

FACTS = "escrow.mls.conversations.facts"
KEM, SUITE = b"HPKE-v1KEM\0\x20", b"HPKE-v1HPKE\0\x20\0\1\0\1"
shapes("escrow.mls.conversations.attesting", "ServiceKey(SigningKey) public raw")
shapes("escrow.e2ee.transcript", "TreeMessage group epoch body")
shapes(
    FACTS,
    """EpochKeys group epoch init external membership authenticator\nSenderDataKey group epoch value
    LeafChain group epoch leaf n value\nTextKey group epoch leaf n key nonce\nPlaced group epoch leaf n guard body
    Handshake group epoch transcript message welcome info invited by proposed
    SealedPath group epoch to sealed labels above context leaves kem_output\nInvitation to sealed group_info info""",
)


@rule(f"{FACTS}.read_handshake", "Handshake")
def read_handshake(handshake):
    """Return what a commit and its Welcome have sealed."""
    sender, proposals, (own, nodes) = whole(handshake.message, message(1, committed))
    info = whole(handshake.info, message(4, group_info))
    tree, head = Tree(info), info[0].parts
    members = tree.members()
    index = next(at for at, each in members.items() if each.raw == own.raw) if sender is None else sender
    outside = [each for sent in handshake.proposed for each in whole(sent, message(1, committed))[1]]
    added = [content[3].raw for number, content in (*proposals, *outside) if number == 1]
    newcomers = {at for at, each in members.items() if each.raw in added}
    kem_output = next((content for number, content in proposals if number == 6), b"")
    before = b"\0\1\0\1" + prefixed(head[2]) + head[3].to_bytes(8, "big") + prefixed(head[4])
    labels = before + prefixed(handshake.transcript) + prefixed(head[6])
    above = [public for public, _ in nodes]
    for at, ((_, sent), (_, other)) in enumerate(zip(nodes, tree.filtered(index), strict=False)):
        receivers = [node for node in tree.resolution(other) if node % 2 or node // 2 not in newcomers]
        for node, sealed in zip(receivers, sent, strict=False):
            to, rest = tree.nodes[node].parts[0], [info[0].raw, tree.leaves, kem_output]
            yield ["SealedPath", handshake.group, handshake.epoch, to, sealed.raw, labels, above[at:], *rest]
    if handshake.welcome:
        _, invited, encrypted = whole(handshake.welcome, message(3, welcome))
        for to, (_, sealed) in zip(handshake.invited, invited, strict=False):
            yield ["Invitation", to, sealed.raw, encrypted, handshake.info]


# --- what members compute ---


def expand(secret, label, labels=b"", length=32):
    """Return ExpandWithLabel."""
    info = length.to_bytes(2, "big") + prefixed(b"MLS 1.0 " + label) + prefixed(labels)
    return hmac.digest(secret, info + b"\1", "sha256")[:length]


def key_pair(raw):
    """Return the fact of an X25519 key."""
    return ["Private", X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw(), raw]


def derived_key(secret):
    """Return DHKEM's DeriveKeyPair."""
    prk = hmac.digest(b"", KEM + b"dkp_prk" + secret, "sha256")
    return key_pair(hmac.digest(prk, b"\0\x20" + KEM + b"sk\1", "sha256"))


def external_init(secret, enc):
    """Return the init secret of who joins by himself: HPKE's export, with empty info."""
    _, public, raw = derived_key(secret)
    shared = X25519PrivateKey.from_private_bytes(raw).exchange(X25519PublicKey.from_public_bytes(enc))
    prk = hmac.digest(b"", KEM + b"eae_prk" + shared, "sha256")
    shared = hmac.digest(prk, b"\0\x20" + KEM + b"shared_secret" + enc + public + b"\1", "sha256")
    hashes = [hmac.digest(b"", SUITE + label, "sha256") for label in (b"psk_id_hash", b"info_hash")]
    secret = hmac.digest(shared, SUITE + b"secret", "sha256")
    exporter = hmac.digest(secret, b"\0\x20" + SUITE + b"exp\0" + b"".join(hashes) + b"\1", "sha256")
    return hmac.digest(exporter, b"\0\x20" + SUITE + b"secMLS 1.0 external init secret\1", "sha256")


def decrypted(key, label, labels, sealed):
    """Return DecryptWithLabel."""
    joined = b"".join(whole(sealed, sealed_secret).parts)
    return hpke_open(key, joined, prefixed(b"MLS 1.0 " + label) + prefixed(labels))


def begun(joiner, labels, leaves):
    """Return the epoch secret, and what a member keeps of the epoch that a joiner secret begins."""
    _, _, group, number, *_ = whole(labels, context)
    epoch = expand(hmac.digest(joiner, bytes(32), "sha256"), b"epoch", labels)
    named = [expand(epoch, name) for name in (b"init", b"external", b"membership", b"authentication")]
    made = [["EpochKeys", group, number, *named]]
    made.append(["SenderDataKey", group, number, expand(epoch, b"sender data")])
    nodes, way = {leaves - 1: expand(epoch, b"encryption")}, [leaves - 1]
    for node in way:
        for child, side in zip(children(node) if node % 2 else (), (b"left", b"right"), strict=False):
            nodes[child] = expand(nodes[node], b"tree", side)
            way.append(child)
    ratchets = [expand(nodes[2 * at], b"application") for at in range(leaves)]
    return epoch, made + [["LeafChain", group, number, at, 0, secret] for at, secret in enumerate(ratchets)]


def keys_above(secret, publics):
    """Return the keys of nodes from one up, by the path secret of the first, and the commit secret."""
    found = []
    for public in publics:
        found.append(derived_key(expand(secret, b"node")))
        require(found[-1][1] == public, "the path secret does not give the public key of a node")
        secret = expand(secret, b"path")
    return found, secret


@rule(f"{FACTS}.enter", "SealedPath EpochKeys Private")
def enter(path, keys, key):
    """Return the next epoch, and the keys of the nodes above."""
    require((path.group, path.epoch, path.to) == (keys.group, keys.epoch, key.public), "a path of another epoch or key")
    found, commit = keys_above(decrypted(key, b"UpdatePathNode", path.labels, path.sealed), path.above)
    init = external_init(keys.external, path.kem_output) if path.kem_output else keys.init
    joiner = expand(hmac.digest(init, commit, "sha256"), b"joiner", path.context)
    return begun(joiner, path.context, path.leaves)[1] + found


@rule(f"{FACTS}.join", "Invitation Private")
def join(invitation, key):
    """Return the epoch that an invitation leads into."""
    require(invitation.to == key.public, "the invitation is for another key")
    info = whole(invitation.info, message(4, group_info))
    joiner, path_secret, _ = whole(decrypted(key, b"Welcome", invitation.group_info, invitation.sealed), secrets)
    tree, leaf = Tree(info), hmac.digest(bytes(32), key.raw, "sha256")
    leaf = key_pair(hmac.digest(leaf, b"escrow-lab encryption key of a leaf\1", "sha256"))
    epoch, made = begun(joiner, info[0].raw, tree.leaves)
    tag = hmac.digest(expand(epoch, b"confirm"), info[0].parts[5], "sha256")
    require(tag == info[2] and path_secret is not None, "the confirmation tag does not fit, or there is no path secret")
    index = next(at for at, each in tree.members().items() if each.parts[0] == leaf[1])
    above = [node for node, _ in tree.filtered(info[3])]
    shared = [node for node in above if is_under(2 * index, node)]
    require(shared and is_below_both(shared[0], 2 * index, 2 * info[3]), "no path to the newcomer")
    return [*made, leaf, *keys_above(path_secret, [tree.nodes[node].parts[0] for node in shared])[0]]


def is_below_both(node, one, other):
    """Return whether a node is the lowest above two leaves."""
    return not any(is_under(one, child) and is_under(other, child) for child in children(node))


def place_of(found):
    """Return group, epoch and type of content, as a private message is bound to them."""
    return prefixed(found[0]) + found[1].to_bytes(8, "big") + bytes([found[2]])


@rule(f"{FACTS}.place", "TreeMessage SenderDataKey")
def place(sent, key):
    """Return where a message stands: its sender's leaf and its number."""
    require((sent.group, sent.epoch) == (key.group, key.epoch), "the key is of another epoch")
    *found, sealed, ciphertext = whole(sent.body, message(2, private))
    value, nonce = (expand(key.value, name, ciphertext[:32], size) for name, size in ((b"key", 16), (b"nonce", 12)))
    data = whole(AESGCM(value).decrypt(nonce, sealed, place_of(found)), several(uint(4), uint(4), uint(4)))
    return [["Placed", sent.group, sent.epoch, *data, sent.body]]


@rule(f"{FACTS}.advance", "Placed LeafChain")
def advance(placed, chain):
    """Return the key and nonce of a message from its sender's ratchet."""
    named = (placed.group, placed.epoch, placed.leaf) == (chain.group, chain.epoch, chain.leaf)
    require(named and 0 <= placed.n - chain.n <= 1000, "the ratchet is another's, or too far away")
    secret = chain.value
    for n in range(chain.n, placed.n):
        secret = expand(secret, b"secret", n.to_bytes(4, "big"))
    made = [expand(secret, name, placed.n.to_bytes(4, "big"), size) for name, size in ((b"key", 16), (b"nonce", 12))]
    return [["TextKey", *placed.array[1:5], *made]]


@rule(f"{FACTS}.open_placed", "Placed TextKey")
def open_placed(placed, key):
    """Return the plaintext of a message."""
    require(placed.array[1:5] == key.array[1:5], "the key is of another message")
    *found, _, ciphertext = whole(placed.body, message(2, private))
    guard = placed.guard ^ int.from_bytes(key.nonce[:4], "big")
    labels = place_of(found) + prefixed(found[3])
    stream = Reader(AESGCM(key.key).decrypt(guard.to_bytes(4, "big") + key.nonce[4:], ciphertext, labels))
    data, _ = stream.opaque(), stream.opaque()
    require(found[2] == 1 and not any(stream.data[stream.at :]), "no text, or bytes behind it")
    return [["Plaintext", data]]

"""The keys of messages: a tree of secrets from the encryption secret down, and two ratchets at each leaf.

  down      left, right = Expand(node, "tree", "left" | "right");  a node is erased when its children are made
  ratchet   key, nonce, next = Tree(secret, "key" | "nonce" | "secret", generation)        one ratchet for handshakes

Source: RFC 9420, sections 9 and 9.1; sender data: section 6.3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from escrow.errors import Forged
from escrow.mls.labelled import HASH, KEY, NONCE, derive_tree_secret, expand_with_label
from escrow.mls.trees import tree_math

HANDSHAKE, APPLICATION = "handshake", "application"
MAX_AHEAD = 1000  # generations that a receiver computes at once; the RFC leaves the number to the application


class KeyNonce(NamedTuple):
    """An AES-128-GCM key (16 bytes) and nonce (12 bytes)."""

    key: bytes
    nonce: bytes


class HashRatchet:
    """The keys of one sender for one kind of message. Each is handed out once."""

    def __init__(self, secret: bytes, generation: int = 0, skipped: Mapping[int, KeyNonce] | None = None) -> None:
        """Begin with the secret (32 bytes) of a generation, and the keys of earlier ones that were not used."""
        self.secret, self.generation = secret, generation
        self.skipped = dict(skipped or {})

    def following(self) -> tuple[int, KeyNonce]:
        """Return the next generation and its key."""
        generation, secret = self.generation, self.secret
        made = KeyNonce(
            derive_tree_secret(secret, "key", generation, KEY), derive_tree_secret(secret, "nonce", generation, NONCE)
        )
        self.secret, self.generation = derive_tree_secret(secret, "secret", generation, HASH), generation + 1
        return generation, made

    def at(self, generation: int) -> KeyNonce:
        """Return the key of a generation. Raise Forged if it was used before, or lies too far ahead."""
        if generation < self.generation:
            if generation not in self.skipped:
                raise Forged(f"the key of generation {generation} was used before")
            return self.skipped.pop(generation)
        if generation - self.generation > MAX_AHEAD:
            raise Forged(f"generation {generation} is more than {MAX_AHEAD} ahead")
        while self.generation < generation:
            self.keep(*self.following())
        return self.following()[1]

    def keep(self, generation: int, made: KeyNonce) -> None:
        """Keep a key for a message that has not come yet; of more than MAX_AHEAD the oldest is erased."""
        self.skipped[generation] = made
        if len(self.skipped) > MAX_AHEAD:
            del self.skipped[min(self.skipped)]

    def copy(self) -> HashRatchet:
        """Return a ratchet that goes on apart from this one."""
        return HashRatchet(self.secret, self.generation, self.skipped)


class SecretTree:
    """The secrets of an epoch's messages, which are erased as they are used."""

    def __init__(self, encryption_secret: bytes, leaves: int) -> None:
        self.leaves = leaves
        self._secrets = {tree_math.root(leaves): encryption_secret}
        self._ratchets: dict[tuple[int, str], HashRatchet] = {}

    def copy(self) -> SecretTree:
        """Return a tree that goes on apart from this one."""
        other = SecretTree(b"", self.leaves)
        other._secrets = dict(self._secrets)
        other._ratchets = {place: each.copy() for place, each in self._ratchets.items()}
        return other

    def ratchet(self, leaf: int, kind: str) -> HashRatchet:
        """Return a leaf's ratchet for `HANDSHAKE` or `APPLICATION`. Raise Forged if there is no such leaf."""
        if not 0 <= leaf < self.leaves:
            raise Forged(f"there is no leaf {leaf} in a tree of {self.leaves} leaves")
        if (leaf, kind) not in self._ratchets:
            secret = self._secret_of(2 * leaf)
            for each in (HANDSHAKE, APPLICATION):
                self._ratchets[leaf, each] = HashRatchet(expand_with_label(secret, each, b"", HASH))
        return self._ratchets[leaf, kind]

    def _secret_of(self, node: int) -> bytes:
        """Return the secret of a leaf's node, erasing it and those on the way to it."""
        way = [node, *tree_math.direct_path(node, self.leaves)]
        start = next(number for number, each in enumerate(way) if each in self._secrets)
        for above in reversed(way[1 : start + 1]):
            secret = self._secrets.pop(above)
            for child, side in zip(tree_math.children(above), (b"left", b"right"), strict=True):
                self._secrets[child] = expand_with_label(secret, "tree", side, HASH)
        return self._secrets.pop(node)


def sender_data_key(sender_data_secret: bytes, ciphertext: bytes) -> KeyNonce:
    """Return the key under which the sender of a ciphertext is hidden, from its first 32 bytes (section 6.3.2)."""
    sample = ciphertext[:HASH]
    return KeyNonce(
        expand_with_label(sender_data_secret, "key", sample, KEY),
        expand_with_label(sender_data_secret, "nonce", sample, NONCE),
    )

"""Messaging Layer Security: groups with one ratchet tree (RFC 9420), ciphersuite 1 only."""

"""The trees of a group: positions, the public keys of members, the secrets of messages, and how new keys spread."""

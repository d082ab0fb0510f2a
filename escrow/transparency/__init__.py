"""Public records that nobody can change without being seen: Merkle logs and key directories."""

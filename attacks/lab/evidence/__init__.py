"""Proofs of a cell that a stranger can execute again: written, verified, replayed, explained."""

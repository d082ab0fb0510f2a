"""Clients of which somebody changed the source: the keys that they seal to, and who has the private halves."""

"""A committee runs key generation, refresh and recovery over the wire."""

"""Distributed key generation (GJKR): commitments, complaints, extraction, and the key that comes out."""

"""Keys held in shares: secret sharing, threshold decryption, key generation, refresh and recovery."""

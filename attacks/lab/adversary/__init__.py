"""The closure adversary: bytes read back into facts, rules applied to them, labels, coalitions and proofs."""

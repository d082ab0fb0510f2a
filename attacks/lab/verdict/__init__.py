"""What a play and an adversary say together: what was opened and delivered, against what the scheme claims."""

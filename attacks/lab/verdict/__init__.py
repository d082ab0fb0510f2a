"""The verdict of a play and an adversary: what was opened and delivered, against what the scheme claims."""

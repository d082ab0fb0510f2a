"""The public exchange about lawful access, sentence by sentence, beside figures of a run: `escrow-lab debate`."""

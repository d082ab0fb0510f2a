"""From what was opened to a word: what a claim, its model and plain excuse, and the ordered procedure."""

"""Who can open what: the anatomy of a scheme, what a claim concedes, and what is guessed."""

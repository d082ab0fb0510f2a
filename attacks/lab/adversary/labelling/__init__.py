"""For every fact, under which minimal sets of thefts it can be derived."""

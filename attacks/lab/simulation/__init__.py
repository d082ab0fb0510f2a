"""One play of one scheme under one attack, and the record of everything that happened in it."""

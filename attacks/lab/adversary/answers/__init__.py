"""What honest officials answer: requests put to them, and the groups of partial answers that are worth computing."""

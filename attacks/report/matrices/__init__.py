"""A matrix on a page: its numbers, README's table, verdicts, and the spread over seeds."""

"""Published figures, computed again: one file is one result of the literature and ends with `EXPERIMENT = …`."""

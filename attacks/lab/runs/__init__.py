"""Many cells: the matrix, its worker processes, journals, shards, experiments and the checks of a plug-in."""

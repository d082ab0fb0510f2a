"""One file, one paper. Each ends with SCHEME."""

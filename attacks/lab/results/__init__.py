"""The shapes of results, as structs and as flat rows."""

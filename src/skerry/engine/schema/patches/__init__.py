"""One patch format per file; each takes a private original and returns the patched object."""

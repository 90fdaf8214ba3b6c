"""Questions that are asked by creating an object which is answered and not stored: one file per kind."""

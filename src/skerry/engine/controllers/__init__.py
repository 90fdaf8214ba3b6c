"""The control loops: one file per controller."""

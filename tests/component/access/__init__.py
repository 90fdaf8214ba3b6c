"""Access control with kubectl."""

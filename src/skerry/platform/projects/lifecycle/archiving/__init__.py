"""What is kept of a project that has ended for good, and its last end."""

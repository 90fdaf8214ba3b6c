"""The audit log: its policy, its events, its file."""

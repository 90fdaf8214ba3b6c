"""Quotas at the moment of writing: what is used, what is on its way, what would be too much."""

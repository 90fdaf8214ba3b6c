"""Subresources with code of their own, one per file."""

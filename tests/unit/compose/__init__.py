"""Unit tests of what Compose files become."""

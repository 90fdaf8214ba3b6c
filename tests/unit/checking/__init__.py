"""Unit tests of what is wrong with manifests."""

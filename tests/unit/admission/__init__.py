"""Unit tests of the admission chain and its plug-ins."""

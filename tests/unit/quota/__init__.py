"""Unit tests of what objects use of quotas."""

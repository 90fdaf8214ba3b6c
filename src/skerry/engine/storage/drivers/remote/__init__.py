"""Volumes on servers elsewhere: one file per protocol, and what they share."""

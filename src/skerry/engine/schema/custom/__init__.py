"""Custom resources: from a definition's schema to what a `Kind` needs. Nothing here knows of the store."""

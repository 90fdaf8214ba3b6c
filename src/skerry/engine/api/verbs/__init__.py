"""The verbs, one per file; this listing is the supported API."""

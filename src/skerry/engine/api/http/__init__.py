"""HTTP: bytes to requests and answers to bytes. Nothing here knows what a verb does."""

"""What Releases take from upstream past all catalogues: fetched, kept beside them, looked at again."""

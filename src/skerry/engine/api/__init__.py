"""The Kubernetes API server: one verb or feature per file, composed by wrapping."""

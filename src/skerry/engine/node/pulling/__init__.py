"""Images of containers: `policy` decides whether to pull, `credentials` with what, `puller` does it once per image."""

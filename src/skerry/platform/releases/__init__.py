"""Applications that run: charts, overlays and manifests, kept as they are wanted with the project's own rights."""

"""Bandwidth limits of pods, by the annotations Kubernetes has for them (decision 0041)."""

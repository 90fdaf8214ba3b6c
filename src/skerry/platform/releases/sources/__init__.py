"""Releases of plain manifests and of overlays: what they are made of, as charts that Helm can keep."""

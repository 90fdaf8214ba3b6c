"""Probes: `machine` decides, `checks` ask a container once, `prober` keeps the time for all containers."""

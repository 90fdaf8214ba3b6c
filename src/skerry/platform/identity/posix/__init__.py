"""Pods that run with the numbers of the person whose they are."""

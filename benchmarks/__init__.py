"""Benchmarks: `python -m benchmarks [NAME...]` boots the real program and prints each number beside its floor.

The floor is what containerd, SQLite or a plain TLS server alone need for the same work in the same run, because
absolute times on shared machines mean little. Targets are those of the project's plan for a 2-core machine.
"""

"""What a kubelet's own server tells about its machine: usage as a summary and as Prometheus text, and what runs.

Measured when asked for. Neighbours: `access.metrics` (samples), `access.usage` (cgroup files).
"""

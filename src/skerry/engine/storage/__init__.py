"""Volumes that outlive pods: drivers that make them, the loops that answer claims, and their mounts on this machine.

`contract` is what everything here agrees on, in the words of the Container Storage Interface (CSI). Invariant: what
claims and volumes mean is settled in `controllers.volumes`, which knows no driver; here is only what a driver and its
sidecars do on a real cluster.
"""
